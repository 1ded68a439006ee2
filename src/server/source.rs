//! A transcript file of a project, whether the editor has it open or not.
//!
//! Invariant: the text of an open document wins over what is on disk. Reading
//! blocks, so it happens off the main loop.

use std::path::PathBuf;

use tower_lsp_server::gen_lsp_types::Uri;

use crate::config::Limits;
use crate::engine::blocks::Blocks;
use crate::engine::disk;
use crate::review::batch;
use crate::text::document::Document;
use crate::text::json;
use crate::transcript::records::{Layout, Records};
use crate::transcript::{Transcript, TranscriptDigest, digest, read};

use super::projects::Live;

/// A larger file is read record by record, and its findings are not shown unopened.
const LARGEST_SHOWN: u64 = 64 << 20;

/// One transcript file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its address.
    pub uri: Uri,
    /// The file.
    pub path: Option<PathBuf>,
    /// Its text, when it is open.
    pub open: Option<Document>,
    /// How its records lie.
    pub layout: Layout,
}

/// A transcript read out of a source.
#[derive(Debug)]
pub struct Read<'a> {
    /// Which record of the file it is.
    pub ordinal: usize,
    /// The line it starts on, from 1.
    pub line: usize,
    /// The record's text.
    pub record: &'a str,
    /// The transcript.
    pub transcript: Transcript,
    /// Its digest.
    pub digest: TranscriptDigest,
}

impl Source {
    /// Hands out the wanted transcripts, in order, until `take` says stop. What
    /// cannot be read is passed over: `check` says what is wrong with it.
    pub fn each(
        &self,
        limits: &Limits,
        wanted: impl Fn(usize) -> bool,
        mut take: impl FnMut(Read<'_>) -> bool,
    ) {
        let mut one = |ordinal: usize, line: usize, record: &str| {
            let read = || transcript(ordinal, record, limits.depth).map(|r| Read { line, ..r });
            !wanted(ordinal) || read().is_none_or(&mut take)
        };
        match (&self.open, &self.path) {
            (Some(document), _) => in_document(document, self.layout, &mut one),
            (None, Some(path)) if self.layout == Layout::Document => {
                if let Ok(text) = disk::read_document(path, limits) {
                    in_document(&Document::new(&text), self.layout, &mut one);
                }
            }
            (None, Some(path)) => {
                let Ok(mut blocks) = Blocks::open(path, limits) else { return };
                let (mut ordinal, mut goes_on, mut buffer) = (0, true, Vec::new());
                while goes_on {
                    let Ok(Some(block)) = blocks.next(buffer) else { return };
                    block.read(|record| {
                        let wants_more = |text: &str| one(ordinal, record.line, text);
                        goes_on = goes_on && record.text.map_or(true, wants_more);
                        ordinal += 1;
                    });
                    buffer = block.into_bytes();
                }
            }
            (None, None) => {}
        }
    }

    /// The batch of its transcripts that name none, when there are so many of them.
    #[must_use]
    pub fn batch(&self, live: &Live, transcripts: usize) -> Option<String> {
        let single = self.layout == Layout::Document && transcripts == 1;
        batch::of_file(live.project.root.as_ref()?, self.path.as_ref()?, single)
    }

    /// The whole text, to show findings in; `None` for a file that is open, too
    /// large, or unreadable.
    #[must_use]
    pub fn text_to_show(&self, limits: &Limits) -> Option<String> {
        let path = self.path.as_ref().filter(|_| self.open.is_none())?;
        let fits = std::fs::metadata(path).is_ok_and(|m| m.len() <= LARGEST_SHOWN);
        fits.then(|| disk::read_document(path, limits).ok())?
    }
}

fn in_document(
    document: &Document,
    layout: Layout,
    one: &mut dyn FnMut(usize, usize, &str) -> bool,
) {
    let records = Records::open(document, layout, |_| ());
    for (ordinal, slot) in records.slots().iter().enumerate() {
        if !one(ordinal, slot.first_line() + 1, &document.slice(slot.span())) {
            return;
        }
    }
}

fn transcript(ordinal: usize, record: &str, depth: usize) -> Option<Read<'_>> {
    let json = json::parse(record, depth);
    let transcript = read::read(record, &json).transcript.ok()?;
    let digest = digest::of(record, &transcript);
    (!transcript.messages.is_empty()).then_some(Read {
        ordinal,
        line: 0,
        record,
        transcript,
        digest,
    })
}
