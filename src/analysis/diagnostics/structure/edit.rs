//! The fewest bytes that change a JSON list or object, in its own spacing.
//!
//! Invariant: on JSON without syntax problems the result of each edit has none
//! either. Nothing here knows a rule.

use crate::finding::Edit;
use crate::text::Span;
use crate::text::escape::{self, Style};
use crate::text::json::{Literal, Value};

/// An edit.
pub(super) fn replace(span: Span, text: impl Into<String>) -> Edit {
    Edit { span, text: text.into() }
}

/// A string literal with its quotes.
pub(super) fn quoted(text: &str, style: Style) -> String {
    format!("\"{}\"", escape::encode(text, style))
}

/// Renames a key, or replaces the text of any string.
pub(super) fn rewrite(literal: Literal<'_>, text: &str, style: Style) -> Edit {
    replace(literal.inner, escape::encode(text, style))
}

/// What to delete so that `items` lose the ones at `first..=last`, commas included.
pub(super) fn removal(items: &[Span], first: usize, last: usize) -> Span {
    match (items.get(last + 1), first.checked_sub(1)) {
        (Some(next), _) => Span::new(items[first].start, next.start),
        (None, Some(before)) => Span::new(items[before].end, items[last].end),
        (None, None) => Span::new(items[first].start, items[last].end),
    }
}

/// Deletes the one of `items` (of a list or an object, in order) that starts at `start`.
pub(super) fn remove(items: &[Span], start: usize) -> Option<Edit> {
    let at = items.binary_search_by_key(&start, |item| item.start).ok()?;
    Some(replace(removal(items, at, at), ""))
}

/// Where the members of an object stand.
pub(super) fn members(object: Value<'_>) -> Vec<Span> {
    object.members().map(|m| m.span()).collect()
}

/// Puts `"key": value` in front of the members of `object`; `value` is JSON.
pub(super) fn insert_first(record: &str, object: Value<'_>, key: &str, value: &str) -> Edit {
    let inside = object.span().start + 1;
    let Some(first) = object.members().next() else {
        return replace(Span::empty(inside), format!("\"{key}\": {value}"));
    };
    let at = first.key.quoted.start;
    let colon = colon(record, object);
    let lead = Span::new(inside, at).of(record);
    let gap = if lead.contains('\n') { lead } else { after_comma(record, object) };
    replace(Span::empty(at), format!("\"{key}\"{colon}{value},{gap}"))
}

/// What stands between key and value in `object`: `:` and its spaces.
pub(super) fn colon<'a>(record: &'a str, object: Value<'_>) -> &'a str {
    let first = object.members().next();
    first.map_or(": ", |m| Span::new(m.key.quoted.end, m.value.span().start).of(record))
}

/// The space behind a comma in `object`; without one, as behind its colon.
pub(super) fn after_comma<'a>(record: &'a str, object: Value<'_>) -> &'a str {
    let mut members = object.members();
    match (members.next(), members.next()) {
        (Some(first), Some(second)) => {
            let between = Span::new(first.value.span().end, second.key.quoted.start).of(record);
            between.split_once(',').map_or("", |(_, space)| space)
        }
        _ if colon(record, object).ends_with(' ') => " ",
        _ => "",
    }
}

/// What stands between the first two items of a list, comma included.
pub(super) fn between_items<'a>(record: &'a str, list: Value<'_>) -> &'a str {
    let mut items = list.items();
    match (items.next(), items.next()) {
        (Some(first), Some(second)) => Span::new(first.span().end, second.span().start).of(record),
        _ => ", ",
    }
}
