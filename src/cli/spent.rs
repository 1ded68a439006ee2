//! What was spent, for `status`: per judge and purpose, here and in all.

use serde_json::{Value, json};

use super::assess::usd;
use super::report::grouped;
use super::style::plain;
use crate::engine::spend::{Amount, Line, Spend};

/// Rows of a name and what it says.
pub fn rows(spend: &Spend) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = spend.project.iter().map(row).collect();
    let elsewhere = spend.total.iter().map(|l| l.all.calls).sum::<u64>()
        > spend.project.iter().map(|l| l.all.calls).sum();
    if spend.total.is_empty() {
        rows.push(("spent".into(), "nothing yet".into()));
    } else if rows.is_empty() {
        rows.push(("spent".into(), "nothing on this project yet".into()));
    }
    if elsewhere {
        let total = spend.of_all();
        rows.push(("spent in all".into(), amounts(&total)));
    }
    rows
}

fn row(line: &Line) -> (String, String) {
    let name = format!("{} for {}", plain(&line.judge), line.purpose);
    ("spent".into(), format!("{name}: {}", amounts(line)))
}

fn amounts(line: &Line) -> String {
    let Amount { calls, unpriced, input, output, .. } = line.all;
    let mut text = format!(
        "{} today, {} in 30 days, {} in all ({} calls, {} tokens in, {} out)",
        usd(line.today.usd),
        usd(line.month.usd),
        usd(line.all.usd),
        grouped(calls),
        grouped(input),
        grouped(output),
    );
    if unpriced > 0 {
        text += &format!("; what {} of them cost is not known", grouped(unpriced));
    }
    text
}

/// For programs.
pub fn json(spend: &Spend) -> Value {
    let amount = |a: &Amount| {
        json!({
            "usd": a.usd, "calls": a.calls, "unpriced_calls": a.unpriced,
            "input_tokens": a.input, "output_tokens": a.output,
        })
    };
    let line = |line: &Line| {
        json!({
            "judge": line.judge, "purpose": line.purpose, "today": amount(&line.today),
            "days_30": amount(&line.month), "all": amount(&line.all),
        })
    };
    let lines = |lines: &[Line]| lines.iter().map(line).collect::<Vec<_>>();
    json!({"project": lines(&spend.project), "total": lines(&spend.total)})
}
