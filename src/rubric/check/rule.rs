//! What checks can ask for, as plain values: one struct a check.
//!
//! Invariant: equal values measure the same. Shares and ratios were checked when
//! the rubric was read. Deliberately absent: how they are written in YAML.

use serde::Serialize;

use crate::transcript::Role;

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

impl Who {
    pub(super) const fn speaks(self, role: Role) -> bool {
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
