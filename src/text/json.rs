//! A JSON value with every span kept, from text that may be broken.
//!
//! [`parse`] never fails: it returns what it could read and the [`Problem`]s it
//! met, in source order. The first problem that makes the text no JSON at all
//! ([`ProblemKind::is_syntax`]) is where `serde_json` stops too; what follows
//! is read on a best guess so that the rest of a record can still be shown.
//!
//! Invariant: without a syntax problem, `serde_json` accepts the text, except
//! for the listed differences: duplicate keys (both accept, we report), lone
//! surrogates (it rejects, we report), numbers outside the range of `f64`
//! (it rejects, we accept).
//!
//! Nodes live in one arena with `u32` links; text is borrowed, never copied.
//! Nesting is bounded, and the parser uses no recursion.

use std::borrow::Cow;
use std::collections::HashSet;

use super::escape::{self, EscapeMap};
use super::span::Span;

/// How deep arrays and objects may nest; `serde_json` has the same bound.
pub const DEPTH_LIMIT: usize = 128;

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
    /// The string is not closed; the span runs from its quote to the end.
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

    /// The boolean, when it is one.
    #[must_use]
    pub fn bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
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
        let source = quoted.of(text);
        let quote = source.chars().next().filter(|c| matches!(c, '"' | '\''));
        let open = usize::from(quote.is_some());
        let close = match quote {
            Some(q) if source.len() > 1 && source.ends_with(q) => 1,
            _ => 0,
        };
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

/// Parses one JSON value out of `text`, at most `depth_limit` levels deep.
///
/// `text` must be shorter than 4 GiB; callers bound records far below that.
#[must_use]
pub fn parse(text: &str, depth_limit: usize) -> Json {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::new(),
        problems: Vec::new(),
        open: Vec::new(),
        depth_limit,
    };
    let root = parser.document();
    let Parser { nodes, mut problems, at, .. } = parser;
    problems.sort_by_key(|p| p.span.start);
    Json { nodes, problems, root, end: at }
}

/// A container that is being read.
struct Open {
    id: u32,
    last: u32,
    is_object: bool,
    keys: Keys,
    /// What may come next.
    want: Want,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// An item or key, or the closing bracket.
    First,
    /// A comma or the closing bracket.
    Separator,
    /// An item or key (a comma was read at this offset).
    Next(u32),
}

/// Keys seen so far: a short list is searched, a long one hashed, so that an
/// object with many keys stays linear.
#[derive(Default)]
struct Keys {
    few: Vec<(u32, u32)>,
    many: HashSet<String>,
}

const FEW_KEYS: usize = 16;

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    problems: Vec<Problem>,
    open: Vec<Open>,
    depth_limit: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> u32 {
        self.skip_space();
        if self.at == self.bytes.len() {
            self.problem(ProblemKind::Empty, 0, self.at);
            return NONE;
        }
        let root = self.value((0, 0));
        while !self.open.is_empty() {
            self.step();
        }
        let end = self.at;
        self.skip_space();
        if self.at < self.bytes.len() {
            self.problem(ProblemKind::ExtraData, self.at, self.bytes.len());
        }
        self.at = end;
        root
    }

    /// Reads one item, member, separator or bracket of the innermost container.
    fn step(&mut self) {
        self.skip_space();
        let Some(top) = self.open.last() else { return };
        let (is_object, want) = (top.is_object, top.want);
        match (self.peek(), want) {
            (None, _) => self.unclosed(),
            (Some(b'}'), _) if is_object => self.close(want),
            (Some(b']'), _) if !is_object => self.close(want),
            (Some(b'}' | b']'), _) => self.mismatched(),
            (Some(b','), Want::Separator) => {
                let comma = self.at as u32;
                self.at += 1;
                self.want(Want::Next(comma));
            }
            (Some(b','), _) => {
                let kind =
                    if is_object { ProblemKind::ExpectedKey } else { ProblemKind::ExpectedValue };
                self.problem(kind, self.at, self.at + 1);
                self.at += 1;
            }
            (Some(_), Want::Separator) => {
                self.problem(ProblemKind::ExpectedComma, self.at, self.at);
                self.want(Want::Next(NONE));
            }
            (Some(_), _) if is_object => self.member(),
            (Some(_), _) => self.item((0, 0)),
        }
    }

    fn want(&mut self, want: Want) {
        if let Some(top) = self.open.last_mut() {
            top.want = want;
        }
    }

    /// Reads a value and hangs it into the innermost container.
    fn item(&mut self, key: (u32, u32)) {
        let depth = self.open.len();
        self.want(Want::Separator);
        let id = self.value(key);
        let Some(parent) = depth.checked_sub(1).and_then(|d| self.open.get_mut(d)) else { return };
        let last = std::mem::replace(&mut parent.last, id);
        let parent_id = parent.id;
        if last == NONE {
            self.nodes[parent_id as usize].child = id;
        } else {
            self.nodes[last as usize].next = id;
        }
    }

    fn member(&mut self) {
        let key = self.key();
        self.skip_space();
        if self.peek() == Some(b':') {
            self.at += 1;
            self.skip_space();
        } else {
            self.problem(ProblemKind::ExpectedColon, self.at, self.at);
        }
        if matches!(self.peek(), None | Some(b',' | b'}')) {
            self.problem(ProblemKind::ExpectedValue, self.at, self.at);
            self.want(Want::Separator);
            return;
        }
        self.item(key);
    }

    fn key(&mut self) -> (u32, u32) {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                self.string();
                self.note_key(start, self.at);
            }
            Some(b'\'') => self.single_quoted(),
            _ => {
                self.word();
                let kind = if self.at > start {
                    ProblemKind::UnquotedKey
                } else {
                    ProblemKind::ExpectedKey
                };
                if self.at == start {
                    self.skip_char();
                }
                self.problem(kind, start, self.at);
            }
        }
        (start as u32, self.at as u32)
    }

    /// Reports the key at `start..end` if this object has it already.
    fn note_key(&mut self, start: usize, end: usize) {
        let text = self.text;
        let decode =
            |s: u32, e: u32| Literal::new(text, Span::new(s as usize, e as usize)).decode();
        let this = (start as u32, end as u32);
        let Some(top) = self.open.last_mut() else { return };
        let key = decode(this.0, this.1);
        let keys = &mut top.keys;
        let seen = if keys.many.is_empty() {
            keys.few.iter().any(|&(s, e)| decode(s, e) == key)
        } else {
            keys.many.contains(key.as_ref())
        };
        if seen {
            self.problem(ProblemKind::DuplicateKey, start, end);
            return;
        }
        if !keys.many.is_empty() {
            keys.many.insert(key.into_owned());
        } else if keys.few.len() < FEW_KEYS {
            keys.few.push(this);
        } else {
            keys.many = keys.few.drain(..).map(|(s, e)| decode(s, e).into_owned()).collect();
            keys.many.insert(key.into_owned());
        }
    }

    /// Reads a value; a container is only opened, and pushed on the stack.
    fn value(&mut self, key: (u32, u32)) -> u32 {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => return self.open_container(Kind::Object, key),
            Some(b'[') => return self.open_container(Kind::Array, key),
            Some(b'"') => {
                self.string();
                Kind::String
            }
            Some(b'\'') => {
                self.single_quoted();
                Kind::String
            }
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number(),
            _ => self.named(),
        };
        self.node(kind, start, key)
    }

    fn node(&mut self, kind: Kind, start: usize, key: (u32, u32)) -> u32 {
        let id = self.nodes.len() as u32;
        let (key_start, key_end) = key;
        let (start, end) = (start as u32, self.at as u32);
        self.nodes.push(Node { start, end, next: NONE, child: NONE, key_start, key_end, kind });
        id
    }

    fn open_container(&mut self, kind: Kind, key: (u32, u32)) -> u32 {
        let start = self.at;
        self.at += 1;
        let id = self.node(kind, start, key);
        if self.open.len() >= self.depth_limit {
            self.problem(ProblemKind::TooDeep, start, start + 1);
            self.nodes[id as usize].kind = Kind::Error;
            // Reading on could cost a node a byte; nothing below is worth showing.
            self.at = self.bytes.len();
            self.nodes[id as usize].end = self.at as u32;
            self.close_all();
            return id;
        }
        let is_object = kind == Kind::Object;
        self.open.push(Open {
            id,
            last: NONE,
            is_object,
            keys: Keys::default(),
            want: Want::First,
        });
        id
    }

    /// Ends every open container here, without a word.
    fn close_all(&mut self) {
        while let Some(top) = self.open.pop() {
            self.nodes[top.id as usize].end = self.at as u32;
        }
    }

    fn close(&mut self, want: Want) {
        if let Want::Next(comma) = want
            && comma != NONE
        {
            self.problem(ProblemKind::TrailingComma, comma as usize, comma as usize + 1);
        }
        self.at += 1;
        if let Some(top) = self.open.pop() {
            self.nodes[top.id as usize].end = self.at as u32;
        }
    }

    /// `}` where `]` was due, or the other way round: if an outer container
    /// fits, the inner one is unclosed; else the bracket is one too many.
    fn mismatched(&mut self) {
        let object = self.peek() == Some(b'}');
        if self.open.iter().any(|o| o.is_object == object) {
            self.unclosed();
        } else {
            self.problem(ProblemKind::StrayBracket, self.at, self.at + 1);
            self.at += 1;
        }
    }

    fn unclosed(&mut self) {
        let Some(top) = self.open.pop() else { return };
        let id = top.id as usize;
        let start = self.nodes[id].start as usize;
        self.nodes[id].end = self.at as u32;
        let already = self.problems.iter().any(|p| p.kind == ProblemKind::UnclosedString);
        if !already {
            self.problem(ProblemKind::UnclosedBracket, start, start + 1);
        }
    }

    /// Reads `"…"`; `at` ends behind the closing quote.
    fn string(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            self.at += plain_run(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(b'\\') => self.escape(),
                Some(_) => {
                    self.problem(ProblemKind::ControlCharacter, self.at, self.at + 1);
                    self.at += 1;
                }
                None => {
                    self.problem(ProblemKind::UnclosedString, start, self.at);
                    return;
                }
            }
        }
    }

    fn escape(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => self.unicode_escape(start),
            Some(_) => {
                self.skip_char();
                self.problem(ProblemKind::BadEscape, start, self.at);
            }
            None => {}
        }
    }

    fn unicode_escape(&mut self, start: usize) {
        self.at += 1;
        let Some(code) = escape::hex4(self.text, self.at) else {
            self.problem(ProblemKind::BadEscape, start, self.at);
            return;
        };
        self.at += 4;
        match code {
            0xd800..0xdc00 => {
                let next = self.text.get(self.at..self.at + 2) == Some("\\u");
                match escape::hex4(self.text, self.at + 2) {
                    Some(0xdc00..0xe000) if next => self.at += 6,
                    _ => self.problem(ProblemKind::LoneSurrogate, start, self.at),
                }
            }
            0xdc00..0xe000 => self.problem(ProblemKind::LoneSurrogate, start, self.at),
            _ => {}
        }
    }

    fn single_quoted(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            match memchr::memchr2(b'\'', b'\\', &self.bytes[self.at..]) {
                Some(found) if self.bytes[self.at + found] == b'\\' => {
                    self.at += found + 1;
                    self.skip_char();
                }
                Some(found) => {
                    self.at += found + 1;
                    break;
                }
                None => {
                    self.at = self.bytes.len();
                    self.problem(ProblemKind::UnclosedString, start, self.at);
                    return;
                }
            }
        }
        self.problem(ProblemKind::SingleQuoted, start, self.at);
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        if matches!(self.peek(), Some(b'-' | b'+')) {
            self.at += 1;
        }
        if self.peek() == Some(b'I') {
            self.word();
            self.problem(ProblemKind::NotFinite, start, self.at);
            return Kind::Number;
        }
        while matches!(self.peek(), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            self.at += 1;
        }
        if !is_number(&self.bytes[start..self.at]) {
            self.problem(ProblemKind::BadNumber, start, self.at);
        }
        Kind::Number
    }

    /// `true`, `false`, `null`, and the words people write instead.
    fn named(&mut self) -> Kind {
        let start = self.at;
        self.word();
        let word = &self.text[start..self.at];
        let (kind, problem) = match word {
            "true" | "false" => return Kind::Bool,
            "null" => return Kind::Null,
            "NaN" | "Infinity" => (Kind::Number, ProblemKind::NotFinite),
            "None" => (Kind::Null, ProblemKind::PythonWord),
            "True" | "False" => (Kind::Bool, ProblemKind::PythonWord),
            _ => (Kind::Error, ProblemKind::ExpectedValue),
        };
        if self.at == start && !matches!(self.peek(), Some(b',' | b']' | b'}')) {
            self.skip_char();
        }
        self.problem(problem, start, self.at);
        kind
    }

    fn word(&mut self) {
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'-'))
        {
            self.at += 1;
        }
    }

    fn skip_char(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }

    fn skip_space(&mut self) {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            if !self.comment() {
                return;
            }
        }
    }

    fn comment(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let len = if rest.starts_with(b"//") || rest.starts_with(b"#") {
            memchr::memchr(b'\n', rest).unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            memchr::memmem::find(rest, b"*/").map_or(rest.len(), |n| n + 2)
        } else {
            return false;
        };
        self.problem(ProblemKind::Comment, self.at, self.at + len);
        self.at += len;
        true
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn problem(&mut self, kind: ProblemKind, start: usize, end: usize) {
        self.problems.push(Problem { kind, span: Span::new(start, end) });
    }
}

/// How many bytes at the front hold no quote, backslash or control character.
fn plain_run(bytes: &[u8]) -> usize {
    const WORD: usize = 8;
    const ONES: u64 = u64::from_ne_bytes([1; WORD]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + WORD).and_then(|c| <[u8; WORD]>::try_from(c).ok()) {
        let word = u64::from_ne_bytes(chunk);
        let quote = zero_in(word ^ u64::from_ne_bytes([b'"'; WORD]));
        let slash = zero_in(word ^ u64::from_ne_bytes([b'\\'; WORD]));
        let control = word.wrapping_sub(u64::from_ne_bytes([0x20; WORD])) & !word & HIGH;
        if quote | slash | control != 0 {
            break;
        }
        at += WORD;
    }
    let stop = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
    at + bytes[at..].iter().position(stop).unwrap_or(bytes.len() - at)
}

/// The grammar of RFC 8259, section 6.
fn is_number(bytes: &[u8]) -> bool {
    fn digits(bytes: &[u8]) -> usize {
        bytes.iter().take_while(|b| b.is_ascii_digit()).count()
    }
    let mut rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', tail @ ..] => tail,
            all => all,
        };
        let len = digits(exponent);
        if len == 0 {
            return false;
        }
        rest = &exponent[len..];
    }
    rest.is_empty()
}
