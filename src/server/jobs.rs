//! Assessments: what is to be assessed, the runs under way, and the way of their
//! results into the main loop.
//!
//! Invariant: a run owns everything it needs; it is told apart by its number, and
//! what a run that was cancelled or forgotten still says is dropped. Nothing here
//! blocks: reading transcripts, planning and asking happen off the main loop.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tower_lsp_server::gen_lsp_types::Uri;

use crate::analysis::rubric_lenses::money;
use crate::engine::spend::Spend;
use crate::engine::{
    AssessJob, AssessUpdate, Cancel, Engine, Plan, RunSummary, Spending, Stopped, Trust,
};
use crate::prompt::Template;
use crate::text::Span;
use crate::text::document::Document;
use crate::text::json;
use crate::transcript::{TranscriptDigest, digest, read};

use super::event::{Event, EventSender};
use super::of_record::of_record;
use super::outbox::Step;
use super::panel::Panel;
use super::projects::Live;
use super::sweep::Sweep;
use super::work::Work;

/// Why an assessment was started, which decides what it may cost unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A file was saved.
    Save,
    /// The user asked for it.
    Command,
}

/// What a run is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One document.
    Document(Uri),
    /// Every transcript of a project; the address is the rubric's or another
    /// document's of it.
    Project(Option<PathBuf>, Uri),
}

/// What is to be assessed, before any of it is read.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The document.
    pub uri: Uri,
    /// Why.
    pub cause: Cause,
    /// Its text.
    pub text: Document,
    /// Where the transcripts are, and their digests.
    pub transcripts: Vec<(Span, TranscriptDigest)>,
    /// Judges and criteria.
    pub panel: Arc<Panel>,
    /// The project.
    pub live: Arc<Live>,
    /// Whether it is trusted.
    pub trust: Trust,
}

/// Jobs with what they would take.
#[derive(Debug)]
pub struct Planned {
    /// The number of the run.
    pub number: u64,
    /// Why.
    pub cause: Cause,
    /// The jobs.
    pub work: Work,
    /// Transcripts in them.
    pub transcripts: usize,
    /// What it would take.
    pub plan: Plan,
}

/// A run under way, or being planned.
#[derive(Debug)]
pub struct Running {
    /// What it was started for.
    pub about: About,
    /// The project.
    pub live: Arc<Live>,
    /// Judges and criteria as they were.
    pub panel: Arc<Panel>,
    /// Cancels it.
    pub cancel: Cancel,
    /// The texts it asks about, by document; empty until it asks.
    pub asks: HashMap<Uri, HashSet<TranscriptDigest>>,
    /// Its progress, once there is something to show.
    pub progress: Option<watch::Sender<Step>>,
    /// For the status bar.
    pub line: String,
    /// How much of it is done.
    pub percentage: u32,
}

impl Running {
    /// Shows its line as progress.
    pub fn show(&self) {
        if let Some(progress) = &self.progress {
            let message = self.line.clone();
            progress.send_replace(Step { message, percentage: self.percentage, done: false });
        }
    }
}

/// The runs under way.
#[derive(Debug)]
pub struct Jobs {
    pub(super) engine: Engine,
    template: Arc<Template>,
    pub(super) runtime: Handle,
    pub(super) events: EventSender,
    /// By number.
    pub running: HashMap<u64, Running>,
    last: u64,
}

impl Jobs {
    /// No run yet.
    #[must_use]
    pub fn new(engine: Engine, runtime: Handle, events: EventSender) -> Self {
        let template = Arc::new(Template::builtin());
        Self { engine, template, runtime, events, running: HashMap::new(), last: 0 }
    }

    /// How judges are asked.
    #[must_use]
    pub fn template(&self) -> Arc<Template> {
        Arc::clone(&self.template)
    }

    /// What was spent on a project and in all. Never waits.
    #[must_use]
    pub fn spend(&self, root: Option<&Path>) -> Spend {
        self.engine.spend(root)
    }

    /// These texts may be sent although they seem to hold personal data.
    pub fn consent(&self, texts: Vec<TranscriptDigest>) {
        self.engine.consent(texts);
    }

    /// Reads and plans in the background; an [`Event::Planned`] follows.
    pub fn plan(&mut self, wish: Wish) {
        let number = self.begin_wish(&wish);
        let digests = wish.transcripts.iter().map(|(_, digest)| *digest).collect();
        if let Some(running) = self.running.get_mut(&number) {
            running.asks.insert(wish.uri.clone(), digests);
        }
        let (engine, events) = (self.engine.clone(), self.events.clone());
        let template = self.template();
        self.runtime.spawn_blocking(move || {
            let cause = wish.cause;
            let planned = std::panic::AssertUnwindSafe(|| {
                let job = job(wish, number, template);
                let (plan, transcripts) = (engine.plan(&job), job.transcripts.len());
                let work = Work::One(Box::new(job));
                Box::new(Planned { number, cause, work, transcripts, plan })
            });
            events.send(match std::panic::catch_unwind(planned) {
                Ok(planned) => Event::Planned(planned),
                Err(_) => Event::RunEnded(number),
            });
        });
    }

    /// Passes over a project in the background; an [`Event::Swept`] follows.
    pub fn sweep(&mut self, sweep: Sweep) {
        let (engine, events) = (self.engine.clone(), self.events.clone());
        let sweep = Arc::new(sweep);
        self.runtime.spawn_blocking(move || {
            let run = std::panic::AssertUnwindSafe(|| sweep.run(&engine));
            let swept = std::panic::catch_unwind(run).ok().flatten().map(Box::new);
            events.send(Event::Swept { sweep, swept });
        });
    }

    /// Looks up what is known without any call; an [`Event::Recalled`] follows.
    pub fn recall(&mut self, wish: Wish) {
        let number = self.begin_wish(&wish);
        let (engine, events) = (self.engine.clone(), self.events.clone());
        let template = self.template();
        self.runtime.spawn_blocking(move || {
            let recall =
                std::panic::AssertUnwindSafe(|| engine.recall(&job(wish, number, template)));
            let updates = std::panic::catch_unwind(recall).unwrap_or_default();
            events.send(Event::Recalled { number, updates });
        });
    }

    /// Asks. Updates follow as [`Event::Assess`], and at last [`Event::RunEnded`].
    pub fn ask(&mut self, planned: Planned) {
        let Some(running) = self.running.get(&planned.number) else { return };
        let (engine, events) = (self.engine.clone(), self.events.clone());
        let cancel = running.cancel.clone();
        let Planned { number, work, transcripts, .. } = planned;
        self.runtime.spawn(async move {
            let asking = Asking { engine, cancel, events: events.clone(), transcripts };
            if tokio::spawn(asking.all(work)).await.is_err() {
                tracing::error!("an assessment failed; what it had found is kept");
            }
            events.send(Event::RunEnded(number));
        });
    }

    /// Cancels the runs of a document, or all; how many there were.
    pub fn cancel(&mut self, uri: Option<&Uri>) -> usize {
        let of = |running: &&Running| match (uri, &running.about) {
            (None, _) => true,
            (Some(uri), About::Document(own)) => own == uri,
            (Some(_), About::Project(..)) => false,
        };
        let cancelled = self.running.values().filter(of).map(|running| running.cancel.cancel());
        cancelled.count()
    }

    /// Cancels the run that shows this progress.
    pub fn cancel_token(&mut self, token: &str) {
        let number = token.strip_prefix(TOKEN).and_then(|n| n.parse().ok());
        if let Some(running) = number.and_then(|n: u64| self.running.get(&n)) {
            running.cancel.cancel();
        }
    }

    /// Drops the calls about texts that a document no longer says.
    pub fn drop_gone(&mut self, uri: &Uri, says: &dyn Fn(TranscriptDigest) -> bool) {
        for running in self.running.values_mut() {
            let asks = running.asks.get_mut(uri);
            for gone in asks.into_iter().flat_map(|all| all.extract_if(|d| !says(*d))) {
                running.cancel.drop_transcript(gone);
            }
        }
    }

    /// True while some run asks this panel about this text.
    #[must_use]
    pub fn is_asking(&self, transcript: TranscriptDigest, panel: &Arc<Panel>) -> bool {
        let asks = |running: &Running| {
            Arc::ptr_eq(&running.panel, panel)
                && running.asks.values().any(|asks| asks.contains(&transcript))
                && !running.cancel.is_cancelled()
        };
        self.running.values().any(asks)
    }

    /// Notes a run; its number.
    pub fn begin(&mut self, about: About, live: &Arc<Live>, panel: &Arc<Panel>) -> u64 {
        self.last += 1;
        self.running.insert(
            self.last,
            Running {
                about,
                live: Arc::clone(live),
                panel: Arc::clone(panel),
                cancel: Cancel::default(),
                asks: HashMap::new(),
                progress: None,
                line: String::new(),
                percentage: 0,
            },
        );
        self.last
    }

    fn begin_wish(&mut self, wish: &Wish) -> u64 {
        self.begin(About::Document(wish.uri.clone()), &wish.live, &wish.panel)
    }
}

/// The asking part of a run.
struct Asking {
    engine: Engine,
    cancel: Cancel,
    events: EventSender,
    /// Transcripts in all jobs together.
    transcripts: usize,
}

impl Asking {
    /// One job after the other, as if they were one.
    async fn all(self, mut work: Work) {
        let (began, mut sum) = (Instant::now(), Sum { cost: Some(0.0), ..Sum::default() });
        while !self.cancel.is_cancelled() {
            let read = tokio::task::spawn_blocking(move || (work.next(), work)).await;
            let Ok((Some(job), rest)) = read else { return };
            work = rest;
            let (sender, mut updates) = mpsc::unbounded_channel();
            let assessing = self.engine.assess(job, self.cancel.clone(), sender);
            let telling = async {
                while let Some(update) = updates.recv().await {
                    let update = sum.adjusted(update, self.transcripts, began);
                    self.events.send(Event::Assess(update));
                }
            };
            let (summary, ()) = tokio::join!(assessing, telling);
            sum.add(&summary);
        }
    }
}

/// What the jobs before came to.
#[derive(Default)]
struct Sum {
    done: usize,
    calls: usize,
    cost: Option<f64>,
}

impl Sum {
    fn add(&mut self, summary: &RunSummary) {
        self.done += summary.transcripts;
        self.calls += summary.calls;
        self.cost = self.cost.zip(summary.cost).map(|(a, b)| a + b);
    }

    /// Progress of one job as progress of the run.
    fn adjusted(&self, mut update: AssessUpdate, all: usize, began: Instant) -> AssessUpdate {
        if let AssessUpdate::Progress { done, total, calls, elapsed, cost, .. } = &mut update {
            *done += self.done;
            *total = all.max(*done);
            *calls += self.calls;
            *elapsed = began.elapsed();
            *cost = cost.zip(self.cost).map(|(a, b)| a + b);
        }
        update
    }
}

const TOKEN: &str = "rubricator-assess-";

/// The progress token of a run.
#[must_use]
pub fn token(number: u64) -> String {
    format!("{TOKEN}{number}")
}

/// The number of the run an update belongs to.
#[must_use]
pub const fn number_of(update: &AssessUpdate) -> u64 {
    match update {
        AssessUpdate::Started { generation, .. }
        | AssessUpdate::Outcome { generation, .. }
        | AssessUpdate::TranscriptDone { generation, .. }
        | AssessUpdate::Progress { generation, .. }
        | AssessUpdate::Waiting { generation, .. }
        | AssessUpdate::JudgeStopped { generation, .. }
        | AssessUpdate::Notice { generation, .. }
        | AssessUpdate::Finished { generation, .. } => *generation,
    }
}

/// One line for the progress view: count, elapsed, cost.
#[must_use]
pub fn line(done: usize, total: usize, elapsed: Duration, cost: Option<f64>) -> String {
    let cost = cost.map_or_else(|| "cost unknown".to_owned(), money);
    format!("{done}/{total} transcripts · {} s · {cost}", elapsed.as_secs())
}

fn job(wish: Wish, number: u64, template: Arc<Template>) -> AssessJob {
    let settings = wish.live.settings();
    let depth = settings.limits.depth;
    let read = |(span, wanted): &(Span, TranscriptDigest)| {
        let record = wish.text.slice(*span);
        let json = json::parse(&record, depth);
        let transcript = read::read(&record, &json).transcript.ok()?;
        let digest = digest::of(&record, &transcript);
        (digest == *wanted).then(|| of_record(&record, transcript, digest, &wish.live, &wish.panel))
    };
    AssessJob {
        generation: number,
        transcripts: wish.transcripts.iter().filter_map(read).collect(),
        rubric: Arc::clone(&wish.panel.rubric),
        judges: wish.panel.judges.clone(),
        settings: settings.assess.clone(),
        template,
        trust: wish.trust,
        project_dir: wish.live.project.root.clone(),
        spending: match wish.cause {
            Cause::Save => Spending::of_save(&settings.assess),
            Cause::Command => Spending::of_run(&settings.assess),
        },
        stopped: Stopped::default(),
    }
}
