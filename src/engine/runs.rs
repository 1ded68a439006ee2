//! Runs of `assess`, kept in a project's `.rubricator/runs/`, so that two can be
//! compared and the pass rate followed through changes of the rubric.
//!
//! Invariant: a run is listed once all its results are on disk, and only to the
//! user who made it. A run that came out as the one before is that one. The newest
//! [`KEPT`] keep their results, within [`BYTES`]; of older ones the sums stay.
//!
//! `index.jsonl` has a line a run; `ID.jsonl` its results, as checkpoints have them;
//! `rubrics.jsonl` a line for every rubric there was a run with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::rubric::history::Version;
use crate::transcript::TranscriptDigest;

use super::journal;
use super::store::prepare;

/// Runs that keep their results.
pub const KEPT: usize = 20;
/// Bytes that all results may take.
pub const BYTES: u64 = 256 << 20;
const INDEX: &str = "index.jsonl";
const RUBRICS: &str = "rubrics.jsonl";

/// A run's line in the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Unique; any beginning of it that no other run shares will do.
    pub id: String,
    /// When it ended, in UTC, as RFC 3339.
    pub at: String,
    /// Who ran it: the id of the user's data folder.
    pub owner: String,
    /// The rubric, 64 hex digits.
    pub rubric_digest: String,
    /// The judges, by name.
    pub judges: Vec<String>,
    /// Transcripts.
    pub transcripts: usize,
    /// Of them, passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Gated.
    pub gated: usize,
    /// Incomplete.
    pub incomplete: usize,
    /// Too short.
    pub too_short: usize,
    /// The digest over all results.
    pub results: String,
}

impl Run {
    /// Passed over all but too short.
    #[must_use]
    pub fn pass_rate(&self) -> Option<f64> {
        let counted = self.transcripts.saturating_sub(self.too_short);
        (counted > 0).then(|| self.passed as f64 / counted as f64)
    }
}

/// A run being written.
pub struct Writer {
    folder: PathBuf,
    run: Run,
    /// `None` once it outgrew what may be kept.
    file: Option<BufWriter<File>>,
    bytes: u64,
    results: Sha256,
}

impl Writer {
    /// Begins a run of a project, by this owner.
    ///
    /// # Errors
    /// When the folder cannot be made or is a link to somewhere else.
    pub fn begin(root: &Path, run: Run) -> io::Result<Self> {
        let folder = folder(root);
        prepare(&root.join(".rubricator/store.db")).map_err(|e| io::Error::other(e.to_string()))?;
        if folder.symlink_metadata().is_ok_and(|m| m.is_symlink()) {
            return Err(io::Error::other(".rubricator/runs is a symbolic link"));
        }
        fs::create_dir_all(&folder)?;
        let mut id = journal::new_id("r")?;
        id.truncate(10);
        let run = Run { id, ..run };
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).open(unfinished(&folder, &run.id))?;
        let file = Some(BufWriter::new(file));
        Ok(Self { folder, run, file, bytes: 0, results: Sha256::new() })
    }

    /// Adds a result: an entry of `assess --format json`, and its line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, result: &Value, line: &str) -> io::Result<()> {
        self.run.transcripts += 1;
        match result["standing"].as_str().unwrap_or("") {
            "passed" => self.run.passed += 1,
            "gated" => self.run.gated += 1,
            "incomplete" => self.run.incomplete += 1,
            "too-short" => self.run.too_short += 1,
            _ => self.run.failed += 1,
        }
        // Whether calls were made is no result.
        let mut same = result.clone();
        for judge in same["judges"].as_array_mut().into_iter().flatten() {
            judge["cached"].take();
        }
        self.results.update(same.to_string());
        self.bytes += line.len() as u64 + 1;
        if self.bytes > BYTES {
            self.file = None;
        }
        match &mut self.file {
            Some(file) => writeln!(file, "{line}"),
            None => Ok(()),
        }
    }

    /// Ends the run and lists it; answers with its id, or with that of the last run
    /// when nothing came out otherwise than there.
    ///
    /// # Errors
    /// When it cannot be written; then it is not listed.
    pub fn finish(mut self) -> io::Result<String> {
        let begun = unfinished(&self.folder, &self.run.id);
        let digest: [u8; 32] = self.results.clone().finalize().into();
        self.run.results = TranscriptDigest(digest).to_string();
        self.run.at = journal::now();
        let last = list_in(&self.folder, &self.run.owner)?.pop();
        if let Some(last) = last.filter(|last| self.run.same_as(last)) {
            self.file = None;
            fs::remove_file(begun)?;
            return Ok(last.id);
        }
        match self.file.take() {
            Some(file) => {
                file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
                fs::rename(&begun, results(&self.folder, &self.run.id))?;
            }
            None => fs::remove_file(begun)?,
        }
        let line = serde_json::to_string(&self.run)?;
        journal::append(&self.folder.join(INDEX), [line.as_str()])?;
        prune(&self.folder)?;
        Ok(self.run.id)
    }

    /// Forgets what was written.
    pub fn abandon(self) {
        // Nobody lists it; a file that stays takes room alone.
        let _ = fs::remove_file(unfinished(&self.folder, &self.run.id));
    }
}

impl Run {
    fn same_as(&self, other: &Self) -> bool {
        (&self.results, &self.rubric_digest, &self.judges)
            == (&other.results, &other.rubric_digest, &other.judges)
    }
}

/// The runs of a project by this owner, earliest first.
///
/// # Errors
/// When the index is there and cannot be read.
pub fn list(root: &Path, owner: &str) -> io::Result<Vec<Run>> {
    list_in(&folder(root), owner)
}

fn list_in(folder: &Path, owner: &str) -> io::Result<Vec<Run>> {
    let mut all = all_in(folder)?;
    all.retain(|run| run.owner == owner);
    Ok(all)
}

fn all_in(folder: &Path) -> io::Result<Vec<Run>> {
    let text = journal::read(&folder.join(INDEX))?;
    let all = text.lines().filter_map(|line| serde_json::from_str::<Run>(line).ok());
    // An id becomes part of a path.
    let named = |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Ok(all.filter(|run| named(&run.id)).collect())
}

/// The text of a run's results; `None` when they are not kept (any more).
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read(root: &Path, run: &Run) -> io::Result<Option<String>> {
    match fs::read_to_string(results(&folder(root), &run.id)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}

/// True while a run's results are there.
#[must_use]
pub fn is_kept(root: &Path, run: &Run) -> bool {
    results(&folder(root), &run.id).is_file()
}

/// Keeps what a rubric said, once.
///
/// # Errors
/// When it cannot be read or written.
pub fn keep_version(root: &Path, version: &Version) -> io::Result<()> {
    let known = versions(root)?;
    if known.iter().any(|known| known.rubric_digest == version.rubric_digest) {
        return Ok(());
    }
    let line = serde_json::to_string(&Version { at: journal::now(), ..version.clone() })?;
    journal::append(&folder(root).join(RUBRICS), [line.as_str()])
}

/// The rubrics that runs were made with, as they were.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn versions(root: &Path) -> io::Result<Vec<Version>> {
    let text = journal::read(&folder(root).join(RUBRICS))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Takes the results that `about` is true of out of every run; answers with how many.
///
/// # Errors
/// When a file cannot be read or replaced.
pub fn forget(root: &Path, about: &dyn Fn(&Value) -> bool) -> io::Result<usize> {
    let folder = folder(root);
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(0) };
    let mut removed = 0;
    for entry in entries {
        let path = entry?.path();
        if !path.is_file() || path.file_name().is_some_and(|name| name == INDEX || name == RUBRICS)
        {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let keeps = |line: &&str| !serde_json::from_str(line).is_ok_and(|value| about(&value));
        let kept: Vec<&str> = text.lines().filter(keeps).collect();
        let gone = text.lines().count() - kept.len();
        if gone > 0 {
            removed += gone;
            let beside = path.with_extension("tmp");
            fs::write(&beside, kept.iter().map(|line| format!("{line}\n")).collect::<String>())?;
            fs::rename(beside, &path)?;
        }
    }
    Ok(removed)
}

/// Lets go of results that are too many or too large, oldest first.
fn prune(folder: &Path) -> io::Result<()> {
    let (mut kept, mut bytes) = (0, 0);
    for run in all_in(folder)?.iter().rev() {
        let path = results(folder, &run.id);
        let Ok(meta) = path.metadata() else { continue };
        (kept, bytes) = (kept + 1, bytes + meta.len());
        if kept > KEPT || (kept > 1 && bytes > BYTES) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn folder(root: &Path) -> PathBuf {
    root.join(".rubricator/runs")
}

fn results(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.jsonl"))
}

fn unfinished(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.unfinished"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(root: &Path, owner: &str, results: &[(&str, &str)]) -> String {
        let run = Run { owner: owner.into(), judges: vec!["one".into()], ..Run::default() };
        let mut writer = Writer::begin(root, run).unwrap();
        for (n, (id, standing)) in results.iter().enumerate() {
            let result = json!({"id": id, "standing": standing, "judges": [{"cached": n == 0}]});
            writer.add(&result, &result.to_string()).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn a_run_is_kept_with_its_sums_and_an_equal_one_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let first = run(root, "me", &[("a", "passed"), ("b", "too-short")]);
        let again = run(root, "me", &[("a", "passed"), ("b", "too-short")]);
        let third = run(root, "me", &[("a", "failed"), ("b", "too-short")]);
        run(root, "somebody", &[("a", "passed")]);
        assert_eq!(first, again);
        let all = list(root, "me").unwrap();
        let sums: Vec<_> = all.iter().map(|r| (r.id.clone(), r.pass_rate())).collect();
        assert_eq!(sums, [(first, Some(1.0)), (third, Some(0.0))]);
        assert_eq!(read(root, &all[1]).unwrap().unwrap().lines().count(), 2);
        assert_eq!(std::fs::read_to_string(root.join(".rubricator/.gitignore")).unwrap(), "*\n");
        let removed = forget(root, &|result| result["id"] == "a").unwrap();
        assert_eq!((removed, read(root, &all[0]).unwrap().unwrap().lines().count()), (3, 1));
    }

    #[test]
    fn old_results_go_and_their_sums_stay() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..KEPT + 3 {
            run(dir.path(), "me", &[(&format!("t{n}"), "passed")]);
        }
        let all = list(dir.path(), "me").unwrap();
        let kept = all.iter().filter(|run| is_kept(dir.path(), run)).count();
        assert_eq!((all.len(), kept), (KEPT + 3, KEPT));
        assert!(is_kept(dir.path(), all.last().unwrap()));
    }
}
