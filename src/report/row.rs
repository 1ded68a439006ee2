//! One transcript as the report keeps it: small, so that very many fit.

use std::sync::Arc;

use super::Column;
use crate::assessment::{Mark, Scorecard, Standing};

/// What people said of a transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reviewed {
    /// Nobody has read it.
    #[default]
    No,
    /// It was read before it, or the rubric, changed.
    Stale,
    /// It is good.
    Accepted,
    /// It is not.
    Rejected,
}

impl Reviewed {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "unread",
            Self::Stale => "changed since",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// How a transcript would be sliced now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// It is held back for validation.
    pub validation: bool,
    /// Where it is cut, in exchanges.
    pub points: Vec<u32>,
    /// Cuts that are dropped because they have too many tokens, or cannot be counted.
    pub dropped: Vec<u32>,
}

/// One transcript.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its file, as a path from the report's folder.
    pub file: Arc<str>,
    /// Its line, from 1.
    pub line: usize,
    /// Its batch.
    pub batch: Arc<str>,
    /// The version of the prompts that made it, where the record says so.
    pub prompts: Option<Arc<str>>,
    /// How it stands.
    pub standing: Standing,
    /// The lowest score.
    pub score: Option<f64>,
    /// Highest minus lowest score, where there are two judges or more.
    pub spread: Option<f64>,
    /// Judges differ on a criterion, or in their scores.
    pub disagreement: bool,
    /// Tokens as rendered.
    pub tokens: Option<usize>,
    /// Complete exchanges.
    pub exchanges: usize,
    /// What people said.
    pub reviewed: Reviewed,
    /// A letter a criterion: first the worst of all judges', then each judge's.
    pub answers: Vec<Box<[u8]>>,
    /// How it would be sliced; `None` when it would not be.
    pub cut: Option<Cut>,
}

/// The letters of [`Row::answers`].
pub const YES: u8 = b'Y';
/// NO.
pub const NO: u8 = b'N';
/// An NA that counts as a failure.
pub const INVALID: u8 = b'X';
/// An NA that is left out.
pub const NA: u8 = b'A';
/// Unscored.
pub const UNSCORED: u8 = b'U';
/// Not asked: the transcript is too short for it.
pub const NOT_ASKED: u8 = b'-';

/// True for an answer that is a failure.
#[must_use]
pub const fn fails(letter: u8) -> bool {
    matches!(letter, NO | INVALID)
}

/// True for an answer, of whatever kind.
#[must_use]
pub const fn is_answer(letter: u8) -> bool {
    matches!(letter, YES | NO | INVALID | NA)
}

/// The word for a letter.
#[must_use]
pub const fn word(letter: u8) -> &'static str {
    match letter {
        YES => "YES",
        NO => "NO",
        INVALID => "NA (counts as a failure)",
        NA => "NA",
        UNSCORED => "unscored",
        _ => "not asked",
    }
}

/// The version of the prompts that made a record, where the record says so.
#[must_use]
pub fn prompt_version(record: &str) -> Option<Arc<str>> {
    #[derive(serde::Deserialize)]
    struct Signed {
        prompt_version: Option<serde_json::Value>,
    }
    // Most records say nothing: that is seen without reading them.
    if !record.contains("\"prompt_version\"") {
        return None;
    }
    let signed: Signed = serde_json::from_str(record.trim_start_matches('\u{feff}')).ok()?;
    let version = match signed.prompt_version? {
        serde_json::Value::String(version) => version,
        serde_json::Value::Number(version) => version.to_string(),
        _ => return None,
    };
    (!version.trim().is_empty()).then(|| version.into())
}

impl Row {
    /// The answers of a card as letters; `invalid_na` tells where NA is a failure.
    #[must_use]
    pub fn letters(
        card: &Scorecard,
        columns: &[Column],
        invalid_na: &dyn Fn(&str) -> bool,
    ) -> Vec<Box<[u8]>> {
        let letter = |(id, mark): &(String, Mark)| match mark {
            Mark::Yes => YES,
            Mark::No => NO,
            Mark::Na if invalid_na(id) => INVALID,
            Mark::Na => NA,
            Mark::Unscored => UNSCORED,
        };
        let of = |answers: &[(String, Mark)]| -> Box<[u8]> {
            // Answers are in rubric order, as the columns are.
            let mut answers = answers.iter().peekable();
            let next = |column: &Column| {
                answers.next_if(|(id, _)| *id == column.id).map_or(NOT_ASKED, letter)
            };
            columns.iter().map(next).collect()
        };
        let judges = card.judges.iter().map(|judge| of(&judge.answers));
        std::iter::once(of(&card.answers)).chain(judges).collect()
    }

    /// The worst answers.
    #[must_use]
    pub fn worst(&self) -> &[u8] {
        self.answers.first().map_or(&[], |letters| letters)
    }

    /// It passed, and nobody rejected it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.standing == Standing::Passed && self.reviewed != Reviewed::Rejected
    }
}
