//! The secret that a prompt's boundaries are made with.
//!
//! Invariant: it never leaves this machine and is part of no answer's key; it
//! stays the same from run to run, so a resumed run sends the same prompts. Where
//! it cannot be kept, it lasts as long as the process.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::prompt::FenceKey;

use super::store::owner;

const FILE: &str = "fence-key";

/// The user's key; made on first use.
pub(super) fn key(data_dir: Option<&Path>) -> FenceKey {
    let kept = data_dir.and_then(|dir| owner::once(dir, FILE).ok());
    let secret = kept.or_else(|| owner::random().ok()).unwrap_or_else(accidental);
    FenceKey::new(Sha256::digest(secret).into())
}

/// Where not even random bits can be had: the seed of the process's hash maps,
/// which the system draws.
fn accidental() -> String {
    use std::hash::BuildHasher as _;
    let drawn = || std::hash::RandomState::new().hash_one(FILE);
    format!("{:016x}{:016x}", drawn(), drawn())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_one_key_and_a_process_without_a_folder_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let (mine, again) = (key(Some(dir.path())), key(Some(dir.path())));
        assert!(mine == again && mine != key(None) && key(None) != key(None));
        let other = tempfile::tempdir().unwrap();
        assert!(mine != key(Some(other.path())));
    }
}
