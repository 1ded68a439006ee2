//! Small rubrics, transcripts and answers for tests of everything that judges.
//!
//! Invariant: a sample is complete and valid, so a test states only what it is
//! about. Deliberately absent: parsing; these are plain values.

use std::collections::BTreeMap;

use crate::rubric::{Ask, Category, Criterion, FixPolicy, Rubric, Subjectivity, Verdict};
use crate::text::Span;
use crate::transcript::{Exchange, Message, Role, Shape, TextPart, Transcript};

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
        self.ask = Ask::Check(crate::rubric::check::Check);
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
    let mut record = String::from(r#"{"messages":["#);
    let mut messages: Vec<Message> = Vec::new();
    for line in lines {
        let (role, text) = line.split_once(": ").expect("a line reads `role: text`");
        if !messages.is_empty() {
            record.push(',');
        }
        let start = record.len();
        record.push_str(&format!(r#"{{"role":"{role}","content":""#));
        let inner = record.len();
        record.push_str(&crate::text::escape::encode(text, Default::default()));
        let source = Span::new(inner, record.len());
        record.push_str("\"}");
        messages.push(message(role, text, source, Span::new(start, record.len())));
    }
    record.push_str("]}");
    let exchanges = exchanges(&messages);
    let transcript = Transcript {
        shape: Shape::Messages,
        id: "t1".into(),
        id_source: None,
        batch: None,
        messages,
        rejected: Vec::new(),
        exchanges,
    };
    (transcript, record)
}

fn message(role: &str, text: &str, text_source: Span, source: Span) -> Message {
    let roles = [Role::System, Role::User, Role::Assistant, Role::Tool];
    Message {
        role: roles.into_iter().find(|r| r.name() == role).unwrap_or(Role::Unknown),
        role_source: None,
        source,
        text: text.into(),
        parts: vec![TextPart { source: text_source, decoded: Span::new(0, text.len()) }],
        other_parts: Vec::new(),
        tool_calls: Vec::new(),
        tool_call_id: None,
        untrained: false,
        key: 0,
    }
}

fn exchanges(messages: &[Message]) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        match (message.role, exchanges.last_mut()) {
            (Role::System, _) => {}
            (Role::User, Some(open)) if open.rest.is_empty() => open.user.push(i),
            (Role::User, _) => {
                let number = exchanges.len() as u32 + 1;
                exchanges.push(Exchange { number, user: vec![i], rest: Vec::new() });
            }
            (_, Some(open)) => open.rest.push(i),
            (_, None) => {}
        }
    }
    exchanges
}
