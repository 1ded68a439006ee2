//! From our values to LSP's: positions, findings, edits.
//!
//! Invariant: nothing here looks at a document or decides anything; what is
//! shown was decided in `analysis`, and where, by whoever holds the text.

use serde_json::json;
use tower_lsp_server::gen_lsp_types as lsp;

use crate::finding::{Finding, Severity};
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

/// A finding as a diagnostic at `range`. `related` has its places resolved already.
#[must_use]
pub fn diagnostic(
    finding: &Finding,
    range: lsp::Range,
    related: Vec<lsp::DiagnosticRelatedInformation>,
) -> lsp::Diagnostic {
    let id = finding_id(finding);
    lsp::Diagnostic {
        range,
        severity: Some(severity(finding.severity)),
        code: Some(lsp::Code::String(finding.code.clone().into_owned())),
        code_description: None,
        source: Some(SOURCE.to_owned()),
        message: lsp::Message::String(finding.message.clone()),
        tags: None,
        related_information: (!related.is_empty()).then_some(related),
        data: Some(json!({"judged": finding.judged, "finding": id})),
    }
}

/// What a finding is called between client and server: stable while its record's
/// text is, whatever moves around it.
#[must_use]
pub fn finding_id(finding: &Finding) -> String {
    let transcript = finding.transcript.as_deref().unwrap_or("");
    format!("{}@{}..{}@{transcript}", finding.code, finding.span.start, finding.span.end)
}

const fn severity(severity: Severity) -> lsp::DiagnosticSeverity {
    match severity {
        Severity::Error => lsp::DiagnosticSeverity::Error,
        Severity::Warning => lsp::DiagnosticSeverity::Warning,
        Severity::Info => lsp::DiagnosticSeverity::Information,
        Severity::Hint => lsp::DiagnosticSeverity::Hint,
    }
}
