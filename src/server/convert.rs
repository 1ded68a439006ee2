//! From our values to LSP's: positions, findings, edits.
//!
//! Invariant: nothing here looks at a document or decides anything; what is
//! shown was decided in `analysis`, and where, by whoever holds the text.

use tower_lsp_server::gen_lsp_types as lsp;

use crate::finding::Finding;
use crate::text::document::Position;

/// The name findings go by in the editor.
pub const SOURCE: &str = "rubricator";

/// A position of the client.
#[must_use]
pub const fn place(position: lsp::Position) -> Position {
    Position::new(position.line, position.character)
}

/// A position for the client.
#[must_use]
pub const fn position(place: Position) -> lsp::Position {
    lsp::Position { line: place.line, character: place.character }
}

/// A range for the client.
#[must_use]
pub const fn range((start, end): (Position, Position)) -> lsp::Range {
    lsp::Range { start: position(start), end: position(end) }
}

/// What a finding is called between client and server: stable while its record's
/// text is, whatever moves around it.
#[must_use]
pub fn finding_id(finding: &Finding) -> String {
    let transcript = finding.transcript.as_deref().unwrap_or("");
    format!("{}@{}..{}@{transcript}", finding.code, finding.span.start, finding.span.end)
}
