//! The projects this user trusts, remembered in the user's own data folder.
//!
//! Invariant: trust is given to one project folder by its real path, and never
//! read from anything inside a project. The file only grows, a line at a time, so
//! several processes may write it; of two lines about a folder the later one holds.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const FILE: &str = "trusted-projects.jsonl";

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Trusted(PathBuf),
    Revoked { revoked: PathBuf },
}

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
    add(data_dir, &Line::Trusted(root))?;
    Ok(true)
}

/// Takes trust back; false when there was none. A folder that is gone goes by the
/// path it had.
///
/// # Errors
/// The user's data folder cannot be written.
pub fn revoke(data_dir: &Path, root: &Path) -> io::Result<bool> {
    let root = root.canonicalize().or_else(|_| std::path::absolute(root))?;
    if !read(data_dir).contains(&root) {
        return Ok(false);
    }
    add(data_dir, &Line::Revoked { revoked: root })?;
    Ok(true)
}

/// Every trusted folder, in the order in which they were trusted.
#[must_use]
pub fn all(data_dir: &Path) -> Vec<PathBuf> {
    read(data_dir)
}

fn add(data_dir: &Path, line: &Line) -> io::Result<()> {
    // A path that is no Unicode cannot be written as JSON.
    let mut line = serde_json::to_string(line)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "its path is not Unicode"))?;
    line.push('\n');
    std::fs::create_dir_all(data_dir)?;
    let path = data_dir.join(FILE);
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    // One write of one line: several processes may do this at once.
    file.write_all(line.as_bytes())
}

/// The trusted folders; a line that cannot be read trusts nothing.
fn read(data_dir: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(data_dir.join(FILE)).unwrap_or_default();
    let mut trusted: Vec<PathBuf> = Vec::new();
    for line in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Trusted(root) if !trusted.contains(&root) => trusted.push(root),
            Line::Trusted(_) => {}
            Line::Revoked { revoked } => trusted.retain(|root| *root != revoked),
        }
    }
    trusted
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

    #[test]
    fn trust_can_be_taken_back_and_given_again() {
        let data = tempfile::tempdir().unwrap();
        let project = tempfile::tempdir().unwrap();
        let real = project.path().canonicalize().unwrap();
        assert!(!revoke(data.path(), project.path()).unwrap());
        trust(data.path(), project.path()).unwrap();
        assert_eq!(all(data.path()), [real]);
        assert!(revoke(data.path(), project.path()).unwrap());
        assert!(!is_trusted(data.path(), project.path()));
        assert!(all(data.path()).is_empty());
        assert!(trust(data.path(), project.path()).unwrap());
        assert!(is_trusted(data.path(), project.path()));
    }

    #[test]
    fn a_line_that_cannot_be_read_trusts_nothing() {
        let data = tempfile::tempdir().unwrap();
        let project = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(FILE), "\"/\n{\n[]\n{\"revoked\":1}\n").unwrap();
        assert!(all(data.path()).is_empty());
        assert!(trust(data.path(), project.path()).unwrap());
        assert_eq!(all(data.path()).len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_trusted_as_what_it_leads_to() {
        let data = tempfile::tempdir().unwrap();
        let place = tempfile::tempdir().unwrap();
        let (real, other) = (place.path().join("real"), place.path().join("other"));
        std::fs::create_dir(&real).unwrap();
        std::fs::create_dir(&other).unwrap();
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(trust(data.path(), &link).unwrap());
        assert!(is_trusted(data.path(), &real));
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
        assert!(!is_trusted(data.path(), &link), "the link now leads elsewhere");
    }
}
