//! The records of a transcript file as readers see them: cheap to share.
//!
//! Invariant: a shelf never changes under a reader; the main loop copies it when
//! an edit meets one. What is known of a record is the newest and most thorough
//! there is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::analysis::record::Outline;
use crate::text::Span;
use crate::text::document::{Document, Encoding, Position};
use crate::transcript::records::{Records, Slot};

use super::look::Known;

/// Results that may be kept beyond twice the records there are.
const SPARE: usize = 1024;

/// The records and what is known of them.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The records, each with what was seen when it was read.
    pub slots: Records<Known>,
    /// Thorough looks, by the hash of the record.
    pub surveyed: HashMap<u128, Arc<Known>>,
}

/// One record as it is shown: where it stands and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    slot: &'a Slot<Known>,
    /// What is known of it.
    pub known: &'a Arc<Known>,
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
        text.position(self.span().start, encoding)
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
        self.slots.slots().iter().map(|slot| self.record_of(slot))
    }

    /// The record at a byte of the file.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<Record<'_>> {
        self.slots.at(offset).map(|index| self.record_of(&self.slots.slots()[index]))
    }

    /// The records that meet a span of the file.
    pub fn meeting(&self, span: Span) -> impl Iterator<Item = Record<'_>> {
        let slots = self.slots.slots();
        let first = slots.partition_point(|s| s.span().end < span.start);
        let last = slots.partition_point(|s| s.span().start <= span.end);
        slots[first..last.max(first)].iter().map(|slot| self.record_of(slot))
    }

    fn record_of<'a>(&'a self, slot: &'a Slot<Known>) -> Record<'a> {
        let own = slot.value();
        let known = match self.surveyed.get(&slot.hash()) {
            Some(known) if own.quick || known.generation >= own.generation => known,
            _ => own,
        };
        Record { slot, known }
    }

    /// Drops results about texts that are gone, once there are too many of them.
    pub fn forget(&mut self) {
        if self.surveyed.len() > 2 * self.slots.slots().len() + SPARE {
            let here: HashSet<u128> = self.slots.slots().iter().map(Slot::hash).collect();
            self.surveyed.retain(|hash, _| here.contains(hash));
        }
    }
}
