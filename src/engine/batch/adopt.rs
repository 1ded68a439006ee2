//! Batches whose making nobody saw the end of: looked for at the provider.
//!
//! Invariant: a batch is taken for ours when it carries our label, or, where a
//! provider has no labels, once its results name our calls. One that may just be
//! on its way is waited for; what is not there is asked again, and that is said.

use std::time::Duration;

use crate::engine::provider::ProviderReply;
use crate::engine::provider::batch::{self, Lost};

use super::blocking;
use super::pending::Batch;
use super::work::Work;

/// Whoever is making a batch has given up after this.
const GRACE: Duration = Duration::from_secs(15 * 60);
const LOOK: Duration = Duration::from_secs(20);

impl Work<'_> {
    /// A batch with the name the provider gave it; `None` when there is none there,
    /// or the run is over before it is found.
    pub(super) async fn adopted(&self, mut batch: Batch) -> Result<Option<Batch>, String> {
        let Some(label) = batch.label().map(str::to_owned) else { return Ok(Some(batch)) };
        let lane = self.lane;
        let lost = Lost { label: &label, calls: batch.size, at: batch.at };
        let mut waited = Duration::ZERO;
        loop {
            let list = batch::list(self.to());
            let reply = tokio::select! {
                () = lane.run.ended() => return Ok(None),
                reply = lane.run.engine.sender.fetch(self.to(), &list, self.limits()) => reply,
            };
            let names = match reply {
                Ok(reply) => batch::listed(self.to(), &reply, &lost)?,
                Err(ProviderReply::NotFound(why) | ProviderReply::BadRequest(why)) => {
                    self.given_up(&batch, &format!("its batches cannot be listed ({why})")).await?;
                    return Ok(None);
                }
                Err(reply) => return Err(lane.failed(reply).detail),
            };
            let (pending, whose) = (self.pending.clone(), self.whose.clone());
            let known = blocking(move || pending.names(&whose)).await?;
            let new = |name: &String| !known.contains(name) && !self.strangers.contains(name);
            if let Some(name) = names.into_iter().find(new) {
                batch.name = name;
                if batch::has_labels(lane.settings.provider) {
                    self.name(&mut batch).await?;
                }
                return Ok(Some(batch));
            }
            let age = Duration::from_secs(u64::try_from(batch.age).unwrap_or_default());
            if age + waited > GRACE {
                self.given_up(&batch, "the provider does not list it").await?;
                return Ok(None);
            }
            tokio::select! {
                () = lane.run.ended() => return Ok(None),
                () = lane.run.engine.options.clock.pause(LOOK) => {}
            }
            waited += LOOK;
        }
    }

    /// It is not there, or cannot be looked for: says so, and forgets it.
    async fn given_up(&self, batch: &Batch, why: &str) -> Result<(), String> {
        let (name, calls) = (&self.lane.settings.name, batch.calls.len());
        self.lane.run.notice(format!(
            "judge {name}: a run ended while it handed in a batch of {calls} calls, and {why}. \
             They are asked again; should the provider's console show that batch, cancel it there"
        ));
        self.strike(&batch.row).await
    }
}
