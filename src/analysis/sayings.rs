//! Which records of a file say the same, with as few of them read for it as can be.
//!
//! Invariant: rule D001 finds what it would if every record had been hashed whole.
//! A record that nothing is like has no hashes; records that are written the same
//! have those of what is written; only the others have to be read again.

use std::collections::HashMap;

use super::brief::Traits;
use crate::text::json;
use crate::transcript::{digest, read};

/// What a conversation says, in hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Equal for equal conversations.
    pub content: u128,
    /// The same through case, white space and punctuation.
    pub normalised: u128,
}

/// What is known of what the records of a file say.
#[derive(Debug)]
pub struct Sayings {
    said: Vec<Option<Said>>,
    unsettled: Vec<Group>,
}

/// Records that are written the same, and are like others that are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The first of them: the one to read.
    pub first: usize,
    records: Vec<usize>,
}

/// What can be told of the records without reading them again.
#[must_use]
pub fn settled(records: &[&Traits]) -> Sayings {
    let mut alike: HashMap<u64, Vec<(usize, u128)>> = HashMap::new();
    for (index, traits) in records.iter().enumerate() {
        if let Some(likeness) = traits.likeness() {
            alike.entry(likeness.sample).or_default().push((index, likeness.raw));
        }
    }
    let mut sayings = Sayings { said: vec![None; records.len()], unsettled: Vec::new() };
    for group in alike.into_values().filter(|group| group.len() > 1) {
        sayings.note(&group);
    }
    sayings.unsettled.sort_unstable_by_key(|group| group.first);
    sayings
}

impl Sayings {
    /// Takes in records that are like each other, with the hash of what is written.
    fn note(&mut self, group: &[(usize, u128)]) {
        let mut written: HashMap<u128, Vec<usize>> = HashMap::new();
        for &(index, raw) in group {
            written.entry(raw).or_default().push(index);
        }
        let all_same = written.len() == 1;
        for (raw, records) in written {
            let group = Group { first: records[0], records };
            if all_same {
                self.settle(&group, Some(Said { content: raw, normalised: raw }));
            } else {
                self.unsettled.push(group);
            }
        }
    }

    /// The records that have to be read, in order; each stands for its group.
    #[must_use]
    pub fn unsettled(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.unsettled)
    }

    /// Says what the first record of a group says.
    pub fn settle(&mut self, group: &Group, said: Option<Said>) {
        for &index in &group.records {
            self.said[index] = said;
        }
    }

    /// What a record says, by its index; `None` when no other is like it.
    #[must_use]
    pub fn of(&self, index: usize) -> Option<Said> {
        self.said.get(index).copied().flatten()
    }
}

impl Said {
    /// What a record says; `None` when it is no conversation.
    #[must_use]
    pub fn of(record: &str, depth_limit: usize) -> Option<Self> {
        let json = json::parse(record, depth_limit);
        let transcript = read(record, &json).transcript.ok()?;
        let normalised = digest::normalised(&transcript);
        Some(Self { content: digest::content(&transcript), normalised })
    }
}
