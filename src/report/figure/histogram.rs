//! Bars of how many fall where, with a line that should not be crossed.

use crate::report::svg::{Anchor, Drawing, Scale, step};
use crate::report::{Cell, Table};

/// How many values fall into bins of the same width, from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The width of a bin.
    pub width: f64,
    /// Values in each bin; the last also has what lies further.
    pub bins: Vec<usize>,
}

/// A line, and what it is.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where.
    pub at: f64,
    /// What it is.
    pub name: String,
}

impl Histogram {
    /// Counts values into bins that hold up to `most`.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>, width: f64, most: f64) -> Self {
        let count = ((most / width - 1e-9).ceil().max(1.0) as usize).min(200);
        let mut bins = vec![0; count];
        for value in values {
            // A value on an edge belongs below it, as at a limit; rounding does not matter.
            let bin = ((value / width - 1e-9).ceil() - 1.0).max(0.0) as usize;
            let bin = bin.min(count - 1);
            bins[bin] += 1;
        }
        Self { width, bins }
    }

    /// The bins as a table.
    #[must_use]
    pub fn table(&self, heads: [&str; 3], number: impl Fn(f64) -> Cell) -> Table {
        let mut table = Table::of(&heads);
        for (index, count) in self.bins.iter().enumerate() {
            let edge = |bin: usize| number(bin as f64 * self.width);
            table.rows.push(vec![edge(index), edge(index + 1), (*count).into()]);
        }
        table
    }

    /// The bars. What is beyond the line is told apart by pattern and name.
    #[must_use]
    pub fn drawing(
        &self,
        line: &Line,
        unit: &str,
        number: impl Fn(f64) -> String,
        says: &str,
    ) -> String {
        let (left, right, top, bottom) = (52.0, 720.0, 28.0, 220.0);
        let most = self.bins.iter().copied().max().unwrap_or(0).max(1) as f64;
        let end = (self.bins.len() as f64 * self.width).max(line.at * 1.08);
        let x = Scale { domain: (0.0, end), range: (left, right) };
        let y = Scale { domain: (0.0, most), range: (bottom, top) };
        let mut out = Drawing::new(760.0, 262.0);
        let up = step(most, 4.0).max(1.0);
        let mut at = 0.0;
        while at <= most {
            out.line("grid", (left, y.at(at)), (right, y.at(at)));
            out.text("tick", (left - 8.0, y.at(at) + 4.0), Anchor::End, &format!("{at:.0}"));
            at += up;
        }
        for (index, count) in self.bins.iter().enumerate() {
            let (from, to) = (index as f64 * self.width, (index as f64 + 1.0) * self.width);
            let class = if from + 1e-9 >= line.at { "fill-bad" } else { "fill-main" };
            let says = format!("{} to {} {unit}: {count}", number(from), number(to));
            let height = if *count > 0 { (bottom - y.at(*count as f64)).max(2.0) } else { 0.0 };
            let width = (x.at(to) - x.at(from) - 1.5).max(1.0);
            out.bar(class, (x.at(from), bottom - height), (width, height), &says);
        }
        let along = step(end, 8.0);
        let mut at = 0.0;
        while at <= end + 1e-9 {
            out.text("tick", (x.at(at), bottom + 18.0), Anchor::Middle, &number(at));
            at += along;
        }
        out.text("tick soft", (right, bottom + 36.0), Anchor::End, unit);
        out.line("limit", (x.at(line.at), top - 12.0), (x.at(line.at), bottom));
        let (shift, anchor) =
            if x.at(line.at) > 500.0 { (-6.0, Anchor::End) } else { (6.0, Anchor::Start) };
        out.text("limit-name", (x.at(line.at) + shift, top - 4.0), anchor, &line.name);
        out.finish(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bin_below_and_the_last_takes_the_rest() {
        let values = [0.0, 0.049, 0.15, 0.151, 0.3, 9.0];
        let found = Histogram::of(values.into_iter(), 0.05, 0.3);
        assert_eq!(found.bins, [2, 0, 1, 1, 0, 2]);
    }
}
