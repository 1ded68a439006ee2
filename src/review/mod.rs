//! Human review: what people said of transcripts, verdicts and batches, and what
//! follows from it for a batch.
//!
//! Invariant: a record speaks of the text and the rubric it is bound to; of
//! another text or rubric it is *stale*: shown, and not counted.
//!
//! Deliberately absent: files and clocks; the engine reads and appends.

pub mod acceptance;
pub mod answer;
pub mod batch;
pub mod calibration;
pub mod census;
pub mod critique;
pub mod gate;
pub mod goals;
pub mod log;
pub mod next;
pub mod record;
pub mod roster;
pub mod warnings;

pub use gate::{Decision, Gate};
pub use log::{Bound, Log, Mark, Review};
pub use record::{Kind, Record};
