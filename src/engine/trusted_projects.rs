//! The projects this user trusts, remembered in the user's own data folder.
//!
//! Invariant: trust is given to one project folder by its real path, and never
//! read from anything inside a project.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "trusted-projects.jsonl";

/// True when the user trusted the project in `root`.
#[must_use]
pub fn is_trusted(data_dir: &Path, root: &Path) -> bool {
    root.canonicalize().is_ok_and(|root| read(data_dir).contains(&root))
}

/// Remembers that the user trusts the project in `root`; false when it was known.
///
/// # Errors
/// The folder does not exist, or the user's data folder cannot be written.
pub fn trust(data_dir: &Path, root: &Path) -> io::Result<bool> {
    let root = root.canonicalize()?;
    if read(data_dir).contains(&root) {
        return Ok(false);
    }
    let text = root
        .to_str()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "its path is not Unicode"))?;
    std::fs::create_dir_all(data_dir)?;
    let line = format!("{}\n", serde_json::Value::from(text));
    let path = data_dir.join(FILE);
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    // One write of one line: several processes may do this at once.
    file.write_all(line.as_bytes())?;
    Ok(true)
}

/// The trusted folders; a line that cannot be read trusts nothing.
fn read(data_dir: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(data_dir.join(FILE)).unwrap_or_default();
    text.lines().filter_map(|l| serde_json::from_str::<PathBuf>(l).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_for_one_folder_and_lasts() {
        let data = tempfile::tempdir().unwrap();
        let project = tempfile::tempdir().unwrap();
        let inner = project.path().join("clone");
        std::fs::create_dir(&inner).unwrap();
        assert!(!is_trusted(data.path(), project.path()));
        assert!(trust(data.path(), project.path()).unwrap());
        assert!(!trust(data.path(), project.path()).unwrap());
        assert!(is_trusted(data.path(), project.path()));
        assert!(!is_trusted(data.path(), &inner), "what lies inside is another project");
    }
}
