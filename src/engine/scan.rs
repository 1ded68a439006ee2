//! The records of a transcript file, looked at by all cores and handed out in order.
//!
//! Invariant: memory is bounded by a few blocks of lines for `.jsonl` files (of
//! long lines one at a time), by the file for `.json`; what comes out does not
//! depend on the number of threads.

use std::io::{self, Cursor, Read, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::blocks::{Block, Blocks};
use super::disk::{self, BadRecord, DiskError, Unreadable};
use super::packed::{Unpacked, unpacked_name};
use super::pipeline::Stages;
use crate::analysis::context::Memo;
use crate::analysis::place::Start;
use crate::config::Limits;
use crate::text::Span;
use crate::text::document::Document;
use crate::transcript::facts::{BOM, FileFacts};
use crate::transcript::records::{Layout, Records};

/// Where the bytes of a file come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file on disk.
    Disk(PathBuf),
    /// Standard input, read to its end, under the name it was given.
    Bytes(PathBuf, Arc<[u8]>),
}

/// What reads a source, from any place.
pub trait Reader: Read + Seek {}

impl<R: Read + Seek> Reader for R {}

/// One record with what is known of it.
#[derive(Debug)]
pub struct Seen<'a, T> {
    /// Where it starts.
    pub start: Start,
    /// Its text; empty when it could not be read.
    pub text: Text<'a>,
    /// What was found out, or why it could not be read.
    pub analysis: Result<T, BadRecord>,
}

impl Source {
    /// Its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Disk(path) | Self::Bytes(path, _) => path,
        }
    }

    /// Its bytes; 0 where that is not known.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Disk(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
            Self::Bytes(_, bytes) => bytes.len() as u64,
        }
    }

    /// How its records lie; what is no `.json` is read line by line.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let name = self.path().file_name().unwrap_or_default().to_string_lossy();
        Layout::of_name(unpacked_name(&name)).unwrap_or(Layout::Lines)
    }

    /// Reads it from the start.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Reader>> {
        Ok(match self {
            Self::Disk(path) => Box::new(Unpacked::open(path)?),
            Self::Bytes(_, bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }

    /// Hands out the text at each of `spans`, which are in order and do not overlap.
    ///
    /// # Errors
    /// When it cannot be read, or is no text any more.
    pub fn reread(
        &self,
        spans: &[Span],
        limits: &Limits,
        mut each: impl FnMut(&str),
    ) -> Result<(), DiskError> {
        if self.layout() == Layout::Document {
            let text = self.text(limits)?;
            spans.iter().for_each(|span| each(text.get(span.start..span.end).unwrap_or("")));
            return Ok(());
        }
        let failed = |error| DiskError { path: self.path().to_owned(), why: Unreadable::Io(error) };
        let mut reader = self.open().map_err(failed)?;
        let mut bytes = Vec::new();
        for span in spans {
            bytes.clear();
            let read = reader
                .seek(io::SeekFrom::Start(span.start as u64))
                .and_then(|_| (&mut reader).take(span.len() as u64).read_to_end(&mut bytes));
            read.map_err(failed)?;
            each(std::str::from_utf8(&bytes).unwrap_or(""));
        }
        Ok(())
    }

    /// Reads it whole, as text with its byte order mark.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is no UTF-8 text.
    pub fn text(&self, limits: &Limits) -> Result<String, DiskError> {
        match self {
            Self::Disk(path) => disk::read_document(path, limits),
            Self::Bytes(path, bytes) => String::from_utf8(bytes.to_vec()).map_err(|e| DiskError {
                path: path.clone(),
                why: Unreadable::NotUtf8 { at: e.utf8_error().valid_up_to() },
            }),
        }
    }
}

/// The text of a record; few are ever asked for.
#[derive(Debug)]
pub struct Text<'a>(At<'a>);

#[derive(Debug)]
enum At<'a> {
    Block(&'a Block, Range<usize>),
    Document(&'a str),
}

impl Text<'_> {
    /// The text.
    pub fn get(&self) -> &str {
        match &self.0 {
            At::Block(block, place) => block.text(place.clone()),
            At::Document(text) => text,
        }
    }

    /// Bytes of it.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            At::Block(_, place) => place.len(),
            At::Document(text) => text.len(),
        }
    }
}

/// Looks at every record and hands it to `each`, in order. `look` runs on many
/// threads, each with a memo of its own.
///
/// # Errors
/// When the file cannot be read, or is no text.
pub fn scan<T: Send>(
    source: &Source,
    limits: &Limits,
    memos: &mut Vec<Memo>,
    look: impl Fn(&str, &mut Memo) -> T + Sync,
    each: impl FnMut(Seen<'_, T>),
) -> Result<FileFacts, DiskError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    memos.resize_with(threads.max(1), Memo::default);
    match (source, source.layout()) {
        (_, Layout::Document) => scan_document(source, limits, memos, look, each),
        (Source::Disk(path), _) => scan_lines(Blocks::open(path, limits)?, memos, look, each),
        (Source::Bytes(path, bytes), _) => {
            let reader = Cursor::new(Arc::clone(bytes));
            scan_lines(Blocks::new(path, reader, limits)?, memos, look, each)
        }
    }
}

/// What was found out about one record of a block.
struct Item<T> {
    start: Start,
    place: Range<usize>,
    analysis: Result<T, BadRecord>,
}

fn scan_lines<R: Read + Send, T: Send>(
    mut blocks: Blocks<R>,
    memos: &mut [Memo],
    look: impl Fn(&str, &mut Memo) -> T + Sync,
    mut each: impl FnMut(Seen<'_, T>),
) -> Result<FileFacts, DiskError> {
    let memos = if blocks.is_short() { &mut memos[..1] } else { memos };
    let buffers: Mutex<Vec<Vec<u8>>> = Mutex::default();
    let buffer = || buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut failed = None;
    let take = || match blocks.next(buffer().unwrap_or_default()) {
        Ok(block) => block,
        Err(error) => {
            failed = Some(error);
            None
        }
    };
    let work = |block: Block, memo: &mut Memo| {
        let mut items = Vec::new();
        let facts = block.read(|record| {
            let start = Start { byte: record.offset as u64, line: record.line, column: 1 };
            let analysis = record.text.map(|text| look(text, memo));
            items.push(Item { start, place: record.place, analysis });
        });
        (block, facts, items)
    };
    let mut facts = FileFacts::default();
    let stages = Stages { take, work, alone: Block::is_long };
    stages.run(memos, |(block, found, items): (Block, FileFacts, Vec<Item<T>>)| {
        facts.append(found);
        for Item { start, place, analysis } in items {
            each(Seen { start, text: Text(At::Block(&block, place)), analysis });
        }
        if !block.is_long() {
            buffers.lock().unwrap_or_else(PoisonError::into_inner).push(block.into_bytes());
        }
    });
    failed.map_or(Ok(facts), Err)
}

/// Bytes of a `.json` file that one job is about.
const SHARE: usize = 512 << 10;

fn scan_document<T: Send>(
    source: &Source,
    limits: &Limits,
    memos: &mut [Memo],
    look: impl Fn(&str, &mut Memo) -> T + Sync,
    mut each: impl FnMut(Seen<'_, T>),
) -> Result<FileFacts, DiskError> {
    let text = source.text(limits)?;
    let document = Document::new(&text);
    let records = Records::open(&document, Layout::Document, |_| ());
    let facts = records.facts(&document);
    drop(document);
    let mut spans = records.slots().iter().map(|s| s.span()).peekable();
    let memos = if text.len() < SHARE { &mut memos[..1] } else { memos };
    let take = || {
        let mut bytes = 0;
        let mut share = Vec::new();
        while let Some(span) = spans.next_if(|_| bytes < SHARE) {
            bytes += span.len();
            share.push(span);
        }
        (!share.is_empty()).then_some(share)
    };
    let work = |share: Vec<Span>, memo: &mut Memo| -> Vec<(Span, T)> {
        share.into_iter().map(|span| (span, look(span.of(&text), memo))).collect()
    };
    let mut at = Walk::new(&text);
    Stages { take, work, alone: |_: &Vec<Span>| false }.run(memos, |items: Vec<(Span, T)>| {
        for (span, found) in items {
            let (start, text) = (at.to(span.start), Text(At::Document(span.of(&text))));
            each(Seen { start, text, analysis: Ok(found) });
        }
    });
    Ok(facts)
}

/// Lines and columns of ascending offsets, in one pass.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Self {
        let at = if text.starts_with(BOM) { BOM.len() } else { 0 };
        Self { text, at, line: 1, column: 1 }
    }

    fn to(&mut self, offset: usize) -> Start {
        for c in self.text.get(self.at..offset).unwrap_or("").chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = offset.max(self.at);
        Start { byte: offset as u64, line: self.line, column: self.column }
    }
}
