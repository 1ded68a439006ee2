//! C001, C002, W003: too many tokens for the trainer, what it loses by that, and
//! records of which nothing is trained.

use super::subject::{Part, Subject};
use super::view::{Count, View};
use super::{Fate, Loss, OverLength, Trainer};
use crate::finding::Severity;
use crate::text::Span;
use crate::text::thousands::grouped;
use crate::tokens::Precision;
use crate::transcript::Role;

/// All of them.
pub(super) fn check(subject: &mut Subject<'_>, view: Option<&View>) {
    let Some((view, count)) = view.and_then(|v| Some((v, v.count?))) else { return };
    if count.trained == 0 {
        nothing_trained(subject);
        return;
    }
    let Some(limit) = subject.target.max_length.filter(|limit| count.tokens > *limit) else {
        return;
    };
    too_long(subject, view, count, limit);
}

/// W003.
fn nothing_trained(subject: &mut Subject<'_>) {
    let trainer = subject.target.trainer;
    let (fate, what) = match trainer {
        Trainer::Trl if subject.target.loss == Loss::Replies => {
            (Fate::Refused, "trl stops at a record without a trained token")
        }
        Trainer::Mlx => (Fate::Refused, "mlx divides by the number of trained tokens, which is 0"),
        _ => (Fate::Dropped, "the record is left out, or teaches nothing"),
    };
    let message = format!("no token of this record is trained: {what}");
    subject.note_record("W003", (Severity::Error, fate), subject.anchor(), message);
}

/// C001 and C002.
fn too_long(subject: &mut Subject<'_>, view: &View, count: Count, limit: usize) {
    let parts = subject.parts();
    let target = subject.target;
    let hit = view.cut_in.and_then(|i| parts.get(i).copied());
    let (what, fate) = match target.trainer.over_length() {
        OverLength::Cut => (lost(subject, &parts, hit.as_ref(), limit), Fate::Cut),
        OverLength::Drop => ("the whole record is left out".to_owned(), Fate::Dropped),
        OverLength::Refuse => ("the record is refused".to_owned(), Fate::Refused),
        OverLength::Split => ("it is split over several windows".to_owned(), Fate::Changed),
    };
    let (about, why) = match count.precision {
        Precision::Exact => ("", String::new()),
        Precision::Estimate(why) => ("about ", format!("; {why}")),
    };
    let whose = if target.max_length_is_default { "its default" } else { "as set" };
    let message = format!(
        "{about}{} tokens, {} over {}'s max_length of {} ({whose}; {}, {} template{why}): {what}",
        grouped(count.tokens),
        grouped(count.tokens - limit),
        target.trainer.name(),
        grouped(limit),
        target.counter.counter().label(),
        target.counter.template().name(),
    );
    let place = hit.or(parts.first().copied());
    let span = place.map_or(subject.anchor(), |p| p.message.text_source());
    match place {
        Some(part) => subject.note(&part, "C001", (Severity::Warning, fate), span, message),
        None => subject.note_record("C001", (Severity::Warning, fate), span, message),
    }
    if target.trainer.over_length() == OverLength::Cut && count.kept_trained == 0 {
        last_lost(subject, &parts);
    }
}

/// What a cut loses, in words.
fn lost(subject: &Subject<'_>, parts: &[Part<'_>], hit: Option<&Part<'_>>, limit: usize) -> String {
    let replies = |p: &&Part<'_>| p.message.role == Role::Assistant;
    let all = parts.iter().filter(replies).count();
    let from = hit.map_or(0, |p| p.index);
    let gone = parts.iter().skip(from).filter(replies).count();
    let place = match hit.and_then(|p| subject.transcript.exchange_of(p.index)) {
        Some(exchange) => format!("in exchange {exchange}"),
        None => "here".to_owned(),
    };
    format!(
        "what follows the first {} is cut off, {place}: {gone} of {all} replies are lost or cut short; \
         slice the transcript, or raise the limit",
        grouped(limit)
    )
}

/// C002.
fn last_lost(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let Some(last) = parts.iter().rev().find(|p| p.message.role == Role::Assistant) else { return };
    let trainer = subject.target.trainer;
    let what = match trainer {
        Trainer::Trl | Trainer::Unsloth => "the record is left out without a word",
        Trainer::Mlx => "the loss is divided by 0",
        _ => "the record teaches nothing",
    };
    let message = format!("the cut leaves no trained token: {what}");
    let fate = if trainer == Trainer::Mlx { Fate::Refused } else { Fate::Dropped };
    let span: Span = last.message.text_source();
    subject.note(last, "C002", (Severity::Error, fate), span, message);
}
