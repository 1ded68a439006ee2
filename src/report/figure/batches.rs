//! The pass rate, batch by batch and prompt version by prompt version, with the
//! lines at which a batch may scale or needs a revision (the workflow's WR11).

use std::collections::HashMap;

use super::{Figure, counted};
use crate::assessment::Standing;
use crate::assessment::trust::{Interval, wilson};
use crate::report::html::{short, short_path};
use crate::report::svg::{Anchor, Drawing, Scale, Shape};
use crate::report::table::percent;
use crate::report::{Batch, Cell, Report, Table};
use crate::review::gate::Decision;

/// Batches that are drawn; the table has all.
const DRAWN: usize = 40;

/// The figure of batches.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let heads = [
        "batch",
        "decision",
        "transcripts",
        "passed",
        "pass rate",
        "95 % from",
        "95 % to",
        "failed",
        "gated",
        "incomplete",
        "too short",
        "reviewed",
        "satisfactory",
        "prompts",
        "missing",
        "worth knowing",
    ];
    let mut table = Table::of(&heads);
    let prompts = prompts_of_batches(report);
    for batch in &report.batches {
        let gate = &batch.gate;
        let [low, high] = bounds(wilson(gate.passed, gate.transcripts - gate.too_short));
        table.rows.push(vec![
            gate.batch.as_str().into(),
            gate.decision.name().into(),
            gate.transcripts.into(),
            gate.passed.into(),
            gate.pass_rate.map_or(Cell::None, Cell::Share),
            low,
            high,
            gate.failed.into(),
            gate.gated.into(),
            gate.incomplete.into(),
            gate.too_short.into(),
            gate.reviewed.into(),
            if gate.satisfactory { "yes" } else { "no" }.into(),
            prompts.get(gate.batch.as_str()).map_or("", |names| names.as_str()).into(),
            gate.missing.join("; ").as_str().into(),
            batch.warnings.join("; ").as_str().into(),
        ]);
    }
    Figure {
        name: "batches",
        title: "Does the pass rate allow making more?",
        says: says(report),
        how: "A mark is a batch's share of passed transcripts (too short ones left out); the bar through it is where the true rate lies, with 95 % confidence. From 70 % up a batch may scale once people have read all of it and are satisfied; under 50 % the prompts need a major revision. A dashed upright line is where the version of the prompts changes.",
        drawing: (!report.batches.is_empty()).then(|| drawing(report, &prompts)),
        table,
    }
}

fn says(report: &Report) -> String {
    let count =
        |wanted: Decision| report.batches.iter().filter(|b| b.gate.decision == wanted).count();
    let all = report.batches.len();
    if all == 0 {
        return "There are no batches yet.".into();
    }
    let parts = [
        (count(Decision::Scale), "may scale"),
        (count(Decision::Iterate), "to iterate on"),
        (count(Decision::Revise), "to revise thoroughly"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let batches = if all == 1 { "1 batch".to_owned() } else { format!("{all} batches") };
    format!("{batches}: {}.", parts.join(", "))
}

/// The prompt versions of each batch, in the order they appear.
fn prompts_of_batches(report: &Report) -> HashMap<&str, String> {
    let mut found: HashMap<&str, Vec<&str>> = HashMap::new();
    for row in &report.rows {
        if let Some(prompts) = row.prompts.as_deref() {
            let names = found.entry(&row.batch).or_default();
            if !names.contains(&prompts) {
                names.push(prompts);
            }
        }
    }
    found.into_iter().map(|(batch, names)| (batch, names.join(", "))).collect()
}

fn bounds(interval: Option<Interval>) -> [Cell; 2] {
    interval.map_or([Cell::None, Cell::None], |i| [Cell::Share(i.low), Cell::Share(i.high)])
}

fn drawing(report: &Report, prompts: &HashMap<&str, String>) -> String {
    let from = report.batches.len().saturating_sub(DRAWN);
    let shown = &report.batches[from..];
    let column = (640.0 / shown.len() as f64).clamp(26.0, 130.0);
    let (left, top, bottom) = (52.0, 44.0, 264.0);
    let right = left + column * shown.len() as f64;
    let y = Scale { domain: (0.0, 1.0), range: (bottom, top) };
    let mut out = Drawing::new((right + 140.0).max(420.0), 324.0);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        out.line("grid", (left, y.at(share)), (right, y.at(share)));
        out.text("tick", (left - 8.0, y.at(share) + 4.0), Anchor::End, &percent(share));
    }
    for (share, name) in [(0.7, "70 % may scale"), (0.5, "50 % revise below")] {
        out.line("limit", (left, y.at(share)), (right, y.at(share)));
        out.text("limit-name", (right + 6.0, y.at(share) + 4.0), Anchor::Start, name);
    }
    let mut before: Option<&str> = None;
    for (index, batch) in shown.iter().enumerate() {
        let x = left + column * (index as f64 + 0.5);
        let own = prompts.get(batch.gate.batch.as_str()).map(String::as_str);
        if let Some(own) = own.filter(|own| Some(*own) != before) {
            let edge = x - column / 2.0;
            out.line("version", (edge, top - 30.0), (edge, bottom));
            let room = (column / 7.0) as usize;
            out.text(
                "version-name",
                (edge + 4.0, top - 20.0),
                Anchor::Start,
                &short(own, room.max(6)),
            );
        }
        before = own.or(before);
        point(&mut out, batch, x, y);
        name(&mut out, batch, x, bottom, column);
    }
    let words = format!(
        "Pass rate of {} with 95 % intervals. {}",
        counted(shown.len(), "batch"),
        says(report)
    );
    out.finish(&words)
}

fn point(out: &mut Drawing, batch: &Batch, x: f64, y: Scale) {
    let gate = &batch.gate;
    let Some(interval) = wilson(gate.passed, gate.transcripts - gate.too_short) else {
        out.text("tick", (x, y.at(0.0) - 6.0), Anchor::Middle, "too short");
        return;
    };
    let (class, shape) = match gate.decision {
        Decision::Scale => ("good", Shape::Disc),
        Decision::Iterate => ("fair", Shape::Diamond),
        Decision::Revise => ("bad", Shape::Cross),
    };
    out.line("whisker", (x, y.at(interval.low)), (x, y.at(interval.high)));
    for end in [interval.low, interval.high] {
        out.line("whisker", (x - 5.0, y.at(end)), (x + 5.0, y.at(end)));
    }
    let says = format!(
        "{}: {} of {} passed, {} ({} to {}); {}",
        gate.batch,
        gate.passed,
        gate.transcripts - gate.too_short,
        percent(interval.value),
        percent(interval.low),
        percent(interval.high),
        gate.decision.name()
    );
    out.mark(class, shape, (x, y.at(interval.value)), &says);
    out.text(
        "value",
        (x + 10.0, y.at(interval.value) + 4.0),
        Anchor::Start,
        &percent(interval.value),
    );
}

/// The end of the batch's name, on two lines where columns are narrow.
fn name(out: &mut Drawing, batch: &Batch, x: f64, bottom: f64, column: f64) {
    let file = batch.gate.batch.rsplit('/').next().unwrap_or(&batch.gate.batch);
    let file = file.trim_end_matches(".jsonl").trim_end_matches(".json");
    let room = (column / 7.5) as usize;
    if room >= 8 {
        out.text("tick", (x, bottom + 20.0), Anchor::Middle, &short_path(file, room));
        let all = counted(batch.gate.transcripts, "transcript");
        let all = if all.len() > room { format!("of {}", batch.gate.transcripts) } else { all };
        out.text("tick soft", (x, bottom + 37.0), Anchor::Middle, &all);
    } else {
        out.text("tick upright", (x - 4.0, bottom + 12.0), Anchor::Start, &short_path(file, 10));
    }
}

/// The pass rate of each version of the prompts.
#[must_use]
pub fn versions(report: &Report) -> Figure {
    let mut order: Vec<&str> = Vec::new();
    let mut sums: HashMap<&str, (usize, usize, usize)> = HashMap::new();
    for row in &report.rows {
        let Some(prompts) = row.prompts.as_deref() else { continue };
        let sum = sums.entry(prompts).or_insert_with(|| {
            order.push(prompts);
            (0, 0, 0)
        });
        sum.0 += 1;
        sum.1 += usize::from(row.standing != Standing::TooShort);
        sum.2 += usize::from(row.standing == Standing::Passed);
    }
    let mut table =
        Table::of(&["prompts", "transcripts", "passed", "pass rate", "95 % from", "95 % to"]);
    for name in &order {
        let (all, long, passed) = sums[name];
        let [low, high] = bounds(wilson(passed, long));
        table.rows.push(vec![
            (*name).into(),
            all.into(),
            passed.into(),
            Cell::share(passed, long),
            low,
            high,
        ]);
    }
    let signed: usize = sums.values().map(|(all, ..)| all).sum();
    let says = match order.len() {
        0 => "No transcript names the version of the prompts that made it.".to_owned(),
        n => format!(
            "{} named by {} of {}.",
            counted(n, "version"),
            signed,
            counted(report.rows.len(), "transcript")
        ),
    };
    Figure {
        name: "prompt_versions",
        title: "Which version of the prompts works best?",
        drawing: (!order.is_empty()).then(|| versions_drawing(&order, &sums, &says)),
        says,
        how: "A mark is the share of a version's transcripts that passed; where the bars of two versions overlap widely, there are too few transcripts to tell them apart.",
        table,
    }
}

fn versions_drawing(
    order: &[&str],
    sums: &HashMap<&str, (usize, usize, usize)>,
    says: &str,
) -> String {
    let shown = &order[order.len().saturating_sub(DRAWN)..];
    let (left, right, row) = (190.0, 640.0, 26.0);
    let x = Scale { domain: (0.0, 1.0), range: (left, right) };
    let bottom = 10.0 + row * shown.len() as f64;
    let mut out = Drawing::new(760.0, bottom + 30.0);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        out.line("grid", (x.at(share), 6.0), (x.at(share), bottom));
        out.text("tick", (x.at(share), bottom + 18.0), Anchor::Middle, &percent(share));
    }
    for (index, name) in shown.iter().enumerate() {
        let y = 10.0 + row * (index as f64 + 0.5);
        let (_, long, passed) = sums[name];
        out.text("label", (left - 10.0, y + 4.0), Anchor::End, &short(name, 24));
        if let Some(rate) = wilson(passed, long) {
            out.line("whisker", (x.at(rate.low), y), (x.at(rate.high), y));
            let says = format!("{name}: {passed} of {long} passed");
            out.mark("good", Shape::Disc, (x.at(rate.value), y), &says);
            let says = format!("{} of {long}", percent(rate.value));
            out.text("value", (right + 12.0, y + 4.0), Anchor::Start, &says);
        }
    }
    out.finish(&format!("Pass rate by version of the prompts. {says}"))
}
