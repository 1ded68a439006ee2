//! Slices: prefixes of a transcript, each one training example (SPEC 8).
//!
//! ```text
//! id ─ points ─▶ 3 5 9 …        group ─ split ─▶ training | validation
//! record ─ example ─▶ {"messages": …} after each point ─ leaks ─▶ none on both sides
//! ```
//!
//! Invariant: which slices there are, and on which side they fall, depends on the
//! transcript, the seed and the share alone, so a run on another machine, in
//! another order or over more files makes the same ones.
//!
//! Deliberately absent: which transcripts are good enough, and files.

pub mod example;
pub mod leaks;
pub mod points;
pub mod split;

pub use example::{Sliceable, System};
pub use leaks::{Leak, Sides};
pub use points::points;
pub use split::{Side, Split};
