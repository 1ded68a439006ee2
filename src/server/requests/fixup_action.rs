//! What can be done about the failures under the cursor: draft a fixup, apply a
//! proven one, cut the end off, reject.
//!
//! Invariant: a model's text is in an edit only where an [`EntailedFixup`] puts it,
//! and only into the text that was proven: its digest is computed anew from what
//! the document says. Edits are for the version the client has, in the fewest bytes.

use serde_json::{Value, json};
use tower_lsp_server::gen_lsp_types::{
    ChangeAnnotation, CodeAction, CodeActionDisabled, CodeActionKind, CodeActionTag, Command,
    Diagnostic, TextEdit, WorkspaceEdit,
};

use crate::finding::{Edit, Finding};
use crate::fixup::truncate::truncate;
use crate::fixup::{Cut, EntailedFixup, Offer};
use crate::text::Span;
use crate::text::json as text_json;
use crate::transcript::{Transcript, TranscriptDigest, digest, read};

use super::super::drafts::State;
use super::super::judged::Judged;
use super::super::shelf::{Record, Shelf};
use super::super::snapshot::Snapshot;
use super::code_action::workspace_edit;
use super::execute_command::Command as Ours;

/// The kind of these actions.
pub const KIND: CodeActionKind = CodeActionKind::RefactorRewrite;

/// What can be done at a place.
pub fn actions(
    snapshot: &Snapshot,
    shelf: &Shelf,
    place: Span,
    shown: &[Diagnostic],
) -> Vec<CodeAction> {
    let Some(record) = shelf.meeting(place).find(|record| record.digest().is_some()) else {
        return Vec::new();
    };
    let (Some(judged), Some(digest)) = (record.judged, record.digest()) else { return Vec::new() };
    if judged.digest != digest {
        return Vec::new();
    }
    let here = Here { snapshot, record, judged, digest, place, shown };
    let remedies = &judged.remedies;
    let mut actions = Vec::new();
    for offer in remedies.offers.iter().filter(|offer| here.is_at_offer(offer)) {
        // The least first.
        for criterion in here.apart(offer) {
            let part = offer.only(&criterion);
            actions.extend(part.iter().flat_map(|part| here.on_offer(part, Some(&criterion))));
        }
        actions.extend(here.on_offer(offer, None));
    }
    for cut in remedies.cuts.iter().filter(|cut| here.is_at(&cut.criteria, Some(cut.before))) {
        actions.extend(here.on_cut(cut));
    }
    if !remedies.rejects.is_empty() && here.is_at(&remedies.rejects, None) {
        let why = format!("{} leaves nothing else", remedies.rejects.join(", "));
        actions.push(here.reject(&remedies.rejects, &why));
    }
    actions
}

/// The record as it stands in the document now.
struct Read {
    text: String,
    json: text_json::Json,
    transcript: Transcript,
    digest: TranscriptDigest,
}

/// A place in a judged record.
struct Here<'a> {
    snapshot: &'a Snapshot,
    record: Record<'a>,
    judged: &'a Judged,
    digest: TranscriptDigest,
    place: Span,
    shown: &'a [Diagnostic],
}

impl Here<'_> {
    fn is_at_offer(&self, offer: &Offer) -> bool {
        let of_reply = |reply: &crate::fixup::FailedReply| {
            self.is_in(reply.exchange) || self.is_at(&reply.criteria, Some(reply.exchange))
        };
        offer.replies.iter().any(of_reply)
    }

    /// A finding of these criteria is here; about this exchange, where one is named.
    fn is_at(&self, criteria: &[String], exchange: Option<u32>) -> bool {
        let by = self.record.span().start;
        let about = |finding: &&Finding| {
            criteria.iter().any(|id| *id == finding.code)
                && (exchange.is_none()
                    || finding.exchange.is_none()
                    || finding.exchange >= exchange)
        };
        let all = self.judged.findings.iter().chain(&self.record.known.analysis.findings);
        all.filter(about).any(|finding| finding.span.shifted(by).meets(self.place))
    }

    /// The place is in a message of this exchange.
    fn is_in(&self, exchange: u32) -> bool {
        let by = self.record.span().start;
        let exchanges = self.record.outline().map_or(&[][..], |outline| &outline.exchanges);
        exchanges.iter().any(|e| e.number == exchange && e.source.shifted(by).meets(self.place))
    }

    /// The criteria here that may be mended alone, when mending all is much more.
    fn apart(&self, offer: &Offer) -> Vec<String> {
        let criteria = offer.criteria();
        if criteria.len() == 1 || offer.replies.len() == 1 {
            return Vec::new();
        }
        let is_here = |id: &String| self.is_at(std::slice::from_ref(id), None);
        criteria.into_iter().filter(is_here).collect()
    }

    /// What can be done about an offer; `criterion` where it is a part of one.
    fn on_offer(&self, offer: &Offer, criterion: Option<&str>) -> Vec<CodeAction> {
        let criteria = offer.criteria();
        let what = format!("fixup of {} ({})", offer.place(), criteria.join(", "));
        let target = self.target(offer.replies.first().map(|reply| reply.exchange), criterion);
        let command = |title: String, command: Ours, more: Value| {
            self.command(title, command, merged(&target, more), &criteria)
        };
        let draft = || command(format!("Draft {what}"), Ours::DraftFixup, json!({}));
        let again = || {
            let title = format!("Draft again with a note: {what}");
            command(title, Ours::DraftFixup, json!({"ask": "note"}))
        };
        let discard =
            |note: &str| command(format!("Discard {what}{note}"), Ours::DiscardFixup, json!({}));
        let panel = self.snapshot.live.panel();
        let known = panel.and_then(|panel| self.snapshot.drafts.get(self.digest, offer, panel));
        match known.map(|one| &one.state) {
            None => vec![draft()],
            Some(State::Refused(_)) => vec![draft(), again()],
            Some(State::UnderWay(_)) => vec![discard(", which is being drafted")],
            Some(State::Proven(fixup)) => {
                let Some(apply) = self.apply(fixup, &criteria) else { return vec![draft()] };
                let title = format!("Preview {what}");
                let preview = command(title, Ours::PreviewFixup, preview(fixup));
                vec![apply, preview, again(), discard("")]
            }
        }
    }

    /// The edit of a proven fixup, of the text that stands here now.
    fn apply(&self, fixup: &EntailedFixup, criteria: &[String]) -> Option<CodeAction> {
        let now = self.read()?;
        let edits = fixup.edits(&now.text, &now.transcript, now.digest).ok()?;
        let judges = fixup.judges().join(", ");
        let title = format!(
            "Apply fixup of {}: {} and the gates hold for {judges}, and the conversation goes on",
            fixup.place(),
            criteria.join(", ")
        );
        let label = format!("Apply fixup of {}", fixup.place());
        let edit = self.edit(&edits, label, fixup.evidence());
        let tags = self.snapshot.client.model_tags.then(|| vec![CodeActionTag::LLMGenerated]);
        Some(CodeAction { tags, ..self.with_edit(title, edit, criteria) })
    }

    fn on_cut(&self, cut: &Cut) -> Vec<CodeAction> {
        let Some(now) = self.read().filter(|now| now.digest == self.digest) else {
            return Vec::new();
        };
        let kept = self.snapshot.live.settings().fixup.min_exchanges_kept;
        let (before, criteria) = (cut.before, cut.criteria.join(", "));
        match truncate(&now.text, &now.json, &now.transcript, cut, kept) {
            Ok(truncation) => {
                let title = format!(
                    "Truncate before exchange {before} ({criteria}): {} of {} exchanges go",
                    truncation.exchanges,
                    now.transcript.exchanges.len()
                );
                let label = format!("Truncate before exchange {before}");
                let why = format!("{criteria} fails from there on; what remains is assessed anew");
                let edit = self.edit(&truncation.edits, label, why);
                vec![self.with_edit(title, edit, &cut.criteria)]
            }
            Err(why) => {
                let title = format!("Truncate before exchange {before} ({criteria})");
                let reject = self.reject(&cut.criteria, &format!("{criteria}: {why}"));
                let disabled = CodeAction {
                    title,
                    kind: Some(KIND),
                    disabled: Some(CodeActionDisabled { reason: why.to_string() }),
                    ..CodeAction::default()
                };
                let can_say = self.snapshot.client.disabled_actions;
                can_say.then_some(disabled).into_iter().chain([reject]).collect()
            }
        }
    }

    /// What the review action does, where nothing else is left to do.
    fn reject(&self, criteria: &[String], why: &str) -> CodeAction {
        let target = json!({"uri": self.snapshot.uri.0, "transcript": &*self.judged.id,
            "digest": self.digest.to_string(), "say": "reject", "note": why});
        self.command(format!("Reject this transcript: {why}"), Ours::Review, target, criteria)
    }

    fn target(&self, exchange: Option<u32>, criterion: Option<&str>) -> Value {
        json!({"uri": self.snapshot.uri.0, "transcript": &*self.judged.id,
            "digest": self.digest.to_string(), "exchange": exchange, "criterion": criterion})
    }

    fn read(&self) -> Option<Read> {
        let text = self.snapshot.text.slice(self.record.span()).into_owned();
        let depth = self.snapshot.live.settings().limits.depth;
        let json = text_json::parse(&text, depth);
        let transcript = read::read(&text, &json).transcript.ok()?;
        let digest = digest::of(&text, &transcript);
        Some(Read { text, json, transcript, digest })
    }

    fn edit(&self, edits: &[Edit], label: String, description: String) -> WorkspaceEdit {
        let by = self.record.span().start;
        let edits = edits.iter().map(|edit| TextEdit {
            range: self.snapshot.range(edit.span.shifted(by)),
            new_text: edit.text.clone(),
        });
        let annotation = ChangeAnnotation {
            label,
            needs_confirmation: Some(true),
            description: Some(description),
        };
        workspace_edit(self.snapshot, edits.collect(), Some(annotation))
    }

    fn with_edit(&self, title: String, edit: WorkspaceEdit, criteria: &[String]) -> CodeAction {
        let diagnostics = self.diagnostics(criteria);
        CodeAction {
            title,
            kind: Some(KIND),
            diagnostics,
            edit: Some(edit),
            ..CodeAction::default()
        }
    }

    fn command(
        &self,
        title: String,
        command: Ours,
        argument: Value,
        criteria: &[String],
    ) -> CodeAction {
        CodeAction {
            kind: Some(KIND),
            diagnostics: self.diagnostics(criteria),
            command: Some(Command {
                title: title.clone(),
                tooltip: None,
                command: command.name().to_owned(),
                arguments: Some(vec![argument]),
            }),
            title,
            ..CodeAction::default()
        }
    }

    /// The diagnostics of these criteria that the client shows here.
    fn diagnostics(&self, criteria: &[String]) -> Option<Vec<Diagnostic>> {
        let of = |shown: &&Diagnostic| {
            let code = serde_json::to_value(&shown.code).unwrap_or_default();
            criteria.iter().any(|id| code == id.as_str())
        };
        let all: Vec<Diagnostic> = self.shown.iter().filter(of).cloned().collect();
        (!all.is_empty()).then_some(all)
    }
}

fn merged(target: &Value, more: Value) -> Value {
    let mut argument = target.clone();
    if let (Some(argument), Value::Object(more)) = (argument.as_object_mut(), more) {
        argument.extend(more);
    }
    argument
}

/// What an editor needs to show a fixup as a difference.
fn preview(fixup: &EntailedFixup) -> Value {
    let of = |draft: &crate::fixup::Draft| json!({"exchange": draft.target.exchange, "before": draft.target.before, "after": draft.after});
    let replies: Vec<Value> = fixup.drafts().iter().map(of).collect();
    json!({"replies": replies, "evidence": fixup.evidence()})
}
