//! One record of a file, and how records are read out of a document.
//!
//! Invariant: a [`Slot`] depends on the text of its line and on where it stands,
//! on nothing else in the file.

use std::collections::HashMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::facts::Line;
use super::recent::Gone;
use crate::text::Span;
use crate::text::document::Document;

/// One record.
#[derive(Clone, Debug)]
pub struct Slot<T> {
    pub(super) line: Line,
    pub(super) first_line: usize,
    pub(super) hash: u128,
    pub(super) value: Arc<T>,
}

impl<T> Slot<T> {
    /// The record in the file, without line end and byte order mark.
    #[must_use]
    pub fn span(&self) -> Span {
        self.line.content
    }

    /// The LSP line (from 0) of its first byte.
    #[must_use]
    pub fn first_line(&self) -> usize {
        self.first_line
    }

    pub(super) fn gone(&self) -> Gone<T> {
        let (hash, value) = (self.hash, Arc::clone(&self.value));
        Gone { hash, bytes: self.line.content.len(), value }
    }

    /// A hash of its text.
    #[must_use]
    pub fn hash(&self) -> u128 {
        self.hash
    }

    /// What the analysis said of its text.
    #[must_use]
    pub fn value(&self) -> &Arc<T> {
        &self.value
    }
}

/// Makes slots of text, and values where none is at hand. The methods that may
/// analyse say whether they did.
pub(super) struct Maker<'a, T> {
    pub document: &'a Document,
    /// Values by the hash of the text they are about.
    pub old: &'a HashMap<u128, Arc<T>>,
    pub analyse: &'a mut dyn FnMut(&str) -> T,
}

/// What [`Maker::lines`] read.
pub(super) struct Read<T> {
    pub slots: Vec<Slot<T>>,
    pub blanks: Vec<Line>,
    /// The slots that were analysed.
    pub fresh: Vec<usize>,
}

impl<T> Maker<'_, T> {
    /// Reads whole lines.
    pub fn lines(&mut self, span: Span) -> Read<T> {
        let mut read = Read { slots: Vec::new(), blanks: Vec::new(), fresh: Vec::new() };
        let mut start = span.start;
        each_line(self.document, span, |text, ended| {
            let Some(line) = Line::read(text, start, ended) else { return };
            let content = Span::new(line.content.start - start, line.content.end - start);
            start += text.len() + usize::from(ended);
            if line.blank {
                read.blanks.push(line);
                return;
            }
            let (slot, is_fresh) = self.slot(line, content.of(text));
            if is_fresh {
                read.fresh.push(read.slots.len());
            }
            read.slots.push(slot);
        });
        read
    }

    /// Reads an item of a `.json` file.
    pub fn item(&mut self, span: Span) -> (Slot<T>, bool) {
        let line = Line::item(span);
        let text = self.document.slice(span);
        self.slot(line, &text)
    }

    fn slot(&mut self, line: Line, text: &str) -> (Slot<T>, bool) {
        let hash = xxh3_128(text.as_bytes());
        let known = self.old.get(&hash).map(Arc::clone);
        let is_fresh = known.is_none();
        let value = known.unwrap_or_else(|| Arc::new((self.analyse)(text)));
        let first_line = self.document.line_of(line.content.start);
        (Slot { line, first_line, hash, value }, is_fresh)
    }

    /// The same record, elsewhere.
    pub fn moved(&self, slot: &Slot<T>, span: Span) -> Slot<T> {
        let first_line = self.document.line_of(span.start);
        let value = Arc::clone(&slot.value);
        Slot { line: Line::item(span), first_line, hash: slot.hash, value }
    }
}

/// Hands out the lines of `span` (without `\n`), and whether a `\n` ends them.
fn each_line(document: &Document, span: Span, mut take: impl FnMut(&str, bool)) {
    let mut line = String::new();
    let mut left = span.len();
    for piece in document.pieces(span.start) {
        let mut piece = &piece[..piece.len().min(left)];
        left -= piece.len();
        while let Some(end) = memchr::memchr(b'\n', piece.as_bytes()) {
            line.push_str(&piece[..end]);
            take(&line, true);
            line.clear();
            piece = &piece[end + 1..];
        }
        line.push_str(piece);
        if left == 0 {
            break;
        }
    }
    if !line.is_empty() {
        take(&line, false);
    }
}

/// The start of the JSONL line that holds byte `at`.
pub(super) fn line_start(document: &Document, at: usize) -> usize {
    let mut end = at;
    for piece in document.pieces_before(at) {
        let start = end - piece.len();
        if let Some(found) = memchr::memrchr(b'\n', piece.as_bytes()) {
            return start + found + 1;
        }
        end = start;
    }
    0
}

/// Behind the `\n` of the JSONL line that holds byte `at`, or the end of the text.
pub(super) fn line_end(document: &Document, at: usize) -> usize {
    let at = document.floor(at);
    let mut start = at;
    for piece in document.pieces(at) {
        if let Some(found) = memchr::memchr(b'\n', piece.as_bytes()) {
            return start + found + 1;
        }
        start += piece.len();
    }
    document.len()
}
