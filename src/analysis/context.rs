//! What a record is looked at with, and what is remembered between two looks.
//!
//! Invariant: a [`Memo`] only saves work; with an empty one the result is the same.
//! Its keys hold everything that changes the value: a message's content key, and
//! for check facts the check's own key.

use std::collections::HashMap;
use std::sync::Arc;

use crate::doctor::Target;
use crate::rubric::Rubric;
use crate::rubric::check::{Check, MessageFacts};
use crate::text::json;
use crate::tokens::RecordCounter;
use crate::transcript::{Message, digest, words};

/// The rubric, the counter and the limits a record is looked at with.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its checks are run; `None` without a rubric.
    pub rubric: Option<Arc<Rubric>>,
    /// How tokens are counted; `None` leaves them uncounted.
    pub counting: Option<Arc<Counting>>,
    /// What the data is for, where its findings are wanted.
    pub target: Option<Arc<Target>>,
    /// Which findings are wanted.
    pub families: Families,
    /// Words and digests are wanted: what an editor shows beside the text.
    pub measures: bool,
    /// Levels JSON may nest.
    pub depth_limit: usize,
}

/// How tokens are counted and how many there may be.
#[derive(Clone, Debug)]
pub struct Counting {
    /// Tokenizer and chat template.
    pub counter: RecordCounter,
    /// Tokens a record may have.
    pub limit: usize,
    /// The chat template was named in the settings, so what it does is the user's concern.
    pub template_is_set: bool,
}

/// Which families of findings are wanted (`check --only`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// The structure rules.
    pub structure: bool,
    /// Token findings.
    pub tokens: bool,
    /// Computed criteria.
    pub checks: bool,
}

impl Families {
    /// All of them.
    pub const ALL: Self = Self { structure: true, tokens: true, checks: true };
}

impl Default for Context {
    fn default() -> Self {
        Self {
            rubric: None,
            counting: None,
            target: None,
            families: Families::ALL,
            measures: true,
            depth_limit: json::DEPTH_LIMIT,
        }
    }
}

/// Entries of one generation; two are kept, so this bounds the memory to tens of megabytes.
const GENERATION: usize = 1 << 16;

/// Facts about messages by their content, so that an edit costs one message.
#[derive(Debug, Default)]
pub struct Memo {
    words: Generations<u128, usize>,
    digests: Generations<u128, [u8; 32]>,
    normalised: Generations<u128, u128>,
    facts: Generations<(u128, u64), Arc<MessageFacts>>,
}

impl Memo {
    /// Words of a message's text.
    pub fn words(&mut self, message: &Message) -> usize {
        self.words.get_or(message.key, || words::count(&message.text))
    }

    /// The digest of a message.
    pub fn digest(&mut self, record: &str, message: &Message) -> [u8; 32] {
        self.digests.get_or(message.key, || digest::message(record, message))
    }

    /// What a message is but for case, white space and punctuation.
    pub fn normalised(&mut self, message: &Message) -> u128 {
        self.normalised.get_or(message.key, || digest::normalised_message(message))
    }

    /// Takes up what another one remembers.
    pub fn absorb(&mut self, other: Self) {
        self.words.absorb(other.words);
        self.digests.absorb(other.digests);
        self.normalised.absorb(other.normalised);
        self.facts.absorb(other.facts);
    }

    /// What a check sees in a message.
    pub fn facts(&mut self, check: &Check, message: &Message) -> Arc<MessageFacts> {
        self.facts.get_or((message.key, check.key()), || Arc::new(check.facts(message)))
    }
}

/// A bounded map: when the young half is full, the old half is dropped.
#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: std::hash::Hash + Eq, V: Clone> Generations<K, V> {
    fn absorb(&mut self, other: Self) {
        for (key, value) in other.old.into_iter().chain(other.young) {
            self.insert(key, value);
        }
    }

    fn get_or(&mut self, key: K, make: impl FnOnce() -> V) -> V {
        if let Some(known) = self.young.get(&key) {
            return known.clone();
        }
        let value = self.old.remove(&key).unwrap_or_else(make);
        self.insert(key, value.clone());
        value
    }

    fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}
