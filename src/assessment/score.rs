//! One judge's answers → scores (SPEC 5.6).
//!
//! Invariant: what was not answered is never counted as a YES, and a category
//! nobody was asked about never counts at all.
//!
//! Across judges: `agree`. This file knows one set of answers only.

use std::collections::BTreeMap;

use crate::rubric::{Criterion, Rubric, Verdict};

use super::{JudgeOutcomes, Outcome, asked};

/// Scores are compared with this much slack, so that 0.1 + 0.7 reaches 0.8.
const SLACK: f64 = 1e-9;

/// An answer as scoring sees it. The order is from best to worst (SPEC 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// It does not apply; valid or not is the criterion's to say.
    Na,
    /// It holds.
    Yes,
    /// It could not be judged.
    Unscored,
    /// It fails.
    No,
}

/// How many criteria applied, of how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Criteria that were asked of this transcript.
    pub asked: usize,
    /// Criteria of the rubric.
    pub total: usize,
}

/// What one judge's answers (computed checks included) come to.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeScorecard {
    /// The judge, with its outcomes as they came, checks included.
    pub said: JudgeOutcomes,
    /// It passes: scored, at or above the threshold, nothing unscored, no gate failed.
    pub pass: bool,
    /// The weighted mean; `None` when too short or nothing weighted was answered.
    pub score: Option<f64>,
    /// Score per category, in rubric order; `None` for an empty one.
    pub category_scores: Vec<(String, Option<f64>)>,
    /// The answer to every asked criterion, in rubric order.
    pub answers: Vec<(String, Mark)>,
    /// NO and invalid NA, in rubric order.
    pub failed_checks: Vec<String>,
    /// Gates that failed: NO, invalid NA or unscored.
    pub failed_safety: Vec<String>,
    /// Criteria without an answer, in rubric order.
    pub unscored: Vec<String>,
}

impl Mark {
    /// `YES`, `NO`, `NA` or `UNSCORED`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Na => Verdict::Na.name(),
            Self::Yes => Verdict::Yes.name(),
            Self::Unscored => "UNSCORED",
            Self::No => Verdict::No.name(),
        }
    }

    /// The mark of an outcome; a criterion without one is unscored.
    #[must_use]
    pub fn of(outcome: Option<&Outcome>) -> Self {
        match outcome {
            Some(Outcome::Answered(answer)) => match answer.verdict {
                Verdict::Yes => Self::Yes,
                Verdict::No => Self::No,
                Verdict::Na => Self::Na,
            },
            Some(Outcome::Unscored(_)) | None => Self::Unscored,
        }
    }

    /// A NO, or an NA where NA is no answer.
    #[must_use]
    pub fn fails(self, criterion: &Criterion) -> bool {
        self == Self::No || (self == Self::Na && !criterion.na_valid)
    }
}

/// Scores one judge's answers. `checks` are the outcomes of computed criteria:
/// they count in every judge's answers like any other.
#[must_use]
pub fn score(
    rubric: &Rubric,
    exchanges: usize,
    checks: &BTreeMap<String, Outcome>,
    judge: &JudgeOutcomes,
) -> JudgeScorecard {
    let mut said = judge.clone();
    for criterion in asked::asked(rubric, exchanges).filter(|c| !c.is_question()) {
        if let Some(outcome) = checks.get(&criterion.id) {
            said.outcomes.insert(criterion.id.clone(), outcome.clone());
        }
    }
    let marks: Vec<(&Criterion, Mark)> = asked::asked(rubric, exchanges)
        .map(|criterion| (criterion, Mark::of(said.outcomes.get(&criterion.id))))
        .collect();
    card(rubric, exchanges, &marks, said)
}

/// The same arithmetic over marks that come from anywhere (a majority, for one).
pub(super) fn card(
    rubric: &Rubric,
    exchanges: usize,
    marks: &[(&Criterion, Mark)],
    said: JudgeOutcomes,
) -> JudgeScorecard {
    let ids = |keep: &dyn Fn(&Criterion, Mark) -> bool| -> Vec<String> {
        marks.iter().filter(|(c, m)| keep(c, *m)).map(|(c, _)| c.id.clone()).collect()
    };
    let category_scores = category_scores(rubric, marks);
    let too_short = asked::too_short(rubric, exchanges);
    let score = if too_short { None } else { overall(rubric, &category_scores) };
    let failed_safety = ids(&|c, m| c.gate && (m.fails(c) || m == Mark::Unscored));
    let unscored = ids(&|_, m| m == Mark::Unscored);
    let reached = score.is_some_and(|score| reaches(score, rubric.pass_threshold));
    JudgeScorecard {
        pass: reached && failed_safety.is_empty() && unscored.is_empty(),
        score,
        category_scores,
        answers: marks.iter().map(|(c, m)| (c.id.clone(), *m)).collect(),
        failed_checks: ids(&|c, m| m.fails(c)),
        failed_safety,
        unscored,
        said,
    }
}

/// `score >= threshold`, forgiving rounding.
#[must_use]
pub fn reaches(score: f64, threshold: f64) -> bool {
    score >= threshold - SLACK
}

/// YES / (YES + NO + invalid NA + unscored) per category.
fn category_scores(rubric: &Rubric, marks: &[(&Criterion, Mark)]) -> Vec<(String, Option<f64>)> {
    let mut counts = vec![(0_u32, 0_u32); rubric.categories.len()];
    for (criterion, mark) in marks {
        let valid_na = *mark == Mark::Na && criterion.na_valid;
        if let Some((yes, all)) = criterion.category.and_then(|i| counts.get_mut(i))
            && !valid_na
        {
            *yes += u32::from(*mark == Mark::Yes);
            *all += 1;
        }
    }
    let score = |(yes, all): (u32, u32)| (all > 0).then(|| f64::from(yes) / f64::from(all));
    rubric.categories.iter().zip(counts).map(|(c, n)| (c.id.clone(), score(n))).collect()
}

/// The weighted mean over the categories that have a score.
fn overall(rubric: &Rubric, scores: &[(String, Option<f64>)]) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (category, (_, score)) in rubric.categories.iter().zip(scores) {
        let weight = category.weight;
        if let Some(score) = score
            && weight.is_finite()
            && weight > 0.0
        {
            sum += score * weight;
            weights += weight;
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{criterion, rubric, said};
    use expect_test::{Expect, expect};

    /// `answers` reads `A=YES B=NO …`; `-` is unscored. Categories: `x` 0.3, `y` 0.7, `z` 0.
    fn check(rubric: &Rubric, exchanges: usize, answers: &str, expected: Expect) {
        let card = score(rubric, exchanges, &BTreeMap::new(), &said("j", answers));
        let categories: Vec<String> =
            card.category_scores.iter().map(|(id, s)| format!("{id} {s:?}")).collect();
        expected.assert_eq(&format!(
            "{} {:?} [{}] failed {:?} gates {:?} unscored {:?}",
            if card.pass { "pass" } else { "no pass" },
            card.score.map(|s| (s * 1000.0).round() / 1000.0),
            categories.join(", "),
            card.failed_checks,
            card.failed_safety,
            card.unscored
        ));
    }

    fn sample() -> Rubric {
        let mut rubric = rubric(vec![
            criterion("A").in_category(0),
            criterion("B").in_category(0).na_valid(),
            criterion("C").in_category(1),
            criterion("G").in_category(2).gate(),
        ]);
        rubric.categories = vec![
            crate::assessment::sample::category("x", 0.3),
            crate::assessment::sample::category("y", 0.7),
            crate::assessment::sample::category("z", 0.0),
        ];
        rubric
    }

    #[test]
    fn a_score_is_the_weighted_mean_of_its_categories() {
        let rubric = sample();
        check(
            &rubric,
            5,
            "A=YES B=YES C=YES G=YES",
            expect![[
                r#"pass Some(1.0) [x Some(1.0), y Some(1.0), z Some(1.0)] failed [] gates [] unscored []"#
            ]],
        );
        check(
            &rubric,
            5,
            "A=YES B=NO C=YES G=YES",
            expect![[
                r#"pass Some(0.85) [x Some(0.5), y Some(1.0), z Some(1.0)] failed ["B"] gates [] unscored []"#
            ]],
        );
        check(
            &rubric,
            5,
            "A=NO B=NA C=YES G=YES",
            expect![[
                r#"no pass Some(0.7) [x Some(0.0), y Some(1.0), z Some(1.0)] failed ["A"] gates [] unscored []"#
            ]],
        );
        check(
            &rubric,
            5,
            "A=NA B=NA C=YES G=YES",
            expect![[
                r#"no pass Some(0.7) [x Some(0.0), y Some(1.0), z Some(1.0)] failed ["A"] gates [] unscored []"#
            ]],
        );
    }

    #[test]
    fn unscored_counts_against_and_never_passes() {
        let rubric = sample();
        check(
            &rubric,
            5,
            "A=YES B=- C=YES G=YES",
            expect![[
                r#"no pass Some(0.85) [x Some(0.5), y Some(1.0), z Some(1.0)] failed [] gates [] unscored ["B"]"#
            ]],
        );
        check(
            &rubric,
            5,
            "A=YES B=YES C=YES G=-",
            expect![[
                r#"no pass Some(1.0) [x Some(1.0), y Some(1.0), z Some(0.0)] failed [] gates ["G"] unscored ["G"]"#
            ]],
        );
        check(
            &rubric,
            5,
            "",
            expect![[
                r#"no pass Some(0.0) [x Some(0.0), y Some(0.0), z Some(0.0)] failed [] gates ["G"] unscored ["A", "B", "C", "G"]"#
            ]],
        );
    }

    #[test]
    fn a_gate_fails_on_no_and_on_an_na_that_is_no_answer() {
        let rubric = sample();
        check(
            &rubric,
            5,
            "A=YES B=YES C=YES G=NO",
            expect![[
                r#"no pass Some(1.0) [x Some(1.0), y Some(1.0), z Some(0.0)] failed ["G"] gates ["G"] unscored []"#
            ]],
        );
        check(
            &rubric,
            5,
            "A=YES B=YES C=YES G=NA",
            expect![[
                r#"no pass Some(1.0) [x Some(1.0), y Some(1.0), z Some(0.0)] failed ["G"] gates ["G"] unscored []"#
            ]],
        );
    }

    #[test]
    fn empty_categories_are_left_out_and_too_short_has_no_score() {
        let mut rubric = sample();
        rubric.criteria[2].min_turns = 9;
        check(
            &rubric,
            5,
            "A=YES B=YES G=YES",
            expect![[
                r#"pass Some(1.0) [x Some(1.0), y None, z Some(1.0)] failed [] gates [] unscored []"#
            ]],
        );
        rubric.min_exchanges = 6;
        check(
            &rubric,
            5,
            "G=YES",
            expect![[
                r#"no pass None [x None, y None, z Some(1.0)] failed [] gates [] unscored []"#
            ]],
        );
    }

    #[test]
    fn nothing_weighted_answered_is_no_score_and_no_pass() {
        let mut rubric = sample();
        rubric.criteria = vec![rubric.criteria[1].clone(), rubric.criteria[3].clone()];
        check(
            &rubric,
            5,
            "B=NA G=YES",
            expect![[
                r#"no pass None [x None, y None, z Some(1.0)] failed [] gates [] unscored []"#
            ]],
        );
    }

    #[test]
    fn rounding_never_fails_a_transcript_that_reached_the_threshold() {
        assert!(reaches(0.1 + 0.7, 0.8));
        assert!(reaches(0.8 - 1e-12, 0.8));
        assert!(!reaches(0.799, 0.8));
    }
}
