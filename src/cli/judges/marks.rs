//! What people's marks say of a judge, criterion by criterion (SPEC 8, judge trust).
//!
//! Invariant: only a mark on the text and the wording that the judge answered
//! counts; below twenty marks nothing is estimated, and what is missing is said.

use serde_json::{Value, json};

use crate::assessment::output::rounded;
use crate::assessment::trust::{Confusion, Interval, effective_judges};
use crate::assessment::{JudgeScorecard, Scorecard};
use crate::cli::known::Shelf;
use crate::cli::report::counted;
use crate::review::Bound;
use crate::rubric::{Criterion, Verdict, digest};

/// One criterion's marks beside one judge's answers.
pub struct Marked {
    criterion: String,
    /// The judge's answer and the human one.
    pairs: Vec<(Verdict, Verdict)>,
    /// Answers of the judge that are YES.
    passed: usize,
    /// Answers that are YES or NO.
    judged: usize,
}

/// The marks beside the answers of a judge; criteria nobody marked are left out.
pub fn marked<T>(
    judge: &str,
    shelf: &Shelf<T>,
    transcripts: &[(String, String)],
    cards: &[Scorecard],
) -> Vec<Marked> {
    let wording =
        |id: &str| Some(crate::cli::known::hex(&digest::criterion(shelf.rubric.criterion(id)?)));
    let one = |criterion: &Criterion| {
        let id = &criterion.id;
        let mut marked = Marked { criterion: id.clone(), pairs: Vec::new(), passed: 0, judged: 0 };
        for ((transcript, digest), card) in transcripts.iter().zip(cards) {
            let Some(answer) = answer(card, judge, id) else { continue };
            marked.passed += usize::from(answer == Verdict::Yes);
            marked.judged += usize::from(answer != Verdict::Na);
            let now: Bound<'_> = shelf.bound(transcript, digest);
            let marks = shelf.reviews.marks(now, &wording);
            let human = marks.iter().find(|mark| mark.criterion == id);
            marked.pairs.extend(human.map(|mark| (answer, mark.human)));
        }
        (!marked.pairs.is_empty()).then_some(marked)
    };
    shelf.rubric.criteria.iter().filter(|c| c.is_question()).filter_map(one).collect()
}

fn answer(card: &Scorecard, judge: &str, criterion: &str) -> Option<Verdict> {
    let card = card.judges.iter().find(|j| j.said.judge == judge)?;
    verdict(card, criterion)
}

fn verdict(card: &JudgeScorecard, criterion: &str) -> Option<Verdict> {
    Some(card.said.outcomes.get(criterion)?.answer()?.verdict)
}

/// How many independent judges these are worth, over everything all of them answered.
pub fn worth(judges: &[&str], cards: &[Scorecard]) -> Option<f64> {
    let mut answers: Vec<Vec<Verdict>> = vec![Vec::new(); judges.len()];
    for card in cards {
        for (id, _) in &card.answers {
            let all: Option<Vec<Verdict>> =
                judges.iter().map(|judge| answer(card, judge, id)).collect();
            for (judge, verdict) in all.into_iter().flatten().enumerate() {
                answers[judge].push(verdict);
            }
        }
    }
    effective_judges(&answers)
}

impl Marked {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let counts = Confusion::of(self.pairs.iter().copied());
        let trust = counts.trust();
        let missing = trust.as_ref().err().map_or(0, |few| few.missing());
        let trust = trust.ok();
        let corrected = trust.and_then(|t| t.corrected_pass_rate(self.passed, self.judged));
        let interval = |i: Interval| json!({"value": rounded(Some(i.value)), "low": rounded(Some(i.low)), "high": rounded(Some(i.high))});
        json!({
            "criterion": self.criterion,
            "marks": counts.total(),
            "missing_marks": missing,
            "confusion": {
                "both_no": counts.both_no, "judge_no": counts.judge_no,
                "human_no": counts.human_no, "both_yes": counts.both_yes,
            },
            "kappa": rounded(trust.and_then(|t| t.kappa)),
            "tpr": rounded(trust.and_then(|t| t.tpr)),
            "tnr": rounded(trust.and_then(|t| t.tnr)),
            "corrected_pass_rate": corrected.map(interval),
        })
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let counts = Confusion::of(self.pairs.iter().copied());
        let marks = counted(counts.total(), "mark");
        let trust = match counts.trust() {
            Ok(trust) => trust,
            Err(few) => {
                return format!("{}: {marks}, {} more are wanted", self.criterion, few.missing());
            }
        };
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let mut parts = vec![marks];
        parts.extend(trust.kappa.map(|kappa| format!("kappa {kappa:.2}")));
        parts.extend(trust.tpr.map(|tpr| format!("finds {} of what people call NO", percent(tpr))));
        parts.extend(trust.tnr.map(|tnr| format!("leaves {} of what they call YES", percent(tnr))));
        if let Some(rate) = trust.corrected_pass_rate(self.passed, self.judged) {
            let [value, low, high] = [rate.value, rate.low, rate.high].map(percent);
            parts.push(format!("corrected for its errors {value} pass ({low} to {high})"));
        }
        format!("{}: {}", self.criterion, parts.join(", "))
    }
}
