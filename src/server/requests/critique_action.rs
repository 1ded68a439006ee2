//! What can be made of a critic's finding under the cursor.
//!
//! Invariant: one press is one decision; nothing is asked but what cannot be known.

use serde_json::{Value, json};
use tower_lsp_server::gen_lsp_types::{CodeAction, CodeActionKind, Command, Diagnostic};

use crate::text::Span;

use super::super::convert;
use super::super::remarks::Remark;
use super::super::snapshot::{Known, Snapshot};
use super::execute_command;

/// The actions of the findings that meet a place.
pub fn actions(snapshot: &Snapshot, place: Span, shown: &[Diagnostic]) -> Vec<CodeAction> {
    let here = snapshot.remarks.iter().filter(|remark| remark.finding.span.meets(place));
    here.flat_map(|remark| of_remark(snapshot, remark, shown)).collect()
}

fn of_remark(snapshot: &Snapshot, remark: &Remark, shown: &[Diagnostic]) -> Vec<CodeAction> {
    let said = &remark.of.said;
    let target = json!({"uri": snapshot.uri.0, "finding": remark.of.id});
    let id = convert::finding_id(&remark.finding);
    let is_its = |d: &&Diagnostic| d.data.as_ref().is_some_and(|data| data["finding"] == *id);
    let diagnostics: Vec<Diagnostic> = shown.iter().filter(is_its).cloned().collect();
    let action = |title: String, more: Value| {
        let mut argument = target.clone();
        if let (Some(argument), Value::Object(more)) = (argument.as_object_mut(), more) {
            argument.extend(more);
        }
        CodeAction {
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: (!diagnostics.is_empty()).then(|| diagnostics.clone()),
            command: Some(Command {
                title: title.clone(),
                tooltip: None,
                command: execute_command::Command::Critique.name().to_owned(),
                arguments: Some(vec![argument]),
            }),
            title,
            ..CodeAction::default()
        }
    };
    let question = said.question.trim();
    let mut actions = vec![match question {
        "" => {
            let title = "Critique: add a criterion with a question of yours";
            action(title.into(), json!({"say": "accept", "ask": "note"}))
        }
        _ => action(format!("Critique: add the criterion “{question}”"), json!({"say": "accept"})),
    }];
    let is_quoted = !said.quote.trim().is_empty() && remark.of.transcript.is_some();
    if is_quoted && matches!(snapshot.content, Known::Transcripts(_)) {
        let rubric = snapshot.live.rubric();
        let choices: Vec<&str> =
            rubric.iter().flat_map(|r| &r.criteria).map(|one| &*one.id).collect();
        let more = json!({"say": "example", "ask": "criterion", "choices": choices});
        actions.push(action("Critique: use the reply as a FAIL example of …".into(), more));
    }
    let dismiss = format!("Critique: dismiss {}", remark.of.id);
    actions.push(action(dismiss, json!({"say": "dismiss"})));
    actions
}
