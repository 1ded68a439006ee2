//! Which shape a record has, and where its messages stand in it.
//!
//! A shape's file turns a record into a [`Draft`]: slots for messages, in order,
//! with nothing decoded but keys and roles. Reading a transcript and checking
//! its structure both start from the draft, so they cannot disagree on it.
//!
//! Invariant: drafting never fails half-way; what is not a message becomes a
//! misfit and the rest is read. Detection follows the keys of a record,
//! those with a value of the right kind first.

mod exchanges;
mod gemini;
mod messages;
mod pairs;
mod preference;
mod prompt_completion;

use crate::text::Span;
use crate::text::json::{Kind, Member, Value};

use super::{Role, Shape};

/// One message as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// The whole message: an object, or a bare string.
    pub source: Value<'a>,
    /// The item of the list that holds it (an exchange holds two messages).
    pub item: Option<Value<'a>>,
    /// Who speaks.
    pub role: Role,
    /// Where the role is written; `None` where the shape implies it, or it is missing.
    pub role_value: Option<Value<'a>>,
    /// True when the shape says who speaks.
    pub implied: bool,
    /// What is said; `None` when the key is missing.
    pub content: Option<Value<'a>>,
    /// It is a role everybody knows and a string, under the two keys that its
    /// shape has for them, and nothing else: most rules have nothing to say.
    pub plain: bool,
}

/// A record taken apart, nothing decoded yet.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// How it is written.
    pub shape: Shape,
    /// Where to point for the conversation as a whole: its key, or its bracket.
    pub anchor: Span,
    /// The list of messages, exchanges or pairs, where there is one.
    pub list: Option<Value<'a>>,
    /// The messages, top-level system text included. In a preference pair: prompt, then chosen.
    pub slots: Vec<Slot<'a>>,
    /// The rejected side of a preference pair, without what it shares with the other.
    pub rejected: Vec<Slot<'a>>,
    /// Items that cannot be messages.
    pub misfits: Vec<Value<'a>>,
}

/// Why a record is no transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// There is no value at all.
    Nothing,
    /// The record is not an object (nor a list of pairs).
    NotObject(Kind),
    /// No key of any shape is there.
    NoMessages,
    /// The key is there, but holds no list.
    NotAList {
        /// The key.
        key: String,
        /// What it holds.
        kind: Kind,
        /// Where.
        span: Span,
    },
    /// The list is empty.
    EmptyList {
        /// Where.
        span: Span,
    },
    /// A known format that holds no conversation.
    Other(&'static str),
}

/// The top-level keys that decide, each with its last value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keys<'a> {
    messages: Option<Member<'a>>,
    conversations: Option<Member<'a>>,
    exchanges: Option<Member<'a>>,
    turns: Option<Member<'a>>,
    contents: Option<Member<'a>>,
    prompt: Option<Member<'a>>,
    completion: Option<Member<'a>>,
    chosen: Option<Member<'a>>,
    rejected: Option<Member<'a>>,
    input: Option<Member<'a>>,
    preferred: Option<Member<'a>>,
    non_preferred: Option<Member<'a>>,
    system: Option<Member<'a>>,
    instruction: Option<Member<'a>>,
    text: Option<Member<'a>>,
}

impl<'a> Keys<'a> {
    fn of(root: Value<'a>) -> Self {
        let mut keys = Self::default();
        for member in root.members() {
            if let Some(place) = keys.place(&member.key.decode()) {
                *place = Some(member);
            }
        }
        keys
    }

    fn place(&mut self, key: &str) -> Option<&mut Option<Member<'a>>> {
        Some(match key {
            "messages" | "interactions" => &mut self.messages,
            "conversations" | "conversation" => &mut self.conversations,
            "exchanges" => &mut self.exchanges,
            "turns" => &mut self.turns,
            "contents" => &mut self.contents,
            "prompt" => &mut self.prompt,
            "completion" => &mut self.completion,
            "chosen" | "chosen_messages" => &mut self.chosen,
            "rejected" | "rejected_messages" => &mut self.rejected,
            "input" => &mut self.input,
            "preferred_output" => &mut self.preferred,
            "non_preferred_output" => &mut self.non_preferred,
            "system" | "system_prompt" | "systemInstruction" | "system_instruction" => {
                &mut self.system
            }
            "instruction" => &mut self.instruction,
            "text" => &mut self.text,
            _ => return None,
        })
    }

    /// The shapes whose key is there, in the order of detection, each with whether
    /// the value is of the right kind.
    fn candidates(&self) -> impl Iterator<Item = (Shape, Member<'a>, bool)> {
        let list = |m: &Member<'_>| m.value.kind() == Kind::Array;
        let said = |m: &Member<'_>| matches!(m.value.kind(), Kind::Array | Kind::String);
        let side = |m: &Member<'_>| said(m) || m.value.kind() == Kind::Object;
        let dpo = self.preferred.or(self.non_preferred).and(self.input);
        let completion = self.prompt.and(self.completion);
        [
            (Shape::Gemini, self.contents, self.contents.as_ref().is_some_and(list)),
            (Shape::Exchanges, self.exchanges, self.exchanges.as_ref().is_some_and(list)),
            (Shape::Turns, self.turns, self.turns.as_ref().is_some_and(list)),
            (Shape::OpenAiPreference, dpo, dpo.is_some_and(|m| m.value.kind() == Kind::Object)),
            (Shape::ShareGpt, self.conversations, self.conversations.as_ref().is_some_and(list)),
            (Shape::Preference, self.chosen, self.chosen.as_ref().is_some_and(side)),
            (Shape::Preference, self.rejected, self.rejected.as_ref().is_some_and(side)),
            (Shape::Messages, self.messages, self.messages.as_ref().is_some_and(list)),
            (Shape::PromptCompletion, completion, completion.as_ref().is_some_and(said)),
        ]
        .into_iter()
        .filter_map(|(shape, member, fits)| member.map(|m| (shape, m, fits)))
    }

    /// The shape, and the key it was known by.
    fn shape(&self) -> Option<(Shape, Member<'a>)> {
        let best = self.candidates().find(|c| c.2).or_else(|| self.candidates().next());
        best.map(|(shape, member, _)| (shape, member))
    }
}

/// Keys that each make a conversation of their own: where two of them hold one,
/// the record has two formats (rule F010). The first is the one that was read.
pub(crate) fn rival_keys<'a>(root: Value<'a>) -> Option<(Member<'a>, Member<'a>)> {
    let keys = Keys::of(root);
    let (_, read) = keys.shape()?;
    let is_chat = |m: &Member<'_>| {
        let first = m.value.items().next();
        first.is_some_and(|v| matches!(v.kind(), Kind::Object | Kind::Array))
    };
    let lists = [keys.contents, keys.exchanges, keys.turns, keys.conversations, keys.messages];
    let text = keys.text.filter(|m| m.value.kind() == Kind::String);
    let lists = lists.into_iter().flatten().filter(is_chat).chain(text);
    let rival = lists.into_iter().find(|m| m.key.quoted != read.key.quoted)?;
    is_chat(&read).then_some((read, rival))
}

/// Takes a record apart.
///
/// # Errors
/// Says why the record is no transcript; the shape is given when a key of it is there.
pub fn draft(root: Value<'_>) -> Result<Draft<'_>, (Option<Shape>, Absence)> {
    match root.kind() {
        Kind::Object => {}
        Kind::Array if pairs::is_pairs(root) => {
            let anchor = Span::new(root.span().start, root.span().start + 1);
            return Ok(pairs::draft(root, anchor));
        }
        kind => return Err((None, Absence::NotObject(kind))),
    }
    let keys = Keys::of(root);
    let Some((shape, member)) = keys.shape() else {
        return Err((None, absent(&keys)));
    };
    let needs_list =
        !matches!(shape, Shape::OpenAiPreference | Shape::Preference | Shape::PromptCompletion);
    if needs_list {
        list_of(&member).map_err(|why| (Some(shape), why))?;
    }
    let mut draft = match shape {
        _ if needs_list && member.value.items().next().is_some_and(|v| v.kind() == Kind::Array) => {
            pairs::draft(member.value, member.key.quoted)
        }
        Shape::Messages | Shape::ShareGpt => messages::draft(shape, member),
        Shape::Exchanges | Shape::Turns | Shape::Pairs => exchanges::draft(shape, member),
        Shape::Gemini => gemini::draft(member),
        Shape::PromptCompletion => prompt_completion::draft(&keys, member),
        Shape::Preference => preference::draft(&keys, member),
        Shape::OpenAiPreference => preference::openai(&keys, member),
    };
    if shape == Shape::ShareGpt && keys.chosen.is_some() {
        preference::add_sides(&keys, &mut draft);
    }
    if let Some(system) = keys.system.and_then(|m| system_slot(m.value)) {
        draft.slots.insert(0, system);
    }
    Ok(draft)
}

fn absent(keys: &Keys<'_>) -> Absence {
    if keys.instruction.is_some() {
        return Absence::Other("an instruction record (`instruction`, `output`)");
    }
    if keys.text.is_some() {
        return Absence::Other("a plain text record (`text`)");
    }
    Absence::NoMessages
}

fn list_of(member: &Member<'_>) -> Result<(), Absence> {
    let span = member.value.span();
    if member.value.kind() != Kind::Array {
        let key = member.key.decode().into_owned();
        return Err(Absence::NotAList { key, kind: member.value.kind(), span });
    }
    if member.value.items().next().is_none() {
        return Err(Absence::EmptyList { span });
    }
    Ok(())
}

/// Text beside the messages that instructs the model (Bedrock, Anthropic, Gemini, …).
fn system_slot(value: Value<'_>) -> Option<Slot<'_>> {
    let says = match value.kind() {
        Kind::String => !value.raw().trim_matches('"').is_empty(),
        Kind::Array | Kind::Object => true,
        _ => false,
    };
    let content = value.get("parts").or_else(|| value.get("content")).unwrap_or(value);
    says.then_some(Slot {
        source: value,
        item: None,
        role: Role::System,
        role_value: None,
        implied: true,
        content: Some(content),
        plain: false,
    })
}

/// The slot of a message object.
pub(crate) fn object_slot(object: Value<'_>) -> Slot<'_> {
    if let Some(slot) = plain_slot(object) {
        return slot;
    }
    let (mut role, mut content) = (Ranked::default(), Ranked::default());
    for member in object.members() {
        match member.key.decode().as_ref() {
            "role" => role.offer(0, member.value),
            "from" => role.offer(1, member.value),
            "content" => content.offer(0, member.value),
            "value" => content.offer(1, member.value),
            "parts" => content.offer(2, member.value),
            "text" => content.offer(3, member.value),
            _ => {}
        }
    }
    let role_value = role.value;
    let named = role_value.and_then(Value::str).map_or(Role::Unknown, |name| Role::named(&name));
    Slot {
        source: object,
        item: Some(object),
        role: named,
        role_value,
        implied: false,
        content: content.value,
        plain: false,
    }
}

/// The slot of `{"role": …, "content": "…"}` or `{"from": …, "value": "…"}`.
fn plain_slot(object: Value<'_>) -> Option<Slot<'_>> {
    let mut members = object.members();
    let (first, second, None) = (members.next()?, members.next()?, members.next()) else {
        return None;
    };
    let (role, content) = match (first.key.raw, second.key.raw) {
        ("role", "content") | ("from", "value") => (first.value, second.value),
        ("content", "role") | ("value", "from") => (second.value, first.value),
        _ => return None,
    };
    let speaker = match role.raw() {
        r#""user""# | r#""human""# => Role::User,
        r#""assistant""# | r#""gpt""# => Role::Assistant,
        r#""system""# => Role::System,
        r#""tool""# => Role::Tool,
        _ => return None,
    };
    (content.kind() == Kind::String).then_some(Slot {
        source: object,
        item: Some(object),
        role: speaker,
        role_value: Some(role),
        implied: false,
        content: Some(content),
        plain: true,
    })
}

/// The best of several values seen in source order; of equals the last, as JSON readers do.
#[derive(Default)]
struct Ranked<'a> {
    rank: u8,
    value: Option<Value<'a>>,
}

impl<'a> Ranked<'a> {
    fn offer(&mut self, rank: u8, value: Value<'a>) {
        if self.value.is_none() || rank <= self.rank {
            *self = Self { rank, value: Some(value) };
        }
    }
}

/// The slot of a value whose speaker is known from its place.
fn implied_slot<'a>(role: Role, value: Value<'a>, item: Option<Value<'a>>) -> Slot<'a> {
    let content = Some(value);
    Slot { source: value, item, role, role_value: None, implied: true, content, plain: false }
}

/// One side of a pair: bare text of `role`, a list of messages, or one message.
fn side<'a>(value: Value<'a>, role: Role, slots: &mut Vec<Slot<'a>>, odd: &mut Vec<Value<'a>>) {
    match value.kind() {
        Kind::String => slots.push(implied_slot(role, value, None)),
        Kind::Object => slots.push(object_slot(value)),
        Kind::Array => messages::fill(value, slots, odd),
        _ => odd.push(value),
    }
}
