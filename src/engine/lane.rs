//! One judge's part of a run: what is known, what is recorded, what must be asked.
//!
//! Invariant: a key with an answer, or being asked, is never asked again; an
//! answer is on disk before it is told; a call is dropped, socket and all, the
//! moment the run is cancelled or its transcript dropped.

use std::sync::{Arc, OnceLock};

use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::assessment::{Outcome, Unscored, UnscoredReason, reply};
use crate::config::{Judge, Provider};
use crate::prompt::Prompt;

use super::flight::{Claim, Permit, Waiter};
use super::prepared::samples;
use super::provider::{self, Call, ProviderReply};
use super::recording::{self, Recording};
use super::run::{Run, cancelled_outcome};
use super::secret::Secret;
use super::store::Row;
use super::tally::{Heard, Slot};
use super::trust;

/// Runs one judge's lane to its end.
pub(super) async fn run(run: Arc<Run>, judge: usize) {
    let settings = run.prepared.job.judges[judge].clone();
    if let Err(refusal) = trust::allowed(&settings, run.prepared.job.trust) {
        let why = format!("judge {} is not asked: {refusal}", settings.name);
        run.notice(&why);
        return run.give_up(judge, &Unscored::new(UnscoredReason::Untrusted, why));
    }
    if settings.provider == Provider::Recorded {
        return replay(&run, judge);
    }
    match secret(&run, &settings) {
        Ok(key) => {
            let stopped = OnceLock::new();
            Lane { run, judge, settings, key, stopped }.ask_all().await;
        }
        Err(why) => {
            run.notice(&why);
            run.give_up(judge, &Unscored::new(UnscoredReason::ProviderError, why));
        }
    }
}

/// Answers out of a recording.
fn replay(run: &Run, judge: usize) {
    let settings = &run.prepared.job.judges[judge];
    let path = recording::path(settings, run.prepared.project());
    let read = path.and_then(|path| {
        Recording::read(&path)
            .map_err(|e| format!("judge {}: {}: {e}", settings.name, path.display()))
    });
    let recording = match read {
        Ok(recording) => recording,
        Err(why) => {
            run.notice(&why);
            return run.give_up(judge, &Unscored::new(UnscoredReason::NotRecorded, why));
        }
    };
    recording.problems.iter().for_each(|problem| run.notice(problem));
    for (transcript, subject) in run.prepared.subjects.iter().enumerate() {
        for &criterion in &subject.questions {
            let slot = Slot { transcript, judge, criterion };
            let outcome = recording.answer(&run.prepared, slot);
            run.hear(slot, Heard { outcome, cached: true });
        }
    }
}

/// The key a judge wants, from the environment.
fn secret(run: &Run, judge: &Judge) -> Result<Option<Secret>, String> {
    let Some(name) = &judge.api_key_env else { return Ok(None) };
    let key = (run.engine.options.env)(name).as_deref().and_then(Secret::new);
    let missing =
        || format!("judge {}: the environment has no {name}; set it to the key", judge.name);
    key.map(Some).ok_or_else(missing)
}

/// A judge that is asked.
struct Lane {
    run: Arc<Run>,
    judge: usize,
    settings: Judge,
    key: Option<Secret>,
    /// Why no further call makes sense.
    stopped: OnceLock<Unscored>,
}

/// Criteria of one transcript that go into one call.
#[derive(Debug)]
struct Ask {
    transcript: usize,
    sample: u32,
    criteria: Vec<usize>,
}

impl Lane {
    /// First tells everything that is known, then asks the rest.
    async fn ask_all(self) {
        let asks = self.known().await;
        let limit = self.settings.max_concurrency.max(1);
        let lane = Arc::new(self);
        let mut calls = JoinSet::new();
        for ask in asks {
            if lane.run.cancel.is_cancelled() || lane.stopped.get().is_some() {
                break;
            }
            while calls.len() >= limit {
                calls.join_next().await;
            }
            let lane = Arc::clone(&lane);
            let span = tracing::info_span!(
                "call",
                judge = lane.settings.name,
                criteria = ask.criteria.len()
            );
            calls.spawn(async move { lane.settle_wanted(ask).await }.instrument(span));
        }
        while calls.join_next().await.is_some() {}
        if let Some(why) = lane.stopped.get() {
            lane.run.give_up(lane.judge, why);
        } else if lane.run.cancel.is_cancelled() {
            lane.run.give_up(lane.judge, &cancelled_outcome());
        }
    }

    /// Tells what the store knows; what it does not is grouped into calls.
    async fn known(&self) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (transcript, subject) in self.run.prepared.subjects.iter().enumerate() {
            for sample in 0..samples(&self.settings) {
                let unknown =
                    |&&criterion: &&usize| !self.tell_stored(transcript, criterion, sample);
                let missing: Vec<usize> =
                    subject.questions.iter().filter(unknown).copied().collect();
                for criteria in self.run.prepared.grouped(&missing, sample) {
                    asks.push(Ask { transcript, sample, criteria });
                }
            }
            tokio::task::yield_now().await;
        }
        asks
    }

    fn slot(&self, transcript: usize, criterion: usize) -> Slot {
        Slot { transcript, judge: self.judge, criterion }
    }

    fn tell_stored(&self, transcript: usize, criterion: usize, sample: u32) -> bool {
        let slot = self.slot(transcript, criterion);
        let Some(store) = &self.run.store else { return false };
        let Some(answer) = store.get(&self.run.prepared.key(slot, sample)) else { return false };
        self.run.hear(slot, Heard { outcome: Outcome::Answered(answer), cached: true });
        true
    }

    /// Settles an ask, unless its transcript is dropped first.
    async fn settle_wanted(&self, ask: Ask) {
        let transcript = ask.transcript;
        let digest = self.run.prepared.subjects[transcript].digest;
        if !self.run.cancel.is_dropped(digest) {
            self.settle(ask).await;
        }
        if self.run.cancel.is_dropped(digest) && !self.run.cancel.is_cancelled() {
            self.run.drop_transcript(self.judge, transcript);
        }
    }

    /// Settles every criterion of an ask: asks what nobody asks, waits for the
    /// rest, and takes over what others gave up.
    async fn settle(&self, ask: Ask) {
        let Ask { transcript, sample, mut criteria } = ask;
        while !criteria.is_empty() {
            let mut ours: Vec<(usize, Permit)> = Vec::new();
            let mut theirs: Vec<(usize, Waiter)> = Vec::new();
            for criterion in std::mem::take(&mut criteria) {
                let key = self.run.prepared.key(self.slot(transcript, criterion), sample);
                match self.run.engine.flights.claim(key) {
                    // Whoever asked before may have finished since we looked.
                    Claim::Ours(permit) if !self.tell_stored(transcript, criterion, sample) => {
                        ours.push((criterion, permit));
                    }
                    Claim::Ours(_) => {}
                    Claim::Theirs(waiter) => theirs.push((criterion, waiter)),
                }
            }
            if !ours.is_empty() && self.call(transcript, sample, ours).await.is_none() {
                return;
            }
            let digest = self.run.prepared.subjects[transcript].digest;
            for (criterion, waiter) in theirs {
                let outcome = tokio::select! {
                    () = self.run.cancel.dropped(digest) => return,
                    outcome = waiter.outcome() => outcome,
                };
                match outcome {
                    Some(outcome) => {
                        let heard = Heard { outcome, cached: true };
                        self.run.hear(self.slot(transcript, criterion), heard);
                    }
                    None => criteria.push(criterion),
                }
            }
        }
    }

    /// One call. `None` when it was cancelled, or nothing more is to be asked.
    async fn call(
        &self,
        transcript: usize,
        sample: u32,
        asked: Vec<(usize, Permit)>,
    ) -> Option<()> {
        let subject = &self.run.prepared.subjects[transcript];
        let criteria: Vec<usize> = asked.iter().map(|(criterion, _)| *criterion).collect();
        let prompt = self.run.prepared.prompt(self.judge, transcript, &criteria);
        let reply = tokio::select! {
            () = self.run.cancel.dropped(subject.digest) => return None,
            reply = self.send(&prompt, subject.digest.0[0]) => reply?,
        };
        let id = |c: &usize| self.run.prepared.criterion(*c).id.as_str();
        let ids: Vec<&str> = criteria.iter().map(id).collect();
        if let Some(usage) = reply.usage() {
            self.run.count_usage(usage);
        }
        let mut outcomes = match reply {
            ProviderReply::Text { text, .. } => {
                let fenced = provider::may_be_fenced(self.settings.provider);
                reply::read(&text, &ids, subject.transcript.exchanges.len(), fenced)
            }
            other => {
                let why = self.failed(other);
                ids.iter().map(|id| ((*id).to_owned(), why.clone().into())).collect()
            }
        };
        let keep: Vec<Row> =
            asked.iter().filter_map(|(c, _)| self.row(transcript, sample, *c, &outcomes)).collect();
        self.keep(keep).await;
        for (criterion, permit) in asked {
            let id = &self.run.prepared.criterion(criterion).id;
            let Some(outcome) = outcomes.remove(id) else { continue };
            permit.land(outcome.clone());
            self.run.hear(self.slot(transcript, criterion), Heard { outcome, cached: false });
        }
        Some(())
    }

    /// Sends, once there is a seat; `None` when the judge was stopped meanwhile.
    async fn send(&self, prompt: &Prompt, spread: u8) -> Option<ProviderReply> {
        let _seat = self.run.engine.sender.seat(&self.settings).await;
        if self.stopped.get().is_some() {
            return None;
        }
        self.run.count_call(&self.settings);
        let call = Call { judge: &self.settings, prompt, key: self.key.as_ref() };
        Some(self.run.engine.sender.ask(&call, u64::from(spread) * 37).await)
    }

    fn row(
        &self,
        transcript: usize,
        sample: u32,
        criterion: usize,
        outcomes: &std::collections::BTreeMap<String, Outcome>,
    ) -> Option<Row> {
        let id = &self.run.prepared.criterion(criterion).id;
        Some(Row {
            key: self.run.prepared.key(self.slot(transcript, criterion), sample),
            answer: outcomes.get(id)?.answer()?.clone(),
            model: self.settings.model.clone(),
            criterion: id.clone(),
        })
    }

    /// Answers go to disk before anyone hears them.
    async fn keep(&self, rows: Vec<Row>) {
        let Some(store) = self.run.store.as_ref().filter(|_| !rows.is_empty()) else { return };
        match store.put(rows).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.run.notice(format!("{error}; answers are shown but not kept")),
            Err(_) => self.run.notice("the store has stopped; answers are shown but not kept"),
        }
    }

    /// Why a reply is no answer; what concerns every later call stops the judge.
    fn failed(&self, reply: ProviderReply) -> Unscored {
        use ProviderReply as R;
        use UnscoredReason as Why;
        let seconds = self.settings.timeout_s;
        let (reason, detail, stops) = match reply {
            R::Truncated(_) => {
                (Why::Truncated, "the reply was cut off: raise max_tokens".into(), false)
            }
            R::Refused(text, _) => (Why::Refused, format!("the model refused: {text}"), false),
            R::Blocked(what, _) => (Why::Blocked, format!("blocked by {what}"), false),
            R::Unreadable(what, _) => (Why::Malformed, what, false),
            R::Retryable { detail, .. } | R::BadRequest(detail) => {
                (Why::ProviderError, detail, false)
            }
            R::TimedOut => {
                (Why::TimedOut, format!("no reply in {seconds} s: raise timeout_s"), false)
            }
            R::QuotaExhausted(detail) => {
                (Why::OutOfQuota, format!("no quota left: {detail}"), true)
            }
            R::Auth(detail) => {
                (Why::ProviderError, format!("the key was not accepted: {detail}"), true)
            }
            R::NotFound(detail) => {
                let what = format!("no such model or address: {detail}");
                (Why::ProviderError, what, true)
            }
            R::ContextTooLong(detail) => (
                Why::ProviderError,
                format!("the conversation does not fit the model: {detail}"),
                false,
            ),
            R::Text { .. } => {
                (Why::ProviderError, "an answer was taken for a failure".into(), false)
            }
        };
        let why = Unscored::new(reason, detail);
        if stops && self.stopped.set(why.clone()).is_ok() {
            self.run.notice(format!("judge {} is stopped: {}", self.settings.name, why.detail));
        }
        why
    }
}
