//! Where transcripts would be cut into training examples. The page draws the map,
//! some transcripts at a time; here is how many slices have how many exchanges.

use super::{Figure, counted};
use crate::report::svg::{Anchor, Drawing, Scale, step};
use crate::report::{Cut, Report, Row, Table};

/// Transcripts that would be cut, with how.
pub fn cuts(report: &Report) -> impl Iterator<Item = (&Row, &Cut)> {
    report.rows.iter().filter_map(|row| Some((row, row.cut.as_ref()?)))
}

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let heads = ["transcript", "place", "split", "exchanges", "slices", "cut after", "dropped"];
    let mut table = Table::of(&heads);
    let mut counts: [Vec<usize>; 2] = Default::default();
    let mut dropped = 0;
    for (row, cut) in cuts(report) {
        dropped += cut.dropped.len();
        let counts = &mut counts[usize::from(cut.validation)];
        for point in &cut.points {
            let at = *point as usize;
            if counts.len() <= at {
                counts.resize(at + 1, 0);
            }
            counts[at] += 1;
        }
        let list = |points: &[u32]| points.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        table.rows.push(vec![
            row.id.as_str().into(),
            crate::report::Cell::Place(row.file.to_string(), row.line),
            if cut.validation { "validation" } else { "train" }.into(),
            row.exchanges.into(),
            cut.points.len().into(),
            list(&cut.points).as_str().into(),
            list(&cut.dropped).as_str().into(),
        ]);
    }
    let [train, validation] = counts.each_ref().map(|all| all.iter().sum::<usize>());
    let says = match (&report.unsliced, train + validation) {
        (Some(why), _) => format!("Nothing would be sliced: {why}."),
        (None, 0) => {
            "Nothing would be sliced: no transcript that passed is long enough.".to_owned()
        }
        (None, _) => format!(
            "{} to train on, {} to validate on; {} dropped for their tokens.",
            counted(train, "slice"),
            counted(validation, "slice"),
            counted(dropped, "slice")
        ),
    };
    Figure {
        name: "slices",
        title: "Where are transcripts cut?",
        drawing: (train + validation > 0).then(|| drawing(&counts, &says)),
        says,
        how: "A slice is the beginning of a conversation, used as one training example. The bars count the slices by how many exchanges they have; the map under them shows every transcript's cuts: a disc is a slice to train on, a square one to validate on, a cross one that is dropped because it has too many tokens.",
        table,
    }
}

fn drawing(counts: &[Vec<usize>; 2], says: &str) -> String {
    let last = counts.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1).min(100);
    let of = |side: usize, at: usize| counts[side].get(at).copied().unwrap_or(0);
    let most = (0..=last).map(|at| of(0, at) + of(1, at)).max().unwrap_or(0).max(1) as f64;
    let (left, right, top, bottom) = (52.0, 720.0, 26.0, 160.0);
    let x = Scale { domain: (0.5, last as f64 + 0.5), range: (left, right) };
    let y = Scale { domain: (0.0, most), range: (bottom, top) };
    let mut out = Drawing::new(760.0, 200.0);
    out.bar("fill-main", (left, 4.0), (10.0, 10.0), "train");
    out.text("tick", (left + 15.0, 13.0), Anchor::Start, "to train on");
    out.bar("fill-other", (left + 95.0, 4.0), (10.0, 10.0), "validation");
    out.text("tick", (left + 110.0, 13.0), Anchor::Start, "to validate on");
    let up = step(most, 3.0).max(1.0);
    let mut at = 0.0;
    while at <= most {
        out.line("grid", (left, y.at(at)), (right, y.at(at)));
        out.text("tick", (left - 8.0, y.at(at) + 4.0), Anchor::End, &format!("{at:.0}"));
        at += up;
    }
    let width = ((x.at(2.0) - x.at(1.0)) - 2.0).clamp(1.0, 40.0);
    for exchanges in 1..=last {
        let (train, validation) = (of(0, exchanges), of(1, exchanges));
        let at = x.at(exchanges as f64) - width / 2.0;
        let low = bottom - y.at(train as f64);
        let says = |count, side| format!("{exchanges} exchanges: {count} slices {side}");
        out.bar("fill-main", (at, bottom - low), (width, low), &says(train, "to train on"));
        let high = bottom - y.at(validation as f64);
        out.bar(
            "fill-other",
            (at, bottom - low - high),
            (width, high),
            &says(validation, "to validate on"),
        );
    }
    let along = step(last as f64, 12.0).max(1.0) as usize;
    for exchanges in (1..=last).filter(|n| *n == 1 || n % along == 0) {
        out.text(
            "tick",
            (x.at(exchanges as f64), bottom + 18.0),
            Anchor::Middle,
            &exchanges.to_string(),
        );
    }
    out.text("tick soft", (right, bottom + 34.0), Anchor::End, "exchanges in the slice");
    out.finish(&format!("Slices by their number of exchanges. {says}"))
}
