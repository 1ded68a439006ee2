//! Lenses of a rubric: what became of each criterion, and what assessing the
//! whole project with it would take.
//!
//! Invariant: pure over what was counted; a criterion nobody has answered yet
//! has no rate, never one of zero.

use super::hints::counted;
use crate::assessment::statistics::Counted;
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
