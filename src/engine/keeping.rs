//! Answers on their way to the disk that no run waits for any more.
//!
//! Invariant: an answer that was paid for reaches the store although its run was
//! cancelled, and until then nobody asks the same: its permit is held.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::assessment::Outcome;

use super::flight::Permit;
use super::store::StoreError;

/// What is still being written.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    // Held only to add or take tasks; never across an await.
    tasks: Mutex<JoinSet<()>>,
}

impl Keeping {
    /// Lands these outcomes once they are on disk.
    pub(super) fn land(
        &self,
        kept: oneshot::Receiver<Result<(), StoreError>>,
        outcomes: Vec<(Permit, Outcome)>,
    ) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // Where it could not be kept, it is an answer all the same.
            let _ = kept.await;
            for (permit, outcome) in outcomes {
                permit.land(outcome);
            }
        });
    }

    /// Waits until all of it is on disk.
    pub(super) async fn settled(&self) {
        let take =
            || std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tasks = take();
        while tasks.join_next().await.is_some() {}
    }
}
