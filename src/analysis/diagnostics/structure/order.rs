//! T rules: who speaks when. A transcript starts with the user (after system
//! text), alternates, and ends with the assistant.
//!
//! Unknown roles silence these rules: M003 comes first.

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::json::Value;
use crate::transcript::{Role, Shape};

use super::{Part, Subject, edit};

/// T001 to T005.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts = subject.conversation();
    if parts.is_empty() {
        return;
    }
    system(subject, parts);
    if parts.iter().any(|p| p.message.role == Role::Unknown) {
        return;
    }
    let spoken: Vec<Part<'_>> =
        parts.iter().copied().filter(|p| p.message.role != Role::System).collect();
    first(subject, &spoken);
    alternation(subject, &spoken);
    if spoken.iter().any(|p| p.message.role == Role::Assistant) {
        last(subject, &spoken);
    } else {
        let message = "no assistant message: there is nothing to train on";
        subject.report(Finding::new("T001", Severity::Error, subject.draft.anchor, message));
    }
}

/// T004.
fn first(subject: &mut Subject<'_>, spoken: &[Part<'_>]) {
    let Some(first) = spoken.first().filter(|p| p.message.role != Role::User) else { return };
    let message = format!(
        "the first message is from {}: messages before the first user belong to no exchange",
        first.message.role.name()
    );
    subject.report(first.finding("T004", Severity::Warning, first.head(), message));
}

/// T003.
fn alternation(subject: &mut Subject<'_>, spoken: &[Part<'_>]) {
    for pair in spoken.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let role = after.message.role;
        let speaks = matches!(role, Role::User | Role::Assistant);
        // In exchanges and pairs a side is missing, and M001 says so.
        let implied = before.slot.implied && after.slot.implied;
        if role != before.message.role || !speaks || implied {
            continue;
        }
        let message = format!(
            "two {} messages in a row: many templates refuse this; merge them",
            role.name()
        );
        let finding = after.finding("T003", Severity::Warning, after.head(), message);
        let fix = merge(subject, before, after, "Merge with the message before");
        subject.report(fix.into_iter().fold(finding, Finding::with_fix));
    }
}

/// Appends the text of `from` to `into`, and deletes it. Only for plain texts.
fn merge(subject: &Subject<'_>, into: &Part<'_>, from: &Part<'_>, title: &str) -> Option<Fix> {
    let is_plain = |p: &Part<'_>| p.message.tool_calls.is_empty() && !p.message.has_other_parts;
    let is_whole = from.slot.item.is_some_and(|item| item.span() == from.slot.source.span());
    if !is_plain(into) || !is_plain(from) || !is_whole {
        return None;
    }
    let target = into.slot.content.and_then(Value::literal)?;
    let source = from.slot.content.and_then(Value::literal)?;
    let removal = edit::remove(subject.items(), from.slot.source.span().start)?;
    let addition = edit::replace(Span::empty(target.inner.end), format!("\\n\\n{}", source.raw));
    (addition.span.end <= removal.span.start).then(|| Fix {
        title: title.to_owned(),
        edits: vec![addition, removal],
        safety: Safety::Suggested,
    })
}

/// T002.
fn last(subject: &mut Subject<'_>, spoken: &[Part<'_>]) {
    let Some(last) = spoken.last().filter(|p| p.message.role != Role::Assistant) else { return };
    let (span, message) = match last.message.role {
        Role::User => (
            last.head(),
            "the last message has no reply: no trainer learns from it, and it counts as no exchange",
        ),
        _ => (last.head(), "the record does not end with the assistant"),
    };
    let finding = last.finding("T002", Severity::Warning, span, message);
    let fix = trim(subject, spoken);
    subject.report(fix.into_iter().fold(finding, Finding::with_fix));
}

/// Deletes what follows the last reply that stands by itself.
fn trim(subject: &Subject<'_>, spoken: &[Part<'_>]) -> Option<Fix> {
    let replies =
        |p: &Part<'_>| p.message.role == Role::Assistant && p.message.tool_calls.is_empty();
    let kept = spoken.iter().rposition(replies)?;
    let kept_item = spoken[kept].slot.item?.span();
    let tail_item = spoken.last()?.slot.item?.span();
    let items = subject.items();
    let first = items.iter().position(|i| *i == kept_item)? + 1;
    let is_tail = tail_item.start > kept_item.start && items.last() == Some(&tail_item);
    let system_follows = subject
        .draft
        .slots
        .iter()
        .any(|s| s.role == Role::System && s.source.span().start > kept_item.end);
    if !is_tail || system_follows {
        return None;
    }
    let edits = vec![edit::replace(edit::removal(items, first, items.len() - 1), "")];
    let title = "Delete what follows the last reply".to_owned();
    Some(Fix { title, edits, safety: Safety::Safe })
}

/// T005.
fn system(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let mut seen: Option<Part<'_>> = None;
    for (index, part) in parts.iter().enumerate() {
        // Gemini knows no such role: M003 says where the text belongs.
        let is_unknown = subject.shape() == Shape::Gemini && !part.slot.implied;
        if part.message.role != Role::System || is_unknown {
            continue;
        }
        if let Some(first) = seen {
            let message = "a second system message: many templates refuse it; merge the two";
            let finding = part.finding("T005", Severity::Warning, part.head(), message);
            let fix = merge(subject, &first, part, "Merge with the first system message");
            subject.report(fix.into_iter().fold(finding, Finding::with_fix));
            continue;
        }
        seen = Some(*part);
        if index > 0 {
            let message = "the system message is not the first: many templates refuse it; move it";
            let finding = part.finding("T005", Severity::Warning, part.head(), message);
            let fix = move_up(subject, &parts[0], part);
            subject.report(fix.into_iter().fold(finding, Finding::with_fix));
        }
    }
}

/// Moves a system message to the front of the list.
fn move_up(subject: &Subject<'_>, first: &Part<'_>, system: &Part<'_>) -> Option<Fix> {
    if !matches!(subject.shape(), Shape::Messages | Shape::ShareGpt) {
        return None;
    }
    let list = subject.draft.list?;
    let source = system.slot.source;
    let removal = edit::remove(subject.items(), source.span().start)?;
    let gap = edit::between_items(subject.record, list);
    let front = Span::empty(first.slot.item?.span().start);
    let insertion: Edit = edit::replace(front, format!("{}{gap}", source.raw()));
    Some(Fix {
        title: "Move to the front".to_owned(),
        edits: vec![insertion, removal],
        safety: Safety::Suggested,
    })
}
