//! Places inside a record, kept as lines and columns counted from its first
//! character, so that a record that moves needs no new conversion.
//!
//! Invariant: for a record at position `p` of a document, `place.from(p)` is the
//! document's own position of the same byte, in UTF-8 and UTF-16.

use crate::text::Span;
use crate::text::document::{Encoding, Position};

/// A position counted from the start of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(Position);

/// Two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first character.
    pub start: Place,
    /// Behind the last character.
    pub end: Place,
}

impl Place {
    /// The place of a position of the document, in a record that starts at `record`.
    #[must_use]
    pub const fn between(position: Position, record: Position) -> Self {
        let line = position.line.saturating_sub(record.line);
        let shift = if line == 0 { record.character } else { 0 };
        Self(Position::new(line, position.character.saturating_sub(shift)))
    }

    /// The position in a document where the record starts at `record`.
    #[must_use]
    pub const fn from(self, record: Position) -> Position {
        let Self(Position { line, character }) = self;
        let shift = if line == 0 { record.character } else { 0 };
        Position::new(record.line + line, character + shift)
    }
}

impl Range {
    /// The range of two positions of the document, in a record that starts at `record`.
    #[must_use]
    pub const fn between(ends: (Position, Position), record: Position) -> Self {
        Self { start: Place::between(ends.0, record), end: Place::between(ends.1, record) }
    }

    /// The range in a document where the record starts at `record`.
    #[must_use]
    pub const fn from(self, record: Position) -> (Position, Position) {
        (self.start.from(record), self.end.from(record))
    }
}

/// The places of `spans` in a record, in any order. One pass over the text up to
/// the last of them.
#[must_use]
pub fn ranges(record: &str, spans: &[Span], encoding: Encoding) -> Vec<Range> {
    let mut offsets: Vec<usize> = spans.iter().flat_map(|s| [s.start, s.end]).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let mut walk = Walk { record, encoding, offset: 0, line: 0, character: 0 };
    let places: Vec<Place> = offsets.iter().map(|&offset| walk.to(offset)).collect();
    let place = |offset: usize| places[offsets.binary_search(&offset).unwrap_or_default()];
    spans.iter().map(|s| Range { start: place(s.start), end: place(s.end) }).collect()
}

/// A walk through a record from place to place.
struct Walk<'a> {
    record: &'a str,
    encoding: Encoding,
    offset: usize,
    line: u32,
    character: u32,
}

impl Walk<'_> {
    fn to(&mut self, offset: usize) -> Place {
        let target = outside_line_end(self.record, offset).max(self.offset);
        let text = &self.record[self.offset..target];
        match last_line_start(text) {
            None => self.character += units(text, self.encoding),
            Some((breaks, start)) => {
                self.line += breaks;
                self.character = units(&text[start..], self.encoding);
            }
        }
        self.offset = target;
        Place(Position::new(self.line, self.character))
    }
}

/// The character boundary at or before `offset` that does not split a `\r\n`.
fn outside_line_end(record: &str, offset: usize) -> usize {
    let at = record.floor_char_boundary(offset.min(record.len()));
    let splits = record[..at].ends_with('\r') && record[at..].starts_with('\n');
    at - usize::from(splits)
}

/// How many lines end in `text`, and where the last line starts. A `\r\n` is one end.
fn last_line_start(text: &str) -> Option<(u32, usize)> {
    let bytes = text.as_bytes();
    let mut found = None;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let pair = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        if !pair {
            let (breaks, _) = found.unwrap_or((0, 0));
            found = Some((breaks + 1, at + 1));
        }
    }
    found
}

/// Columns that `text` takes.
fn units(text: &str, encoding: Encoding) -> u32 {
    let bytes = text.as_bytes();
    let count = match encoding {
        Encoding::Utf8 => bytes.len(),
        Encoding::Utf16 if text.is_ascii() => bytes.len(),
        // A character is one unit, one outside the basic plane two.
        Encoding::Utf16 => {
            bytes.iter().map(|&b| usize::from(b & 0xc0 != 0x80) + usize::from(b >= 0xf0)).sum()
        }
        Encoding::Utf32 => bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count(),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::document::Document;

    fn agrees(before: &str, record: &str, encoding: Encoding) -> Result<(), TestCaseError> {
        let document = Document::new(&format!("{before}{record}"));
        let starts: Vec<usize> =
            (0..=record.len()).filter(|&at| record.is_char_boundary(at)).collect();
        let spans: Vec<Span> = starts.iter().map(|&at| Span::new(at, record.len())).collect();
        let base = document.position(before.len(), encoding);
        for (range, span) in ranges(record, &spans, encoding).iter().zip(&spans) {
            let expected = document.position(before.len() + span.start, encoding);
            prop_assert_eq!(range.start.from(base), expected, "{:?}", span);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn places_are_the_documents_own(
            before in "([a😀\n]{0,6}\n)?[b😀]{0,4}",
            record in "[ac😀é\u{301}漢\r\n]{0,24}",
        ) {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                agrees(&before, &record, encoding)?;
            }
        }
    }
}
