//! What the first look at all records comes to.
//!
//! Invariant: of places only the first, or the worst, few are kept, whatever the
//! number of records.

use super::habits::Tally;
use super::look::First;
use super::mix::Mix;
use crate::text::Span;

/// Places that a flag names.
const INSTANCES: usize = 20;

/// What the first look found; `P` is a place.
#[derive(Clone, Debug)]
pub struct Found<P> {
    /// What adds up.
    pub tally: Tally,
    /// What the records say of how they were made.
    pub mix: Mix,
    /// Records that are no transcript.
    pub unread: usize,
    /// For each phrase asked for: replies that have it, and where.
    pub phrases: Vec<(usize, Vec<P>)>,
    /// The replies longest for what was asked, by their ratio.
    pub longest: Vec<(f64, P)>,
    /// Transcripts cut after one pattern.
    pub rigid: Vec<P>,
    /// Late replies that praise.
    pub praise: Vec<P>,
}

impl<P: Clone> Found<P> {
    /// Nothing yet, of so many phrases asked for.
    #[must_use]
    pub fn new(phrases: usize) -> Self {
        Self {
            tally: Tally::default(),
            mix: Mix::default(),
            unread: 0,
            phrases: vec![(0, Vec::new()); phrases],
            longest: Vec::new(),
            rigid: Vec::new(),
            praise: Vec::new(),
        }
    }

    /// Takes in a record; `at` makes a place of a span of it and an exchange.
    pub fn take(&mut self, first: &First, at: impl Fn(Span, Option<u32>) -> P) {
        self.tally.merge(&first.tally);
        self.mix.merge(&first.mix);
        for (index, span, exchange) in &first.phrases {
            let (count, instances) = &mut self.phrases[*index];
            *count += 1;
            if instances.len() < INSTANCES {
                instances.push(at(*span, Some(*exchange)));
            }
        }
        if let Some((ratio, span, exchange)) = first.longest {
            let rank = self.longest.partition_point(|(r, _)| *r >= ratio);
            if rank < INSTANCES {
                self.longest.insert(rank, (ratio, at(span, Some(exchange))));
                self.longest.truncate(INSTANCES);
            }
        }
        if let Some((span, exchange)) = first.late_praise.filter(|_| self.praise.len() < INSTANCES)
        {
            self.praise.push(at(span, Some(exchange)));
        }
        if let Some(span) = first.rigid.filter(|_| self.rigid.len() < INSTANCES) {
            self.rigid.push(at(span, None));
        }
    }
}
