//! How a conversation is written for a judge: numbered exchanges inside a fence.
//!
//! Invariant: the fence's boundary, which also opens every message's own line,
//! stands in no text of the transcript, and its author cannot know it: it is a
//! hash keyed with a secret of the user's. Nothing an author wrote stands on a
//! line with the boundary. So nothing written there can look like the end of the
//! conversation or like another speaker, and one transcript has one fence in
//! every call, which is what lets providers cache it.
//!
//! Deliberately absent: system messages, and messages before the first user.
//! They are no exchange, and the transcript digest leaves them out as well.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use crate::transcript::{Message, Transcript};

/// The secret that boundaries are made with. It has no form that prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FenceKey([u8; 32]);

impl FenceKey {
    /// A key of these bytes, which nobody else may know.
    #[must_use]
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for FenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FenceKey")
    }
}

/// The mark of a transcript: the same every time, and in none of its texts.
pub(super) fn boundary(transcript: &Transcript, digest: &[u8; 32], key: FenceKey) -> String {
    mark(digest, key, |mark| transcript.messages.iter().any(|message| says(message, mark)))
}

/// A mark made of a name and a key that nobody said.
pub(super) fn mark(name: &[u8; 32], key: FenceKey, is_said: impl Fn(&str) -> bool) -> String {
    let mut attempt = 0_u32;
    loop {
        // Every part has a fixed length, so no two inputs run together.
        let mut hash = Sha256::new();
        hash.update(key.0);
        hash.update(b"boundary");
        hash.update(name);
        hash.update(attempt.to_le_bytes());
        let mut mark = String::from("==");
        for byte in &hash.finalize()[..8] {
            // Writing to a String cannot fail.
            let _ = write!(mark, "{byte:02x}");
        }
        mark.push_str("==");
        if !is_said(&mark) {
            return mark;
        }
        attempt += 1;
    }
}

fn says(message: &Message, mark: &str) -> bool {
    let calls = || message.tool_calls.iter();
    message.text.contains(mark)
        || calls().any(|call| call.name.contains(mark) || call.arguments.contains(mark))
}

/// Every exchange; each message, tool call and part that is not text under a
/// line that starts with the boundary.
pub(super) fn written(transcript: &Transcript, boundary: &str) -> String {
    let mut out = String::new();
    for exchange in &transcript.exchanges {
        for &index in exchange.user.iter().chain(&exchange.rest) {
            let message = &transcript.messages[index];
            let head = format!("{boundary} exchange {}, {}", exchange.number, message.role.name());
            push(&mut out, &head, &message.text);
            for call in &message.tool_calls {
                push(
                    &mut out,
                    &format!("{head}, tool call"),
                    &format!("{}({})", call.name, call.arguments),
                );
            }
            match message.other_parts.len() {
                0 => {}
                1 => push(&mut out, &format!("{head}, 1 part that is not text"), ""),
                n => push(&mut out, &format!("{head}, {n} parts that are not text"), ""),
            }
        }
    }
    out
}

fn push(out: &mut String, head: &str, text: &str) {
    if !out.is_empty() {
        out.push_str("\n\n");
    }
    out.push_str(head);
    if !text.is_empty() {
        out.push('\n');
        out.push_str(text);
    }
}
