//! What a chat template is given: messages, tools, flags.
//!
//! Invariant: messages that have a `role` and a `content` are passed on as they are
//! written, every field in its order, because that is what a trainer hands to the
//! template. Other shapes are converted first, as their loaders do: the
//! transcript's own roles, texts and calls.
//!
//! Texts are borrowed: building an input copies no message.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::{Map, Value, json};

use crate::text::Span;
use crate::text::json;
use crate::transcript::{Message, Role, Shape, Transcript};

/// Levels a record's own JSON may nest when tools are looked for in it.
const DEPTH: usize = 128;

/// What a template renders.
#[derive(Clone, Debug, Default)]
pub struct RenderInput<'a> {
    /// The messages, in order.
    pub messages: Vec<RenderMessage<'a>>,
    /// Tool definitions: a list, or null.
    pub tools: Value,
    /// More variables for the template (`chat_template_kwargs`).
    pub arguments: Map<String, Value>,
    /// Ends with the opening of an assistant turn; false for training records.
    pub add_generation_prompt: bool,
}

/// One message.
#[derive(Clone, Debug)]
pub struct RenderMessage<'a> {
    /// Every field as written; where `content` is a string it is empty here.
    pub fields: Map<String, Value>,
    /// The string under `content`; `None` when that is a list, null or missing.
    pub text: Option<Cow<'a, str>>,
}

impl<'a> RenderMessage<'a> {
    /// A message of a role and a text.
    #[must_use]
    pub fn new(role: &str, text: impl Into<Cow<'a, str>>) -> Self {
        let mut fields = Map::new();
        fields.insert("role".to_owned(), role.into());
        fields.insert("content".to_owned(), "".into());
        Self { fields, text: Some(text.into()) }
    }

    /// A message from the JSON object that says it.
    #[must_use]
    pub fn from_fields(mut fields: Map<String, Value>) -> Self {
        let text = match fields.get_mut("content") {
            Some(Value::String(text)) => Some(Cow::Owned(std::mem::take(text))),
            _ => None,
        };
        Self { fields, text }
    }

    /// The message as a JSON object, its fields in their order.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut fields = self.fields.clone();
        if let Some(text) = &self.text {
            fields.insert("content".to_owned(), text.as_ref().into());
        }
        Value::Object(fields)
    }

    /// The role as the template sees it.
    #[must_use]
    pub fn role(&self) -> &str {
        self.fields.get("role").and_then(Value::as_str).unwrap_or_default()
    }
}

impl<'a> RenderInput<'a> {
    /// The input that a trainer would make of this record.
    #[must_use]
    pub fn from_transcript(record: &'a str, transcript: &'a Transcript) -> Self {
        // In these shapes a message is an object with a role and a content.
        let as_written = matches!(
            transcript.shape,
            Shape::Messages | Shape::PromptCompletion | Shape::Preference | Shape::OpenAiPreference
        );
        let message = |m: &'a Message| {
            let written = if as_written { written(record, m) } else { None };
            written.unwrap_or_else(|| converted(record, m))
        };
        Self {
            messages: transcript.messages.iter().map(message).collect(),
            tools: top_level(record, "tools").filter(Value::is_array).unwrap_or_default(),
            arguments: match top_level(record, "chat_template_kwargs") {
                Some(Value::Object(map)) => map,
                _ => Map::new(),
            },
            add_generation_prompt: false,
        }
    }

    /// The same with a system message in front: what slicing adds from the project.
    #[must_use]
    pub fn with_system(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.messages.insert(0, RenderMessage::new("system", text));
        self
    }

    /// The first `n` messages: what a slice after message `n` renders.
    #[must_use]
    pub fn prefix(&self, n: usize) -> Self {
        Self {
            messages: self.messages[..n.min(self.messages.len())].to_vec(),
            tools: self.tools.clone(),
            arguments: self.arguments.clone(),
            add_generation_prompt: self.add_generation_prompt,
        }
    }
}

/// The message as its object says it; `None` when serde cannot read the object
/// (half a surrogate pair) or it uses other keys than templates know: the
/// transcript's reading of it is used instead.
fn written<'a>(record: &str, message: &'a Message) -> Option<RenderMessage<'a>> {
    let source = message.source.of(record);
    if let [part] = message.parts.as_slice()
        && part.decoded == Span::new(0, message.text.len())
    {
        let start = part.source.start.checked_sub(message.source.start)?;
        let end = part.source.end.checked_sub(message.source.start)?;
        let skeleton = [source.get(..start)?, source.get(end..)?].concat();
        let fields: Map<String, Value> = serde_json::from_str(&skeleton).ok()?;
        if fields.contains_key("role") && fields.get("content").and_then(Value::as_str) == Some("")
        {
            return Some(RenderMessage { fields, text: Some(Cow::Borrowed(&message.text)) });
        }
    }
    let fields: Map<String, Value> = serde_json::from_str(source).ok()?;
    let says_it = fields.contains_key("content") || message.text.is_empty();
    (says_it && fields.contains_key("role")).then(|| RenderMessage::from_fields(fields))
}

fn converted<'a>(record: &str, message: &'a Message) -> RenderMessage<'a> {
    let role = match (message.role, message.role_source) {
        (Role::Unknown, Some(source)) => source.of(record).trim_matches('"'),
        (role, _) => role.name(),
    };
    let mut made = RenderMessage::new(role, message.text.as_str());
    if !message.tool_calls.is_empty() {
        let call = |c: &crate::transcript::ToolCall| {
            let function = json!({"name": c.name, "arguments": c.arguments});
            match &c.id {
                Some(id) => json!({"id": id, "type": "function", "function": function}),
                None => json!({"type": "function", "function": function}),
            }
        };
        let calls = message.tool_calls.iter().map(call).collect();
        made.fields.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    if let Some(id) = &message.tool_call_id {
        made.fields.insert("tool_call_id".to_owned(), id.as_str().into());
    }
    made
}

/// A value at the top of the record; one written as a JSON string is read through.
/// The record is only parsed when the key's name occurs in it at all.
fn top_level(record: &str, key: &str) -> Option<Value> {
    memmem::find(record.as_bytes(), format!("\"{key}\"").as_bytes())?;
    let parsed = json::parse(record, DEPTH);
    let value = parsed.root(record)?.get(key)?;
    match value.str() {
        Some(text) => serde_json::from_str(&text).ok(),
        None => serde_json::from_str(value.raw()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::transcript;

    fn check(record: &str, expected: Expect) {
        let transcript = transcript::read(record, &json::parse(record, DEPTH)).transcript.unwrap();
        let input = RenderInput::from_transcript(record, &transcript);
        let mut shown = String::new();
        for message in &input.messages {
            let fields = Value::Object(message.fields.clone());
            shown.push_str(&format!("{fields} {:?}\n", message.text));
        }
        let arguments = Value::Object(input.arguments);
        shown.push_str(&format!("tools {} arguments {arguments}\n", input.tools));
        expected.assert_eq(&shown);
    }

    #[test]
    fn messages_are_passed_on_as_written() {
        check(
            r#"{"messages": [
                {"content": "a \"q\" \u00e9\n", "role": "developer", "name": "x", "weight": 0},
                {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "u"}}]},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "1", "content": ""},
                {"role": "assistant", "content": "half \ud83d pair"}
            ], "tools": "[{\"name\": \"f\"}]", "chat_template_kwargs": {"enable_thinking": false}}"#,
            expect![[r#"
                {"content":"","role":"developer","name":"x","weight":0} Some("a \"q\" é\n")
                {"role":"user","content":[{"type":"text","text":"one"},{"type":"image_url","image_url":{"url":"u"}}]} None
                {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]} None
                {"role":"tool","tool_call_id":"1","content":""} Some("")
                {"role":"assistant","content":""} Some("half � pair")
                tools [{"name":"f"}] arguments {"enable_thinking":false}
            "#]],
        );
    }

    #[test]
    fn other_shapes_are_converted() {
        check(
            r#"{"system": "Be brief.", "conversations": [{"from": "human", "value": "\"tools\" hi"}, {"from": "gpt", "value": "hello"}, {"from": "narrator", "value": "x"}]}"#,
            expect![[r#"
                {"role":"system","content":""} Some("Be brief.")
                {"role":"user","content":""} Some("\"tools\" hi")
                {"role":"assistant","content":""} Some("hello")
                {"role":"narrator","content":""} Some("x")
                tools null arguments {}
            "#]],
        );
        check(
            r#"{"exchanges": [{"user": "hi", "assistant": "hello"}]}"#,
            expect![[r#"
            {"role":"user","content":""} Some("hi")
            {"role":"assistant","content":""} Some("hello")
            tools null arguments {}
        "#]],
        );
        check(
            r#"{"messages": [{"role": "user", "text": "hi"}]}"#,
            expect![[r#"
            {"role":"user","content":""} Some("hi")
            tools null arguments {}
        "#]],
        );
    }
}
