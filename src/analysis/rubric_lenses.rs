//! Lenses of a rubric: what became of each criterion, and what assessing the
//! whole project with it would take.
//!
//! Invariant: pure over what was counted; a criterion nobody has answered yet
//! has no rate, never one of zero.

use super::hints::counted;
use super::hover::escape;
use crate::assessment::statistics::Counted;
use crate::assessment::trust::{Confusion, ENOUGH};
use crate::review::roster::Marked;
use crate::rubric::Criterion;

/// What assessing all transcripts of a project would take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whole {
    /// Transcripts that lack an answer.
    pub lacking: usize,
    /// USD; `None` where a judge has no known price.
    pub cost: Option<f64>,
}

/// `Assess all with this rubric (12 transcripts, $0.40)`.
#[must_use]
pub fn root(whole: Option<Whole>) -> String {
    let detail = match whole {
        None => return "Assess all with this rubric".to_owned(),
        Some(Whole { lacking: 0, .. }) => "all answered".to_owned(),
        Some(Whole { lacking, cost: Some(cost) }) => {
            format!("{}, {}", counted(lacking, "transcript"), money(cost))
        }
        Some(Whole { lacking, cost: None }) => {
            format!("{}, price unknown", counted(lacking, "transcript"))
        }
    };
    format!("Assess all with this rubric ({detail})")
}

/// Failure rate, agreement of the judges, calibration examples.
#[must_use]
pub fn criterion(criterion: &Criterion, known: Option<Counted>) -> String {
    let mut parts = Vec::new();
    match known {
        Some(Counted { answered, failed, .. }) if answered > 0 => {
            parts.push(format!("fails {failed} of {answered} ({})", percent(failed, answered)));
        }
        _ => parts.push("not answered yet".to_owned()),
    }
    if let Some(Counted { compared, agreed, .. }) = known.filter(|k| k.compared > 0)
        && criterion.is_question()
    {
        parts.push(format!("judges agree on {}", percent(agreed, compared)));
    }
    if criterion.is_question() {
        let (least, most) = criterion.subjectivity.examples();
        parts.push(format!("{} of {least}-{most} examples", criterion.examples.len()));
    } else {
        parts.push("computed".to_owned());
    }
    parts.join(" · ")
}

/// How far people agree with a judge, in a few words: `people and j agree on 90 % of
/// 20 marks, kappa 0.78`.
#[must_use]
pub fn trust(marked: &Marked) -> String {
    let (judge, counts) = (&marked.judge, marked.confusion);
    match counts.trust() {
        Err(few) => {
            format!("{judge}: {}, needs {} more", counted(few.marks, "mark"), few.missing())
        }
        Ok(trust) => {
            let agreed = percent(counts.both_no + counts.both_yes, counts.total());
            let kappa = trust.kappa.map_or_else(String::new, |k| format!(", kappa {k:.2}"));
            let marks = counted(counts.total(), "mark");
            format!("people and {judge} agree on {agreed} of {marks}{kappa}")
        }
    }
}

/// `2 marks are stale`: of an earlier text or wording.
#[must_use]
pub fn stale(marks: usize) -> String {
    format!("{} {} stale", counted(marks, "mark"), if marks == 1 { "is" } else { "are" })
}

/// All that people's marks say of a judge on a criterion, in markdown.
#[must_use]
pub fn about_trust(marked: &Marked) -> String {
    let Confusion { both_no, judge_no, human_no, both_yes } = marked.confusion;
    let judge = escape(&marked.judge);
    let table = format!(
        "**{judge}** | people: NO | people: YES\n--- | --- | ---\n\
         judge: NO | {both_no} | {judge_no} (false positives)\n\
         judge: YES | {human_no} (false negatives) | {both_yes}"
    );
    let trust = match marked.confusion.trust() {
        Ok(trust) => trust,
        Err(few) => {
            let missing = counted(few.missing(), "more mark");
            return format!("{table}\n\nNeeds {missing}: below {ENOUGH} nothing is estimated.");
        }
    };
    let share = |share: f64| format!("{:.0} %", 100.0 * share);
    let mut parts = Vec::new();
    parts.push(trust.kappa.map_or_else(
        || "kappa unknown: people and the judge always say the same one thing".to_owned(),
        |kappa| format!("kappa {kappa:.2}"),
    ));
    parts.extend(trust.tpr.map(|tpr| format!("finds {} of what people call NO (TPR)", share(tpr))));
    parts.extend(trust.tnr.map(|tnr| format!("leaves {} of what they call YES (TNR)", share(tnr))));
    if let Some(rate) = trust.corrected_pass_rate(marked.passed, marked.judged) {
        let [value, low, high] = [rate.value, rate.low, rate.high].map(share);
        let seen = percent(marked.passed, marked.judged.max(1));
        parts.push(format!(
            "says YES on {seen}; corrected for its errors {value} ({low} to {high} at 95 % confidence)"
        ));
    }
    format!("{table}\n\n{}", parts.join(" · "))
}

/// `$0.12`
#[must_use]
pub fn money(usd: f64) -> String {
    if usd > 0.0 && usd < 0.01 { "under $0.01".to_owned() } else { format!("${usd:.2}") }
}

fn percent(part: usize, whole: usize) -> String {
    format!("{} %", (200 * part + whole) / (2 * whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse;

    #[test]
    fn trust_is_told_from_twenty_marks_on() {
        let marked = |confusion| Marked {
            criterion: "A".into(),
            judge: "j".into(),
            confusion,
            passed: 70,
            judged: 100,
        };
        let few = marked(Confusion { both_no: 1, judge_no: 2, human_no: 0, both_yes: 3 });
        assert_eq!(trust(&few), "j: 6 marks, needs 14 more");
        let about = about_trust(&few);
        assert!(about.ends_with("Needs 14 more marks: below 20 nothing is estimated."), "{about}");
        let enough = marked(Confusion { both_no: 9, judge_no: 1, human_no: 2, both_yes: 18 });
        assert_eq!(trust(&enough), "people and j agree on 90 % of 30 marks, kappa 0.78");
        let about = about_trust(&enough);
        let facts = about.lines().last().unwrap();
        assert_eq!(
            facts,
            "kappa 0.78 · finds 82 % of what people call NO (TPR) · leaves 95 % of what they call \
             YES (TNR) · says YES on 70 %; corrected for its errors 68 % (46 % to 89 % at 95 % confidence)"
        );
        let constant = marked(Confusion { both_yes: 20, ..Confusion::default() });
        assert!(about_trust(&constant).contains("kappa unknown"));
    }

    #[test]
    fn a_lens_says_what_was_counted_and_nothing_more() {
        let text = "categories:\n  a: {weight: 1.0, criteria: [A, K]}\ncriteria:\n  \
            A: {name: a, question: Is it kind?, subjectivity: high}\n  \
            K: {name: k, check: {ascii: {}}}\n";
        let rubric = parse::parse(text).rubric.unwrap();
        let [a, k] = [&rubric.criteria[0], &rubric.criteria[1]];
        let known = Counted { answered: 12, failed: 3, compared: 6, agreed: 5 };
        for (title, wanted) in [
            (criterion(a, None), "not answered yet · 0 of 6-8 examples"),
            (
                criterion(a, Some(known)),
                "fails 3 of 12 (25 %) · judges agree on 83 % · 0 of 6-8 examples",
            ),
            (criterion(k, Some(known)), "fails 3 of 12 (25 %) · computed"),
            (root(None), "Assess all with this rubric"),
            (
                root(Some(Whole { lacking: 0, cost: Some(0.0) })),
                "Assess all with this rubric (all answered)",
            ),
            (
                root(Some(Whole { lacking: 1, cost: Some(0.4) })),
                "Assess all with this rubric (1 transcript, $0.40)",
            ),
            (
                root(Some(Whole { lacking: 2, cost: None })),
                "Assess all with this rubric (2 transcripts, price unknown)",
            ),
        ] {
            assert_eq!(title, wanted);
        }
    }
}
