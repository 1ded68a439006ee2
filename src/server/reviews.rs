//! What people said in a project, for readers: the log and the rubric it is read by.
//!
//! Invariant: cheap to share; it is replaced, never changed.

use std::sync::Arc;

use crate::analysis::record::Outline;
use crate::analysis::reviews::{Reviewed, word};
use crate::review::{Log, batch};
use crate::transcript::records::Layout;

use super::panel::Panel;
use super::projects::Live;
use super::shelf::Shelf;
use super::uri;
use tower_lsp_server::gen_lsp_types::Uri;

/// The log of a project and its rubric.
#[derive(Clone, Debug)]
pub struct Reviews {
    /// All records.
    pub log: Arc<Log>,
    /// Judges and criteria in force.
    pub panel: Arc<Panel>,
}

impl Reviews {
    /// The same, for what is shown.
    #[must_use]
    pub fn reviewed(&self) -> Reviewed<'_> {
        let Panel { rubric, rubric_digest, .. } = &*self.panel;
        Reviewed { log: &self.log, rubric, rubric_digest }
    }

    /// The word for the lens of a transcript, empty where nobody has read it.
    #[must_use]
    pub fn word(&self, outline: &Outline) -> &'static str {
        let digest = outline.digest.map(|digest| digest.to_string());
        let word = digest.and_then(|digest| word(self.reviewed().of(&outline.id, &digest)));
        word.unwrap_or_default()
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
