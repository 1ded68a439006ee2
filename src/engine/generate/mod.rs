//! Generation: two models talk, one as a user, one as the assistant, until a
//! transcript is whole.
//!
//! Invariant: a message that was paid for is on disk before the next one is asked for,
//! under everything that changes it; so a run that was killed goes on in the middle of
//! its transcripts and comes to the same ones. Calls pass the same doors as a judge's
//! ([`super::ask`]). Finished transcripts are appended whole, in the order of their
//! numbers; one that could not be finished is left out and told.
//!
//! Deliberately absent: what is sampled and said (`generate`, `prompt::generate`).

mod out;
mod setup;
mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::assessment::{Unscored, UnscoredReason};
use crate::config::Judge;
use crate::generate::{Persona, Rolls, id, sample};
use crate::prompt::generate::RolePrompt;

use super::store::Store;
use super::stores::Opened;
use super::{AssessJob, Engine};

pub use out::{Outlet, snapshots};
pub use setup::{PERSONA_TEMPLATE, Setup, TAXONOMY, Trouble, read};

/// What is to be made.
#[derive(Clone, Debug)]
pub struct GenerateJob {
    /// What it is made from, and by whom.
    pub setup: Arc<Setup>,
    /// The run's seed.
    pub seed: u64,
    /// The numbers of the transcripts, ascending.
    pub indices: Vec<u64>,
    /// Where finished ones are appended.
    pub out: Arc<Outlet>,
    /// Settings, trust, folder and spending.
    pub asking: AssessJob,
}

/// The texts that are filled in, and the sides.
#[derive(Clone, Debug)]
pub struct Sides {
    /// Plays the user.
    pub user: Judge,
    /// What it is told.
    pub user_prompt: RolePrompt,
    /// Plays the assistant.
    pub assistant: Judge,
    /// What it is told.
    pub assistant_prompt: RolePrompt,
    /// The project's system prompt.
    pub system_prompt: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenerateUpdate {
    /// An exchange is done (and on disk).
    Exchange {
        /// Of which transcript.
        index: u64,
    },
    /// A transcript is in its file.
    Written {
        /// Which.
        index: u64,
        /// Its id.
        id: String,
    },
    /// A transcript could not be finished; what it has is kept.
    Failed {
        /// Which.
        index: u64,
        /// Why.
        why: Unscored,
    },
    /// Something to tell the user once.
    Notice(String),
}

/// What one transcript came to.
type Made = Result<String, Unscored>;

impl GenerateJob {
    /// The persona of a transcript.
    #[must_use]
    pub fn persona(&self, index: u64) -> Persona {
        self.setup.persona(self.seed, index)
    }
}

impl Setup {
    /// The persona that a seed and a number make.
    #[must_use]
    pub fn persona(&self, seed: u64, index: u64) -> Persona {
        sample(&self.recipe, Rolls { seed, index })
    }
}

impl Engine {
    /// Makes transcripts, several at once. Cancelling drops every call under way, down
    /// to the socket; what was said before is kept.
    ///
    /// # Errors
    /// When a finished transcript cannot be written, or somebody else generates here.
    pub async fn generate(
        &self,
        job: &GenerateJob,
        cancel: &CancellationToken,
        updates: &UnboundedSender<GenerateUpdate>,
    ) -> Result<(), String> {
        let opened = self.inner().stores.made(job.asking.project_dir.as_deref());
        let _alone = job.out.alone(&opened)?;
        if let Opened::Failed { why, .. } = &opened {
            let notice =
                format!("{why}. What is said is not kept, so a run that stops begins anew.");
            // Nobody may listen.
            let _ = updates.send(GenerateUpdate::Notice(notice));
        }
        let stop = cancel.child_token();
        let made = self.make_all(job, opened.store(), &stop, updates).await;
        // Whatever is still under way after a failure is of no use.
        stop.cancel();
        self.settled().await;
        made
    }

    async fn make_all(
        &self,
        job: &GenerateJob,
        store: Option<&Arc<Store>>,
        stop: &CancellationToken,
        updates: &UnboundedSender<GenerateUpdate>,
    ) -> Result<(), String> {
        let sides = &job.setup.sides;
        let at_once = sides.user.max_concurrency.max(sides.assistant.max_concurrency).max(1);
        let mut due = job.indices.iter().copied();
        let mut order = Order { due: job.indices.clone().into(), made: BTreeMap::new() };
        let mut talks = JoinSet::new();
        loop {
            while talks.len() < at_once
                && let Some(index) = due.next()
            {
                let talk = talk::Talk {
                    engine: self.clone(),
                    job: job.clone(),
                    store: store.cloned(),
                    stop: stop.clone(),
                    updates: updates.clone(),
                    index,
                };
                talks.spawn(async move { (index, talk.made().await) });
            }
            let Some(joined) = talks.join_next().await else { break };
            let (index, made) = joined.map_err(|e| format!("internal error: {e}"))?;
            order.made.insert(index, made);
            write(job, &mut order, updates)?;
        }
        Ok(())
    }
}

/// What is finished, waiting for those before it.
struct Order {
    due: std::collections::VecDeque<u64>,
    made: BTreeMap<u64, Made>,
}

impl Order {
    /// The next in order, once it is there.
    fn next(&mut self) -> Option<(u64, Made)> {
        let made = self.made.remove(self.due.front()?)?;
        Some((self.due.pop_front()?, made))
    }
}

fn write(
    job: &GenerateJob,
    order: &mut Order,
    updates: &UnboundedSender<GenerateUpdate>,
) -> Result<(), String> {
    while let Some((index, made)) = order.next() {
        let update = match made {
            Ok(record) => {
                job.out.append(&record)?;
                let id = id(&job.persona(index), &job.setup.maker);
                GenerateUpdate::Written { index, id }
            }
            Err(why) => {
                let cancelled = why.reason == UnscoredReason::Cancelled;
                let _ = updates.send(GenerateUpdate::Failed { index, why });
                if cancelled {
                    // Those behind it wait for it, so that the file stays in order.
                    order.due.clear();
                }
                continue;
            }
        };
        let _ = updates.send(update);
    }
    Ok(())
}
