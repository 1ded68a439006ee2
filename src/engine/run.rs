//! One run: a job, what is known so far, and the one place that says so.
//!
//! Invariant: whatever happens to its lanes, a run settles everything it
//! expected before it finishes; what nobody answered is unscored with a reason.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::assessment::{JudgeOutcomes, Unscored, UnscoredReason};
use crate::config::{Judge, Provider};
use crate::prompt::Prompt;
use crate::transcript::TranscriptDigest;

use super::assess::Inner;
use super::budget::Over;
use super::cancel::Cancel;
use super::estimate;
use super::job::{AssessUpdate, RunSummary};
use super::prepared::{Prepared, samples};
use super::purse::{Fare, Purse};
use super::secret;
use super::store::Store;
use super::tally::{Flips, Heard, Settled, Slot, Tally};

const DEADLINE: &str = "the run took as long as assess.deadline_s allows";

/// A run under way.
pub(super) struct Run {
    pub(super) engine: Arc<Inner>,
    pub(super) prepared: Prepared,
    pub(super) cancel: Cancel,
    /// The run took as long as it may.
    overdue: CancellationToken,
    pub(super) store: Option<Arc<Store>>,
    pub(super) purse: Purse,
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
        let (started, counts, calls) =
            (engine.options.clock.now(), Mutex::default(), AtomicUsize::new(0));
        let overdue = CancellationToken::new();
        let purse = Purse::new(&engine, &prepared.job);
        Self {
            engine,
            prepared,
            cancel,
            overdue,
            store,
            purse,
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

    /// One outcome is there: counts it and tells. Once a judge's first answers about a
    /// transcript are all there, they are enough unless they leave it borderline.
    pub(super) fn hear(&self, slot: Slot, heard: Heard) {
        let heard = Heard { outcome: secret::clean(heard.outcome), ..heard };
        let mut settled = self.counts().tally.hear(slot, &self.ids[slot.criterion], heard);
        let firsts = settled.firsts.take();
        self.tell(slot, settled);
        let Some(firsts) = firsts else { return };
        if self.prepared.is_borderline(slot.transcript, &firsts) {
            return;
        }
        for criterion in firsts.into_keys().filter(|c| !self.prepared.criterion(*c).gate) {
            let slot = Slot { criterion, ..slot };
            let settled = self.counts().tally.enough(slot, &self.ids[criterion]);
            self.tell(slot, settled);
        }
    }

    /// Whether a question still waits for an answer.
    pub(super) fn is_open(&self, slot: Slot) -> bool {
        self.counts().tally.is_open(slot)
    }

    fn tell(&self, slot: Slot, settled: Settled) {
        if let Some(Heard { outcome, cached, .. }) = settled.criterion {
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
                criterion: Arc::clone(&self.ids[slot.criterion]),
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

    /// Waits until the run is over.
    pub(super) async fn ended(&self) {
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = self.overdue.cancelled() => {}
        }
    }

    /// Waits until the run has been over for so long.
    pub(super) async fn over_for(&self, time: Duration) {
        self.ended().await;
        self.engine.options.clock.alarm(time).await;
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

    /// A judge as it is asked: with its replies bounded, where they cost something.
    pub(super) fn judge(&self, judge: usize) -> Judge {
        let settings = self.prepared.job.judges[judge].clone();
        estimate::bounded(settings, &self.purse.rates[judge])
    }

    /// What a call may cost.
    pub(super) fn fare<'a>(
        &'a self,
        index: usize,
        judge: &'a Judge,
        prompt: &Prompt,
        criteria: usize,
    ) -> Fare<'a> {
        self.purse.fare(&self.engine.estimator, index, judge, prompt, criteria)
    }

    /// No call of this judge fits the budget any more.
    pub(super) fn over_budget(&self, judge: &str, over: &Over) {
        let why = Unscored::new(UnscoredReason::OverBudget, over.to_string());
        self.prepared.job.stopped.stop(judge, why);
        if self.purse.first_refusal() {
            self.notice(format!("judge {judge}: {over}"));
        }
    }

    /// One call more is sent.
    pub(super) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// A judge's calls wait.
    pub(super) fn waiting(&self, judge: usize, wait: Duration, why: &str) {
        let generation = self.prepared.job.generation;
        let (judge, why) = (Arc::clone(&self.names[judge]), why.to_owned());
        self.say(AssessUpdate::Waiting { generation, judge, wait, why });
    }

    /// A judge is not asked any more.
    pub(super) fn stopped(&self, judge: usize, why: String) {
        let judge = Arc::clone(&self.names[judge]);
        self.say(AssessUpdate::JudgeStopped {
            generation: self.prepared.job.generation,
            judge,
            why,
        });
    }

    /// Says something once.
    pub(super) fn notice(&self, message: impl Into<String>) {
        let generation = self.prepared.job.generation;
        let message = secret::without_keys(&message.into()).into_owned();
        self.say(AssessUpdate::Notice { generation, message });
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
        let cost = self.purse.cost();
        let mut summary = self.counts().summary.clone();
        summary.transcripts = self.prepared.subjects.len();
        summary.calls = self.calls.load(Ordering::Relaxed);
        summary.cost = cost;
        (summary.input_tokens, summary.output_tokens) = self.purse.tokens();
        summary.elapsed = self.elapsed();
        summary.cancelled = cancelled;
        summary.flips = self.flips();
        let generation = self.prepared.job.generation;
        self.say(AssessUpdate::Finished { generation, summary: summary.clone() });
        summary
    }

    fn flips(&self) -> BTreeMap<String, Flips> {
        let tally = &self.counts().tally;
        let judges = self.names.iter().enumerate();
        let flips = judges.map(|(judge, name)| (name.to_string(), tally.flips(judge)));
        flips.filter(|(_, flips)| flips.repeated > 0).collect()
    }

    fn close(&self, which: impl Fn(&Slot) -> bool, why: &Unscored, cached: bool) {
        let missing = self.counts().tally.missing();
        for (slot, sample) in missing.into_iter().filter(|(slot, _)| which(slot)) {
            let outcome = why.clone().into();
            self.hear(slot, Heard { outcome, cached, sample });
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
        let (elapsed, cost) = (self.elapsed(), self.purse.cost());
        self.say(AssessUpdate::Progress { generation, done, total, calls, elapsed, cost });
    }

    fn elapsed(&self) -> Duration {
        self.engine.options.clock.now().saturating_duration_since(self.started)
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
