//! The tokens of JSON, and what people write in their place.

use super::Problem;
use super::parser::Parser;
use super::{Kind, ProblemKind};
use crate::text::escape;
use crate::text::span::Span;

impl Parser<'_> {
    /// Reads `"…"`; `at` ends behind the closing quote.
    pub fn string(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            // Without control characters only two bytes can end a run.
            self.at += if self.has_controls {
                plain_run(rest)
            } else {
                memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
            };
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(b'\\') => self.escape(),
                Some(b'\n') if self.next_line_goes_on() => {
                    self.problem(ProblemKind::UnclosedString, start, self.at);
                    return;
                }
                Some(_) => {
                    self.problem(ProblemKind::ControlCharacter, self.at, self.at + 1);
                    self.at += 1;
                }
                None => {
                    self.unclosed_string = true;
                    self.problem(ProblemKind::UnclosedString, start, self.at);
                    return;
                }
            }
        }
    }

    /// True when the line behind the `\n` here starts with a quote or a closing
    /// bracket: then a quote was forgotten, and this is no text over two lines.
    fn next_line_goes_on(&self) -> bool {
        let next = self.bytes[self.at + 1..].iter().find(|b| !matches!(b, b' ' | b'\t'));
        matches!(next, Some(b'"' | b'}' | b']'))
    }

    fn escape(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => self.unicode_escape(start),
            Some(_) => {
                self.skip_char();
                self.problem(ProblemKind::BadEscape, start, self.at);
            }
            None => {}
        }
    }

    fn unicode_escape(&mut self, start: usize) {
        self.at += 1;
        let Some(code) = escape::hex4(self.text, self.at) else {
            self.problem(ProblemKind::BadEscape, start, self.at);
            return;
        };
        self.at += 4;
        match code {
            0xd800..0xdc00 => {
                let next = self.text.get(self.at..self.at + 2) == Some("\\u");
                match escape::hex4(self.text, self.at + 2) {
                    Some(0xdc00..0xe000) if next => self.at += 6,
                    _ => self.problem(ProblemKind::LoneSurrogate, start, self.at),
                }
            }
            0xdc00..0xe000 => self.problem(ProblemKind::LoneSurrogate, start, self.at),
            _ => {}
        }
    }

    pub fn single_quoted(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            match memchr::memchr2(b'\'', b'\\', &self.bytes[self.at..]) {
                Some(found) if self.bytes[self.at + found] == b'\\' => {
                    self.at += found + 1;
                    self.skip_char();
                }
                Some(found) => {
                    self.at += found + 1;
                    break;
                }
                None => {
                    self.at = self.bytes.len();
                    self.unclosed_string = true;
                    self.problem(ProblemKind::UnclosedString, start, self.at);
                    return;
                }
            }
        }
        self.problem(ProblemKind::SingleQuoted, start, self.at);
    }

    pub fn number(&mut self) -> Kind {
        let start = self.at;
        if matches!(self.peek(), Some(b'-' | b'+')) {
            self.at += 1;
        }
        if self.peek() == Some(b'I') {
            self.word();
            self.problem(ProblemKind::NotFinite, start, self.at);
            return Kind::Number;
        }
        while matches!(self.peek(), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            self.at += 1;
        }
        if !is_number(&self.bytes[start..self.at]) {
            self.problem(ProblemKind::BadNumber, start, self.at);
        }
        Kind::Number
    }

    /// `true`, `false`, `null`, and the words people write instead.
    pub fn named(&mut self) -> Kind {
        let start = self.at;
        self.word();
        let word = &self.text[start..self.at];
        let (kind, problem) = match word {
            "true" | "false" => return Kind::Bool,
            "null" => return Kind::Null,
            "NaN" | "Infinity" => (Kind::Number, ProblemKind::NotFinite),
            "None" => (Kind::Null, ProblemKind::PythonWord),
            "True" | "False" => (Kind::Bool, ProblemKind::PythonWord),
            _ => (Kind::Error, ProblemKind::ExpectedValue),
        };
        if self.at == start && !matches!(self.peek(), Some(b',' | b']' | b'}')) {
            self.skip_char();
        }
        self.problem(problem, start, self.at);
        kind
    }

    pub fn word(&mut self) {
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'-'))
        {
            self.at += 1;
        }
    }

    pub fn skip_char(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }

    pub fn skip_space(&mut self) {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'/' | b'#')) || !self.comment() {
                return;
            }
        }
    }

    fn comment(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let len = if rest.starts_with(b"//") || rest.starts_with(b"#") {
            memchr::memchr(b'\n', rest).unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            memchr::memmem::find(rest, b"*/").map_or(rest.len(), |n| n + 2)
        } else {
            return false;
        };
        self.problem(ProblemKind::Comment, self.at, self.at + len);
        self.at += len;
        true
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn problem(&mut self, kind: ProblemKind, start: usize, end: usize) {
        self.problems.push(Problem { kind, span: Span::new(start, end) });
    }
}

/// True when a byte is below 0x20. Sixteen at a time, which compilers turn into
/// a few instructions.
pub(super) fn has_controls(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let any = |bytes: &[u8]| bytes.iter().fold(0, |any, b| any | u8::from(*b < 0x20)) > 0;
    chunks.iter().any(|chunk| any(chunk)) || any(rest)
}

/// How many bytes at the front hold no quote, backslash or control character.
fn plain_run(bytes: &[u8]) -> usize {
    const WORD: usize = 8;
    const ONES: u64 = u64::from_ne_bytes([1; WORD]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + WORD).and_then(|c| <[u8; WORD]>::try_from(c).ok()) {
        let word = u64::from_ne_bytes(chunk);
        let quote = zero_in(word ^ u64::from_ne_bytes([b'"'; WORD]));
        let slash = zero_in(word ^ u64::from_ne_bytes([b'\\'; WORD]));
        let control = word.wrapping_sub(u64::from_ne_bytes([0x20; WORD])) & !word & HIGH;
        if quote | slash | control != 0 {
            break;
        }
        at += WORD;
    }
    let stop = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
    at + bytes[at..].iter().position(stop).unwrap_or(bytes.len() - at)
}

/// The grammar of RFC 8259, section 6.
fn is_number(bytes: &[u8]) -> bool {
    fn digits(bytes: &[u8]) -> usize {
        bytes.iter().take_while(|b| b.is_ascii_digit()).count()
    }
    let mut rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', tail @ ..] => tail,
            all => all,
        };
        let len = digits(exponent);
        if len == 0 {
            return false;
        }
        rest = &exponent[len..];
    }
    rest.is_empty()
}
