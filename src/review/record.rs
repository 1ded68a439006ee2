//! One review record: one line of `data/reviews.jsonl` (SPEC 8).
//!
//! Invariant: what is written is read back equal; keys this version does not know
//! are kept for those that do, so several versions may share one file.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rubric::Verdict;

/// What a person said about a transcript, a verdict or a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Unique: the same id on two lines is one record, as a merge may leave it.
    pub id: String,
    /// When, in UTC, as RFC 3339: later records win over earlier ones.
    pub at: String,
    /// Who.
    pub by: String,
    /// What was said.
    pub kind: Kind,
    /// The transcript's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// The digest of the text that was read, 64 hex digits; of a batch, the
    /// digest over those of its transcripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript_digest: Option<String>,
    /// The digest of the rubric that was in force, 64 hex digits.
    pub rubric_digest: String,
    /// The criterion's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// The digest of the criterion's wording: a mark stays good while other
    /// criteria change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion_digest: Option<String>,
    /// The judge whose verdict was marked; absent when it was everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// The human answer: YES, NO or NA.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "answer")]
    pub human: Option<Verdict>,
    /// In the reviewer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The record that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraws: Option<String>,
    /// Keys of other versions, kept.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// The kinds of review records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The transcript is good, whatever the judges say.
    Accept,
    /// It is not, whatever the judges say.
    Reject,
    /// What the answer to a criterion should have been.
    Verdict,
    /// A criterion that the rubric lacks.
    Missing,
    /// A batch is good enough to make more like it.
    Satisfactory,
    /// An earlier record was a mistake.
    Withdraw,
}

impl Kind {
    /// The spelling in the file and in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Verdict => "verdict",
            Self::Missing => "missing",
            Self::Satisfactory => "satisfactory",
            Self::Withdraw => "withdraw",
        }
    }
}

impl Record {
    /// A record that says no more than every record says.
    #[must_use]
    pub fn new(id: String, at: String, by: &str, kind: Kind, rubric_digest: &str) -> Self {
        Self {
            id,
            at,
            by: by.to_owned(),
            kind,
            transcript: None,
            transcript_digest: None,
            rubric_digest: rubric_digest.to_owned(),
            criterion: None,
            criterion_digest: None,
            judge: None,
            human: None,
            note: None,
            batch: None,
            withdraws: None,
            others: Map::new(),
        }
    }

    /// The line that says it, without its line break.
    #[must_use]
    pub fn line(&self) -> String {
        // Strings and maps with text keys alone: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(line: &str) -> Result<Self, Unreadable> {
        let record: Self = serde_json::from_str(line).map_err(|e| Unreadable(e.to_string()))?;
        let lacks = |what: &str| {
            let kind = record.kind.name();
            Err(Unreadable(format!("a record of kind `{kind}` needs `{what}`")))
        };
        let on_transcript = matches!(record.kind, Kind::Accept | Kind::Reject | Kind::Verdict);
        match &record {
            Self { transcript: None, .. } if on_transcript => lacks("transcript"),
            Self { transcript_digest: None, .. } if on_transcript => lacks("transcript_digest"),
            Self { kind: Kind::Verdict, criterion: None, .. } => lacks("criterion"),
            Self { kind: Kind::Satisfactory, batch: None, .. } => lacks("batch"),
            Self { kind: Kind::Missing, note: None, .. } => lacks("note"),
            Self { kind: Kind::Withdraw, withdraws: None, .. } => lacks("withdraws"),
            _ => Ok(record),
        }
    }
}

/// Why a line is no review record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

mod answer {
    //! A verdict as `YES`, `NO` or `NA`.

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::rubric::Verdict;

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub fn serialize<S: Serializer>(
        verdict: &Option<Verdict>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match verdict {
            Some(verdict) => serializer.serialize_str(verdict.name()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Verdict>, D::Error> {
        let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let verdict = Verdict::from_name(&name);
        let wrong = || D::Error::custom(format!("`human` is `{name}`, not YES, NO or NA"));
        verdict.map(Some).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000001";

    #[test]
    fn what_is_written_is_read_back_with_keys_of_other_versions() {
        let line = format!(
            r#"{{"id":"r1","at":"2026-11-24T10:00:00Z","by":"Ada","kind":"verdict","transcript":"t1","transcript_digest":"{DIGEST}","rubric_digest":"{DIGEST}","criterion":"CQ1","human":"NO","note":"It is not.","mood":[1]}}"#
        );
        let record = Record::parse(&line).unwrap();
        assert_eq!((record.kind, record.human), (Kind::Verdict, Some(Verdict::No)));
        assert_eq!(record.line(), line);
        assert_eq!(Record::parse(&record.line()).unwrap(), record);
    }

    fn wrong(line: &str, expected: Expect) {
        expected.assert_eq(&Record::parse(line).unwrap_err().to_string());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let with = |rest: &str| {
            format!(
                r#"{{"id":"r","at":"2026-11-24T10:00:00Z","by":"A","rubric_digest":"x",{rest}}}"#
            )
        };
        wrong(
            &with(r#""kind":"accept","transcript_digest":"x""#),
            expect!["a record of kind `accept` needs `transcript`"],
        );
        wrong(
            &with(r#""kind":"verdict","transcript":"t","transcript_digest":"x""#),
            expect!["a record of kind `verdict` needs `criterion`"],
        );
        wrong(
            &with(r#""kind":"satisfactory""#),
            expect!["a record of kind `satisfactory` needs `batch`"],
        );
        wrong(
            &with(r#""kind":"missing","human":"MAYBE""#),
            expect!["`human` is `MAYBE`, not YES, NO or NA at line 1 column 100"],
        );
        wrong("{", expect!["EOF while parsing an object at line 1 column 1"]);
    }
}
