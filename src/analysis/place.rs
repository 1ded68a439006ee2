//! From bytes of a record to lines and columns of its file, with the words around.
//!
//! Invariant: lines and columns count from 1, columns in Unicode scalars, only
//! `\n` ends a line; byte offsets count from the file's first byte. Placing is
//! linear in the text, however many findings there are.

use std::ops::Range;

use crate::config::layer::SECRET;
use crate::config::secret;
use crate::finding::Finding;
use crate::text::Span;

/// Where a text starts in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Bytes before it.
    pub byte: u64,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
}

impl Start {
    /// The first character of a file whose byte order mark has this many bytes.
    #[must_use]
    pub const fn of_file(bom: u64) -> Self {
        Self { byte: bom, line: 1, column: 1 }
    }
}

/// A finding with its place in the file.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The finding; its span still counts from the text it was made from.
    pub finding: Finding,
    /// First line and column.
    pub from: (usize, usize),
    /// The line and column after the last character.
    pub to: (usize, usize),
    /// Bytes of the file.
    pub bytes: Range<u64>,
    /// The words, and some of what stands around them in the line.
    pub excerpt: Option<Excerpt>,
}

/// Words in their line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// What stands before, from the start of the line if `cut_before` is false.
    pub before: String,
    /// The words, up to the end of their first line.
    pub words: String,
    /// What stands after.
    pub after: String,
    /// Something was left out before.
    pub cut_before: bool,
    /// Something was left out after.
    pub cut_after: bool,
}

/// Characters kept on each side; the renderer cuts further to its width.
const AROUND: usize = 160;

/// Places the findings of one text.
#[must_use]
pub fn place(text: &str, start: Start, findings: Vec<Finding>) -> Vec<Placed> {
    let fitted = |f: &Finding| fit(text, f.span);
    let mut offsets: Vec<usize> =
        findings.iter().map(fitted).flat_map(|s| [s.start, s.end]).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let places = walk(text, start, &offsets);
    let at = |offset: usize| {
        let found = offsets.binary_search(&offset).ok().and_then(|i| places.get(i));
        found.copied().unwrap_or((start.line, start.column))
    };
    let placed = |finding: Finding| {
        let span = fitted(&finding);
        let excerpt = (finding.code != SECRET).then(|| excerpt(text, span));
        Placed {
            from: at(span.start),
            to: at(span.end),
            bytes: start.byte + span.start as u64..start.byte + span.end as u64,
            excerpt,
            finding,
        }
    };
    findings.into_iter().map(placed).collect()
}

/// Line and column of every offset, in one pass; the offsets ascend.
fn walk(text: &str, start: Start, offsets: &[usize]) -> Vec<(usize, usize)> {
    let (mut line, mut column, mut at) = (start.line, start.column, 0);
    let step = |&offset: &usize| {
        let piece = text.get(at..offset).unwrap_or("");
        if let Some(last) = memchr::memrchr(b'\n', piece.as_bytes()) {
            line += memchr::memchr_iter(b'\n', piece.as_bytes()).count();
            column = 1 + piece[last + 1..].chars().count();
        } else {
            column += piece.chars().count();
        }
        at = offset;
        (line, column)
    };
    offsets.iter().map(step).collect()
}

fn fit(text: &str, span: Span) -> Span {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len()));
    Span::new(start, end.max(start))
}

fn excerpt(text: &str, span: Span) -> Excerpt {
    let head = &text[..span.start];
    let near = last_bytes(head);
    let line_start = memchr::memrchr(b'\n', near.as_bytes()).map(|i| i + 1);
    let before = &near[line_start.unwrap_or(0)..];
    let words = one_line(span.of(text));
    let tail = one_line(&text[span.start + words.len()..]);
    let (kept_before, kept_words, kept_after) =
        (last_chars(before), first_chars(words), first_chars(tail));
    let far = line_start.is_none() && near.len() < head.len();
    Excerpt {
        before: secret::masked(kept_before).into_owned(),
        words: secret::masked(kept_words).into_owned(),
        after: secret::masked(kept_after).into_owned(),
        cut_before: far || kept_before.len() < before.len(),
        cut_after: kept_words.len() < words.len() || kept_after.len() < tail.len(),
    }
}

/// A bounded end of `text`, so that no finding costs a walk over a long line.
fn last_bytes(text: &str) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(AROUND * 4))..]
}

/// A bounded beginning of the first line of `text`.
fn one_line(text: &str) -> &str {
    let bounded = &text[..text.floor_char_boundary(text.len().min(AROUND * 4 + 4))];
    let end = memchr::memchr(b'\n', bounded.as_bytes()).unwrap_or(bounded.len());
    bounded[..end].trim_end_matches('\r')
}

fn last_chars(text: &str) -> &str {
    let at = text.char_indices().rev().nth(AROUND - 1).map_or(0, |(i, _)| i);
    &text[at..]
}

fn first_chars(text: &str) -> &str {
    let at = text.char_indices().nth(AROUND).map_or(text.len(), |(i, _)| i);
    &text[..at]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    fn at(text: &str, start: Start, span: Span) -> Placed {
        let finding = Finding::new("X", Severity::Error, span, "m");
        place(text, start, vec![finding]).remove(0)
    }

    #[test]
    fn counts_scalars_and_bytes() {
        let text = "é👍a\nb漢c\r\nd";
        let c = text.find('c').unwrap();
        let placed = at(text, Start::of_file(3), Span::new(c, c + 1));
        assert_eq!((placed.from, placed.to), ((2, 3), (2, 4)));
        assert_eq!(placed.bytes, (c + 3) as u64..(c + 4) as u64);
        let excerpt = placed.excerpt.unwrap();
        assert_eq!((excerpt.before.as_str(), excerpt.words.as_str()), ("b漢", "c"));
        assert_eq!(excerpt.after, "");
    }

    #[test]
    fn a_record_inside_a_line_counts_on() {
        let start = Start { byte: 10, line: 4, column: 6 };
        assert_eq!(at("abc", start, Span::new(1, 2)).from, (4, 7));
        assert_eq!(at("a\nbc", start, Span::new(2, 3)).from, (5, 1));
    }

    #[test]
    fn spans_that_do_not_fit_are_bent_not_fatal() {
        let placed = at("é", Start::of_file(0), Span::new(1, 99));
        assert_eq!(placed.bytes, 0..2);
    }

    #[test]
    fn long_lines_are_cut_around_the_words() {
        let text = format!("{}WORDS{}", "漢".repeat(5000), "b".repeat(5000));
        let placed = at(&text, Start::of_file(0), Span::new(15000, 15005));
        let excerpt = placed.excerpt.unwrap();
        assert_eq!(excerpt.words, "WORDS");
        assert!(excerpt.cut_before && excerpt.cut_after);
        assert!(excerpt.before.chars().count() <= AROUND);
    }
}
