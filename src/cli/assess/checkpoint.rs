//! `--checkpoint`: results as they come, and what need not be done again.
//!
//! Invariant: a line counts when it is whole, is a result of this text under this
//! rubric and these judges, and could not come out otherwise: nothing is unscored
//! in it, or a gate failed. Of two, the later counts. Whatever does not count is said. The file is locked while it is cut or
//! appended to, so runs that share it cannot tear each other's lines.
//!
//! A line is an entry of `assess --format json` with `rubric_digest` and
//! `transcript_digest` behind it. Deliberately absent: the results themselves;
//! they stay on disk, so that memory does not grow with them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::Value;

const RUBRIC: &str = "rubric_digest";
const TRANSCRIPT: &str = "transcript_digest";
/// Problems of one kind that are told one by one.
const TOLD: usize = 5;

/// A checkpoint file.
pub struct Checkpoint {
    file: File,
    lines: HashMap<(String, String), Vec<Line>>,
    /// What was wrong with it: whole sentences.
    pub problems: Vec<String>,
}

/// A line that was read.
#[derive(Debug)]
struct Line {
    number: usize,
    start: u64,
    len: usize,
    complete: bool,
    judges: Vec<String>,
    rubric: Option<String>,
    transcript: Option<String>,
}

/// What a result is of, beside its file and id.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// The file, as printed.
    pub file: &'a str,
    /// The transcript's id.
    pub id: &'a str,
    /// The rubric's digest in hex.
    pub rubric: &'a str,
    /// The transcript's digest in hex.
    pub transcript: &'a str,
    /// The judges whose results a card has, in order.
    pub judges: &'a [&'a str],
}

/// Whether a transcript is done.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// Its result, where the file has it.
    Done(Place),
    /// A line is there, and this is why it does not count.
    Stale(String),
    /// Nothing.
    Nothing,
}

/// A line's place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    start: u64,
    len: usize,
}

impl Checkpoint {
    /// Opens a checkpoint file, or makes one. A torn last line is cut off.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        locked(&file, |file| {
            let mut found = Self::read(file.try_clone()?)?;
            let whole = found.whole()?;
            if file.metadata()?.len() > whole {
                file.set_len(whole)?;
                found.problems.push("its last line is torn and was cut off".into());
            }
            Ok(found)
        })
    }

    /// Looks into a checkpoint file without changing it; a missing one is empty.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn look(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Self::read(file).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn read(file: File) -> io::Result<Self> {
        let mut found = Self { file, lines: HashMap::new(), problems: Vec::new() };
        let mut reader = BufReader::new(found.file.try_clone()?);
        reader.seek(SeekFrom::Start(0))?;
        let (mut start, mut number, mut text) = (0_u64, 0, Vec::new());
        let (mut garbage, mut twice) = (Told::default(), Told::default());
        loop {
            text.clear();
            let len = reader.read_until(b'\n', &mut text)?;
            if text.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            match line(&text, number, start) {
                Ok(None) => {}
                Ok(Some((key, line))) => {
                    let before = found.lines.entry(key).or_default();
                    let same = |b: &&Line| b.complete && line.complete && b.same_as(&line);
                    if let Some(first) = before.iter().rev().find(same) {
                        let earlier = first.number;
                        twice.push(format!("line {number} repeats line {earlier} and counts"));
                    }
                    before.push(line);
                }
                Err(why) => garbage.push(format!("line {number} is no result ({why}): skipped")),
            }
            start += len as u64;
        }
        garbage.into(&mut found.problems);
        twice.into(&mut found.problems);
        Ok(found)
    }

    /// Bytes up to the end of the last whole line.
    fn whole(&mut self) -> io::Result<u64> {
        const STEP: u64 = 1 << 16;
        let mut end = self.file.metadata()?.len();
        let mut bytes = Vec::new();
        while end > 0 {
            let start = end.saturating_sub(STEP);
            self.file.seek(SeekFrom::Start(start))?;
            bytes.clear();
            (&self.file).take(end - start).read_to_end(&mut bytes)?;
            if let Some(at) = memchr::memrchr(b'\n', &bytes) {
                return Ok(start + at as u64 + 1);
            }
            end = start;
        }
        Ok(0)
    }

    /// Whether a transcript is done. The last line about it decides; a line that
    /// names no digests is taken at its word.
    #[must_use]
    pub fn known(&self, of: &Of<'_>) -> Known {
        let key = (of.file.to_owned(), of.id.to_owned());
        let Some(lines) = self.lines.get(&key) else { return Known::Nothing };
        let same_text =
            |line: &&Line| line.transcript.as_deref().is_none_or(|t| t == of.transcript);
        let Some(line) = lines.iter().rev().find(same_text) else {
            return Known::Stale("is of another text".into());
        };
        let why = if line.rubric.as_deref().is_some_and(|rubric| rubric != of.rubric) {
            "is of another version of the rubric"
        } else if line.judges != of.judges {
            "is of other judges"
        } else if line.complete {
            return Known::Done(Place { start: line.start, len: line.len });
        } else {
            // An ordinary resume: it is what the run is for.
            return Known::Nothing;
        };
        Known::Stale(why.into())
    }

    /// The result at a place, as `assess --format json` prints it.
    ///
    /// # Errors
    /// When the file cannot be read any more, or was changed meanwhile.
    pub fn result(&mut self, place: Place) -> io::Result<Value> {
        self.file.seek(SeekFrom::Start(place.start))?;
        let mut text = vec![0; place.len];
        self.file.read_exact(&mut text)?;
        let mut value: Value = serde_json::from_slice(&text)?;
        if let Some(entry) = value.as_object_mut() {
            entry.shift_remove(RUBRIC);
            entry.shift_remove(TRANSCRIPT);
        }
        Ok(value)
    }

    /// Adds a result, on its way to disk at once: whole, or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, result: &Value, rubric: &str, transcript: &str) -> io::Result<()> {
        let line = line_of(result, rubric, transcript) + "\n";
        locked(&self.file, |mut file| {
            let before = file.metadata()?.len();
            let written = file.write_all(line.as_bytes()).and_then(|()| file.flush());
            if written.is_err() {
                // What is there of the line would be torn; the first error is the one to tell.
                let _ = file.set_len(before);
            }
            written
        })
    }
}

/// The line that says a result, without its line break.
#[must_use]
pub fn line_of(result: &Value, rubric: &str, transcript: &str) -> String {
    let mut result = result.clone();
    if let Some(entry) = result.as_object_mut() {
        entry.insert(RUBRIC.to_owned(), rubric.into());
        entry.insert(TRANSCRIPT.to_owned(), transcript.into());
    }
    result.to_string()
}

impl Line {
    fn same_as(&self, other: &Self) -> bool {
        (&self.rubric, &self.transcript, &self.judges)
            == (&other.rubric, &other.transcript, &other.judges)
    }
}

/// Problems of one kind: the first few, and how many more.
#[derive(Default)]
struct Told {
    count: usize,
    first: Vec<String>,
}

impl Told {
    fn push(&mut self, what: String) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(what);
        }
    }

    fn into(self, problems: &mut Vec<String>) {
        let more = self.count - self.first.len();
        problems.extend(self.first);
        if more > 0 {
            problems.push(format!("and {more} more lines like that"));
        }
    }
}

/// Does something while no other run touches the file. Where files cannot be
/// locked, it is done all the same.
fn locked<T>(file: &File, act: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
    let held = file.lock().is_ok();
    let done = act(file);
    if held {
        file.unlock()?;
    }
    done
}

type Parsed = Result<Option<((String, String), Line)>, &'static str>;

/// A line of the file; `None` for a blank one.
fn line(text: &[u8], number: usize, start: u64) -> Parsed {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(text).map_err(|_| "no JSON")?;
    let word = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let id = word("id").or_else(|| word("conversation_id")).ok_or("it has no `id`")?;
    let file = word("file").ok_or("it has no `file`")?;
    let standing = word("standing").ok_or("it has no `standing`")?;
    let judges = value.get("judges").and_then(Value::as_array).ok_or("it has no `judges`")?;
    let names = judges.iter().filter_map(|judge| judge["judge"].as_str().map(str::to_owned));
    let line = Line {
        number,
        start,
        len: text.len(),
        complete: standing == "gated" || (standing != "incomplete" && !unscored(&value)),
        judges: names.collect(),
        rubric: word(RUBRIC),
        transcript: word(TRANSCRIPT),
    };
    Ok(Some(((file, id), line)))
}

fn unscored(value: &Value) -> bool {
    value.get("unscored").and_then(Value::as_array).is_some_and(|ids| !ids.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JUDGES: &[&str] = &["one"];

    fn result(id: &str, standing: &str) -> Value {
        json!({"id": id, "file": "a.jsonl", "standing": standing, "unscored": [],
            "judges": [{"judge": "one"}]})
    }

    fn of<'a>(id: &'a str, rubric: &'a str, transcript: &'a str) -> Of<'a> {
        Of { file: "a.jsonl", id, rubric, transcript, judges: JUDGES }
    }

    fn is_done(checkpoint: &Checkpoint, id: &str) -> bool {
        matches!(checkpoint.known(&of(id, "r", "t")), Known::Done(_))
    }

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        (folder, path)
    }

    #[test]
    fn torn_lines_and_incomplete_transcripts_are_done_again() {
        let (_folder, path) = file();
        let mut first = Checkpoint::open(&path).unwrap();
        first.add(&result("a", "passed"), "r", "t").unwrap();
        first.add(&result("b", "incomplete"), "r", "t").unwrap();
        let whole = std::fs::read(&path).unwrap();
        let torn = [whole.as_slice(), b"{\"file\": \"a.jsonl\", \"id\": \"c\", \"stan"].concat();
        std::fs::write(&path, &torn).unwrap();
        assert!(Checkpoint::look(&path).unwrap().unwrap().problems.is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), torn, "looking changes nothing");
        let mut again = Checkpoint::open(&path).unwrap();
        assert_eq!(again.problems, ["its last line is torn and was cut off"]);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert_eq!(["a", "b", "c"].map(|id| is_done(&again, id)), [true, false, false]);
        again.add(&result("c", "failed"), "r", "t").unwrap();
        let mut last = Checkpoint::open(&path).unwrap();
        assert!(last.problems.is_empty());
        let Known::Done(place) = last.known(&of("c", "r", "t")) else { panic!("it is done") };
        assert_eq!(last.result(place).unwrap(), result("c", "failed"));
    }

    #[test]
    fn what_does_not_count_is_said() {
        let (_folder, path) = file();
        let mut first = Checkpoint::open(&path).unwrap();
        first.add(&result("a", "passed"), "r", "t").unwrap();
        std::fs::write(
            &path,
            [std::fs::read(&path).unwrap().as_slice(), b"garbage\n\n{\"id\": 3}\n"].concat(),
        )
        .unwrap();
        first.add(&result("a", "failed"), "r", "t").unwrap();
        let mut again = Checkpoint::open(&path).unwrap();
        assert_eq!(
            again.problems,
            [
                "line 2 is no result (no JSON): skipped",
                "line 4 is no result (it has no `id`): skipped",
                "line 5 repeats line 1 and counts",
            ]
        );
        let Known::Done(place) = again.known(&of("a", "r", "t")) else { panic!("it is done") };
        assert_eq!(again.result(place).unwrap()["standing"], "failed");
        let stale = |of: &Of<'_>| match again.known(of) {
            Known::Stale(why) => why,
            other => format!("{other:?}"),
        };
        assert_eq!(stale(&of("a", "r", "other")), "is of another text");
        assert_eq!(stale(&of("a", "other", "t")), "is of another version of the rubric");
        assert_eq!(stale(&Of { judges: &["two"], ..of("a", "r", "t") }), "is of other judges");
        assert_eq!(again.known(&of("z", "r", "t")), Known::Nothing);
    }

    #[test]
    fn two_texts_of_one_id_and_lines_without_digests_are_kept() {
        let (_folder, path) = file();
        std::fs::write(&path, format!("{}\n", result("plain", "passed"))).unwrap();
        let mut first = Checkpoint::open(&path).unwrap();
        first.add(&result("a", "passed"), "r", "t1").unwrap();
        first.add(&result("a", "passed"), "r", "t2").unwrap();
        let again = Checkpoint::open(&path).unwrap();
        for text in ["t1", "t2"] {
            assert!(matches!(again.known(&of("a", "r", text)), Known::Done(_)), "{text}");
        }
        assert!(is_done(&again, "plain") && again.problems.is_empty());
    }

    #[test]
    fn runs_that_share_a_file_do_not_tear_its_lines() {
        let (_folder, path) = file();
        let long = "x".repeat(20_000);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (path, long) = (&path, &long);
                scope.spawn(move || {
                    for n in 0..25 {
                        // Opening cuts torn lines: it must not see one of a neighbour's.
                        let mut checkpoint = Checkpoint::open(path).unwrap();
                        assert!(checkpoint.problems.is_empty());
                        let id = format!("{writer}-{n}-{long}");
                        checkpoint.add(&result(&id, "passed"), "r", "t").unwrap();
                    }
                });
            }
        });
        assert_eq!(Checkpoint::open(&path).unwrap().lines.len(), 100);
    }
}
