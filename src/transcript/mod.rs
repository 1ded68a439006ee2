//! What a conversation is, whatever shape it is written in.
//!
//! A [`Transcript`] is read from one record (one line of a `.jsonl`, one item or
//! the whole of a `.json`). All spans in it count from the first byte of that
//! record, so a record that moves keeps its transcript.
//!
//! Invariant: for every message and every decoded range of its `text`,
//! [`Message::source_of`] names the bytes of the record that say exactly that.

mod array;
pub mod digest;
pub mod exchange;
pub mod facts;
pub(crate) mod likeness;
pub(crate) mod message;
pub mod read;
mod recent;
pub mod records;
pub mod role;
pub mod shape;
mod slot;
pub mod words;

pub use digest::TranscriptDigest;
pub use read::{Reading, read};

use crate::text::Span;
use crate::text::escape::{self, EscapeMap};

/// Who speaks. Every shape's own names (`human`, `gpt`, `model`, …) are mapped to these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Instructions.
    System,
    /// The person, or the user simulator.
    User,
    /// The model whose replies are assessed.
    Assistant,
    /// A tool's result.
    Tool,
    /// A role no shape knows; structure rule M003 reports it.
    Unknown,
}

impl Role {
    /// The name used in prompts, digests and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Unknown => "unknown",
        }
    }
}

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `{messages: [{role, content}]}`: OpenAI, TRL.
    Messages,
    /// `{conversations: [{from, value}]}` and variants.
    ShareGpt,
    /// `{exchanges: [{user, assistant}]}`
    Exchanges,
    /// `{turns: [{user, assistant}]}`
    Turns,
    /// `[[user, assistant], …]`
    Pairs,
    /// `{contents: [{role, parts}]}`
    Gemini,
    /// `{prompt, completion}`
    PromptCompletion,
    /// `{prompt?, chosen, rejected}`
    Preference,
    /// `{input: {messages}, preferred_output, non_preferred_output}`
    OpenAiPreference,
}

impl Shape {
    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::ShareGpt => "conversations",
            Self::Exchanges => "exchanges",
            Self::Turns => "turns",
            Self::Pairs => "pairs",
            Self::Gemini => "contents",
            Self::PromptCompletion => "prompt and completion",
            Self::Preference => "preference pair",
            Self::OpenAiPreference => "preference pair of OpenAI",
        }
    }
}

/// One string literal that holds (a part of) a message's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPart {
    /// The literal without its quotes, in the record.
    pub source: Span,
    /// What it decodes to, in [`Message::text`].
    pub decoded: Span,
}

/// A call the assistant made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The call's id, when it has one.
    pub id: Option<String>,
    /// The tool's name.
    pub name: String,
    /// The arguments: the decoded string, or the raw JSON when written as an object.
    pub arguments: String,
    /// The whole call in the record.
    pub source: Span,
}

/// One role's text.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Where the role is written (with quotes); `None` where the shape implies it.
    pub role_source: Option<Span>,
    /// The whole message: its object, or its string literal with quotes.
    pub source: Span,
    /// The decoded text; several text parts are joined by a line break.
    pub text: String,
    /// Where the text stands.
    pub parts: Vec<TextPart>,
    /// Raw JSON of every part that is not text (images, files), in order.
    pub other_parts: Vec<Span>,
    /// Calls made by this message.
    pub tool_calls: Vec<ToolCall>,
    /// The id of the call this message answers (role `tool`).
    pub tool_call_id: Option<String>,
    /// Not trained on (`weight: 0`, `train: false`).
    pub untrained: bool,
    /// A key for memos of anything computed from role, text and calls alone.
    pub key: u128,
}

impl Message {
    /// The bytes of `record` that say the decoded range `decoded` of this message.
    /// A range over several parts runs from the first to the last; a message
    /// without text answers with its whole source.
    #[must_use]
    pub fn source_of(&self, record: &str, decoded: Span) -> Span {
        self.placed(decoded, |part, at| escape::source_at(self.parts[part].source.of(record), at))
    }

    /// The same for many ranges: the text is scanned once.
    pub fn sources<'a>(&'a self, record: &'a str) -> impl Fn(Span) -> Span + 'a {
        let map = |part: &'a TextPart| EscapeMap::new(part.source.of(record));
        let maps: Vec<EscapeMap<'a>> = self.parts.iter().map(map).collect();
        move |decoded| self.placed(decoded, |part, at| maps[part].source_at(at))
    }

    /// `source_at` tells where a decoded offset of a part is written in the part.
    fn placed(&self, decoded: Span, source_at: impl Fn(usize, usize) -> usize) -> Span {
        let find = |at: usize, last: bool| {
            let hit = |p: &TextPart| p.decoded.touches(at);
            if last { self.parts.iter().rposition(hit) } else { self.parts.iter().position(hit) }
        };
        let place = |part: usize, at: usize| {
            let TextPart { source, decoded } = &self.parts[part];
            source.start + source_at(part, at - decoded.start)
        };
        let from_last = !decoded.is_empty();
        match (find(decoded.start, from_last), find(decoded.end, false)) {
            (Some(first), Some(last)) => {
                let start = place(first, decoded.start);
                Span::new(start, place(last, decoded.end).max(start))
            }
            _ => self.text_source(),
        }
    }

    /// The message's text as one source range: its literals, without the quotes.
    #[must_use]
    pub fn text_source(&self) -> Span {
        match (self.parts.first(), self.parts.last()) {
            (Some(first), Some(last)) => Span::new(first.source.start, last.source.end),
            _ => self.source,
        }
    }
}

/// A conversation, read from one record.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// How it is written.
    pub shape: Shape,
    /// `id`, `conversation_id` or `transcript_id`; else `t-` and 12 hex digits of the digest.
    pub id: String,
    /// Where the id is written (the literal with quotes); `None` when it is derived.
    pub id_source: Option<Span>,
    /// The record's own `batch`, when it has one.
    pub batch: Option<String>,
    /// The messages in order. In a preference pair: prompt, then chosen.
    pub messages: Vec<Message>,
    /// The rejected side of a preference pair.
    pub rejected: Vec<Message>,
    /// The exchanges, numbered from 1 by position.
    pub exchanges: Vec<Exchange>,
}

/// A run of user messages and everything up to the next user message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// From 1.
    pub number: u32,
    /// Indices of its user messages.
    pub user: Vec<usize>,
    /// Indices of the later messages, tools included.
    pub rest: Vec<usize>,
}

impl Transcript {
    /// The user's text of an exchange: its user messages joined by a blank line.
    #[must_use]
    pub fn user_text(&self, exchange: &Exchange) -> String {
        self.joined(exchange.user.iter().copied())
    }

    /// The reply of an exchange: its assistant texts joined by a blank line.
    #[must_use]
    pub fn reply(&self, exchange: &Exchange) -> String {
        self.joined(self.reply_messages(exchange))
    }

    /// Indices of the assistant messages of an exchange.
    pub fn reply_messages<'a>(
        &'a self,
        exchange: &'a Exchange,
    ) -> impl Iterator<Item = usize> + 'a {
        let is_reply = |&i: &usize| self.messages[i].role == Role::Assistant;
        exchange.rest.iter().copied().filter(is_reply)
    }

    /// The number of the exchange that holds message `index`.
    #[must_use]
    pub fn exchange_of(&self, index: usize) -> Option<u32> {
        let after = self.exchanges.partition_point(|e| e.user.first().is_some_and(|&u| u <= index));
        let exchange = &self.exchanges[after.checked_sub(1)?];
        let holds = |indices: &[usize]| indices.binary_search(&index).is_ok();
        (holds(&exchange.user) || holds(&exchange.rest)).then_some(exchange.number)
    }

    /// Exchanges that have a reply: the number a rubric's `min_exchanges` is about.
    #[must_use]
    pub fn complete_exchanges(&self) -> usize {
        self.exchanges.iter().filter(|e| self.reply_messages(e).next().is_some()).count()
    }

    fn joined(&self, messages: impl Iterator<Item = usize>) -> String {
        let texts: Vec<&str> =
            messages.map(|i| self.messages[i].text.as_str()).filter(|t| !t.is_empty()).collect();
        texts.join("\n\n")
    }
}

#[cfg(test)]
mod oracle_tests;
