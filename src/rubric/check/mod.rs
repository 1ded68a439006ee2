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
mod rule;
mod run;
mod structure;
mod tokens;
mod units;

use std::sync::Arc;

pub use rule::{
    Ascii, Bounds, LengthRatio, Openers, Pattern, Phrase, Phrases, Questions, Rule, ShareBounds,
    Structure, Tokens, TokensOf, Who, WordCount,
};
pub use run::run;
pub use structure::headers;

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

impl CheckResult {
    /// NO when there are spots, else YES.
    fn of(summary: String, spots: Vec<Spot>) -> Self {
        let verdict = if spots.is_empty() { Verdict::Yes } else { Verdict::No };
        Self { verdict, summary, spots }
    }
}

#[cfg(test)]
mod tests;
