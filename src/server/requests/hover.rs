//! `textDocument/hover`

use tower_lsp_server::gen_lsp_types::{
    Contents, Hover, MarkupContent, MarkupKind, Position, Range,
};

use crate::analysis::hover::{self, Subject};
use crate::analysis::record::Outline;
use crate::analysis::{judges, rubric_lenses};
use crate::config::{Origin, layer};
use crate::doctor::{self, show};
use crate::rubric::parse::Parsed;
use crate::text::Span;
use crate::text::json;
use crate::tokens::Precision;
use crate::transcript::read;

use super::super::reviews::Reviews;
use super::super::shelf::Shelf;
use super::super::snapshot::{Known, Snapshot};

/// Everything known about the words at a position.
#[must_use]
pub fn answer(snapshot: &Snapshot, position: Position) -> Option<Hover> {
    let at = snapshot.span(Range { start: position, end: position }).start;
    let (span, text) = match &snapshot.content {
        Known::Transcripts(shelf) => in_transcripts(snapshot, shelf, at)?,
        Known::Rubric(parsed) => in_rubric(snapshot, parsed, at)?,
        Known::Settings => in_settings(snapshot, at)?,
        Known::Other => return None,
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
        reviewed: snapshot.reviews.as_ref().map(Reviews::reviewed),
    };
    let hover = hover::hover(subject, at - start)?;
    let mut text = hover.text;
    let in_message = |o: &Outline| o.messages.iter().any(|m| m.source.touches(at - start));
    if !record.outline().is_none_or(in_message) {
        text.extend(as_trained(snapshot, record.span()));
    }
    // Who has not answered is told where answers are missed.
    for trouble in judges::trouble(&snapshot.judges) {
        text = format!("{text}\n\n{trouble}");
    }
    Some((hover.span.shifted(start), text))
}

/// Characters of a rendered record that a hover shows.
const SHOWN: usize = 4_000;

/// The record as the trainer of `[target]` sees it; `None` without one.
fn as_trained(snapshot: &Snapshot, span: Span) -> Option<String> {
    let target = snapshot.live.context().target?;
    let text = snapshot.text.text();
    let record = text.get(span.start..span.end)?;
    let json = json::parse(record, snapshot.live.settings().limits.depth);
    let transcript = read(record, &json).transcript.ok()?;
    let view = doctor::view(record, &json, &transcript, &target).ok()?;
    let count = view.count?;
    let label = match count.precision {
        Precision::Exact => "exact".to_owned(),
        Precision::Estimate(why) => format!("estimated: {why}"),
    };
    let (name, trained) = (target.trainer.name(), count.kept_trained);
    let head = format!(
        "as {name} sees it: {} tokens ({label}), {} kept, {trained} trained on",
        count.tokens, count.kept
    );
    let shown = show::marked(&view, SHOWN).replace("```", "`\u{200b}``");
    Some(format!("\n\n---\n\n{}\n\n```text\n{shown}\n```", hover::escape(&head)))
}

/// The judge whose table the place is in.
fn in_settings(snapshot: &Snapshot, at: usize) -> Option<(Span, String)> {
    let text = snapshot.text.text();
    let table = judges::table_at(&text, at)?;
    let layer = layer::parse(&text, Origin::ProjectFile);
    let inside = |entry: &&layer::JudgeEntry| table.covers(entry.span);
    let name = layer.judges.iter().find(inside)?.text("name")?;
    let judge = snapshot.judges.iter().find(|judge| judge.name == name)?;
    Some((table, judges::hover(judge)))
}

fn in_rubric(snapshot: &Snapshot, parsed: &Parsed, at: usize) -> Option<(Span, String)> {
    let rubric = parsed.rubric.as_ref()?;
    let criterion = rubric.criteria.iter().find(|c| c.source.touches(at))?;
    let about = hover::about_criterion(criterion);
    if !snapshot.is_rubric_in_force() {
        return Some((criterion.source, about));
    }
    let facts = rubric_lenses::criterion(criterion, snapshot.counted(criterion));
    let mut text = format!("{about}\n\n{facts}");
    let marked = snapshot.reviews.iter().flat_map(|reviews| reviews.marked(&criterion.id));
    for marked in marked {
        text = format!("{text}\n\n{}", rubric_lenses::about_trust(marked));
    }
    Some((criterion.source, text))
}
