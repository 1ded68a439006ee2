//! M003, T001 to T005, T007, K007: roles the trainer knows, in an order it accepts.
//!
//! Roles and orders that only a chat template judges are not here: see
//! [`super::rendered`].

use super::subject::{Part, Subject};
use super::{Fate, Trainer};
use crate::finding::{Fix, Severity};
use crate::transcript::{Role, Shape};

/// All of them.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts: Vec<Part<'_>> = subject.parts().into_iter().filter(|p| !p.is_beside()).collect();
    words(subject, &parts);
    raw_words(subject, &parts);
    repeats(subject, &parts);
    first(subject, &parts);
    last(subject, &parts);
    system(subject, &parts);
    pairs(subject, &parts);
    silence(subject, &parts);
    steps(subject, &parts);
}

/// M003 by the trainer's own list.
fn words(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let (trainer, shape) = (subject.target.trainer, subject.draft.shape);
    let Some(known) = trainer.roles(shape) else { return };
    for part in parts.iter().filter(|p| !p.slot.implied) {
        let word = part.role_word();
        if known.contains(&word.as_ref()) {
            continue;
        }
        let message =
            format!("{} knows no role `{word}`: use {}", trainer.name(), known.join(", "));
        // LLaMA-Factory leaves such a record out, with a warning in its log.
        let fate = if trainer == Trainer::LlamaFactory { Fate::Dropped } else { Fate::Refused };
        subject.note(part, "M003", (Severity::Error, fate), part.head(), message);
        let meant = own_word(part.message.role, known);
        subject.fix(
            meant
                .filter(|_| part.slot.role_value.is_some())
                .map(|word| Fix::safe(format!("Rename role to `{word}`"), part.head(), word)),
        );
    }
}

/// M003 for TRL: it renames the keys of `conversations`, not what they say.
fn raw_words(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let is_trl = subject.target.trainer == Trainer::Trl && subject.draft.shape == Shape::ShareGpt;
    if !is_trl {
        return;
    }
    for part in parts {
        let word = part.role_word();
        if matches!(word.as_ref(), "system" | "user" | "assistant" | "tool") {
            continue;
        }
        let meant = own_word(part.message.role, &["system", "user", "assistant", "tool"]);
        let meant = meant.unwrap_or("user");
        let message = format!(
            "trl renames `from` to `role` but leaves `{word}` as it is, and chat templates do not \
             know that role: write `{meant}`"
        );
        subject.note(part, "M003", (Severity::Error, Fate::Changed), part.head(), message);
        let title = format!("Rename role to `{meant}`");
        subject.fix(Some(Fix::safe(title, part.head(), meant)));
    }
}

fn own_word(role: Role, known: &[&'static str]) -> Option<&'static str> {
    let names: &[&'static str] = match role {
        Role::User => &["user", "human"],
        Role::Assistant => &["assistant", "gpt", "model"],
        Role::System => &["system"],
        Role::Tool => &["tool", "observation"],
        Role::Unknown => &[],
    };
    names.iter().copied().find(|name| known.contains(name))
}

/// T003.
fn repeats(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    if !subject.target.trainer.refuses_repeats() {
        return;
    }
    for pair in parts.windows(2) {
        if pair[0].role_word() == pair[1].role_word() && pair[1].slot.role_value.is_some() {
            let message = format!(
                "{} refuses two {} messages in a row: merge them",
                subject.trainer(),
                pair[1].role_word()
            );
            let span = pair[1].slot.role_value.map_or(pair[1].head(), |v| v.span());
            subject.note(&pair[1], "T003", (Severity::Error, Fate::Refused), span, message);
        }
    }
}

/// T004.
fn first(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    // mistral-common asks that of a record of one message only.
    let asks = match subject.target.trainer {
        Trainer::Bedrock => true,
        Trainer::Mistral => parts.len() == 1,
        _ => false,
    };
    if !asks {
        return;
    }
    let spoken = |p: &&Part<'_>| p.message.role != Role::System;
    if let Some(first) = parts.iter().find(spoken).filter(|p| p.message.role != Role::User) {
        let message =
            format!("{} refuses a record that does not start with the user", subject.trainer());
        let span = first.slot.role_value.map_or(first.head(), |v| v.span());
        subject.note(first, "T004", (Severity::Error, Fate::Refused), span, message);
    }
}

/// T002.
fn last(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let Some(last) = parts.last().filter(|p| p.message.role != Role::Assistant) else { return };
    if !subject.target.trainer.needs_reply_last() {
        return;
    }
    let message = format!(
        "{} refuses a record that does not end with the assistant: delete what follows the last reply",
        subject.trainer()
    );
    let span = last.slot.role_value.map_or(last.head(), |v| v.span());
    subject.note(last, "T002", (Severity::Error, Fate::Refused), span, message);
}

/// T005.
fn system(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    if subject.target.trainer != Trainer::Fireworks {
        return;
    }
    for part in parts.iter().skip(1).filter(|p| p.role_word() == "system") {
        let message = "fireworks takes a system message as the first one only: move it".to_owned();
        let span = part.slot.role_value.map_or(part.head(), |v| v.span());
        subject.note(part, "T005", (Severity::Error, Fate::Refused), span, message);
    }
}

/// T001: trainers that render elsewhere want a reply in every record.
fn silence(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let trainer = subject.target.trainer;
    let is_here = trainer.renders_here() || trainer == Trainer::LlamaFactory;
    let replies = |p: &Part<'_>| matches!(p.role_word().as_ref(), "assistant" | "model");
    if !is_here && !parts.iter().any(replies) && subject.draft.shape != Shape::OpenAiPreference {
        let message = format!("{} refuses a record without an assistant message", trainer.name());
        let rank = (Severity::Error, Fate::Refused);
        subject.note_record("T001", rank, subject.anchor(), message);
    }
}

/// T004, T005 and K007 as mistral-common orders roles: system text not behind a
/// reply or a result, results behind a reply or a result only.
fn steps(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    if subject.target.trainer != Trainer::Mistral {
        return;
    }
    let rank = (Severity::Error, Fate::Refused);
    for pair in parts.windows(2) {
        let (before, after) = (pair[0].message.role, &pair[1]);
        let answers = matches!(before, Role::Assistant | Role::Tool);
        let span = after.slot.role_value.map_or(after.head(), |v| v.span());
        let (code, message) = match after.message.role {
            Role::System if answers => ("T005", "mistral takes no system text behind a reply"),
            Role::Tool if !answers => ("K007", "mistral takes a tool result behind a call only"),
            _ => continue,
        };
        subject.note(after, code, rank, span, message.to_owned());
    }
}

/// T007: LLaMA-Factory pairs messages up, odd ones asked and even ones answered.
fn pairs(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    if subject.target.trainer != Trainer::LlamaFactory {
        return;
    }
    let spoken = match parts.first() {
        Some(first) if first.role_word() == "system" => &parts[1..],
        _ => parts,
    };
    // Results in a row are one turn, in its converter for `messages`.
    let merges = subject.draft.shape == Shape::Messages;
    let mut turns: Vec<&Part<'_>> = Vec::new();
    for part in spoken {
        let is_result = |p: &&Part<'_>| p.message.role == Role::Tool;
        if !(merges && is_result(&part) && turns.last().is_some_and(is_result)) {
            turns.push(part);
        }
    }
    let odd = |p: &Part<'_>| matches!(p.message.role, Role::User | Role::Tool);
    let even = |p: &Part<'_>| p.message.role == Role::Assistant;
    let dropped = (Severity::Error, Fate::Dropped);
    let wrong = turns.iter().enumerate().find(|(i, p)| if i % 2 == 0 { !odd(p) } else { !even(p) });
    if let Some((index, part)) = wrong {
        let wanted = if index % 2 == 0 { "the user or a tool" } else { "the assistant" };
        let message = format!(
            "llamafactory leaves this record out: turn {} must be from {wanted}, not `{}`",
            index + 1,
            part.role_word()
        );
        subject.note(part, "T007", dropped, part.head(), message);
    } else if turns.len() % 2 == 1 && subject.transcript.rejected.is_empty() {
        let Some(last) = turns.last() else { return };
        let message = format!(
            "llamafactory leaves this record out: it has {} turns, and every question needs its answer",
            turns.len()
        );
        subject.note(last, "T007", dropped, last.head(), message);
    }
}
