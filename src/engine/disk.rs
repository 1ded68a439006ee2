//! Transcript files as the command line reads them: big blocks in, one record
//! out at a time.
//!
//! Invariant: memory is bounded by one block and the longest line that is
//! within the limit; a longer line is counted and passed over, never loaded.
//! Records, places and [`FileFacts`] equal those of an open document
//! (`transcript::records`) with the same bytes.
//!
//! No file is mapped: another program that truncates it could end this one.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::Limits;
use crate::transcript::facts::{BOM, FileFacts, Line};

const BLOCK: usize = 1 << 20;
/// How much of a file is looked at to tell whether it is text.
const HEAD: usize = 8 << 10;

/// A file that cannot be read, or is no text.
#[derive(Debug)]
pub struct DiskError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: Unreadable,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// There is no such file.
    Missing,
    /// It is a folder.
    Folder,
    /// Reading it is not allowed.
    Denied,
    /// It is written in UTF-16.
    Utf16,
    /// It is no text.
    Binary,
    /// A `.json` file over `limits.record_mb`.
    TooLarge {
        /// The limit in megabytes.
        limit_mb: usize,
    },
    /// A `.json` file that is not UTF-8 from this byte on.
    NotUtf8 {
        /// The first bad byte.
        at: usize,
    },
    /// The system says something else.
    Io(io::Error),
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Unreadable::Missing => write!(f, "{path}: there is no such file"),
            Unreadable::Folder => write!(f, "{path} is a folder, not a file"),
            Unreadable::Denied => write!(f, "{path}: you may not read this file"),
            Unreadable::Utf16 => write!(f, "{path} is written in UTF-16: save it as UTF-8"),
            Unreadable::Binary => write!(f, "{path} is a binary file, not a transcript"),
            Unreadable::TooLarge { limit_mb } => write!(
                f,
                "{path} is larger than {limit_mb} MB: raise `limits.record_mb`, or write one \
                 record a line in a .jsonl file"
            ),
            Unreadable::NotUtf8 { at } => {
                write!(f, "{path} is not UTF-8 at byte {at}: save it as UTF-8")
            }
            Unreadable::Io(error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for DiskError {}

/// One record of a `.jsonl` file.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it starts, in bytes of the file.
    pub offset: usize,
    /// Its line, from 1; only `\n` ends a line.
    pub line: usize,
    /// What it says.
    pub text: Result<&'a str, BadRecord>,
}

/// A record that could not be read; the next one can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRecord {
    /// It is not UTF-8.
    NotUtf8 {
        /// The first bad byte, in bytes of the file.
        at: usize,
    },
    /// It is longer than `limits.record_mb`.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The limit in megabytes.
        limit_mb: usize,
    },
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { at } => {
                write!(f, "this line is not UTF-8 at byte {at} of the file: save it as UTF-8")
            }
            Self::TooLong { bytes, limit_mb } => write!(
                f,
                "this line has {bytes} bytes, more than {limit_mb} MB: raise `limits.record_mb`"
            ),
        }
    }
}

/// The records of a `.jsonl` file, read one by one.
#[derive(Debug)]
pub struct Lines<R> {
    path: PathBuf,
    reader: R,
    limit_mb: usize,
    buffer: Vec<u8>,
    /// The line to come starts here in the buffer.
    start: usize,
    /// The buffer is filled up to here.
    filled: usize,
    /// Where the buffer's first byte is in the file.
    base: usize,
    line: usize,
    facts: FileFacts,
    at_end: bool,
}

impl Lines<File> {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened, or is no UTF-8 text at the first look.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, DiskError> {
        let file = open(path).map_err(|why| DiskError { path: path.to_owned(), why })?;
        Self::new(path, file, limits)
    }
}

impl<R: Read> Lines<R> {
    /// Reads from `reader`; `path` is its name in messages.
    ///
    /// # Errors
    /// When it cannot be read, or is no UTF-8 text at the first look.
    pub fn new(path: &Path, reader: R, limits: &Limits) -> Result<Self, DiskError> {
        let mut lines = Self {
            path: path.to_owned(),
            reader,
            limit_mb: limits.record_mb,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            base: 0,
            line: 0,
            facts: FileFacts::default(),
            at_end: false,
        };
        while lines.filled < HEAD && !lines.at_end {
            lines.fill()?;
        }
        let head = &lines.buffer[..lines.filled.min(HEAD)];
        match no_text(head) {
            Some(why) => Err(lines.error(why)),
            None => Ok(lines),
        }
    }

    /// The next record; blank lines are passed over.
    ///
    /// # Errors
    /// When the file cannot be read any further.
    #[expect(clippy::should_implement_trait, reason = "each record borrows the reader's buffer")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, DiskError> {
        loop {
            let (length, ended) = match self.line_end()? {
                Found::Line { length, ended } => (length, ended),
                Found::TooLong => return self.pass_over().map(Some),
                Found::Nothing => return Ok(None),
            };
            let start = self.start;
            self.start += length + usize::from(ended);
            self.line += 1;
            let (offset, bytes) = (self.base + start, start..start + length);
            self.facts.bom |= offset == 0 && self.buffer[bytes.clone()].starts_with(BOM.as_bytes());
            match std::str::from_utf8(&self.buffer[bytes.clone()]) {
                Ok(text) => {
                    let Some(line) = Line::read(text, offset, ended) else { continue };
                    self.facts.note(&line);
                    if !line.blank {
                        return Ok(Some(self.record(&line)));
                    }
                }
                Err(error) => {
                    let at = offset + error.valid_up_to();
                    let crlf = ended && self.buffer[bytes].ends_with(b"\r");
                    self.facts.note(&Line::opaque(offset, length, crlf, ended));
                    return Ok(Some(self.bad(offset, BadRecord::NotUtf8 { at })));
                }
            }
        }
    }

    /// The facts about the file, once all records are read; till then about
    /// what is read.
    #[must_use]
    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }

    fn record(&self, line: &Line) -> Record<'_> {
        let bytes = line.content.start - self.base..line.content.end - self.base;
        // The whole line was found to be UTF-8, and white space cuts no character.
        let text = std::str::from_utf8(&self.buffer[bytes]).unwrap_or("");
        Record { offset: line.content.start, line: self.line, text: Ok(text) }
    }

    fn bad(&self, offset: usize, bad: BadRecord) -> Record<'_> {
        Record { offset, line: self.line, text: Err(bad) }
    }

    /// Looks for the end of the line that starts at `start`, reading as needed.
    fn line_end(&mut self) -> Result<Found, DiskError> {
        let mut seen = 0;
        loop {
            let rest = &self.buffer[self.start..self.filled];
            if let Some(found) = memchr::memchr(b'\n', &rest[seen..]) {
                let length = seen + found;
                let fits = length <= self.limit();
                return Ok(if fits { Found::Line { length, ended: true } } else { Found::TooLong });
            }
            seen = rest.len();
            if seen > self.limit() {
                return Ok(Found::TooLong);
            }
            if self.at_end {
                let length = seen;
                let ended = false;
                return Ok(if seen > 0 { Found::Line { length, ended } } else { Found::Nothing });
            }
            self.fill()?;
        }
    }

    /// Passes over the rest of a line that is too long.
    fn pass_over(&mut self) -> Result<Record<'_>, DiskError> {
        let offset = self.base + self.start;
        let mut last = 0;
        let ended = loop {
            let rest = &self.buffer[self.start..self.filled];
            let found = memchr::memchr(b'\n', rest);
            let part = &rest[..found.unwrap_or(rest.len())];
            last = part.last().copied().unwrap_or(last);
            self.start += part.len();
            if found.is_some() || self.at_end {
                break found.is_some();
            }
            self.fill()?;
        };
        let bytes = self.base + self.start - offset;
        self.start += usize::from(ended);
        self.line += 1;
        self.facts.note(&Line::opaque(offset, bytes, ended && last == b'\r', ended));
        Ok(self.bad(offset, BadRecord::TooLong { bytes, limit_mb: self.limit_mb }))
    }

    /// Reads one more block behind what is in the buffer.
    fn fill(&mut self) -> Result<(), DiskError> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.base += self.start;
        self.filled -= self.start;
        self.start = 0;
        if self.buffer.len() < self.filled + BLOCK {
            // Doubling keeps a long line linear; the limit keeps it bounded.
            let wanted = (self.filled * 2).min(self.filled + self.limit()).max(2 * BLOCK);
            self.buffer.resize(wanted.max(self.filled + BLOCK), 0);
        }
        let read = loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(why(error))),
                Ok(read) => break read,
            }
        };
        self.facts.note_bytes(&self.buffer[self.filled..self.filled + read]);
        self.filled += read;
        self.at_end = read == 0;
        Ok(())
    }

    fn limit(&self) -> usize {
        self.limit_mb << 20
    }

    fn error(&self, why: Unreadable) -> DiskError {
        DiskError { path: self.path.clone(), why }
    }
}

/// What [`Lines::line_end`] saw.
enum Found {
    Line { length: usize, ended: bool },
    TooLong,
    Nothing,
}

/// Reads a `.json` file whole. The text keeps its byte order mark.
///
/// # Errors
/// When it cannot be read, is over the limit, or is no UTF-8 text.
pub fn read_document(path: &Path, limits: &Limits) -> Result<String, DiskError> {
    open(path)
        .and_then(|file| read_whole(file, limits.record_mb))
        .map_err(|why| DiskError { path: path.to_owned(), why })
}

fn read_whole(reader: impl Read, limit_mb: usize) -> Result<String, Unreadable> {
    let limit = limit_mb << 20;
    let mut bytes = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(why)?;
    if let Some(why) = no_text(&bytes[..bytes.len().min(HEAD)]) {
        return Err(why);
    }
    if bytes.len() > limit {
        return Err(Unreadable::TooLarge { limit_mb });
    }
    String::from_utf8(bytes)
        .map_err(|error| Unreadable::NotUtf8 { at: error.utf8_error().valid_up_to() })
}

fn open(path: &Path) -> Result<File, Unreadable> {
    let file = File::open(path).map_err(why)?;
    if file.metadata().map_err(why)?.is_dir() { Err(Unreadable::Folder) } else { Ok(file) }
}

fn why(error: io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        io::ErrorKind::PermissionDenied => Unreadable::Denied,
        io::ErrorKind::IsADirectory => Unreadable::Folder,
        _ => Unreadable::Io(error),
    }
}

/// Why the first bytes of a file show that it is no UTF-8 text, if they do. A
/// single NUL in otherwise good text is left to the record that holds it.
fn no_text(head: &[u8]) -> Option<Unreadable> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Some(Unreadable::Utf16);
    }
    let nul = memchr::memchr_iter(0, head).count();
    if nul == 0 {
        return None;
    }
    let even = head.iter().step_by(2).filter(|b| **b == 0).count();
    let one_sided = even == 0 || even == nul;
    let is_text = match std::str::from_utf8(head) {
        Ok(_) => true,
        // Cut inside a character.
        Err(error) => error.error_len().is_none(),
    };
    match () {
        () if one_sided && nul * 5 >= head.len() * 2 => Some(Unreadable::Utf16),
        () if !is_text || nul * 100 >= head.len() => Some(Unreadable::Binary),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::text::Document;
    use crate::transcript::records::{Layout, Records};

    /// Hands out a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let end = self.1.min(buffer.len()).min(self.0.len());
            let (now, later) = self.0.split_at(end);
            buffer[..end].copy_from_slice(now);
            self.0 = later;
            Ok(end)
        }
    }

    fn limits(record_mb: usize) -> Limits {
        Limits { record_mb, ..Limits::default() }
    }

    fn lines(bytes: &[u8]) -> Result<Lines<Trickle<'_>>, DiskError> {
        Lines::new(Path::new("a.jsonl"), Trickle(bytes, 7), &limits(1))
    }

    fn check(bytes: &[u8], expect: Expect) {
        let mut out = String::new();
        match lines(bytes) {
            Err(error) => _ = writeln!(out, "{error}"),
            Ok(mut lines) => {
                while let Some(Record { offset, line, text }) = lines.next().unwrap() {
                    _ = match text {
                        Ok(text) => writeln!(out, "line {line} at {offset}: {text:?}"),
                        Err(bad) => writeln!(out, "line {line} at {offset}: {bad}"),
                    };
                }
            }
        }
        expect.assert_eq(&out);
    }

    #[test]
    fn records_come_with_their_places() {
        check(
            "\u{feff}{1}\n\n {2}\r\n{3}".as_bytes(),
            expect![[r#"
            line 1 at 3: "{1}"
            line 3 at 8: " {2}"
            line 4 at 14: "{3}"
        "#]],
        );
        check(b"", expect![""]);
        check(b"\n \n", expect![""]);
    }

    #[test]
    fn a_bad_line_costs_one_record() {
        check(
            b"{1}\n{\"a\": \"\xff\"}\r\n{3}\n",
            expect![[r#"
            line 1 at 0: "{1}"
            line 2 at 4: this line is not UTF-8 at byte 11 of the file: save it as UTF-8
            line 3 at 16: "{3}"
        "#]],
        );
        let long = "x".repeat((1 << 20) + 1);
        check(
            format!("{{1}}\n{long}\n{{3}}\n{long}").as_bytes(),
            expect![[r#"
            line 1 at 0: "{1}"
            line 2 at 4: this line has 1048577 bytes, more than 1 MB: raise `limits.record_mb`
            line 3 at 1048582: "{3}"
            line 4 at 1048586: this line has 1048577 bytes, more than 1 MB: raise `limits.record_mb`
        "#]],
        );
        check(b"{1}\n\"\0\"\n\"this line makes one NUL a small share of the text, as it is in a file that has one by mistake\"", expect![[r#"
            line 1 at 0: "{1}"
            line 2 at 4: "\"\0\""
            line 3 at 8: "\"this line makes one NUL a small share of the text, as it is in a file that has one by mistake\""
        "#]]);
    }

    #[test]
    fn a_line_as_long_as_the_limit_is_read() {
        let long = "x".repeat(1 << 20);
        let mut lines = lines(long.as_bytes()).unwrap();
        let read = lines.next().unwrap().map(|r| r.text.map(str::len));
        assert_eq!(read, Some(Ok(1 << 20)));
    }

    #[test]
    fn what_is_no_text_is_told_at_once() {
        check(
            b"\xff\xfe{\0}\0",
            expect![[r#"
            a.jsonl is written in UTF-16: save it as UTF-8
        "#]],
        );
        check(
            b"{\0}\0\n\0{\0}\0",
            expect![[r#"
            a.jsonl is written in UTF-16: save it as UTF-8
        "#]],
        );
        check(
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0",
            expect![[r#"
            a.jsonl is a binary file, not a transcript
        "#]],
        );
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("bad.json"), b"[\xff]").unwrap();
        std::fs::write(path.join("big.json"), " ".repeat((1 << 20) + 1)).unwrap();
        std::fs::write(path.join("good.json"), "\u{feff}[]").unwrap();
        let error = |name: &str| match read_document(&path.join(name), &limits(1)) {
            Ok(text) => text,
            Err(error) => error.to_string().replace(&path.display().to_string(), "DIR"),
        };
        let shown = ["", "none.json", "bad.json", "big.json", "good.json"].map(error).join("\n");
        expect![[r#"
            DIR/ is a folder, not a file
            DIR/none.json: there is no such file
            DIR/bad.json is not UTF-8 at byte 1: save it as UTF-8
            DIR/big.json is larger than 1 MB: raise `limits.record_mb`, or write one record a line in a .jsonl file
            ﻿[]"#]].assert_eq(&shown);
        let lines = |name| Lines::open(&path.join(name), &limits(1)).err().map(|e| e.why);
        assert!(matches!(lines(""), Some(Unreadable::Folder)));
        assert!(matches!(lines("none.jsonl"), Some(Unreadable::Missing)));
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => Just("\n"), 3 => Just("\r\n"), 2 => Just("\r"), 4 => Just("{\"a\": \"é😀\"}"),
            2 => Just(" "), 1 => Just("\u{2028}"), 1 => Just("\u{feff}"), 1 => Just("\u{3000}"),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_disk_says_what_the_document_says(text in text()) {
            let document = Document::new(&text);
            let records = Records::open(&document, Layout::Lines, str::to_owned);
            let mut lines = lines(text.as_bytes()).unwrap();
            let mut read = Vec::new();
            while let Some(record) = lines.next().unwrap() {
                read.push((record.offset, record.text.unwrap().to_owned()));
            }
            let slots = records.slots().iter();
            let open: Vec<_> = slots.map(|s| (s.span().start, s.value().to_string())).collect();
            prop_assert_eq!(read, open);
            prop_assert_eq!(lines.facts(), &records.facts(&document));
        }
    }
}
