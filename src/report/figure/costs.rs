//! What was paid, and for what.

use super::Figure;
use crate::report::html::short;
use crate::report::svg::{Anchor, Drawing, Scale};
use crate::report::table::dollars;
use crate::report::{Cell, Cost, Report, Table};

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let heads = [
        "judge or model",
        "for",
        "calls",
        "calls of unknown cost",
        "tokens in",
        "tokens out",
        "cost",
    ];
    let mut table = Table::of(&heads);
    for cost in &report.costs {
        table.rows.push(vec![
            cost.judge.as_str().into(),
            cost.purpose.as_str().into(),
            Cell::Count(cost.calls),
            Cell::Count(cost.unpriced),
            Cell::Count(cost.tokens.0),
            Cell::Count(cost.tokens.1),
            Cell::Usd(cost.usd),
        ]);
    }
    let all: f64 = report.costs.iter().map(|cost| cost.usd).sum();
    let unpriced: u64 = report.costs.iter().map(|cost| cost.unpriced).sum();
    let passed = report.rows.iter().filter(|row| row.is_usable()).count();
    let mut says = if report.costs.is_empty() {
        "Nothing was paid for this project on this computer.".to_owned()
    } else {
        format!("{} paid for this project on this computer so far.", dollars(all))
    };
    if all > 0.0 && passed > 0 {
        says += &format!(" That is {} for each usable transcript.", dollars(all / passed as f64));
    }
    if unpriced > 0 {
        says += &format!(" What {unpriced} of the calls cost is not known.");
    }
    Figure {
        name: "cost",
        title: "What did it cost?",
        drawing: report
            .costs
            .iter()
            .any(|cost| cost.calls > 0)
            .then(|| drawing(&report.costs, &says)),
        says,
        how: "A bar is what one judge or model was paid for one purpose; a bar without length is free, or of a price nobody knows.",
        table,
    }
}

fn drawing(costs: &[Cost], says: &str) -> String {
    let (left, right, row) = (250.0, 590.0, 28.0);
    let most = costs.iter().map(|cost| cost.usd).fold(0.0, f64::max);
    let x = Scale { domain: (0.0, most), range: (0.0, right - left) };
    let mut out = Drawing::new(760.0, row * costs.len() as f64 + 6.0);
    for (index, cost) in costs.iter().enumerate() {
        let y = row * index as f64;
        let name = format!("{}, {}", short(&cost.judge, 20), cost.purpose);
        out.text("label", (left - 10.0, y + 18.0), Anchor::End, &name);
        let unknown = if cost.unpriced > 0 { ", some unknown" } else { "" };
        let value = format!("{}{unknown} · {} calls", dollars(cost.usd), cost.calls);
        out.bar("fill-main", (left, y + 4.0), (x.at(cost.usd).max(1.0), row - 8.0), &value);
        out.text("value", (right + 10.0, y + 18.0), Anchor::Start, &short(&value, 26));
    }
    out.finish(&format!("Cost by judge and purpose. {says}"))
}
