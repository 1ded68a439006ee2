//! Where the records of a `.json` file are.
//!
//! One cheap pass over the brackets and quotes of the top level; what an item
//! says is not looked at. When the file is no array of records, or is broken
//! between them, it is one record, so that its parser can say what is wrong.

use crate::text::Span;
use crate::text::document::Document;

use super::facts::BOM;

/// The spans of the records: the items of the array, or one for the whole file
/// (white space around it left out); none when there is only white space.
pub(super) fn records(document: &Document) -> Vec<Span> {
    let mut scan = Scan::default();
    let mut at = 0;
    for piece in document.pieces(0) {
        scan.piece(at, piece.as_bytes());
        at += piece.len();
        if scan.state == State::NoArray {
            break;
        }
    }
    match (scan.state, scan.shape) {
        (State::Done, Shape::Records | Shape::Empty) => scan.items,
        _ => whole(document).into_iter().collect(),
    }
}

/// All but the white space (and byte order mark) around the text.
fn whole(document: &Document) -> Option<Span> {
    const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
    let mut start = 0;
    for piece in document.pieces(0) {
        let text = if start == 0 { piece.strip_prefix(BOM).unwrap_or(piece) } else { piece };
        let text = text.trim_start_matches(SPACE);
        start += piece.len() - text.len();
        if !text.is_empty() {
            break;
        }
    }
    let mut end = document.len();
    for piece in document.pieces_before(document.len()) {
        let text = piece.trim_end_matches(SPACE);
        end -= piece.len() - text.len();
        if !text.is_empty() {
            break;
        }
    }
    (start < end).then(|| Span::new(start, end))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the opening bracket.
    #[default]
    Before,
    /// Behind the opening bracket.
    First,
    /// Behind a comma.
    Next,
    /// Inside an item, outside strings.
    Item,
    /// Inside a string.
    String,
    /// Behind a backslash in a string.
    Escape,
    /// Behind the closing bracket.
    Done,
    /// Not an array of well-separated items.
    NoArray,
}

/// What the first item shows the array to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shape {
    /// There is no item.
    #[default]
    Empty,
    /// The first item is a list, and nothing of it is read yet.
    List,
    /// An array of objects, or of lists of lists: each is a record.
    Records,
    /// An array of pairs of strings, or of plain values: all of it is one record.
    One,
}

#[derive(Default)]
struct Scan {
    state: State,
    shape: Shape,
    depth: usize,
    /// The item is an object or a list.
    bracketed: bool,
    start: usize,
    /// Behind the last byte of the item that is no white space.
    end: usize,
    items: Vec<Span>,
}

impl Scan {
    /// Reads the piece that starts at byte `from` of the file.
    fn piece(&mut self, from: usize, bytes: &[u8]) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.state == State::String {
                let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else { return };
                at += found;
                self.state = if bytes[at] == b'"' { State::Item } else { State::Escape };
                self.end = from + at + 1;
            } else {
                self.byte(from + at, byte);
            }
            at += 1;
        }
    }

    fn byte(&mut self, at: usize, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Escape, _) => State::String,
            (State::NoArray, _) => State::NoArray,
            (state, b' ' | b'\t' | b'\n' | b'\r') => state,
            (State::Before, b'[') => State::First,
            // The byte order mark; anywhere else it is for the parser to refuse.
            (State::Before, 0xef | 0xbb | 0xbf) if at < BOM.len() => State::Before,
            (State::First, b']') => State::Done,
            (State::First | State::Next, b',' | b']' | b'}' | b':') => State::NoArray,
            (State::First | State::Next, _) => self.open_item(at, byte),
            (State::Item, b',') if self.depth == 0 => self.close_item(State::Next),
            (State::Item, b']') if self.depth == 0 => self.close_item(State::Done),
            (State::Item, _) => self.item(at, byte),
            _ => State::NoArray,
        };
    }

    fn open_item(&mut self, at: usize, byte: u8) -> State {
        if self.items.is_empty() {
            self.shape = match byte {
                b'{' => Shape::Records,
                b'[' => Shape::List,
                _ => Shape::One,
            };
        }
        self.start = at;
        self.end = at + 1;
        self.bracketed = matches!(byte, b'{' | b'[');
        self.depth = usize::from(self.bracketed);
        if byte == b'"' { State::String } else { State::Item }
    }

    fn item(&mut self, at: usize, byte: u8) -> State {
        // An object or list is over with its last bracket; other values have no depth.
        if self.depth == 0 && self.bracketed {
            return State::NoArray;
        }
        if self.shape == Shape::List {
            self.shape = if matches!(byte, b'[' | b'{') { Shape::Records } else { Shape::One };
        }
        self.end = at + 1;
        match byte {
            b'"' => return State::String,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => match self.depth.checked_sub(1) {
                Some(depth) => self.depth = depth,
                None => return State::NoArray,
            },
            _ => {}
        }
        State::Item
    }

    fn close_item(&mut self, next: State) -> State {
        self.items.push(Span::new(self.start, self.end));
        next
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expect: Expect) {
        let spans = records(&Document::new(text));
        let shown: Vec<&str> = spans.iter().map(|s| s.of(text)).collect();
        expect.assert_eq(&shown.join(" | "));
    }

    #[test]
    fn an_array_of_objects_is_many_records() {
        check(
            r#" [ {"a": [1, "],"]} , {"b\\": "\""}, {} ] "#,
            expect![[r#"{"a": [1, "],"]} | {"b\\": "\""} | {}"#]],
        );
        check("\u{feff}[{},\n{}\n]\n", expect!["{} | {}"]);
        check("[[[\"u\", \"a\"]], [[\"u\", \"a\"]]]", expect![[r#"[["u", "a"]] | [["u", "a"]]"#]]);
        check("[]", expect![""]);
    }

    #[test]
    fn anything_else_is_one() {
        check(" {\"a\": 1}\n", expect![[r#"{"a": 1}"#]]);
        check("\u{feff}{}", expect!["{}"]);
        check(r#"[["u", "a"], ["u", "a"]]"#, expect![[r#"[["u", "a"], ["u", "a"]]"#]]);
        check("[1, 2]", expect!["[1, 2]"]);
        check(" \n ", expect![""]);
    }

    #[test]
    fn what_is_broken_between_records_is_one() {
        check("[{}, {}", expect!["[{}, {}"]);
        check("[{}, {},]", expect!["[{}, {},]"]);
        check("[{} {}]", expect!["[{} {}]"]);
        check("[{}, {}] x", expect!["[{}, {}] x"]);
        check("[{}, {}}]", expect!["[{}, {}}]"]);
        check(r#"[{"a": "}, {}]"#, expect![[r#"[{"a": "}, {}]"#]]);
    }

    #[test]
    fn what_is_broken_inside_a_record_stays_there() {
        check(r#"[{"a" 1}, {b: 2}]"#, expect![[r#"{"a" 1} | {b: 2}"#]]);
    }
}
