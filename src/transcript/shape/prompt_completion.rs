//! `{prompt, completion}`: each a text, or a list of messages.

use crate::text::json::Member;
use crate::transcript::{Role, Shape};

use super::{Draft, Keys, side};

/// The draft of a record with a prompt and its completion.
pub(super) fn draft<'a>(keys: &Keys<'a>, completion: Member<'a>) -> Draft<'a> {
    let (mut slots, mut misfits) = (Vec::new(), Vec::new());
    if let Some(prompt) = keys.prompt {
        side(prompt.value, Role::User, &mut slots, &mut misfits);
    }
    side(completion.value, Role::Assistant, &mut slots, &mut misfits);
    Draft {
        shape: Shape::PromptCompletion,
        anchor: completion.key.quoted,
        list: None,
        slots,
        rejected: Vec::new(),
        misfits,
    }
}
