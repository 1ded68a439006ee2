//! The figures: each says in a sentence what it shows, draws it, and has the
//! numbers beside it as a table.
//!
//! Invariant: what there is nothing to say about is said to be so; no figure is
//! drawn of nothing.

mod batches;
mod costs;
mod criteria;
mod funnel;
mod histogram;
mod lengths;
mod phrases;
mod slices;
mod spread;
mod tokens;
mod transcripts;

use super::{Report, Table};

/// A figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its name, also of its CSV file.
    pub name: &'static str,
    /// Its title: a question that it answers.
    pub title: &'static str,
    /// What it says, in a sentence or two.
    pub says: String,
    /// How to read it.
    pub how: &'static str,
    /// Its drawing; `None` where there is nothing to draw, or the page draws it.
    pub drawing: Option<String>,
    /// Its numbers.
    pub table: Table,
}

/// All figures, in the order in which they are read.
#[must_use]
pub fn figures(report: &Report) -> Vec<Figure> {
    vec![
        funnel::figure(report),
        batches::figure(report),
        batches::versions(report),
        criteria::figure(report),
        spread::figure(report),
        lengths::figure(report),
        tokens::figure(report),
        phrases::figure(report),
        slices::figure(report),
        costs::figure(report),
        transcripts::figure(report),
    ]
}

/// `1 transcript`, `2 transcripts`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    let number = super::table::grouped(count as u64);
    if count == 1 { format!("{number} {what}") } else { format!("{number} {what}s") }
}
