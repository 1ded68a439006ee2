//! The records of a transcript file as readers see them: cheap to share.
//!
//! Invariant: a shelf never changes under a reader; the main loop copies it when
//! an edit meets one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::analysis::record::Outline;
use crate::text::Span;
use crate::text::document::{Document, Encoding, Position};
use crate::transcript::records::{Layout, Records, Slot, Touched};
use crate::transcript::{Role, TranscriptDigest};

use super::judged::Judged;
use super::look::Known;

/// The records and what is known of them.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The records, each with what was seen when it was read.
    pub slots: Records<Known>,
    /// What judges said, one a record.
    pub judged: Vec<Option<Arc<Judged>>>,
}

/// One record as it is shown: where it stands and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    slot: &'a Slot<Known>,
    /// Nothing is before it on its line.
    starts_line: bool,
    /// Its index.
    pub index: usize,
    /// What is known of it.
    pub known: &'a Arc<Known>,
    /// What judges said of it.
    pub judged: Option<&'a Arc<Judged>>,
}

impl Record<'_> {
    /// Its bytes in the file.
    #[must_use]
    pub fn span(&self) -> Span {
        self.slot.span()
    }

    /// The hash of its text.
    #[must_use]
    pub fn hash(&self) -> u128 {
        self.slot.hash()
    }

    /// The LSP line of its first byte.
    #[must_use]
    pub fn line(&self) -> usize {
        self.slot.first_line()
    }

    /// Where it starts, as the client counts.
    #[must_use]
    pub fn start(&self, text: &Document, encoding: Encoding) -> Position {
        if self.starts_line {
            return Position::new(u32::try_from(self.line()).unwrap_or(u32::MAX), 0);
        }
        text.position(self.span().start, encoding)
    }

    /// The digest of its transcript, when it has one with messages.
    #[must_use]
    pub fn digest(&self) -> Option<TranscriptDigest> {
        self.outline().filter(|o| !o.messages.is_empty())?.digest
    }

    /// How many of its exchanges have a reply.
    #[must_use]
    pub fn complete_exchanges(&self) -> usize {
        let messages = self.outline().map_or(&[][..], |outline| &outline.messages);
        let replies = messages.iter().filter(|m| m.role == Role::Assistant);
        let mut answered: Vec<u32> = replies.filter_map(|m| m.exchange).collect();
        answered.dedup();
        answered.len()
    }

    /// Its outline, when it is a transcript.
    #[must_use]
    pub fn outline(&self) -> Option<&Outline> {
        self.known.analysis.outline.as_ref()
    }
}

impl Shelf {
    /// The records, in order, as far as they are read.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.slots.slots().len()).map(|index| self.record(index))
    }

    /// The record at a byte of the file.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<Record<'_>> {
        self.slots.at(offset).map(|index| self.record(index))
    }

    /// The records that meet a span of the file.
    pub fn meeting(&self, span: Span) -> impl Iterator<Item = Record<'_>> {
        let slots = self.slots.slots();
        let first = slots.partition_point(|s| s.span().end < span.start);
        let last = slots.partition_point(|s| s.span().start <= span.end);
        (first..last.max(first)).map(|index| self.record(index))
    }

    /// The record with this index, which must be there.
    #[must_use]
    pub fn record(&self, index: usize) -> Record<'_> {
        let slot = &self.slots.slots()[index];
        let known = slot.value();
        let judged = self.judged.get(index).and_then(Option::as_ref);
        // Only a byte order mark, in the first record, comes before a line's record.
        let starts_line = index > 0 && self.slots.layout() == Layout::Lines;
        Record { slot, starts_line, index, known, judged }
    }

    /// Lets what judges said follow an edit: a record that took another's place
    /// keeps the other's findings until it has its own.
    pub fn follow(&mut self, touched: &Touched) {
        let mut all = std::mem::take(&mut self.judged);
        for (old, new) in touched.cuts.iter().rev() {
            let gone: Vec<_> = all.splice(old.clone(), []).collect();
            let came = self.heirs(gone, new.clone());
            all.splice(old.start..old.start, came);
        }
        all.resize(self.slots.slots().len(), None);
        self.judged = all;
    }

    /// Gives what was said of records that went to those that came: by the text,
    /// by the written id, and, where as many came as went, by the place.
    fn heirs(
        &self,
        gone: Vec<Option<Arc<Judged>>>,
        came: Range<usize>,
    ) -> Vec<Option<Arc<Judged>>> {
        let said = || gone.iter().flatten();
        let by_text: HashMap<_, _> = said().map(|judged| (judged.digest, judged)).collect();
        let by_id: HashMap<_, _> = said().map(|judged| (&*judged.id, judged)).collect();
        let same_count = gone.len() == came.len();
        let heir = |(place, index): (usize, usize)| {
            let record = self.record(index);
            let outline = record.outline()?;
            let id = outline.id_source.map(|_| &*outline.id);
            let same_text = record.digest().and_then(|digest| by_text.get(&digest));
            let inherited = same_text.or_else(|| by_id.get(id?)).copied();
            inherited.or_else(|| gone.get(place).filter(|_| same_count)?.as_ref()).cloned()
        };
        came.enumerate().map(heir).collect()
    }
}
