//! Checks: criteria computed here, without a judge, while typing.
//!
//! Evaluation has two phases, so that typing stays cheap: [`Check::facts`] looks
//! at one message alone and can be memoised by `(message.key, check.key())`;
//! [`Check::judge`] adds facts up over a transcript without reading text again.
//!
//! Invariants: linear time in the text; a NO has at least one [`Spot`]; a
//! transcript without replies has nothing to object to. Deliberately absent:
//! what a rubric file calls these (see `rubric::parse`), and counting tokens.

mod ascii;
mod length;
mod openers;
mod pattern;
pub mod persona;
mod phrases;
mod questions;
mod run;
mod structure;
mod tokens;
mod units;

use std::sync::Arc;

use serde::Serialize;

pub use run::run;

use super::Verdict;
use crate::text::Span;
use crate::transcript::{Message, Role, Transcript};

/// A check that can be run.
#[derive(Clone, Debug)]
pub struct Check {
    rule: Rule,
    key: u64,
    compiled: Compiled,
}

/// What a check asks for, as the rubric says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Reply words to user words.
    LengthRatio(LengthRatio),
    /// Words per message run, by role or by the persona's style.
    WordCount(WordCount),
    /// Questions per reply.
    Questions(Questions),
    /// Share of replies that end with a question.
    QuestionEndings(ShareBounds),
    /// Forbidden or rationed phrases.
    Phrases(Phrases),
    /// Replies that begin alike.
    Openers(Openers),
    /// A regular expression, required or forbidden.
    Pattern(Pattern),
    /// The same header count in every reply.
    Structure(Structure),
    /// Nothing outside ASCII.
    Ascii(Ascii),
    /// Token counts.
    Tokens(Tokens),
}

/// `length_ratio`: words of the reply / max(1, words of the user), over all exchanges.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LengthRatio {
    /// The mean may not be above.
    pub mean_max: Option<f64>,
    /// A reply above this ratio counts as long.
    pub over: f64,
    /// The share of long replies may not be above.
    pub share_over_max: Option<f64>,
}

/// `word_count`: how many words each user turn or reply may have.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WordCount {
    /// Bounds of user messages.
    pub user: Option<Bounds>,
    /// Bounds of replies.
    pub assistant: Option<Bounds>,
    /// Bounds of user messages by the persona's style; they win over `user`.
    pub by_style: Vec<(String, Bounds)>,
    /// The share of messages that may be outside.
    pub share_outside_max: f64,
}

/// At least, at most; both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bounds {
    /// At least.
    pub min: Option<usize>,
    /// At most.
    pub max: Option<usize>,
}

/// `questions`: how many questions one reply may ask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Questions {
    /// Whose.
    pub role: Who,
    /// How many in one reply.
    pub bounds: Bounds,
    /// The share of replies that may be outside.
    pub share_outside_max: f64,
}

/// A share of replies: at least, at most; both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ShareBounds {
    /// At least.
    pub share_min: Option<f64>,
    /// At most.
    pub share_max: Option<f64>,
}

/// `phrases`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phrases {
    /// Whose text.
    pub role: Who,
    /// What to look for, on word boundaries, whatever the case.
    pub list: Vec<Phrase>,
    /// The share of replies one phrase may be in; `None`: it may not be used at all.
    pub share_max: Option<f64>,
}

/// One phrase.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phrase {
    /// The phrase.
    pub text: String,
    /// What to put instead.
    pub suggest: Option<String>,
}

/// `openers`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Openers {
    /// How many first words are compared.
    pub words: usize,
    /// The share of replies that may begin alike.
    pub share_max: f64,
}

/// `pattern`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pattern {
    /// Whose text.
    pub role: Who,
    /// The regular expression.
    pub regex: String,
    /// Every reply must match; otherwise none may.
    pub required: bool,
    /// Upper and lower case differ.
    pub case_sensitive: bool,
    /// What to put instead of a forbidden match; `$1` names a group.
    pub suggest: Option<String>,
}

/// `structure`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Structure {
    /// The same header count everywhere is a fault only above this many headers.
    pub headers_over: usize,
    /// Fewer replies than this say nothing.
    pub replies_min: usize,
}

/// `ascii`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ascii {
    /// Whose text.
    pub role: Who,
    /// Characters that are fine.
    pub allow: String,
}

/// `tokens`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tokens {
    /// What is counted.
    pub of: TokensOf,
    /// How many.
    pub bounds: Bounds,
}

/// What the `tokens` check counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokensOf {
    /// The record as rendered by the chat template.
    Record,
    /// Each reply.
    Assistant,
    /// Each user turn.
    User,
}

/// Whose text a check reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The replies.
    #[default]
    Assistant,
    /// The user's messages.
    User,
    /// Both.
    Any,
}

/// What is made once from a rule.
#[derive(Clone, Debug)]
enum Compiled {
    Nothing,
    Phrases(Arc<phrases::Finder>),
    Pattern(Arc<regex::Regex>),
}

/// What a check sees in one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageFacts {
    /// Words, where the check counts them.
    pub words: usize,
    /// What the check asks of the message holds (it ends with a question).
    pub holds: bool,
    /// Words the check may point at.
    pub hits: Vec<Hit>,
}

/// Words of one message that a check may point at.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Where, in the decoded text.
    pub span: Span,
    /// Which of the check's phrases.
    pub which: usize,
    /// What to put instead.
    pub replacement: Option<String>,
}

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The transcript.
    pub transcript: &'a Transcript,
    /// The persona's writing style, when the record names one.
    pub style: Option<&'a str>,
    /// Tokens of the record as rendered, once counted.
    pub record_tokens: Option<usize>,
    /// Tokens of each message's text, once counted.
    pub message_tokens: Option<&'a [usize]>,
}

/// What a check says about a transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// YES, NO, or NA where the check does not apply.
    pub verdict: Verdict,
    /// What was measured, with numbers.
    pub summary: String,
    /// The words that made it a NO, in order; never empty then.
    pub spots: Vec<Spot>,
}

/// Words that made a check fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// Index of the message.
    pub message: usize,
    /// Where, in its decoded text.
    pub decoded: Span,
    /// What is wrong with these words.
    pub message_text: String,
    /// What to put instead.
    pub replacement: Option<String>,
}

impl<'a> Subject<'a> {
    /// A transcript of which nothing else is known.
    #[must_use]
    pub const fn new(transcript: &'a Transcript) -> Self {
        Self { transcript, style: None, record_tokens: None, message_tokens: None }
    }
}

impl Check {
    /// Makes a rule ready to run.
    ///
    /// # Errors
    /// A sentence for the user when the rule's regular expression is broken or
    /// too large, or when there are too many phrases.
    pub fn new(rule: Rule) -> Result<Self, String> {
        let compiled = match &rule {
            Rule::Phrases(p) => Compiled::Phrases(Arc::new(phrases::Finder::new(&p.list)?)),
            Rule::Pattern(p) => Compiled::Pattern(Arc::new(pattern::compile(p)?)),
            _ => Compiled::Nothing,
        };
        let mut check = Self { rule, key: 0, compiled };
        check.key = xxhash_rust::xxh3::xxh3_64(check.canonical().as_bytes());
        Ok(check)
    }

    /// What it asks for.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// A key for memos of its facts: equal rules have equal keys.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// The rule as canonical JSON, for digests.
    #[must_use]
    pub fn canonical(&self) -> String {
        // Plain structs of numbers and strings always serialise.
        serde_json::to_string(&self.rule).unwrap_or_default()
    }

    /// Its name in the rubric.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.rule {
            Rule::LengthRatio(_) => "length_ratio",
            Rule::WordCount(_) => "word_count",
            Rule::Questions(_) => "questions",
            Rule::QuestionEndings(_) => "question_endings",
            Rule::Phrases(_) => "phrases",
            Rule::Openers(_) => "openers",
            Rule::Pattern(_) => "pattern",
            Rule::Structure(_) => "structure",
            Rule::Ascii(_) => "ascii",
            Rule::Tokens(_) => "tokens",
        }
    }

    /// First phase: what one message says. Depends on the message's role and text alone.
    #[must_use]
    pub fn facts(&self, message: &Message) -> MessageFacts {
        let text = message.text.as_str();
        let assistant = message.role == Role::Assistant;
        match (&self.rule, &self.compiled) {
            (Rule::LengthRatio(_) | Rule::WordCount(_), _) => length::facts(message),
            (Rule::Questions(r), _) if r.role.speaks(message.role) => questions::facts(text),
            (Rule::QuestionEndings(_), _) if assistant => questions::ending_facts(text),
            (Rule::Phrases(r), Compiled::Phrases(finder)) if r.role.speaks(message.role) => {
                phrases::facts(r, finder, text)
            }
            (Rule::Openers(r), _) if assistant => openers::facts(r, text),
            (Rule::Pattern(r), Compiled::Pattern(regex)) if r.role.speaks(message.role) => {
                pattern::facts(r, regex, text)
            }
            (Rule::Structure(_), _) if assistant => structure::facts(text),
            (Rule::Ascii(r), _) if r.role.speaks(message.role) => ascii::facts(r, text),
            _ => MessageFacts::default(),
        }
    }

    /// Second phase: the verdict over a transcript, `facts` being one for each of
    /// its messages. `None` only while tokens it needs are not counted yet.
    #[must_use]
    pub fn judge(&self, facts: &[Arc<MessageFacts>], subject: &Subject<'_>) -> Option<CheckResult> {
        if facts.len() != subject.transcript.messages.len() {
            debug_assert!(false, "facts of another transcript");
            return None;
        }
        let result = match &self.rule {
            Rule::LengthRatio(r) => length::judge_ratio(r, facts, subject),
            Rule::WordCount(r) => length::judge_words(r, facts, subject),
            Rule::Questions(r) => questions::judge(r, facts, subject),
            Rule::QuestionEndings(r) => questions::judge_endings(r, facts, subject),
            Rule::Phrases(r) => phrases::judge(r, facts, subject),
            Rule::Openers(r) => openers::judge(r, facts, subject),
            Rule::Pattern(r) => pattern::judge(r, facts, subject),
            Rule::Structure(r) => structure::judge(r, facts, subject),
            Rule::Ascii(r) => ascii::judge(r, facts, subject),
            Rule::Tokens(r) => return tokens::judge(r, subject),
        };
        Some(result)
    }

    /// Both phases, without a memo.
    #[must_use]
    pub fn run(&self, subject: &Subject<'_>) -> Option<CheckResult> {
        let facts: Vec<_> =
            subject.transcript.messages.iter().map(|m| Arc::new(self.facts(m))).collect();
        self.judge(&facts, subject)
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.rule == other.rule
    }
}

impl Who {
    const fn speaks(self, role: Role) -> bool {
        match self {
            Self::Assistant => matches!(role, Role::Assistant),
            Self::User => matches!(role, Role::User),
            Self::Any => matches!(role, Role::Assistant | Role::User),
        }
    }
}

impl Bounds {
    /// True when `n` is within.
    #[must_use]
    pub fn hold(self, n: usize) -> bool {
        self.min.is_none_or(|min| n >= min) && self.max.is_none_or(|max| n <= max)
    }

    /// "30 to 80", "at most 80", "at least 30".
    #[must_use]
    pub fn said(self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (None, Some(max)) => format!("at most {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, None) => "any number".into(),
        }
    }
}

impl CheckResult {
    /// NO when there are spots, else YES.
    fn of(summary: String, spots: Vec<Spot>) -> Self {
        let verdict = if spots.is_empty() { Verdict::Yes } else { Verdict::No };
        Self { verdict, summary, spots }
    }
}

#[cfg(test)]
mod tests;
