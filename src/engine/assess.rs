//! The engine: assesses transcripts, recalls what is known, plans what it would take.
//!
//! Invariant: this is the only door to paid work. The engine never talks to the
//! user; it sends [`AssessUpdate`]s, and dropping their receiver stops nothing
//! that is paid for.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::assessment::{Mark, Outcome};
use crate::config::Provider;
use crate::prompt::FenceKey;

use super::cancel::Cancel;
use super::fence;
use super::flight::Flights;
use super::job::{AssessJob, AssessUpdate, RunSummary};
use super::judge::Sender;
use super::lane;
use super::options::EngineOptions;
use super::plan::{self, Plan};
use super::prepared::{Prepared, samples};
use super::recording::{self, Recording};
use super::run::Run;
use super::store::Store;
use super::stores::{Opened, Stores};
use super::tally::Slot;
use super::trust::{self, Trust};

/// The engine; cheap to clone, all clones are one.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// What all clones and runs share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) options: EngineOptions,
    pub(super) flights: Flights,
    pub(super) sender: Sender,
    stores: Stores,
    fence: OnceLock<FenceKey>,
}

impl Engine {
    /// An engine; nothing is opened or connected before it is needed.
    #[must_use]
    pub fn new(options: EngineOptions) -> Self {
        let stores = Stores::new(options.data_dir.clone());
        let sender = Sender::new(options.clone());
        let (flights, fence) = (Flights::default(), OnceLock::new());
        Self { inner: Arc::new(Inner { options, flights, sender, stores, fence }) }
    }

    /// Assesses: tells what is stored, asks the rest, streams outcomes as they
    /// come. Cancelling drops every call under way (or those about one transcript),
    /// down to the socket; what was answered before is kept.
    pub async fn assess(
        &self,
        job: AssessJob,
        cancel: impl Into<Cancel>,
        updates: UnboundedSender<AssessUpdate>,
    ) -> RunSummary {
        let cancel = cancel.into();
        let span = tracing::info_span!("assess", generation = job.generation);
        self.run(job, cancel, updates).instrument(span).await
    }

    async fn run(
        &self,
        job: AssessJob,
        cancel: Cancel,
        updates: UnboundedSender<AssessUpdate>,
    ) -> RunSummary {
        let prepared = self.prepared(job);
        let opened = self.store_to_write(&prepared);
        let engine = Arc::clone(&self.inner);
        let store = opened.store().cloned();
        let judges = prepared.job.judges.len();
        let run = Arc::new(Run::new(engine, prepared, store, cancel, updates));
        run.begin();
        if let Opened::Failed { why, first: true } = &opened {
            run.notice(format!("{why}. Answers are shown but not kept."));
        }
        let mut lanes = JoinSet::new();
        for judge in 0..judges {
            lanes.spawn(lane::run(Arc::clone(&run), judge).in_current_span());
        }
        let deadline = Duration::from_secs(run.prepared.job.settings.deadline_s);
        let finished = async { while lanes.join_next().await.is_some() {} };
        tokio::pin!(finished);
        tokio::select! {
            () = &mut finished => {}
            () = self.inner.options.clock.alarm(deadline) => {
                run.time_is_up();
                finished.await;
            }
        }
        run.end()
    }

    fn prepared(&self, job: AssessJob) -> Prepared {
        let data_dir = self.inner.options.data_dir.as_deref();
        Prepared::new(job, *self.inner.fence.get_or_init(|| fence::key(data_dir)))
    }

    pub(super) fn options(&self) -> &EngineOptions {
        &self.inner.options
    }

    pub(super) fn sender(&self) -> &Sender {
        &self.inner.sender
    }

    /// What prompts' boundaries are made with.
    pub(super) fn fence(&self) -> FenceKey {
        let data_dir = self.inner.options.data_dir.as_deref();
        *self.inner.fence.get_or_init(|| fence::key(data_dir))
    }

    /// A store is made only for judges whose answers may be kept.
    fn store_to_write(&self, prepared: &Prepared) -> Opened {
        let (judges, trust) = (&prepared.job.judges, prepared.job.trust);
        let keeps = |j: &crate::config::Judge| {
            j.provider != Provider::Recorded && trust::allowed(j, trust).is_ok()
        };
        if judges.iter().any(keeps) {
            self.inner.stores.made(prepared.project())
        } else {
            Opened::Nothing
        }
    }

    /// What is known without a call: stored answers, and recorded ones. Only
    /// [`AssessUpdate::Outcome`]s with an answer; none in a folder that is not trusted.
    #[must_use]
    pub fn recall(&self, job: &AssessJob) -> Vec<AssessUpdate> {
        if job.trust == Trust::Denied {
            return Vec::new();
        }
        let prepared = self.prepared(job.clone());
        let opened = self.inner.stores.existing(prepared.project());
        let mut known = Vec::new();
        for judge in 0..job.judges.len() {
            let Some(source) = Source::of(&prepared, judge, opened.store()) else { continue };
            for (transcript, subject) in prepared.subjects.iter().enumerate() {
                for &criterion in &subject.questions {
                    let slot = Slot { transcript, judge, criterion };
                    known.extend(
                        source.outcome(&prepared, slot).map(|o| update(&prepared, slot, o)),
                    );
                }
            }
        }
        known
    }

    /// What a run would take, without sending anything.
    #[must_use]
    pub fn plan(&self, job: &AssessJob) -> Plan {
        let prepared = self.prepared(job.clone());
        let opened = self.inner.stores.existing(prepared.project());
        plan::plan(&prepared, opened.store())
    }
}

/// Where answers come from without a call.
enum Source<'a> {
    Recording(Recording),
    Store(&'a Arc<Store>),
}

impl<'a> Source<'a> {
    fn of(prepared: &Prepared, judge: usize, store: Option<&'a Arc<Store>>) -> Option<Self> {
        let settings = &prepared.job.judges[judge];
        if settings.provider != Provider::Recorded {
            return store.map(Self::Store);
        }
        trust::allowed(settings, prepared.job.trust).ok()?;
        let path = recording::path(settings, prepared.project()).ok()?;
        Recording::read(&path).ok().map(Self::Recording)
    }

    /// The answer to every sample, the worst of them.
    fn outcome(&self, prepared: &Prepared, slot: Slot) -> Option<Outcome> {
        match self {
            Self::Recording(recording) => {
                Some(recording.answer(prepared, slot)).filter(|o| o.answer().is_some())
            }
            Self::Store(store) => {
                let samples = 0..samples(&prepared.job.judges[slot.judge]);
                let stored: Option<Vec<Outcome>> = samples
                    .map(|n| store.get(&prepared.key(slot, n)).map(Outcome::Answered))
                    .collect();
                stored?.into_iter().max_by_key(|outcome| Mark::of(Some(outcome)))
            }
        }
    }
}

fn update(prepared: &Prepared, slot: Slot, outcome: Outcome) -> AssessUpdate {
    let judge = &prepared.job.judges[slot.judge];
    AssessUpdate::Outcome {
        generation: prepared.job.generation,
        transcript: prepared.subjects[slot.transcript].digest,
        judge: judge.name.as_str().into(),
        criterion: prepared.criterion(slot.criterion).id.as_str().into(),
        outcome,
        cached: true,
        recorded: judge.provider == Provider::Recorded,
    }
}
