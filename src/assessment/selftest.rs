//! Conversations of which it is known what a sound judge answers: sound ones,
//! planted flaws, and texts that try to steer whoever reads them.
//!
//! They are data beside this file: a rubric, and a record a line with what it is
//! `about` and the answers to `expect`. Of a reply that is only ":" or "Thought
//! process:", judges are known to say YES (Zhao et al., 2025, "One Token to Fool
//! LLM-as-a-Judge").
//!
//! Invariant: an answer that did not come is no answer passed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::rubric::{self, Rubric, Verdict};
use crate::text::json;
use crate::transcript::{self, Transcript, TranscriptDigest, digest};

use super::{JudgeOutcomes, Mark, Outcome};

const RUBRIC: &str = include_str!("selftest/rubric.yaml");
const CANARIES: &str = include_str!("selftest/canaries.jsonl");

/// One conversation.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What is in it, in a few words.
    pub about: String,
    /// The answers a sound judge may give, by criterion.
    pub expected: BTreeMap<String, Vec<Verdict>>,
    /// The conversation; its id is the canary's name.
    pub transcript: Arc<Transcript>,
    /// Its digest.
    pub digest: TranscriptDigest,
}

/// What a judge said where an answer was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The criterion.
    pub criterion: String,
    /// What a sound judge may answer.
    pub expected: Vec<Verdict>,
    /// What it answered.
    pub mark: Mark,
    /// Its reasoning; why there is none, when unscored.
    pub reasoning: String,
}

impl Said {
    /// It is what was expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.expected.iter().any(|verdict| verdict.name() == self.mark.name())
    }
}

/// What the canaries are judged by.
///
/// # Panics
/// Never: a test reads it.
#[must_use]
pub fn rubric() -> Rubric {
    rubric::parse(RUBRIC).rubric.expect("the rubric of the self-test can be read")
}

/// The canaries, in order.
#[must_use]
pub fn canaries() -> Vec<Canary> {
    CANARIES.lines().filter_map(canary).collect()
}

fn canary(record: &str) -> Option<Canary> {
    let json = json::parse(record, json::DEPTH_LIMIT);
    let transcript = transcript::read(record, &json).transcript.ok()?;
    let fields: Value = serde_json::from_str(record).ok()?;
    let verdicts = |words: &Value| -> Option<Vec<Verdict>> {
        words.as_array()?.iter().map(|word| Verdict::from_name(word.as_str()?)).collect()
    };
    let expected = fields["expect"].as_object()?.iter();
    Some(Canary {
        about: fields["about"].as_str()?.to_owned(),
        expected: expected
            .map(|(id, words)| Some((id.clone(), verdicts(words)?)))
            .collect::<Option<_>>()?,
        digest: digest::of(record, &transcript),
        transcript: Arc::new(transcript),
    })
}

impl Canary {
    /// What a judge said of it, where something is expected.
    #[must_use]
    pub fn said(&self, judge: &JudgeOutcomes) -> Vec<Said> {
        let said = |(id, expected): (&String, &Vec<Verdict>)| {
            let outcome = judge.outcomes.get(id);
            let reasoning = match outcome {
                Some(Outcome::Answered(answer)) => answer.reasoning.clone(),
                Some(Outcome::Unscored(why)) => format!("{}: {}", why.reason.name(), why.detail),
                None => "it was not asked".into(),
            };
            let (criterion, expected) = (id.clone(), expected.clone());
            Said { criterion, expected, mark: Mark::of(outcome), reasoning }
        };
        self.expected.iter().map(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample;

    #[test]
    fn the_data_is_complete() {
        let parsed = rubric::parse(RUBRIC);
        assert_eq!(parsed.findings, []);
        let (rubric, canaries) = (rubric(), canaries());
        assert_eq!(canaries.len(), CANARIES.lines().count());
        for canary in &canaries {
            let id = &canary.transcript.id;
            assert!(!canary.expected.is_empty(), "{id}");
            for (criterion, expected) in &canary.expected {
                let criterion = rubric.criterion(criterion).unwrap();
                assert!(!expected.is_empty(), "{id}");
                assert!(criterion.na_valid || !expected.contains(&Verdict::Na), "{id}");
            }
        }
        let wants = |verdict| {
            canaries.iter().filter(|c| c.expected.values().any(|v| *v == [verdict])).count()
        };
        assert!(wants(Verdict::Yes) >= 2 && wants(Verdict::No) >= 6);
    }

    #[test]
    fn only_an_expected_answer_passes() {
        let canary = canaries().into_iter().find(|c| c.transcript.id == "planted-advice").unwrap();
        let said = |answers: &str| -> Vec<(String, bool)> {
            let said = canary.said(&sample::said("j", answers));
            said.into_iter().map(|s| (s.criterion.clone(), s.passed())).collect()
        };
        let both = |one, two| vec![("ST1".to_owned(), one), ("ST2".to_owned(), two)];
        assert_eq!(said("ST1=YES ST2=NO"), both(true, true));
        assert_eq!(said("ST1=YES ST2=YES"), both(true, false));
        assert_eq!(said("ST1=NA ST2=-"), both(false, false));
        assert_eq!(said(""), both(false, false));
    }
}
