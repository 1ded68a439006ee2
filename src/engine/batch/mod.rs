//! Asks in batches, which cost half and take up to a day.
//!
//! Invariant: a call that is in a batch under way is in no other; a batch that
//! was made is written down before anything else happens, and is fetched by
//! whoever runs next in its project, whether or not that run asks the same. What
//! a batch answers is kept as if it had been asked alone. Only what the provider
//! could not serve, or did not get to, goes into a further batch.
//!
//! Deliberately absent: taking a batch back. It is paid for, and its answers are
//! as good later.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::assessment::{Unscored, UnscoredReason, reply};
use crate::config::Judge;
use crate::transcript::TranscriptDigest;

use super::flight::Claim;
use super::lane::{Ask, Claimed, Lane};
use super::provider::batch::{self, Fate, Item, Results, State};
use super::provider::{Addressee, Call, HttpRequest, ProviderReply};
use super::retry::Limits;
use super::store::Row;
use super::store::portable::unhex;
use super::trust;
use pending::{Asked, Batch, Pending, Whose};

mod pending;

/// Batches in which one call goes at most.
const ROUNDS: usize = 3;
const FIRST_LOOK: Duration = Duration::from_secs(5);
const LONGEST_LOOK: Duration = Duration::from_secs(60);
/// Results are kept for 29 days; an older batch that is not known is gone.
const KEPT: i64 = 29 * 24 * 3600;
const CANCELLED: &str = "the batch goes on there: run the same command again to fetch its answers";

/// Whether this judge's provider has batches.
pub(super) fn has(judge: &Judge) -> bool {
    batch::limit(judge.provider).is_some()
}

/// Asks all of these but those that somebody else asks, which come back; tells
/// what comes of each.
pub(super) async fn ask_all(lane: &Arc<Lane>, asks: Vec<Ask>) -> Vec<Ask> {
    let (mut open, mut left) = (BTreeMap::new(), Vec::new());
    for ask in asks {
        let (claimed, theirs) = claimed(lane, ask);
        if !claimed.asked.is_empty() {
            open.insert(mark(lane, &claimed), claimed);
        }
        left.extend(theirs);
    }
    let data_dir = lane.run.engine.options.data_dir.clone();
    let name = &lane.settings.name;
    let host = trust::host(&lane.settings).unwrap_or_default();
    let whose = Whose {
        place: format!("{:?} {host}", lane.settings.provider),
        project: lane.run.prepared.project().map(Into::into),
    };
    let opened = blocking(move || Pending::open(data_dir.as_deref())).await;
    let ended = match opened {
        Ok(pending) => {
            Work { lane, pending, whose, open, failed: BTreeMap::new(), under_way: Vec::new() }
                .run()
                .await
        }
        Err(why) => Err(why),
    };
    if let Err(why) = ended {
        if lane.stopped().is_none() {
            lane.run.notice(format!("judge {name}: {why}"));
        }
        lane.run.give_up(lane.judge, &Unscored::new(UnscoredReason::ProviderError, why));
    }
    left
}

/// Runs what touches the disk off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
}

/// Claims what nobody else asks; the rest is left, for later.
fn claimed(lane: &Lane, ask: Ask) -> (Claimed, Option<Ask>) {
    let Ask { transcript, sample, criteria } = ask;
    let (mut asked, mut left) = (Vec::new(), Vec::new());
    for criterion in criteria {
        let key = lane.run.prepared.key(lane.slot(transcript, criterion), sample);
        match lane.run.engine.flights.claim(key) {
            Claim::Ours(permit) => asked.push((criterion, permit)),
            Claim::Theirs(_) => left.push(criterion),
        }
    }
    let left = Some(left).filter(|left| !left.is_empty());
    let left = left.map(|criteria| Ask { transcript, sample, criteria });
    (Claimed { transcript, sample, asked }, left)
}

/// Names a call by the keys of its answers, so every run names it alike.
fn mark(lane: &Lane, claimed: &Claimed) -> String {
    let mut hash = Sha256::new();
    for (criterion, _) in &claimed.asked {
        hash.update(
            lane.run.prepared.key(lane.slot(claimed.transcript, *criterion), claimed.sample),
        );
    }
    hex(&hash.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// One judge's batches.
struct Work<'a> {
    lane: &'a Arc<Lane>,
    pending: Pending,
    whose: Whose,
    /// What has no outcome yet.
    open: BTreeMap<String, Claimed>,
    /// Why a call did not come to a reply, last time.
    failed: BTreeMap<String, String>,
    under_way: Vec<Batch>,
}

impl Work<'_> {
    async fn run(mut self) -> Result<(), String> {
        let (pending, whose) = (self.pending.clone(), self.whose.clone());
        self.under_way = blocking(move || pending.under_way(&whose)).await?;
        for batch in &self.under_way {
            self.tell(batch, "is still waiting for");
        }
        let mut rounds = 0;
        loop {
            let busy: HashSet<&String> =
                self.under_way.iter().flat_map(|b| b.calls.iter().map(|(mark, _)| mark)).collect();
            let new: Vec<String> =
                self.open.keys().filter(|mark| !busy.contains(mark)).cloned().collect();
            if !new.is_empty() && rounds < ROUNDS {
                rounds += 1;
                self.submit(&new).await?;
            }
            if self.under_way.is_empty() {
                return self.close().await;
            }
            for batch in std::mem::take(&mut self.under_way) {
                let Some(fates) = self.fetched(&batch).await? else {
                    self.lane.run.notice(format!("judge {}: {CANCELLED}", self.lane.settings.name));
                    return Ok(());
                };
                self.settle(&batch, fates, rounds >= ROUNDS).await;
                let (pending, whose) = (self.pending.clone(), self.whose.clone());
                blocking(move || pending.strike(&whose, &batch.name)).await?;
            }
            if self.lane.stopped().is_some() {
                return Ok(());
            }
        }
    }

    /// What is left has been tried often enough.
    async fn close(mut self) -> Result<(), String> {
        for (mark, claimed) in std::mem::take(&mut self.open) {
            let said = self.failed.remove(&mark).unwrap_or_else(|| "no result".into());
            let detail = format!("{said}, in {ROUNDS} batches");
            self.lane.heard(claimed, ProviderReply::BadRequest(detail)).await;
        }
        Ok(())
    }

    fn tell(&self, batch: &Batch, what: &str) {
        let (name, calls) = (&self.lane.settings.name, batch.calls.len());
        self.lane.run.notice(format!(
            "judge {name} {what} a batch of {calls} calls, which may take up to a day; interrupt \
             whenever you like, and run the same command again to fetch its answers"
        ));
    }

    fn limits(&self) -> Limits {
        Limits::of(&self.lane.settings, &self.lane.run.prepared.job.settings)
    }

    fn to(&self) -> Addressee<'_> {
        Addressee { judge: &self.lane.settings, key: self.lane.key.as_ref() }
    }

    /// Hands these calls in, in as many batches as they need. Not interrupted:
    /// a batch that was made is written down.
    async fn submit(&mut self, marks: &[String]) -> Result<(), String> {
        let limit = batch::limit(self.lane.settings.provider).ok_or("it has no batches")?;
        let (mut items, mut bytes) = (Vec::new(), 0);
        for mark in marks {
            if self.lane.run.is_over() {
                return Ok(());
            }
            let Some(item) = self.item(mark)? else { break };
            let size = item.body.to_string().len();
            if items.len() >= limit.calls || (bytes + size > limit.bytes && !items.is_empty()) {
                self.hand_in(std::mem::take(&mut items)).await?;
                bytes = 0;
            }
            bytes += size;
            items.push(item);
        }
        self.hand_in(items).await
    }

    /// `None` when the budget allows no more.
    fn item(&self, mark: &String) -> Result<Option<Item>, String> {
        let claimed = &self.open[mark];
        let criteria: Vec<usize> = claimed.asked.iter().map(|(c, _)| *c).collect();
        let lane = self.lane;
        let prompt = lane.run.prepared.prompt(lane.judge, claimed.transcript, &criteria);
        let fare = lane.run.fare(lane.judge, &lane.settings, &prompt, criteria.len());
        if let Err(over) = fare.promise() {
            lane.run.over_budget(&lane.settings.name, &over);
            return Ok(None);
        }
        let call = Call { judge: &lane.settings, prompt: &prompt, key: lane.key.as_ref() };
        Ok(Some(Item { mark: mark.clone(), body: batch::body(&call)? }))
    }

    async fn hand_in(&mut self, items: Vec<Item>) -> Result<(), String> {
        if items.is_empty() {
            return Ok(());
        }
        let mut file = String::new();
        if let Some(upload) = batch::upload(self.to(), &items) {
            file = batch::uploaded(&self.sent(&upload).await?)?;
        }
        let create = batch::create(self.to(), &items, &file)?;
        let name = batch::created(self.to(), &self.sent(&create).await?)?;
        let calls: Vec<(String, Asked)> =
            items.iter().map(|item| (item.mark.clone(), self.asked(&item.mark))).collect();
        let batch = Batch { name, age: 0, calls };
        let (pending, whose, written) = (self.pending.clone(), self.whose.clone(), batch.clone());
        blocking(move || pending.add(&whose, &written.name, &written.calls)).await?;
        batch.calls.iter().for_each(|_| self.lane.run.count_call());
        self.tell(&batch, "waits for");
        self.under_way.push(batch);
        Ok(())
    }

    fn asked(&self, mark: &String) -> Asked {
        let (lane, claimed) = (self.lane, &self.open[mark]);
        let prepared = &lane.run.prepared;
        let one = |criterion: usize| {
            let key = prepared.key(lane.slot(claimed.transcript, criterion), claimed.sample);
            (prepared.criterion(criterion).id.clone(), hex(&key))
        };
        let subject = &prepared.subjects[claimed.transcript];
        Asked {
            criteria: claimed.asked.iter().map(|(criterion, _)| one(*criterion)).collect(),
            exchanges: subject.transcript.exchanges.len(),
            model: lane.settings.model.clone(),
            transcript: subject.digest.to_string(),
            id: subject.ids.first().cloned().unwrap_or_default(),
        }
    }

    /// The body of a reply.
    async fn sent(&self, request: &HttpRequest) -> Result<String, String> {
        let sent = self.lane.run.engine.sender.fetch(self.to(), request, self.limits()).await;
        sent.map_err(|reply| self.lane.failed(reply).detail)
    }

    /// What became of every call of a batch, once it is through; `None` when the
    /// run is over before.
    async fn fetched(&self, batch: &Batch) -> Result<Option<Vec<(String, Fate)>>, String> {
        let lane = self.lane;
        let poll = batch::poll(self.to(), &batch.name);
        let mut wait = FIRST_LOOK;
        let results = loop {
            let reply = tokio::select! {
                () = lane.run.ended() => return Ok(None),
                reply = lane.run.engine.sender.fetch(self.to(), &poll, self.limits()) => reply,
            };
            let reply = match reply {
                Err(ProviderReply::NotFound(_)) if batch.age > KEPT => return Ok(Some(Vec::new())),
                reply => reply.map_err(|reply| lane.failed(reply).detail)?,
            };
            match batch::polled(self.to(), &batch.name, &reply)? {
                State::Ended(results) => break results,
                State::Running(done) => tracing::debug!(done, "the batch is under way"),
            }
            tokio::select! {
                () = lane.run.ended() => return Ok(None),
                () = lane.run.engine.options.clock.pause(wait) => {}
            }
            wait = wait.saturating_mul(2).min(LONGEST_LOOK);
        };
        let mut fates = Vec::new();
        for result in results {
            match result {
                Results::Here(here) => fates.extend(here),
                Results::At(path) => {
                    let fetch = batch::fetch(self.to(), &path);
                    let text = tokio::select! {
                        () = lane.run.ended() => return Ok(None),
                        text = self.sent(&fetch) => text?,
                    };
                    fates.extend(batch::read(self.to(), &text));
                }
            }
        }
        Ok(Some(fates))
    }

    /// Keeps what was answered. What the provider could not serve stays open,
    /// unless this was its last chance.
    async fn settle(&mut self, batch: &Batch, fates: Vec<(String, Fate)>, last: bool) {
        for (mark, fate) in fates {
            let reply = match fate {
                Fate::Unsent(why) => {
                    self.failed.insert(mark, why);
                    continue;
                }
                Fate::Replied(ProviderReply::Retryable { detail, .. }) if !last => {
                    self.failed.insert(mark, detail);
                    continue;
                }
                Fate::Replied(reply) => reply,
            };
            self.lane.run.purse.collected(self.lane.judge, &self.lane.settings, &reply);
            match self.open.remove(&mark) {
                Some(claimed) => self.lane.heard(claimed, reply).await,
                None => {
                    let asked = batch.calls.iter().find(|(known, _)| *known == mark);
                    if let Some((_, asked)) = asked {
                        self.keep(asked, &reply).await;
                    }
                }
            }
        }
    }

    /// Keeps answers to what this run does not ask.
    async fn keep(&self, asked: &Asked, reply: &ProviderReply) {
        if let Some(usage) = reply.usage() {
            self.lane.run.count_usage(usage);
        }
        let ProviderReply::Text { text, .. } = reply else { return };
        let ids: Vec<&str> = asked.criteria.iter().map(|(id, _)| id.as_str()).collect();
        let outcomes = reply::read(text, &ids, asked.exchanges, false);
        let row = |(id, key): &(String, String)| {
            let answer = outcomes.get(id)?.answer()?.clone();
            let provider = self.lane.settings.provider;
            let (model, criterion) = (asked.model.clone(), id.clone());
            let transcript = TranscriptDigest(unhex(&asked.transcript)?);
            let id = asked.id.clone();
            Some(Row { key: unhex(key)?, answer, provider, model, criterion, transcript, id })
        };
        self.lane.keep(asked.criteria.iter().filter_map(row).collect()).await;
    }
}
