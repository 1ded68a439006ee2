//! What an engine is made with: places, and the parts of the world tests replace.
//!
//! Invariant: an engine asks the environment, and waits, only through these.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::keyring::{self, Lookup};

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The user's own data folder: the owner id, and the store of files outside
    /// any project. `None`: nothing is stored.
    pub data_dir: Option<PathBuf>,
    /// Looks up an environment variable that holds a key.
    pub env: fn(&str) -> Option<String>,
    /// Looks up a key that the environment has not.
    pub keyring: Lookup,
    /// In place of every judge's own `timeout_s`.
    pub timeout: Option<Duration>,
    /// How often one call is sent at most.
    pub attempts: u32,
    /// A server that asks for a longer wait than this is out of quota.
    pub longest_wait: Duration,
    /// How to wait between attempts.
    pub pause: Pause,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            env: |name| std::env::var(name).ok(),
            keyring: keyring::read,
            timeout: None,
            attempts: 5,
            longest_wait: Duration::from_secs(120),
            pause: Pause::real(),
        }
    }
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way to wait: the real one, or a test's.
#[derive(Clone)]
pub struct Pause(Arc<dyn Fn(Duration) -> Waiting + Send + Sync>);

impl Pause {
    /// Waits for real.
    #[must_use]
    pub fn real() -> Self {
        Self(Arc::new(|time| Box::pin(tokio::time::sleep(time))))
    }

    /// Calls this with the time in place of waiting.
    pub fn instead(note: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |time| {
            note(time);
            Box::pin(std::future::ready(()))
        }))
    }

    pub(super) async fn wait(&self, time: Duration) {
        (self.0)(time).await;
    }
}

impl fmt::Debug for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pause")
    }
}
