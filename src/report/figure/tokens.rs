//! How long transcripts are in tokens, against what the target takes.

use super::histogram::{Histogram, Line};
use super::{Figure, counted};
use crate::report::svg::step;
use crate::report::table::grouped;
use crate::report::{Report, Table};

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let tokens: Vec<usize> = report.rows.iter().filter_map(|row| row.tokens).collect();
    let limit = report.tokens.most;
    let over = tokens.iter().filter(|tokens| **tokens > limit).count();
    let longest = tokens.iter().copied().max().unwrap_or(0);
    let mean = tokens.iter().sum::<usize>() / tokens.len().max(1);
    let uncounted = report.rows.len() - tokens.len();
    let mut says = if tokens.is_empty() {
        "No tokens were counted.".to_owned()
    } else {
        format!(
            "{} tokens on average, {} at most; {} over the limit of {}, as {} counts.",
            grouped(mean as u64),
            grouped(longest as u64),
            counted(over, "transcript"),
            grouped(limit as u64),
            report.tokens.counter
        )
    };
    if uncounted > 0 && !tokens.is_empty() {
        says += &format!(" {} could not be counted.", counted(uncounted, "transcript"));
    }
    // Bins are fine enough for what there is, and the limit is an edge of one.
    let scale = longest.max(1) as f64;
    let width = step(scale, 24.0).max(1.0);
    let most = if longest * 3 < limit { scale } else { scale.max(limit as f64) };
    let histogram = Histogram::of(tokens.iter().map(|n| *n as f64), width, most);
    let is_far = longest * 3 < limit;
    let name = if is_far { "limit, far off" } else { "limit" };
    let name = format!("{name}: {}", grouped(limit as u64));
    let line = Line { at: if is_far { scale * 1.15 } else { limit as f64 }, name };
    let heads = ["tokens from", "to", "transcripts"];
    let number = |at: f64| grouped(at as u64);
    let words = format!("Histogram of tokens. {says}");
    Figure {
        name: "tokens",
        title: "Do transcripts fit the target?",
        drawing: (!tokens.is_empty()).then(|| histogram.drawing(&line, "tokens", number, &words)),
        says,
        how: "Each bar counts the transcripts that have so many tokens as rendered for the target. What is over the limit is cut or dropped by a trainer; slices over it are never written.",
        table: if tokens.is_empty() {
            Table::of(&heads)
        } else {
            histogram.table(heads, |at| (at as usize).into())
        },
    }
}
