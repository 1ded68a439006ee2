//! How far the judges' scores of one transcript lie apart.

use super::histogram::{Histogram, Line};
use super::{Figure, counted};
use crate::assessment::agree::SPREAD_LIMIT;
use crate::report::{Cell, Report, Table};

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let spreads: Vec<f64> = report.rows.iter().filter_map(|row| row.spread).collect();
    let over = spreads.iter().filter(|spread| **spread > SPREAD_LIMIT + 1e-9).count();
    let disagreed = report.rows.iter().filter(|row| row.disagreement).count();
    let two = report.judges.len() > 1 && !spreads.is_empty();
    let says = if two {
        format!(
            "On {} the scores lie over {SPREAD_LIMIT} apart; on {} judges differ in their score or on a criterion.",
            counted(over, "transcript"),
            counted(disagreed, "transcript")
        )
    } else {
        "There is no spread to show: no transcript has scores of two judges or more.".to_owned()
    };
    let most = spreads.iter().copied().fold(0.3, f64::max);
    let histogram = Histogram::of(spreads.into_iter(), 0.05, most);
    let heads = ["spread from", "to", "transcripts"];
    let line = Line { at: SPREAD_LIMIT, name: "over 0.15: look again".into() };
    let number = |at: f64| format!("{at:.2}");
    let name = format!("Histogram of the spread between judges. {says}");
    Figure {
        name: "spread",
        title: "How far apart are the judges?",
        drawing: two.then(|| histogram.drawing(&line, "highest minus lowest score", number, &name)),
        says,
        how: "Each bar counts the transcripts whose highest and lowest score lie so far apart. Right of the line somebody is wrong: read those transcripts, and add calibration examples.",
        table: if two {
            histogram.table(heads, |at| Cell::Number(at, 2))
        } else {
            Table::of(&heads)
        },
    }
}
