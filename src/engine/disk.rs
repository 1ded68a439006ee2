//! Transcript files on disk: what can keep one from being read, and `.json`
//! files, which are read whole.
//!
//! Invariant: a file is told to be no text before anything is made of it.
//! `.jsonl` files are read block by block in [`super::blocks`].

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::packed::{Kind, Unpacked};
use crate::config::Limits;

/// How much of a file is looked at to tell whether it is text.
pub(super) const HEAD: usize = 8 << 10;

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
    /// It is a table of columns: Parquet or Arrow.
    Table(Kind),
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
            Unreadable::Table(kind) => {
                let (name, read) = match kind {
                    Kind::Parquet => ("a Parquet table", "read_parquet"),
                    _ => ("an Arrow table", "read_feather"),
                };
                write!(
                    f,
                    "{path} is {name}, not lines of JSON. Convert it: python3 -c \"import pandas, sys; \
                     pandas.{read}(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True, \
                     force_ascii=False)\" IN OUT.jsonl"
                )
            }
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

/// Opens a file to be read, unpacked where it is compressed.
pub(super) fn open(path: &Path) -> Result<Unpacked, Unreadable> {
    if fs::metadata(path).map_err(why)?.is_dir() {
        return Err(Unreadable::Folder);
    }
    match Kind::of_file(path) {
        kind @ (Kind::Parquet | Kind::Arrow) => Err(Unreadable::Table(kind)),
        _ => Unpacked::open(path).map_err(why),
    }
}

pub(super) fn why(error: io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        io::ErrorKind::PermissionDenied => Unreadable::Denied,
        io::ErrorKind::IsADirectory => Unreadable::Folder,
        _ => Unreadable::Io(error),
    }
}

/// Why the first bytes of a file show that it is no UTF-8 text, if they do. A
/// single NUL in otherwise good text is left to the record that holds it.
pub(super) fn no_text(head: &[u8]) -> Option<Unreadable> {
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
    use expect_test::expect;

    use super::*;
    use crate::engine::blocks::Blocks;

    fn limits(record_mb: usize) -> Limits {
        Limits { record_mb, ..Limits::default() }
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
        let lines = |name| Blocks::open(&path.join(name), &limits(1)).err().map(|e| e.why);
        assert!(matches!(lines(""), Some(Unreadable::Folder)));
        assert!(matches!(lines("none.jsonl"), Some(Unreadable::Missing)));
    }
}
