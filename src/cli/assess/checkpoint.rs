//! `--checkpoint`: results as they come, and what need not be done again.
//!
//! Invariant: a line is complete or it does not count; an incomplete transcript
//! is not done.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::Value;

/// A checkpoint file.
pub struct Checkpoint {
    file: File,
    done: HashMap<(String, String), Value>,
}

impl Checkpoint {
    /// Opens a checkpoint file, or makes one. A torn last line is cut off.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |i| i + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let lines = bytes[..whole].split(|b| *b == b'\n');
        let done = lines.filter_map(|line| serde_json::from_slice(line).ok()).filter_map(entry);
        Ok(Self { done: done.collect(), file })
    }

    /// The result of a transcript that is done.
    #[must_use]
    pub fn done(&self, file: &str, id: &str) -> Option<&Value> {
        self.done.get(&(file.to_owned(), id.to_owned()))
    }

    /// Adds a result, on its way to disk at once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, result: &Value) -> io::Result<()> {
        self.file.write_all(format!("{result}\n").as_bytes())?;
        self.file.flush()
    }
}

fn entry(value: Value) -> Option<((String, String), Value)> {
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    let key = (text("file")?, text("id")?);
    (text("standing")? != "incomplete").then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_lines_and_incomplete_transcripts_are_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let line = |id: &str, standing: &str| serde_json::json!({"file": "a.jsonl", "id": id, "standing": standing});
        let mut first = Checkpoint::open(&path).unwrap();
        first.add(&line("a", "passed")).unwrap();
        first.add(&line("b", "incomplete")).unwrap();
        drop(first);
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend(b"{\"file\": \"a.jsonl\", \"id\": \"c\", \"stan");
        std::fs::write(&path, torn).unwrap();
        let mut again = Checkpoint::open(&path).unwrap();
        assert!(again.done("a.jsonl", "a").is_some());
        assert!(again.done("a.jsonl", "b").is_none());
        assert!(again.done("a.jsonl", "c").is_none());
        again.add(&line("c", "failed")).unwrap();
        assert!(Checkpoint::open(&path).unwrap().done("a.jsonl", "c").is_some());
    }
}
