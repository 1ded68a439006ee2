//! `{contents: [{role, parts: [{text}]}], systemInstruction?}`: Gemini on Vertex AI.
//! A content without a role is the user's, as the API has it.

use crate::text::json::Member;
use crate::transcript::{Role, Shape};

use super::{Draft, messages};

/// The draft of a record whose messages are in `list`.
pub(super) fn draft(list: Member<'_>) -> Draft<'_> {
    let mut draft = messages::draft(Shape::Gemini, list);
    for slot in draft.slots.iter_mut().filter(|s| s.role_value.is_none()) {
        slot.role = Role::User;
        slot.implied = true;
    }
    draft
}
