//! Text: spans, JSON with spans, escapes, documents and minimal edits.

pub mod document;
pub mod edit;
pub mod escape;
pub mod json;
pub mod nearest;
pub mod patch;
pub mod span;
pub mod thousands;
pub mod yaml;

pub use document::Document;
pub use span::Span;
