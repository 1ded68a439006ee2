//! How a conversation is written for a judge: numbered exchanges inside a fence.
//!
//! Invariant: the fence's boundary, which also opens every message's own line,
//! stands in no text of the transcript; so nothing written there can look like
//! the end of the conversation or like another speaker.
//!
//! Deliberately absent: system messages, and messages before the first user.
//! They are no exchange, and the transcript digest leaves them out as well.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::transcript::{Message, Transcript};

/// A mark that follows from the whole transcript, so its author cannot have
/// written it there, and that is the same every time.
pub(super) fn boundary(transcript: &Transcript, digest: &[u8; 32], seed: u64) -> String {
    let mut attempt = 0_u32;
    loop {
        let mut hash = Sha256::new();
        hash.update(b"boundary");
        hash.update(digest);
        hash.update(seed.to_le_bytes());
        hash.update(attempt.to_le_bytes());
        let mut mark = String::from("==");
        for byte in &hash.finalize()[..8] {
            // Writing to a String cannot fail.
            let _ = write!(mark, "{byte:02x}");
        }
        mark.push_str("==");
        if !transcript.messages.iter().any(|message| says(message, &mark)) {
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

/// Every exchange, each message under a line that starts with the boundary.
pub(super) fn written(transcript: &Transcript, boundary: &str) -> String {
    let mut out = String::new();
    for exchange in &transcript.exchanges {
        for &index in exchange.user.iter().chain(&exchange.rest) {
            let message = &transcript.messages[index];
            if !out.is_empty() {
                out.push_str("\n\n");
            }
            let (number, role) = (exchange.number, message.role.name());
            let _ = write!(out, "{boundary} exchange {number}, {role}\n{}", message.text);
            push_calls(&mut out, message);
        }
    }
    out
}

fn push_calls(out: &mut String, message: &Message) {
    for call in &message.tool_calls {
        let _ = write!(out, "\n[calls {} with {}]", call.name, call.arguments);
    }
    if !message.other_parts.is_empty() {
        let _ = write!(out, "\n[{} part(s) that are not text]", message.other_parts.len());
    }
}
