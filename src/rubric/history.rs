//! Versions of a rubric side by side: which criteria came, went or were reworded.
//!
//! Invariant: two versions differ here exactly where something differs that decides
//! an answer or a standing; a version keeps no more of a rubric than it takes to say so.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Ask, Criterion, Rubric, digest};

/// A rubric as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Version {
    /// The digest of all that decides a standing, 64 hex digits.
    pub rubric_digest: String,
    /// When it was first assessed with, in UTC, as RFC 3339.
    pub at: String,
    /// The score that passes.
    pub pass_threshold: f64,
    /// Exchanges that a transcript needs.
    pub min_exchanges: usize,
    /// Categories and their weights.
    pub weights: Vec<(String, f64)>,
    /// The criteria, in file order.
    pub criteria: Vec<Worded>,
}

/// A criterion as it was worded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Worded {
    /// Its id.
    pub id: String,
    /// The digest of its wording.
    pub digest: String,
    /// Its name.
    pub name: String,
    /// Its question; of a check, what is computed.
    pub asks: String,
    /// Advice for the judge.
    pub guidance: Option<String>,
    /// How many calibration examples it has.
    pub examples: usize,
    /// Its category, gate and the like, in one line.
    pub rules: String,
}

/// One thing that changed between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The criterion; empty for the rubric as a whole.
    pub criterion: String,
    /// What happened to it.
    pub what: &'static str,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

impl Version {
    /// The version that a rubric is.
    #[must_use]
    pub fn of(rubric: &Rubric) -> Self {
        let worded = |criterion: &Criterion| {
            let category = criterion.category.and_then(|index| rubric.categories.get(index));
            let category = category.map_or("no category", |category| category.id.as_str());
            let gate = if criterion.gate { ", safety gate" } else { "" };
            let na = if criterion.na_valid { ", NA valid" } else { "" };
            let turns = criterion.min_turns;
            Worded {
                id: criterion.id.clone(),
                digest: digest::hex(&digest::criterion(criterion)),
                name: criterion.name.clone(),
                asks: match &criterion.ask {
                    Ask::Question(question) => question.clone(),
                    Ask::Check(check) => check.canonical(),
                },
                guidance: criterion.guidance.clone(),
                examples: criterion.examples.len(),
                rules: format!("{category}{gate}{na}, from exchange {turns} on"),
            }
        };
        Self {
            rubric_digest: digest::hex(&digest::rubric(rubric)),
            at: String::new(),
            pass_threshold: rubric.pass_threshold,
            min_exchanges: rubric.min_exchanges,
            weights: rubric.categories.iter().map(|c| (c.id.clone(), c.weight)).collect(),
            criteria: rubric.criteria.iter().map(worded).collect(),
        }
    }

    /// What changed from `before` to this one, the whole first, then by criterion.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut whole = |what, before: String, after: String| {
            if before != after {
                let (before, after) = (Some(before), Some(after));
                changes.push(Change { criterion: String::new(), what, before, after });
            }
        };
        let threshold = |version: &Self| version.pass_threshold.to_string();
        whole("threshold", threshold(before), threshold(self));
        let least = |version: &Self| version.min_exchanges.to_string();
        whole("exchanges", least(before), least(self));
        whole("weights", before.weights_in_words(), self.weights_in_words());
        let of =
            |version: &'_ Self, id: &str| version.criteria.iter().find(|c| c.id == id).cloned();
        for old in before.criteria.iter().filter(|old| of(self, &old.id).is_none()) {
            let before = Some(old.asks.clone());
            changes.push(Change {
                criterion: old.id.clone(),
                what: "removed",
                before,
                after: None,
            });
        }
        for new in &self.criteria {
            match of(before, &new.id) {
                None => changes.push(Change {
                    criterion: new.id.clone(),
                    what: "added",
                    before: None,
                    after: Some(new.asks.clone()),
                }),
                Some(old) => changes.extend(new.changes_since(&old)),
            }
        }
        changes
    }

    fn weights_in_words(&self) -> String {
        let words = self.weights.iter().map(|(name, weight)| format!("{name} {weight}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Worded {
    fn changes_since(&self, before: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut one = |what, before: Option<String>, after: Option<String>| {
            if before != after {
                changes.push(Change { criterion: self.id.clone(), what, before, after });
            }
        };
        one("question", Some(before.asks.clone()), Some(self.asks.clone()));
        one("name", Some(before.name.clone()), Some(self.name.clone()));
        one("guidance", before.guidance.clone(), self.guidance.clone());
        let examples = |worded: &Self| Some(worded.examples.to_string());
        one("examples", examples(before), examples(self));
        one("rules", Some(before.rules.clone()), Some(self.rules.clone()));
        if changes.is_empty() && self.digest != before.digest {
            // As many examples as before, with other words; or other statistics.
            let (before, after) = (None, None);
            changes.push(Change {
                criterion: self.id.clone(),
                what: "examples or statistics",
                before,
                after,
            });
        }
        changes
    }
}

impl Change {
    /// In one line.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { criterion, what, before, after } = self;
        let subject = if criterion.is_empty() { "" } else { " of " };
        match (before, after) {
            (None, Some(after)) if *what == "added" => format!("added {criterion}: {after}"),
            (Some(before), None) if *what == "removed" => format!("removed {criterion}: {before}"),
            (None, None) => format!("{what}{subject}{criterion} changed"),
            (before, after) => {
                let text =
                    |side: &Option<String>| side.as_deref().unwrap_or("nothing").trim().to_owned();
                format!("{what}{subject}{criterion}: {} → {}", text(before), text(after))
            }
        }
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let criterion = Some(&self.criterion).filter(|id| !id.is_empty());
        json!({"criterion": criterion, "what": self.what, "before": self.before, "after": self.after})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse;
    use expect_test::expect;

    fn version(text: &str) -> Version {
        Version::of(&parse::parse(text).rubric.unwrap())
    }

    const FIRST: &str = "pass_threshold: 0.8\ncategories:\n  c: {weight: 1.0, criteria: [A, B]}\n\
        criteria:\n  A: {question: Is it kind?}\n  B: {question: Is it short?}\n  D: {question: Is it dull?}\n";

    #[test]
    fn what_came_went_and_was_reworded_is_told() {
        let first = version(FIRST);
        assert_eq!(first.changes_since(&first), []);
        let second = FIRST
            .replace("0.8", "0.7")
            .replace("Is it kind?}", "Is it kind and warm?, calibration_examples: [{type: PASS, context: a, response: b, reasoning: c}]}")
            .replace("  D: {question: Is it dull?}\n", "  C: {question: Is it clear?, gate: true}\n");
        let second = version(&second);
        let lines: Vec<String> = second.changes_since(&first).iter().map(Change::words).collect();
        expect![[r"
            threshold: 0.8 → 0.7
            removed D: Is it dull?
            question of A: Is it kind? → Is it kind and warm?
            examples of A: 0 → 1
            added C: Is it clear?"]]
        .assert_eq(&lines.join("\n"));
        let mut other = first.clone();
        other.criteria[1].digest = "other".into();
        let lines: Vec<String> = other.changes_since(&first).iter().map(Change::words).collect();
        assert_eq!(lines, ["examples or statistics of B changed"]);
    }
}
