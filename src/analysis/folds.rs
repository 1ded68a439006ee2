//! Folding: messages and exchanges of transcripts written over several lines, and
//! blocks of YAML by indentation.
//!
//! Invariant: a fold of YAML runs from a line to a later one and never ends on a
//! blank line. Which of a transcript's spans cross a line is known to whoever
//! has the document.

use super::record::Outline;
use crate::text::Span;

/// Spans of a record worth folding: the record, its exchanges, its messages.
#[must_use]
pub fn transcript(outline: &Outline, record: Span) -> Vec<Span> {
    let exchanges = outline.exchanges.iter().map(|e| e.source);
    let messages = outline.messages.iter().map(|m| m.source);
    std::iter::once(record).chain(exchanges).chain(messages).collect()
}

/// Folds of a YAML text: first and last line, from 0.
#[must_use]
pub fn yaml(text: &str) -> Vec<(u32, u32)> {
    let mut folds = Vec::new();
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut last = 0;
    for (number, line) in (0..).zip(text.lines()) {
        let content = line.trim_start();
        if content.is_empty() {
            continue;
        }
        let indent = line.len() - content.len();
        close(&mut open, &mut folds, indent, last);
        open.push((indent, number));
        last = number;
    }
    close(&mut open, &mut folds, 0, last);
    folds.sort_unstable();
    folds
}

fn close(open: &mut Vec<(usize, u32)>, folds: &mut Vec<(u32, u32)>, indent: usize, last: u32) {
    while let Some(&(_, first)) = open.last().filter(|(deep, _)| *deep >= indent) {
        open.pop();
        if last > first {
            folds.push((first, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_folds_by_indentation() {
        let text = "name: x\ncriteria:\n  A:\n    q: 1\n\n    r: 2\n  B:\n    q: 3\n\nlast: 1\n";
        assert_eq!(yaml(text), [(1, 7), (2, 5), (6, 7)]);
        assert_eq!(yaml(""), []);
        assert_eq!(yaml("a: |\n  b\n"), [(0, 1)]);
    }
}
