//! A JSON value with every span kept, from text that may be broken.
//!
//! [`parse`] never fails: it returns what it could read and the [`Problem`]s it
//! met, in source order. The first problem that makes the text no JSON at all
//! ([`ProblemKind::is_syntax`]) is where `serde_json` stops too; what follows
//! is read on a best guess so that the rest of a record can still be shown.
//!
//! Invariant: without a syntax problem, `serde_json` accepts the text, except
//! for the listed differences: duplicate keys (both accept, we report), lone
//! surrogates and raw control characters (it rejects, we report), numbers
//! outside the range of `f64` (it rejects, we accept).
//!
//! Nodes live in one arena with `u32` links; text is borrowed, never copied.
//! Nesting is bounded, and the parser uses no recursion.

use std::borrow::Cow;

use super::escape::{self, EscapeMap};
use super::span::Span;

/// How deep arrays and objects may nest; `serde_json` stops one level earlier.
pub const DEPTH_LIMIT: usize = 128;

mod parser;
mod token;

pub use parser::parse;

/// No node.
const NONE: u32 = u32::MAX;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
    /// Something unreadable; its span says where.
    Error,
}

impl Kind {
    /// The word for messages: "an object", "a string", …
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "a list",
            Self::Object => "an object",
            Self::Error => "unreadable",
        }
    }
}

/// One thing wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// Where: the offending bytes (empty at the place where something is missing).
    pub span: Span,
}

/// What can be wrong. The variants a fix exists for carry what the fix needs in their span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Nothing but white space.
    Empty,
    /// A value was expected here.
    ExpectedValue,
    /// A key in double quotes was expected here.
    ExpectedKey,
    /// `:` is missing.
    ExpectedColon,
    /// `,` or the closing bracket is missing.
    ExpectedComma,
    /// A comma before a closing bracket; the span is the comma.
    TrailingComma,
    /// `'…'` in place of `"…"`; the span is the whole literal.
    SingleQuoted,
    /// A key without quotes.
    UnquotedKey,
    /// `NaN`, `Infinity`, `-Infinity`.
    NotFinite,
    /// `None`, `True`, `False`: Python's words.
    PythonWord,
    /// `//`, `/* */` or `#`.
    Comment,
    /// Not a JSON number (`01`, `1.`, `.5`, `+1`).
    BadNumber,
    /// A backslash followed by nothing JSON knows.
    BadEscape,
    /// The string is not closed; the span runs from its quote to the end of the
    /// text, or of its line where the next line plainly goes on with the JSON.
    UnclosedString,
    /// The list or object is not closed; the span is its opening bracket.
    UnclosedBracket,
    /// A bracket that closes nothing.
    StrayBracket,
    /// Nested deeper than the limit.
    TooDeep,
    /// Text after the value.
    ExtraData,
    /// The key was there before in this object; the span is the later key with quotes.
    DuplicateKey,
    /// Half of a surrogate pair; the span is the escape.
    LoneSurrogate,
    /// A raw control character inside a string.
    ControlCharacter,
}

impl ProblemKind {
    /// True when the text is no JSON because of it.
    #[must_use]
    pub const fn is_syntax(self) -> bool {
        !matches!(self, Self::DuplicateKey | Self::LoneSurrogate | Self::ControlCharacter)
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// The next value of the same list, or the next member's value.
    next: u32,
    /// First item, or first member's value.
    child: u32,
    /// The key literal of a member's value: its span, quotes included.
    key_start: u32,
    key_end: u32,
    kind: Kind,
}

/// A parsed text.
#[derive(Clone, Debug)]
pub struct Json {
    nodes: Vec<Node>,
    problems: Vec<Problem>,
    root: u32,
    end: usize,
}

impl Json {
    /// The problems, in source order.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The first problem that makes the text no JSON.
    #[must_use]
    pub fn syntax_problem(&self) -> Option<&Problem> {
        self.problems.iter().find(|p| p.kind.is_syntax())
    }

    /// Where the first value ended; what follows is extra data.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.end
    }

    /// The value, with the text it was parsed from.
    #[must_use]
    pub fn root<'a>(&'a self, text: &'a str) -> Option<Value<'a>> {
        Value::at(self, text, self.root)
    }
}

/// One value of a parsed text.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    json: &'a Json,
    text: &'a str,
    id: u32,
}

impl<'a> Value<'a> {
    fn at(json: &'a Json, text: &'a str, id: u32) -> Option<Self> {
        (id != NONE).then_some(Self { json, text, id })
    }

    fn node(self) -> Node {
        self.json.nodes[self.id as usize]
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its source range, quotes and brackets included.
    #[must_use]
    pub fn span(self) -> Span {
        let node = self.node();
        Span::new(node.start as usize, node.end as usize)
    }

    /// Its source text.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.span().of(self.text)
    }

    /// The value of the *last* member with this key, as `serde_json` and Python read it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.member(key).map(|m| m.value)
    }

    /// The last member with this key.
    #[must_use]
    pub fn member(self, key: &str) -> Option<Member<'a>> {
        self.members().filter(|m| m.key.decode() == key).last()
    }

    /// The members of an object, in source order; none for anything else.
    pub fn members(self) -> impl Iterator<Item = Member<'a>> + Clone {
        let first = if self.kind() == Kind::Object { self.node().child } else { NONE };
        self.chain(first).map(|value| {
            let node = value.node();
            let quoted = Span::new(node.key_start as usize, node.key_end as usize);
            Member { key: Literal::new(value.text, quoted), value }
        })
    }

    /// The items of a list, in order; none for anything else.
    pub fn items(self) -> impl Iterator<Item = Value<'a>> + Clone {
        let first = if self.kind() == Kind::Array { self.node().child } else { NONE };
        self.chain(first)
    }

    fn chain(self, first: u32) -> impl Iterator<Item = Value<'a>> + Clone {
        std::iter::successors(Self::at(self.json, self.text, first), |v| {
            Self::at(v.json, v.text, v.node().next)
        })
    }

    /// The string literal, when it is a string.
    #[must_use]
    pub fn literal(self) -> Option<Literal<'a>> {
        (self.kind() == Kind::String).then(|| Literal::new(self.text, self.span()))
    }

    /// The decoded string, when it is a string.
    #[must_use]
    pub fn str(self) -> Option<Cow<'a, str>> {
        self.literal().map(Literal::decode)
    }

    /// The boolean, when it is one (Python's words included).
    #[must_use]
    pub fn bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw().eq_ignore_ascii_case("true"))
    }

    /// The number, when it is one.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        if self.kind() == Kind::Number { self.raw().parse().ok() } else { None }
    }

    /// The integer, when it is written as one.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        if self.kind() == Kind::Number { self.raw().parse().ok() } else { None }
    }

    /// True for `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The key.
    pub key: Literal<'a>,
    /// The value.
    pub value: Value<'a>,
}

impl Member<'_> {
    /// From the key's quote to the end of the value.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(self.key.quoted.start, self.value.span().end.max(self.key.quoted.end))
    }
}

/// A string literal: where it stands and what is written there.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a> {
    /// What is between the quotes, as written.
    pub raw: &'a str,
    /// The source range with the quotes.
    pub quoted: Span,
    /// The source range between the quotes; [`EscapeMap`] offsets count from its start.
    pub inner: Span,
}

impl<'a> Literal<'a> {
    fn new(text: &'a str, quoted: Span) -> Self {
        let source = &text.as_bytes()[quoted.start..quoted.end];
        let quote = source.first().filter(|b| matches!(b, b'"' | b'\''));
        let open = usize::from(quote.is_some());
        let is_closed = quote.is_some() && source.len() > 1 && source.last() == quote;
        let close = usize::from(is_closed && !ends_escaped(source));
        let inner = Span::new(quoted.start + open, quoted.end - close);
        Self { raw: inner.of(text), quoted, inner }
    }

    /// The decoded text.
    #[must_use]
    pub fn decode(self) -> Cow<'a, str> {
        escape::decode(self.raw)
    }

    /// The map between decoded and source offsets.
    #[must_use]
    pub fn map(self) -> EscapeMap<'a> {
        EscapeMap::new(self.raw)
    }
}

/// True when an odd run of backslashes stands before the last character: the
/// quote there is text, and the string is not closed.
fn ends_escaped(source: &[u8]) -> bool {
    let before = &source[..source.len() - 1];
    before.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests;
