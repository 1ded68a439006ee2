//! How far a judge can be trusted on a criterion, measured against human answers.
//!
//! A *failure* (NO) is what a judge is there to find, so NO is the positive:
//! TPR is the share of human NOs it finds, TNR the share of human YESes it leaves
//! alone. NA on either side is left out: it says that the question does not apply,
//! not how well it was answered.
//!
//! Sources: Cohen's kappa (1960); Wilson's score interval (1927); the prevalence
//! corrected for a test's errors after Rogan & Gladen (1978) with the interval of
//! Lang & Reiczigel (2014), *Preventive Veterinary Medicine* 113(1); the effective
//! number of independent raters `n / (1 + (n - 1) r)` after Kish's design effect.
//!
//! Invariant: below [`ENOUGH`] marks nothing is estimated, and what is missing is said.

use crate::rubric::Verdict;

/// Marks below which nothing is estimated.
pub const ENOUGH: usize = 20;
/// The standard normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// How often judge and human said what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Both said NO.
    pub both_no: usize,
    /// The judge said NO, the human YES: a false alarm.
    pub judge_no: usize,
    /// The judge said YES, the human NO: a miss.
    pub human_no: usize,
    /// Both said YES.
    pub both_yes: usize,
}

/// A number between two bounds, at 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// What can be said of a judge on a criterion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    /// The counts.
    pub confusion: Confusion,
    /// Agreement beyond chance; `None` where chance alone explains everything
    /// (both always say the same one thing).
    pub kappa: Option<f64>,
    /// Human NOs that the judge found; `None` when there is none.
    pub tpr: Option<f64>,
    /// Human YESes that the judge left alone; `None` when there is none.
    pub tnr: Option<f64>,
}

/// Too few marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// Marks there are.
    pub marks: usize,
}

impl TooFew {
    /// Marks that are missing.
    #[must_use]
    pub const fn missing(self) -> usize {
        ENOUGH - self.marks
    }
}

impl Confusion {
    /// Counts pairs of (judge, human); pairs with an NA are left out.
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (Verdict, Verdict)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            match pair {
                (Verdict::No, Verdict::No) => counts.both_no += 1,
                (Verdict::No, Verdict::Yes) => counts.judge_no += 1,
                (Verdict::Yes, Verdict::No) => counts.human_no += 1,
                (Verdict::Yes, Verdict::Yes) => counts.both_yes += 1,
                (Verdict::Na, _) | (_, Verdict::Na) => {}
            }
        }
        counts
    }

    /// Pairs counted.
    #[must_use]
    pub const fn total(self) -> usize {
        self.both_no + self.judge_no + self.human_no + self.both_yes
    }

    /// What follows from it.
    ///
    /// # Errors
    /// When there are fewer marks than [`ENOUGH`].
    pub fn trust(self) -> Result<Trust, TooFew> {
        if self.total() < ENOUGH {
            return Err(TooFew { marks: self.total() });
        }
        let share = |part: usize, other: usize| {
            (part + other > 0).then(|| part as f64 / (part + other) as f64)
        };
        Ok(Trust {
            confusion: self,
            kappa: self.kappa(),
            tpr: share(self.both_no, self.human_no),
            tnr: share(self.both_yes, self.judge_no),
        })
    }

    fn kappa(self) -> Option<f64> {
        let total = self.total() as f64;
        let agreed = (self.both_no + self.both_yes) as f64 / total;
        let judge_no = (self.both_no + self.judge_no) as f64 / total;
        let human_no = (self.both_no + self.human_no) as f64 / total;
        let chance = judge_no * human_no + (1.0 - judge_no) * (1.0 - human_no);
        (chance < 1.0).then(|| (agreed - chance) / (1.0 - chance))
    }
}

/// Wilson's interval of a share; `None` of nothing.
#[must_use]
pub fn wilson(part: usize, of: usize) -> Option<Interval> {
    if of == 0 {
        return None;
    }
    let (n, p) = (of as f64, part as f64 / of as f64);
    let scale = 1.0 / (1.0 + Z * Z / n);
    let middle = (p + Z * Z / (2.0 * n)) * scale;
    let half = Z * scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(Interval { value: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
}

impl Trust {
    /// The share of transcripts that truly hold the criterion, corrected for the
    /// judge's errors; `passed` of `judged` had YES from it. `None` where its
    /// answers carry no information (TPR + TNR <= 1, or one of them unknown).
    #[must_use]
    pub fn corrected_pass_rate(&self, passed: usize, judged: usize) -> Option<Interval> {
        let counts = self.confusion;
        if judged == 0 || self.tpr? + self.tnr? <= 1.0 {
            return None;
        }
        let (humans_no, humans_yes) =
            (counts.both_no + counts.human_no, counts.both_yes + counts.judge_no);
        let failed = (judged - passed.min(judged)) as f64;
        // Rogan & Gladen: the prevalence of failures behind the observed share.
        let prevalence =
            |observed: f64, tpr: f64, tnr: f64| (observed + tnr - 1.0) / (tpr + tnr - 1.0);
        let value = prevalence(failed / judged as f64, self.tpr?, self.tnr?);
        // Lang & Reiczigel: add z²/2 to each class of the observed share, 1 to each
        // class of the two calibration samples, and spread by the delta method.
        let n = judged as f64 + Z * Z;
        let observed = (failed + Z * Z / 2.0) / n;
        let tpr = (counts.both_no as f64 + 1.0) / (humans_no as f64 + 2.0);
        let tnr = (counts.both_yes as f64 + 1.0) / (humans_yes as f64 + 2.0);
        let spread = tpr + tnr - 1.0;
        if spread <= 0.0 {
            return None;
        }
        let middle = prevalence(observed, tpr, tnr);
        let shift = 2.0
            * Z
            * Z
            * (middle * tpr * (1.0 - tpr) / (humans_no as f64 + 2.0)
                - (1.0 - middle) * tnr * (1.0 - tnr) / (humans_yes as f64 + 2.0));
        let variance = (observed * (1.0 - observed) / n
            + middle * middle * tpr * (1.0 - tpr) / (humans_no as f64 + 2.0)
            + (1.0 - middle) * (1.0 - middle) * tnr * (1.0 - tnr) / (humans_yes as f64 + 2.0))
            / (spread * spread);
        let (low, high) =
            (middle + shift - Z * variance.sqrt(), middle + shift + Z * variance.sqrt());
        let pass = |failing: f64| (1.0 - failing).clamp(0.0, 1.0);
        Some(Interval { value: pass(value), low: pass(high), high: pass(low) })
    }
}

/// How many independent judges these are worth: `n / (1 + (n - 1) r)`, where `r`
/// is the mean correlation of their answers (NO = 1, YES = 0) over the transcripts
/// that all of them answered. `None` for fewer than two judges or [`ENOUGH`] answers,
/// or where no two of them vary.
#[must_use]
pub fn effective_judges(answers: &[Vec<Verdict>]) -> Option<f64> {
    let judges = answers.len();
    let rows = answers.iter().map(Vec::len).min().unwrap_or(0);
    let whole = |i: &usize| answers.iter().all(|judge| judge[*i] != Verdict::Na);
    let rows: Vec<usize> = (0..rows).filter(whole).collect();
    if judges < 2 || rows.len() < ENOUGH {
        return None;
    }
    let number = |verdict: Verdict| f64::from(u8::from(verdict == Verdict::No));
    let column = |judge: usize| rows.iter().map(|&i| number(answers[judge][i])).collect::<Vec<_>>();
    let columns: Vec<Vec<f64>> = (0..judges).map(column).collect();
    let pairs = (0..judges).flat_map(|a| (a + 1..judges).map(move |b| (a, b)));
    let known: Vec<f64> =
        pairs.filter_map(|(a, b)| correlation(&columns[a], &columns[b])).collect();
    if known.is_empty() {
        return None;
    }
    let mean = (known.iter().sum::<f64>() / known.len() as f64).max(0.0);
    Some(judges as f64 / (1.0 + (judges as f64 - 1.0) * mean))
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let mean = |of: &[f64]| of.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
    };
    let spread = (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt();
    (spread > 0.0).then(|| product(a, mean_a, b, mean_b) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::Verdict::{Na, No, Yes};

    fn counts(both_no: usize, judge_no: usize, human_no: usize, both_yes: usize) -> Confusion {
        Confusion { both_no, judge_no, human_no, both_yes }
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 5e-7, "{found} is not {wanted}");
    }

    fn interval(found: Option<Interval>, wanted: [f64; 3]) {
        let found = found.expect("there is one");
        near(found.value, wanted[0]);
        near(found.low, wanted[1]);
        near(found.high, wanted[2]);
    }

    #[test]
    fn pairs_are_counted_and_na_is_left_out() {
        let pairs = [(No, No), (No, Yes), (Yes, No), (Yes, Yes), (Na, No), (Yes, Na)];
        assert_eq!(Confusion::of(pairs), counts(1, 1, 1, 1));
    }

    #[test]
    fn too_few_marks_are_refused_with_what_is_missing() {
        assert_eq!(counts(5, 1, 1, 12).trust().unwrap_err().missing(), 1);
        assert!(counts(5, 1, 1, 13).trust().is_ok());
    }

    #[test]
    fn kappa_is_cohens() {
        // The textbook's own example.
        near(counts(20, 5, 10, 15).trust().unwrap().kappa.unwrap(), 0.4);
        near(counts(9, 1, 2, 18).trust().unwrap().kappa.unwrap(), 0.780_487_8);
        // Agreement that chance alone explains is none at all.
        assert_eq!(counts(0, 0, 0, 30).trust().unwrap().kappa, None);
        near(counts(0, 10, 10, 0).trust().unwrap().kappa.unwrap(), -1.0);
    }

    #[test]
    fn rates_are_none_where_nothing_could_be_found() {
        let trust = counts(0, 2, 0, 18).trust().unwrap();
        assert_eq!((trust.tpr, trust.tnr), (None, Some(0.9)));
        assert_eq!(trust.corrected_pass_rate(5, 10), None);
        let coin = counts(5, 5, 5, 5).trust().unwrap();
        assert_eq!(coin.corrected_pass_rate(5, 10), None, "a coin says nothing");
    }

    // The numbers below were computed apart from this code, from the formulas as published.

    #[test]
    fn wilsons_interval_is_the_published_one() {
        interval(wilson(8, 10), [0.8, 0.490_162, 0.943_318]);
        interval(wilson(0, 10), [0.0, 0.0, 0.277_533]);
        interval(wilson(10, 10), [1.0, 0.722_467, 1.0]);
        interval(wilson(37, 50), [0.74, 0.604_468, 0.841_285]);
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn the_corrected_rate_is_the_published_one() {
        let trust = counts(9, 1, 2, 18).trust().unwrap();
        interval(trust.corrected_pass_rate(70, 100), [0.676_875, 0.461_495, 0.886_097]);
        let strict = counts(10, 2, 1, 12).trust().unwrap();
        interval(strict.corrected_pass_rate(38, 40), [1.0, 0.884_255, 1.0]);
        let perfect = counts(10, 0, 0, 20).trust().unwrap();
        near(perfect.corrected_pass_rate(7, 10).unwrap().value, 0.7);
    }

    #[test]
    fn copies_of_one_judge_are_one_judge() {
        let answers: Vec<Verdict> = (0..40).map(|n| if n % 3 == 0 { No } else { Yes }).collect();
        let copies = vec![answers.clone(), answers.clone(), answers.clone()];
        near(effective_judges(&copies).unwrap(), 1.0);
        // Every combination equally often: no correlation at all.
        let first = (0..40).map(|n| if n % 2 == 0 { No } else { Yes }).collect();
        let second = (0..40).map(|n| if n / 2 % 2 == 0 { No } else { Yes }).collect();
        near(effective_judges(&[first, second]).unwrap(), 2.0);
        assert_eq!(effective_judges(std::slice::from_ref(&answers)), None);
        let short = answers[..10].to_vec();
        assert_eq!(effective_judges(&[short.clone(), short]), None, "too few answers");
        let constant = vec![Yes; 40];
        assert_eq!(effective_judges(&[constant.clone(), constant]), None, "nobody varies");
    }
}
