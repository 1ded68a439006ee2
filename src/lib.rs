//! Rubricator: transcripts and rubrics as documents.

pub mod analysis;
pub mod assessment;
pub mod config;
pub mod finding;
pub mod rubric;
pub mod text;
pub mod transcript;

#[cfg(test)]
pub(crate) mod testing;
