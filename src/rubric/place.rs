//! Where in a rubric's text something can be put: indentation, dashes, brackets.
//!
//! Invariant: what is put in takes nothing away, in the line ends of the file; that
//! the text then reads as it should is for the caller to check.

use crate::finding::Edit;
use crate::text::Span;
use crate::text::yaml::Node;

/// The node whose value stands at `span`.
pub(super) fn node_at(node: Node<'_>, span: Span) -> Option<Node<'_>> {
    if node.span() == span && !node.is_alias() {
        return Some(node);
    }
    let entries = node.written_entries().map(|(_, value)| value);
    let covers = |node: &Node<'_>| {
        !node.is_alias() && node.span().start <= span.start && span.end <= node.span().end
    };
    entries.chain(node.items()).filter(covers).find_map(|node| node_at(node, span))
}

/// The first dash of a list: the reader's span of a list that is not indented starts
/// behind it.
pub(super) fn dash(text: &str, list: Node<'_>) -> Option<usize> {
    let start = list.span().start;
    if text[start..].starts_with('-') {
        return Some(start);
    }
    let line_start = text[..start].rfind('\n').map_or(0, |n| n + 1);
    text[line_start..start].rfind('-').map(|at| line_start + at)
}

/// Characters before `at` in its line; all of them blanks or dashes where it counts.
pub(super) fn column(text: &str, at: usize) -> usize {
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    text[line_start..at].chars().count()
}

/// The blanks that put a line under the column of `at`, behind blanks and dashes.
pub(super) fn indent_at(text: &str, at: usize) -> Option<String> {
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let before = &text[line_start..at];
    before.chars().all(|c| matches!(c, ' ' | '-')).then(|| " ".repeat(before.len()))
}

/// `item` behind the last thing between the brackets of `parent`.
pub(super) fn in_brackets(text: &str, parent: Node<'_>, item: &str) -> Option<Edit> {
    let span = parent.span();
    let last = parent.written_entries().map(|(_, value)| value).chain(parent.items()).last();
    let Some(last) = last else {
        return Some(Edit { span: Span::empty(span.start + 1), text: item.to_owned() });
    };
    let rest = text.get(last.span().end..span.end.checked_sub(1)?)?;
    let blanks = rest.len() - rest.trim_start().len();
    let (at, item) = match rest[blanks..].starts_with(',') {
        true => (last.span().end + blanks + 1, format!(" {item}")),
        false => (last.span().end, format!(", {item}")),
    };
    Some(Edit { span: Span::empty(at), text: item })
}

/// `lines` behind the line that holds `at`.
pub(super) fn after_line(text: &str, at: usize, added: &str) -> Edit {
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let at = if text[..end].ends_with('\r') { end - 1 } else { end };
    Edit { span: Span::empty(at), text: lines(text, &format!("\n{added}")) }
}

/// `added` with the line ends of `text`.
pub(super) fn lines(text: &str, added: &str) -> String {
    if text.contains("\r\n") { added.replace('\n', "\r\n") } else { added.to_owned() }
}
