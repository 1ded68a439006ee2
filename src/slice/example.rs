//! What a slice is as a training example: `{"messages": …}` as the trainer takes it.
//!
//! Invariant: a message that is written as trainers take it (an object with a role
//! and a content) is passed on byte for byte, with every key it has; and what is
//! counted is what is written.

use serde_json::{Map, Value};

use crate::tokens::{RecordCounter, RecordError, RenderInput, RenderMessage};
use crate::transcript::{Exchange, Message, Role, Shape, Transcript, digest};

use super::points;

/// The system message of the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System<'a> {
    /// The record's own; where it has none, this one.
    Record(Option<&'a str>),
    /// This one in place of the record's own.
    Project(&'a str),
}

/// A transcript, ready to be cut.
#[derive(Debug)]
pub struct Sliceable<'a> {
    input: RenderInput<'a>,
    /// Each message of `input` as it is written.
    written: Vec<String>,
    /// After how many of the messages each exchange ends.
    ends: Vec<usize>,
    /// The digest of what each message says; none for the system's.
    digests: Vec<Option<[u8; 32]>>,
    id: &'a str,
}

impl<'a> Sliceable<'a> {
    /// Makes a transcript ready, with its system message in front.
    #[must_use]
    pub fn of(record: &'a str, transcript: &'a Transcript, system: System<'a>) -> Self {
        let mut input = RenderInput::from_transcript(record, transcript);
        let messages = transcript.messages.iter().zip(&mut input.messages);
        let mut written: Vec<String> = messages
            .map(|(message, rendered)| line(record, transcript.shape, message, rendered))
            .collect();
        let digest = |m: &Message| (m.role != Role::System).then(|| digest::message(record, m));
        let mut digests: Vec<_> = transcript.messages.iter().map(digest).collect();
        let own = transcript.messages.iter().take_while(|m| m.role == Role::System).count();
        let (dropped, added) = match system {
            System::Record(text) if own == 0 => (0, text),
            System::Record(_) => (0, None),
            System::Project(text) => (own, Some(text)),
        };
        input.messages.drain(..dropped);
        written.drain(..dropped);
        digests.drain(..dropped);
        if let Some(text) = added {
            input = input.with_system(text);
            written.insert(0, input.messages[0].to_value().to_string());
            digests.insert(0, None);
        }
        let moved = |end: usize| end - dropped + usize::from(added.is_some());
        let ends = ends(transcript).into_iter().map(moved).collect();
        Self { input, written, ends, digests, id: &transcript.id }
    }

    /// The numbers of exchanges its slices have.
    #[must_use]
    pub fn points(&self) -> Vec<usize> {
        points(self.id, self.ends.len())
    }

    /// Tokens of the slice of this many exchanges, as the template renders it.
    ///
    /// # Errors
    /// Where the template does not render it, or a text cannot be counted.
    pub fn tokens(&self, point: usize, counter: &RecordCounter) -> Result<usize, RecordError> {
        counter.record_tokens(&self.input.prefix(self.end(point))).map(|count| count.tokens)
    }

    /// The digest of what a slice says.
    #[must_use]
    pub fn digest(&self, point: usize) -> [u8; 32] {
        digest::of_messages(self.digests[..self.end(point)].iter().flatten().copied()).0
    }

    /// The slice of this many exchanges as a line of JSON, without the line break.
    #[must_use]
    pub fn example(&self, point: usize) -> String {
        let mut line = format!(r#"{{"messages": [{}]"#, self.written[..self.end(point)].join(", "));
        let mut field = |name: &str, value: &Value| {
            line += &format!(r#", "{name}": {value}"#);
        };
        if !self.input.tools.is_null() {
            field("tools", &self.input.tools);
        }
        if !self.input.arguments.is_empty() {
            field("chat_template_kwargs", &Value::Object(self.input.arguments.clone()));
        }
        line.push('}');
        line
    }

    fn end(&self, point: usize) -> usize {
        point.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or(0)
    }
}

/// After how many messages each exchange ends; a last one without a reply is left out.
fn ends(transcript: &Transcript) -> Vec<usize> {
    let replied = |e: &Exchange| transcript.reply_messages(e).next().is_some();
    let count = transcript.exchanges.iter().rposition(replied).map_or(0, |at| at + 1);
    let end = |e: &Exchange| e.user.iter().chain(&e.rest).max().map(|at| at + 1);
    transcript.exchanges[..count].iter().filter_map(end).collect()
}

/// Names of roles that trainers know.
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// A message as JSON: its own bytes when a trainer reads them as they are and they
/// are one line, else what templates are given of it, its role by its usual name.
fn line(record: &str, shape: Shape, message: &Message, rendered: &mut RenderMessage<'_>) -> String {
    let source = message.source.of(record);
    if ROLES.contains(&rendered.role()) {
        if is_as_trainers_take_it(shape, source) {
            return source.to_owned();
        }
    } else if message.role != Role::Unknown {
        rendered.fields.insert("role".to_owned(), message.role.name().into());
    }
    rendered.to_value().to_string()
}

fn is_as_trainers_take_it(shape: Shape, source: &str) -> bool {
    let as_objects = matches!(
        shape,
        Shape::Messages | Shape::PromptCompletion | Shape::Preference | Shape::OpenAiPreference
    );
    let is_message =
        |fields: Map<String, Value>| fields.contains_key("role") && fields.contains_key("content");
    as_objects
        && !source.contains(['\n', '\r'])
        && serde_json::from_str(source).is_ok_and(is_message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::text::json::{DEPTH_LIMIT, parse};
    use crate::tokens::{Counter, Memo, Template};
    use crate::transcript::read;

    /// The slice after `point` exchanges.
    #[track_caller]
    fn check(record: &str, system: System<'_>, point: usize, expected: &str) {
        let transcript = read(record, &parse(record, DEPTH_LIMIT)).transcript.unwrap();
        let sliceable = Sliceable::of(record, &transcript, system);
        let example = sliceable.example(point);
        assert_eq!(example, expected);
        // What is counted is what is written.
        let counter = Counter::from_encoding_name("o200k_base").unwrap();
        let counter =
            RecordCounter::new(counter, Arc::new(Template::OpenAi), Arc::new(Memo::default()));
        let read_again = read(&example, &parse(&example, DEPTH_LIMIT)).transcript.unwrap();
        let counted = counter.counts(&example, &read_again).record.unwrap().tokens;
        assert_eq!(sliceable.tokens(point, &counter).unwrap(), counted);
        assert_eq!(sliceable.digest(point), digest::of(&example, &read_again).0);
    }

    const OWN: &str = r#"{"id": "t", "messages": [{"role": "system", "content": "S\u00e9"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}, {"role": "user", "content": "c"}, {"role": "assistant",  "content": [{"type": "text", "text": "d"}]}, {"role": "user", "content": "e"}]}"#;

    #[test]
    fn messages_are_passed_on_byte_for_byte() {
        check(
            OWN,
            System::Record(Some("P")),
            1,
            r#"{"messages": [{"role": "system", "content": "S\u00e9"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}"#,
        );
        check(
            OWN,
            System::Record(None),
            2,
            r#"{"messages": [{"role": "system", "content": "S\u00e9"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}, {"role": "user", "content": "c"}, {"role": "assistant",  "content": [{"type": "text", "text": "d"}]}]}"#,
        );
    }

    #[test]
    fn the_project_s_system_message_replaces_or_fills_in() {
        check(
            OWN,
            System::Project("P"),
            1,
            r#"{"messages": [{"role":"system","content":"P"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}"#,
        );
        check(
            r#"[["a", "b"], ["c", "d"]]"#,
            System::Record(Some("P")),
            2,
            r#"{"messages": [{"role":"system","content":"P"}, {"role":"user","content":"a"}, {"role":"assistant","content":"b"}, {"role":"user","content":"c"}, {"role":"assistant","content":"d"}]}"#,
        );
    }

    #[test]
    fn other_shapes_and_names_become_messages() {
        check(
            r#"{"conversations": [{"from": "human", "value": "a\n"}, {"from": "gpt", "value": "b"}]}"#,
            System::Record(None),
            1,
            r#"{"messages": [{"role":"user","content":"a\n"}, {"role":"assistant","content":"b"}]}"#,
        );
    }

    #[test]
    fn tools_come_along() {
        check(
            r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "ok"}, {"role": "assistant", "content": "b"}], "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}"#,
            System::Record(None),
            1,
            r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "ok"}, {"role": "assistant", "content": "b"}], "tools": [{"type":"function","function":{"name":"f","parameters":{}}}]}"#,
        );
    }

    #[test]
    fn a_record_over_several_lines_becomes_one_line() {
        let record = "{\"messages\": [{\n\"role\": \"user\",\n\"content\": \"a\"},\n{\"role\": \"assistant\",\n \"content\": \"b\"}]}";
        check(
            record,
            System::Record(None),
            1,
            r#"{"messages": [{"role":"user","content":"a"}, {"role":"assistant","content":"b"}]}"#,
        );
    }
}
