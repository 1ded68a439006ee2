//! Dice that are thrown by name.
//!
//! Invariant: a roll follows from the seed, the transcript's number and its own name,
//! and from nothing else: there is no state to lose, so a transcript that is taken up
//! in the middle goes on as it would have.

use sha2::{Digest as _, Sha256};

/// Changes whenever the meaning of the bytes below changes.
const VERSION: &[u8] = b"rubricator roll 1";

/// The dice of one transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rolls {
    /// The run's seed.
    pub seed: u64,
    /// The transcript's number in it, from 0.
    pub index: u64,
}

impl Rolls {
    /// A number from 0 up to, and without, 1.
    #[must_use]
    pub fn roll(self, name: &str) -> f64 {
        // Every part before the name has a fixed length, so no two run together.
        let mut hash = Sha256::new();
        hash.update(VERSION);
        hash.update(self.seed.to_le_bytes());
        hash.update(self.index.to_le_bytes());
        hash.update(name);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        // The 53 bits that a double holds exactly.
        (u64::from_le_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True this share of the time.
    #[must_use]
    pub fn chance(self, name: &str, share: f64) -> bool {
        self.roll(name) < share
    }

    /// A whole number between two, both included.
    #[must_use]
    pub fn between(self, name: &str, low: usize, high: usize) -> usize {
        let span = high.saturating_sub(low) + 1;
        low + ((self.roll(name) * span as f64) as usize).min(span - 1)
    }

    /// One of these by weight; `None` where there is none, or none weighs anything.
    #[must_use]
    pub fn pick<'a, T>(
        self,
        name: &str,
        items: &'a [T],
        weight: impl Fn(&T) -> f64,
    ) -> Option<&'a T> {
        let total: f64 = items.iter().map(&weight).sum();
        let mut rest = self.roll(name) * total;
        let weighty = || items.iter().filter(|item| weight(item) > 0.0);
        for item in weighty() {
            rest -= weight(item);
            if rest < 0.0 {
                return Some(item);
            }
        }
        // What rounding leaves over belongs to the last.
        weighty().next_back()
    }

    /// So many different ones by weight, in the order they were drawn.
    #[must_use]
    pub fn draw<'a, T>(
        self,
        name: &str,
        items: &'a [T],
        count: usize,
        weight: impl Fn(&T) -> f64,
    ) -> Vec<&'a T> {
        let mut left: Vec<&T> = items.iter().collect();
        let mut drawn = Vec::new();
        while drawn.len() < count {
            let name = format!("{name} {}", drawn.len());
            let Some(next) = self.pick(&name, &left, |item| weight(item)).copied() else { break };
            left.retain(|item| !std::ptr::eq(*item, next));
            drawn.push(next);
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLS: Rolls = Rolls { seed: 7, index: 3 };

    #[test]
    fn a_roll_follows_from_its_name_alone() {
        let first = ROLLS.roll("style");
        assert_ne!(first.to_bits(), ROLLS.roll("topic").to_bits());
        assert_eq!(first.to_bits(), ROLLS.roll("style").to_bits());
        let other = Rolls { index: 4, ..ROLLS };
        assert_ne!(first.to_bits(), other.roll("style").to_bits());
        assert!((0..500).all(|n| (0.0..1.0).contains(&ROLLS.roll(&n.to_string()))));
    }

    #[test]
    fn what_weighs_nothing_is_never_picked() {
        let items = [("a", 0.0), ("b", 0.3), ("c", 0.0)];
        for n in 0..50 {
            assert_eq!(ROLLS.pick(&n.to_string(), &items, |i| i.1).unwrap().0, "b");
        }
        assert_eq!(ROLLS.pick("x", &items[..1], |i| i.1), None);
        assert_eq!(ROLLS.pick("x", &items[..0], |i| i.1), None);
    }

    #[test]
    fn what_is_drawn_is_drawn_once() {
        let items = ["a", "b", "c"];
        let mut drawn = ROLLS.draw("x", &items, 5, |_| 1.0);
        assert_eq!(drawn.len(), 3);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 3);
    }

    #[test]
    fn a_number_between_two_is_between_them() {
        let numbers: Vec<usize> = (0..200).map(|n| ROLLS.between(&n.to_string(), 3, 6)).collect();
        assert_eq!((numbers.iter().min(), numbers.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(ROLLS.between("x", 4, 4), 4);
    }
}
