//! How JSON nests: items, members, separators and brackets, in whatever order
//! they come.

use std::borrow::Cow;
use std::collections::HashSet;

use super::token::has_controls;
use super::{Json, Kind, Literal, NONE, Node, Problem, ProblemKind};
use crate::text::span::Span;

/// Parses one JSON value out of `text`, at most `depth_limit` levels deep.
///
/// `text` must be shorter than 4 GiB; callers bound records far below that.
#[must_use]
pub fn parse(text: &str, depth_limit: usize) -> Json {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        has_controls: has_controls(text.as_bytes()),
        at: 0,
        nodes: Vec::with_capacity(32),
        problems: Vec::new(),
        open: Vec::new(),
        keys: Vec::new(),
        depth_limit,
        unclosed_string: false,
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
    /// Where its keys start in the parser's.
    first_key: usize,
    /// Its keys once there are many: a short list is searched, a long one hashed,
    /// so that an object with many keys stays linear.
    many_keys: HashSet<String>,
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

/// A key literal: where it stands, quotes included, and whether it holds an escape.
#[derive(Clone, Copy)]
struct Key {
    start: u32,
    end: u32,
    is_escaped: bool,
}

const FEW_KEYS: usize = 16;

pub(super) struct Parser<'t> {
    pub text: &'t str,
    pub bytes: &'t [u8],
    /// There is a byte below 0x20 somewhere.
    pub has_controls: bool,
    pub at: usize,
    nodes: Vec<Node>,
    pub problems: Vec<Problem>,
    open: Vec<Open>,
    /// The keys so far of all open objects, of the innermost one last.
    keys: Vec<Key>,
    depth_limit: usize,
    pub unclosed_string: bool,
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
        let Some(top) = self.open.last_mut() else { return };
        let is_escaped = memchr::memchr(b'\\', &self.bytes[start..end]).is_some();
        let this = Key { start: start as u32, end: end as u32, is_escaped };
        let text = self.text;
        let few = &self.keys[top.first_key..];
        let is_new = if !top.many_keys.is_empty() {
            top.many_keys.insert(this.decode(text).into_owned())
        } else if few.iter().any(|key| key.is_same(this, text)) {
            false
        } else {
            if few.len() == FEW_KEYS {
                top.many_keys = few.iter().map(|key| key.decode(text).into_owned()).collect();
                top.many_keys.insert(this.decode(text).into_owned());
            } else {
                self.keys.push(this);
            }
            true
        };
        if !is_new {
            self.problem(ProblemKind::DuplicateKey, start, end);
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
            first_key: self.keys.len(),
            many_keys: HashSet::new(),
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
        if let Some(top) = self.pop() {
            self.nodes[top.id as usize].end = self.at as u32;
        }
    }

    fn pop(&mut self) -> Option<Open> {
        let top = self.open.pop()?;
        self.keys.truncate(top.first_key);
        Some(top)
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
        let Some(top) = self.pop() else { return };
        let id = top.id as usize;
        let start = self.nodes[id].start as usize;
        self.nodes[id].end = self.at as u32;
        // An unclosed string took the brackets that would have closed this.
        if !self.unclosed_string {
            self.problem(ProblemKind::UnclosedBracket, start, start + 1);
        }
    }
}

impl Key {
    fn decode(self, text: &str) -> Cow<'_, str> {
        Literal::new(text, Span::new(self.start as usize, self.end as usize)).decode()
    }

    fn is_same(self, other: Self, text: &str) -> bool {
        if self.is_escaped || other.is_escaped {
            return self.decode(text) == other.decode(text);
        }
        let raw = |key: Self| &text.as_bytes()[key.start as usize..key.end as usize];
        raw(self) == raw(other)
    }
}
