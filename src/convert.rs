//! A record from one shape into another.
//!
//! Invariant: what the new record does not say any more is named, with its place;
//! a record of which nothing is named reads back as the same roles and texts, which
//! is checked on every one. Keys beside the conversation are kept.

use serde_json::{Map, Value, json};

use crate::text::{Span, json as spans};
use crate::transcript::{Message, Role, Shape, Transcript, read};

/// A shape to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `{messages: [{role, content}]}`
    Messages,
    /// `{conversations: [{from, value}]}`
    ShareGpt,
    /// `{contents: [{role, parts}]}`
    Contents,
    /// `{exchanges: [{exchange_number, user, assistant}]}`
    Exchanges,
}

/// What a conversion loses, and where it stood in the record.
pub type Loss = (Span, String);

/// A converted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The record, one line.
    pub line: String,
    /// What is lost.
    pub losses: Vec<Loss>,
}

/// Keys of records and messages that hold the conversation itself.
const HOLDERS: [&str; 12] = [
    "messages",
    "conversations",
    "conversation",
    "exchanges",
    "turns",
    "contents",
    "prompt",
    "completion",
    "chosen",
    "rejected",
    "systemInstruction",
    "system_instruction",
];
const SAID: [&str; 10] = [
    "role",
    "content",
    "from",
    "value",
    "parts",
    "user",
    "assistant",
    "exchange_number",
    "human",
    "gpt",
];

/// Converts a record; `None` when it is no conversation.
#[must_use]
pub fn convert(record: &str, target: Target, depth: usize) -> Option<Converted> {
    let parsed = spans::parse(record, depth);
    if parsed.syntax_problem().is_some() {
        return None;
    }
    let transcript = read(record, &parsed).transcript.ok()?;
    let root: Value = serde_json::from_str(record.trim_start_matches('\u{feff}')).ok()?;
    let is_there = matches!(
        (transcript.shape, target),
        (Shape::Messages, Target::Messages)
            | (Shape::ShareGpt, Target::ShareGpt)
            | (Shape::Gemini, Target::Contents)
            | (Shape::Exchanges, Target::Exchanges)
    );
    if is_there {
        let is_line = !record.contains(['\n', '\r']);
        let line = if is_line { record.to_owned() } else { root.to_string() };
        return Some(Converted { line, losses: Vec::new() });
    }
    let mut losses = lost(record, &transcript);
    let mut fields: Map<String, Value> = match root {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let at = fields.keys().position(|key| HOLDERS.contains(&key.as_str())).unwrap_or(fields.len());
    fields.retain(|key, _| !HOLDERS.contains(&key.as_str()));
    let at = at.min(fields.len());
    for (offset, (key, value)) in written(&transcript, target, &mut losses).into_iter().enumerate()
    {
        fields.shift_insert(at + offset, key.to_owned(), value);
    }
    let line = Value::Object(fields).to_string();
    if losses.is_empty() && !says_the_same(&line, &transcript, depth) {
        let whole = Span::new(0, record.len().min(1));
        losses.push((whole, "the new record does not read back as the same messages".into()));
    }
    losses.sort_by_key(|(span, _)| span.start);
    Some(Converted { line, losses })
}

/// What no other shape than the record's own can say.
fn lost(record: &str, transcript: &Transcript) -> Vec<Loss> {
    let mut losses = Vec::new();
    for message in &transcript.rejected {
        losses.push((message.source, "the rejected side of the pair".to_owned()));
    }
    for message in &transcript.messages {
        let mut lose = |what: String| losses.push((message.source, what));
        if !message.other_parts.is_empty() {
            lose("a part that is not text".into());
        }
        if !message.tool_calls.is_empty() || message.tool_call_id.is_some() {
            lose("a tool call, or the id of one".into());
        }
        if matches!(message.role, Role::Unknown) {
            lose("a role that is not known".into());
        }
        let fields = serde_json::from_str::<Map<String, Value>>(message.source.of(record));
        for key in fields.iter().flat_map(Map::keys).filter(|key| !SAID.contains(&key.as_str())) {
            if message.tool_calls.is_empty() || key != "tool_calls" {
                lose(format!("`{}` of a message", key.escape_debug()));
            }
        }
    }
    losses
}

/// The keys that hold the conversation in its new shape.
fn written(
    transcript: &Transcript,
    target: Target,
    losses: &mut Vec<Loss>,
) -> Vec<(&'static str, Value)> {
    let messages = &transcript.messages;
    match target {
        Target::Messages => {
            let one = |m: &Message| json!({"role": m.role.name(), "content": m.text});
            vec![("messages", messages.iter().map(one).collect())]
        }
        Target::ShareGpt => {
            let from = |role: Role| match role {
                Role::User => "human",
                Role::Assistant => "gpt",
                other => other.name(),
            };
            let one = |m: &Message| json!({"from": from(m.role), "value": m.text});
            vec![("conversations", messages.iter().map(one).collect())]
        }
        Target::Contents => contents(messages, losses),
        Target::Exchanges => vec![("exchanges", exchanges(transcript, losses))],
    }
}

fn contents(messages: &[Message], losses: &mut Vec<Loss>) -> Vec<(&'static str, Value)> {
    let mut keys = Vec::new();
    let mut rest = messages;
    if let [first, others @ ..] = messages
        && first.role == Role::System
    {
        keys.push(("systemInstruction", json!({"parts": [{"text": first.text}]})));
        rest = others;
    }
    let mut contents = Vec::new();
    for message in rest {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "model",
            other => {
                losses.push((message.source, format!("a message of role {}", other.name())));
                continue;
            }
        };
        contents.push(json!({"role": role, "parts": [{"text": message.text}]}));
    }
    keys.push(("contents", contents.into()));
    keys
}

fn exchanges(transcript: &Transcript, losses: &mut Vec<Loss>) -> Value {
    let mut kept = vec![false; transcript.messages.len()];
    let mut written = Vec::new();
    for exchange in &transcript.exchanges {
        let replies: Vec<usize> = transcript.reply_messages(exchange).collect();
        for (index, message) in exchange.user.iter().chain(&replies).enumerate() {
            kept[*message] = true;
            let is_joined = index > 0 && index != exchange.user.len();
            if is_joined {
                let what = "where a message begins: it is joined with the one before";
                losses.push((transcript.messages[*message].source, what.to_owned()));
            }
        }
        written.push(json!({
            "exchange_number": exchange.number,
            "user": transcript.user_text(exchange),
            "assistant": transcript.reply(exchange),
        }));
    }
    for (message, _) in transcript.messages.iter().zip(&kept).filter(|(_, kept)| !**kept) {
        let what = format!("a message of role {} outside any exchange", message.role.name());
        losses.push((message.source, what));
    }
    written.into()
}

fn says_the_same(line: &str, before: &Transcript, depth: usize) -> bool {
    let said = |t: &Transcript| -> Vec<(Role, String)> {
        t.messages.iter().map(|m| (m.role, m.text.clone())).collect()
    };
    let parsed = spans::parse(line, depth);
    read(line, &parsed).transcript.is_ok_and(|after| said(&after) == said(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Target; 4] =
        [Target::Messages, Target::ShareGpt, Target::Contents, Target::Exchanges];

    #[test]
    fn what_a_shape_cannot_say_is_named_at_its_place() {
        let record = r#"{"id":"a","messages":[{"role":"system","content":"s"},{"role":"user","content":"u","name":"n"},{"role":"assistant","content":"a"}],"note":1}"#;
        let found = convert(record, Target::Exchanges, 64).unwrap();
        assert_eq!(
            found.line,
            r#"{"id":"a","exchanges":[{"exchange_number":1,"user":"u","assistant":"a"}],"note":1}"#
        );
        let said: Vec<(&str, &str)> = found
            .losses
            .iter()
            .map(|(span, what)| (&span.of(record)[..16], what.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (r#"{"role":"system""#, "a message of role system outside any exchange"),
                (r#"{"role":"user",""#, "`name` of a message"),
            ]
        );
        assert_eq!(convert("{broken", Target::Messages, 64), None);
    }

    proptest! {
        #[test]
        fn what_is_lossless_comes_back(
            texts in proptest::collection::vec(("\\PC{1,12}", "\\PC{1,12}"), 1..5),
            with_system: bool,
        ) {
            let mut messages = Vec::new();
            if with_system {
                messages.push(json!({"role": "system", "content": "Be kind."}));
            }
            for (user, assistant) in &texts {
                messages.push(json!({"role": "user", "content": user}));
                messages.push(json!({"role": "assistant", "content": assistant}));
            }
            let record = json!({"id": "a", "messages": messages, "batch": "b"}).to_string();
            for target in ALL {
                let there = convert(&record, target, 64).unwrap();
                let is_lossy = target == Target::Exchanges && with_system;
                prop_assert_eq!(!there.losses.is_empty(), is_lossy, "{:?}", there.losses);
                if !is_lossy {
                    let back = convert(&there.line, Target::Messages, 64).unwrap();
                    prop_assert_eq!(back.line, record.clone());
                }
            }
        }
    }
}
