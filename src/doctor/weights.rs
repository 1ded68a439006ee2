//! W001: weights of a type the trainer refuses, and weights it does not read.

use super::subject::{Part, Subject, inside};
use super::{Fate, Trainer};
use crate::finding::{Fix, Severity};
use crate::text::json::Kind;
use crate::transcript::Role;

/// W001.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts = subject.parts();
    match subject.target.trainer {
        Trainer::Together | Trainer::OpenAi | Trainer::Mistral => {
            parts.iter().for_each(|part| wrong(subject, part));
        }
        trainer if !trainer.reads_weights() => unread(subject, &parts),
        _ => {}
    }
}

/// Together and OpenAI take the integers 0 and 1 (and Together's Python takes
/// `true` for 1); Mistral any number that is 0 or 1, or null.
fn wrong(subject: &mut Subject<'_>, part: &Part<'_>) {
    let Some(weight) = part.slot.source.get("weight") else { return };
    let trainer = subject.target.trainer;
    let number = weight.number().filter(|n| *n == 0.0 || *n == 1.0);
    // Mistral's reader takes a number in quotes.
    let quoted = weight.str().and_then(|text| text.trim().parse::<f64>().ok());
    let quoted = quoted.filter(|n| *n == 0.0 || *n == 1.0);
    let fits = match trainer {
        Trainer::Together => matches!(weight.integer(), Some(0 | 1)) || weight.kind() == Kind::Bool,
        Trainer::Mistral => {
            let is_reply = part.message.role == Role::Assistant;
            is_reply
                && (number.or(quoted).is_some() || matches!(weight.kind(), Kind::Null | Kind::Bool))
        }
        _ => matches!(weight.integer(), Some(0 | 1)),
    };
    if fits {
        return;
    }
    let message = if trainer == Trainer::Mistral && part.message.role != Role::Assistant {
        format!("mistral takes a weight on assistant messages only, not on `{}`", part.role_word())
    } else {
        format!("{} takes the integers 0 and 1 as weight, not {}", trainer.name(), weight.raw())
    };
    let rank = (Severity::Error, Fate::Refused);
    subject.note(part, "W001", rank, inside(weight), message);
    let meant = number.map(|n| if n == 0.0 { "0" } else { "1" });
    let span = weight.span();
    subject.fix(meant.map(|text| Fix::safe(format!("Write {text}"), span, text)));
}

/// One finding for all messages whose switch nobody reads.
fn unread(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let switched = |p: &&Part<'_>| p.message.untrained && p.message.role == Role::Assistant;
    let off: Vec<&Part<'_>> = parts.iter().filter(switched).collect();
    let Some(first) = off.first() else { return };
    let keys = ["weight", "loss_weight", "train", "training"];
    let member = keys.iter().find_map(|key| first.slot.source.member(key));
    let span = member.map_or(first.head(), |m| m.key.quoted);
    let key = member.map_or_else(|| "weight".into(), |m| m.key.decode());
    let message = format!(
        "{} does not read `{key}`: {} switched off here is trained on all the same",
        subject.trainer(),
        if off.len() == 1 {
            "the reply".to_owned()
        } else {
            format!("each of {} replies", off.len())
        }
    );
    subject.note(first, "W001", (Severity::Warning, Fate::Changed), span, message);
}
