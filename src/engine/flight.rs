//! Single flight: an answer that is being asked for is not asked for again.
//!
//! Invariant: at any moment at most one holder of a [`Permit`] per key; a permit
//! that ends without an outcome (cancelled, panicked) frees the key, and those
//! who waited ask themselves.
//!
//! To stay free of deadlocks, a caller first finishes what it holds permits for
//! and only then waits for others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::assessment::Outcome;

use super::answer_key::KeyDigest;

type Open = HashMap<KeyDigest, watch::Receiver<Option<Outcome>>>;

/// What is being asked in this process.
#[derive(Clone, Debug, Default)]
pub struct Flights {
    // Held only to look up, insert or remove one key; never across an await.
    open: Arc<Mutex<Open>>,
}

/// Who asks.
#[derive(Debug)]
pub enum Claim {
    /// The caller does.
    Ours(Permit),
    /// Somebody does already.
    Theirs(Waiter),
}

/// The right, and the duty, to ask.
#[derive(Debug)]
pub struct Permit {
    flights: Flights,
    key: KeyDigest,
    outcome: watch::Sender<Option<Outcome>>,
}

/// A seat to wait for somebody else's outcome.
#[derive(Debug)]
pub struct Waiter(watch::Receiver<Option<Outcome>>);

impl Flights {
    /// Claims a key.
    #[must_use]
    pub fn claim(&self, key: KeyDigest) -> Claim {
        let mut open = self.lock();
        if let Some(outcome) = open.get(&key) {
            return Claim::Theirs(Waiter(outcome.clone()));
        }
        let (sender, receiver) = watch::channel(None);
        open.insert(key, receiver);
        Claim::Ours(Permit { flights: self.clone(), key, outcome: sender })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // A map of keys is whole after every operation, whoever panicked.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Hands the outcome to everybody who waits.
    pub fn land(self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
    }
}

impl Waiter {
    /// The outcome; `None` when nobody asks any more.
    pub async fn outcome(mut self) -> Option<Outcome> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{Unscored, UnscoredReason};

    fn outcome() -> Outcome {
        Unscored::new(UnscoredReason::Refused, "no").into()
    }

    #[tokio::test]
    async fn one_asks_and_the_others_wait() {
        let flights = Flights::default();
        let Claim::Ours(permit) = flights.claim([1; 32]) else { panic!("first") };
        let Claim::Theirs(waiter) = flights.claim([1; 32]) else { panic!("second") };
        assert!(matches!(flights.claim([2; 32]), Claim::Ours(_)));
        permit.land(outcome());
        assert_eq!(waiter.outcome().await, Some(outcome()));
        assert!(matches!(flights.claim([1; 32]), Claim::Ours(_)));
    }

    #[tokio::test]
    async fn who_gives_up_frees_the_key() {
        let flights = Flights::default();
        let Claim::Ours(permit) = flights.claim([1; 32]) else { panic!("first") };
        let Claim::Theirs(waiter) = flights.claim([1; 32]) else { panic!("second") };
        drop(permit);
        assert_eq!(waiter.outcome().await, None);
        assert!(matches!(flights.claim([1; 32]), Claim::Ours(_)));
    }
}
