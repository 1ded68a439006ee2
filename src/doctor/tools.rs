//! K004, K005, K006, K007, K008: tool calls as mistral-common checks them for
//! fine-tuning; and K001 for OpenAI, whose arguments are text.
//!
//! Which rules hold depends on the version of the tokenizer, which the name of
//! the chat template tells: v3 unless it says v1 or v7.

use super::subject::{Part, Subject, inside};
use super::{Fate, Trainer};
use crate::finding::{Fix, Severity};
use crate::text::escape;
use crate::text::json::{Kind, Value};
use crate::transcript::Role;

const REFUSED: (Severity, Fate) = (Severity::Error, Fate::Refused);

/// All of them.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts = subject.parts();
    // mistral-common writes an object as text itself.
    if subject.target.trainer == Trainer::OpenAi {
        arguments(subject, &parts);
    }
    if subject.target.trainer != Trainer::Mistral {
        return;
    }
    let version = Version::of(subject);
    for (at, part) in parts.iter().enumerate() {
        match part.message.role {
            Role::Assistant => {
                spoken(subject, part, version);
                calls(subject, part, version, at + 1 == parts.len());
            }
            Role::Tool => result(subject, part, version),
            _ => {}
        }
    }
    counts(subject, &parts);
    declared(subject);
}

/// The tokenizer versions that differ in what they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Version {
    V1,
    V3,
    V7,
}

impl Version {
    fn of(subject: &Subject<'_>) -> Self {
        let name = subject.target.counter.template().name();
        if name.contains("v1") {
            Self::V1
        } else if name.contains("v7") {
            Self::V7
        } else {
            Self::V3
        }
    }
}

/// The calls of a message as written.
fn written<'a>(part: &Part<'a>) -> Vec<Value<'a>> {
    part.slot
        .source
        .get("tool_calls")
        .into_iter()
        .flat_map(|c| c.items().collect::<Vec<_>>())
        .collect()
}

/// K001.
fn arguments(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    for part in parts {
        for call in written(part) {
            let function = call.get("function");
            let Some(value) = function.and_then(|f| f.get("arguments")) else { continue };
            if value.kind() != Kind::Object {
                continue;
            }
            let message = "openai wants the arguments as a JSON string".to_owned();
            let brace = crate::text::Span::new(value.span().start, value.span().start + 1);
            subject.note(part, "K001", REFUSED, brace, message);
            let text = format!("\"{}\"", escape::encode(value.raw(), subject.style()));
            subject.fix(Some(Fix::safe("Write the arguments as a string", value.span(), text)));
        }
    }
}

/// K008: before v7 a reply is text or calls; and always one of the two.
fn spoken(subject: &mut Subject<'_>, part: &Part<'_>, version: Version) {
    let says = !part.message.text.is_empty() || !part.message.other_parts.is_empty();
    let calls = !written(part).is_empty();
    if version == Version::V7 || says != calls {
        return;
    }
    let message = if says {
        "mistral takes text or tool calls in a message, not both (up to tokenizer v3): split it"
    } else {
        "mistral wants text or tool calls in an assistant message"
    };
    subject.note(part, "K008", REFUSED, part.head(), message.to_owned());
}

/// K004 and K006 of calls.
fn calls(subject: &mut Subject<'_>, part: &Part<'_>, version: Version, is_last: bool) {
    for call in written(part) {
        let name = call.get("function").and_then(|f| f.get("name"));
        if let Some(name) = name
            && !name.str().is_some_and(|n| is_name(&n))
        {
            subject.note(part, "K004", REFUSED, inside(name), name_fault());
        }
        let id = call.get("id");
        let word = id.and_then(Value::str);
        // The last message may leave the id open.
        let is_open = is_last && word.as_deref().is_none_or(|w| w == "null");
        if version >= Version::V3 && !is_open && !word.is_some_and(|w| is_id(&w)) {
            let span = id.map_or(part.head(), inside);
            subject.note(part, "K006", REFUSED, span, id_fault());
        }
    }
}

/// K004 and K006 of results.
fn result(subject: &mut Subject<'_>, part: &Part<'_>, version: Version) {
    if let Some(name) = part.slot.source.get("name").filter(|n| !n.is_null())
        && !name.str().is_some_and(|n| is_name(&n))
    {
        subject.note(part, "K004", REFUSED, inside(name), name_fault());
    }
    let id = part.slot.source.get("tool_call_id").filter(|id| !id.is_null());
    if version >= Version::V3 && !id.and_then(Value::str).is_some_and(|w| is_id(&w)) {
        let span = id.map_or(part.head(), inside);
        subject.note(part, "K006", REFUSED, span, id_fault());
    }
}

fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&name.len()) && name.chars().all(fine)
}

fn name_fault() -> String {
    "mistral takes names of 1 to 64 letters, digits, `_` and `-`".to_owned()
}

fn is_id(id: &str) -> bool {
    id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric())
}

fn id_fault() -> String {
    "mistral wants an id of 9 letters and digits for a call and its result".to_owned()
}

/// K007: before the assistant speaks again, as many results as calls. The first
/// message is not looked at.
fn counts(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let mut due = 0_isize;
    let message = "mistral wants as many tool results as calls before the next reply";
    for part in parts.iter().skip(1) {
        match part.message.role {
            Role::Tool => due -= 1,
            Role::Assistant => {
                if due != 0 {
                    subject.note(part, "K007", REFUSED, part.head(), message.to_owned());
                    return;
                }
                if part.slot.source.get("tool_calls").is_some_and(|c| !c.is_null()) {
                    due = isize::try_from(written(part).len()).unwrap_or(isize::MAX);
                }
            }
            _ => {}
        }
    }
    if let Some(last) = parts.last().filter(|_| due < 0) {
        subject.note(last, "K007", REFUSED, last.head(), message.to_owned());
    }
}

/// K004, K005 of the tools declared.
fn declared(subject: &mut Subject<'_>) {
    let Some(tools) = subject.root.get("tools").or_else(|| subject.root.get("available_tools"))
    else {
        return;
    };
    for tool in tools.items() {
        let function = tool.get("function").unwrap_or(tool);
        let name = function.get("name");
        if let Some(name) = name.filter(|n| !n.str().is_some_and(|n| is_name(&n))) {
            subject.note_record("K004", REFUSED, inside(name), name_fault());
        }
        let parameters = function.get("parameters");
        let fits = parameters.is_some_and(|p| p.kind() == Kind::Object && is_schema(p));
        if name.is_none() || !fits {
            let span = parameters.or(name).map_or(inside(tool), inside);
            let message = "mistral wants `name` and `parameters` of a tool, these a JSON Schema \
                           object (draft 7)";
            subject.note_record("K005", REFUSED, span, message.to_owned());
        }
    }
}

/// Whether the outline of a draft 7 schema is right: the types, and what holds a
/// schema, a list of names or a list of values is one.
fn is_schema(schema: Value<'_>) -> bool {
    const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
    let mut open = vec![schema];
    let is_type = |v: Value<'_>| v.str().is_some_and(|t| TYPES.contains(&t.as_ref()));
    while let Some(schema) = open.pop() {
        if schema.kind() == Kind::Bool {
            continue;
        }
        if schema.kind() != Kind::Object {
            return false;
        }
        for member in schema.members() {
            let value = member.value;
            let fits = match member.key.decode().as_ref() {
                "type" if value.kind() == Kind::Array => value.items().all(is_type),
                "type" => is_type(value),
                "properties" | "definitions" | "patternProperties" => {
                    open.extend(value.members().map(|m| m.value));
                    value.kind() == Kind::Object
                }
                "items" if value.kind() == Kind::Array => {
                    open.extend(value.items());
                    true
                }
                "items" | "additionalProperties" | "not" => {
                    open.push(value);
                    true
                }
                "anyOf" | "allOf" | "oneOf" => {
                    open.extend(value.items());
                    value.items().next().is_some()
                }
                "required" => {
                    value.kind() == Kind::Array && value.items().all(|v| v.str().is_some())
                }
                "enum" => value.kind() == Kind::Array,
                "description" | "title" | "pattern" | "format" => value.kind() == Kind::String,
                _ => true,
            };
            if !fits {
                return false;
            }
        }
    }
    true
}
