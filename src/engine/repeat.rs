//! Which questions a judge with `repeat` is asked more than once: the gates of
//! every transcript, and everything about a transcript whose score after the
//! first answers lies within `assess.borderline` of the threshold.
//!
//! Invariant: whether a transcript is borderline follows from the first answers
//! and the checks alone, so a run, a plan and a recall agree, whatever came when.

use std::collections::BTreeMap;

use crate::assessment::{JudgeOutcomes, Outcome, score};

use super::prepared::{Prepared, samples};

/// The margin's slack, so that 0.85 is within 0.05 of 0.8.
const SLACK: f64 = 1e-9;

/// When a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Everything once, the gates as often as `repeat` says.
    First,
    /// The further samples of everything else, where it is borderline.
    Rest,
}

impl Prepared {
    /// What a round asks about a transcript: by sample, the questions.
    pub(super) fn round(
        &self,
        judge: usize,
        transcript: usize,
        round: Round,
    ) -> Vec<(u32, Vec<usize>)> {
        let questions = &self.subjects[transcript].questions;
        let (gates, others): (Vec<usize>, Vec<usize>) =
            questions.iter().partition(|&&criterion| self.criterion(criterion).gate);
        let again = if round == Round::First { gates } else { others };
        let first = (round == Round::First).then(|| (0, questions.clone()));
        let again = (1..samples(&self.job.judges[judge])).map(|sample| (sample, again.clone()));
        first.into_iter().chain(again).filter(|(_, asked)| !asked.is_empty()).collect()
    }

    /// Whether a judge's first answers leave it open on which side of the threshold
    /// the transcript belongs. What is incomplete or gated is not.
    pub(super) fn is_borderline(
        &self,
        transcript: usize,
        firsts: &BTreeMap<usize, Outcome>,
    ) -> bool {
        let subject = &self.subjects[transcript];
        let named =
            firsts.iter().map(|(c, outcome)| (self.criterion(*c).id.clone(), outcome.clone()));
        let said = JudgeOutcomes { outcomes: named.collect(), ..JudgeOutcomes::default() };
        let exchanges = subject.transcript.complete_exchanges();
        let rubric = &self.job.rubric;
        let card = score::score(rubric, exchanges, &subject.checks, &said);
        let margin = self.job.settings.borderline + SLACK;
        firsts.values().all(|outcome| outcome.answer().is_some())
            && card.failed_safety.is_empty()
            && card.score.is_some_and(|score| (score - rubric.pass_threshold).abs() <= margin)
    }

    /// Whether the further samples of a transcript are asked for, by the first
    /// answers that are known; `None` where they are not all known.
    pub(super) fn is_repeated(
        &self,
        judge: usize,
        transcript: usize,
        known: impl Fn(usize) -> Option<Outcome>,
    ) -> Option<bool> {
        if samples(&self.job.judges[judge]) == 1 {
            return Some(false);
        }
        let questions = self.subjects[transcript].questions.iter();
        let firsts: Option<BTreeMap<usize, Outcome>> =
            questions.map(|&criterion| Some((criterion, known(criterion)?))).collect();
        Some(self.is_borderline(transcript, &firsts?))
    }

    /// The most that a judge can be asked about a transcript.
    pub(super) fn at_most(
        &self,
        judge: usize,
        transcript: usize,
        known: impl Fn(usize) -> Option<Outcome>,
    ) -> Vec<(u32, Vec<usize>)> {
        let mut asked = self.round(judge, transcript, Round::First);
        if self.is_repeated(judge, transcript, known) != Some(false) {
            asked.extend(self.round(judge, transcript, Round::Rest));
        }
        asked
    }
}
