//! What a run came to, or would take.

use std::collections::HashMap;

use super::job;
use crate::cli::report::{counted, grouped};
use crate::cli::style::{Style, plain};
use crate::engine::{Plan, RunSummary};

/// The last line: how many of each standing, calls, cost.
pub fn line(standings: &HashMap<String, usize>, summary: &RunSummary, style: Style) -> String {
    let order = ["passed", "failed", "gated", "too-short", "incomplete"];
    let counts = order.iter().filter_map(|name| {
        let n = standings.get(*name)?;
        Some(format!("{} {name}", grouped(*n)))
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    let all = counted(standings.values().sum(), "transcript");
    let known = format!("{} known", counted(summary.cached, "answer"));
    let spent = job::spent(summary.calls, summary.cost);
    format!("{}: {counts} {}", style.bold(&all), style.dim(&format!("({spent}, {known})")))
}

/// Adds the totals of one more chunk.
pub fn add_summary(all: &mut RunSummary, more: &RunSummary) {
    all.transcripts += more.transcripts;
    all.calls += more.calls;
    all.cached += more.cached;
    all.answered += more.answered;
    all.unscored += more.unscored;
    all.cost = all.cost.zip(more.cost).map(|(a, b)| a + b);
    all.cancelled |= more.cancelled;
}

/// What a run would take, and what would leave the machine.
pub fn planned(plan: &Plan, style: Style) -> String {
    let lacking = counted(plan.lacking, "transcript");
    let mut out = format!("{lacking} of {} to ask about\n", grouped(plan.transcripts));
    for judge in &plan.judges {
        let cost = judge.cost.map_or_else(|| "no known price".to_owned(), |c| format!("${c:.2}"));
        let host = judge.host.as_deref().map_or_else(
            || "answers come from a recording".to_owned(),
            |host| format!("text goes to {host}"),
        );
        let name = style.bold(&plain(&judge.judge));
        let calls = counted(judge.calls, "call");
        let tokens = grouped(judge.tokens);
        let known = counted(judge.cached, "answer");
        out +=
            &format!("  {name}: {calls}, about {tokens} tokens, {cost}; {known} known; {host}\n");
        if let Some(why) = &judge.refused {
            out += &format!("    not asked: {}\n", plain(why));
        }
    }
    if plan.calls() > 0 {
        let hosts = plan.hosts().join(", ");
        out += &format!(
            "The transcripts, the rubric's questions, guidance and calibration examples go to {}.\n",
            plain(&hosts)
        );
    }
    out
}
