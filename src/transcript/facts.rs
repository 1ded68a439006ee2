//! What a transcript file is like as a file: its line ends, byte order mark and
//! blank lines. The F rules are made of it.
//!
//! Invariant: the facts depend on the bytes of the file alone. The editor's
//! records and the command line's reader both cut lines with [`Line::read`] and
//! add them up with [`FileFacts::note`], so they cannot differ.
//!
//! In JSONL only `\n` ends a line; a `\r` before it belongs to the line end.

use crate::text::Span;

/// How many places of one kind are kept; more are only counted.
pub const PLACES_KEPT: usize = 10_000;

/// The byte order mark, in bytes.
pub const BOM: &str = "\u{feff}";

/// Facts about a file. The facts about lines are empty for a `.json` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Bytes in the file.
    pub bytes: usize,
    /// Records in it.
    pub records: usize,
    /// It starts with a UTF-8 byte order mark.
    pub bom: bool,
    /// Lines of white space alone, line ends included: deleting the span deletes the line.
    pub blank: Places,
    /// Lines that end in `\r\n`; the place is the first line end.
    pub crlf: Option<Mark>,
    /// `\r` that is no part of a line end.
    pub lone_cr: Option<Mark>,
    /// Raw U+2028 and U+2029, which some readers take for line ends.
    pub separators: Option<Mark>,
    /// The last line does not end in `\n` (never so for an empty file).
    pub no_final_newline: bool,
}

/// Where something happens for the first time, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The first place, in bytes of the file.
    pub first: Span,
    /// How often.
    pub count: usize,
}

/// Places of one kind: the first [`PLACES_KEPT`], and the count of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// In bytes of the file, in order.
    pub spans: Vec<Span>,
    /// How many there are.
    pub count: usize,
}

/// One line of a `.jsonl` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What is written there, without line end and byte order mark.
    pub content: Span,
    /// Bytes of the line end.
    pub end_len: u8,
    /// The line end is `\r\n`.
    pub crlf: bool,
    /// There is only white space.
    pub blank: bool,
    /// Characters that others take for line ends; rare.
    pub odd: Option<Box<Odd>>,
}

/// Characters inside a line that other readers take for line ends. Places count
/// from the start of the line's content, so that a line can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd {
    cr: Option<Mark>,
    separators: Option<Mark>,
}

impl FileFacts {
    /// Takes in the next bytes of the file, whatever lines they are in.
    pub(crate) fn note_bytes(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.bytes += bytes.len();
        self.no_final_newline = *last != b'\n';
    }

    /// Adds the facts about the part of the file that follows.
    pub(crate) fn append(&mut self, next: Self) {
        if next.bytes > 0 {
            self.no_final_newline = next.no_final_newline;
        }
        self.bytes += next.bytes;
        self.records += next.records;
        self.bom |= next.bom;
        let room = PLACES_KEPT - self.blank.spans.len();
        self.blank.spans.extend(next.blank.spans.into_iter().take(room));
        self.blank.count += next.blank.count;
        merge(&mut self.crlf, next.crlf, 0);
        merge(&mut self.lone_cr, next.lone_cr, 0);
        merge(&mut self.separators, next.separators, 0);
    }

    /// Adds one line. The place of each mark stays the first one, in whatever
    /// order the lines come.
    pub(crate) fn note(&mut self, line: &Line) {
        if line.blank {
            self.blank.count += 1;
            if self.blank.spans.len() < PLACES_KEPT {
                self.blank.spans.push(line.whole());
            }
        } else {
            self.records += 1;
        }
        if line.crlf {
            let first = Span::new(line.content.end, line.whole().end);
            merge(&mut self.crlf, Some(Mark { first, count: 1 }), 0);
        }
        if let Some(odd) = &line.odd {
            merge(&mut self.lone_cr, odd.cr, line.content.start);
            merge(&mut self.separators, odd.separators, line.content.start);
        }
    }
}

fn merge(all: &mut Option<Mark>, more: Option<Mark>, by: usize) {
    let Some(mut more) = more else { return };
    more.first = more.first.shifted(by);
    *all = Some(all.map_or(more, |all| Mark {
        first: all.first.min(more.first),
        count: all.count + more.count,
    }));
}

impl Line {
    /// Reads a line that starts at byte `start` of the file: `text` is what comes
    /// before its `\n`, and `ended` says whether there is one. `None` when there is
    /// nothing: a file that ends in `\n`, or holds a byte order mark alone, has no
    /// line behind it.
    pub(crate) fn read(text: &str, start: usize, ended: bool) -> Option<Self> {
        let bom = if start == 0 && text.starts_with(BOM) { BOM.len() } else { 0 };
        let body = &text[bom..];
        let trimmed = body.strip_suffix('\r').unwrap_or(body);
        let cr = trimmed.len() < body.len();
        let content = Span::new(start + bom, start + bom + trimmed.len());
        let inside = if ended { trimmed } else { body };
        if body.is_empty() && !ended {
            return None;
        }
        Some(Self {
            content,
            end_len: u8::from(cr) + u8::from(ended),
            crlf: cr && ended,
            blank: trimmed.trim_start().is_empty(),
            odd: Odd::of(inside).map(Box::new),
        })
    }

    /// An item of a `.json` file, which has no line of its own.
    pub(crate) fn item(content: Span) -> Self {
        Self { content, end_len: 0, crlf: false, blank: false, odd: None }
    }

    /// A line nobody can read: it has an extent, and that is all.
    pub(crate) fn opaque(start: usize, length: usize, crlf: bool, ended: bool) -> Self {
        let content = Span::new(start, start + length - usize::from(crlf));
        let end_len = u8::from(crlf) + u8::from(ended);
        Self { content, end_len, crlf, blank: false, odd: None }
    }

    /// The line with its line end.
    pub(crate) fn whole(&self) -> Span {
        Span::new(self.content.start, self.content.end + usize::from(self.end_len))
    }
}

impl Odd {
    fn of(content: &str) -> Option<Self> {
        let bytes = content.as_bytes();
        let cr = Self::mark(memchr::memchr_iter(b'\r', bytes), 1);
        let separators = ["\u{2028}", "\u{2029}"].map(|separator| {
            let places = memchr::memmem::find_iter(bytes, separator);
            Self::mark(places, separator.len())
        });
        let separators = separators.into_iter().fold(None, |mut all, one| {
            merge(&mut all, one, 0);
            all
        });
        (cr.is_some() || separators.is_some()).then_some(Self { cr, separators })
    }

    fn mark(mut places: impl Iterator<Item = usize>, len: usize) -> Option<Mark> {
        let first = places.next()?;
        Some(Mark { first: Span::new(first, first + len), count: 1 + places.count() })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(file: &str, expect: Expect) {
        let mut facts = FileFacts::default();
        let mut start = 0;
        for line in file.split_inclusive('\n') {
            let text = line.strip_suffix('\n');
            if let Some(line) = Line::read(text.unwrap_or(line), start, text.is_some()) {
                facts.note(&line);
            }
            start += line.len();
        }
        let mark = |m: Option<Mark>| m.map(|m| (m.first.start..m.first.end, m.count));
        let blank: Vec<_> = facts.blank.spans.iter().map(|s| s.start..s.end).collect();
        let (crlf, cr, sep) = (mark(facts.crlf), mark(facts.lone_cr), mark(facts.separators));
        expect.assert_eq(&format!(
            "{} records, blank {blank:?}, crlf {crlf:?}, cr {cr:?}, separators {sep:?}",
            facts.records
        ));
    }

    #[test]
    fn lines_are_told_apart() {
        check("{}\n{}\n", expect!["2 records, blank [], crlf None, cr None, separators None"]);
        check(
            "\u{feff}{}\r\n \t\r\n{}\r\n",
            expect!["2 records, blank [7..11], crlf Some((5..7, 3)), cr None, separators None"],
        );
        check(
            "\n\n{}",
            expect!["1 records, blank [0..1, 1..2], crlf None, cr None, separators None"],
        );
        check(
            "{}\r{}\r\n{}\r",
            expect![
                "2 records, blank [], crlf Some((5..7, 1)), cr Some((2..3, 2)), separators None"
            ],
        );
        check(
            "\"a\u{2028}b\u{2029}\u{2014}\"\n\"\u{2028}\"\n",
            expect!["2 records, blank [], crlf None, cr None, separators Some((2..5, 3))"],
        );
        check(
            "\u{feff}\n\u{a0}\u{3000}\n",
            expect!["0 records, blank [3..4, 4..10], crlf None, cr None, separators None"],
        );
    }
}
