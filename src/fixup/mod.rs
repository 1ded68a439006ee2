//! Fixups: what a rewrite of a reply must prove before it may become an edit.
//!
//! Deliberately absent: models and files. Drafting and asking are the engine's.

pub mod continuity;
mod questions;
mod words;

pub use continuity::{Break, Link, Place, breaks};

#[cfg(test)]
mod labelled_tests;
