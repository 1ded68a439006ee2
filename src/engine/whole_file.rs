//! Files that are there whole or not at all.
//!
//! Invariant: what is written goes to a new file beside the old one, and takes its
//! place by a rename once it is on disk; until then, and when anything fails, the
//! old file is as it was.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file on its way.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: BufWriter<File>,
}

impl WholeFile {
    /// Begins a file that will stand at `path`; it keeps the permissions of the file
    /// it replaces.
    ///
    /// # Errors
    /// When the folder is not there or cannot be written.
    pub fn over(path: &Path) -> io::Result<Self> {
        // A link stays a link: what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let (temporary, file) = beside(&path)?;
        let begun = Self { path, temporary, writer: BufWriter::new(file) };
        if let Ok(metadata) = fs::metadata(&begun.path) {
            begun.writer.get_ref().set_permissions(metadata.permissions())?;
        }
        Ok(begun)
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When it cannot be written; then the old file stays.
    pub fn commit(mut self) -> io::Result<()> {
        self.writer.flush()?;
        self.writer.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.path)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // After a commit there is nothing of this name; else the failure that
        // matters was the one before.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// A new file in the same folder, so that the rename stays on one disk.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for attempt in 0..100 {
        let temporary =
            path.with_file_name(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
        match fs::OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder is full of temporary files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut file = WholeFile::over(&path).unwrap();
        file.write_all(b"one").unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        let mut file = WholeFile::over(&path).unwrap();
        file.write_all(b"two").unwrap();
        drop(file);
        assert_eq!((fs::read(&path).unwrap(), names()), (b"one".to_vec(), 1));
    }
}
