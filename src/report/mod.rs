//! The report: where a data set stands, for people who never saw the tool.
//!
//! One set of numbers ([`Report`]) becomes figures, each with a table of its own;
//! from the tables come the page, the text and the CSV files, so they cannot say
//! different things.
//!
//! Invariant: text from transcripts is data everywhere: it is escaped on its way
//! into the page, and the page runs no script but its own.
//!
//! Deliberately absent: reading and writing files, and the clock.

pub mod csv;
pub mod figure;
mod html;
pub mod markdown;
mod overview;
pub mod page;
mod row;
mod svg;
mod table;

use std::sync::Arc;

use crate::review::gate::Gate;

pub use figure::{Figure, figures};
pub use row::{Cut, Reviewed, Row, prompt_version};
pub use table::{Cell, Table};

/// Everything a report says.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The rubric's name, or the project's.
    pub title: String,
    /// When it was made, in UTC, as RFC 3339.
    pub at: String,
    /// The score that passes.
    pub threshold: f64,
    /// The criteria, in rubric order.
    pub criteria: Vec<Column>,
    /// The judges, by name.
    pub judges: Vec<String>,
    /// The transcripts, in the order of the files.
    pub rows: Vec<Row>,
    /// Words ratios of all replies, by exchange: the first is exchange 1.
    pub ratios: Vec<Vec<f32>>,
    /// The batches, with what is worth knowing beside each.
    pub batches: Vec<Batch>,
    /// Tokens a transcript may have, and how they are counted.
    pub tokens: Limit,
    /// Words that replies have in common.
    pub phrases: Vec<Phrase>,
    /// Share of the replies over which a phrase is too frequent.
    pub phrase_share: f64,
    /// What an audit of the whole flags.
    pub flags: Vec<String>,
    /// Why there are no slices to show, where there are none.
    pub unsliced: Option<String>,
    /// What was paid, by judge and purpose.
    pub costs: Vec<Cost>,
}

/// A criterion.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Failing it rejects a transcript whatever the score.
    pub gate: bool,
    /// Judges answer it; else it is computed.
    pub judged: bool,
}

/// A batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its gate.
    pub gate: Gate,
    /// Warnings, a sentence each.
    pub warnings: Vec<String>,
}

/// The limit on tokens.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    /// The most that a transcript, or a slice, may have.
    pub most: usize,
    /// How they are counted, in words.
    pub counter: String,
}

/// Words that many replies share.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// What an audit calls it: `phrase`, `overused`, `opener`, `ending`, or `listed`.
    pub kind: &'static str,
    /// The words.
    pub text: Arc<str>,
    /// Replies that have them, and replies there are.
    pub counted: (usize, usize),
    /// It is over what the settings allow.
    pub flagged: bool,
}

/// What one judge was paid for one purpose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// The judge's name.
    pub judge: String,
    /// What for.
    pub purpose: String,
    /// Calls.
    pub calls: u64,
    /// Calls of which nobody knows the cost.
    pub unpriced: u64,
    /// Prompt tokens and reply tokens.
    pub tokens: (u64, u64),
    /// USD of the priced calls.
    pub usd: f64,
}
