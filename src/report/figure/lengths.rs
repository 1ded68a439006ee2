//! The words of replies for each word of the user, as conversations go on.

use super::Figure;
use crate::report::svg::{Anchor, Drawing, Scale, step};
use crate::report::table::percent;
use crate::report::{Cell, Report, Table};

/// Exchanges that are drawn; the table has all.
const DRAWN: usize = 60;

/// What the ratios of one exchange come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Replies.
    pub count: usize,
    /// The tenth part lies below, half, and nine tenths.
    pub tenth: f64,
    /// The median.
    pub median: f64,
    /// Nine tenths lie below.
    pub ninth: f64,
    /// The mean.
    pub mean: f64,
    /// Over twice the user's words.
    pub over: usize,
}

impl Spread {
    /// Of these ratios; `None` of none.
    #[must_use]
    pub fn of(ratios: &[f32]) -> Option<Self> {
        let mut sorted = ratios.to_vec();
        sorted.sort_by(f32::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |share: f64| f64::from(sorted[(share * last as f64).round() as usize]);
        Some(Self {
            count: sorted.len(),
            tenth: at(0.1),
            median: at(0.5),
            ninth: at(0.9),
            mean: sorted.iter().copied().map(f64::from).sum::<f64>() / sorted.len() as f64,
            over: sorted.iter().filter(|ratio| **ratio > 2.0).count(),
        })
    }
}

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let spreads: Vec<Spread> = report.ratios.iter().map_while(|all| Spread::of(all)).collect();
    let heads =
        ["exchange", "replies", "median ratio", "10 % below", "10 % above", "mean", "over twice"];
    let mut table = Table::of(&heads);
    for (index, s) in spreads.iter().enumerate() {
        let number = |value| Cell::Number(value, 2);
        table.rows.push(vec![
            (index + 1).into(),
            s.count.into(),
            number(s.median),
            number(s.tenth),
            number(s.ninth),
            number(s.mean),
            Cell::share(s.over, s.count),
        ]);
    }
    let count: usize = spreads.iter().map(|s| s.count).sum();
    let mean = spreads.iter().map(|s| s.mean * s.count as f64).sum::<f64>() / count.max(1) as f64;
    let over: usize = spreads.iter().map(|s| s.over).sum();
    let says = if spreads.is_empty() {
        "There are no replies yet.".to_owned()
    } else {
        format!(
            "Replies have {mean:.2} words for each of the user's on average; {} have over twice as many.",
            percent(over as f64 / count.max(1) as f64)
        )
    };
    Figure {
        name: "lengths",
        title: "How long are replies beside what was asked?",
        drawing: (!spreads.is_empty()).then(|| drawing(&spreads, &says)),
        says,
        how: "The line is the median of the words ratio at each exchange; the band holds the middle eight tenths. Good conversations keep between 1 and 1.5; over 2 the reply drowns the person. A line that climbs means replies grow as conversations go on.",
        table,
    }
}

fn drawing(spreads: &[Spread], says: &str) -> String {
    let shown = &spreads[..spreads.len().min(DRAWN)];
    let (left, right, top, bottom) = (52.0, 610.0, 16.0, 220.0);
    let most = shown.iter().map(|s| s.ninth).fold(2.4, f64::max).min(12.0);
    let x = Scale { domain: (0.5, shown.len() as f64 + 0.5), range: (left, right) };
    let y = Scale { domain: (0.0, most), range: (bottom, top) };
    let mut out = Drawing::new(760.0, 262.0);
    let up = step(most, 5.0);
    let mut at = 0.0;
    while at <= most {
        out.line("grid", (left, y.at(at)), (right, y.at(at)));
        out.text("tick", (left - 8.0, y.at(at) + 4.0), Anchor::End, &format!("{at:.1}"));
        at += up;
    }
    let point = |index: usize, value: f64| (x.at(index as f64 + 1.0), y.at(value));
    let band =
        |value: fn(&Spread) -> f64| shown.iter().enumerate().map(move |(i, s)| (i, value(s)));
    let mut area: Vec<(f64, f64)> = band(|s| s.ninth).map(|(i, v)| point(i, v)).collect();
    area.extend(band(|s| s.tenth).map(|(i, v)| point(i, v)).collect::<Vec<_>>().into_iter().rev());
    out.path("band", &area, true);
    let middle: Vec<(f64, f64)> = band(|s| s.median).map(|(i, v)| point(i, v)).collect();
    out.path("course", &middle, false);
    for (share, name) in [(1.5, "1.5 wanted at most"), (2.0, "2.0 too long")] {
        out.line("limit", (left, y.at(share)), (right, y.at(share)));
        out.text("limit-name", (right + 6.0, y.at(share) + 4.0), Anchor::Start, name);
    }
    for (index, s) in shown.iter().enumerate() {
        let says = format!(
            "exchange {}: median {:.2}, middle eight tenths {:.2} to {:.2}, {} replies",
            index + 1,
            s.median,
            s.tenth,
            s.ninth,
            s.count
        );
        out.mark("series s0", crate::report::svg::Shape::Disc, point(index, s.median), &says);
    }
    let along = step(shown.len() as f64, 10.0).max(1.0) as usize;
    for exchange in (1..=shown.len()).filter(|n| *n == 1 || n % along == 0) {
        out.text(
            "tick",
            (x.at(exchange as f64), bottom + 18.0),
            Anchor::Middle,
            &exchange.to_string(),
        );
    }
    out.text("tick soft", (right, bottom + 36.0), Anchor::End, "exchange");
    out.finish(&format!("Words ratio by exchange. {says}"))
}
