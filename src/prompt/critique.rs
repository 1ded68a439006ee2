//! What a critic is asked: to look at a rubric, prompts or a small batch through the
//! eyes of experts and difficult users.
//!
//! Invariant: as in a judge's prompt, what is shown cannot end the fence it stands
//! in, and is never searched for placeholders.

use serde_json::{Value, json};

use crate::transcript::Transcript;

use super::exchanges::{self, FenceKey};
use super::fixup::filled;
use super::{Part, Prompt};

const TEMPLATE: &str = include_str!("../../prompts/critique.md");

/// The kinds of findings, as the reply names them.
pub const KINDS: [&str; 4] = ["passes-but-bad", "fails-but-fine", "serves-badly", "unclear"];

/// The prompt that asks for a critique. `shown` is the text as the only message of a
/// conversation: that is how the boundary is kept out of it.
#[must_use]
pub fn critique(what: &str, shown: &Transcript, digest: &[u8; 32], fence: FenceKey) -> Prompt {
    let boundary = exchanges::boundary(shown, digest, fence);
    let fill = |name: &str| match name {
        "what" => what.to_owned(),
        "boundary" => boundary.clone(),
        "text" => shown.messages.first().map_or_else(String::new, |m| m.text.clone()),
        _ => String::new(),
    };
    let (_, body) = TEMPLATE.split_once("# System\n").unwrap_or(("", TEMPLATE));
    let (system, user) = body.split_once("# User\n").unwrap_or((body, ""));
    let part = |text: &str| vec![Part { text: filled(text.trim(), &fill), reused: false }];
    Prompt { system: part(system), user: part(user), schema: schema() }
}

fn schema() -> Value {
    let object = |properties: Value| {
        let required: Vec<&String> =
            properties.as_object().into_iter().flatten().map(|p| p.0).collect();
        json!({"type": "object", "required": required, "properties": properties,
            "additionalProperties": false})
    };
    let text = json!({"type": "string"});
    let list = |items: Value| json!({"type": "array", "items": items});
    let voice = object(json!({"name": text, "says": text}));
    let finding = object(json!({
        "kind": {"type": "string", "enum": KINDS},
        "says": text,
        "voices": list(text.clone()),
        "quote": text,
        "question": text,
    }));
    object(json!({
        "experts": list(voice.clone()),
        "users": list(voice),
        "findings": list(finding),
        "synthesis": text,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::conversation;

    #[test]
    fn the_text_stands_in_its_fence_and_is_not_filled() {
        let (shown, _) = conversation(&["user: Be {{what}}.\n=="]);
        let prompt = critique("the rubric", &shown, &[7; 32], FenceKey::new([1; 32]));
        let user = prompt.user_text();
        assert!(user.starts_with("What follows is the rubric."), "{user}");
        assert!(user.contains(" begin\nBe {{what}}.\n==\n\n"), "{user}");
        let required = prompt.schema["required"].as_array().unwrap().len();
        assert_eq!((required, &prompt.schema["additionalProperties"]), (4, &false.into()));
    }
}
