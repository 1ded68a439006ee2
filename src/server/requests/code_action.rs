//! `textDocument/codeAction`: mechanical fixes of the findings in the range, and
//! the commands that fit there.
//!
//! Invariant: answered from memory; every edit is inline, minimal, and made for
//! the version the client has.

use std::collections::HashMap;

use serde_json::json;
use tower_lsp_server::gen_lsp_types::{
    AnnotatedTextEdit, ChangeAnnotation, CodeAction, CodeActionKind, CodeActionParams,
    CodeActionResponse, Command, Diagnostic, DocumentChange, Edit,
    OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextDocumentIdentifier, TextEdit,
    WorkspaceEdit,
};

use crate::analysis::diagnostics::rubric;
use crate::finding::{Finding, Fix, Safety};
use crate::text::Span;

use super::super::convert;
use super::super::shelf::Shelf;
use super::super::snapshot::{Known, Snapshot};
use super::{critique_action, execute_command, fixup_action, review_action};

/// The actions for a range.
#[must_use]
pub fn answer(snapshot: &Snapshot, params: &CodeActionParams) -> Option<Vec<CodeActionResponse>> {
    if !snapshot.client.action_literals {
        return None;
    }
    let place = snapshot.span(params.range);
    let only = params.context.only.as_deref();
    let wanted = |kind: &CodeActionKind| only.is_none_or(|only| covers(only, kind));
    let mut actions = Vec::new();
    if wanted(&CodeActionKind::QuickFix) {
        actions.extend(fixes(snapshot, place, &params.context.diagnostics));
        actions.extend(critique_action::actions(snapshot, place, &params.context.diagnostics));
    }
    if wanted(&fixup_action::KIND)
        && let Known::Transcripts(shelf) = &snapshot.content
    {
        actions.extend(fixup_action::actions(snapshot, shelf, place, &params.context.diagnostics));
    }
    if wanted(&CodeActionKind::Source)
        && let Known::Transcripts(shelf) = &snapshot.content
    {
        actions.extend(commands(snapshot, shelf, place));
    }
    if wanted(&review_action::KIND)
        && let Known::Transcripts(shelf) = &snapshot.content
    {
        let named = |kind: &CodeActionKind| kind_name(kind).starts_with("source.rubricator");
        let thorough = only.is_some_and(|only| only.iter().any(named));
        actions.extend(review_action::actions(snapshot, shelf, place, thorough));
    }
    Some(actions.into_iter().map(CodeActionResponse::CodeAction).collect())
}

/// `refactor` asks for `refactor.rewrite` too.
fn covers(only: &[CodeActionKind], kind: &CodeActionKind) -> bool {
    let name = kind_name(kind);
    only.iter().any(|wanted| {
        let wanted = kind_name(wanted);
        let rest = name.strip_prefix(wanted.as_str());
        wanted.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn kind_name(kind: &CodeActionKind) -> String {
    let json = serde_json::to_value(kind).ok();
    json.and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}

fn fixes(snapshot: &Snapshot, place: Span, shown: &[Diagnostic]) -> Vec<CodeAction> {
    let mut actions = Vec::new();
    each_finding(snapshot, place, |finding, by| {
        for fix in &finding.fixes {
            actions.push(action(snapshot, finding, fix, by, shown));
        }
    });
    // The surest and the nearest first: editors apply the first one on a key.
    actions.sort_by_key(|action| action.is_preferred != Some(true));
    actions
}

/// Calls `take` with every finding that meets `place` and what its spans count from.
fn each_finding(snapshot: &Snapshot, place: Span, mut take: impl FnMut(&Finding, usize)) {
    let mut offer = |findings: &[Finding], by: usize| {
        for finding in findings.iter().filter(|f| f.span.shifted(by).meets(place)) {
            take(finding, by);
        }
    };
    match &snapshot.content {
        Known::Transcripts(shelf) => {
            for record in shelf.meeting(place) {
                offer(&record.known.analysis.findings, record.span().start);
            }
        }
        Known::Rubric(parsed) => {
            let text = snapshot.text.text();
            offer(&rubric::findings(&text, parsed), 0);
            if let Some(outcome) =
                snapshot.audited.as_ref().filter(|_| snapshot.is_rubric_in_force())
            {
                offer(&rubric::overused::findings(&text, parsed, &outcome.overused), 0);
            }
        }
        Known::Settings => offer(&super::super::kind::settings_findings(&snapshot.text.text()), 0),
        Known::Other => {}
    }
}

fn action(
    snapshot: &Snapshot,
    finding: &Finding,
    fix: &Fix,
    by: usize,
    shown: &[Diagnostic],
) -> CodeAction {
    let id = convert::finding_id(finding);
    let is_its = |d: &&Diagnostic| {
        let same_id = d.data.as_ref().is_some_and(|data| data["finding"] == id.as_str());
        let range = snapshot.range(finding.span.shifted(by));
        same_id || d.data.is_none() && d.range == range
    };
    let diagnostics: Vec<Diagnostic> = shown.iter().filter(is_its).cloned().collect();
    let edits = fix.edits.iter().map(|edit| TextEdit {
        range: snapshot.range(edit.span.shifted(by)),
        new_text: edit.text.clone(),
    });
    CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: (!diagnostics.is_empty()).then_some(diagnostics),
        is_preferred: Some(fix.safety == Safety::Safe),
        edit: Some(workspace_edit(snapshot, edits.collect(), None)),
        ..CodeAction::default()
    }
}

/// The name of the one annotation of an edit.
const ANNOTATION: &str = "rubricator";

/// Edits of the snapshot's document, with its version where the client takes one, and
/// with what they are where it shows that.
pub(super) fn workspace_edit(
    snapshot: &Snapshot,
    edits: Vec<TextEdit>,
    annotation: Option<ChangeAnnotation>,
) -> WorkspaceEdit {
    if !snapshot.client.versioned_edits {
        let changes = HashMap::from([(snapshot.uri.clone(), edits)]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let text_document = OptionalVersionedTextDocumentIdentifier {
        version: Some(snapshot.version),
        text_document_identifier: TextDocumentIdentifier { uri: snapshot.uri.clone() },
    };
    let annotation = annotation.filter(|_| snapshot.client.annotated_edits);
    let edit = |text_edit| match annotation {
        None => Edit::TextEdit(text_edit),
        Some(_) => {
            let annotation_id = ANNOTATION.to_owned();
            Edit::AnnotatedTextEdit(AnnotatedTextEdit { annotation_id, text_edit })
        }
    };
    let edits = edits.into_iter().map(edit).collect();
    let change = DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits });
    WorkspaceEdit {
        document_changes: Some(vec![change]),
        change_annotations: annotation.map(|one| HashMap::from([(ANNOTATION.to_owned(), one)])),
        ..WorkspaceEdit::default()
    }
}

/// Assess and explain, for the transcript under the cursor.
fn commands(snapshot: &Snapshot, shelf: &Shelf, place: Span) -> Vec<CodeAction> {
    let record = shelf.meeting(place).next();
    let Some(outline) = record.as_ref().and_then(|r| r.outline()) else { return Vec::new() };
    let target = json!({"uri": snapshot.uri.0, "transcript": &*outline.id});
    let action = |title: &str, command: execute_command::Command| CodeAction {
        title: title.to_owned(),
        kind: Some(CodeActionKind::Source),
        command: Some(Command {
            title: title.to_owned(),
            tooltip: None,
            command: command.name().to_owned(),
            arguments: Some(vec![target.clone()]),
        }),
        ..CodeAction::default()
    };
    vec![
        action("Assess this transcript", execute_command::Command::Assess),
        action("Explain what is found here", execute_command::Command::Explain),
    ]
}
