//! What is wrong with a data set as a whole, and with no transcript alone (SPEC 8):
//! phrases that come back everywhere, replies cut after one pattern, replies too
//! long for what was asked, praise that swells, transcripts that say the same.
//!
//! ```text
//! transcript ─ first look ─▶ Tally, Sketch, Signature ─ merged ─▶ what may be suspicious
//! transcript ─ second look ─▶ exact counts and instances of that alone ─▶ Flag
//! ```
//!
//! Invariant: counts are exact. A sketch only decides what is looked at a second
//! time, and never misses what is over a threshold. Memory does not grow with the
//! texts: a fixed table, and some 300 bytes a transcript for near-duplicates.
//!
//! Deliberately absent: files and threads.

pub mod alike;
pub mod flags;
pub mod found;
pub mod habits;
pub mod look;
pub mod mined;
pub mod mix;
pub mod words;

pub use flags::{Flag, Twins};
pub use found::Found;
pub use habits::Tally;
pub use look::Looker;
pub use mined::{Feature, Kind, Mined, Sketch};
pub use mix::{Mix, Share, Targets};
