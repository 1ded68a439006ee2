//! What a run came to.

use std::collections::HashMap;

use super::job;
use crate::cli::report::{counted, grouped};
use crate::cli::style::{Style, plain};
use crate::engine::{Flips, RunSummary};

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

/// A line for each judge that was asked repeatedly: how often it changed its mind.
pub fn flips(summary: &RunSummary, style: Style) -> String {
    let line = |(judge, flips): (&String, &Flips)| {
        let share = 100.0 * flips.flipped as f64 / flips.repeated as f64;
        let asked = counted(flips.repeated, "question");
        let text = format!("{} flips on {share:.0} % of {asked} asked repeatedly", plain(judge));
        format!("{}\n", style.dim(&text))
    };
    summary.flips.iter().map(line).collect()
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
    for (judge, more) in &more.flips {
        let flips = all.flips.entry(judge.clone()).or_default();
        flips.repeated += more.repeated;
        flips.flipped += more.flipped;
    }
}
