//! Parser events → the arena: one pass, an explicit stack, no recursion.
//!
//! Invariant: whatever was read before an error is a well-formed tree.
//! The parser counts characters; bytes are worked out once a text.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks};

use super::extent;
use super::{MAX_DEPTH, MAX_EXPANDED, NodeData, Problem, ProblemKind, Style, Value, Yaml};
use crate::text::Span;

/// What one reading of a text gave.
pub(super) struct Reading {
    /// The tree, as far as it goes; problems are those of the tree, not of the syntax.
    pub(super) yaml: Yaml,
    /// What stopped it.
    pub(super) stopped: Option<Stop>,
}

/// A syntax error.
pub(super) struct Stop {
    /// The byte it was noticed at.
    pub(super) at: usize,
    /// Start of the last thing read before it.
    pub(super) before: usize,
    /// Start of the outermost bracket that was open.
    pub(super) bracket: Option<usize>,
    /// What the parser says.
    pub(super) message: String,
}

/// Reads `text` up to its end or its first syntax error.
pub(super) fn read(text: &str) -> Reading {
    let mut builder = Builder::new(text);
    let mut before = 0;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, marks)) => {
                let span = builder.span(marks);
                if !matches!(event, Event::SequenceEnd | Event::MappingEnd | Event::DocumentEnd) {
                    before = span.start;
                }
                if !builder.take(event, span) {
                    break;
                }
            }
            Err(error) => {
                let stop = builder.stop(&error, before);
                return Reading { yaml: builder.finish(), stopped: Some(stop) };
            }
        }
    }
    Reading { yaml: builder.finish(), stopped: None }
}

/// A collection that is not finished.
struct Open {
    id: usize,
    /// Nodes so far, aliases written out.
    expanded: usize,
    /// The key that waits for its value.
    key: Option<usize>,
    keys: HashMap<String, usize>,
    anchor: usize,
}

struct Builder<'a> {
    text: &'a str,
    /// Byte of each character; `None` when they are the same.
    bytes: Option<Vec<usize>>,
    yaml: Yaml,
    open: Vec<Open>,
    /// Collections skipped because they are too deep.
    skipped: usize,
    /// Anchor → (node, its size); without a node while it is open.
    anchors: HashMap<usize, (Option<usize>, usize)>,
    documents: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let chars = || text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let bytes = if text.is_ascii() { None } else { Some(chars()) };
        Self {
            text,
            bytes,
            yaml: Yaml::default(),
            open: Vec::new(),
            skipped: 0,
            anchors: HashMap::new(),
            documents: 0,
        }
    }

    fn byte(&self, char: usize) -> usize {
        let at = match &self.bytes {
            Some(bytes) => bytes.get(char).copied().unwrap_or(self.text.len()),
            None => char,
        };
        at.min(self.text.len())
    }

    fn span(&self, marks: Marks) -> Span {
        let start = self.byte(marks.start.index());
        Span::new(start, self.byte(marks.end.index()).max(start))
    }

    fn stop(&self, error: &ScanError, before: usize) -> Stop {
        let at = self.byte(error.marker().index());
        let mut open = self.open.iter().map(|open| self.yaml.nodes[open.id].span.start);
        let bracket = open.find(|&start| self.is_bracket(start));
        Stop { at, before, bracket, message: error.info().to_owned() }
    }

    /// Takes one event; false when the rest is of no interest.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::DocumentStart(_) => return self.begin_document(span),
            Event::Scalar(text, style, anchor, _) => {
                let span = self.scalar_span(span, style);
                let value = Value::Scalar(text.into_owned(), style_of(style));
                self.leaf(span, value, 1, anchor);
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(anchor, _) => {
                self.begin(Value::Sequence(Vec::new()), anchor, span)
            }
            Event::MappingStart(anchor, _) => self.begin(Value::Mapping(Vec::new()), anchor, span),
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => {}
        }
        true
    }

    fn begin_document(&mut self, span: Span) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            let line = first_line(self.text, span.start);
            self.problem(
                ProblemKind::Documents,
                line,
                "only the first document of the file is read: remove `---` and what follows, \
                 or move it to a file of its own"
                    .into(),
            );
        }
        self.documents == 1
    }

    /// Where a node's own text starts, behind its anchor and tag.
    fn behind_properties(&self, mut at: usize) -> usize {
        loop {
            let rest = self.text.get(at..).unwrap_or("");
            if !rest.starts_with(['&', '!']) {
                return at;
            }
            let name = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let blanks = rest[name..].len() - rest[name..].trim_start().len();
            at += name + blanks;
        }
    }

    fn is_bracket(&self, at: usize) -> bool {
        matches!(self.text.as_bytes().get(at), Some(b'[' | b'{'))
    }

    /// The parser's spans reach to the next token, over comments: find the true end.
    fn scalar_span(&self, span: Span, style: ScalarStyle) -> Span {
        let start = self.behind_properties(span.start).min(span.end);
        let words = Span::new(start, span.end).of(self.text);
        let len = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => extent::block(words),
            ScalarStyle::Plain => extent::plain(words),
            ScalarStyle::SingleQuoted => extent::quoted(words, '\'', None),
            ScalarStyle::DoubleQuoted => extent::quoted(words, '"', Some('\\')),
        };
        Span::new(start, start + len)
    }

    fn leaf(&mut self, span: Span, value: Value, expanded: usize, anchor: usize) {
        if self.skipped > 0 {
            return;
        }
        let id = self.push(span, value);
        if anchor != 0 {
            self.anchors.insert(anchor, (Some(id), expanded));
        }
        self.attach(id, expanded);
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let total: usize = self.open.iter().map(|o| o.expanded).sum();
        let (target, expanded) = match self.anchors.get(&anchor).copied() {
            Some((Some(id), size)) if total.saturating_add(size) <= MAX_EXPANDED => {
                (Some(id), size)
            }
            Some((Some(_), _)) => {
                let message = format!(
                    "this alias makes the document larger than {MAX_EXPANDED} values: write out \
                     what is needed"
                );
                self.problem(ProblemKind::Alias, span, message);
                (None, 1)
            }
            Some((None, _)) => {
                let message = "this alias stands inside what it names, so it never ends: write \
                               out what is meant";
                self.problem(ProblemKind::Alias, span, message.into());
                (None, 1)
            }
            // Its anchor was too deep to be kept: said there.
            None => (None, 1),
        };
        self.leaf(span, Value::Alias(target), expanded, 0);
    }

    fn begin(&mut self, value: Value, anchor: usize, span: Span) {
        if self.skipped > 0 || self.open.len() >= MAX_DEPTH {
            if self.skipped == 0 {
                let message = format!("nested deeper than {MAX_DEPTH} levels: flatten this");
                self.problem(ProblemKind::Depth, first_line(self.text, span.start), message);
            }
            self.skipped += 1;
            return;
        }
        let start = self.behind_properties(span.start);
        let id = self.push(Span::new(start, span.end.max(start)), value);
        if anchor != 0 {
            self.anchors.insert(anchor, (None, 0));
        }
        self.open.push(Open { id, expanded: 1, key: None, keys: HashMap::new(), anchor });
    }

    fn end(&mut self, span: Span) {
        if self.skipped > 0 {
            self.skipped -= 1;
            if self.skipped == 0 {
                // Something must stand where the cut part stood, or keys lose their values.
                self.leaf(Span::empty(span.start), Value::Alias(None), 1, 0);
            }
            return;
        }
        let Some(open) = self.open.pop() else { return };
        self.close(&open, Some(span));
        if open.anchor != 0 {
            self.anchors.insert(open.anchor, (Some(open.id), open.expanded));
        }
        self.attach(open.id, open.expanded);
    }

    /// Gives a collection its final span.
    fn close(&mut self, open: &Open, end: Option<Span>) {
        let children = match &self.yaml.nodes[open.id].value {
            Value::Sequence(items) => items.first().copied().zip(items.last().copied()),
            Value::Mapping(entries) => {
                entries.first().map(|e| e.0).zip(entries.last().map(|e| e.1))
            }
            _ => None,
        };
        let start = self.yaml.nodes[open.id].span.start;
        // A list of `{…}` that is not indented starts, for the parser, behind its dash.
        let bracket = match &self.yaml.nodes[open.id].value {
            Value::Sequence(_) => b'[',
            _ => b'{',
        };
        let flow = self.text.as_bytes().get(start) == Some(&bracket);
        let span = match (flow, end, children) {
            (true, Some(end), _) => Span::new(start, end.end.max(start)),
            (_, _, Some((first, last))) => {
                let (first, last) = (self.yaml.nodes[first].span, self.yaml.nodes[last].span);
                let start = if flow { start } else { start.min(first.start) };
                Span::new(start, last.end.max(start))
            }
            (_, _, None) => Span::empty(start),
        };
        self.yaml.nodes[open.id].span = span;
    }

    fn push(&mut self, span: Span, value: Value) -> usize {
        self.yaml.nodes.push(NodeData { span, value });
        self.yaml.nodes.len() - 1
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, id: usize, expanded: usize) {
        let Some(open) = self.open.last_mut() else {
            self.yaml.root.get_or_insert(id);
            return;
        };
        open.expanded = open.expanded.saturating_add(expanded);
        match &mut self.yaml.nodes[open.id].value {
            Value::Sequence(items) => items.push(id),
            Value::Mapping(entries) => match open.key.take() {
                Some(key) => {
                    entries.push((key, id));
                    self.place_nothing(key, id);
                }
                None => {
                    open.key = Some(id);
                    self.note_key(id);
                }
            },
            _ => {}
        }
    }

    /// The parser puts an empty value at the next token: it belongs behind its colon.
    fn place_nothing(&mut self, key: usize, value: usize) {
        let end = self.yaml.nodes[key].span.end;
        let node = &mut self.yaml.nodes[value];
        if node.span.is_empty() {
            let rest = &self.text[end..];
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            let colon = rest[blanks..].starts_with(':');
            node.span = Span::empty(if colon { end + blanks + 1 } else { end });
        }
    }

    fn note_key(&mut self, id: usize) {
        let Value::Scalar(name, _) = &self.yaml.nodes[id].value else { return };
        if name == "<<" {
            return;
        }
        let name = name.clone();
        let Some(open) = self.open.last_mut() else { return };
        let first = *open.keys.entry(name.clone()).or_insert(id);
        if first != id {
            let (first, span) = (self.yaml.nodes[first].span, self.yaml.nodes[id].span);
            let message = format!("`{name}` is already here: remove or rename one of the two");
            self.problem(ProblemKind::DuplicateKey(first), span, message);
        }
    }

    fn problem(&mut self, kind: ProblemKind, span: Span, message: String) {
        if matches!(kind, ProblemKind::Alias | ProblemKind::Depth) {
            self.yaml.masked.push(span);
        }
        self.yaml.problems.push(Problem { kind, span, message });
    }

    /// Closes what an error left open.
    fn finish(mut self) -> Yaml {
        while let Some(mut open) = self.open.pop() {
            if let Some(key) = open.key.take() {
                let at = self.yaml.nodes[key].span.end;
                let nothing = self.push(Span::empty(at), Value::Alias(None));
                if let Value::Mapping(entries) = &mut self.yaml.nodes[open.id].value {
                    entries.push((key, nothing));
                }
            }
            self.close(&open, None);
            self.attach(open.id, open.expanded);
        }
        self.yaml
    }
}

const fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

/// From `at` to the end of its line.
fn first_line(text: &str, at: usize) -> Span {
    let rest = text.get(at..).unwrap_or("");
    let line = rest.lines().next().unwrap_or("");
    Span::new(at, at + line.trim_end().len())
}
