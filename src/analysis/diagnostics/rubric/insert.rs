//! Edits that add to or take from YAML collections in the form they are written in.
//!
//! Invariant: comments and everything else stay byte for byte; a collection
//! written as an alias is never edited (`None`).

use crate::finding::Edit;
use crate::text::Span;

/// Adds `line` (`key: value`) to the mapping at `body`.
pub(super) fn key(text: &str, body: Span, line: &str) -> Option<Edit> {
    if is_flow(text, body, '{')? {
        return Some(into_flow(text, body, line));
    }
    let indent = indent_at(text, body.start)?;
    Some(after_line(text, body.end, &format!("{indent}{line}")))
}

/// Adds `calibration_examples` with one empty example to the mapping at `body`.
pub(super) fn examples_key(text: &str, body: Span, label: &str) -> Option<Edit> {
    if is_flow(text, body, '{')? {
        let item = flow_example(label);
        return Some(into_flow(text, body, &format!("calibration_examples: [{item}]")));
    }
    let indent = indent_at(text, body.start)?;
    let item = block_example(&format!("{indent}  "), label);
    Some(after_line(text, body.end, &format!("{indent}calibration_examples:\n{item}")))
}

/// Adds one empty example to the list at `list`.
pub(super) fn example_item(text: &str, list: Span, label: &str) -> Option<Edit> {
    if is_flow(text, list, '[')? {
        return Some(into_flow(text, list, &flow_example(label)));
    }
    if !list.of(text).starts_with('-') {
        return None;
    }
    let indent = indent_at(text, list.start)?;
    Some(after_line(text, list.end, &block_example(&indent, label)))
}

/// The list item at `item` with the comma or the line that goes with it.
pub(super) fn item_with_separator(text: &str, item: Span) -> Span {
    let (before, after) = (&text[..item.start], &text[item.end..]);
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    let line_rest = after.find('\n').map_or(after.len(), |n| n + 1);
    if before[line_start..].trim() == "-" && after[..line_rest].trim().is_empty() {
        return Span::new(line_start, item.end + line_rest);
    }
    let blanks = after.len() - after.trim_start().len();
    if after[blanks..].starts_with(',') {
        let rest = &after[blanks + 1..];
        let more = rest.len() - rest.trim_start_matches(' ').len();
        return Span::new(item.start, item.end + blanks + 1 + more);
    }
    let trimmed = before.trim_end();
    let start = if trimmed.ends_with(',') { trimmed.len() - 1 } else { item.start };
    Span::new(start, item.end)
}

/// Whether the collection is written with brackets; `None` where it cannot be edited.
fn is_flow(text: &str, span: Span, open: char) -> Option<bool> {
    let words = span.of(text);
    match words.chars().next()? {
        first if first == open => words.ends_with(['}', ']']).then_some(true),
        '*' | '[' | '{' => None,
        _ => Some(false),
    }
}

fn into_flow(text: &str, span: Span, item: &str) -> Edit {
    let inside = &text[span.start + 1..span.end - 1];
    let at = span.start + 1 + inside.trim_end().len();
    let separator = match inside.trim() {
        "" => "",
        all if all.ends_with(',') => " ",
        _ => ", ",
    };
    Edit { span: Span::empty(at), text: format!("{separator}{item}") }
}

/// The blanks that put a line under the column of `at`.
fn indent_at(text: &str, at: usize) -> Option<String> {
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let before = &text[line_start..at];
    // Only blanks and the dashes of lists: anything else is no place for a new line.
    before.chars().all(|c| matches!(c, ' ' | '-')).then(|| " ".repeat(before.len()))
}

/// `lines` as new lines behind the line that holds `at`, with that file's line end.
fn after_line(text: &str, at: usize, lines: &str) -> Edit {
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let crlf = text[..end].ends_with('\r');
    let (at, line_end) = if crlf { (end - 1, "\r\n") } else { (end, "\n") };
    let text = format!("\n{lines}").replace('\n', line_end);
    Edit { span: Span::empty(at), text }
}

fn block_example(indent: &str, label: &str) -> String {
    format!(
        "{indent}- type: {label}\n{indent}  context: \"\"\n{indent}  response: \"\"\n\
         {indent}  reasoning: \"\""
    )
}

fn flow_example(label: &str) -> String {
    format!("{{type: {label}, context: \"\", response: \"\", reasoning: \"\"}}")
}
