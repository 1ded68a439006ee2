//! What critics found in an open document, at its words as they are now.
//!
//! Invariant: a place is looked for in the text at hand, never carried over an edit;
//! records that have not changed are not read again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::critiques;
use crate::finding::Finding;
use crate::review::critique;
use crate::text::document::Document;
use crate::text::{Span, json};
use crate::transcript::read;

use super::open_document::Content;
use super::shelf::{Record, Shelf};

/// A critique's finding at its words.
#[derive(Clone, Debug)]
pub struct Remark {
    /// What the critic said.
    pub of: Arc<critique::Finding>,
    /// As it is shown; its span counts from the start of the document.
    pub finding: Finding,
}

/// All of a document's.
#[derive(Debug, Default)]
pub struct Remarks {
    open: Vec<Arc<critique::Finding>>,
    /// By the hash of a record: the findings with words in it, and where.
    seen: HashMap<u128, Vec<(usize, Span)>>,
    placed: Arc<Vec<Remark>>,
}

impl Remarks {
    /// What is open about the document from now on; whether that is something else.
    pub fn take(&mut self, open: Vec<critique::Finding>) -> bool {
        let changed = self.open.iter().map(|one| &**one).ne(&open);
        if changed {
            self.open = open.into_iter().map(Arc::new).collect();
            self.seen.clear();
        }
        changed
    }

    /// Those that were placed last.
    #[must_use]
    pub const fn placed(&self) -> &Arc<Vec<Remark>> {
        &self.placed
    }

    /// Places all of them in the text as it is.
    pub fn place(&mut self, text: &Document, content: &Content, depth: usize) {
        if self.open.is_empty() && self.placed.is_empty() {
            return;
        }
        let places = match content {
            Content::Transcripts(transcripts) => self.in_shelf(text, transcripts.shelf(), depth),
            Content::Rubric(_) | Content::Settings(_) | Content::Other => {
                let text = text.text();
                let place = |(index, one): (usize, &Arc<critique::Finding>)| {
                    Some((index, critiques::in_text(&text, &one.said)?))
                };
                self.open.iter().enumerate().filter_map(place).collect()
            }
        };
        let remark = |(index, span): (usize, Span)| {
            let of = Arc::clone(&self.open[index]);
            Remark { finding: critiques::shown(&of, span), of }
        };
        self.placed = Arc::new(places.into_iter().map(remark).collect());
    }

    fn in_shelf(&mut self, text: &Document, shelf: &Shelf, depth: usize) -> Vec<(usize, Span)> {
        let mut placed = Vec::new();
        let mut seen = HashMap::new();
        for record in shelf.records() {
            let Some(outline) = record.outline() else { continue };
            let is_about =
                |one: &critique::Finding| one.transcript.as_deref() == Some(&*outline.id);
            if !self.open.iter().any(|one| is_about(one)) {
                continue;
            }
            let known = self.seen.remove(&record.hash());
            let known = known.unwrap_or_else(|| self.in_record(text, &record, &outline.id, depth));
            let by = record.span().start;
            placed.extend(known.iter().map(|(index, span)| (*index, span.shifted(by))));
            seen.insert(record.hash(), known);
        }
        self.seen = seen;
        // What is about the file as a whole stands at its beginning.
        let whole = |(_, one): &(usize, &Arc<critique::Finding>)| {
            one.transcript.is_none() && one.said.quote.trim().is_empty()
        };
        let about_all = self.open.iter().enumerate().filter(whole);
        placed.extend(about_all.map(|(index, _)| (index, Span::empty(0))));
        placed
    }

    fn in_record(
        &self,
        text: &Document,
        record: &Record<'_>,
        id: &str,
        depth: usize,
    ) -> Vec<(usize, Span)> {
        let record = text.slice(record.span());
        let Ok(transcript) = read::read(&record, &json::parse(&record, depth)).transcript else {
            return Vec::new();
        };
        let about = self.open.iter().enumerate();
        let about = about.filter(|(_, one)| one.transcript.as_deref() == Some(id));
        about
            .filter_map(|(index, one)| {
                Some((index, critiques::in_record(&record, &transcript, &one.said)?))
            })
            .collect()
    }
}
