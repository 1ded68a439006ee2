//! `textDocument/hover`

use tower_lsp_server::gen_lsp_types::{
    Contents, Hover, MarkupContent, MarkupKind, Position, Range,
};

use crate::analysis::hover::{self, Subject};
use crate::analysis::rubric_lenses;
use crate::rubric::parse::Parsed;
use crate::text::Span;

use super::super::shelf::Shelf;
use super::super::snapshot::{Known, Snapshot};

/// Everything known about the words at a position.
#[must_use]
pub fn answer(snapshot: &Snapshot, position: Position) -> Option<Hover> {
    let at = snapshot.span(Range { start: position, end: position }).start;
    let (span, text) = match &snapshot.content {
        Known::Transcripts(shelf) => in_transcripts(snapshot, shelf, at)?,
        Known::Rubric(parsed) => in_rubric(snapshot, parsed, at)?,
        Known::Settings | Known::Other => return None,
    };
    let kind = if snapshot.client.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Some(Hover {
        contents: Contents::MarkupContent(MarkupContent { kind, value: text }),
        range: Some(snapshot.range(span)),
    })
}

fn in_transcripts(snapshot: &Snapshot, shelf: &Shelf, at: usize) -> Option<(Span, String)> {
    let record = shelf.at(at)?;
    let start = record.span().start;
    let judged = record.judged;
    let mut findings = judged.map_or_else(Vec::new, |judged| judged.findings.clone());
    findings.extend_from_slice(&record.known.analysis.findings);
    let subject = Subject {
        outline: record.outline(),
        findings: &findings,
        rubric: snapshot.live.rubric().map(|rubric| &**rubric),
        outcomes: judged.map_or(&[], |judged| &judged.outcomes),
        standing: judged.map(|judged| &judged.standing),
        limit: snapshot.live.settings().tokens.limit,
    };
    let hover = hover::hover(subject, at - start)?;
    Some((hover.span.shifted(start), hover.text))
}

fn in_rubric(snapshot: &Snapshot, parsed: &Parsed, at: usize) -> Option<(Span, String)> {
    let rubric = parsed.rubric.as_ref()?;
    let criterion = rubric.criteria.iter().find(|c| c.source.touches(at))?;
    let about = hover::about_criterion(criterion);
    if !snapshot.is_rubric_in_force() {
        return Some((criterion.source, about));
    }
    let facts = rubric_lenses::criterion(criterion, snapshot.counted(criterion));
    Some((criterion.source, format!("{about}\n\n{facts}")))
}
