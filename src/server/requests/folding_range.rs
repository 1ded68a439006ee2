//! `textDocument/foldingRange`: messages and exchanges of transcripts that span
//! lines, blocks of rubrics.
//!
//! Invariant: whole lines only, the one form every client understands.

use tower_lsp_server::gen_lsp_types::FoldingRange;

use crate::analysis::folds;
use crate::text::Span;

use super::super::shelf::Record;
use super::super::snapshot::{Known, Snapshot};

/// The folds of the document.
#[must_use]
pub fn answer(snapshot: &Snapshot) -> Option<Vec<FoldingRange>> {
    match &snapshot.content {
        Known::Transcripts(shelf) => {
            let mut lines: Vec<(u32, u32)> =
                shelf.records().flat_map(|record| of_record(snapshot, &record)).collect();
            lines.sort_unstable();
            lines.dedup();
            Some(lines.into_iter().map(fold).collect())
        }
        Known::Rubric(_) => {
            Some(folds::yaml(&snapshot.text.text()).into_iter().map(fold).collect())
        }
        Known::Settings | Known::Other => None,
    }
}

fn of_record(snapshot: &Snapshot, record: &Record<'_>) -> Vec<(u32, u32)> {
    let span = record.span();
    let line = |at: usize| u32::try_from(snapshot.text.line_of(at)).unwrap_or(u32::MAX);
    // A record in one line, which is nearly every one, has nothing to fold.
    let Some(outline) = record.outline().filter(|_| line(span.start) < line(span.end)) else {
        return Vec::new();
    };
    let spans = folds::transcript(outline, Span::new(0, span.len())).into_iter();
    let lines = spans.map(|s| (line(span.start + s.start), line(span.start + s.end)));
    lines.filter(|(first, last)| first < last).collect()
}

fn fold((start_line, end_line): (u32, u32)) -> FoldingRange {
    FoldingRange { start_line, end_line, ..FoldingRange::default() }
}
