//! Where finished transcripts go, and the snapshots of the prompts that made them.
//!
//! Invariant: nothing is written outside the project; a record is whole or not there:
//! half a line that a kill left behind is taken away before the next one is appended,
//! and nothing else in the file is ever touched. One process generates in a project at
//! a time, so nothing is paid for twice.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::engine::journal;
use crate::engine::store::{self, prepare};
use crate::engine::stores::Opened;
use crate::engine::workspace::plain;
use crate::generate::version::Ingredient;

/// Where the snapshots are, in the project.
const SNAPSHOTS: &str = "prompt_versions";
/// What a record of ours begins with.
const OURS: &str = "{\"id\":\"g";

/// The file that transcripts are appended to.
#[derive(Debug)]
pub struct Outlet {
    /// The file.
    pub path: PathBuf,
    root: PathBuf,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

impl Outlet {
    /// The outlet of a project.
    ///
    /// # Errors
    /// When the file would lie outside it.
    pub fn new(root: &Path, path: &Path) -> Result<Self, String> {
        let path = root.join(path);
        inside(root, &path)?;
        Ok(Self { path, root: root.to_owned() })
    }

    /// The ids that are in the file, once half a line of ours is taken away.
    ///
    /// # Errors
    /// When it cannot be read or mended.
    pub fn ids(&self) -> Result<HashSet<String>, String> {
        let failed = |e: io::Error| format!("{} {}", self.path.display(), plain(&e));
        let mut file = match OpenOptions::new().read(true).write(true).open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
            opened => opened.map_err(failed)?,
        };
        file.lock().map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let last = &text[whole..];
        if last.starts_with(OURS) && serde_json::from_str::<Named>(last).is_err() {
            file.set_len(whole as u64).and_then(|()| file.sync_data()).map_err(failed)?;
        }
        let named = |line: &str| serde_json::from_str::<Named>(line).ok()?.id;
        Ok(text.lines().filter_map(named).collect())
    }

    /// Appends a record, on disk when this returns.
    pub(super) fn append(&self, record: &str) -> Result<(), String> {
        inside(&self.root, &self.path)?;
        let failed = |e: io::Error| {
            format!("{} {}", self.path.display(), plain(&e).replace("read", "written"))
        };
        journal::append(&self.path, [record]).map_err(failed)
    }

    /// A lock that no other process has, for as long as it lives.
    pub(super) fn alone(&self, opened: &Opened) -> Result<Option<File>, String> {
        if opened.store().is_none() {
            return Ok(None);
        }
        let store = store::place(&self.root, Some(&self.root));
        prepare(&store).map_err(|e| e.to_string())?;
        let path = store.with_file_name("generate.lock");
        let failed = |e: io::Error| format!("{} {}", path.display(), plain(&e));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => {
                Err("another run generates in this project: wait for it, or stop it".into())
            }
            Err(fs::TryLockError::Error(e)) => Err(failed(e)),
        }
    }
}

/// Writes a snapshot of every prompt that has none yet; which were new.
///
/// # Errors
/// When one cannot be written.
pub fn snapshots(root: &Path, ingredients: &[Ingredient]) -> Result<Vec<String>, String> {
    let mut new = Vec::new();
    for ingredient in ingredients {
        let name = format!("{SNAPSHOTS}/{}", ingredient.snapshot());
        let path = root.join(&name);
        inside(root, &path)?;
        if fs::read_to_string(&path).is_ok_and(|text| text == ingredient.text) {
            continue;
        }
        let folder = path.parent().unwrap_or(root);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, &ingredient.text));
        written.map_err(|e| format!("{name} {}", plain(&e).replace("read", "written")))?;
        new.push(name);
    }
    Ok(new)
}

/// Refuses a path that a link, or dots, lead out of the project.
pub(super) fn inside(root: &Path, path: &Path) -> Result<(), String> {
    let out = || format!("{} leads out of the project", path.display());
    let real_root = root.canonicalize().map_err(|e| format!("{} {}", root.display(), plain(&e)))?;
    let there = path.ancestors().find(|place| place.symlink_metadata().is_ok());
    let real = there.and_then(|place| place.canonicalize().ok()).ok_or_else(out)?;
    let dots = path.components().any(|part| part == std::path::Component::ParentDir);
    if real.starts_with(&real_root) && !dots { Ok(()) } else { Err(out()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_record_of_ours_is_taken_away_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let outlet = Outlet::new(dir.path(), Path::new("data/g.jsonl")).unwrap();
        assert!(outlet.ids().unwrap().is_empty());
        outlet.append("{\"id\":\"g0-0000-a\",\"b\":1}").unwrap();
        let whole = fs::read_to_string(&outlet.path).unwrap();
        fs::write(&outlet.path, format!("{whole}{{\"id\":\"g0-0001-a\",\"b")).unwrap();
        assert_eq!(outlet.ids().unwrap(), HashSet::from(["g0-0000-a".to_owned()]));
        assert_eq!(fs::read_to_string(&outlet.path).unwrap(), whole);
        for theirs in ["{\"id\":\"mine\", half", "{\"id\":\"g0-0002-a\"}"] {
            fs::write(&outlet.path, format!("{whole}{theirs}")).unwrap();
            outlet.ids().unwrap();
            assert_eq!(fs::read_to_string(&outlet.path).unwrap(), format!("{whole}{theirs}"));
        }
    }

    #[test]
    fn a_changed_prompt_is_kept_beside_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let prompt = |text: &str| Ingredient { name: "system", ending: "md", text: text.into() };
        let first = snapshots(dir.path(), &[prompt("a"), prompt("b")]).unwrap();
        assert_eq!(first.len(), 2);
        assert!(snapshots(dir.path(), &[prompt("a")]).unwrap().is_empty());
        assert_eq!(fs::read_to_string(dir.path().join(&first[0])).unwrap(), "a");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_outside() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), dir.path().join("data")).unwrap();
        std::os::unix::fs::symlink(other.path().join("no"), dir.path().join("x.jsonl")).unwrap();
        for path in ["data/g.jsonl", "x.jsonl", "../g.jsonl", "/tmp/g.jsonl"] {
            let why = Outlet::new(dir.path(), Path::new(path)).unwrap_err();
            assert!(why.contains("leads out of the project"), "{why}");
        }
    }
}
