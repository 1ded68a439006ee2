//! One run: a job, what is known so far, and the one place that says so.
//!
//! Invariant: whatever happens to its lanes, a run settles everything it
//! expected before it finishes; what nobody answered is unscored with a reason.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::assessment::{JudgeOutcomes, Unscored, UnscoredReason};
use crate::config::{Judge, Provider};
use crate::transcript::TranscriptDigest;

use super::assess::Inner;
use super::cancel::Cancel;
use super::job::{AssessUpdate, RunSummary};
use super::prepared::{Prepared, samples};
use super::provider::Usage;
use super::store::Store;
use super::tally::{Heard, Slot, Tally};
use super::trust;

const DEADLINE: &str = "the run took as long as assess.deadline_s allows";

/// A run under way.
pub(super) struct Run {
    pub(super) engine: Arc<Inner>,
    pub(super) prepared: Prepared,
    pub(super) cancel: Cancel,
    /// The run took as long as it may.
    overdue: CancellationToken,
    pub(super) store: Option<Arc<Store>>,
    names: Vec<Arc<str>>,
    ids: Vec<Arc<str>>,
    updates: UnboundedSender<AssessUpdate>,
    started: Instant,
    // Held only to count one outcome; never across an await.
    counts: Mutex<Counts>,
    calls: AtomicUsize,
}

#[derive(Default)]
struct Counts {
    tally: Tally,
    done: usize,
    summary: RunSummary,
    unpriced: bool,
}

impl Run {
    pub(super) fn new(
        engine: Arc<Inner>,
        prepared: Prepared,
        store: Option<Arc<Store>>,
        cancel: Cancel,
        updates: UnboundedSender<AssessUpdate>,
    ) -> Self {
        let names = prepared.job.judges.iter().map(|j| j.name.as_str().into()).collect();
        let ids = prepared.job.rubric.criteria.iter().map(|c| c.id.as_str().into()).collect();
        let (started, counts, calls) = (Instant::now(), Mutex::default(), AtomicUsize::new(0));
        let overdue = CancellationToken::new();
        Self {
            engine,
            prepared,
            cancel,
            overdue,
            store,
            names,
            ids,
            updates,
            started,
            counts,
            calls,
        }
    }

    /// Announces the run and expects all its outcomes.
    pub(super) fn begin(&self) {
        let job = &self.prepared.job;
        let transcripts = self.prepared.subjects.len();
        self.say(AssessUpdate::Started { generation: job.generation, transcripts });
        for (index, subject) in self.prepared.subjects.iter().enumerate() {
            let judges = job.judges.iter().map(|judge| (silent(judge), samples(judge))).collect();
            let done = self.counts().tally.expect(index, judges, &subject.questions);
            if let Some(judges) = done {
                self.finish_transcript(index, judges);
            }
        }
    }

    /// One outcome is there: counts it and tells.
    pub(super) fn hear(&self, slot: Slot, heard: Heard) {
        let id = &self.ids[slot.criterion];
        let settled = self.counts().tally.hear(slot, id, heard);
        if let Some(Heard { outcome, cached }) = settled.criterion {
            let judge = &self.prepared.job.judges[slot.judge];
            let answered = outcome.answer().is_some();
            {
                let summary = &mut self.counts().summary;
                let count = match (answered, cached) {
                    (true, true) => &mut summary.cached,
                    (true, false) => &mut summary.answered,
                    (false, _) => &mut summary.unscored,
                };
                *count += 1;
            }
            self.say(AssessUpdate::Outcome {
                generation: self.prepared.job.generation,
                transcript: self.prepared.subjects[slot.transcript].digest,
                judge: Arc::clone(&self.names[slot.judge]),
                criterion: Arc::clone(id),
                outcome,
                cached,
                recorded: judge.provider == Provider::Recorded,
            });
        }
        if let Some(judges) = settled.transcript {
            self.finish_transcript(slot.transcript, judges);
        }
    }

    /// Nobody asks this judge's remaining questions, and this is why: no call is made.
    pub(super) fn give_up(&self, judge: usize, why: &Unscored) {
        self.close(|slot| slot.judge == judge, why, true);
    }

    /// Time is up: no call goes on, and none is sent.
    pub(super) fn time_is_up(&self) {
        if !self.is_over() {
            self.overdue.cancel();
            self.notice(format!("{DEADLINE}; what is not answered yet is left unscored"));
        }
    }

    /// Cancelled, or out of time.
    pub(super) fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.overdue.is_cancelled()
    }

    /// Waits until the run is over, or nobody wants answers about this text.
    pub(super) async fn over(&self, transcript: TranscriptDigest) {
        tokio::select! {
            () = self.cancel.dropped(transcript) => {}
            () = self.overdue.cancelled() => {}
        }
    }

    /// Why what is missing is missing, once the run is over.
    pub(super) fn why_over(&self) -> Unscored {
        if self.overdue.is_cancelled() && !self.cancel.is_cancelled() {
            Unscored::new(UnscoredReason::Deadline, format!("{DEADLINE}: run it again to go on"))
        } else {
            cancelled_outcome()
        }
    }

    /// Nobody wants this judge's answers about a transcript any more.
    pub(super) fn drop_transcript(&self, judge: usize, transcript: usize) {
        let dropped = |slot: &Slot| slot.judge == judge && slot.transcript == transcript;
        self.close(dropped, &cancelled_outcome(), false);
    }

    /// One call more is sent.
    pub(super) fn count_call(&self, judge: &Judge) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if !trust::stays_here(judge) {
            self.counts().unpriced = true;
        }
    }

    pub(super) fn count_usage(&self, usage: Usage) {
        let mut counts = self.counts();
        counts.summary.input_tokens += usage.input;
        counts.summary.output_tokens += usage.output;
    }

    /// A judge's calls wait.
    pub(super) fn waiting(&self, judge: usize, wait: Duration, why: &str) {
        let generation = self.prepared.job.generation;
        let (judge, why) = (Arc::clone(&self.names[judge]), why.to_owned());
        self.say(AssessUpdate::Waiting { generation, judge, wait, why });
    }

    /// Says something once.
    pub(super) fn notice(&self, message: impl Into<String>) {
        let generation = self.prepared.job.generation;
        self.say(AssessUpdate::Notice { generation, message: message.into() });
    }

    /// Settles what is left and tells the totals.
    pub(super) fn end(&self) -> RunSummary {
        let cancelled = self.cancel.is_cancelled();
        let why = if self.is_over() {
            self.why_over()
        } else {
            Unscored::new(UnscoredReason::ProviderError, "the run ended without an outcome")
        };
        self.close(|_| true, &why, false);
        let cost = self.cost();
        let mut summary = self.counts().summary.clone();
        summary.transcripts = self.prepared.subjects.len();
        summary.calls = self.calls.load(Ordering::Relaxed);
        summary.cost = cost;
        summary.elapsed = self.elapsed();
        summary.cancelled = cancelled;
        let generation = self.prepared.job.generation;
        self.say(AssessUpdate::Finished { generation, summary: summary.clone() });
        summary
    }

    fn close(&self, which: impl Fn(&Slot) -> bool, why: &Unscored, cached: bool) {
        let missing = self.counts().tally.missing();
        for (slot, samples) in missing.into_iter().filter(|(slot, _)| which(slot)) {
            for _ in 0..samples {
                let outcome = why.clone().into();
                self.hear(slot, Heard { outcome, cached });
            }
        }
    }

    fn finish_transcript(&self, index: usize, judges: Vec<JudgeOutcomes>) {
        let generation = self.prepared.job.generation;
        let transcript = self.prepared.subjects[index].digest;
        self.say(AssessUpdate::TranscriptDone { generation, transcript, judges });
        self.counts().done += 1;
        self.progress();
    }

    /// Tells how far the run is.
    pub(super) fn progress(&self) {
        let generation = self.prepared.job.generation;
        let done = self.counts().done;
        let total = self.prepared.subjects.len();
        let calls = self.calls.load(Ordering::Relaxed);
        let (elapsed, cost) = (self.elapsed(), self.cost());
        self.say(AssessUpdate::Progress { generation, done, total, calls, elapsed, cost });
    }

    /// Nothing has a price yet, except what stays on this machine: that is free.
    fn cost(&self) -> Option<f64> {
        (!self.counts().unpriced).then_some(0.0)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn say(&self, update: AssessUpdate) {
        // Whoever listened may be gone; the answers are kept all the same.
        let _ = self.updates.send(update);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A judge that has said nothing yet.
pub(super) fn silent(judge: &Judge) -> JudgeOutcomes {
    JudgeOutcomes {
        judge: judge.name.clone(),
        outcomes: std::collections::BTreeMap::new(),
        cached: true,
        recorded: judge.provider == Provider::Recorded,
    }
}

pub(super) fn cancelled_outcome() -> Unscored {
    Unscored::new(UnscoredReason::Cancelled, "the run was cancelled")
}
