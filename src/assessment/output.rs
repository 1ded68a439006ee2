//! A scorecard as `assess --format json` prints it (SPEC 11).
//!
//! Invariant: the keys and their order are SPEC's, exactly; numbers are rounded
//! here and nowhere earlier.

use serde_json::{Map, Value, json};

use crate::transcript::Transcript;

use super::evidence;
use super::{Evidence, JudgeScorecard, Mark, Outcome, Scorecard};

/// What the output says of a transcript beside its scores.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The file as given or as walked.
    pub file: &'a str,
    /// Line of the record, from 1.
    pub line: usize,
    /// The batch it belongs to.
    pub batch: Option<&'a str>,
    /// Tokens of the record as rendered.
    pub tokens: Option<usize>,
}

impl Scorecard {
    /// The entry of this transcript.
    #[must_use]
    pub fn to_json(&self, transcript: &Transcript, about: About<'_>) -> Value {
        json!({
            "id": transcript.id,
            "file": about.file,
            "line": about.line,
            "batch": about.batch,
            "standing": self.standing.name(),
            "pass": self.pass(),
            "score": rounded(self.score),
            "threshold": rounded(Some(self.threshold)),
            "coverage": {"asked": self.coverage.asked, "total": self.coverage.total},
            "category_scores": category_scores(&self.category_scores),
            "answers": answers(&self.answers),
            "failed_checks": self.failed_checks,
            "failed_safety": self.failed_safety,
            "unscored": self.unscored,
            "safety_gate_failed": !self.failed_safety.is_empty(),
            "error_count": self.unscored.len(),
            "disagreement": self.disagreement(),
            "spread": rounded(self.spread),
            "exchanges": self.exchanges,
            "tokens": about.tokens,
            "judges": self.judges.iter().map(|j| judge(j, transcript)).collect::<Vec<_>>(),
        })
    }
}

fn judge(card: &JudgeScorecard, transcript: &Transcript) -> Value {
    let per_answer = |value: &dyn Fn(&Outcome) -> Value| -> Value {
        let said = |(id, _): &(String, Mark)| {
            card.said.outcomes.get(id).map(|outcome| (id.clone(), value(outcome)))
        };
        Value::Object(card.answers.iter().filter_map(said).collect())
    };
    json!({
        "judge": card.said.judge,
        "pass": card.pass,
        "score": rounded(card.score),
        "category_scores": category_scores(&card.category_scores),
        "answers": answers(&card.answers),
        "reasonings": per_answer(&reasoning),
        "evidence": per_answer(&|outcome| cited(outcome, transcript)),
        "failed_checks": card.failed_checks,
        "unscored": card.unscored,
        "error_count": card.unscored.len(),
        "cached": card.said.cached,
    })
}

/// Why; for an unscored criterion, why not.
fn reasoning(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Answered(answer) => answer.reasoning.clone().into(),
        Outcome::Unscored(unscored) => {
            format!("unscored ({}): {}", unscored.reason.name(), unscored.detail).into()
        }
    }
}

fn cited(outcome: &Outcome, transcript: &Transcript) -> Value {
    let evidence = outcome.answer().map_or(&[][..], |answer| &answer.evidence);
    let item = |e: &Evidence| {
        let found = evidence::found(transcript, e);
        json!({"exchange": e.exchange, "quote": e.quote, "found": found})
    };
    evidence.iter().map(item).collect()
}

fn answers(marks: &[(String, Mark)]) -> Value {
    Value::Object(marks.iter().map(|(id, mark)| (id.clone(), mark.name().into())).collect())
}

fn category_scores(scores: &[(String, Option<f64>)]) -> Value {
    Value::Object(scores.iter().map(|(id, s)| (id.clone(), rounded(*s))).collect::<Map<_, _>>())
}

/// Three decimals, or null.
#[must_use]
pub fn rounded(number: Option<f64>) -> Value {
    number.map_or(Value::Null, |n| json!((n * 1000.0).round() / 1000.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::assessment::sample::{conversation, criterion, rubric, said};
    use crate::assessment::scorecard;
    use crate::config::Aggregation;
    use expect_test::expect;

    #[test]
    fn the_output_has_the_published_fields_in_order() {
        let rubric = rubric(vec![criterion("B"), criterion("A"), criterion("G").gate()]);
        let (transcript, _) = conversation(&["user: Hi", "assistant: Hello you"]);
        let mut judge = said("claude", "B=NO A=YES G=-");
        if let Some(Outcome::Answered(answer)) = judge.outcomes.get_mut("B") {
            let cite = |quote: &str| Evidence { exchange: 1, quote: quote.into() };
            answer.evidence = vec![cite("hello"), cite("bye")];
        }
        let card =
            scorecard(&rubric, &transcript, &BTreeMap::new(), &[judge], Aggregation::Strictest);
        let about = About { file: "a.jsonl", line: 3, batch: Some("a"), tokens: None };
        let text = serde_json::to_string_pretty(&card.to_json(&transcript, about)).unwrap();
        expect![[r#"
            {
              "id": "t",
              "file": "a.jsonl",
              "line": 3,
              "batch": "a",
              "standing": "incomplete",
              "pass": false,
              "score": 0.333,
              "threshold": 0.8,
              "coverage": {
                "asked": 3,
                "total": 3
              },
              "category_scores": {
                "all": 0.333
              },
              "answers": {
                "B": "NO",
                "A": "YES",
                "G": "UNSCORED"
              },
              "failed_checks": [
                "B"
              ],
              "failed_safety": [
                "G"
              ],
              "unscored": [
                "G"
              ],
              "safety_gate_failed": true,
              "error_count": 1,
              "disagreement": false,
              "spread": 0.0,
              "exchanges": 1,
              "tokens": null,
              "judges": [
                {
                  "judge": "claude",
                  "pass": false,
                  "score": 0.333,
                  "category_scores": {
                    "all": 0.333
                  },
                  "answers": {
                    "B": "NO",
                    "A": "YES",
                    "G": "UNSCORED"
                  },
                  "reasonings": {
                    "B": "so it is",
                    "A": "so it is",
                    "G": "unscored (timed-out): no reply in 2 s"
                  },
                  "evidence": {
                    "B": [
                      {
                        "exchange": 1,
                        "quote": "hello",
                        "found": true
                      },
                      {
                        "exchange": 1,
                        "quote": "bye",
                        "found": false
                      }
                    ],
                    "A": [],
                    "G": []
                  },
                  "failed_checks": [
                    "B"
                  ],
                  "unscored": [
                    "G"
                  ],
                  "error_count": 1,
                  "cached": false
                }
              ]
            }"#]]
        .assert_eq(&text);
    }
}
