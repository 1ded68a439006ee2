//! Counts outcomes as they come in: when a criterion is settled, when a
//! transcript is done, and how often a judge changed its mind.
//!
//! Invariant: every (transcript, judge, criterion) that is expected is settled
//! exactly once, with the worst of its samples; a transcript is done exactly
//! once, with all its judges. A sample that is heard twice counts once.

use std::collections::{BTreeMap, HashMap};

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
    /// Which asking, from 0.
    pub(super) sample: u32,
}

/// How often a judge was asked the same again, and answered otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flips {
    /// Questions with more than one answer.
    pub repeated: usize,
    /// Of those, the ones whose answers differ.
    pub flipped: usize,
}

/// What follows from one more outcome.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The criterion's outcome, when this was its last sample.
    pub(super) criterion: Option<Heard>,
    /// Every judge's outcomes, when this was the transcript's last.
    pub(super) transcript: Option<Vec<JudgeOutcomes>>,
    /// The first answer to every criterion (by index), when this was the last of
    /// them and more samples of some are expected.
    pub(super) firsts: Option<BTreeMap<usize, Outcome>>,
}

/// The outcomes of a run that are still coming in.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What was heard of each sample.
    open: HashMap<Slot, Vec<Option<Heard>>>,
    /// First answers by transcript and judge, until all are there.
    firsts: HashMap<(usize, usize), (usize, BTreeMap<usize, Outcome>)>,
    /// Criteria that are still missing, and what is known.
    transcripts: HashMap<usize, (usize, Vec<JudgeOutcomes>)>,
    flips: HashMap<usize, Flips>,
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
                let samples = (0..*samples).map(|_| None).collect();
                self.open.insert(Slot { transcript, judge, criterion }, samples);
            }
            if *samples > 1 {
                self.firsts.insert((transcript, judge), (criteria.len(), BTreeMap::new()));
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
        let Some(samples) = self.open.get_mut(&slot) else { return Settled::default() };
        let Some(place) = samples.get_mut(heard.sample as usize) else { return Settled::default() };
        let first = (heard.sample == 0 && place.is_none()).then(|| heard.outcome.clone());
        place.get_or_insert(heard);
        let complete = samples.iter().all(Option::is_some);
        let firsts = first.and_then(|outcome| self.note_first(slot, outcome));
        let settled = if complete { self.enough(slot, id) } else { Settled::default() };
        Settled { firsts, ..settled }
    }

    fn note_first(&mut self, slot: Slot, outcome: Outcome) -> Option<BTreeMap<usize, Outcome>> {
        let key = (slot.transcript, slot.judge);
        let (wanted, firsts) = self.firsts.get_mut(&key)?;
        firsts.insert(slot.criterion, outcome);
        let all = firsts.len() == *wanted;
        all.then(|| self.firsts.remove(&key).map(|(_, firsts)| firsts))?
    }

    /// Settles a slot with the samples there are, if there are any.
    pub(super) fn enough(&mut self, slot: Slot, id: &str) -> Settled {
        let heard: Vec<Heard> = match self.open.get(&slot) {
            Some(samples) => samples.iter().flatten().cloned().collect(),
            None => Vec::new(),
        };
        self.note_flips(slot.judge, &heard);
        let Some(worst) = heard.into_iter().reduce(worse) else { return Settled::default() };
        self.open.remove(&slot);
        let transcript = self.settle(slot, id, &worst);
        Settled { criterion: Some(worst), transcript, firsts: None }
    }

    /// Whether a slot is not settled yet.
    pub(super) fn is_open(&self, slot: Slot) -> bool {
        self.open.contains_key(&slot)
    }

    /// How often this judge changed its mind so far.
    pub(super) fn flips(&self, judge: usize) -> Flips {
        self.flips.get(&judge).copied().unwrap_or_default()
    }

    /// The samples that are still missing, for a run that ends early.
    pub(super) fn missing(&self) -> Vec<(Slot, u32)> {
        let mut missing: Vec<(Slot, u32)> = Vec::new();
        for (slot, samples) in &self.open {
            let unheard = (0..).zip(samples).filter(|(_, heard)| heard.is_none());
            missing.extend(unheard.map(|(sample, _)| (*slot, sample)));
        }
        missing.sort_by_key(|(s, sample)| (s.transcript, s.judge, s.criterion, *sample));
        missing
    }

    fn note_flips(&mut self, judge: usize, heard: &[Heard]) {
        let mut verdicts = heard.iter().filter_map(|h| Some(h.outcome.answer()?.verdict));
        let Some(first) = verdicts.next() else { return };
        let others: Vec<_> = verdicts.collect();
        if !others.is_empty() {
            let flips = self.flips.entry(judge).or_default();
            flips.repeated += 1;
            flips.flipped += usize::from(others.iter().any(|verdict| *verdict != first));
        }
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
    Heard { cached, ..if first { a } else { b } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::answered;
    use crate::rubric::Verdict;

    fn heard(verdict: Verdict, cached: bool, sample: u32) -> Heard {
        Heard { outcome: answered(verdict), cached, sample }
    }

    fn judge(name: &str) -> JudgeOutcomes {
        JudgeOutcomes { judge: name.into(), cached: true, ..JudgeOutcomes::default() }
    }

    fn slot(judge: usize, criterion: usize) -> Slot {
        Slot { transcript: 0, judge, criterion }
    }

    #[test]
    fn the_worst_sample_settles_and_the_last_criterion_is_the_transcript() {
        let mut tally = Tally::default();
        let judges = vec![(judge("a"), 2), (judge("b"), 1)];
        assert!(tally.expect(0, judges, &[5]).is_none());
        assert!(tally.hear(slot(0, 5), "A", heard(Verdict::No, true, 1)).criterion.is_none());
        assert!(tally.hear(slot(0, 5), "A", heard(Verdict::No, true, 1)).criterion.is_none());
        assert_eq!(tally.missing(), [(slot(0, 5), 0), (slot(1, 5), 0)]);
        let second = tally.hear(slot(0, 5), "A", heard(Verdict::Yes, false, 0));
        assert_eq!(second.criterion.map(|h| h.outcome), Some(answered(Verdict::No)));
        assert!(second.transcript.is_none());
        assert_eq!(tally.flips(0), Flips { repeated: 1, flipped: 1 });
        let judges = tally.hear(slot(1, 5), "A", heard(Verdict::Yes, true, 0)).transcript.unwrap();
        assert_eq!(judges.iter().map(|j| j.cached).collect::<Vec<_>>(), [false, true]);
        assert!(tally.hear(slot(1, 5), "A", heard(Verdict::No, true, 0)).criterion.is_none());
        assert_eq!(tally.flips(1), Flips::default());
    }

    #[test]
    fn first_answers_are_told_when_all_are_there_and_may_be_enough() {
        let mut tally = Tally::default();
        tally.expect(0, vec![(judge("a"), 3)], &[1, 2]);
        assert!(tally.hear(slot(0, 1), "A", heard(Verdict::Yes, false, 0)).firsts.is_none());
        assert!(tally.hear(slot(0, 1), "A", heard(Verdict::Yes, false, 2)).firsts.is_none());
        let firsts = tally.hear(slot(0, 2), "B", heard(Verdict::No, false, 0)).firsts.unwrap();
        assert_eq!((firsts.len(), &firsts[&2]), (2, &answered(Verdict::No)));
        let settled = tally.enough(slot(0, 2), "B");
        assert!(settled.criterion.is_some() && settled.transcript.is_none());
        assert!(!tally.is_open(slot(0, 2)) && tally.is_open(slot(0, 1)));
        assert!(tally.hear(slot(0, 1), "A", heard(Verdict::Yes, false, 1)).transcript.is_some());
        assert_eq!(tally.flips(0), Flips { repeated: 1, flipped: 0 });
    }

    #[test]
    fn a_transcript_without_questions_is_done_at_once() {
        assert!(Tally::default().expect(0, vec![(judge("a"), 1)], &[]).is_some());
        assert!(Tally::default().expect(0, Vec::new(), &[1]).is_some());
    }
}
