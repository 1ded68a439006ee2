//! From all transcripts to the slices that can be trained on.

use super::{Figure, counted};
use crate::assessment::Standing;
use crate::report::svg::{Anchor, Drawing, Scale};
use crate::report::table::{grouped, percent};
use crate::report::{Cell, Report, Reviewed, Row, Table};

/// Each step with how many transcripts reach it, and what the others are.
#[must_use]
pub fn steps(report: &Report) -> Vec<(&'static str, usize, &'static str)> {
    let count = |keep: &dyn Fn(&Row) -> bool| report.rows.iter().filter(|row| keep(row)).count();
    let long = |row: &Row| row.standing != Standing::TooShort;
    let scored = |row: &Row| long(row) && row.standing != Standing::Incomplete;
    vec![
        ("transcripts", report.rows.len(), ""),
        ("long enough to score", count(&long), "too short"),
        ("scored by every judge", count(&scored), "incomplete"),
        ("passed", count(&|row| row.standing == Standing::Passed), "failed or gated"),
        ("not rejected by a person", count(&Row::is_usable), "rejected"),
        (
            "cut into slices",
            count(&|row| row.cut.as_ref().is_some_and(|cut| !cut.points.is_empty())),
            "too short to cut, or over the limit",
        ),
    ]
}

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let steps = steps(report);
    let all = report.rows.len();
    let mut table = Table::of(&["step", "transcripts", "share of all", "lost here", "because"]);
    let mut before = all;
    for (name, count, lost) in &steps {
        let because = if before > *count { *lost } else { "" };
        table.rows.push(vec![
            (*name).into(),
            (*count).into(),
            Cell::share(*count, all),
            (before - count).into(),
            because.into(),
        ]);
        before = *count;
    }
    let slices: usize =
        report.rows.iter().filter_map(|r| r.cut.as_ref()).map(|c| c.points.len()).sum();
    let read = report
        .rows
        .iter()
        .filter(|r| matches!(r.reviewed, Reviewed::Accepted | Reviewed::Rejected));
    let read = read.count();
    let passed = steps[3].1;
    let says = match (all, &report.unsliced) {
        (0, _) => "There are no transcripts yet.".to_owned(),
        (_, Some(why)) => format!(
            "{passed} of {} passed; people have read {}. No slices: {why}.",
            counted(all, "transcript"),
            grouped(read as u64)
        ),
        (_, None) => format!(
            "{} of {} passed and {} would be made of them; people have read {}.",
            grouped(passed as u64),
            counted(all, "transcript"),
            counted(slices, "slice"),
            grouped(read as u64)
        ),
    };
    Figure {
        name: "funnel",
        title: "How many transcripts reach training?",
        how: "Each bar counts the transcripts that reach a step; beside it is how many are lost there, and why.",
        drawing: (all > 0).then(|| drawing(&steps, &says)),
        says,
        table,
    }
}

fn drawing(steps: &[(&'static str, usize, &'static str)], says: &str) -> String {
    let all = steps.first().map_or(0, |(_, count, _)| *count);
    let scale = Scale { domain: (0.0, all as f64), range: (0.0, 330.0) };
    let mut out = Drawing::new(760.0, steps.len() as f64 * 34.0 + 8.0);
    let mut before = all;
    for (index, (name, count, lost)) in steps.iter().enumerate() {
        let (y, left) = (index as f64 * 34.0 + 4.0, 190.0);
        let width = scale.at(*count as f64);
        out.text("label", (left - 10.0, y + 17.0), Anchor::End, name);
        out.bar("fill-soft", (left, y), (330.0, 24.0), name);
        let hover = format!("{name}: {count}");
        out.bar(
            "fill-main",
            (left, y),
            (width.max(if *count > 0 { 2.0 } else { 0.0 }), 24.0),
            &hover,
        );
        let mut tail = grouped(*count as u64);
        if index > 0 {
            tail += &format!(" · {}", percent(*count as f64 / all as f64));
        }
        if before > *count {
            tail += &format!("  (−{} {lost})", before - count);
        }
        out.text(
            "value",
            (left + 340.0, y + 17.0),
            Anchor::Start,
            &crate::report::html::short(&tail, 40),
        );
        before = *count;
    }
    out.finish(says)
}
