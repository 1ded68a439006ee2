//! One judge's part of a run: what is known, what is recorded, what must be asked.
//!
//! Invariant: a key with an answer, or being asked, is never asked again; an
//! answer is on disk before it is told; a call is dropped, socket and all, the
//! moment the run is over or its transcript dropped, wherever it waits. Prompts are
//! made when there is room to send them, so memory does not grow with the job; the
//! store is read off the async threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::assessment::privacy::Sensitive;
use crate::assessment::{Outcome, Unscored, UnscoredReason};
use crate::config::{Judge, Provider};

use super::batch;
use super::flight::{Claim, Permit, Waiter};
use super::judge::{Errand, NotSent};
use super::keyring;
use super::prepared::samples;
use super::provider::{self, Call, ProviderReply};
use super::repeat::Round;
use super::replay;
use super::retry::Limits;
use super::run::Run;
use super::secret::Secret;
use super::tally::{Heard, Slot};
use super::{trust, withholding};

/// Runs one judge's lane to its end.
pub(super) async fn run(run: Arc<Run>, judge: usize) {
    let settings = run.judge(judge);
    if let Err(refusal) = trust::allowed(&settings, run.prepared.job.trust) {
        let why = format!("judge {} is not asked: {refusal}", settings.name);
        run.notice(&why);
        return run.give_up(judge, &Unscored::new(UnscoredReason::Untrusted, why));
    }
    if settings.provider == Provider::Recorded {
        return replay::run(&run, judge);
    }
    match keyring::of_judge(&run.engine.options, &settings).await {
        Ok(key) => {
            if let Some(unsent) = provider::unsent(&settings) {
                run.notice(unsent);
            }
            Arc::new(Lane { run, judge, settings, key, waiting: Mutex::default() }).ask_all().await;
        }
        Err(why) => {
            run.notice(&why);
            run.give_up(judge, &Unscored::new(UnscoredReason::ProviderError, why));
        }
    }
}

/// Waits that end this close together are told once.
const SAME_WAIT: Duration = Duration::from_millis(500);

/// A judge that is asked.
pub(super) struct Lane {
    pub(super) run: Arc<Run>,
    pub(super) judge: usize,
    pub(super) settings: Judge,
    pub(super) key: Option<Secret>,
    /// Until when its calls wait, as far as was told.
    // Held only to compare and set; never across an await.
    waiting: Mutex<Option<Instant>>,
}

/// Criteria of one transcript that go into one call.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) transcript: usize,
    pub(super) sample: u32,
    pub(super) criteria: Vec<usize>,
}

/// Criteria that go into one call, and that nobody else asks meanwhile.
pub(super) struct Claimed {
    pub(super) transcript: usize,
    pub(super) sample: u32,
    pub(super) asked: Vec<(usize, Permit)>,
}

impl Lane {
    /// Asks every question once and the gates as often as wanted, then again what
    /// turned out to be borderline.
    async fn ask_all(self: Arc<Self>) {
        self.ask(Round::First).await;
        if samples(&self.settings) > 1 && !self.run.is_over() && self.stopped().is_none() {
            self.ask(Round::Rest).await;
        }
        if let Some(why) = self.stopped() {
            self.run.give_up(self.judge, &why);
        } else if self.run.is_over() {
            self.run.give_up(self.judge, &self.run.why_over());
        }
    }

    /// One round: tells everything that is known, then asks the rest.
    async fn ask(self: &Arc<Self>, round: Round) {
        let limit = self.settings.max_concurrency.max(1);
        let mut calls = JoinSet::new();
        let mut asks = self.missing(round).await;
        if self.run.engine.options.batch && batch::has(&self.settings) {
            asks = batch::ask_all(self, asks).await;
        }
        for ask in asks {
            while calls.len() >= limit {
                calls.join_next().await;
            }
            if self.run.is_over() || self.stopped().is_some() {
                break;
            }
            let lane = Arc::clone(self);
            let span = tracing::info_span!(
                "call",
                judge = lane.settings.name,
                criteria = ask.criteria.len()
            );
            calls.spawn(async move { lane.settle_wanted(ask).await }.instrument(span));
        }
        while calls.join_next().await.is_some() {}
    }

    /// Tells what the store knows, and what is to be asked.
    async fn missing(self: &Arc<Self>, round: Round) -> Vec<Ask> {
        let lane = Arc::clone(self);
        let found = tokio::task::spawn_blocking(move || lane.known(round));
        // A panic there leaves the lane without an outcome, which the run says.
        found.await.unwrap_or_default()
    }

    /// Tells what the store knows; what it does not is grouped into calls.
    fn known(&self, round: Round) -> Vec<Ask> {
        let mut asks = Vec::new();
        let prepared = &self.run.prepared;
        for (transcript, subject) in prepared.subjects.iter().enumerate() {
            if self.run.is_over() {
                break;
            }
            let sensitive = withholding::found(prepared, subject, &self.settings);
            for (sample, mut missing) in prepared.round(self.judge, transcript, round) {
                missing.retain(|&criterion| {
                    // By now it may be settled: the first answers were enough.
                    self.run.is_open(self.slot(transcript, criterion))
                        && !self.tell_stored(transcript, criterion, sample)
                });
                if !sensitive.is_empty() {
                    self.withhold(transcript, sample, &missing, sensitive);
                    continue;
                }
                for criteria in prepared.grouped(&missing, sample) {
                    asks.push(Ask { transcript, sample, criteria });
                }
            }
        }
        asks
    }

    fn withhold(&self, transcript: usize, sample: u32, criteria: &[usize], found: &[Sensitive]) {
        for &criterion in criteria {
            let outcome = withholding::outcome(found).into();
            let heard = Heard { outcome, sample, cached: true };
            self.run.hear(self.slot(transcript, criterion), heard);
        }
    }

    /// Why no further call makes sense.
    pub(super) fn stopped(&self) -> Option<Unscored> {
        self.run.prepared.job.stopped.why(&self.settings.name)
    }

    pub(super) fn slot(&self, transcript: usize, criterion: usize) -> Slot {
        Slot { transcript, judge: self.judge, criterion }
    }

    fn tell_stored(&self, transcript: usize, criterion: usize, sample: u32) -> bool {
        let slot = self.slot(transcript, criterion);
        let Some(store) = &self.run.store else { return false };
        let Some(answer) = store.get(&self.run.prepared.key(slot, sample)) else { return false };
        let outcome = Outcome::Answered(answer);
        self.run.hear(slot, Heard { outcome, cached: true, sample });
        true
    }

    /// Settles an ask, unless its transcript is dropped first.
    async fn settle_wanted(self: Arc<Self>, ask: Ask) {
        let transcript = ask.transcript;
        let digest = self.run.prepared.subjects[transcript].digest;
        if !self.run.cancel.is_dropped(digest) {
            self.settle(ask).await;
        }
        if self.run.cancel.is_dropped(digest) && !self.run.is_over() {
            self.run.drop_transcript(self.judge, transcript);
        }
    }

    /// Settles every criterion of an ask: asks what nobody asks, waits for the
    /// rest, and takes over what others gave up.
    async fn settle(self: &Arc<Self>, ask: Ask) {
        let Ask { transcript, sample, mut criteria } = ask;
        while !criteria.is_empty() {
            let mut claimed: Vec<(usize, Permit)> = Vec::new();
            let mut theirs: Vec<(usize, Waiter)> = Vec::new();
            for criterion in std::mem::take(&mut criteria) {
                let key = self.run.prepared.key(self.slot(transcript, criterion), sample);
                match self.run.engine.flights.claim(key) {
                    Claim::Ours(permit) => claimed.push((criterion, permit)),
                    Claim::Theirs(waiter) => theirs.push((criterion, waiter)),
                }
            }
            let ours = self.still_unknown(transcript, sample, claimed).await;
            if !ours.is_empty() && self.call(transcript, sample, ours).await.is_none() {
                return;
            }
            let digest = self.run.prepared.subjects[transcript].digest;
            for (criterion, waiter) in theirs {
                let outcome = tokio::select! {
                    () = self.run.over(digest) => return,
                    outcome = waiter.outcome() => outcome,
                };
                match outcome {
                    Some(outcome) => {
                        let heard = Heard { outcome, cached: true, sample };
                        self.run.hear(self.slot(transcript, criterion), heard);
                    }
                    None => criteria.push(criterion),
                }
            }
        }
    }

    /// Whoever asked before may have finished since we looked: tells what is known
    /// by now, and gives back the rest.
    async fn still_unknown(
        self: &Arc<Self>,
        transcript: usize,
        sample: u32,
        claimed: Vec<(usize, Permit)>,
    ) -> Vec<(usize, Permit)> {
        if claimed.is_empty() || self.run.store.is_none() {
            return claimed;
        }
        let lane = Arc::clone(self);
        let look = move || {
            let unknown = |(criterion, _): &(usize, Permit)| {
                !lane.tell_stored(transcript, *criterion, sample)
            };
            claimed.into_iter().filter(unknown).collect()
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
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
        let reply = tokio::select! {
            () = self.run.over(subject.digest) => return None,
            reply = self.send(transcript, &criteria) => reply?,
        };
        self.heard(Claimed { transcript, sample, asked }, reply).await;
        Some(())
    }

    /// Sends; `None` when the judge was stopped before it could be.
    async fn send(&self, transcript: usize, criteria: &[usize]) -> Option<ProviderReply> {
        let prompt = self.run.prepared.prompt(self.judge, transcript, criteria);
        let counted = AtomicBool::new(false);
        let may_send = || {
            if self.stopped().is_some() {
                return false;
            }
            if !counted.swap(true, Ordering::Relaxed) {
                self.run.count_call();
            }
            self.goes_on();
            true
        };
        let call = Call { judge: &self.settings, prompt: &prompt, key: self.key.as_ref() };
        let limits = Limits::of(&self.settings, &self.run.prepared.job.settings);
        let waits = |wait: Duration, why: &str| self.waits(wait, why);
        let fare = self.run.fare(self.judge, &self.settings, &prompt, criteria.len());
        let errand = Errand { call, fare, limits, may_send: &may_send, waits: &waits };
        match self.run.engine.sender.ask(&errand).await {
            Ok(reply) => Some(reply),
            Err(NotSent::Unwanted) => None,
            Err(NotSent::Over(over)) => {
                self.run.over_budget(&self.settings.name, &over);
                None
            }
        }
    }

    /// Tells of a wait, once for all calls that wait for the same.
    fn waits(&self, wait: Duration, why: &str) {
        let until = self.run.engine.options.clock.now() + wait;
        let mut told = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|before| until > before + SAME_WAIT) {
            *told = Some(until);
            self.run.waiting(self.judge, wait, why);
        }
    }

    /// Tells that a wait is over.
    fn goes_on(&self) {
        let told = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if told.is_some() {
            self.run.progress();
        }
    }
}
