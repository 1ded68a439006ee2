//! What a trainer hands to the chat template.
//!
//! Invariant: message `i` of the input is message `index[i]` of the transcript.
//! Roles stand as the trainer leaves them; a system text that it does not read
//! is not there.

use super::Trainer;
use super::subject::Subject;
use crate::tokens::RenderInput;
use crate::transcript::Shape;

/// What the template is given.
pub(super) struct Handed<'a> {
    pub input: RenderInput<'a>,
    /// The transcript's message of each message of the input.
    pub index: Vec<usize>,
}

/// The input this trainer makes of the record.
pub(super) fn handed<'a>(subject: &Subject<'a>) -> Handed<'a> {
    let trainer = subject.target.trainer;
    let mut input = RenderInput::from_transcript(subject.record, subject.transcript);
    let mut index: Vec<usize> = (0..input.messages.len()).collect();
    let parts = subject.parts();
    if subject.draft.shape == Shape::ShareGpt {
        for (message, part) in input.messages.iter_mut().zip(&parts) {
            let word = part.role_word();
            if let Some(word) = own_role(trainer, &word) {
                message.fields.insert("role".to_owned(), word.into());
            }
        }
    }
    let is_unread = |at: usize| {
        let Some(part) = parts.get(at).filter(|p| p.is_beside()) else { return false };
        let own = part.slot.source.span();
        let key = subject.root.members().find(|m| m.value.span().covers(own));
        !key.is_some_and(|m| trainer.system_keys().contains(&m.key.decode().as_ref()))
    };
    if is_unread(0) {
        input.messages.remove(0);
        index.remove(0);
    }
    Handed { input, index }
}

/// The role a trainer makes of a word of `conversations`; `None` leaves the usual one.
fn own_role(trainer: Trainer, word: &str) -> Option<&str> {
    match trainer {
        Trainer::Trl => Some(word),
        Trainer::Axolotl => Some(match word {
            "human" => "user",
            "gpt" => "assistant",
            other => other,
        }),
        Trainer::Unsloth => Some(match word {
            "human" | "input" => "user",
            "gpt" | "output" => "assistant",
            other => other,
        }),
        _ => None,
    }
}
