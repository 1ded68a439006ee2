//! R001, R003, R004: does the trainer read records of this shape, and all of it?

use super::Fate;
use super::subject::Subject;
use crate::finding::{Edit, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::escape;
use crate::text::json::Member;
use crate::transcript::Shape;

/// The names of a system text beside the messages.
const SYSTEM_KEYS: [&str; 4] =
    ["system", "system_prompt", "systemInstruction", "system_instruction"];

/// True when the trainer reads the shape at all.
pub(super) fn check(subject: &mut Subject<'_>) -> bool {
    let (trainer, shape) = (subject.target.trainer, subject.draft.shape);
    if !trainer.reads(shape) {
        let message = format!(
            "{} reads {}, not {}: `rubricator convert --to {}` writes them",
            trainer.name(),
            trainer.shapes(),
            shape.name(),
            trainer.best_shape()
        );
        subject.note_record("R001", (Severity::Error, Fate::Refused), subject.anchor(), message);
        return false;
    }
    let members: Vec<Member<'_>> = subject.root.members().collect();
    for member in &members {
        beside(subject, member, &members);
    }
    unread(subject, &members);
    true
}

/// R004.
fn beside(subject: &mut Subject<'_>, member: &Member<'_>, members: &[Member<'_>]) {
    let key = member.key.decode();
    let trainer = subject.target.trainer;
    let says = member.value.span().len() > 2 && !member.value.is_null();
    if !SYSTEM_KEYS.contains(&key.as_ref())
        || trainer.system_keys().contains(&key.as_ref())
        || !says
    {
        return;
    }
    // Trainers that refuse other keys say so themselves.
    let is_refused = trainer.top_level_keys().is_some_and(|known| !known.contains(&key.as_ref()));
    let message = if is_refused {
        format!("{} refuses `{key}` beside the messages: make it the first message", trainer.name())
    } else {
        format!(
            "{} ignores `{key}` beside the messages without a word: the model is trained without \
             this text; make it the first message",
            trainer.name()
        )
    };
    let fate = if is_refused { Fate::Refused } else { Fate::Changed };
    subject.note_record("R004", (Severity::Error, fate), member.key.quoted, message);
    let fix = move_in(subject, member, members);
    subject.fix(fix);
}

/// Makes a system text the first of the messages.
fn move_in(subject: &Subject<'_>, member: &Member<'_>, members: &[Member<'_>]) -> Option<Fix> {
    let text = member.value.str()?;
    let (role, content) = match subject.draft.shape {
        Shape::Messages => ("role", "content"),
        Shape::ShareGpt => ("from", "value"),
        _ => return None,
    };
    let list = subject.draft.list?;
    let first = list.items().next()?;
    let has_system = subject.parts().iter().any(|p| !p.is_beside() && p.role_word() == "system");
    let gone = removal(members, member)?;
    if has_system || gone.touches(first.span().start) {
        return None;
    }
    let text = escape::encode(&text, subject.style());
    let item = format!("{{\"{role}\": \"system\", \"{content}\": \"{text}\"}}, ");
    let insertion = Edit { span: Span::empty(first.span().start), text: item };
    let deletion = Edit { span: gone, text: String::new() };
    let mut edits = vec![insertion, deletion];
    edits.sort_by_key(|e| e.span);
    Some(Fix { title: "Make it the first message".to_owned(), edits, safety: Safety::Safe })
}

/// What to delete so that `member` is gone, its comma included.
fn removal(members: &[Member<'_>], member: &Member<'_>) -> Option<Span> {
    let at = members.iter().position(|m| m.key.quoted == member.key.quoted)?;
    let own = member.span();
    Some(match (members.get(at + 1), at.checked_sub(1).and_then(|b| members.get(b))) {
        (Some(next), _) => Span::new(own.start, next.key.quoted.start),
        (None, Some(before)) => Span::new(before.value.span().end, own.end),
        (None, None) => own,
    })
}

/// R003: one finding, at the first key, for all that are not read.
fn unread(subject: &mut Subject<'_>, members: &[Member<'_>]) {
    let Some(known) = subject.target.trainer.top_level_keys() else { return };
    let unknown: Vec<&Member<'_>> = members
        .iter()
        .filter(|m| {
            let key = m.key.decode();
            !known.contains(&key.as_ref()) && !SYSTEM_KEYS.contains(&key.as_ref())
        })
        .collect();
    let Some(first) = unknown.first() else { return };
    let names: Vec<String> = unknown.iter().map(|m| format!("`{}`", m.key.decode())).collect();
    let message = format!(
        "{} refuses a record with {}: `rubricator slice` and `rubricator convert` leave such keys out",
        subject.trainer(),
        names.join(", ")
    );
    let span = first.key.quoted;
    subject.note_record("R003", (Severity::Error, Fate::Refused), span, message);
    let fix = delete(members, &unknown);
    subject.fix(fix);
}

fn delete(members: &[Member<'_>], unknown: &[&Member<'_>]) -> Option<Fix> {
    let [one] = unknown else { return None };
    let title = format!("Delete key `{}`", one.key.decode());
    Some(Fix::suggested(title, removal(members, one)?, ""))
}
