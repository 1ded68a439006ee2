//! An open transcript file: its records and what is known of each.
//!
//! Invariant: what is kept of a record counts from the record's start, so an
//! edit elsewhere costs nothing but an addition when it is shown. A record is
//! known from a glance at once, and thoroughly as soon as a survey got there.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::Uri;

use crate::text::document::{Document, Encoding, Replaced};
use crate::transcript::TranscriptDigest;
use crate::transcript::records::{Layout, Records, Touched};

use super::drafts::{Arrival, Drafts};
use super::file_side::FileSide;
use super::judged::Judged;
use super::judgements::Judgements;
use super::ledger::Ledger;
use super::look::{Found, Known, Lens, Survey};
use super::panel::Panel;
use super::projects::Live;
use super::shelf::{Record, Shelf};

/// Bytes read in one turn of a big file: a few milliseconds of work.
const SLICE: usize = 2 << 20;

/// How long one turn of looking at judged sides may take.
const TURN: Duration = Duration::from_millis(4);

/// The records of a transcript file.
#[derive(Debug)]
pub struct Transcripts {
    shelf: Arc<Shelf>,
    lens: Lens,
    /// The survey under way.
    survey: Option<Arc<AtomicBool>>,
    /// Findings about the file as a whole.
    file: FileSide,
    /// Records whose judged side has to be looked at again.
    due: BTreeSet<usize>,
    /// Some records were only glanced at since the last survey began.
    glanced: bool,
    /// All records were looked at thoroughly since they came.
    is_thorough: bool,
    /// What is told of each.
    ledger: Ledger,
}

impl Transcripts {
    /// A file nothing is read of yet.
    #[must_use]
    pub fn new(layout: Layout, live: &Live, encoding: Encoding) -> Self {
        Self {
            shelf: Arc::new(Shelf { slots: Records::unread(layout), judged: Vec::new() }),
            file: FileSide::default(),
            due: BTreeSet::new(),
            lens: Lens::new(live.context(), encoding, live.generation),
            survey: None,
            glanced: true,
            is_thorough: false,
            ledger: Ledger::default(),
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

    /// The records and what is told of each.
    pub fn ledger(&mut self) -> (&Shelf, &mut Ledger) {
        (&self.shelf, &mut self.ledger)
    }

    /// True when everything is known of every record: its digest too.
    #[must_use]
    pub const fn is_thorough(&self) -> bool {
        self.is_thorough
    }

    /// The side of the file as a whole.
    #[must_use]
    pub const fn file(&self) -> &FileSide {
        &self.file
    }

    /// Looks at the file as a whole again, when that is due.
    pub fn look_at_file(&mut self, text: &Document) -> bool {
        !self.has_unread() && self.file.look(&self.shelf, text, Instant::now())
    }

    /// Reads a further slice.
    pub fn read_on(&mut self, text: &Document) {
        let Self { shelf, lens, .. } = self;
        let shelf = Arc::make_mut(shelf);
        let came = shelf.slots.advance(text, SLICE, |record| lens.glance(record));
        shelf.judged.resize(shelf.slots.slots().len(), None);
        self.ledger.resize(shelf.slots.slots().len());
        self.due.extend(came);
        self.file.outdated(Instant::now());
        (self.glanced, self.is_thorough) = (true, false);
    }

    /// Follows edits; `text` is the text after them.
    pub fn edited(&mut self, text: &Document, replaced: &[Replaced]) {
        let Self { shelf, lens, .. } = self;
        let shelf = Arc::make_mut(shelf);
        let touched = shelf.slots.edited(text, replaced, |record| lens.look(record));
        self.file.follow(replaced);
        self.file.outdated(Instant::now());
        shelf.follow(&touched);
        self.ledger.follow(&touched, shelf.slots.slots().len());
        let mut came = touched.cuts.iter().flat_map(|(_, new)| new.clone());
        if came.any(|index| shelf.slots.slots()[index].value().quick) {
            (self.glanced, self.is_thorough) = (true, false);
        }
        self.due = self.due.iter().filter_map(|&index| moved(index, &touched)).collect();
        for (_, new) in &touched.cuts {
            self.due.extend(new.clone());
        }
    }

    /// True while the judged side of some record has to be looked at again.
    #[must_use]
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Something was said about these transcripts.
    pub fn heard(&mut self, digests: &HashSet<TranscriptDigest>) {
        for record in self.shelf.records() {
            if record.digest().is_some_and(|digest| digests.contains(&digest)) {
                self.due.insert(record.index);
            }
        }
    }

    /// Looks at the judged side of records again, for a few milliseconds; the fixups
    /// that arrived with what they say now.
    pub fn judge(
        &mut self,
        text: &Document,
        judgements: &Judgements,
        panel: Option<&Panel>,
        (uri, drafts): (&Uri, &Drafts),
    ) -> Vec<Arrival> {
        let (began, mut arrived) = (Instant::now(), Vec::new());
        while let Some(index) = self.due.pop_first() {
            if index < self.shelf.slots.slots().len() {
                arrived.extend(self.arrival(index, uri, drafts));
                let judged = panel.and_then(|panel| {
                    let mut judged = self.judged(text, index, judgements, panel)?;
                    drafts.note(judged.digest, panel, &mut judged.findings);
                    Some(judged)
                });
                if judged.is_some() || self.shelf.judged[index].is_some() {
                    Arc::make_mut(&mut self.shelf).judged[index] = judged.map(Arc::new);
                    self.ledger.forget(index);
                }
            }
            if began.elapsed() > TURN {
                break;
            }
        }
        arrived
    }

    fn arrival(&self, index: usize, uri: &Uri, drafts: &Drafts) -> Option<Arrival> {
        let record = self.shelf.record(index);
        let (judged, now) = record.judged.zip(record.digest())?;
        drafts.arrival(uri, &judged.id, judged.digest, now)
    }

    fn judged(
        &mut self,
        text: &Document,
        index: usize,
        judgements: &Judgements,
        panel: &Panel,
    ) -> Option<Judged> {
        let record = self.shelf.record(index);
        let digest = record.digest()?;
        // What is shown of an earlier text: its own answers, or what it showed of a still earlier one.
        let before = record.judged.and_then(|judged| match judged.digest == digest {
            true => judged.before,
            false if judgements.knows(judged.digest) => Some(judged.digest),
            false => judged.before,
        });
        let view = judgements.view(digest, before, panel);
        let asks_nobody = panel.rubric.criteria.iter().all(|c| !c.is_question());
        if view.is_empty() && !asks_nobody {
            return None;
        }
        let span = record.span();
        self.lens.sight(panel).judged(&text.slice(span), digest, before, &view)
    }

    /// Looks at everything with other settings; what is shown stays until then.
    pub fn change(&mut self, live: &Live) {
        self.lens.change(live.context(), live.generation);
        self.due.extend(0..self.shelf.slots.slots().len());
        self.ledger.forget_all();
        self.stop_survey();
        self.glanced = true;
    }

    /// Looks thoroughly, now, at the records that are wanted and were only glanced at.
    pub fn look_closely(&mut self, text: &Document, wanted: impl Fn(&Record<'_>) -> bool) {
        let quick = |record: &Record<'_>| record.known.quick && wanted(record);
        let found: Vec<_> =
            self.shelf.records().filter(quick).map(|r| (r.index, r.span())).collect();
        for (index, span) in found {
            let known = self.lens.examine(&text.slice(span));
            Arc::make_mut(&mut self.shelf).slots.set_value(index, Arc::new(known));
            self.ledger.forget(index);
            self.due.insert(index);
        }
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
            self.is_thorough = true;
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

    /// Takes up results of the survey that `cancelled` belongs to: they fit wherever
    /// the text they are about stands by now.
    pub fn surveyed(&mut self, survey: &Arc<AtomicBool>, found: Found) {
        if !self.survey.as_ref().is_some_and(|own| Arc::ptr_eq(own, survey)) {
            return;
        }
        self.lens.remember(found.memo);
        self.file.outdated(Instant::now());
        let found: HashMap<u128, Arc<Known>> = found.records.into_iter().collect();
        let shelf = Arc::make_mut(&mut self.shelf);
        for index in 0..shelf.slots.slots().len() {
            let slot = &shelf.slots.slots()[index];
            let Some(better) = found.get(&slot.hash()) else { continue };
            if slot.value().quick || better.generation >= slot.value().generation {
                shelf.slots.set_value(index, Arc::clone(better));
                self.ledger.forget(index);
                self.due.insert(index);
            }
        }
    }

    /// The survey is over.
    pub fn survey_ended(&mut self, survey: &Arc<AtomicBool>) {
        if self.survey.as_ref().is_some_and(|own| Arc::ptr_eq(own, survey)) {
            self.survey = None;
            self.is_thorough = !self.glanced;
        }
    }

    fn stop_survey(&mut self) {
        if let Some(survey) = self.survey.take() {
            survey.store(true, Ordering::Relaxed);
        }
    }
}

/// Where a record that no edit replaced is afterwards.
fn moved(index: usize, touched: &Touched) -> Option<usize> {
    let before = touched.cuts.iter().take_while(|(old, _)| old.start <= index);
    let Some((old, new)) = before.last() else { return Some(index) };
    (index >= old.end).then(|| index - old.end + new.end)
}

impl Drop for Transcripts {
    fn drop(&mut self) {
        self.stop_survey();
    }
}
