//! Digests of what was asked: what a paid answer, and a review, is bound to.
//!
//! Invariant: two criteria (rubrics) have the same digest only if every part
//! that can change an answer (a score) is equal. Parts are length-prefixed, so
//! no two lists of parts run together; a tag names the kind and its version.

use sha2::{Digest as _, Sha256};

use super::{Ask, Criterion, FixPolicy, Rubric};

/// The digest of what a judge is asked: id, name, question or check, guidance,
/// NA validity, statistics, calibration examples. Not weight, category, gate or
/// threshold: changing those asks nobody anything.
#[must_use]
pub fn criterion(criterion: &Criterion) -> [u8; 32] {
    let mut parts = Parts::new("rubricator criterion 1");
    parts.text(&criterion.id);
    parts.text(&criterion.name);
    match &criterion.ask {
        Ask::Question(question) => parts.text("question").text(question),
        Ask::Check(check) => parts.text("check").text(&check.canonical()),
    };
    parts.option(criterion.guidance.as_deref());
    parts.number(u64::from(criterion.na_valid));
    parts.count(criterion.statistics.len());
    for name in &criterion.statistics {
        parts.text(name);
    }
    parts.count(criterion.examples.len());
    for example in &criterion.examples {
        parts.text(example.label.name());
        parts.text(&example.context).text(&example.response).text(&example.reasoning);
    }
    parts.finish()
}

/// The digest of everything that decides a standing: thresholds, categories and
/// their weights, and of every criterion its [`criterion`] digest, category,
/// gate, `min_turns` and fix policy. Not the rubric's name.
#[must_use]
pub fn rubric(rubric: &Rubric) -> [u8; 32] {
    let mut parts = Parts::new("rubricator rubric 1");
    parts.number(rubric.pass_threshold.to_bits());
    parts.count(rubric.min_exchanges);
    parts.count(rubric.categories.len());
    for category in &rubric.categories {
        parts.text(&category.id).number(category.weight.to_bits());
    }
    parts.count(rubric.criteria.len());
    for one in &rubric.criteria {
        parts.bytes(&criterion(one));
        let category = one.category.and_then(|index| rubric.categories.get(index));
        parts.option(category.map(|c| c.id.as_str()));
        parts.number(u64::from(one.gate)).count(one.min_turns);
        parts.text(match one.fix {
            FixPolicy::Rewrite => "rewrite",
            FixPolicy::Truncate => "truncate",
            FixPolicy::Reject => "reject",
        });
    }
    parts.finish()
}

/// A digest as it is written: 64 hex digits.
#[must_use]
pub fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash over parts that cannot run together.
struct Parts(Sha256);

impl Parts {
    fn new(tag: &str) -> Self {
        let mut parts = Self(Sha256::new());
        parts.text(tag);
        parts
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len());
        self.0.update(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_le_bytes());
        self
    }

    fn count(&mut self, count: usize) -> &mut Self {
        // usize has at most 64 bits on every platform Rust knows.
        self.number(count as u64)
    }

    fn option(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse;

    const TEXT: &str = "\
pass_threshold: 0.8
categories: {a: {weight: 1.0, criteria: [Q1]}, b: {weight: 0}}
criteria:
  Q1:
    name: One
    question: Is it so?
    guidance: Look.
    na_valid: false
    statistics: [length]
    calibration_examples:
      - {type: PASS, context: c, response: r, reasoning: why}
";

    fn digests(text: &str) -> ([u8; 32], [u8; 32]) {
        let parsed = parse(text).rubric.expect("a rubric");
        (criterion(&parsed.criteria[0]), rubric(&parsed))
    }

    #[test]
    fn every_part_that_is_asked_changes_both() {
        let before = digests(TEXT);
        for (from, to) in [
            ("Q1", "Q2"),
            ("One", "Two"),
            ("Is it so?", "Is it not so?"),
            ("question: Is it so?", "check: ascii"),
            ("    guidance: Look.\n", ""),
            ("na_valid: false", "na_valid: true"),
            ("[length]", "[]"),
            ("PASS", "FAIL"),
            ("context: c", "context: d"),
            ("response: r", "response: s"),
            ("reasoning: why", "reasoning: because"),
            ("context: c, response: r", "context: cr, response: ''"),
        ] {
            let after = digests(&TEXT.replace(from, to));
            assert_ne!(before.0, after.0, "{from} → {to}");
            assert_ne!(before.1, after.1, "{from} → {to}");
        }
    }

    #[test]
    fn what_only_scores_changes_the_rubric_alone() {
        let before = digests(TEXT);
        for (from, to) in [
            ("pass_threshold: 0.8", "pass_threshold: 0.9"),
            ("pass_threshold: 0.8", "min_exchanges: 1"),
            (
                "weight: 1.0, criteria: [Q1]}, b: {weight: 0",
                "weight: 0.5, criteria: [Q1]}, b: {weight: 0.5",
            ),
            ("criteria: [Q1]}, b: {weight: 0}", "criteria: []}, b: {weight: 0, criteria: [Q1]}"),
            ("    na_valid: false", "    na_valid: false\n    gate: true"),
            ("    na_valid: false", "    na_valid: false\n    min_turns: 4"),
            ("    na_valid: false", "    na_valid: false\n    fix: reject"),
        ] {
            let after = digests(&TEXT.replace(from, to));
            assert_eq!(before.0, after.0, "{from} → {to}");
            assert_ne!(before.1, after.1, "{from} → {to}");
        }
    }

    #[test]
    fn comments_form_and_the_rubric_s_name_change_nothing() {
        let before = digests(TEXT);
        let after = digests(&format!(
            "# hello\nname: Coach\n{}",
            TEXT.replace("Is it so?", "\"Is it so?\"")
        ));
        assert_eq!(before, after);
    }
}
