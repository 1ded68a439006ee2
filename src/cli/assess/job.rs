//! One run of the engine from the command line: progress on a terminal, Ctrl-C
//! cancels, and what came of each transcript.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::entries::Entry;
use crate::assessment::JudgeOutcomes;
use crate::cli::output::Output;
use crate::cli::style::plain;
use crate::config;
use crate::engine::job::asks_again;
use crate::engine::{
    AssessJob, AssessUpdate, Engine, JobTranscript, RunSummary, Spending, Stopped, Trust,
};
use crate::prompt::Template;
use crate::rubric::{Rubric, digest};
use crate::transcript::TranscriptDigest;

/// A wait this long is told also where nobody sees the progress bar.
const LONG: Duration = Duration::from_secs(10);

/// Who is asked what.
pub struct Asking {
    /// The criteria.
    pub rubric: Arc<Rubric>,
    /// The judges.
    pub judges: Vec<config::Judge>,
    /// `[assess]`
    pub settings: config::Assess,
    /// Whether the project is trusted.
    pub trust: Trust,
    /// The project's folder.
    pub project_dir: Option<std::path::PathBuf>,
    /// When the run began, for its deadline.
    pub began: Instant,
    /// What it may spend.
    pub spending: Spending,
    /// Judges that are not asked any more.
    pub stopped: Stopped,
}

impl Asking {
    /// The rubric's digest in hex.
    #[must_use]
    pub fn rubric_digest(&self) -> String {
        TranscriptDigest(digest::rubric(&self.rubric)).to_string()
    }

    /// The job for these transcripts.
    #[must_use]
    pub fn job<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> AssessJob {
        let transcript = |entry: &Entry| JobTranscript {
            transcript: Arc::clone(&entry.transcript),
            digest: entry.digest,
            checks: Arc::clone(&entry.checks),
            generator: entry.generator.clone(),
        };
        let mut settings = self.settings.clone();
        settings.deadline_s = settings.deadline_s.saturating_sub(self.began.elapsed().as_secs());
        AssessJob {
            generation: 0,
            transcripts: entries.into_iter().map(transcript).collect(),
            rubric: Arc::clone(&self.rubric),
            judges: self.judges.clone(),
            settings,
            template: Arc::new(Template::builtin()),
            trust: self.trust,
            project_dir: self.project_dir.clone(),
            spending: self.spending.clone(),
            stopped: self.stopped.clone(),
        }
    }
}

/// Runs a job until it is done or `cancel` stops it; `done` is told of each
/// transcript as soon as all judges are through.
pub fn run(
    engine: &Engine,
    job: AssessJob,
    cancel: &CancellationToken,
    out: &mut Output,
    mut done: impl FnMut(TranscriptDigest, &[JudgeOutcomes], &mut Output),
) -> Result<(RunSummary, HashMap<TranscriptDigest, Vec<JudgeOutcomes>>), std::io::Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bar = bar(out.watched, job.transcripts.len());
    let mut said = HashMap::new();
    let summary = runtime.block_on(async {
        let (sender, mut updates) = mpsc::unbounded_channel();
        let working = tokio::spawn({
            let (engine, cancel) = (engine.clone(), cancel.clone());
            async move { engine.assess(job, cancel, sender).await }
        });
        while let Some(update) = updates.recv().await {
            match update {
                AssessUpdate::TranscriptDone { transcript, judges, .. } => {
                    bar.suspend(|| done(transcript, &judges, out));
                    said.insert(transcript, judges);
                }
                AssessUpdate::Notice { message, .. } => {
                    bar.suspend(|| out.warning(&plain(&message)));
                }
                AssessUpdate::Progress { done, calls, cost, .. } => {
                    bar.set_position(done as u64);
                    bar.set_message(spent(calls, cost));
                }
                AssessUpdate::Waiting { judge, wait, why, .. } => {
                    let line = plain(&asks_again(&judge, wait, &why)).into_owned();
                    if !out.watched && wait >= LONG {
                        out.note(&line);
                    }
                    bar.set_message(line);
                }
                _ => {}
            }
        }
        let ran = working.await;
        engine.settled().await;
        ran
    });
    bar.finish_and_clear();
    runtime.shutdown_timeout(Duration::from_secs(1));
    // A panic of the engine is a panic of the run.
    let summary = summary.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => RunSummary { cancelled: true, ..RunSummary::default() },
    });
    Ok((summary, said))
}

fn bar(watched: bool, total: usize) -> ProgressBar {
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total as u64), target);
    let style = "{bar:24} {pos}/{len} transcripts  {elapsed}  {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// `12 calls, $0.04`.
#[must_use]
pub fn spent(calls: usize, cost: Option<f64>) -> String {
    let calls = crate::cli::report::counted(calls, "call");
    match cost {
        Some(cost) => format!("{calls}, ${cost:.2}"),
        None => format!("{calls}, cost unknown"),
    }
}
