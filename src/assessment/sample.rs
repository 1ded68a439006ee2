//! Small rubrics, transcripts and answers for tests of everything that judges.
//!
//! Invariant: a sample is complete and valid, so a test states only what it is
//! about. Deliberately absent: parsing; these are plain values.

use std::collections::BTreeMap;

use crate::rubric::check::{Ascii, Check, Rule, Who};
use crate::rubric::{Ask, Category, Criterion, FixPolicy, Rubric, Subjectivity, Verdict};
use crate::text::Span;
use crate::transcript::Transcript;

use super::{Answer, JudgeOutcomes, Outcome, Unscored, UnscoredReason};

/// A rubric of one category of weight 1 that passes at 0.8, from 1 exchange on.
pub fn rubric(criteria: Vec<Criterion>) -> Rubric {
    Rubric {
        name: "Sample".into(),
        pass_threshold: 0.8,
        min_exchanges: 1,
        categories: vec![category("all", 1.0)],
        criteria,
    }
}

/// A category.
pub fn category(id: &str, weight: f64) -> Category {
    Category { id: id.into(), weight, source: Span::default() }
}

/// A question of the first category.
pub fn criterion(id: &str) -> Criterion {
    Criterion {
        id: id.into(),
        source: Span::default(),
        name: format!("Name of {id}"),
        ask: Ask::Question(format!("Is {id} so?")),
        category: Some(0),
        gate: false,
        guidance: None,
        na_valid: false,
        min_turns: 1,
        subjectivity: Subjectivity::Low,
        fix: FixPolicy::Rewrite,
        statistics: Vec::new(),
        examples: Vec::new(),
    }
}

impl Criterion {
    /// The same as a safety gate.
    pub fn gate(mut self) -> Self {
        self.gate = true;
        self
    }

    /// The same with NA as a valid answer.
    pub fn na_valid(mut self) -> Self {
        self.na_valid = true;
        self
    }

    /// The same in another category.
    pub fn in_category(mut self, index: usize) -> Self {
        self.category = Some(index);
        self
    }

    /// The same as a computed check.
    pub fn computed(mut self) -> Self {
        let rule = Rule::Ascii(Ascii { role: Who::Assistant, allow: String::new() });
        self.ask = Ask::Check(Check::new(rule).expect("nothing to compile"));
        self
    }
}

/// An answer without evidence.
pub fn answered(verdict: Verdict) -> Outcome {
    Outcome::Answered(Answer { verdict, reasoning: "so it is".into(), evidence: Vec::new() })
}

/// What a judge said, written `A=YES B=NO C=-` (`-` is unscored).
pub fn said(judge: &str, answers: &str) -> JudgeOutcomes {
    let outcome = |word: &str| match Verdict::from_name(word) {
        Some(verdict) => answered(verdict),
        None => Unscored::new(UnscoredReason::TimedOut, "no reply in 2 s").into(),
    };
    let pairs = answers.split_whitespace().filter_map(|pair| pair.split_once('='));
    let outcomes: BTreeMap<String, Outcome> =
        pairs.map(|(id, word)| (id.to_owned(), outcome(word))).collect();
    JudgeOutcomes { judge: judge.into(), outcomes, cached: false, recorded: false }
}

/// A transcript of so many complete exchanges.
pub fn transcript(exchanges: usize) -> Transcript {
    let texts: Vec<String> = (1..=exchanges)
        .flat_map(|n| [format!("user: Question {n}?"), format!("assistant: Answer {n}.")])
        .collect();
    conversation(&texts.iter().map(String::as_str).collect::<Vec<_>>()).0
}

/// A transcript, and its record, from lines that read `role: text`.
pub fn conversation(lines: &[&str]) -> (Transcript, String) {
    let (record, transcript) = crate::testing::transcript(&lines.join("\n"));
    (transcript, record)
}
