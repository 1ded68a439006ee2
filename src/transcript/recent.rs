//! Values of records that have gone, kept a while: a line that is moved, or an
//! edit that is undone, brings its text back and needs no analysis.
//!
//! Invariant: bounded by [`KEPT`] values and [`KEPT_BYTES`] bytes of record text.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

const KEPT: usize = 64;
const KEPT_BYTES: usize = 8 << 20;

/// Values by the hash of the text they are about, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Recent<T> {
    values: VecDeque<Gone<T>>,
    bytes: usize,
}

/// One record that went: the hash and length of its text, and its value.
#[derive(Debug)]
pub(super) struct Gone<T> {
    pub hash: u128,
    pub bytes: usize,
    pub value: Arc<T>,
}

impl<T> Clone for Gone<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), ..*self }
    }
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { values: VecDeque::new(), bytes: 0 }
    }
}

impl<T> Recent<T> {
    /// Takes up what goes now; returns all that is at hand for what comes.
    pub fn remember(&mut self, gone: impl Iterator<Item = Gone<T>>) -> HashMap<u128, Arc<T>> {
        let mut at_hand: HashMap<u128, Arc<T>> =
            self.values.iter().map(|g| (g.hash, Arc::clone(&g.value))).collect();
        for gone in gone {
            at_hand.insert(gone.hash, Arc::clone(&gone.value));
            self.bytes += gone.bytes;
            self.values.push_back(gone);
            while self.values.len() > KEPT || self.bytes > KEPT_BYTES {
                let Some(oldest) = self.values.pop_front() else { break };
                self.bytes -= oldest.bytes;
            }
        }
        at_hand
    }
}
