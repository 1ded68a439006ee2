//! What judges said about a transcript, as plain values, and what follows from it.
//!
//! Invariant: an [`Outcome::Unscored`] is neither a YES nor a NO anywhere: it
//! never passes, it is never stored, and it is shown as what it is.

use std::collections::BTreeMap;

use crate::rubric::Verdict;

pub mod agree;
pub mod asked;
pub mod checked;
pub mod compare;
pub mod evidence;
pub mod family;
pub mod output;
pub mod privacy;
pub mod reply;
#[cfg(test)]
pub mod sample;
pub mod score;
pub mod selftest;
pub mod statistics;
pub mod trust;

pub use agree::{Scorecard, Standing, scorecard};
pub use score::{JudgeScorecard, Mark};

/// Everything one judge said about one transcript, by criterion id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgeOutcomes {
    /// The judge's name in the settings, or `checks` for computed criteria alone.
    pub judge: String,
    /// Outcome per asked criterion; a criterion that was not asked is absent.
    pub outcomes: BTreeMap<String, Outcome>,
    /// No call was made for any of them.
    pub cached: bool,
    /// Replayed from a recording: labelled so wherever it shows.
    pub recorded: bool,
}

/// Answered, or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The judge (or check) answered.
    Answered(Answer),
    /// It could not be judged.
    Unscored(Unscored),
}

/// A verdict with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// YES, NO or NA.
    pub verdict: Verdict,
    /// Why.
    pub reasoning: String,
    /// On which words.
    pub evidence: Vec<Evidence>,
}

/// Words a judge points at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// Exchange number, from 1.
    pub exchange: u32,
    /// The quoted words.
    pub quote: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscored {
    /// The kind, for statistics and retries.
    pub reason: UnscoredReason,
    /// One sentence for people: what happened and what to do next.
    pub detail: String,
}

/// The ways of not getting an answer (SPEC 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnscoredReason {
    /// The reply has no such field.
    Missing,
    /// The field, or the whole reply, is not of the asked form.
    Malformed,
    /// The reply answers the criterion twice.
    Duplicate,
    /// The reply holds fields that were not asked for.
    Extra,
    /// The fields of the answer contradict each other.
    Contradictory,
    /// The model refused.
    Refused,
    /// The provider blocked the request or the reply.
    Blocked,
    /// The reply was cut off.
    Truncated,
    /// No reply in time.
    TimedOut,
    /// The account has no quota left.
    OutOfQuota,
    /// The run was cancelled.
    Cancelled,
    /// The run took as long as it may.
    Deadline,
    /// The provider answered with an error.
    ProviderError,
    /// A recorded answer belongs to an earlier text.
    Stale,
    /// There is no recorded answer.
    NotRecorded,
    /// No judge is configured.
    NoJudge,
    /// The judge is not trusted here.
    Untrusted,
    /// The text holds what looks like secrets or personal data.
    Withheld,
    /// A cap on calls or cost was reached.
    OverBudget,
}

impl Unscored {
    /// No answer, and why.
    #[must_use]
    pub fn new(reason: UnscoredReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl From<Unscored> for Outcome {
    fn from(unscored: Unscored) -> Self {
        Self::Unscored(unscored)
    }
}

impl Outcome {
    /// The answer, when there is one.
    #[must_use]
    pub const fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::Unscored(_) => None,
        }
    }

    /// Why there is no answer, when there is none.
    #[must_use]
    pub const fn unscored(&self) -> Option<&Unscored> {
        match self {
            Self::Answered(_) => None,
            Self::Unscored(unscored) => Some(unscored),
        }
    }
}

impl UnscoredReason {
    /// The spelling in output and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Duplicate => "duplicate",
            Self::Extra => "extra",
            Self::Contradictory => "contradictory",
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::Truncated => "truncated",
            Self::TimedOut => "timed-out",
            Self::OutOfQuota => "out-of-quota",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::ProviderError => "provider-error",
            Self::Stale => "stale",
            Self::NotRecorded => "not-recorded",
            Self::NoJudge => "no-judge",
            Self::Untrusted => "untrusted",
            Self::Withheld => "withheld",
            Self::OverBudget => "over-budget",
        }
    }
}
