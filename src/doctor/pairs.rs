//! P001, P002: preference pairs.

use super::Fate;
use super::subject::Subject;
use crate::finding::Severity;
use crate::text::Span;
use crate::text::json::{Kind, Value};
use crate::transcript::{Message, Role, Shape};

const REFUSED: (Severity, Fate) = (Severity::Error, Fate::Refused);

/// Both.
pub(super) fn check(subject: &mut Subject<'_>) {
    if subject.draft.shape == Shape::OpenAiPreference {
        sides(subject);
        prompt(subject);
    }
    same(subject);
}

/// P001: each output is a list of exactly one assistant message.
fn sides(subject: &mut Subject<'_>) {
    for key in ["preferred_output", "non_preferred_output"] {
        let value = subject.root.get(key);
        let count = value.map_or(0, |v| v.items().count());
        let message = value.and_then(|v| v.items().next());
        let speaks = |m: Value<'_>| {
            m.get("role").and_then(Value::str).is_some_and(|r| r == "assistant")
                && m.get("content").is_some()
        };
        if count != 1 || !message.is_some_and(speaks) {
            let member = subject.root.member(key);
            let span = member.map_or(subject.anchor(), |m| m.key.quoted);
            let what = format!(
                "{} wants `{key}` to be a list of one assistant message",
                subject.trainer()
            );
            subject.note_record("P001", REFUSED, span, what);
        }
    }
}

/// P001: the prompt does not end with the assistant.
fn prompt(subject: &mut Subject<'_>) {
    let messages = subject.root.get("input").and_then(|i| i.get("messages"));
    let Some(last) = messages.and_then(|m| m.items().last()) else { return };
    let role = last.get("role").filter(|r| r.kind() == Kind::String);
    if let Some(role) = role.filter(|r| r.str().is_some_and(|w| w == "assistant")) {
        let message = format!(
            "{} refuses a pair whose input ends with the assistant: the outputs are its answers",
            subject.trainer()
        );
        subject.note_record("P001", REFUSED, role.span(), message);
    }
}

/// P002: nothing to prefer.
fn same(subject: &mut Subject<'_>) {
    let rejected = &subject.transcript.rejected;
    let Some(first) = rejected.first() else { return };
    let messages = &subject.transcript.messages;
    let chosen = &messages[messages.len().saturating_sub(rejected.len())..];
    let alike = |(a, b): (&Message, &Message)| a.role == b.role && a.text.trim() == b.text.trim();
    let is_said = rejected.iter().any(|m| !m.text.trim().is_empty());
    let ends = chosen.last().is_some_and(|m| m.role == Role::Assistant);
    if is_said && ends && chosen.len() == rejected.len() && chosen.iter().zip(rejected).all(alike) {
        let span: Span = first.text_source();
        let message =
            "the rejected answer is the chosen one: there is nothing to prefer".to_owned();
        let rank = (Severity::Warning, Fate::Changed);
        subject.note_record("P002", rank, span, message);
    }
}
