//! Several judges → one scorecard (SPEC 5.6, 5.7).
//!
//! Invariant: a transcript stands `passed` only when every gate was answered
//! well by every judge and nothing is unscored, whatever the aggregation.

use std::collections::BTreeMap;

use crate::config::Aggregation;
use crate::rubric::{Ask, Criterion, Rubric};
use crate::transcript::Transcript;

use super::score::{self, Coverage, JudgeScorecard, Mark};
use super::{JudgeOutcomes, Outcome, Unscored, UnscoredReason, asked};

/// The entry's name where no judge had to be asked.
pub const CHECKS: &str = "checks";

/// Judges whose scores lie further apart than this disagree.
pub const SPREAD_LIMIT: f64 = 0.15;

/// What came of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A gate was answered NO, or NA where that is no answer.
    Gated,
    /// Fewer exchanges than the rubric wants.
    TooShort,
    /// Something is unscored.
    Incomplete,
    /// Scored, and below the threshold.
    Failed,
    /// Passed on every judge.
    Passed,
}

impl Standing {
    /// The spelling in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gated => "gated",
            Self::TooShort => "too-short",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Passed => "passed",
        }
    }
}

/// The numbers of one transcript, over all judges.
#[derive(Clone, Debug, PartialEq)]
pub struct Scorecard {
    /// What came of it.
    pub standing: Standing,
    /// The lowest score (the majority's, where that is asked for).
    pub score: Option<f64>,
    /// The score that passes.
    pub threshold: f64,
    /// How much of the rubric applied.
    pub coverage: Coverage,
    /// The lowest per category (or the majority's), in rubric order.
    pub category_scores: Vec<(String, Option<f64>)>,
    /// The worst answer per asked criterion, in rubric order. Always the worst:
    /// a majority hides nothing that a judge said.
    pub answers: Vec<(String, Mark)>,
    /// NO or invalid NA from any judge, in rubric order.
    pub failed_checks: Vec<String>,
    /// Gates failed on any judge: NO, invalid NA or unscored.
    pub failed_safety: Vec<String>,
    /// Unscored on any judge, in rubric order.
    pub unscored: Vec<String>,
    /// Criteria on which two judges differ among YES, NO and NA.
    pub splits: Vec<String>,
    /// Highest score minus lowest; `None` when no judge has a score.
    pub spread: Option<f64>,
    /// Complete exchanges.
    pub exchanges: usize,
    /// One entry a judge; [`CHECKS`] where none had to be asked.
    pub judges: Vec<JudgeScorecard>,
}

impl Scorecard {
    /// A split, or a spread over [`SPREAD_LIMIT`].
    #[must_use]
    pub fn disagreement(&self) -> bool {
        !self.splits.is_empty() || self.spread.is_some_and(|s| s > SPREAD_LIMIT + 1e-9)
    }

    /// True only for `passed`.
    #[must_use]
    pub fn pass(&self) -> bool {
        self.standing == Standing::Passed
    }
}

/// Scores a transcript. `checks` are the outcomes of the computed criteria;
/// `judges` what each configured judge said (empty when none is configured).
#[must_use]
pub fn scorecard(
    rubric: &Rubric,
    transcript: &Transcript,
    checks: &BTreeMap<String, Outcome>,
    judges: &[JudgeOutcomes],
    aggregation: Aggregation,
) -> Scorecard {
    let exchanges = transcript.complete_exchanges();
    let checks_alone = rubric.criteria.iter().all(|c| !c.is_question());
    let judges: Vec<JudgeScorecard> = if checks_alone || judges.is_empty() {
        vec![score::score(rubric, exchanges, checks, &unjudged(rubric, exchanges))]
    } else {
        judges.iter().map(|j| score::score(rubric, exchanges, checks, j)).collect()
    };
    let asked: Vec<&Criterion> = asked::asked(rubric, exchanges).collect();
    let decided = match aggregation {
        Aggregation::Strictest => strictest(&judges),
        Aggregation::Majority => majority(rubric, exchanges, &asked, &judges),
    };
    let of_any = |list: fn(&JudgeScorecard) -> &Vec<String>| -> Vec<String> {
        let any = |c: &&&Criterion| judges.iter().any(|j| list(j).contains(&c.id));
        asked.iter().filter(any).map(|c| c.id.clone()).collect()
    };
    Scorecard {
        standing: standing(rubric, exchanges, &asked, &judges, decided.pass),
        score: decided.score,
        threshold: rubric.pass_threshold,
        coverage: Coverage { asked: asked.len(), total: rubric.criteria.len() },
        category_scores: decided.category_scores,
        answers: worst(&asked, &judges),
        failed_checks: of_any(|j| &j.failed_checks),
        failed_safety: of_any(|j| &j.failed_safety),
        unscored: of_any(|j| &j.unscored),
        splits: splits(&asked, &judges),
        spread: spread(&judges),
        exchanges,
        judges,
    }
}

/// The one entry of a rubric that needs no judge, or has none to ask.
fn unjudged(rubric: &Rubric, exchanges: usize) -> JudgeOutcomes {
    let no_judge = || {
        Outcome::Unscored(Unscored {
            reason: UnscoredReason::NoJudge,
            detail: "no judge is configured: add a [[judge]] to rubricator.toml".into(),
        })
    };
    let questions = asked::asked(rubric, exchanges).filter(|c| matches!(c.ask, Ask::Question(_)));
    JudgeOutcomes {
        judge: CHECKS.into(),
        outcomes: questions.map(|c| (c.id.clone(), no_judge())).collect(),
        cached: true,
        recorded: false,
    }
}

/// What the judges decide together.
struct Decided {
    pass: bool,
    score: Option<f64>,
    category_scores: Vec<(String, Option<f64>)>,
}

/// Passes when all pass; the lowest of every number.
fn strictest(judges: &[JudgeScorecard]) -> Decided {
    let lowest = |values: &mut dyn Iterator<Item = Option<f64>>| values.flatten().reduce(f64::min);
    let categories = judges.first().map_or(&[][..], |j| &j.category_scores);
    let category_scores = categories
        .iter()
        .enumerate()
        .map(|(i, (id, _))| {
            let of_judges = &mut judges.iter().map(|j| j.category_scores[i].1);
            (id.clone(), lowest(of_judges))
        })
        .collect();
    Decided {
        pass: judges.iter().all(|j| j.pass),
        score: lowest(&mut judges.iter().map(|j| j.score)),
        category_scores,
    }
}

/// The majority of scored answers per criterion; a tie is NO; gates stay strictest.
fn majority(
    rubric: &Rubric,
    exchanges: usize,
    asked: &[&Criterion],
    judges: &[JudgeScorecard],
) -> Decided {
    let marks: Vec<(&Criterion, Mark)> = asked
        .iter()
        .enumerate()
        .map(|(i, &criterion)| {
            let said = || judges.iter().map(|j| j.answers[i].1);
            let mark = if criterion.gate {
                said().max_by_key(|m| (m.fails(criterion), *m))
            } else {
                Some(most(said()))
            };
            (criterion, mark.unwrap_or(Mark::Unscored))
        })
        .collect();
    let card = score::card(rubric, exchanges, &marks, JudgeOutcomes::default());
    Decided { pass: card.pass, score: card.score, category_scores: card.category_scores }
}

fn most(marks: impl Iterator<Item = Mark> + Clone) -> Mark {
    let count = |mark| marks.clone().filter(|m| *m == mark).count();
    let mut counts = [Mark::Yes, Mark::No, Mark::Na].map(|mark| (count(mark), mark));
    counts.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    match counts {
        [(0, _), ..] => Mark::Unscored,
        [(first, _), (second, _), _] if first == second => Mark::No,
        [(_, mark), ..] => mark,
    }
}

/// The first that applies (SPEC 5.6).
fn standing(
    rubric: &Rubric,
    exchanges: usize,
    asked: &[&Criterion],
    judges: &[JudgeScorecard],
    pass: bool,
) -> Standing {
    let gate_failed = asked.iter().enumerate().any(|(i, criterion)| {
        criterion.gate && judges.iter().any(|j| j.answers[i].1.fails(criterion))
    });
    if gate_failed {
        Standing::Gated
    } else if asked::too_short(rubric, exchanges) {
        Standing::TooShort
    } else if judges.iter().any(|j| !j.unscored.is_empty()) {
        Standing::Incomplete
    } else if pass {
        Standing::Passed
    } else {
        Standing::Failed
    }
}

fn worst(asked: &[&Criterion], judges: &[JudgeScorecard]) -> Vec<(String, Mark)> {
    let worst = |i: usize| judges.iter().map(|j| j.answers[i].1).max().unwrap_or(Mark::Unscored);
    asked.iter().enumerate().map(|(i, c)| (c.id.clone(), worst(i))).collect()
}

fn splits(asked: &[&Criterion], judges: &[JudgeScorecard]) -> Vec<String> {
    let split = |i: usize| {
        let mut scored =
            judges.iter().map(|j| j.answers[i].1).filter(|mark| *mark != Mark::Unscored);
        scored.next().is_some_and(|first| scored.any(|mark| mark != first))
    };
    let split_ones = asked.iter().enumerate().filter(|(i, _)| split(*i));
    split_ones.map(|(_, criterion)| criterion.id.clone()).collect()
}

fn spread(judges: &[JudgeScorecard]) -> Option<f64> {
    let scores = || judges.iter().filter_map(|j| j.score);
    Some(scores().reduce(f64::max)? - scores().reduce(f64::min)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{answered, criterion, rubric, said, transcript};
    use crate::rubric::Verdict;
    use expect_test::{Expect, expect};

    fn show(card: &Scorecard) -> String {
        let answers: Vec<String> =
            card.answers.iter().map(|(id, m)| format!("{id}={}", m.name())).collect();
        format!(
            "{} {:?} {} | failed {:?} gates {:?} unscored {:?} splits {:?} spread {:?}{} | {}",
            card.standing.name(),
            card.score.map(|s| (s * 1000.0).round() / 1000.0),
            answers.join(" "),
            card.failed_checks,
            card.failed_safety,
            card.unscored,
            card.splits,
            card.spread.map(|s| (s * 1000.0).round() / 1000.0),
            if card.disagreement() { " DISAGREE" } else { "" },
            card.judges.iter().map(|j| j.said.judge.as_str()).collect::<Vec<_>>().join(" "),
        )
    }

    fn check_with(rubric: &Rubric, how: Aggregation, judges: &[&str], expected: Expect) {
        let names = ["a", "b", "c", "d"];
        let judges: Vec<JudgeOutcomes> =
            judges.iter().zip(names).map(|(answers, name)| said(name, answers)).collect();
        let checks = BTreeMap::from([("K".to_owned(), answered(Verdict::Yes))]);
        let card = scorecard(rubric, &transcript(4), &checks, &judges, how);
        expected.assert_eq(&show(&card));
    }

    fn check(judges: &[&str], expected: Expect) {
        check_with(&sample(), Aggregation::Strictest, judges, expected);
    }

    fn sample() -> Rubric {
        rubric(vec![
            criterion("A"),
            criterion("B").na_valid(),
            criterion("C"),
            criterion("D"),
            criterion("G").gate(),
        ])
    }

    #[test]
    fn passed_only_when_it_passes_on_every_judge() {
        let all = "A=YES B=YES C=YES D=YES G=YES";
        check(
            &[all, all],
            expect![[
                r#"passed Some(1.0) A=YES B=YES C=YES D=YES G=YES | failed [] gates [] unscored [] splits [] spread Some(0.0) | a b"#
            ]],
        );
        check(
            &[all, "A=NO B=NA C=NO D=YES G=YES"],
            expect![[
                r#"failed Some(0.5) A=NO B=YES C=NO D=YES G=YES | failed ["A", "C"] gates [] unscored [] splits ["A", "B", "C"] spread Some(0.5) DISAGREE | a b"#
            ]],
        );
    }

    #[test]
    fn standings_apply_in_order() {
        check(
            &["A=YES G=NO"],
            expect![[
                r#"gated Some(0.2) A=YES B=UNSCORED C=UNSCORED D=UNSCORED G=NO | failed ["G"] gates ["G"] unscored ["B", "C", "D"] splits [] spread Some(0.0) | a"#
            ]],
        );
        check(
            &["A=YES B=YES C=YES D=YES G=YES", "A=YES B=YES C=YES D=YES G=-"],
            expect![[
                r#"incomplete Some(0.8) A=YES B=YES C=YES D=YES G=UNSCORED | failed [] gates ["G"] unscored ["G"] splits [] spread Some(0.2) DISAGREE | a b"#
            ]],
        );
        let mut short = sample();
        short.min_exchanges = 9;
        check_with(
            &short,
            Aggregation::Strictest,
            &["G=-"],
            expect![[
                r#"too-short None G=UNSCORED | failed [] gates ["G"] unscored ["G"] splits [] spread None | a"#
            ]],
        );
        check_with(
            &short,
            Aggregation::Strictest,
            &["G=NA"],
            expect![[
                r#"gated None G=NA | failed ["G"] gates ["G"] unscored [] splits [] spread None | a"#
            ]],
        );
    }

    #[test]
    fn a_majority_decides_but_never_over_a_gate() {
        let yes = "A=YES B=YES C=YES D=YES G=YES";
        let how = Aggregation::Majority;
        check_with(
            &sample(),
            how,
            &[yes, yes, "A=NO B=NA C=NO D=NO G=YES"],
            expect![[
                r#"passed Some(1.0) A=NO B=YES C=NO D=NO G=YES | failed ["A", "C", "D"] gates [] unscored [] splits ["A", "B", "C", "D"] spread Some(0.75) DISAGREE | a b c"#
            ]],
        );
        check_with(
            &sample(),
            how,
            &[yes, "A=NO B=YES C=NO D=YES G=YES"],
            expect![[
                r#"failed Some(0.6) A=NO B=YES C=NO D=YES G=YES | failed ["A", "C"] gates [] unscored [] splits ["A", "C"] spread Some(0.4) DISAGREE | a b"#
            ]],
        );
        check_with(
            &sample(),
            how,
            &[yes, yes, "A=YES B=YES C=YES D=YES G=NO"],
            expect![[
                r#"gated Some(0.8) A=YES B=YES C=YES D=YES G=NO | failed ["G"] gates ["G"] unscored [] splits ["G"] spread Some(0.2) DISAGREE | a b c"#
            ]],
        );
        check_with(
            &sample(),
            how,
            &[yes, yes, "A=- B=YES C=YES D=YES G=YES"],
            expect![[
                r#"incomplete Some(1.0) A=UNSCORED B=YES C=YES D=YES G=YES | failed [] gates [] unscored ["A"] splits [] spread Some(0.2) DISAGREE | a b c"#
            ]],
        );
    }

    #[test]
    fn without_a_judge_questions_are_unscored_and_checks_stand_alone() {
        check(
            &[],
            expect![[
                r#"incomplete Some(0.0) A=UNSCORED B=UNSCORED C=UNSCORED D=UNSCORED G=UNSCORED | failed [] gates ["G"] unscored ["A", "B", "C", "D", "G"] splits [] spread Some(0.0) | checks"#
            ]],
        );
        let computed = rubric(vec![criterion("K").computed()]);
        check_with(
            &computed,
            Aggregation::Strictest,
            &["", ""],
            expect![[
                r#"passed Some(1.0) K=YES | failed [] gates [] unscored [] splits [] spread Some(0.0) | checks"#
            ]],
        );
        let mixed = rubric(vec![criterion("K").computed(), criterion("A")]);
        check_with(
            &mixed,
            Aggregation::Strictest,
            &["A=YES", "A=NO"],
            expect![[
                r#"failed Some(0.5) K=YES A=NO | failed ["A"] gates [] unscored [] splits ["A"] spread Some(0.5) DISAGREE | a b"#
            ]],
        );
    }
}
