//! A table of numbers: what a figure shows, for those who read, sort or compute.

pub use crate::text::thousands::grouped;

/// What stands in a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words; from anywhere, so never trusted.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A share from 0 to 1.
    Share(f64),
    /// A number with so many decimals.
    Number(f64, usize),
    /// US dollars.
    Usd(f64),
    /// A place in a file: its path from the report's folder, and its line.
    Place(String, usize),
    /// Nothing is known.
    None,
}

impl Cell {
    /// A share of a count that may be nothing.
    #[must_use]
    pub fn share(part: usize, of: usize) -> Self {
        if of == 0 { Self::None } else { Self::Share(part as f64 / of as f64) }
    }

    /// For people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => grouped(*count),
            Self::Share(share) => percent(*share),
            Self::Number(number, decimals) => format!("{number:.decimals$}"),
            Self::Usd(usd) => dollars(*usd),
            Self::Place(file, line) => format!("{file}:{line}"),
            Self::None => "–".into(),
        }
    }

    /// For programs; empty where nothing is known.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Share(share) => format!("{share:.4}"),
            Self::Usd(usd) => format!("{usd:.6}"),
            Self::None => String::new(),
            other => other.shown(),
        }
    }

    /// True for what is set flush right.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Share(_) | Self::Number(..) | Self::Usd(_))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Column heads.
    pub heads: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty one.
    #[must_use]
    pub fn of(heads: &[&str]) -> Self {
        Self { heads: heads.iter().map(|head| (*head).to_owned()).collect(), rows: Vec::new() }
    }
}

/// `67 %`; one decimal where rounding would say none or all.
#[must_use]
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let hides = (0.05..1.0).contains(&value) || (value > 99.0 && value < 99.95);
    if hides { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

/// `$0.0123`, `$12.30`.
#[must_use]
pub fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 0.1 { format!("${usd:.4}") } else { format!("${usd:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people_never_round_to_none_or_all() {
        let shown = |share: f64| Cell::Share(share).shown();
        assert_eq!(
            [0.0, 0.004, 0.125, 0.996, 1.0].map(shown),
            ["0 %", "0.4 %", "12 %", "99.6 %", "100 %"]
        );
        assert_eq!(Cell::Count(1_234_567).shown(), "1,234,567");
        assert_eq!(Cell::Count(1_234_567).plain(), "1234567");
        assert_eq!((Cell::share(0, 0), Cell::None.plain()), (Cell::None, String::new()));
    }
}
