//! One slot of a draft, decoded: text, other parts, tool calls.
//!
//! Invariant: every string of the record is decoded once; [`Message::text`] is
//! the text parts joined by a line break, and each part knows its literal.
//! Content of the wrong kind yields what text it has (structure rules report it).
//!
//! A [`Gist`] is the same without the text: the one reader fills both, so they
//! cannot disagree on anything else.

use crate::text::Span;
use crate::text::json::{self, DEPTH_LIMIT, Json, Kind, Literal, Value};

use super::role::is_call_name;
use super::shape::Slot;
use super::{Message, Role, TextPart, ToolCall};

/// What a message is, its text left undecoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gist {
    /// [`Message::role`]
    pub role: Role,
    /// [`Message::text`] is empty.
    pub is_empty: bool,
    /// [`Message::text`] is white space or empty.
    pub is_blank: bool,
    /// [`Message::other_parts`] has some.
    pub has_other_parts: bool,
    /// [`Message::tool_calls`]
    pub tool_calls: Vec<ToolCall>,
    /// [`Message::tool_call_id`]
    pub tool_call_id: Option<String>,
    /// [`Message::untrained`]
    pub untrained: bool,
}

/// The gist of a slot.
pub(crate) fn gist(slot: &Slot<'_>) -> Gist {
    let mut builder = Builder { weighs: true, ..Builder::default() };
    let facts = builder.slot(slot);
    Gist {
        role: builder.role(slot),
        is_empty: builder.strings == 0 || (builder.strings == 1 && builder.all_empty),
        is_blank: builder.strings == 0 || builder.all_blank,
        has_other_parts: !builder.other_parts.is_empty(),
        tool_calls: builder.calls,
        tool_call_id: facts.tool_call_id.or(builder.result_id),
        untrained: facts.untrained,
    }
}

/// Decodes a slot.
pub(crate) fn message(slot: &Slot<'_>) -> Message {
    let mut builder = Builder::default();
    let facts = builder.slot(slot);
    let mut message = Message {
        role: builder.role(slot),
        role_source: slot.role_value.map(Value::span),
        source: slot.source.span(),
        text: builder.text,
        parts: builder.parts,
        other_parts: builder.other_parts,
        tool_calls: builder.calls,
        tool_call_id: facts.tool_call_id.or(builder.result_id),
        untrained: facts.untrained,
        key: 0,
    };
    message.key = key(&message, slot.source);
    message
}

/// What stands beside role and content.
#[derive(Default)]
struct Facts {
    tool_call_id: Option<String>,
    untrained: bool,
}

impl Facts {
    fn read(&mut self, object: Value<'_>, builder: &mut Builder) {
        for member in object.members() {
            let value = member.value;
            match member.key.decode().as_ref() {
                "tool_calls" => value.items().for_each(|call| builder.call(call)),
                "function_call" if value.kind() == Kind::Object => builder.call(value),
                "tool_call_id" => self.tool_call_id = value.str().map(Into::into),
                "weight" | "loss_weight" => self.untrained |= value.number() == Some(0.0),
                "train" | "training" => self.untrained |= value.bool() == Some(false),
                _ => {}
            }
        }
    }
}

struct Builder {
    /// Texts are weighed, not decoded: `text` and `parts` stay empty.
    weighs: bool,
    /// String literals met, and what was seen of those weighed.
    strings: usize,
    all_empty: bool,
    all_blank: bool,
    text: String,
    parts: Vec<TextPart>,
    other_parts: Vec<Span>,
    calls: Vec<ToolCall>,
    result_id: Option<String>,
    /// Content parts seen, and how many of them are a tool's results.
    seen: usize,
    results: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            weighs: false,
            strings: 0,
            all_empty: true,
            all_blank: true,
            text: String::new(),
            parts: Vec::new(),
            other_parts: Vec::new(),
            calls: Vec::new(),
            result_id: None,
            seen: 0,
            results: 0,
        }
    }
}

impl Builder {
    fn slot(&mut self, slot: &Slot<'_>) -> Facts {
        let mut facts = Facts::default();
        if !slot.plain && (!slot.implied || slot.source.kind() == Kind::Object) {
            facts.read(slot.source, self);
        }
        let is_call = |value: Value<'_>| value.str().is_some_and(|name| is_call_name(&name));
        if !slot.plain && slot.role_value.is_some_and(is_call) {
            self.written_calls(slot.content);
        } else if let Some(content) = slot.content {
            self.content(content);
        }
        facts
    }

    fn role(&self, slot: &Slot<'_>) -> Role {
        match slot.role {
            // Anthropic and Gemini put results in a turn of the user's.
            Role::User if self.results > 0 && self.results == self.seen => Role::Tool,
            role => role,
        }
    }

    fn content(&mut self, value: Value<'_>) {
        match value.kind() {
            Kind::String => {
                if let Some(literal) = value.literal() {
                    self.text(literal);
                }
            }
            Kind::Array => value.items().for_each(|part| self.part(part)),
            Kind::Object => match value.get("parts").filter(|p| p.kind() == Kind::Array) {
                Some(parts) => parts.items().for_each(|part| self.part(part)),
                None => self.part(value),
            },
            _ => {}
        }
    }

    fn text(&mut self, literal: Literal<'_>) {
        self.strings += 1;
        if self.weighs {
            self.all_empty &= literal.raw.is_empty();
            self.all_blank &= is_blank(literal);
            return;
        }
        if !self.parts.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.text.push_str(&literal.decode());
        let decoded = Span::new(start, self.text.len());
        self.parts.push(TextPart { source: literal.inner, decoded });
    }

    /// One item of a content list.
    fn part(&mut self, part: Value<'_>) {
        self.seen += 1;
        if let Some(literal) = part.literal() {
            self.text(literal);
            return;
        }
        let keys = PartKeys::of(part);
        let kind = keys.kind.and_then(Value::str).unwrap_or_default();
        match kind.as_ref() {
            "tool_use" => self.push_call(part, keys.name, keys.input),
            "tool_call" => self.written_calls(keys.text),
            "tool_result" => self.result(part),
            "" | "text" | "input_text" | "output_text" => self.plain_part(part, &keys),
            _ => self.other_parts.push(part.span()),
        }
    }

    fn plain_part(&mut self, part: Value<'_>, keys: &PartKeys<'_>) {
        if let Some(call) = keys.gemini_call {
            self.push_call(part, call.get("name"), call.get("args"));
            return;
        }
        if keys.gemini_result {
            self.results += 1;
        }
        match keys.text.and_then(Value::literal) {
            // Gemini's thoughts are no part of the reply.
            Some(literal) if !keys.thought => self.text(literal),
            _ => self.other_parts.push(part.span()),
        }
    }

    /// Anthropic's `tool_result`: its text, one level deep.
    fn result(&mut self, part: Value<'_>) {
        self.results += 1;
        self.result_id = part.get("tool_use_id").and_then(Value::str).map(Into::into);
        let Some(content) = part.get("content") else { return };
        if let Some(literal) = content.literal() {
            self.text(literal);
        }
        for item in content.items() {
            match item.get("text").and_then(Value::literal) {
                Some(literal) => self.text(literal),
                None => self.other_parts.push(item.span()),
            }
        }
    }

    /// A call as OpenAI writes it, or its `function` alone.
    fn call(&mut self, call: Value<'_>) {
        let function = call.get("function").filter(|f| f.kind() == Kind::Object).unwrap_or(call);
        self.push_call(call, function.get("name"), function.get("arguments"));
    }

    fn push_call(&mut self, call: Value<'_>, name: Option<Value<'_>>, input: Option<Value<'_>>) {
        self.calls.push(ToolCall {
            id: call.get("id").and_then(Value::str).map(Into::into),
            name: name.and_then(Value::str).unwrap_or_default().into_owned(),
            arguments: input.map(arguments).unwrap_or_default(),
            source: call.span(),
        });
    }

    /// Calls written as JSON inside a text (ShareGPT's `function_call`); text that
    /// is no such JSON stays text.
    fn written_calls(&mut self, content: Option<Value<'_>>) {
        let Some(literal) = content.and_then(Value::literal) else {
            if let Some(content) = content {
                self.content(content);
            }
            return;
        };
        let decoded = literal.decode();
        let json: Json = json::parse(&decoded, DEPTH_LIMIT);
        let root = json.root(&decoded).filter(|_| json.syntax_problem().is_none());
        let calls: Vec<Value<'_>> = match root.map(|r| (r, r.kind())) {
            Some((root, Kind::Object)) => vec![root],
            Some((root, Kind::Array)) => root.items().collect(),
            _ => Vec::new(),
        };
        if calls.is_empty() || calls.iter().any(|c| c.get("name").is_none()) {
            self.text(literal);
            return;
        }
        for call in calls {
            self.calls.push(ToolCall {
                id: None,
                name: call.get("name").and_then(Value::str).unwrap_or_default().into_owned(),
                arguments: call.get("arguments").map(arguments).unwrap_or_default(),
                source: literal.quoted,
            });
        }
    }
}

/// The text is white space or empty; most texts show at their first character that they are not.
fn is_blank(literal: Literal<'_>) -> bool {
    match literal.raw.trim_start().chars().next() {
        None => true,
        Some('\\') => literal.decode().trim().is_empty(),
        Some(_) => false,
    }
}

/// The decoded string, or the raw JSON of anything else.
fn arguments(value: Value<'_>) -> String {
    value.str().map_or_else(|| value.raw().to_owned(), Into::into)
}

/// The keys of a content part that say what it is.
#[derive(Default)]
struct PartKeys<'a> {
    kind: Option<Value<'a>>,
    text: Option<Value<'a>>,
    name: Option<Value<'a>>,
    input: Option<Value<'a>>,
    gemini_call: Option<Value<'a>>,
    gemini_result: bool,
    thought: bool,
}

impl<'a> PartKeys<'a> {
    fn of(part: Value<'a>) -> Self {
        let mut keys = Self::default();
        for member in part.members() {
            let value = member.value;
            match member.key.decode().as_ref() {
                "type" => keys.kind = Some(value),
                "text" => keys.text = Some(value),
                "value" => keys.text = keys.text.or(Some(value)),
                "name" => keys.name = Some(value),
                "input" => keys.input = Some(value),
                "functionCall" | "function_call" => keys.gemini_call = Some(value),
                "functionResponse" | "function_response" => keys.gemini_result = true,
                "thought" => keys.thought = value.bool() == Some(true),
                _ => {}
            }
        }
        keys
    }
}

/// The memo key: everything that can change what is computed from the message.
fn key(message: &Message, source: Value<'_>) -> u128 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    let mut field = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    field(message.role.name().as_bytes());
    field(message.text.as_bytes());
    let start = message.source.start;
    for part in &message.other_parts {
        let raw = source.raw().get(part.start - start..part.end - start).unwrap_or("");
        field(b"part");
        field(raw.as_bytes());
    }
    for call in &message.tool_calls {
        field(b"call");
        field(call.id.as_deref().unwrap_or("").as_bytes());
        field(call.name.as_bytes());
        field(call.arguments.as_bytes());
    }
    field(message.tool_call_id.as_deref().unwrap_or("").as_bytes());
    hash.digest128()
}
