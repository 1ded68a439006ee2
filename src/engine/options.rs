//! What an engine is made with: places, and the parts of the world tests replace.
//!
//! Invariant: an engine asks the environment, and waits, only through these.

use std::path::PathBuf;
use std::time::Duration;

use super::clock::Clock;
use super::keyring::{self, Lookup};
use super::{prices, workspace};

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The user's own data folder: the owner id, and the store of files outside
    /// any project, the ledger. `None`: nothing is stored.
    pub data_dir: Option<PathBuf>,
    /// Answers are kept; where not, they are asked anew each time.
    pub keeps_answers: bool,
    /// The user's own price list, read anew for every plan and run.
    pub price_file: Option<PathBuf>,
    /// Looks up an environment variable that holds a key.
    pub env: fn(&str) -> Option<String>,
    /// Looks up a key that the environment has not.
    pub keyring: Lookup,
    /// In place of every judge's own `timeout_s`.
    pub timeout: Option<Duration>,
    /// Hand calls in as batches where a provider has them: half the price, and
    /// up to a day.
    pub batch: bool,
    /// Time and chance.
    pub clock: Clock,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            keeps_answers: true,
            price_file: None,
            env: |name| std::env::var(name).ok(),
            keyring: keyring::read,
            timeout: None,
            batch: false,
            clock: Clock::real(),
        }
    }
}

impl EngineOptions {
    /// With the folders and the price list of the user whose command line this is.
    #[must_use]
    pub fn of_user() -> Self {
        let (data_dir, price_file) = (workspace::data_dir(), prices::own_file());
        Self { data_dir, price_file, ..Self::default() }
    }
}
