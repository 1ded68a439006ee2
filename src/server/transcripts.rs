//! An open transcript file: its records and what is known of each.
//!
//! Invariant: what is kept of a record counts from the record's start, so an
//! edit elsewhere costs nothing but an addition when it is shown. A record is
//! known from a glance at once, and thoroughly as soon as a survey got there.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::analysis::context::Context;
use crate::text::document::{Document, Encoding, Replaced};
use crate::transcript::records::{Layout, Records};

use super::look::{Known, Lens, Survey};
use super::projects::Live;
use super::shelf::{Record, Shelf};

/// Bytes read in one turn of a big file: a few milliseconds of work.
const SLICE: usize = 2 << 20;

/// The records of a transcript file.
#[derive(Debug)]
pub struct Transcripts {
    shelf: Arc<Shelf>,
    lens: Lens,
    /// The survey under way.
    survey: Option<Arc<AtomicBool>>,
    /// Some records were only glanced at since the last survey began.
    glanced: bool,
}

impl Transcripts {
    /// A file nothing is read of yet.
    #[must_use]
    pub fn new(layout: Layout, live: &Live, encoding: Encoding) -> Self {
        Self {
            shelf: Arc::new(Shelf { slots: Records::unread(layout), surveyed: HashMap::new() }),
            lens: Lens::new(live.context(), encoding, live.generation),
            survey: None,
            glanced: true,
        }
    }

    /// True while a part of the file is not read.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.shelf.slots.frontier().is_some()
    }

    /// The records, to be read.
    #[must_use]
    pub const fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// How columns are counted.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.lens.encoding
    }

    /// What records are looked at with.
    #[must_use]
    pub const fn context(&self) -> &Context {
        self.lens.context()
    }

    /// Reads a further slice.
    pub fn read_on(&mut self, text: &Document) {
        let Self { shelf, lens, .. } = self;
        let records = &mut Arc::make_mut(shelf).slots;
        records.advance(text, SLICE, |record| lens.glance(record));
        self.glanced = true;
    }

    /// Follows edits; `text` is the text after them.
    pub fn edited(&mut self, text: &Document, replaced: &[Replaced]) {
        let Self { shelf, lens, .. } = self;
        let records = &mut Arc::make_mut(shelf).slots;
        let touched = records.edited(text, replaced, |record| lens.look(record));
        let quick = |&i: &usize| records.slots()[i].value().quick;
        self.glanced |= touched.fresh.iter().any(quick);
    }

    /// Looks at everything with other settings; what is shown stays until then.
    pub fn change(&mut self, live: &Live) {
        self.lens.change(live.context(), live.generation);
        self.stop_survey();
        self.glanced = true;
    }

    /// True when records are known too little, the whole file is read, and no other
    /// survey is under way.
    #[must_use]
    pub fn survey_is_due(&self) -> bool {
        self.glanced && self.survey.is_none() && !self.has_unread()
    }

    /// A survey of what is known too little of, when one is due.
    pub fn survey(&mut self, text: &Document) -> Option<Survey> {
        if !self.survey_is_due() {
            return None;
        }
        self.glanced = false;
        let generation = self.lens.generation;
        let lacking = |r: &Record<'_>| r.known.quick || r.known.generation != generation;
        let records: Vec<_> =
            self.shelf.records().filter(lacking).map(|r| (r.hash(), r.span())).collect();
        if records.is_empty() {
            return None;
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        self.survey = Some(Arc::clone(&cancelled));
        Some(Survey {
            text: text.clone(),
            records,
            context: self.lens.context().clone(),
            encoding: self.lens.encoding,
            generation,
            cancelled,
        })
    }

    /// Takes up results of the survey that `cancelled` belongs to.
    pub fn surveyed(&mut self, survey: &Arc<AtomicBool>, found: Vec<(u128, Arc<Known>)>) -> bool {
        let current = self.survey.as_ref().is_some_and(|own| Arc::ptr_eq(own, survey));
        if current {
            Arc::make_mut(&mut self.shelf).surveyed.extend(found);
        }
        current
    }

    /// The survey is over.
    pub fn survey_ended(&mut self, survey: &Arc<AtomicBool>) {
        if self.survey.as_ref().is_some_and(|own| Arc::ptr_eq(own, survey)) {
            self.survey = None;
            Arc::make_mut(&mut self.shelf).forget();
        }
    }

    fn stop_survey(&mut self) {
        if let Some(survey) = self.survey.take() {
            survey.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Transcripts {
    fn drop(&mut self) {
        self.stop_survey();
    }
}
