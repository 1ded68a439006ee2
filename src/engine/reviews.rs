//! The reviews file of a project: `data/reviews.jsonl`, read whole and appended to.

use std::io;
use std::path::{Path, PathBuf};

use crate::review::{Kind, Log, Record};

use super::journal;

/// Where a project's reviews are, in its folder.
pub const FILE: &str = "data/reviews.jsonl";

/// The reviews file of a project.
#[must_use]
pub fn path(root: &Path) -> PathBuf {
    root.join(FILE)
}

/// Reads a project's reviews; none where there is no file yet.
///
/// # Errors
/// When the file is there and cannot be read, or is not UTF-8.
pub fn read(root: &Path) -> io::Result<Log> {
    journal::read(&path(root)).map(|text| Log::read(&text))
}

/// Appends a record, on disk when this returns.
///
/// # Errors
/// When the file cannot be written; then the record is not in it.
pub fn append(root: &Path, record: &Record) -> io::Result<()> {
    journal::append(&path(root), [record.line().as_str()])
}

/// Who reviews unless told otherwise: the name git would use, else the login's.
#[must_use]
pub fn reviewer() -> String {
    let names = ["GIT_AUTHOR_NAME", "USER", "USERNAME", "LOGNAME"];
    let set = names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    set.unwrap_or_else(|| "somebody".into())
}

/// A new record of this kind, made now.
///
/// # Errors
/// When the system has no randomness for its id.
pub fn record(kind: Kind, by: &str, rubric_digest: &str) -> io::Result<Record> {
    Ok(Record::new(journal::new_id("r")?, journal::now(), by, kind, rubric_digest))
}
