//! Transcript files as the command line reads them: a block of whole lines at a
//! time, so that blocks can be looked at on several threads.
//!
//! Invariant: memory is bounded by one block and the longest line that is
//! within the limit; a longer line is counted and passed over, never loaded.
//! Records, places and [`FileFacts`] equal those of an open document
//! (`transcript::records`) with the same bytes.
//!
//! No file is mapped: another program that truncates it could end this one.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::disk::{BadRecord, DiskError, HEAD, Unreadable, no_text, open, why};
use super::packed::Unpacked;
use crate::config::Limits;
use crate::transcript::facts::{BOM, FileFacts, Line};

/// Bytes read at a time. Small enough for a few of them to stay in the cache.
const BLOCK: usize = 512 << 10;

/// A `.jsonl` file, read block by block.
#[derive(Debug)]
pub struct Blocks<R> {
    path: PathBuf,
    reader: R,
    limit_mb: usize,
    /// Bytes that were read and not handed out.
    carry: Vec<u8>,
    /// Where the first of them is in the file.
    offset: usize,
    /// Lines before it.
    line: usize,
    at_end: bool,
}

/// Whole lines; the last one of a file may lack its line end.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    /// Where it starts, in bytes of the file.
    offset: usize,
    /// Lines before it.
    line: usize,
    limit_mb: usize,
    /// The block is one line, so long that it was passed over.
    passed: Option<Passed>,
}

#[derive(Debug)]
struct Passed {
    bytes: usize,
    crlf: bool,
    ended: bool,
}

/// One record of a block.
#[derive(Debug)]
pub struct Record<'a> {
    /// Where it starts, in bytes of the file.
    pub offset: usize,
    /// Its line, from 1; only `\n` ends a line.
    pub line: usize,
    /// Where its text is in the block.
    pub place: Range<usize>,
    /// What it says.
    pub text: Result<&'a str, BadRecord>,
}

impl Blocks<Unpacked> {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened, or is no UTF-8 text at the first look.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, DiskError> {
        let file = open(path).map_err(|why| DiskError { path: path.to_owned(), why })?;
        Self::new(path, file, limits)
    }
}

impl<R: Read> Blocks<R> {
    /// Reads from `reader`; `path` is its name in messages.
    ///
    /// # Errors
    /// When it cannot be read, or is no UTF-8 text at the first look.
    pub fn new(path: &Path, reader: R, limits: &Limits) -> Result<Self, DiskError> {
        let mut blocks = Self {
            path: path.to_owned(),
            reader,
            limit_mb: limits.record_mb,
            carry: Vec::new(),
            offset: 0,
            line: 0,
            at_end: false,
        };
        let mut first = Vec::new();
        blocks.fill(&mut first)?;
        blocks.carry = first;
        match no_text(&blocks.carry[..blocks.carry.len().min(HEAD)]) {
            Some(why) => Err(blocks.error(why)),
            None => Ok(blocks),
        }
    }

    /// True when all that is left was read already.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.at_end
    }

    /// The next block, read into `bytes` (what is there is dropped).
    ///
    /// # Errors
    /// When the file cannot be read any further.
    pub fn next(&mut self, mut bytes: Vec<u8>) -> Result<Option<Block>, DiskError> {
        bytes.clear();
        if bytes.capacity() > self.carry.len() {
            bytes.append(&mut self.carry);
        } else {
            std::mem::swap(&mut bytes, &mut self.carry);
        }
        let mut seen = 0;
        loop {
            if self.at_end {
                return Ok((!bytes.is_empty()).then(|| self.block(bytes)));
            }
            if bytes.len() >= BLOCK {
                if let Some(last) = memchr::memrchr(b'\n', &bytes[seen..]) {
                    let rest = seen + last + 1;
                    self.carry.extend_from_slice(&bytes[rest..]);
                    bytes.truncate(rest);
                    return Ok(Some(self.block(bytes)));
                }
                seen = bytes.len();
                if seen > self.limit() {
                    return self.pass_over(bytes).map(Some);
                }
            }
            self.fill(&mut bytes)?;
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> Block {
        let (offset, line) = (self.offset, self.line);
        self.offset += bytes.len();
        self.line += memchr::memchr_iter(b'\n', &bytes).count();
        Block { bytes, offset, line, limit_mb: self.limit_mb, passed: None }
    }

    /// Passes over the rest of a line that is too long.
    fn pass_over(&mut self, mut bytes: Vec<u8>) -> Result<Block, DiskError> {
        let mut length = 0;
        let mut last = 0;
        let ended = loop {
            let found = memchr::memchr(b'\n', &bytes);
            let part = &bytes[..found.unwrap_or(bytes.len())];
            last = part.last().copied().unwrap_or(last);
            length += part.len();
            if let Some(found) = found {
                self.carry.extend_from_slice(&bytes[found + 1..]);
                break true;
            }
            if self.at_end {
                break false;
            }
            bytes = Vec::new();
            self.fill(&mut bytes)?;
        };
        let passed = Passed { bytes: length, crlf: ended && last == b'\r', ended };
        let (offset, line) = (self.offset, self.line);
        self.offset += length + usize::from(ended);
        self.line += usize::from(ended);
        let (bytes, limit_mb) = (Vec::new(), self.limit_mb);
        Ok(Block { bytes, offset, line, limit_mb, passed: Some(passed) })
    }

    /// Reads one more block behind what is in `bytes`.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> Result<(), DiskError> {
        bytes.reserve(BLOCK);
        let more = self.reader.by_ref().take(BLOCK as u64).read_to_end(bytes);
        self.at_end = more.map_err(|error| self.error(why(error)))? < BLOCK;
        Ok(())
    }

    const fn limit(&self) -> usize {
        self.limit_mb << 20
    }

    fn error(&self, why: Unreadable) -> DiskError {
        DiskError { path: self.path.clone(), why }
    }
}

impl Block {
    /// Hands out its records in order, blank lines left out; the facts are the block's.
    pub fn read(&self, mut each: impl FnMut(Record<'_>)) -> FileFacts {
        let mut facts = FileFacts::default();
        if let Some(passed) = &self.passed {
            let Passed { bytes, crlf, ended } = *passed;
            facts.bytes = bytes + usize::from(ended);
            facts.no_final_newline = !ended;
            facts.note(&Line::opaque(self.offset, bytes, crlf, ended));
            let text = Err(BadRecord::TooLong { bytes, limit_mb: self.limit_mb });
            each(Record { offset: self.offset, line: self.line + 1, place: 0..0, text });
            return facts;
        }
        let bytes = self.bytes.as_slice();
        // Checked as a whole, which is quick; line by line where that fails.
        let text = simdutf8::basic::from_utf8(bytes).ok();
        facts.note_bytes(bytes);
        facts.bom = self.offset == 0 && bytes.starts_with(BOM.as_bytes());
        let (mut start, mut line) = (0, self.line);
        while start < bytes.len() {
            let found = memchr::memchr(b'\n', &bytes[start..]);
            let (end, ended) = (found.map_or(bytes.len(), |n| start + n), found.is_some());
            line += 1;
            if let Some(record) = self.line(text, start..end, ended, line, &mut facts) {
                each(record);
            }
            start = end + usize::from(ended);
        }
        facts
    }

    fn line<'a>(
        &'a self,
        text: Option<&'a str>,
        place: Range<usize>,
        ended: bool,
        number: usize,
        facts: &mut FileFacts,
    ) -> Option<Record<'a>> {
        let (offset, length) = (self.offset + place.start, place.len());
        let bad = |facts: &mut FileFacts, bad| {
            let crlf = ended && self.bytes[place.clone()].ends_with(b"\r");
            facts.note(&Line::opaque(offset, length, crlf, ended));
            Some(Record { offset, line: number, place: 0..0, text: Err(bad) })
        };
        if length > self.limit_mb << 20 {
            return bad(facts, BadRecord::TooLong { bytes: length, limit_mb: self.limit_mb });
        }
        let text = match text {
            Some(text) => &text[place.clone()],
            None => match std::str::from_utf8(&self.bytes[place.clone()]) {
                Ok(text) => text,
                Err(error) => {
                    return bad(facts, BadRecord::NotUtf8 { at: offset + error.valid_up_to() });
                }
            },
        };
        let line = Line::read(text, offset, ended)?;
        facts.note(&line);
        let content = line.content.start - offset..line.content.end - offset;
        let place = place.start + content.start..place.start + content.end;
        let text = Ok(&text[content]);
        (!line.blank).then_some(Record { offset: line.content.start, line: number, place, text })
    }

    /// The text of a record of this block, by its place.
    #[must_use]
    pub fn text(&self, place: Range<usize>) -> &str {
        // A record was handed out because its line is UTF-8.
        simdutf8::basic::from_utf8(&self.bytes[place]).unwrap_or("")
    }

    /// A line in it is longer than a block should be.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.bytes.len() > 16 * BLOCK
    }

    /// Its memory, for the next one.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io;

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

    type Read1 = (usize, usize, Result<String, BadRecord>);

    /// The records of a file that is read in small bites, and its facts.
    fn lines(bytes: &[u8]) -> Result<(Vec<Read1>, FileFacts), DiskError> {
        let mut blocks = Blocks::new(Path::new("a.jsonl"), Trickle(bytes, 7001), &limits(1))?;
        let (mut records, mut facts) = (Vec::new(), FileFacts::default());
        let mut buffer = Vec::new();
        while let Some(block) = blocks.next(buffer)? {
            let mut places = Vec::new();
            facts.append(block.read(|record| {
                let Record { offset, line, text, place } = record;
                places.push((place, text.map(str::to_owned)));
                records.push((offset, line, text.map(str::to_owned)));
            }));
            for (place, text) in places {
                assert_eq!(block.text(place), text.unwrap_or_default());
            }
            buffer = block.into_bytes();
        }
        Ok((records, facts))
    }

    fn check(bytes: &[u8], expect: Expect) {
        let mut out = String::new();
        match lines(bytes) {
            Err(error) => _ = writeln!(out, "{error}"),
            Ok((records, _)) => {
                for (offset, line, text) in records {
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
        let (records, _) = lines(long.as_bytes()).unwrap();
        assert_eq!(records, [(0, 1, Ok(long))]);
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

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => Just("\n"), 3 => Just("\r\n"), 2 => Just("\r"), 4 => Just("{\"a\": \"é😀\"}"),
            2 => Just(" "), 1 => Just("\u{2028}"), 1 => Just("\u{feff}"), 1 => Just("\u{3000}"),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Blocks meet inside lines, characters and line ends.
        #[test]
        fn the_disk_says_so_of_many_blocks(text in text(), width in 100..120_000_usize, n in 1..40_usize) {
            let text = format!("{text}{}{}", "x".repeat(width), "é").repeat(n);
            let document = Document::new(&text);
            let records = Records::open(&document, Layout::Lines, |t| t.len());
            let (read, facts) = lines(text.as_bytes()).unwrap();
            let shown = |t: Result<String, BadRecord>| t.map_or(0, |t| t.len());
            let read: Vec<_> = read.into_iter().map(|(at, _, text)| (at, shown(text))).collect();
            let slots = records.slots().iter();
            let open: Vec<_> = slots.map(|s| (s.span().start, **s.value())).collect();
            let is_long = |n: &usize| *n > 1 << 20;
            if !open.iter().any(|(_, n)| is_long(n)) {
                prop_assert_eq!(read, open);
                prop_assert_eq!(facts, records.facts(&document));
            }
        }

        #[test]
        fn the_disk_says_what_the_document_says(text in text()) {
            let document = Document::new(&text);
            let records = Records::open(&document, Layout::Lines, str::to_owned);
            let (read, facts) = lines(text.as_bytes()).unwrap();
            let read: Vec<_> = read.into_iter().map(|(at, _, text)| (at, text.unwrap())).collect();
            let slots = records.slots().iter();
            let open: Vec<_> = slots.map(|s| (s.span().start, s.value().to_string())).collect();
            prop_assert_eq!(read, open);
            prop_assert_eq!(facts, records.facts(&document));
        }
    }
}
