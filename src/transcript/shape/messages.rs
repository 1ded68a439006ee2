//! `{messages: [{role, content}]}` and `{conversations: [{from, value}]}`: a list
//! of message objects. The two differ in what structure rules accept, not in reading.

use crate::text::json::{Kind, Member, Value};
use crate::transcript::Shape;

use super::{Draft, Slot, object_slot};

/// The draft of a record whose messages are in `list`.
pub(super) fn draft(shape: Shape, list: Member<'_>) -> Draft<'_> {
    let (mut slots, mut misfits) = (Vec::new(), Vec::new());
    fill(list.value, &mut slots, &mut misfits);
    Draft {
        shape,
        anchor: list.key.quoted,
        list: Some(list.value),
        slots,
        rejected: Vec::new(),
        misfits,
    }
}

/// Adds the items of `list`.
pub(super) fn fill<'a>(list: Value<'a>, slots: &mut Vec<Slot<'a>>, misfits: &mut Vec<Value<'a>>) {
    for item in list.items() {
        if item.kind() == Kind::Object {
            slots.push(object_slot(item));
        } else {
            misfits.push(item);
        }
    }
}
