//! The folder of a store, and the files beside it, before SQLite touches them.
//!
//! Invariant: nothing that a repository can ship beside a store leads outside it:
//! no link is followed, and a rollback journal, which we never leave behind, is
//! not played back (it may name other files to delete).

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Makes the folder. One inside a project gets its own ignore file.
pub(in crate::engine) fn prepare(path: &Path) -> Result<(), StoreError> {
    let failed = |e: io::Error| StoreError::Failed(path.to_owned(), e.to_string());
    let Some(folder) = path.parent() else { return Ok(()) };
    let in_project = folder.file_name().is_some_and(|name| name == ".rubricator");
    let linked = |place: &Path| place.symlink_metadata().is_ok_and(|m| m.is_symlink());
    let beside = ["", "-wal", "-shm", "-journal"].map(|end| beside(path, end));
    if (in_project && linked(folder)) || beside.iter().any(|place| linked(place)) {
        return Err(StoreError::Failed(path.to_owned(), "it is a symbolic link".into()));
    }
    if beside[3].exists() {
        let why = "there is a journal beside it that is not ours".into();
        return Err(StoreError::Broken(path.to_owned(), why));
    }
    fs::create_dir_all(folder).map_err(failed)?;
    if in_project { ignore(&folder.join(".gitignore")).map_err(failed) } else { Ok(()) }
}

/// The file of this ending beside the store.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A file that is there stays, and a link is not written through.
fn ignore(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}
