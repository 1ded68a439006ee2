//! What a batch is called, and what it is declared satisfactory as (SPEC 1).
//!
//! Invariant: names count from the project's folder with `/`, so that a record
//! means the same batch wherever it is read.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::transcript::TranscriptDigest;

/// The batch of the transcripts of a file that name none: the file, or, where it
/// holds a `single` record, its folder. `None` outside the project. Paths are absolute.
#[must_use]
pub fn of_file(root: &Path, path: &Path, single: bool) -> Option<String> {
    let path = if single { path.parent()? } else { path };
    let inside = path.strip_prefix(root).ok()?;
    Some(inside.to_string_lossy().replace('\\', "/")).filter(|name| !name.is_empty())
}

/// The digest of a batch: of its transcripts' texts, in whatever order they stand.
#[must_use]
pub fn digest(members: impl IntoIterator<Item = TranscriptDigest>) -> String {
    let mut digests: Vec<TranscriptDigest> = members.into_iter().collect();
    digests.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(b"rubricator batch 1");
    digests.iter().for_each(|digest| hash.update(digest.0));
    TranscriptDigest(hash.finalize().into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_its_file_or_the_folder_of_single_records() {
        let root = Path::new("/p");
        let name = |path: &str, single| of_file(root, Path::new(path), single);
        assert_eq!(name("/p/data/raw/a.jsonl", false).as_deref(), Some("data/raw/a.jsonl"));
        assert_eq!(name("/p/data/raw/a.json", true).as_deref(), Some("data/raw"));
        assert_eq!(name("/elsewhere/a.jsonl", false), None);
    }

    #[test]
    fn the_order_of_its_transcripts_is_no_part_of_a_batch() {
        let [a, b] = [TranscriptDigest([1; 32]), TranscriptDigest([2; 32])];
        assert_eq!(digest([a, b]), digest([b, a]));
        assert_ne!(digest([a]), digest([a, a]));
    }
}
