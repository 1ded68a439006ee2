//! What an engine is made with: places, and the parts of the world tests replace.
//!
//! Invariant: an engine asks the environment, and waits, only through these.

use std::path::PathBuf;
use std::time::Duration;

use super::clock::Clock;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The user's own data folder: the owner id, and the store of files outside
    /// any project. `None`: nothing is stored.
    pub data_dir: Option<PathBuf>,
    /// Looks up an environment variable that holds a key.
    pub env: fn(&str) -> Option<String>,
    /// In place of every judge's own `timeout_s`.
    pub timeout: Option<Duration>,
    /// Time and chance.
    pub clock: Clock,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            env: |name| std::env::var(name).ok(),
            timeout: None,
            clock: Clock::real(),
        }
    }
}
