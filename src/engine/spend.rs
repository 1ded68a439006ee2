//! What was spent, per judge and purpose: plain values for whoever shows them.
//!
//! Invariant: what has no known price is counted apart and adds no money.

use super::provider::Usage;

/// What was spent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spend {
    /// On the project that was asked about.
    pub project: Vec<Line>,
    /// On all projects.
    pub total: Vec<Line>,
}

/// What one judge was paid for one purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The judge's name.
    pub judge: String,
    /// `assess`, `selftest`, `fixup` or `generate`.
    pub purpose: String,
    /// Since midnight here.
    pub today: Amount,
    /// In the last 30 days.
    pub month: Amount,
    /// Ever.
    pub all: Amount,
}

/// Calls, tokens and money.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    /// Calls, retries that were paid included.
    pub calls: u64,
    /// Those of them whose cost nobody knows.
    pub unpriced: u64,
    /// Prompt tokens.
    pub input: u64,
    /// Reply tokens.
    pub output: u64,
    /// USD of the others.
    pub usd: f64,
}

impl Spend {
    /// What this judge was paid in all for this project.
    #[must_use]
    pub fn of_judge(&self, judge: &str) -> Line {
        let lines = self.project.iter().filter(|line| line.judge == judge);
        sum(judge, lines)
    }

    /// Everything that was spent on any project.
    #[must_use]
    pub fn of_all(&self) -> Line {
        sum("", self.total.iter())
    }

    /// Everything that was spent on this project.
    #[must_use]
    pub fn of_project(&self) -> Line {
        sum("", self.project.iter())
    }
}

fn sum<'a>(judge: &str, lines: impl Iterator<Item = &'a Line>) -> Line {
    let none = Amount::default();
    let empty =
        Line { judge: judge.into(), purpose: String::new(), today: none, month: none, all: none };
    lines.fold(empty, |mut all, line| {
        all.add(line);
        all
    })
}

impl Line {
    /// Adds the amounts of another line.
    pub fn add(&mut self, other: &Self) {
        self.today.add(&other.today);
        self.month.add(&other.month);
        self.all.add(&other.all);
    }
}

impl Amount {
    pub(super) fn of(usage: Option<&Usage>, usd: Option<f64>) -> Self {
        Self {
            calls: 1,
            unpriced: u64::from(usd.is_none()),
            input: usage.map_or(0, |usage| usage.input),
            output: usage.map_or(0, |usage| usage.output),
            usd: usd.unwrap_or(0.0),
        }
    }

    /// Adds another amount.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.unpriced += other.unpriced;
        self.input += other.input;
        self.output += other.output;
        self.usd += other.usd;
    }
}
