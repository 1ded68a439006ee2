//! Links from the report to transcripts: paths from the report's own folder, so
//! that they work wherever the project is, and name no folder above it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Paths seen from a folder.
pub struct Links {
    folder: Option<PathBuf>,
    known: RefCell<HashMap<Arc<str>, Arc<str>>>,
}

impl Links {
    /// Paths seen from this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: absolute(folder), known: RefCell::default() }
    }

    /// The path of a file as shown, from the folder.
    pub fn from(&self, file: &Arc<str>) -> Arc<str> {
        let find = || {
            let from = self.folder.as_deref()?;
            Some(between(from, &absolute(Path::new(&**file))?))
        };
        let mut known = self.known.borrow_mut();
        let path = || find().map_or_else(|| Arc::clone(file), Into::into);
        Arc::clone(known.entry(Arc::clone(file)).or_insert_with(path))
    }
}

fn absolute(path: &Path) -> Option<PathBuf> {
    path.canonicalize().or_else(|_| std::path::absolute(path)).ok()
}

/// From one folder to a file, both absolute, with `/`.
fn between(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<Component>, Vec<Component>) =
        (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[same..].iter().map(|_| "..".to_owned());
    let down = to[same..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_report() {
        let path = |from: &str, to: &str| between(Path::new(from), Path::new(to));
        assert_eq!(path("/p", "/p/data/raw/a.jsonl"), "data/raw/a.jsonl");
        assert_eq!(path("/p/out", "/p/data/a.jsonl"), "../data/a.jsonl");
    }
}
