//! What ends a run early: all of it, or the part about some transcripts.
//!
//! Invariant: dropping a transcript ends its calls, those under way and those to
//! come, and touches no other; it cannot be undone within the run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::transcript::TranscriptDigest;

/// Cancels a run, or its part about a transcript; cheap to clone, all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    run: CancellationToken,
    // Held only to look up one token; never across an await.
    parts: Arc<Mutex<HashMap<TranscriptDigest, CancellationToken>>>,
}

impl From<CancellationToken> for Cancel {
    fn from(run: CancellationToken) -> Self {
        Self { run, parts: Arc::default() }
    }
}

impl Cancel {
    /// Cancels the whole run.
    pub fn cancel(&self) {
        self.run.cancel();
    }

    /// What is cancelled with the whole run.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.run.clone()
    }

    /// True when the whole run was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.run.is_cancelled()
    }

    /// Nobody wants answers about this text any more.
    pub fn drop_transcript(&self, transcript: TranscriptDigest) {
        self.part(transcript).cancel();
    }

    /// True when nobody wants answers about this text.
    #[must_use]
    pub fn is_dropped(&self, transcript: TranscriptDigest) -> bool {
        self.part(transcript).is_cancelled()
    }

    /// Waits until the whole run is cancelled.
    pub(super) async fn cancelled(&self) {
        self.run.cancelled().await;
    }

    /// Waits until nobody wants answers about this text.
    pub(super) async fn dropped(&self, transcript: TranscriptDigest) {
        self.part(transcript).cancelled().await;
    }

    fn part(&self, transcript: TranscriptDigest) -> CancellationToken {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.entry(transcript).or_insert_with(|| self.run.child_token()).clone()
    }
}
