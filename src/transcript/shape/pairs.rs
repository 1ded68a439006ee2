//! `[[user, assistant], …]`: as the whole record, or under a key that holds messages elsewhere.

use crate::text::Span;
use crate::text::json::{Kind, Value};
use crate::transcript::{Role, Shape};

use super::{Draft, implied_slot};

/// True for a list that starts with a pair of texts.
pub(super) fn is_pairs(list: Value<'_>) -> bool {
    let text = |v: Value<'_>| matches!(v.kind(), Kind::String | Kind::Null);
    list.items().next().is_some_and(|first| {
        first.items().next().is_some_and(text)
            && first.items().all(text)
            && first.items().count() <= 2
    })
}

/// The draft of the pairs in `list`.
pub(super) fn draft(list: Value<'_>, anchor: Span) -> Draft<'_> {
    let (mut slots, mut misfits) = (Vec::new(), Vec::new());
    for item in list.items() {
        if item.kind() != Kind::Array {
            misfits.push(item);
            continue;
        }
        let mut sides = item.items();
        for role in [Role::User, Role::Assistant] {
            if let Some(value) = sides.next().filter(|v| !v.is_null()) {
                slots.push(implied_slot(role, value, Some(item)));
            }
        }
        misfits.extend(sides);
    }
    Draft { shape: Shape::Pairs, anchor, list: Some(list), slots, rejected: Vec::new(), misfits }
}
