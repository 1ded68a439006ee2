//! Text: spans, JSON with spans, escapes, documents and minimal edits.

pub mod escape;
pub mod json;
pub mod span;

pub use span::Span;
