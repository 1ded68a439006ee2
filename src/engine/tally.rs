//! Counts outcomes as they come in: when a criterion is settled, when a
//! transcript is done.
//!
//! Invariant: every (transcript, judge, criterion) that is expected is settled
//! exactly once, with the worst of its samples; a transcript is done exactly
//! once, with all its judges.

use std::collections::HashMap;

use crate::assessment::{JudgeOutcomes, Mark, Outcome};

/// Which outcome: indices into the run's transcripts, judges and criteria.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub(super) transcript: usize,
    pub(super) judge: usize,
    pub(super) criterion: usize,
}

/// One outcome as it came in.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) outcome: Outcome,
    /// No call was made for it.
    pub(super) cached: bool,
}

/// What follows from one more outcome.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The criterion's outcome, when this was its last sample.
    pub(super) criterion: Option<Heard>,
    /// Every judge's outcomes, when this was the transcript's last.
    pub(super) transcript: Option<Vec<JudgeOutcomes>>,
}

/// The outcomes of a run that are still coming in.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Samples that are still missing, and the worst so far.
    open: HashMap<Slot, (u32, Option<Heard>)>,
    /// Criteria that are still missing, and what is known.
    transcripts: HashMap<usize, (usize, Vec<JudgeOutcomes>)>,
}

impl Tally {
    /// Expects a transcript: its judges (named, without outcomes), and for each
    /// how many samples of which criteria. Answers at once when that is nothing.
    pub(super) fn expect(
        &mut self,
        transcript: usize,
        judges: Vec<(JudgeOutcomes, u32)>,
        criteria: &[usize],
    ) -> Option<Vec<JudgeOutcomes>> {
        let missing = judges.len() * criteria.len();
        for (judge, (_, samples)) in judges.iter().enumerate() {
            for &criterion in criteria {
                self.open.insert(Slot { transcript, judge, criterion }, (*samples, None));
            }
        }
        let judges: Vec<JudgeOutcomes> = judges.into_iter().map(|(judge, _)| judge).collect();
        if missing == 0 {
            return Some(judges);
        }
        self.transcripts.insert(transcript, (missing, judges));
        None
    }

    /// Counts one sample. A slot that is settled already stays as it is.
    pub(super) fn hear(&mut self, slot: Slot, id: &str, heard: Heard) -> Settled {
        let Some((missing, worst)) = self.open.get_mut(&slot) else { return Settled::default() };
        *worst = Some(match worst.take() {
            Some(before) => worse(before, heard),
            None => heard,
        });
        *missing -= 1;
        if *missing > 0 {
            return Settled::default();
        }
        let criterion = self.open.remove(&slot).and_then(|(_, worst)| worst);
        let transcript = criterion.as_ref().and_then(|heard| self.settle(slot, id, heard));
        Settled { criterion, transcript }
    }

    /// What is still missing, for a run that ends early.
    pub(super) fn missing(&self) -> Vec<(Slot, u32)> {
        let mut missing: Vec<(Slot, u32)> =
            self.open.iter().map(|(slot, (samples, _))| (*slot, *samples)).collect();
        missing.sort_by_key(|(s, _)| (s.transcript, s.judge, s.criterion));
        missing
    }

    fn settle(&mut self, slot: Slot, id: &str, heard: &Heard) -> Option<Vec<JudgeOutcomes>> {
        let (missing, judges) = self.transcripts.get_mut(&slot.transcript)?;
        let judge = judges.get_mut(slot.judge)?;
        judge.outcomes.insert(id.to_owned(), heard.outcome.clone());
        judge.cached &= heard.cached;
        *missing -= 1;
        let done = *missing == 0;
        done.then(|| self.transcripts.remove(&slot.transcript).map(|(_, judges)| judges))?
    }
}

/// Of two samples the worse one; a call for either is a call.
fn worse(a: Heard, b: Heard) -> Heard {
    let cached = a.cached && b.cached;
    let first = Mark::of(Some(&a.outcome)) >= Mark::of(Some(&b.outcome));
    Heard { outcome: if first { a.outcome } else { b.outcome }, cached }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::answered;
    use crate::rubric::Verdict;

    fn heard(verdict: Verdict, cached: bool) -> Heard {
        Heard { outcome: answered(verdict), cached }
    }

    fn judge(name: &str) -> JudgeOutcomes {
        JudgeOutcomes { judge: name.into(), cached: true, ..JudgeOutcomes::default() }
    }

    #[test]
    fn the_worst_sample_settles_and_the_last_criterion_is_the_transcript() {
        let mut tally = Tally::default();
        let judges = vec![(judge("a"), 2), (judge("b"), 1)];
        assert!(tally.expect(0, judges, &[5]).is_none());
        let slot = |judge| Slot { transcript: 0, judge, criterion: 5 };
        assert!(tally.hear(slot(0), "A", heard(Verdict::No, true)).criterion.is_none());
        assert_eq!(tally.missing(), [(slot(0), 1), (slot(1), 1)]);
        let second = tally.hear(slot(0), "A", heard(Verdict::Yes, false));
        assert_eq!(second.criterion.map(|h| h.outcome), Some(answered(Verdict::No)));
        assert!(second.transcript.is_none());
        let judges = tally.hear(slot(1), "A", heard(Verdict::Yes, true)).transcript.unwrap();
        assert_eq!(judges.iter().map(|j| j.cached).collect::<Vec<_>>(), [false, true]);
        assert!(tally.hear(slot(1), "A", heard(Verdict::No, true)).criterion.is_none());
    }

    #[test]
    fn a_transcript_without_questions_is_done_at_once() {
        assert!(Tally::default().expect(0, vec![(judge("a"), 1)], &[]).is_some());
        assert!(Tally::default().expect(0, Vec::new(), &[1]).is_some());
    }
}
