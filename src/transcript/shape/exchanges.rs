//! `{exchanges: [{user, assistant}]}` and `{turns: [{user, assistant}]}`.
//!
//! A side that is missing or null is no message (a rule reports it where it
//! matters). Items written as messages (`{role, content}`) are read as such.

use crate::text::json::{Kind, Member, Value};
use crate::transcript::{Role, Shape};

use super::{Draft, Slot, implied_slot, object_slot};

/// The draft of a record whose exchanges are in `list`.
pub(super) fn draft(shape: Shape, list: Member<'_>) -> Draft<'_> {
    let (mut slots, mut misfits) = (Vec::new(), Vec::new());
    for item in list.value.items() {
        if item.kind() == Kind::Object {
            exchange(item, &mut slots);
        } else {
            misfits.push(item);
        }
    }
    Draft {
        shape,
        anchor: list.key.quoted,
        list: Some(list.value),
        slots,
        rejected: Vec::new(),
        misfits,
    }
}

fn exchange<'a>(item: Value<'a>, slots: &mut Vec<Slot<'a>>) {
    let sides = Sides::of(item);
    if sides.is_message {
        slots.push(object_slot(item));
        return;
    }
    for (role, value) in
        [(Role::System, sides.system), (Role::User, sides.user), (Role::Assistant, sides.assistant)]
    {
        if let Some(value) = value.filter(|v| !v.is_null()) {
            slots.push(implied_slot(role, value, Some(item)));
        }
    }
}

/// The two sides of an exchange object.
#[derive(Default)]
struct Sides<'a> {
    system: Option<Value<'a>>,
    user: Option<Value<'a>>,
    assistant: Option<Value<'a>>,
    is_message: bool,
}

impl<'a> Sides<'a> {
    fn of(item: Value<'a>) -> Self {
        let mut sides = Self::default();
        for member in item.members() {
            match member.key.decode().as_ref() {
                "system" => sides.system = Some(member.value),
                "user" | "human" => sides.user = Some(member.value),
                "assistant" | "gpt" | "model" | "bot" => sides.assistant = Some(member.value),
                "role" | "from" => sides.is_message = true,
                _ => {}
            }
        }
        sides.is_message &= sides.user.is_none() && sides.assistant.is_none();
        sides
    }
}
