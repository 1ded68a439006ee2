//! Counts by content, so that a text is counted once however often it is met.
//!
//! Invariant: an entry is keyed by a 128-bit hash of the whole text, seeded with
//! the counter's identity; so two counters never read each other's counts and an
//! entry never goes stale. Size is bounded: two generations, the older dropped
//! when the younger is full.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::counter::{CountError, Counter};

/// Entries of one generation by default: with both full, about 16 MB.
const GENERATION: usize = 1 << 17;

/// Remembered counts, shared by all threads and all counters.
#[derive(Debug)]
pub struct Memo {
    // Held for one look-up or one insert, never while counting: two threads may
    // count the same new text twice, with the same result.
    counts: Mutex<Generations>,
    generation: usize,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<u128, u32>,
    old: HashMap<u128, u32>,
}

impl Default for Memo {
    fn default() -> Self {
        Self::with_generation(GENERATION)
    }
}

impl Memo {
    /// A memo of at most `2 * generation` counts.
    #[must_use]
    pub fn with_generation(generation: usize) -> Self {
        Self { counts: Mutex::default(), generation: generation.max(1) }
    }

    /// Tokens of `text`, counted at most once while it is remembered.
    ///
    /// # Errors
    /// As [`Counter::count`]; errors are not remembered.
    pub fn count(&self, counter: &Counter, text: &str) -> Result<usize, CountError> {
        if text.is_empty() {
            return Ok(0);
        }
        let key = xxh3_128_with_seed(text.as_bytes(), counter.id());
        if let Some(known) = self.get(key) {
            return Ok(known as usize);
        }
        let tokens = counter.count(text)?;
        // A text has no more tokens than bytes, and records are bounded far below 4 GiB.
        self.put(key, u32::try_from(tokens).unwrap_or(u32::MAX));
        Ok(tokens)
    }

    fn get(&self, key: u128) -> Option<u32> {
        let mut counts = self.lock();
        if let Some(&known) = counts.young.get(&key) {
            return Some(known);
        }
        let known = counts.old.remove(&key)?;
        self.insert(&mut counts, key, known);
        Some(known)
    }

    fn put(&self, key: u128, tokens: u32) {
        self.insert(&mut self.lock(), key, tokens);
    }

    fn insert(&self, counts: &mut Generations, key: u128, tokens: u32) {
        if counts.young.len() >= self.generation {
            counts.old = std::mem::take(&mut counts.young);
        }
        counts.young.insert(key, tokens);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        // No code that can panic runs under the lock, and a count is never half written.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::counter::Encoding;

    #[test]
    fn counts_stay_true_while_generations_turn() {
        let memo = Memo::with_generation(4);
        let counters = [Encoding::O200kBase, Encoding::Cl100kBase].map(Counter::OpenAi);
        for round in 0..3 {
            for n in 0..20 {
                let text = format!("text number {n} 日本語 and a reply");
                for counter in &counters {
                    let fresh = counter.count(&text);
                    assert_eq!(memo.count(counter, &text), fresh, "round {round}, text {n}");
                    assert_eq!(memo.count(counter, &text), fresh, "round {round}, text {n}, again");
                }
                let counts = memo.lock();
                assert!(counts.young.len() <= 4 && counts.old.len() <= 4);
            }
        }
    }
}
