//! Files that only grow, a line a record: reviews, fixups.
//!
//! Invariant: a record is one whole line that is on disk before its writer hears
//! of it; nothing in the file is ever changed or removed. Several editors and
//! command lines may append at once: a lock on the file keeps their lines apart.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::store::owner;

/// Appends lines (given without their ends), on disk when this returns.
///
/// # Errors
/// When the file cannot be written; then none of the lines is in it.
pub fn append<'a>(path: &Path, lines: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    file.lock()?;
    let before = file.seek(SeekFrom::End(0))?;
    let mut text = String::new();
    if before > 0 && !ends_a_line(&mut file)? {
        // An editor left the last line without its end.
        text.push('\n');
    }
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        // A full disk may have taken half a line.
        file.set_len(before)?;
    }
    written
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The text of such a file; empty where there is none yet.
///
/// # Errors
/// When the file is there and cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

/// A record id that nobody else makes.
///
/// # Errors
/// When the system has no randomness.
pub fn new_id(prefix: &str) -> io::Result<String> {
    owner::random().map(|random| format!("{prefix}-{}", &random[..16]))
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

    #[test]
    fn many_writers_lose_no_line_and_tear_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/j.jsonl");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for n in 0..25 {
                        append(path, [format!("{writer}-{n}").as_str()]).unwrap();
                    }
                });
            }
        });
        let text = read(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 200);
    }

    #[test]
    fn a_last_line_without_its_end_stays_a_line_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.jsonl");
        assert_eq!(read(&path).unwrap(), "");
        std::fs::write(&path, "a").unwrap();
        append(&path, ["b", "c"]).unwrap();
        assert_eq!(read(&path).unwrap(), "a\nb\nc\n");
    }

    #[test]
    fn ids_differ_and_times_are_times() {
        assert_ne!(new_id("r").unwrap(), new_id("r").unwrap());
        assert!(now().parse::<jiff::Timestamp>().is_ok() && now().ends_with('Z'));
    }
}
