//! The reviews file of a project: `data/reviews.jsonl`, read whole and appended to.
//!
//! Invariant: a record is one whole line that is on disk before the reviewer hears
//! of it; nothing in the file is ever changed or removed. Several editors and
//! command lines may append at once: a lock on the file keeps their lines apart.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::review::{Log, Record};

use super::store::owner;

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
    match std::fs::read_to_string(path(root)) {
        Ok(text) => Ok(Log::read(&text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Log::default()),
        Err(e) => Err(e),
    }
}

/// Appends records, on disk when this returns.
///
/// # Errors
/// When the file cannot be written; then none of the records is in it.
pub fn append(root: &Path, records: &[Record]) -> io::Result<()> {
    let path = path(root);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
    file.lock()?;
    let before = file.seek(SeekFrom::End(0))?;
    let mut lines = String::new();
    if before > 0 && !ends_a_line(&mut file)? {
        // An editor left the last line without its end.
        lines.push('\n');
    }
    for record in records {
        lines.push_str(&record.line());
        lines.push('\n');
    }
    let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        // A full disk may have taken half a line.
        file.set_len(before)?;
    }
    written
}

fn ends_a_line(file: &mut std::fs::File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// A record id that nobody else makes.
///
/// # Errors
/// When the system has no randomness.
pub fn new_id() -> io::Result<String> {
    owner::random().map(|random| format!("r-{}", &random[..16]))
}

/// The time now, as records carry it.
#[must_use]
pub fn now() -> String {
    // Whole milliseconds: readable, and fine enough to order what one person does.
    let now = jiff::Timestamp::now();
    let whole = jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    whole.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> Record {
        let line = format!(
            r#"{{"id":"{id}","at":"2026-11-24T10:00:00Z","by":"A","kind":"missing","rubric_digest":"r","note":"{id}"}}"#
        );
        Record::parse(&line).unwrap()
    }

    #[test]
    fn many_writers_lose_no_record_and_tear_no_line() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let root = dir.path();
                scope.spawn(move || {
                    for n in 0..25 {
                        append(root, &[record(&format!("{writer}-{n}"))]).unwrap();
                    }
                });
            }
        });
        let log = read(dir.path()).unwrap();
        assert_eq!((log.records().len(), log.problems.len()), (200, 0));
    }

    #[test]
    fn a_last_line_without_its_end_stays_a_line_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().records().is_empty());
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::fs::write(path(dir.path()), record("a").line()).unwrap();
        append(dir.path(), &[record("b"), record("c")]).unwrap();
        let ids: Vec<String> =
            read(dir.path()).unwrap().records().iter().map(|r| r.id.clone()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn ids_differ_and_times_are_times() {
        assert_ne!(new_id().unwrap(), new_id().unwrap());
        assert!(now().parse::<jiff::Timestamp>().is_ok() && now().ends_with('Z'));
    }
}
