//! The report in a handful of numbers, for those who read nothing else.

use super::table::{dollars, grouped, percent};
use super::{Report, Reviewed};
use crate::assessment::Standing;
use crate::assessment::trust::wilson;

/// One number: what it is, what it says, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The number.
    pub value: String,
    /// What it means.
    pub note: String,
}

/// The numbers.
#[must_use]
pub fn facts(report: &Report) -> Vec<Fact> {
    let [passed, transcripts] = standings(report);
    let rows = &report.rows;
    let fact = |name, value: String, note: &str| Fact { name, value, note: note.to_owned() };
    let shown = |n: usize| grouped(n as u64);
    let unread = rows.iter().filter(|row| row.reviewed == Reviewed::No).count();
    let disagreed = rows.iter().filter(|row| row.disagreement).count();
    let over = rows.iter().filter(|row| row.tokens.is_some_and(|t| t > report.tokens.most)).count();
    let cuts = rows.iter().filter_map(|row| row.cut.as_ref());
    let slices: usize = cuts.map(|cut| cut.points.len()).sum();
    let cost = report.costs.iter().fold(0.0, |all, cost| all + cost.usd);
    let limit = format!("the limit is {}", shown(report.tokens.most));
    let sliced = report.unsliced.as_deref().unwrap_or("from what passed and nobody rejected");
    let apart = "scores over 0.15 apart, or different answers";
    let wanted = "every transcript of a batch is read before it scales";
    vec![
        passed,
        transcripts,
        fact("judges disagree on", shown(disagreed), apart),
        fact("unread by people", shown(unread), wanted),
        fact("over the token limit", shown(over), &limit),
        fact("training slices", shown(slices), sliced),
        fact("paid so far", dollars(cost), "on this computer, for this project"),
    ]
}

/// How many passed, and what became of the others.
fn standings(report: &Report) -> [Fact; 2] {
    let rows = &report.rows;
    let count = |wanted: Standing| rows.iter().filter(|row| row.standing == wanted).count();
    let (passed, short) = (count(Standing::Passed), count(Standing::TooShort));
    let shown = |n: usize| grouped(n as u64);
    let others = [
        (count(Standing::Failed), "failed"),
        (count(Standing::Gated), "stopped by a safety gate"),
        (count(Standing::Incomplete), "incomplete"),
        (short, "too short"),
    ];
    let others = others.iter().filter(|(n, _)| *n > 0);
    let others: Vec<String> = others.map(|(n, what)| format!("{} {what}", shown(*n))).collect();
    let (value, note) = match wilson(passed, rows.len() - short) {
        None => ("–".to_owned(), "no transcript is long enough to count".to_owned()),
        Some(rate) => {
            let of = format!("{} of {}", shown(passed), shown(rows.len() - short));
            let (low, high) = (percent(rate.low), percent(rate.high));
            let note = format!("{of}; between {low} and {high} with 95 % confidence");
            (percent(rate.value), note)
        }
    };
    let others = if others.is_empty() { "all passed".into() } else { others.join(", ") };
    [
        Fact { name: "passed", value, note },
        Fact { name: "transcripts", value: shown(rows.len()), note: others },
    ]
}
