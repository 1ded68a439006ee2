//! YAML with spans: a tree that never fails.
//!
//! [`parse`] answers with a tree for any text, and with [`Problem`]s for what is
//! wrong in it. One mistake costs one problem: the words that broke the syntax
//! are blanked out and the rest is read again.
//!
//! Invariants: spans are bytes of the text that was parsed, on character
//! boundaries; the tree is an arena without recursion, and walking it through
//! [`Node`] ends, since aliases that would make it endless or huge are cut.
//! Deliberately absent: writing whole documents (edits are made on spans), tags, and any
//! typing beyond what [`Node`]'s readers ask for.

mod build;
mod extent;
mod recover;
mod scalar;
pub mod write;

use std::collections::BTreeMap;

use super::span::Span;

/// Levels a document may nest; deeper parts are cut off and reported.
pub const MAX_DEPTH: usize = 64;

/// Bytes a document may have; longer ones are not read and reported.
pub const MAX_BYTES: usize = 8 << 20;

/// Nodes a document may have once every alias is written out.
pub const MAX_EXPANDED: usize = 1 << 18;

/// A parsed document and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Yaml {
    nodes: Vec<NodeData>,
    root: Option<usize>,
    /// What is wrong, by place.
    pub problems: Vec<Problem>,
    /// What was blanked out or cut to read the rest: nothing is known about these bytes.
    pub masked: Vec<Span>,
}

/// Something wrong in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// What is wrong and what to do.
    pub message: String,
}

/// The kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not YAML.
    Syntax,
    /// The same key twice in one mapping; carries the first one's place.
    DuplicateKey(Span),
    /// An alias that contains itself, or that would blow up.
    Alias,
    /// Nested too deep.
    Depth,
    /// More than one document.
    Documents,
    /// Too large to be read.
    Size,
}

#[derive(Clone, Debug, PartialEq)]
struct NodeData {
    span: Span,
    value: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Scalar(String, Style),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
    /// Of an anchored node; `None` when the alias was cut.
    Alias(Option<usize>),
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: numbers and truth values are told from text.
    Plain,
    /// `'…'` or `"…"`.
    Quoted,
    /// `|` or `>`.
    Block,
}

/// What a node is, once aliases are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: an empty value, `~`, `null`, or a cut alias.
    Null,
    /// Text, a number, a truth value.
    Scalar,
    /// A list.
    Sequence,
    /// Keys and values.
    Mapping,
}

/// A place in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    yaml: &'a Yaml,
    /// As written.
    at: usize,
    /// With the alias followed.
    id: usize,
}

/// Reads `text`; never fails.
#[must_use]
pub fn parse(text: &str) -> Yaml {
    recover::parse(text)
}

impl Yaml {
    /// The root of the (first) document; `None` when there is nothing in it.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        self.root.map(|id| self.node(id))
    }

    /// True when something inside `span`, or beside it, was blanked out or cut.
    #[must_use]
    pub fn is_masked(&self, span: Span) -> bool {
        // An empty value stands behind its colon, a blank before what was there.
        let wide = Span::new(span.start.saturating_sub(1), span.end + 1);
        self.masked.iter().any(|m| m.meets(wide))
    }

    fn node(&self, at: usize) -> Node<'_> {
        let mut id = at;
        // An alias names a node that is no alias, so one step is enough.
        if let Value::Alias(Some(target)) = self.nodes[at].value {
            id = target;
        }
        Node { yaml: self, at, id }
    }
}

impl<'a> Node<'a> {
    /// Where it is written; for an alias the place of the alias. Collections run
    /// from their first byte to the last byte of their last item.
    #[must_use]
    pub fn span(self) -> Span {
        self.yaml.nodes[self.at].span
    }

    /// True when it is written as an alias, so that editing it edits something else too.
    #[must_use]
    pub const fn is_alias(self) -> bool {
        self.at != self.id
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.value() {
            Value::Scalar(text, style) => {
                let null = *style == Style::Plain && scalar::is_null(text);
                if null { Kind::Null } else { Kind::Scalar }
            }
            Value::Sequence(_) => Kind::Sequence,
            Value::Mapping(_) => Kind::Mapping,
            Value::Alias(_) => Kind::Null,
        }
    }

    /// The decoded text of a scalar that is not null.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        match self.value() {
            Value::Scalar(text, _) if self.kind() == Kind::Scalar => Some(text),
            _ => None,
        }
    }

    /// How the scalar is written.
    #[must_use]
    pub fn style(self) -> Option<Style> {
        match self.value() {
            Value::Scalar(_, style) => Some(*style),
            _ => None,
        }
    }

    /// The number it says, quoted or not; `.inf` and `.nan` are numbers too.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        self.text().and_then(scalar::number)
    }

    /// The truth value it says: `true`, `false`, and what YAML 1.1 writers put.
    #[must_use]
    pub fn truth(self) -> Option<bool> {
        self.text().and_then(scalar::truth)
    }

    /// The items of a list; none for anything else.
    pub fn items(self) -> impl Iterator<Item = Node<'a>> {
        let items: &[usize] = match self.value() {
            Value::Sequence(items) => items,
            _ => &[],
        };
        items.iter().map(move |&id| self.yaml.node(id))
    }

    /// The keys and values of a mapping as written, duplicates and `<<` included.
    pub fn written_entries(self) -> impl Iterator<Item = (Node<'a>, Node<'a>)> {
        let entries: &[(usize, usize)] = match self.value() {
            Value::Mapping(entries) => entries,
            _ => &[],
        };
        entries.iter().map(move |&(key, value)| (self.yaml.node(key), self.yaml.node(value)))
    }

    /// The keys and values of a mapping: the first of duplicates, and what `<<` merges in.
    #[must_use]
    pub fn entries(self) -> Vec<(Node<'a>, Node<'a>)> {
        let mut seen = BTreeMap::new();
        let mut entries = Vec::new();
        let mut sources = vec![self];
        let mut merges = 0;
        while let Some(source) = sources.pop() {
            for (key, value) in source.written_entries() {
                let name = key.text().unwrap_or("");
                if name == "<<" && key.style() == Some(Style::Plain) {
                    merges += 1;
                    // A merge chain is as long as the user wrote it, and never endless.
                    if merges <= MAX_DEPTH {
                        sources.push(value);
                        sources.extend(value.items());
                    }
                } else if seen.insert(name.to_owned(), ()).is_none() {
                    entries.push((key, value));
                }
            }
        }
        entries
    }

    /// The value of a key.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Node<'a>> {
        self.entries().into_iter().find(|(key, _)| key.text() == Some(name)).map(|(_, v)| v)
    }

    /// True when it is written between brackets or braces.
    #[must_use]
    pub fn is_flow(self, text: &str) -> bool {
        let first = text.as_bytes().get(self.yaml.nodes[self.id].span.start);
        match self.kind() {
            Kind::Sequence => first == Some(&b'['),
            Kind::Mapping => first == Some(&b'{'),
            Kind::Scalar | Kind::Null => false,
        }
    }

    fn value(self) -> &'a Value {
        &self.yaml.nodes[self.id].value
    }
}

#[cfg(test)]
mod tests;
