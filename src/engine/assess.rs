//! The engine: assesses transcripts, recalls what is known, plans what it would take.
//!
//! Invariant: this is the only door to paid work. The engine never talks to the
//! user; it sends [`AssessUpdate`]s, and dropping their receiver stops nothing
//! that is paid for.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::assessment::{Mark, Outcome};
use crate::config::Provider;
use crate::prompt::FenceKey;
use crate::transcript::TranscriptDigest;

use super::cancel::Cancel;
use super::estimate::Estimator;
use super::fence;
use super::flight::Flights;
use super::history::{self, History};
use super::job::{AssessJob, AssessUpdate, RunSummary};
use super::judge::Sender;
use super::keeping::Keeping;
use super::lane;
use super::ledger::{self, Ledger};
use super::options::EngineOptions;
use super::plan::{Plan, Planner};
use super::prepared::{Prepared, samples};
use super::prices::Prices;
use super::recording::{self, Recording};
use super::run::Run;
use super::spend::Spend;
use super::store::Store;
use super::stores::{Opened, Stores};
use super::tally::Slot;
use super::trust::{self, Trust};
use super::withholding::Consent;

/// How long a run that is over waits for the ledger.
const LAST_WORDS: Duration = Duration::from_millis(50);

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
    pub(super) estimator: Estimator,
    pub(super) stores: Stores,
    fence: OnceLock<FenceKey>,
    ledger: OnceLock<Option<Arc<Ledger>>>,
    // Held only to look up one entry; never across an await.
    told: Mutex<HashSet<String>>,
    pub(super) consent: Consent,
    pub(super) keeping: Keeping,
}

impl Inner {
    /// The user's ledger; `None` without a data folder, or when it cannot be used.
    pub(super) fn ledger(&self) -> Option<&Arc<Ledger>> {
        let open = || {
            let path = self.options.data_dir.as_ref()?.join(ledger::FILE);
            Ledger::open(&path).ok().map(Arc::new)
        };
        self.ledger.get_or_init(open).as_ref()
    }
}

impl Engine {
    /// An engine; nothing is opened or connected before it is needed.
    #[must_use]
    pub fn new(options: EngineOptions) -> Self {
        let stores = Stores::new(options.data_dir.clone().filter(|_| options.keeps_answers));
        let sender = Sender::new(options.clone());
        let (flights, estimator) = (Flights::default(), Estimator::default());
        let (fence, ledger, told) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        let (consent, keeping) = (Consent::default(), Keeping::default());
        let inner = Inner {
            options,
            flights,
            sender,
            estimator,
            stores,
            fence,
            ledger,
            told,
            consent,
            keeping,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The user says that these texts may be sent although they look like they hold
    /// secrets or personal data; not against `sensitive_text = "block"`.
    pub fn consent(&self, texts: impl IntoIterator<Item = TranscriptDigest>) {
        self.inner.consent.give(texts);
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
        self.tell_own_text(&run);
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
        let written = tokio::select! {
            biased;
            written = run.purse.written() => written,
            // Written all the same, only not waited for.
            () = run.over_for(LAST_WORDS) => Ok(()),
        };
        if let Err(why) = written {
            run.notice(format!("{why}: what this run cost is missing in `rubricator status`"));
        }
        run.end()
    }

    /// Waits until what cancelled runs were paid for, and what they cost, is on disk.
    pub async fn settled(&self) {
        self.inner.keeping.settled().await;
        if let Some(ledger) = self.inner.ledger.get().and_then(Option::as_ref) {
            // What is in the way is said by whoever reads the ledger.
            let _ = ledger.flush().await;
        }
    }

    /// Says once, as long as the engine lives, which judges judge their own kind.
    fn tell_own_text(&self, run: &Run) {
        let mut told = self.inner.told.lock().unwrap_or_else(PoisonError::into_inner);
        let own = run.prepared.own_text().into_iter();
        let new: Vec<String> = own
            .filter(|(judge, _)| told.insert((*judge).to_owned()))
            .map(|(_, sentence)| sentence)
            .collect();
        if !new.is_empty() {
            run.notice(format!(
                "text of a judge's own model family is assessed by {}: models are lenient with \
                 their own, so ask a judge of another family too",
                new.join(" and ")
            ));
        }
    }

    fn prepared(&self, job: AssessJob) -> Prepared {
        Prepared::new(job, self.fence(), self.inner.consent.clone())
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
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
                let repeated = source.is_repeated(&prepared, judge, transcript);
                for &criterion in &subject.questions {
                    let slot = Slot { transcript, judge, criterion };
                    let outcome = source.outcome(&prepared, slot, repeated);
                    known.extend(outcome.map(|o| update(&prepared, slot, o)));
                }
            }
        }
        known
    }

    /// What the store knows of each judge's steadiness.
    #[must_use]
    pub fn history(&self, job: &AssessJob) -> Vec<History> {
        let prepared = self.prepared(job.clone());
        let opened = self.inner.stores.existing(prepared.project());
        history::of(&prepared, opened.store())
    }

    /// What a run would take, without sending anything.
    #[must_use]
    pub fn plan(&self, job: &AssessJob) -> Plan {
        let prepared = self.prepared(job.clone());
        let opened = self.inner.stores.existing(prepared.project());
        let inner = &self.inner;
        let prices = &Prices::read(inner.options.price_file.as_deref());
        let (store, estimator, batch) = (opened.store(), &inner.estimator, inner.options.batch);
        Planner { prepared: &prepared, store, prices, estimator, batch }.plan()
    }

    /// What was spent, on this project and in all, as far as it is known here and
    /// now. Never waits: what other processes wrote is read in the background.
    #[must_use]
    pub fn spend(&self, project: Option<&Path>) -> Spend {
        self.inner.ledger().map(|l| l.spend(project, ledger::now())).unwrap_or_default()
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

    /// Whether the store says that this transcript is asked about again. Where it
    /// does not say, what there is counts.
    fn is_repeated(&self, prepared: &Prepared, judge: usize, transcript: usize) -> bool {
        let Self::Store(store) = self else { return false };
        let first = |criterion| {
            let slot = Slot { transcript, judge, criterion };
            store.get(&prepared.key(slot, 0)).map(Outcome::Answered)
        };
        prepared.is_repeated(judge, transcript, first).unwrap_or(false)
    }

    /// The answer to every sample that is asked for, the worst of them.
    fn outcome(&self, prepared: &Prepared, slot: Slot, repeated: bool) -> Option<Outcome> {
        match self {
            Self::Recording(recording) => {
                Some(recording.answer(prepared, slot)).filter(|o| o.answer().is_some())
            }
            Self::Store(store) => {
                let again = repeated || prepared.criterion(slot.criterion).gate;
                let samples = if again { samples(&prepared.job.judges[slot.judge]) } else { 1 };
                let stored: Option<Vec<Outcome>> = (0..samples)
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
