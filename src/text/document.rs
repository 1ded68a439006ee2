//! A document as the editor has it: text that is edited in small pieces, and
//! the way between byte offsets and LSP positions.
//!
//! Invariant: after any accepted batch of changes the text equals a document
//! newly made from that text, and a refused batch leaves it as it was. Lines
//! are LSP's: only `\n`, `\r\n` and `\r` end one. (Records are not lines: in
//! JSONL only `\n` ends a record, see `transcript::records`.)
//!
//! A clone shares the text, so a snapshot costs nothing. Absent on purpose:
//! versions and addresses, which belong to whoever owns the document.

use std::borrow::Cow;
use std::fmt;

use ropey::{Rope, RopeBuilder};

use super::span::Span;

/// The text of one document.
#[derive(Clone, Debug, Default)]
pub struct Document {
    rope: Rope,
}

/// A document that comes in pieces.
#[derive(Debug, Default)]
pub struct Builder(RopeBuilder);

impl Builder {
    /// Adds to the end.
    pub fn push(&mut self, piece: &str) {
        self.0.append(piece);
    }

    /// The document that says all of it.
    #[must_use]
    pub fn finish(self) -> Document {
        Document { rope: self.0.finish() }
    }
}

/// What a [`Position`]'s `character` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what LSP means unless something else was agreed.
    Utf16,
    /// Unicode scalars.
    Utf32,
}

/// A place as LSP says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// From 0.
    pub line: u32,
    /// From 0, in units of the [`Encoding`].
    pub character: u32,
}

impl Position {
    /// The position `line:character`, both from 0.
    #[must_use]
    pub const fn new(line: u32, character: u32) -> Self {
        Self { line, character }
    }
}

/// One change of a batch, as the client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What goes, in the text as the changes before it left it; `None` is everything.
    pub range: Option<(Position, Position)>,
    /// What comes.
    pub text: String,
}

/// What one accepted change did, in bytes of the text as the changes before it left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// What went.
    pub old: Span,
    /// Length of what came, from `old.start`.
    pub new_len: usize,
}

/// Why a batch was refused. The client's text and ours are no longer the same:
/// ask for the whole text again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadChange {
    /// The position is in no line, or behind the end of its line.
    OutOfRange(Position),
    /// The range ends before it starts.
    Reversed(Position, Position),
}

impl fmt::Display for BadChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange(p) => {
                write!(
                    f,
                    "the change names {}:{}, which the text does not have",
                    p.line, p.character
                )
            }
            Self::Reversed(a, b) => write!(
                f,
                "the change ends at {}:{}, before its start at {}:{}",
                b.line, b.character, a.line, a.character
            ),
        }
    }
}

impl std::error::Error for BadChange {}

impl Document {
    /// A document that says `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { rope: Rope::from_str(text) }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rope.len_bytes()
    }

    /// True when there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The start of the character that holds byte `at`, or the end of the text.
    #[must_use]
    pub fn floor(&self, at: usize) -> usize {
        self.rope.char_to_byte(self.rope.byte_to_char(at.min(self.len())))
    }

    /// The whole text, copied.
    #[must_use]
    pub fn text(&self) -> String {
        self.rope.to_string()
    }

    /// The text under `span`, borrowed where it lies in one piece. A span that
    /// leaves the text, or splits a character, is cut back to whole characters.
    #[must_use]
    pub fn slice(&self, span: Span) -> Cow<'_, str> {
        let (start, end) = (self.floor(span.start), self.floor(span.end));
        self.rope.byte_slice(start..end.max(start)).into()
    }

    /// The pieces the text from byte `from` on is kept in, in order. `from` is
    /// rounded down to a character.
    pub fn pieces(&self, from: usize) -> impl Iterator<Item = &str> {
        self.rope.byte_slice(self.floor(from)..).chunks()
    }

    /// The pieces of the text before byte `to`, last one first.
    pub fn pieces_before(&self, to: usize) -> impl Iterator<Item = &str> {
        let end = self.floor(to);
        let (chunks, ..) = self.rope.byte_slice(..end).chunks_at_byte(end);
        chunks.reversed()
    }

    /// How many lines: one more than line breaks.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.rope.len_lines()
    }

    /// The line (from 0) that holds byte `offset`; the last one behind the end.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> usize {
        self.rope.byte_to_line(offset.min(self.len()))
    }

    /// The byte a position names. For questions: a line behind the last is the
    /// end of the text, a character behind the line's last is the line's end,
    /// and the middle of a character is its start.
    #[must_use]
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        if line >= self.line_count() {
            return self.len();
        }
        let column = position.character as usize;
        self.in_line(line, column, encoding).unwrap_or_else(|| self.line_span(line).end)
    }

    /// The position of byte `offset` (clamped; inside a character: its start;
    /// inside a line break: the end of its line).
    #[must_use]
    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let offset = self.floor(offset);
        let line = self.rope.byte_to_line(offset);
        let span = self.line_span(line);
        let offset = offset.min(span.end);
        let units = |at: usize| match encoding {
            Encoding::Utf8 => at,
            Encoding::Utf16 => self.rope.char_to_utf16_cu(self.rope.byte_to_char(at)),
            Encoding::Utf32 => self.rope.byte_to_char(at),
        };
        let column = units(offset) - units(span.start);
        Position { line: clamp_u32(line), character: clamp_u32(column) }
    }

    /// The positions of both ends of `span`.
    #[must_use]
    pub fn span_to_range(&self, span: Span, encoding: Encoding) -> (Position, Position) {
        (self.position(span.start, encoding), self.position(span.end, encoding))
    }

    /// Applies a batch in order: all of it, or nothing.
    ///
    /// # Errors
    /// [`BadChange`] when a range is not in the text it is about; the document
    /// is then unchanged.
    pub fn apply(
        &mut self,
        changes: &[Change],
        encoding: Encoding,
    ) -> Result<Vec<Replaced>, BadChange> {
        if let [only] = changes {
            return self.replace(only, encoding).map(|done| vec![done]);
        }
        let mut next = self.clone();
        let done: Result<Vec<_>, _> = changes.iter().map(|c| next.replace(c, encoding)).collect();
        if done.is_ok() {
            *self = next;
        }
        done
    }

    /// Applies one change, or nothing.
    fn replace(&mut self, change: &Change, encoding: Encoding) -> Result<Replaced, BadChange> {
        let new_len = change.text.len();
        let Some((from, to)) = change.range else {
            let old = Span::new(0, self.len());
            self.rope = Rope::from_str(&change.text);
            return Ok(Replaced { old, new_len });
        };
        let start = self.exact_offset(from, encoding)?;
        let end = self.exact_offset(to, encoding)?;
        if from > to || start > end {
            return Err(BadChange::Reversed(from, to));
        }
        let first = self.rope.byte_to_char(start);
        if start < end {
            self.rope.remove(first..self.rope.byte_to_char(end));
        }
        self.rope.insert(first, &change.text);
        Ok(Replaced { old: Span::new(start, end), new_len })
    }

    /// The byte a position of an edit names. The line behind the last one is
    /// allowed at character 0: some clients name the end of a text without a
    /// final line break so.
    fn exact_offset(&self, at: Position, encoding: Encoding) -> Result<usize, BadChange> {
        let line = at.line as usize;
        if line == self.line_count() && at.character == 0 {
            return Ok(self.len());
        }
        if line >= self.line_count() {
            return Err(BadChange::OutOfRange(at));
        }
        self.in_line(line, at.character as usize, encoding).ok_or(BadChange::OutOfRange(at))
    }

    /// The byte at `column` of an existing line, if the line is that long.
    fn in_line(&self, line: usize, column: usize, encoding: Encoding) -> Option<usize> {
        let span = self.line_span(line);
        let rope = &self.rope;
        let at = match encoding {
            Encoding::Utf8 => Some(span.start.checked_add(column)?).filter(|&at| at <= span.end),
            Encoding::Utf16 => {
                let units = rope.char_to_utf16_cu(rope.byte_to_char(span.start));
                let unit = units.checked_add(column)?;
                let inside = unit <= rope.len_utf16_cu();
                inside.then(|| rope.char_to_byte(rope.utf16_cu_to_char(unit)))
            }
            Encoding::Utf32 => {
                let ch = rope.byte_to_char(span.start).checked_add(column)?;
                (ch <= rope.len_chars()).then(|| rope.char_to_byte(ch))
            }
        }?;
        (at <= span.end).then(|| self.floor(at))
    }

    /// The bytes of a line, without its line break.
    fn line_span(&self, line: usize) -> Span {
        let start = self.rope.line_to_byte(line);
        let next = self.rope.line_to_byte((line + 1).min(self.line_count()));
        let byte = |at: usize| (at >= start && at < next).then(|| self.rope.byte(at));
        let last = next.checked_sub(1).and_then(byte);
        let before = next.checked_sub(2).and_then(byte);
        let break_len = match (before, last) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (_, Some(b'\n' | b'\r')) => 1,
            _ => 0,
        };
        Span::new(start, next - break_len)
    }
}

fn clamp_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Edit;
    use crate::text::edit::apply_edits;
    use crate::text::patch;

    fn at(line: u32, character: u32) -> Position {
        Position::new(line, character)
    }

    fn change(from: (u32, u32), to: (u32, u32), text: &str) -> Change {
        let range = Some((at(from.0, from.1), at(to.0, to.1)));
        Change { range, text: text.into() }
    }

    #[test]
    fn only_three_things_end_a_line() {
        for (text, lines) in [
            ("", 1),
            ("a\nb", 2),
            ("a\r\nb", 2),
            ("a\rb", 2),
            ("a\n\rb", 3),
            ("a\r\r\nb", 3),
            ("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f", 1),
        ] {
            assert_eq!(Document::new(text).line_count(), lines, "{text:?}");
        }
    }

    #[test]
    fn questions_are_clamped() {
        let doc = Document::new("a😀b\r\nc");
        for (position, encoding, offset) in [
            (at(0, 1), Encoding::Utf16, 1),
            (at(0, 2), Encoding::Utf16, 1),
            (at(0, 3), Encoding::Utf16, 5),
            (at(0, 99), Encoding::Utf16, 6),
            (at(0, 5), Encoding::Utf16, 6),
            (at(0, 2), Encoding::Utf32, 5),
            (at(0, 3), Encoding::Utf8, 1),
            (at(0, 5), Encoding::Utf8, 5),
            (at(1, 1), Encoding::Utf8, 9),
            (at(1, u32::MAX), Encoding::Utf16, 9),
            (at(7, 0), Encoding::Utf32, 9),
        ] {
            assert_eq!(doc.offset(position, encoding), offset, "{position:?} {encoding:?}");
        }
    }

    #[test]
    fn a_place_inside_a_line_break_is_the_end_of_its_line() {
        let doc = Document::new("ab\r\nc");
        assert_eq!(doc.position(3, Encoding::Utf16), at(0, 2));
        assert_eq!(doc.position(4, Encoding::Utf16), at(1, 0));
        assert_eq!(doc.position(99, Encoding::Utf16), at(1, 1));
    }

    #[test]
    fn a_batch_is_applied_in_order() {
        let mut doc = Document::new("one\ntwo\n");
        let done = doc.apply(
            &[
                change((0, 3), (1, 0), ""),
                change((0, 6), (0, 6), "😀"),
                change((1, 0), (1, 0), "x"),
            ],
            Encoding::Utf16,
        );
        assert_eq!(doc.text(), "onetwo😀\nx");
        let replaced = |start, end, new_len| Replaced { old: Span::new(start, end), new_len };
        assert_eq!(done, Ok(vec![replaced(3, 4, 0), replaced(6, 6, 4), replaced(11, 11, 1)]));
    }

    #[test]
    fn a_bad_batch_changes_nothing() {
        for bad in [
            change((0, 4), (0, 4), "x"),
            change((0, 0), (0, 4), "x"),
            change((2, 0), (2, 1), "x"),
            change((3, 0), (3, 0), "x"),
            change((1, 1), (1, 0), "x"),
            change((0, u32::MAX), (0, u32::MAX), "x"),
        ] {
            let mut doc = Document::new("one\ntwo");
            let done = doc.apply(&[change((0, 0), (0, 0), ""), bad.clone()], Encoding::Utf16);
            assert!(done.is_err(), "{bad:?}");
            assert_eq!(doc.text(), "one\ntwo");
        }
    }

    #[test]
    fn the_end_may_be_named_as_the_line_behind_the_last() {
        let mut doc = Document::new("one\ntwo");
        let done = doc.apply(&[change((1, 0), (2, 0), "2")], Encoding::Utf16);
        assert_eq!(done, Ok(vec![Replaced { old: Span::new(4, 7), new_len: 1 }]));
    }

    #[test]
    fn a_split_line_break_is_two() {
        let mut doc = Document::new("a\r\nb");
        doc.rope.insert(2, "x");
        assert_eq!(doc.line_count(), 3);
        doc.rope.remove(2..3);
        assert_eq!(doc.line_count(), 2);
    }

    #[test]
    fn slices_and_pieces_say_the_text() {
        let text = "héllo 😀 ".repeat(2000);
        let doc = Document::new(&text);
        assert!(matches!(doc.slice(Span::new(3, 7)), Cow::Borrowed("llo ")));
        assert_eq!(doc.slice(Span::new(2, 9)), "éllo ");
        assert_eq!(doc.slice(Span::new(0, usize::MAX)), text);
        for cut in [0, 1, 7000, text.len()] {
            let cut = text.floor_char_boundary(cut);
            let mut before: Vec<&str> = doc.pieces_before(cut).collect();
            before.reverse();
            assert_eq!(before.concat(), text[..cut]);
            assert_eq!(doc.pieces(cut).collect::<String>(), text[cut..]);
        }
    }

    /// Lines the slow, sure way: their start, and their end before the line break.
    fn lines(text: &str) -> Vec<Span> {
        let bytes = text.as_bytes();
        let (mut lines, mut start) = (Vec::new(), 0);
        for (at, byte) in bytes.iter().enumerate() {
            let follows = at > 0 && bytes[at - 1] == b'\r';
            match byte {
                b'\n' if follows => start = at + 1,
                b'\n' | b'\r' => {
                    lines.push(Span::new(start, at));
                    start = at + 1;
                }
                _ => {}
            }
        }
        lines.push(Span::new(start, text.len()));
        lines
    }

    fn width(ch: char, encoding: Encoding) -> usize {
        match encoding {
            Encoding::Utf8 => ch.len_utf8(),
            Encoding::Utf16 => ch.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }

    /// The byte at a position, the slow, sure way.
    fn offset(text: &str, position: Position, encoding: Encoding) -> usize {
        let lines = lines(text);
        let Some(line) = lines.get(position.line as usize) else { return text.len() };
        let mut left = position.character as usize;
        for (at, ch) in line.of(text).char_indices() {
            if width(ch, encoding) > left {
                return line.start + at;
            }
            left -= width(ch, encoding);
        }
        line.end
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            2 => Just("\n"), 2 => Just("\r\n"), 2 => Just("\r"), 3 => Just("abc"), 2 => Just("😀"),
            1 => Just("é"), 1 => Just("\u{2028}"), 1 => Just("\u{85}\u{b}\u{c}"), 1 => Just("\u{feff}"),
            1 => Just("👩\u{200d}💻"), 1 => Just("漢字"),
        ];
        prop_oneof![
            9 => prop::collection::vec(piece.clone(), 0..20).prop_map(|p| p.concat()),
            // Long enough for several pieces of the rope.
            1 => prop::collection::vec(piece, 400..900).prop_map(|p| p.concat()),
        ]
    }

    fn encoding() -> impl Strategy<Value = Encoding> {
        prop_oneof![Just(Encoding::Utf8), Just(Encoding::Utf16), Just(Encoding::Utf32)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_position_is_what_counting_says(
            text in text(), encoding in encoding(), line in 0..9u32, character in 0..30u32,
        ) {
            let doc = Document::new(&text);
            prop_assert_eq!(doc.line_count(), lines(&text).len());
            let asked = at(line, character);
            prop_assert_eq!(doc.offset(asked, encoding), offset(&text, asked, encoding));
            for (i, line) in lines(&text).into_iter().enumerate() {
                for (byte, _) in line.of(&text).char_indices().chain([(line.len(), ' ')]) {
                    let position = doc.position(line.start + byte, encoding);
                    let head = &text[line.start..line.start + byte];
                    let column: usize = head.chars().map(|c| width(c, encoding)).sum();
                    prop_assert_eq!(position, at(i as u32, column as u32));
                    prop_assert_eq!(doc.offset(position, encoding), line.start + byte);
                }
            }
        }

        #[test]
        fn a_batch_does_what_replacing_strings_does(
            start in text(), encoding in encoding(),
            edits in prop::collection::vec((0..=1000usize, 0..=1000usize, text()), 1..8),
        ) {
            let mut model = start.clone();
            let mut changes = Vec::new();
            for (a, b, new) in edits {
                let place = |n: usize| Document::new(&model).position(n * model.len() / 1000, encoding);
                let (from, to) = (place(a.min(b)), place(a.max(b)));
                let range = offset(&model, from, encoding)..offset(&model, to, encoding);
                model.replace_range(range, &new);
                changes.push(Change { range: Some((from, to)), text: new });
            }
            let mut doc = Document::new(&start);
            let replaced = doc.apply(&changes, encoding).unwrap();
            prop_assert_eq!(doc.text(), model.as_str());
            prop_assert_eq!(doc.line_count(), Document::new(&model).line_count());
            let edits: Vec<Edit> = patch::compose(&replaced)
                .iter()
                .map(|p| Edit { span: p.old, text: p.new.of(&model).to_owned() })
                .collect();
            prop_assert_eq!(apply_edits(&start, &edits).unwrap(), model);
        }
    }
}
