//! Which transcripts are held back for validation.
//!
//! Decided before anything is cut, by group: all transcripts of one persona are on
//! one side (WR87). A group is held back when the first 8 bytes of SHA-256 of
//! `seed:group`, as a share of 2^64, are under the share asked for, so adding
//! transcripts moves none of those that are there.

use sha2::{Digest as _, Sha256};

use crate::text::json::{Kind, Value};
use crate::transcript::digest::canonical;

/// One side of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Trained on.
    Training,
    /// Held back.
    Validation,
}

impl Side {
    /// The word for it in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Training => "train",
            Self::Validation => "validation",
        }
    }
}

/// How transcripts are split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Mixed into every group's hash.
    pub seed: u64,
    /// The share held back, from 0 to 1.
    pub validation: f64,
}

impl Split {
    /// The side of a group.
    #[must_use]
    pub fn side(&self, group: &str) -> Side {
        let hash = Sha256::digest(format!("{}:{group}", self.seed).as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        let place = u64::from_be_bytes(first) as f64 / 2f64.powi(64);
        if place < self.validation { Side::Validation } else { Side::Training }
    }
}

/// The group of a record: `persona.id`, else what `persona` says, else the transcript's id.
///
/// A persona that is an object stands for itself as JSON without white space, keys
/// in the order they are written.
#[must_use]
pub fn group(root: Option<Value<'_>>, id: &str) -> String {
    let persona = root.filter(|r| r.kind() == Kind::Object).and_then(|r| r.get("persona"));
    let named = persona.filter(|p| p.kind() == Kind::Object).and_then(|p| p.get("id"));
    named.and_then(said).or_else(|| persona.and_then(said)).unwrap_or_else(|| id.to_owned())
}

/// What a value says; nothing when it is null or empty.
fn said(value: Value<'_>) -> Option<String> {
    let said = match value.kind() {
        Kind::Null => return None,
        Kind::String => value.str().unwrap_or_default().into_owned(),
        _ => canonical(value.raw()),
    };
    (!said.is_empty() && said != "{}" && said != "[]").then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json::{DEPTH_LIMIT, parse};

    #[track_caller]
    fn check(record: &str, expected: &str) {
        assert_eq!(group(parse(record, DEPTH_LIMIT).root(record), "t1"), expected, "{record}");
    }

    #[test]
    fn a_group_is_a_persona_or_the_transcript() {
        check(r#"{"id": "t1", "persona": {"id": "p7", "age": 3}}"#, "p7");
        check(r#"{"persona": {"id": 7}}"#, "7");
        check(r#"{"persona": {"age": 3, "name": "A\u00e9"}}"#, r#"{"age":3,"name":"Aé"}"#);
        check(r#"{"persona": "the baker"}"#, "the baker");
        check(r#"{"persona": null}"#, "t1");
        check(r#"{"persona": {}}"#, "t1");
        check(r#"{"persona": {"id": ""}}"#, r#"{"id":""}"#);
        check(r#"[["a", "b"]]"#, "t1");
    }

    #[test]
    fn the_share_is_met_and_nothing_moves_when_it_grows() {
        let small = Split { seed: 0, validation: 0.1 };
        let large = Split { seed: 0, validation: 0.2 };
        let groups: Vec<String> = (0..4000).map(|n| format!("p{n}")).collect();
        let held = |split: &Split| {
            groups.iter().filter(|g| split.side(g) == Side::Validation).collect::<Vec<_>>()
        };
        let (few, more) = (held(&small), held(&large));
        assert!((300..=500).contains(&few.len()), "{}", few.len());
        assert!(few.iter().all(|g| more.contains(g)));
        assert_ne!(few, held(&Split { seed: 1, validation: 0.1 }));
    }

    #[test]
    fn the_ends_of_the_share() {
        for group in ["a", "b", "c"] {
            assert_eq!(Split { seed: 0, validation: 0.0 }.side(group), Side::Training);
            assert_eq!(Split { seed: 0, validation: 1.0 }.side(group), Side::Validation);
        }
    }

    #[test]
    fn a_place_is_the_one_that_hashlib_gives() {
        let side = |group: &str, validation| Split { seed: 0, validation }.side(group);
        for (group, place) in [("p2", 0.055_140_951_333), ("p7", 0.229_323_847_953)] {
            assert_eq!(side(group, place - 1e-9), Side::Training, "{group}");
            assert_eq!(side(group, place + 1e-9), Side::Validation, "{group}");
        }
    }
}
