//! Looking at records: at once and cheaply when a file is opened, thoroughly in
//! the background afterwards, thoroughly at once for what is being typed.
//!
//! Invariant: what is known of a record depends on its text and the project's
//! context alone, so results of the background are kept by the hash of the text
//! and fit wherever that text stands by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::analysis::context::{Context, Families, Memo};
use crate::analysis::record::{self, RecordAnalysis};
use crate::text::Span;
use crate::text::document::{Document, Encoding};

use super::judged::Sight;
use super::panel::Panel;
use super::relative::{self, Range};

/// A bigger record is looked at thoroughly only in the background.
const FOREGROUND: usize = 1 << 20;

/// A still bigger one is not even glanced at elsewhere: nothing else waits for it.
const HUGE: usize = 8 << 20;

/// Bytes of records whose results are handed over together.
const BATCH: usize = 2 << 20;

/// What is known of one record.
#[derive(Clone, Debug)]
pub struct Known {
    /// Everything static.
    pub analysis: RecordAnalysis,
    /// Where its findings are, one a finding.
    pub ranges: Vec<Range>,
    /// Only the structure was looked at: nothing is counted, and there is no digest.
    pub quick: bool,
    /// Of the lens it was looked at with.
    pub generation: u64,
}

impl Known {
    /// Nothing yet.
    fn unseen(generation: u64) -> Self {
        let (analysis, ranges) = (RecordAnalysis::default(), Vec::new());
        Self { analysis, ranges, quick: true, generation }
    }
}

/// How records are looked at.
#[derive(Debug)]
pub struct Lens {
    /// How columns are counted.
    pub encoding: Encoding,
    /// Told apart from what it was under other settings.
    pub generation: u64,
    full: Context,
    quick: Context,
    memo: Memo,
}

impl Lens {
    /// A lens of a project.
    #[must_use]
    pub fn new(context: Context, encoding: Encoding, generation: u64) -> Self {
        let families = Families { tokens: false, checks: false, ..context.families };
        let quick = Context {
            rubric: None,
            counting: None,
            target: None,
            families,
            measures: false,
            ..context.clone()
        };
        Self { encoding, generation, full: context, quick, memo: Memo::default() }
    }

    /// The same eyes under other settings.
    pub fn change(&mut self, context: Context, generation: u64) {
        let memo = std::mem::take(&mut self.memo);
        *self = Self { memo, ..Self::new(context, self.encoding, generation) };
    }

    /// Takes up what others remember of messages, so that an edit costs one message
    /// also in a record that was never edited before.
    pub fn remember(&mut self, memo: Memo) {
        self.memo.absorb(memo);
    }

    /// What the lens looks with.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.full
    }

    /// Structure alone: what a big file shows first.
    pub fn glance(&mut self, record: &str) -> Known {
        self.with(record, true)
    }

    /// Everything, for a record that is being typed; a huge one gets a glance.
    pub fn look(&mut self, record: &str) -> Known {
        self.with(record, record.len() > FOREGROUND)
    }

    /// Everything, whatever it takes.
    pub fn examine(&mut self, record: &str) -> Known {
        self.with(record, false)
    }

    /// What the judged side of a record is looked at with.
    pub fn sight<'a>(&'a mut self, panel: &'a Panel) -> Sight<'a> {
        let Self { full, memo, encoding, .. } = self;
        Sight { panel, context: full, memo, encoding: *encoding }
    }

    fn with(&mut self, record: &str, quick: bool) -> Known {
        if quick && record.len() > HUGE {
            return Known::unseen(self.generation);
        }
        let context = if quick { &self.quick } else { &self.full };
        let analysis = record::analyse(record, context, &mut self.memo);
        let spans: Vec<Span> = analysis.findings.iter().map(|f| f.span).collect();
        let ranges = relative::ranges(record, &spans, self.encoding);
        Known { analysis, ranges, quick, generation: self.generation }
    }
}

/// What a survey found.
#[derive(Debug, Default)]
pub struct Found {
    /// What is known of records, by the hash of the record.
    pub records: Vec<(u128, Arc<Known>)>,
    /// What is remembered of their messages.
    pub memo: Memo,
}

/// A thorough look at many records, in the background.
#[derive(Debug)]
pub struct Survey {
    /// The text the records are in.
    pub text: Document,
    /// The records: the hash of each and where it stands.
    pub records: Vec<(u128, Span)>,
    /// What they are looked at with.
    pub context: Context,
    /// How columns are counted.
    pub encoding: Encoding,
    /// Of the lens.
    pub generation: u64,
    /// Set when nobody wants the results any more.
    pub cancelled: Arc<AtomicBool>,
}

impl Survey {
    /// Looks at all records and hands the results over in batches.
    pub fn run(self, mut found: impl FnMut(Found)) {
        let mut lens = Lens::new(self.context, self.encoding, self.generation);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (hash, span) in self.records {
            if self.cancelled.load(Ordering::Relaxed) {
                return;
            }
            let record = self.text.slice(span);
            batch.push((hash, Arc::new(lens.with(&record, false))));
            bytes += record.len();
            if bytes >= BATCH {
                let memo = std::mem::take(&mut lens.memo);
                found(Found { records: std::mem::take(&mut batch), memo });
                bytes = 0;
            }
        }
        found(Found { records: batch, memo: lens.memo });
    }
}
