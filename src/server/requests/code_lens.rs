//! `textDocument/codeLens`: a line above each transcript, and above each criterion
//! of the rubric in force.

use serde_json::json;
use tower_lsp_server::gen_lsp_types::{CodeLens, Command, Range};

use crate::analysis::judges;
use crate::analysis::lenses::{self, Press};
use crate::analysis::rubric_lenses;
use crate::review::gate::Gate;
use crate::review::warnings::Warning;
use crate::rubric::{Criterion, Rubric};
use crate::text::Span;

use super::super::shelf::{Record, Shelf};
use super::super::snapshot::{Known, Snapshot};
use super::execute_command;

/// The lenses of the document.
#[must_use]
pub fn answer(snapshot: &Snapshot) -> Option<Vec<CodeLens>> {
    match &snapshot.content {
        Known::Transcripts(shelf) => {
            let of_records = shelf.records().flat_map(|record| of_record(snapshot, &record));
            Some(of_records.chain(of_batches(snapshot, shelf)).collect())
        }
        Known::Rubric(parsed) if snapshot.is_rubric_in_force() => {
            parsed.rubric.as_ref().map(|rubric| of_rubric(snapshot, rubric))
        }
        Known::Rubric(_) | Known::Settings | Known::Other => None,
    }
}

fn of_rubric(snapshot: &Snapshot, rubric: &Rubric) -> Vec<CodeLens> {
    let whole = snapshot.census.as_ref().and_then(|census| census.whole);
    let title = rubric_lenses::root(whole);
    let all = json!({"uri": snapshot.uri.0});
    let command = execute_command::Command::AssessAll;
    let root = lens(snapshot.range(Span::empty(0)), title, command, &all);
    let of_criterion = |criterion: &Criterion| {
        let mut title = rubric_lenses::criterion(criterion, snapshot.counted(criterion));
        for marked in snapshot.reviews.iter().flat_map(|r| r.marked(&criterion.id)) {
            title = format!("{title} · {}", rubric_lenses::trust(marked));
        }
        let stale = snapshot.reviews.as_ref().map_or(0, |r| r.stale_marks(&criterion.id));
        if stale > 0 {
            title = format!("{title} · {}", rubric_lenses::stale(stale));
        }
        let target = json!({"uri": snapshot.uri.0, "criterion": criterion.id});
        let range = snapshot.range(Span::empty(criterion.source.start));
        lens(range, title, execute_command::Command::Explain, &target)
    };
    std::iter::once(root).chain(rubric.criteria.iter().map(of_criterion)).collect()
}

/// Whether more like the transcripts of this file may be made, at its beginning.
fn of_batches(snapshot: &Snapshot, shelf: &Shelf) -> Vec<CodeLens> {
    let Some(reviews) = &snapshot.reviews else { return Vec::new() };
    let range = snapshot.range(Span::empty(0));
    let gates = reviews.gates_of(&snapshot.live, &snapshot.uri, shelf);
    let lens_of = |(gate, warnings): &(Gate, Vec<Warning>)| {
        let target = json!({"uri": snapshot.uri.0, "batch": gate.batch});
        let title = format!("Gate: {}", lenses::gate(gate, warnings.len()));
        lens_at(range, title, Press::Gate, &target)
    };
    gates.map(lens_of).collect()
}

fn of_record(snapshot: &Snapshot, record: &Record<'_>) -> Vec<CodeLens> {
    let Some(outline) = record.outline() else { return Vec::new() };
    // At the first character: a place that exists however long the line is.
    let range = snapshot.range(Span::empty(record.span().start));
    let limit = snapshot.live.settings().tokens.limit;
    let target = json!({"uri": snapshot.uri.0, "transcript": &*outline.id});
    let standing = record.judged.map(|judged| &judged.standing);
    let review = snapshot.reviews.as_ref().map(|reviews| reviews.word(outline));
    let mut lenses = lenses::lenses(outline, standing, limit, review);
    // Who does not answer is told where answers are missed.
    let misses = standing.is_none_or(|s| s.rechecking || s.name == "incomplete");
    if let Some(first) = lenses.first_mut().filter(|_| misses) {
        for trouble in judges::brief(&snapshot.judges) {
            first.title += &format!(" · {trouble}");
        }
    }
    let lenses = lenses.into_iter();
    lenses.map(|lens| lens_at(range, lens.title, lens.press, &target)).collect()
}

fn lens_at(range: Range, title: String, press: Press, target: &serde_json::Value) -> CodeLens {
    let command = match press {
        Press::Explain => execute_command::Command::Explain,
        Press::Assess => execute_command::Command::Assess,
        Press::Review => execute_command::Command::Review,
        Press::Gate => execute_command::Command::Gate,
    };
    lens(range, title, command, target)
}

fn lens(
    range: Range,
    title: String,
    command: execute_command::Command,
    target: &serde_json::Value,
) -> CodeLens {
    let command = Command {
        title,
        tooltip: None,
        command: command.name().to_owned(),
        arguments: Some(vec![target.clone()]),
    };
    CodeLens { range, command: Some(command), data: None }
}
