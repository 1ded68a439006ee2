//! Preference pairs: `{prompt?, chosen, rejected}` (TRL, LLaMA-Factory) and
//! `{input, preferred_output, non_preferred_output}` (OpenAI).
//!
//! The transcript is prompt + chosen. Some writers repeat the prompt inside
//! `chosen` and `rejected`: what repeats is read once.

use crate::text::json::{Member, Value};
use crate::transcript::{Role, Shape};

use super::{Draft, Keys, Slot, side};

/// The draft of a `chosen` / `rejected` record.
pub(super) fn draft<'a>(keys: &Keys<'a>, known_by: Member<'a>) -> Draft<'a> {
    let mut draft = empty(Shape::Preference, known_by);
    if let Some(prompt) = keys.prompt {
        side(prompt.value, Role::User, &mut draft.slots, &mut draft.misfits);
    }
    add_sides(keys, &mut draft);
    draft
}

/// The draft of an OpenAI preference record.
pub(super) fn openai<'a>(keys: &Keys<'a>, known_by: Member<'a>) -> Draft<'a> {
    let mut draft = empty(Shape::OpenAiPreference, known_by);
    if let Some(list) = keys.input.and_then(|input| input.value.get("messages")) {
        side(list, Role::User, &mut draft.slots, &mut draft.misfits);
    }
    add(keys.preferred, keys.non_preferred, &mut draft);
    draft
}

/// Adds `chosen` and `rejected` to a draft that holds the prompt.
pub(super) fn add_sides<'a>(keys: &Keys<'a>, draft: &mut Draft<'a>) {
    add(keys.chosen, keys.rejected, draft);
}

fn add<'a>(chosen: Option<Member<'a>>, rejected: Option<Member<'a>>, draft: &mut Draft<'a>) {
    let read = |member: Option<Member<'a>>, odd: &mut Vec<Value<'a>>| {
        let mut slots = Vec::new();
        if let Some(member) = member {
            side(member.value, Role::Assistant, &mut slots, odd);
        }
        slots
    };
    let chosen = read(chosen, &mut draft.misfits);
    let mut rejected = read(rejected, &mut draft.misfits);
    let repeats = !draft.slots.is_empty()
        && chosen.len() > draft.slots.len()
        && shared(&draft.slots, &chosen) == draft.slots.len();
    let skip = if repeats { draft.slots.len() } else { 0 };
    draft.slots.extend(&chosen[skip..]);
    let starts_over = rejected.first().is_some_and(|s| s.role != Role::Assistant);
    if starts_over {
        let same = shared(&draft.slots, &rejected).min(rejected.len().saturating_sub(1));
        rejected.drain(..same);
    }
    draft.rejected = rejected;
}

/// How many messages at the front of both are the same.
fn shared(left: &[Slot<'_>], right: &[Slot<'_>]) -> usize {
    let same = |(l, r): &(&Slot<'_>, &Slot<'_>)| {
        l.role == r.role && l.content.map(Value::raw) == r.content.map(Value::raw)
    };
    left.iter().zip(right).take_while(same).count()
}

fn empty(shape: Shape, known_by: Member<'_>) -> Draft<'_> {
    Draft {
        shape,
        anchor: known_by.key.quoted,
        list: None,
        slots: Vec::new(),
        rejected: Vec::new(),
        misfits: Vec::new(),
    }
}
