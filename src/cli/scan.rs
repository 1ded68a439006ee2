//! The records of a transcript file, looked at by all cores and handed out in order.
//!
//! Invariant: memory is bounded by a batch of records for `.jsonl` files, by the
//! file for `.json`; what comes out does not depend on the number of threads.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::place::Start;
use crate::analysis::context::{Context, Memo};
use crate::analysis::record::{RecordAnalysis, analyse};
use crate::config::Limits;
use crate::engine::disk::{self, BadRecord, DiskError, Lines, Unreadable};
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

/// One record with what is known of it.
#[derive(Debug)]
pub struct Seen {
    /// Where it starts.
    pub start: Start,
    /// Its text; empty when it could not be read.
    pub text: String,
    /// What was found out, or why it could not be read.
    pub analysis: Result<RecordAnalysis, BadRecord>,
}

/// A batch is closed when it has this many bytes or records.
const BATCH_BYTES: usize = 8 << 20;
const BATCH_RECORDS: usize = 4096;

impl Source {
    /// Its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Disk(path) | Self::Bytes(path, _) => path,
        }
    }

    /// How its records lie; what is no `.json` is read line by line.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let name = self.path().file_name().unwrap_or_default().to_string_lossy();
        Layout::of_name(&name).unwrap_or(Layout::Lines)
    }

    /// Reads it from the start.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Disk(path) => Box::new(File::open(path)?),
            Self::Bytes(_, bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
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

/// Looks at every record and hands it to `each`, in order.
///
/// # Errors
/// When the file cannot be read, or is no text.
pub fn scan(
    source: &Source,
    context: &Context,
    limits: &Limits,
    memos: &mut Vec<Memo>,
    mut each: impl FnMut(Seen),
) -> Result<FileFacts, DiskError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    memos.resize_with(threads.max(1), Memo::default);
    match source.layout() {
        Layout::Lines => scan_lines(source, context, limits, memos, &mut each),
        Layout::Document => scan_document(source, context, limits, memos, &mut each),
    }
}

/// A record before it is looked at.
struct Item {
    start: Start,
    text: Result<String, BadRecord>,
}

fn scan_lines(
    source: &Source,
    context: &Context,
    limits: &Limits,
    memos: &mut [Memo],
    each: &mut impl FnMut(Seen),
) -> Result<FileFacts, DiskError> {
    match source {
        Source::Disk(path) => drain(Lines::open(path, limits)?, context, memos, each),
        Source::Bytes(path, bytes) => {
            let reader = Cursor::new(Arc::clone(bytes));
            drain(Lines::new(path, reader, limits)?, context, memos, each)
        }
    }
}

fn drain<R: Read>(
    mut lines: Lines<R>,
    context: &Context,
    memos: &mut [Memo],
    each: &mut impl FnMut(Seen),
) -> Result<FileFacts, DiskError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while let Some(record) = lines.next()? {
        let start = Start { byte: record.offset as u64, line: record.line, column: 1 };
        let text = record.text.map(str::to_owned);
        bytes += text.as_ref().map_or(0, String::len);
        batch.push(Item { start, text });
        if bytes >= BATCH_BYTES || batch.len() >= BATCH_RECORDS {
            look(std::mem::take(&mut batch), context, memos, each);
            bytes = 0;
        }
    }
    look(batch, context, memos, each);
    Ok(lines.facts().clone())
}

fn scan_document(
    source: &Source,
    context: &Context,
    limits: &Limits,
    memos: &mut [Memo],
    each: &mut impl FnMut(Seen),
) -> Result<FileFacts, DiskError> {
    let text = source.text(limits)?;
    let document = Document::new(&text);
    let records = Records::open(&document, Layout::Document, |_| ());
    let facts = records.facts(&document);
    drop(document);
    let mut at = Walk::new(&text);
    let item = |span: Span| Item { start: at.to(span.start), text: Ok(span.of(&text).to_owned()) };
    let items: Vec<Item> = records.slots().iter().map(|s| s.span()).map(item).collect();
    look(items, context, memos, each);
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

/// Looks at a batch, in as many parts as there are memos.
fn look(batch: Vec<Item>, context: &Context, memos: &mut [Memo], each: &mut impl FnMut(Seen)) {
    let parts = parts(batch, memos.len());
    let all = &|part: Vec<Item>, memo: &mut Memo| -> Vec<Seen> {
        part.into_iter().map(|item| see(item, context, memo)).collect()
    };
    let seen: Vec<Vec<Seen>> = std::thread::scope(|scope| {
        let mut work = parts.into_iter().zip(memos);
        let first = work.next();
        let others: Vec<_> =
            work.map(|(part, memo)| scope.spawn(move || all(part, memo))).collect();
        let first = first.map(|(part, memo)| all(part, memo));
        // A panic in a part is a panic of the whole, as it would be without threads.
        let joined = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        first.into_iter().chain(joined).collect()
    });
    seen.into_iter().flatten().for_each(each);
}

fn parts(batch: Vec<Item>, threads: usize) -> Vec<Vec<Item>> {
    let total: usize = batch.iter().map(|i| i.text.as_ref().map_or(0, String::len)).sum();
    // Small batches are looked at sooner than a thread is started.
    let threads = if total < 64 << 10 { 1 } else { threads };
    let share = total / threads + 1;
    let (mut parts, mut used) = (vec![Vec::new()], 0);
    for item in batch {
        used += item.text.as_ref().map_or(0, String::len);
        if let Some(last) = parts.last_mut() {
            last.push(item);
        }
        if used >= share && parts.len() < threads {
            parts.push(Vec::new());
            used = 0;
        }
    }
    parts
}

fn see(item: Item, context: &Context, memo: &mut Memo) -> Seen {
    let Item { start, text } = item;
    match text {
        Ok(text) => Seen { start, analysis: Ok(analyse(&text, context, memo)), text },
        Err(bad) => Seen { start, text: String::new(), analysis: Err(bad) },
    }
}
