//! The transcript digest: what answers hang on (SPEC section 5, point 8).
//!
//! SHA-256 over the digests of the ordered messages, under a version tag; a
//! message's covers role, decoded text, other parts and tool calls, every field
//! with its length in front. Not in it: id,
//! metadata, shape, escaping, white space of the JSON, system messages, and the
//! ids of tool calls. Invariant: the same conversation in two shapes has one digest.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::text::escape::{self, Style};
use crate::text::json::{self, DEPTH_LIMIT, Kind, Value};

use super::{Message, Role, Transcript};

/// Changes whenever the meaning of the bytes below changes.
const VERSION: &[u8] = b"rubricator transcript 2";

/// SHA-256 of what a transcript says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TranscriptDigest(pub [u8; 32]);

impl TranscriptDigest {
    /// The id of a transcript that names none: `t-` and 12 hex digits.
    #[must_use]
    pub fn derived_id(&self) -> String {
        let mut hex = self.to_string();
        hex.truncate(12);
        format!("t-{hex}")
    }
}

impl fmt::Display for TranscriptDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The digest of a transcript; `record` is the text it was read from.
#[must_use]
pub fn of(record: &str, transcript: &Transcript) -> TranscriptDigest {
    of_messages(spoken(transcript).map(|m| message(record, m)))
}

/// The messages a digest is made of: all but the system's.
pub fn spoken(transcript: &Transcript) -> impl Iterator<Item = &Message> {
    transcript.messages.iter().filter(|m| m.role != Role::System)
}

/// SHA-256 of what one message says. Messages with one [`Message::key`] have one
/// digest, so an edit costs one of them.
#[must_use]
pub fn message(record: &str, message: &Message) -> [u8; 32] {
    let mut hash = Sha256::new();
    field(&mut hash, message.role.name());
    field(&mut hash, &message.text);
    count(&mut hash, message.other_parts.len());
    for part in &message.other_parts {
        field(&mut hash, &canonical(part.of(record)));
    }
    count(&mut hash, message.tool_calls.len());
    for call in &message.tool_calls {
        field(&mut hash, &call.name);
        field(&mut hash, &canonical(&call.arguments));
    }
    hash.finalize().into()
}

/// The digest of a transcript whose [`spoken`] messages have these digests.
#[must_use]
pub fn of_messages(messages: impl Iterator<Item = [u8; 32]>) -> TranscriptDigest {
    let mut hash = Sha256::new();
    hash.update(VERSION);
    messages.for_each(|message| hash.update(message));
    TranscriptDigest(hash.finalize().into())
}

fn count(hash: &mut Sha256, count: usize) {
    hash.update((count as u64).to_le_bytes());
}

fn field(hash: &mut Sha256, text: &str) {
    count(hash, text.len());
    hash.update(text.as_bytes());
}

/// JSON without its white space and escaping style; text that is no JSON stays as it is.
#[must_use]
pub(crate) fn canonical(text: &str) -> String {
    enum Step<'a> {
        Value(Value<'a>),
        Text(&'static str),
        Key(json::Literal<'a>),
    }
    let json = json::parse(text, DEPTH_LIMIT);
    let Some(root) = json.root(text).filter(|_| json.syntax_problem().is_none()) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(text.len());
    let mut steps = vec![Step::Value(root)];
    while let Some(step) = steps.pop() {
        let value = match step {
            Step::Text(text) => {
                out.push_str(text);
                continue;
            }
            Step::Key(key) => {
                push_string(&mut out, &key.decode());
                out.push(':');
                continue;
            }
            Step::Value(value) => value,
        };
        let first = steps.len();
        match value.kind() {
            Kind::String => push_string(&mut out, &value.str().unwrap_or_default()),
            Kind::Array => {
                out.push('[');
                value.items().for_each(|v| steps.extend([Step::Value(v), Step::Text(",")]));
                steps.truncate(steps.len().saturating_sub(1).max(first));
                steps.push(Step::Text("]"));
            }
            Kind::Object => {
                out.push('{');
                for member in value.members() {
                    steps.extend([
                        Step::Key(member.key),
                        Step::Value(member.value),
                        Step::Text(","),
                    ]);
                }
                steps.truncate(steps.len().saturating_sub(1).max(first));
                steps.push(Step::Text("}"));
            }
            _ => out.push_str(value.raw()),
        }
        steps[first..].reverse();
    }
    out
}

fn push_string(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(&escape::encode(text, Style::default()));
    out.push('"');
}

/// Equal for conversations that say the same, as far as this process is concerned.
#[must_use]
pub fn content(transcript: &Transcript) -> u128 {
    let keys: Vec<u8> = spoken(transcript).flat_map(|m| m.key.to_le_bytes()).collect();
    xxhash_rust::xxh3::xxh3_128(&keys)
}

/// A hash that stays the same through case, white space and punctuation: two
/// records that share it are duplicates for training (rule D001).
#[must_use]
pub fn normalised(transcript: &Transcript) -> u128 {
    normalised_of(spoken(transcript).map(normalised_message))
}

/// The normalised hash of a transcript whose [`spoken`] messages have these.
#[must_use]
pub fn normalised_of(messages: impl Iterator<Item = u128>) -> u128 {
    let bytes: Vec<u8> = messages.flat_map(u128::to_le_bytes).collect();
    xxhash_rust::xxh3::xxh3_128(&bytes)
}

/// The part of [`normalised`] that one message makes.
#[must_use]
pub fn normalised_message(message: &Message) -> u128 {
    let mut out = Vec::with_capacity(message.text.len() + 16);
    out.extend_from_slice(message.role.name().as_bytes());
    out.push(1);
    push_normalised(&mut out, &message.text, usize::MAX);
    for call in &message.tool_calls {
        out.push(2);
        out.extend_from_slice(call.name.as_bytes());
        out.extend_from_slice(call.arguments.as_bytes());
    }
    for part in &message.other_parts {
        // Images are told apart by size alone; exact duplicates have the digest.
        out.push(3);
        out.extend_from_slice(&part.len().to_le_bytes());
    }
    xxhash_rust::xxh3::xxh3_128(&out)
}

/// What [`push_normalised`] makes of an ASCII byte: itself in lower case, or 0
/// for everything that only separates.
const PLAIN: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Letters and digits in lower case, one space for whatever stands between them.
/// Case is folded up to U+07FF, where the scripts that have it are (but for rare
/// ones); a table look-up for every quote and dash would cost more than all else.
/// No more than `most` bytes of that are wanted.
pub(crate) fn push_normalised(out: &mut Vec<u8>, text: &str, most: usize) {
    let start = out.len();
    let mut gap = false;
    let mut rest = text.as_bytes();
    while let Some(&byte) = rest.first() {
        if out.len() - start >= most {
            break;
        }
        let length = match byte {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
        };
        let (char, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        if byte < 0x80 && PLAIN[usize::from(byte)] == 0 {
            gap = true;
            continue;
        }
        if gap && out.len() > start {
            out.push(b' ');
        }
        gap = false;
        match length {
            1 => out.push(PLAIN[usize::from(byte)]),
            2 => out.extend_from_slice(String::from_utf8_lossy(char).to_lowercase().as_bytes()),
            _ => out.extend_from_slice(char),
        }
    }
    out.truncate(start.saturating_add(most).min(out.len()));
}
