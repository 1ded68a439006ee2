//! Assessments: what is to be assessed, the runs under way, and the way of their
//! results into the main loop.
//!
//! Invariant: a run owns everything it needs; it is told apart by its number, and
//! what a run that was cancelled or forgotten still says is dropped. Nothing here
//! blocks: reading transcripts, planning and asking happen off the main loop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tower_lsp_server::gen_lsp_types::Uri;

use crate::engine::{AssessJob, AssessUpdate, Engine, JobTranscript, Plan, Stopped, Trust};
use crate::prompt::Template;
use crate::text::Span;
use crate::text::document::Document;
use crate::text::json;
use crate::transcript::{TranscriptDigest, digest, read};

use super::event::{Event, EventSender};
use super::outbox::Step;
use super::panel::Panel;
use super::projects::Live;

/// Why an assessment was started, which decides what it may cost unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A file was saved.
    Save,
    /// The user asked for it.
    Command,
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

/// A job with what it would take.
#[derive(Debug)]
pub struct Planned {
    /// The number of the run.
    pub number: u64,
    /// The document.
    pub uri: Uri,
    /// Why.
    pub cause: Cause,
    /// The job.
    pub job: AssessJob,
    /// What it would take.
    pub plan: Plan,
}

/// A run under way, or being planned.
#[derive(Debug)]
pub struct Running {
    /// The document it was started for.
    pub uri: Uri,
    /// Judges and criteria as they were.
    pub panel: Arc<Panel>,
    /// Cancels it.
    pub cancel: CancellationToken,
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
    engine: Engine,
    template: Arc<Template>,
    runtime: Handle,
    events: EventSender,
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

    /// Reads and plans in the background; an [`Event::Planned`] follows.
    pub fn plan(&mut self, wish: Wish) {
        let number = self.begin(&wish);
        let (engine, events) = (self.engine.clone(), self.events.clone());
        let template = Arc::clone(&self.template);
        self.runtime.spawn_blocking(move || {
            let (uri, cause) = (wish.uri.clone(), wish.cause);
            let planned = std::panic::AssertUnwindSafe(|| {
                let job = job(wish, number, template);
                let plan = engine.plan(&job);
                Box::new(Planned { number, uri, cause, job, plan })
            });
            events.send(match std::panic::catch_unwind(planned) {
                Ok(planned) => Event::Planned(planned),
                Err(_) => Event::RunEnded(number),
            });
        });
    }

    /// Looks up what is known without any call; an [`Event::Recalled`] follows.
    pub fn recall(&mut self, wish: Wish) {
        let number = self.begin(&wish);
        let (engine, events) = (self.engine.clone(), self.events.clone());
        let template = Arc::clone(&self.template);
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
        let (sender, mut updates) = mpsc::unbounded_channel();
        let run =
            self.runtime.spawn(async move { engine.assess(planned.job, cancel, sender).await });
        self.runtime.spawn(async move {
            while let Some(update) = updates.recv().await {
                events.send(Event::Assess(update));
            }
            if run.await.is_err() {
                tracing::error!("an assessment failed; what it had found is kept");
            }
            events.send(Event::RunEnded(planned.number));
        });
    }

    /// Cancels the runs of a document, or all; how many there were.
    pub fn cancel(&mut self, uri: Option<&Uri>) -> usize {
        let wanted = |running: &&Running| uri.is_none_or(|uri| running.uri == *uri);
        let cancelled = self.running.values().filter(wanted).map(|running| running.cancel.cancel());
        cancelled.count()
    }

    /// Cancels the run that shows this progress.
    pub fn cancel_token(&mut self, token: &str) {
        let number = token.strip_prefix(TOKEN).and_then(|n| n.parse().ok());
        if let Some(running) = number.and_then(|n: u64| self.running.get(&n)) {
            running.cancel.cancel();
        }
    }

    fn begin(&mut self, wish: &Wish) -> u64 {
        self.last += 1;
        self.running.insert(
            self.last,
            Running {
                uri: wish.uri.clone(),
                panel: Arc::clone(&wish.panel),
                cancel: CancellationToken::new(),
                progress: None,
                line: String::new(),
                percentage: 0,
            },
        );
        self.last
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

/// `$0.12`
#[must_use]
pub fn money(usd: f64) -> String {
    if usd > 0.0 && usd < 0.01 { "under $0.01".to_owned() } else { format!("${usd:.2}") }
}

fn job(wish: Wish, number: u64, template: Arc<Template>) -> AssessJob {
    let settings = wish.live.settings();
    let depth = settings.limits.depth;
    let read = |(span, wanted): &(Span, TranscriptDigest)| {
        let record = wish.text.slice(*span);
        let json = json::parse(&record, depth);
        let transcript = read::read(&record, &json).transcript.ok()?;
        let digest = digest::of(&record, &transcript);
        (digest == *wanted).then(|| JobTranscript { transcript: Arc::new(transcript), digest })
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
        stopped: Stopped::default(),
    }
}
