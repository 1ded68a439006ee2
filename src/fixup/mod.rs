//! Fixups: which replies may be rewritten, and what a rewrite must prove before it
//! may become an edit (SPEC 7).
//!
//! ```text
//! Target ─ a drafter ─▶ Draft ─ lexical, judged, re-judged ─▶ EntailedFixup ─▶ Edit
//!                         └───────────── Refusal ◀───────────────┘
//! ```
//!
//! What cannot be rewritten may be cut off ([`truncate`]).
//!
//! Deliberately absent: models and files. Drafting and asking are the engine's.

pub mod continuity;
pub mod draft;
pub mod entailed;
pub mod offer;
pub mod preference;
mod questions;
pub mod record;
pub mod remedies;
pub mod truncate;
mod words;

pub use continuity::{Break, Link, Place, breaks};
pub use draft::{Draft, Refusal, Target};
pub use entailed::EntailedFixup;
pub use offer::{FailedReply, Offer, offers};
pub use record::FixupRecord;
pub use remedies::{Remedies, remedies};
pub use truncate::{Cut, Truncation, cuts};

#[cfg(test)]
mod labelled_tests;
