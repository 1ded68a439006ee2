//! `textDocument/codeLens`: a line above each transcript.

use serde_json::json;
use tower_lsp_server::gen_lsp_types::{CodeLens, Command, Range};

use crate::analysis::lenses::{self, Press};
use crate::text::Span;

use super::super::shelf::Record;
use super::super::snapshot::{Known, Snapshot};
use super::execute_command;

/// The lenses of every transcript of the document.
#[must_use]
pub fn answer(snapshot: &Snapshot) -> Option<Vec<CodeLens>> {
    let Known::Transcripts(shelf) = &snapshot.content else { return None };
    Some(shelf.records().flat_map(|record| of_record(snapshot, &record)).collect())
}

fn of_record(snapshot: &Snapshot, record: &Record<'_>) -> Vec<CodeLens> {
    let Some(outline) = record.outline() else { return Vec::new() };
    // At the first character: a place that exists however long the line is.
    let range = snapshot.range(Span::empty(record.span().start));
    let limit = snapshot.live.settings().tokens.limit;
    let target = json!({"uri": snapshot.uri.0, "transcript": &*outline.id});
    let lenses =
        lenses::lenses(outline, record.judged.map(|judged| &judged.standing), limit).into_iter();
    lenses.map(|lens| lens_at(range, lens.title, lens.press, &target)).collect()
}

fn lens_at(range: Range, title: String, press: Press, target: &serde_json::Value) -> CodeLens {
    let command = match press {
        Press::Explain => execute_command::Command::Explain,
        Press::Assess => execute_command::Command::Assess,
    };
    let command = Command {
        title,
        tooltip: None,
        command: command.name().to_owned(),
        arguments: Some(vec![target.clone()]),
    };
    CodeLens { range, command: Some(command), data: None }
}
