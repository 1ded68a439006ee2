//! What people said in a project, for readers: the log and the rubric it is read by.
//!
//! Invariant: cheap to share; it is replaced, never changed.

use std::collections::HashSet;
use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::Uri;

use crate::analysis::record::Outline;
use crate::analysis::reviews::{Reviewed, word};
use crate::review::gate::Gate;
use crate::review::roster::Marked;
use crate::review::warnings::Warning;
use crate::review::{Bound, Log, batch};
use crate::transcript::records::Layout;

use super::gates::Reckoned;
use super::panel::Panel;
use super::projects::Live;
use super::shelf::Shelf;
use super::uri;

/// The log of a project and its rubric.
#[derive(Clone, Debug)]
pub struct Reviews {
    /// All records.
    pub log: Arc<Log>,
    /// Judges and criteria in force.
    pub panel: Arc<Panel>,
    /// What follows from it, as far as it was reckoned.
    pub reckoned: Option<Arc<Reckoned>>,
}

impl Reviews {
    /// The same, for what is shown.
    #[must_use]
    pub fn reviewed(&self) -> Reviewed<'_> {
        let Panel { rubric, rubric_digest, .. } = &*self.panel;
        Reviewed { log: &self.log, rubric, rubric_digest }
    }

    /// What a transcript is bound to now.
    #[must_use]
    pub fn bound<'a>(&'a self, transcript: &'a str, digest: &'a str) -> Bound<'a> {
        Bound { transcript, digest, rubric: &self.panel.rubric_digest }
    }

    /// The word for the lens of a transcript, empty where nobody has read it.
    #[must_use]
    pub fn word(&self, outline: &Outline) -> &'static str {
        let digest = outline.digest.map(|digest| digest.to_string());
        let word = digest.and_then(|digest| word(self.reviewed().of(&outline.id, &digest)));
        word.unwrap_or_default()
    }
}

impl Reviews {
    /// The gates of the batches that a file's transcripts are in.
    pub fn gates_of<'a>(
        &'a self,
        live: &Live,
        uri: &Uri,
        shelf: &Shelf,
    ) -> impl Iterator<Item = &'a (Gate, Vec<Warning>)> {
        let outlines = shelf.records().filter_map(|record| {
            let outline = record.outline()?;
            batch_of(live, uri, shelf, outline)
        });
        let names: HashSet<String> = outlines.collect();
        let all = self.reckoned.iter().flat_map(|reckoned| &reckoned.gates);
        all.filter(move |(gate, _)| names.contains(&gate.batch))
    }

    /// Transcripts with a mark on a criterion that holds no longer.
    #[must_use]
    pub fn stale_marks(&self, criterion: &str) -> usize {
        let reckoned = self.reckoned.as_ref();
        reckoned.and_then(|known| known.stale_marks.get(criterion)).copied().unwrap_or(0)
    }

    /// People's marks beside the judges' answers to a criterion.
    pub fn marked<'a>(&'a self, criterion: &'a str) -> impl Iterator<Item = &'a Marked> {
        let all = self.reckoned.iter().flat_map(|reckoned| &reckoned.marked);
        all.filter(move |marked| marked.criterion == criterion)
    }
}

/// The batch of a transcript in a file.
#[must_use]
pub fn batch_of(live: &Live, uri: &Uri, shelf: &Shelf, outline: &Outline) -> Option<String> {
    if let Some(own) = &outline.batch {
        return Some(own.clone());
    }
    let single = shelf.slots.layout() == Layout::Document && shelf.slots.slots().len() == 1;
    batch::of_file(live.project.root.as_ref()?, &uri::to_path(uri)?, single)
}
