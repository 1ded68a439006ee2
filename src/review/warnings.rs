//! What is worth knowing before a batch is taken for good, beside its gate: signs
//! that the rubric, the judges or the prompts are not what they seem.
//!
//! Invariant: a warning never changes a decision. The numbers are the workflow's
//! (WR17, WR19, WR21, WR22, WR77), counted so that exactly 80 % agreement and
//! exactly 30 % fixups are no warning.

use crate::assessment::trust::wilson;
use crate::assessment::{JudgeScorecard, Scorecard};
use crate::rubric::Rubric;

use super::next::is_perfect;

/// Transcripts in a row that nobody has read, from which a spot-check is due, and overdue.
const SPOT_CHECK: (usize, usize) = (20, 50);
/// Batches whose pass rates are looked at for stability.
const BATCHES: usize = 3;

/// What is kept of one transcript to warn by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// It passed with a perfect score.
    pub perfect: bool,
    /// Criteria that two judges or more answered.
    pub compared: usize,
    /// Of them, those on which they differ.
    pub split: usize,
    /// Judges that were asked.
    pub judges: usize,
    /// A reply of it was rewritten.
    pub fixed: bool,
    /// Somebody has read it as it stands.
    pub read: bool,
}

/// One batch's pass rate as counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The batch.
    pub batch: String,
    /// Transcripts that passed.
    pub passed: usize,
    /// Transcripts that are not too short.
    pub counted: usize,
}

/// One warning.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// So many of all have a perfect score.
    Perfect(usize, usize),
    /// The pass rate fell: from, to.
    Drift(f64, f64),
    /// Only one judge is asked.
    OneJudge,
    /// So many of all had a reply rewritten.
    Fixups(usize, usize),
    /// So many in a row were read by nobody.
    SpotCheck(usize),
    /// Questions without a calibration example.
    NoExamples(Vec<String>),
    /// The judges agree on this share of the answers.
    Disagreement(f64),
}

impl Sample {
    /// What the scores say; whether it was rewritten or read is not among them.
    #[must_use]
    pub fn of(card: &Scorecard) -> Self {
        let answered = |id: &str| {
            let has =
                |j: &&JudgeScorecard| j.said.outcomes.get(id).is_some_and(|o| o.answer().is_some());
            card.judges.iter().filter(has).count() > 1
        };
        Self {
            perfect: is_perfect(card),
            compared: card.answers.iter().filter(|(id, _)| answered(id)).count(),
            split: card.splits.len(),
            judges: card.judges.len(),
            ..Self::default()
        }
    }
}

impl Rate {
    /// Passed over all but too short.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.counted > 0).then(|| self.passed as f64 / self.counted as f64)
    }

    /// At least 70 %.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.counted > 0 && self.passed * 10 >= self.counted * 7
    }
}

impl Warning {
    /// A name for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Perfect(..) => "perfect-scores",
            Self::Drift(..) => "pass-rate-drift",
            Self::OneJudge => "one-judge",
            Self::Fixups(..) => "many-fixups",
            Self::SpotCheck(_) => "spot-check-due",
            Self::NoExamples(_) => "no-calibration-examples",
            Self::Disagreement(_) => "judges-disagree",
        }
    }

    /// What it is, and what to do about it.
    #[must_use]
    pub fn words(&self) -> String {
        let percent = |share: &f64| format!("{:.0} %", share * 100.0);
        match self {
            Self::Perfect(n, all) => format!(
                "{n} of {all} have a perfect score: read them; is the rubric strict enough?"
            ),
            Self::Drift(from, to) => format!(
                "the pass rate drifts down, from {} to {}: look at what changed in the prompts",
                percent(from),
                percent(to)
            ),
            Self::OneJudge => "one judge only: a second one would show where it is wrong".into(),
            Self::Fixups(n, all) => {
                format!("{n} of {all} needed fixups, over 30 %: revise the generation prompts")
            }
            Self::SpotCheck(n) => {
                let due = if *n > SPOT_CHECK.1 { "overdue" } else { "due" };
                format!("a spot-check is {due}: {n} in a row unread, one in 20 to 50 is wanted")
            }
            Self::NoExamples(ids) => format!("no calibration examples in {}", ids.join(", ")),
            Self::Disagreement(share) => format!(
                "the judges agree on {} of the answers, under 80 %: add calibration examples where they split",
                percent(share)
            ),
        }
    }
}

/// What is to be said of one batch. `samples` are in the order of the files.
#[must_use]
pub fn of_batch(samples: &[Sample], rubric: &Rubric) -> Vec<Warning> {
    let all = samples.len();
    let count = |is: fn(&Sample) -> bool| samples.iter().filter(|s| is(s)).count();
    let mut warnings = Vec::new();
    let perfect = count(|s| s.perfect);
    if perfect > 0 {
        warnings.push(Warning::Perfect(perfect, all));
    }
    let questions = || rubric.criteria.iter().filter(|c| c.is_question());
    if questions().next().is_some() && all > 0 && samples.iter().all(|s| s.judges < 2) {
        warnings.push(Warning::OneJudge);
    }
    let compared: usize = samples.iter().map(|s| s.compared).sum();
    let split: usize = samples.iter().map(|s| s.split).sum();
    if compared > 0 && split * 5 > compared {
        warnings.push(Warning::Disagreement(1.0 - split as f64 / compared as f64));
    }
    let fixed = count(|s| s.fixed);
    if fixed * 10 > all * 3 {
        warnings.push(Warning::Fixups(fixed, all));
    }
    let unread = samples.split(|s| s.read).map(<[Sample]>::len).max().unwrap_or(0);
    if unread >= SPOT_CHECK.0 {
        warnings.push(Warning::SpotCheck(unread));
    }
    let bare: Vec<String> =
        questions().filter(|c| c.examples.is_empty()).map(|c| c.id.clone()).collect();
    if !bare.is_empty() {
        warnings.push(Warning::NoExamples(bare));
    }
    warnings
}

/// Whether the last batch passed less than those before: by ten points at least over
/// two falls in a row, or by more than chance explains. Batches in order.
#[must_use]
pub fn drift(batches: &[Rate]) -> Option<Warning> {
    let rates: Vec<&Rate> = batches.iter().filter(|rate| rate.counted > 0).collect();
    let (last, earlier) = rates.split_last()?;
    let now = last.share()?;
    if let [.., a, b] = earlier {
        let (first, second) = (a.share()?, b.share()?);
        if first > second && second > now && first - now >= 0.1 - 1e-9 {
            return Some(Warning::Drift(first, now));
        }
    }
    let passed: usize = earlier.iter().map(|rate| rate.passed).sum();
    let counted: usize = earlier.iter().map(|rate| rate.counted).sum();
    let before = wilson(passed, counted)?;
    let likely = wilson(last.passed, last.counted)?;
    // The two intervals do not even touch.
    (likely.high < before.low).then_some(Warning::Drift(before.value, now))
}

/// The last three batches each passed at 70 % or more, and do not drift down; else
/// what is missing for that.
///
/// # Errors
/// What is missing, as a sentence.
pub fn stable(batches: &[Rate]) -> Result<(), String> {
    let rates: Vec<Rate> = batches.iter().filter(|rate| rate.counted > 0).cloned().collect();
    let last = &rates[rates.len().saturating_sub(BATCHES)..];
    let low: Vec<String> = last
        .iter()
        .filter(|rate| !rate.is_enough())
        .map(|rate| format!("{} ({} of {} passed)", rate.batch, rate.passed, rate.counted))
        .collect();
    if !low.is_empty() {
        return Err(format!("under 70 %: {}", low.join(", ")));
    }
    if last.len() < BATCHES {
        return Err(format!("{} of {BATCHES} batches to tell by", last.len()));
    }
    drift(&rates).map_or(Ok(()), |warning| Err(warning.words()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{criterion, rubric};
    use expect_test::{Expect, expect};

    /// A letter a transcript: p(erfect) f(ixed) s(plit: one of four answers) .(nothing);
    /// upper case is unread.
    fn check(letters: &str, judges: usize, expected: Expect) {
        let sample = |letter: char| Sample {
            perfect: letter.eq_ignore_ascii_case(&'p'),
            compared: if judges > 1 { 4 } else { 0 },
            split: usize::from(letter.eq_ignore_ascii_case(&'s')),
            judges,
            fixed: letter.eq_ignore_ascii_case(&'f'),
            read: letter.is_ascii_lowercase() || letter == '.',
        };
        let samples: Vec<Sample> = letters.chars().map(sample).collect();
        let mut one = criterion("A");
        one.examples.clear();
        let found = of_batch(&samples, &rubric(vec![one]));
        let lines: Vec<String> = found.iter().map(Warning::words).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn each_sign_is_named_with_what_to_do() {
        check(
            "pp..ffff..",
            1,
            expect![[r#"
            2 of 10 have a perfect score: read them; is the rubric strict enough?
            one judge only: a second one would show where it is wrong
            4 of 10 needed fixups, over 30 %: revise the generation prompts
            no calibration examples in A"#]],
        );
        check(
            "sss",
            2,
            expect![[r#"
            the judges agree on 75 % of the answers, under 80 %: add calibration examples where they split
            no calibration examples in A"#]],
        );
        check("fff.......", 2, expect!["no calibration examples in A"]);
        check("ssss.", 2, expect!["no calibration examples in A"]);
        let unread = "X".repeat(20);
        check(
            &format!("{unread}x"),
            2,
            expect![[r#"
            a spot-check is due: 20 in a row unread, one in 20 to 50 is wanted
            no calibration examples in A"#]],
        );
        check(
            &format!("{unread}{unread}{unread}"),
            2,
            expect![[r#"
            a spot-check is overdue: 60 in a row unread, one in 20 to 50 is wanted
            no calibration examples in A"#]],
        );
        check(
            &format!("{}x{}", &unread[1..], &unread[1..]),
            2,
            expect!["no calibration examples in A"],
        );
    }

    fn rates(all: &[(usize, usize)]) -> Vec<Rate> {
        let rate = |(n, (passed, counted)): (usize, &(usize, usize))| Rate {
            batch: format!("b{}", n + 1),
            passed: *passed,
            counted: *counted,
        };
        all.iter().enumerate().map(rate).collect()
    }

    #[test]
    fn a_fall_beyond_chance_or_two_in_a_row_is_drift() {
        let drift = |all: &[(usize, usize)]| drift(&rates(all)).map(|w| w.words());
        assert_eq!(drift(&[(5, 5), (4, 5)]), None, "one of five is chance");
        assert_eq!(drift(&[(95, 100), (4, 5)]), None);
        assert!(drift(&[(5, 5), (4, 5), (3, 5)]).unwrap().contains("from 100 % to 60 %"));
        assert!(drift(&[(95, 100), (60, 100)]).unwrap().contains("from 95 % to 60 %"));
        assert_eq!(drift(&[(50, 100), (49, 100), (48, 100)]), None, "two points are nothing");
        assert_eq!(drift(&[(0, 0)]), None);
    }

    #[test]
    fn three_batches_at_seventy_percent_are_stable() {
        let stable = |all: &[(usize, usize)]| stable(&rates(all));
        assert_eq!(stable(&[(0, 5), (7, 10), (8, 10), (7, 10)]), Ok(()));
        assert_eq!(stable(&[(7, 10), (0, 0), (8, 10)]), Err("2 of 3 batches to tell by".into()));
        assert_eq!(
            stable(&[(8, 10), (6, 10), (8, 10)]),
            Err("under 70 %: b2 (6 of 10 passed)".into())
        );
        assert!(stable(&[(10, 10), (9, 10), (8, 10)]).unwrap_err().contains("drifts down"));
        assert_eq!(stable(&[]), Err("0 of 3 batches to tell by".into()));
    }
}
