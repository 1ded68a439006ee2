//! What a rubric says: weighted categories of yes/no criteria, safety gates,
//! calibration examples. Plain values; [`parse`] reads them out of YAML.

use crate::text::Span;

pub mod addition;
pub mod avoid;
pub mod check;
pub mod digest;
pub mod example;
pub mod history;
pub mod keys;
pub mod parse;
mod place;
pub mod verdict;

pub use parse::{Parsed, parse};
pub use verdict::Verdict;

/// A rubric that could be read. It may still have findings; whatever was wrong was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Rubric {
    /// The rubric's name.
    pub name: String,
    /// Overall score at or above which a transcript passes (0 to 1).
    pub pass_threshold: f64,
    /// Fewer complete exchanges than this is `too-short`.
    pub min_exchanges: usize,
    /// The categories, in file order.
    pub categories: Vec<Category>,
    /// The criteria, in file order: the order of every list of ids in output.
    pub criteria: Vec<Criterion>,
}

/// A weighted group of criteria.
#[derive(Clone, Debug, PartialEq)]
pub struct Category {
    /// Its key.
    pub id: String,
    /// Its weight in the overall score; 0 for groups that only gate.
    pub weight: f64,
    /// Its key in the YAML.
    pub source: Span,
}

/// One yes/no question, or one computed check.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// Its id, as in `CQ1`.
    pub id: String,
    /// Its key in the YAML: the target of go to definition.
    pub source: Span,
    /// Its short name; the id where none is given.
    pub name: String,
    /// How it is answered.
    pub ask: Ask,
    /// Index into [`Rubric::categories`]; `None` for an orphan.
    pub category: Option<usize>,
    /// A safety gate: a failure rejects whatever the score.
    pub gate: bool,
    /// Advice for the judge.
    pub guidance: Option<String>,
    /// NA is a valid answer.
    pub na_valid: bool,
    /// Exchanges below which it is not asked (gates are always asked).
    pub min_turns: usize,
    /// How much judgement it takes.
    pub subjectivity: Subjectivity,
    /// What may be done about a failure. For gates never [`FixPolicy::Rewrite`].
    pub fix: FixPolicy,
    /// Names of pre-computed facts put into the prompt.
    pub statistics: Vec<String>,
    /// Labelled examples.
    pub examples: Vec<CalibrationExample>,
}

/// How a criterion is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// By judges.
    Question(String),
    /// Here, while typing.
    Check(check::Check),
}

/// How many calibration examples are expected (2-3, 4-5, 6-8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subjectivity {
    /// 2-3 examples.
    #[default]
    Low,
    /// 4-5 examples.
    Medium,
    /// 6-8 examples, some of them borderline.
    High,
}

/// What may be done about a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixPolicy {
    /// Rewrite the reply.
    #[default]
    Rewrite,
    /// Cut the transcript before the exchange.
    Truncate,
    /// Reject the transcript.
    Reject,
}

/// A labelled example inside a criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalibrationExample {
    /// PASS, FAIL, BORDERLINE_PASS or BORDERLINE_FAIL.
    pub label: ExampleLabel,
    /// What the user said, or the situation.
    pub context: String,
    /// The reply.
    pub response: String,
    /// Why it is labelled so.
    pub reasoning: String,
}

/// The label of a calibration example (`type` in the YAML).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum ExampleLabel {
    Pass,
    Fail,
    BorderlinePass,
    BorderlineFail,
}

impl ExampleLabel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::BorderlinePass, Self::BorderlineFail];

    /// Its name in the YAML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::BorderlinePass => "BORDERLINE_PASS",
            Self::BorderlineFail => "BORDERLINE_FAIL",
        }
    }
}

impl Subjectivity {
    /// Its name in the YAML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// How many calibration examples are expected, at least and at most.
    #[must_use]
    pub const fn examples(self) -> (usize, usize) {
        match self {
            Self::Low => (2, 3),
            Self::Medium => (4, 5),
            Self::High => (6, 8),
        }
    }
}

impl Rubric {
    /// The criterion with this id.
    #[must_use]
    pub fn criterion(&self, id: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|c| c.id == id)
    }
}

impl Criterion {
    /// True when judges answer it.
    #[must_use]
    pub const fn is_question(&self) -> bool {
        matches!(self.ask, Ask::Question(_))
    }
}
