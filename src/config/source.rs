//! One tree for settings, however they are written: TOML with spans, JSON from
//! an editor, text from the environment or the command line.
//!
//! Deliberately absent: which settings exist.

use toml::de::{DeTable, DeValue};

use super::keys::Kind;
use super::layer::SYNTAX;
use crate::finding::{Finding, Severity};
use crate::text::Span;

/// Deeper than any setting; what nests further is refused as a wrong type.
const DEPTH: usize = 8;

/// A value and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) raw: Raw,
}

/// A value as written.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    Text(String),
    Integer(i64),
    Number(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<Field>),
    /// Not set: `null` from an editor.
    Null,
    /// Nothing a setting can be.
    Other(&'static str),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) name_span: Span,
    pub(super) node: Node,
}

impl Node {
    /// The word for messages.
    pub(super) fn what(&self) -> &'static str {
        match &self.raw {
            Raw::Text(_) => "text",
            Raw::Integer(_) => "a whole number",
            Raw::Number(_) => "a number",
            Raw::Bool(_) => "true or false",
            Raw::List(_) => "a list",
            Raw::Table(_) => "a table",
            Raw::Null => "nothing",
            Raw::Other(what) => what,
        }
    }
}

/// Reads TOML as far as it can be read, with a finding for what cannot.
pub(super) fn from_toml(text: &str) -> (Vec<Field>, Vec<Finding>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let finding = |error: &toml::de::Error| {
        let span = error.span().map_or(Span::empty(text.len()), |s| on_chars(text, s.into()));
        Finding::new(SYNTAX, Severity::Error, span, format!("not TOML: {}", error.message()))
    };
    (fields(table.get_ref(), 0), errors.iter().map(finding).collect())
}

/// Reads what an editor sent; anything but an object is no settings.
pub(super) fn from_json(value: &serde_json::Value) -> Vec<Field> {
    match json_node(value, 0).raw {
        Raw::Table(fields) => fields,
        _ => Vec::new(),
    }
}

/// Reads one value that was typed as text, by the kind of its key.
pub(super) fn from_text(kind: Kind, text: &str) -> Node {
    let node = |raw| Node { span: Span::default(), raw };
    let listed = || {
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        node(Raw::List(parts.map(|p| node(Raw::Text(p.to_owned()))).collect()))
    };
    let written =
        || DeValue::parse(text.trim()).ok().map(|v| value(v.get_ref(), Span::default(), 0));
    match kind {
        Kind::Texts | Kind::Globs | Kind::Command if !text.trim_start().starts_with('[') => {
            listed()
        }
        Kind::Integer(..) | Kind::Number(..) | Kind::Bool | Kind::AllOrCount => {
            written().unwrap_or_else(|| node(Raw::Text(text.trim().to_owned())))
        }
        Kind::Texts | Kind::Globs | Kind::Command | Kind::Ignored => {
            written().unwrap_or_else(|| node(Raw::Text(text.to_owned())))
        }
        _ => node(Raw::Text(text.to_owned())),
    }
}

fn fields(table: &DeTable<'_>, depth: usize) -> Vec<Field> {
    let field =
        |(name, node): (&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| {
            let span = Span::from(node.span());
            Field {
                name: name.get_ref().to_string(),
                name_span: Span::from(name.span()),
                node: value(node.get_ref(), span, depth + 1),
            }
        };
    let mut fields: Vec<Field> = table.iter().map(field).collect();
    fields.sort_by_key(|f| f.name_span.start);
    fields
}

fn value(value: &DeValue<'_>, span: Span, depth: usize) -> Node {
    let raw = match value {
        _ if depth > DEPTH => Raw::Other("too deeply nested"),
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number that is too big"), Raw::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Raw::Other("no number"), Raw::Number)
        }
        DeValue::Boolean(flag) => Raw::Bool(*flag),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(items) => Raw::List(
            items.iter().map(|i| self::value(i.get_ref(), i.span().into(), depth + 1)).collect(),
        ),
        DeValue::Table(table) => Raw::Table(fields(table, depth)),
    };
    Node { span, raw }
}

fn json_node(value: &serde_json::Value, depth: usize) -> Node {
    use serde_json::Value;
    let raw = match value {
        _ if depth > DEPTH => Raw::Other("too deeply nested"),
        Value::Null => Raw::Null,
        Value::Bool(flag) => Raw::Bool(*flag),
        Value::Number(number) => number
            .as_i64()
            .map(Raw::Integer)
            .or_else(|| number.as_f64().map(Raw::Number))
            .unwrap_or(Raw::Other("a number that is too big")),
        Value::String(text) => Raw::Text(text.clone()),
        Value::Array(items) => Raw::List(items.iter().map(|i| json_node(i, depth + 1)).collect()),
        Value::Object(map) => {
            let field = |(name, v): (&String, &Value)| Field {
                name: name.clone(),
                name_span: Span::default(),
                node: json_node(v, depth + 1),
            };
            Raw::Table(map.iter().map(field).collect())
        }
    };
    Node { span: Span::default(), raw }
}

/// The span with both ends moved onto character boundaries of `text`.
fn on_chars(text: &str, span: Span) -> Span {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len()));
    Span::new(start, end.max(start))
}
