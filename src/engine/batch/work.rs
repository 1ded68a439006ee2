//! One judge's batches: handed in as far as the money goes, until every call has
//! an outcome.
//!
//! Invariant: the most that a call can cost in a batch is held before it is handed
//! in, and settled at what it did cost; what comes back frees money for the next.
//! A call goes into [`TRIES`] batches at most.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::assessment::Unscored;
use crate::engine::lane::{Claimed, Lane};
use crate::engine::provider::batch::{self, Item};
use crate::engine::provider::{Addressee, Call, HttpRequest, ProviderReply};
use crate::engine::purse::Charge;
use crate::engine::retry::Limits;
use crate::engine::store::owner;

use super::pending::{Asked, Batch, Pending, Whose};
use super::{blocking, hex};

/// Batches in which one call goes at most.
pub(super) const TRIES: usize = 3;
const CANCELLED: &str = "the batch goes on there: run the same command again to fetch its answers";

/// One judge's batches.
pub(super) struct Work<'a> {
    pub(super) lane: &'a Arc<Lane>,
    pub(super) pending: Pending,
    pub(super) whose: Whose,
    /// What has no outcome yet.
    pub(super) open: BTreeMap<String, Claimed>,
    /// The money held for calls that this run handed in.
    pub(super) held: BTreeMap<String, Charge<'a>>,
    /// In how many batches of this run a call was.
    pub(super) tries: BTreeMap<String, usize>,
    /// Why a call did not come to a reply, last time.
    pub(super) failed: BTreeMap<String, String>,
    pub(super) under_way: Vec<Batch>,
    /// Batches of the same account that are somebody else's.
    pub(super) strangers: HashSet<String>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        lane: &'a Arc<Lane>,
        pending: Pending,
        whose: Whose,
        open: BTreeMap<String, Claimed>,
    ) -> Self {
        let (held, tries, failed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (under_way, strangers) = (Vec::new(), HashSet::new());
        Self { lane, pending, whose, open, held, tries, failed, under_way, strangers }
    }

    pub(super) async fn run(mut self) -> Result<(), String> {
        let (pending, whose) = (self.pending.clone(), self.whose.clone());
        for batch in blocking(move || pending.under_way(&whose)).await? {
            let Some(batch) = self.adopted(batch).await? else { continue };
            self.tell(&batch, "is still waiting for");
            self.under_way.push(batch);
        }
        loop {
            let new = self.unasked();
            if !new.is_empty() {
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
                self.end(batch, fates).await?;
            }
            if self.lane.stopped().is_some() {
                return Ok(());
            }
        }
    }

    /// Calls without an outcome that are in no batch, and may go into one.
    fn unasked(&self) -> Vec<String> {
        let busy: HashSet<&String> =
            self.under_way.iter().flat_map(|b| b.calls.iter().map(|(mark, _)| mark)).collect();
        let may = |mark: &&String| !busy.contains(mark) && self.tried(mark) < TRIES;
        self.open.keys().filter(may).cloned().collect()
    }

    pub(super) fn tried(&self, mark: &str) -> usize {
        self.tries.get(mark).copied().unwrap_or_default()
    }

    /// What is left has been tried often enough, unless the run is over before.
    async fn close(mut self) -> Result<(), String> {
        if self.lane.run.is_over() || self.lane.stopped().is_some() {
            return Ok(());
        }
        for (mark, claimed) in std::mem::take(&mut self.open) {
            let said = self.failed.remove(&mark).unwrap_or_else(|| "no result".into());
            let detail = format!("{said}, in {} batches", self.tried(&mark));
            self.lane.heard(claimed, ProviderReply::BadRequest(detail)).await;
        }
        Ok(())
    }

    pub(super) fn tell(&self, batch: &Batch, what: &str) {
        let (name, calls) = (&self.lane.settings.name, batch.calls.len());
        self.lane.run.notice(format!(
            "judge {name} {what} a batch of {calls} calls, which may take up to a day; interrupt \
             whenever you like, and run the same command again to fetch its answers"
        ));
    }

    pub(super) fn limits(&self) -> Limits {
        Limits::of(&self.lane.settings, &self.lane.run.prepared.job.settings)
    }

    pub(super) fn to(&self) -> Addressee<'a> {
        Addressee { judge: &self.lane.settings, key: self.lane.key.as_ref() }
    }

    /// Hands these calls in, in as many batches as they need, as far as the money
    /// goes. Not interrupted: a batch that was made is written down.
    async fn submit(&mut self, marks: &[String]) -> Result<(), String> {
        let limit = batch::limit(self.lane.settings.provider).ok_or("it has no batches")?;
        let (mut items, mut bytes) = (Vec::new(), 0);
        for mark in marks {
            if self.lane.run.is_over() {
                return Ok(());
            }
            let alone = items.is_empty() && self.under_way.is_empty();
            let Some(item) = self.item(mark, alone).await? else { break };
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

    /// A call, its money held. `None` when the budget allows no more, or not before
    /// something is settled; `alone` when nothing of this judge will be.
    async fn item(&mut self, mark: &String, alone: bool) -> Result<Option<Item>, String> {
        let claimed = &self.open[mark];
        let criteria: Vec<usize> = claimed.asked.iter().map(|(c, _)| *c).collect();
        let lane = self.lane;
        let prompt = lane.run.prepared.prompt(lane.judge, claimed.transcript, &criteria);
        let fare = lane.run.fare(lane.judge, &lane.settings, &prompt, criteria.len()).in_batch();
        let held = match fare.offer() {
            // Other judges hold the money.
            Ok(None) if alone => tokio::select! {
                () = lane.run.ended() => return Ok(None),
                held = fare.reserve() => held.map(Some),
            },
            held => held,
        };
        match held {
            Ok(Some(held)) => self.held.insert(mark.clone(), held),
            Ok(None) => return Ok(None),
            Err(over) => {
                lane.run.over_budget(&lane.settings.name, &over);
                return Ok(None);
            }
        };
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
        let label = owner::random().map_err(|e| format!("no random bits: {e}"))?;
        let create = batch::create(self.to(), &items, &file, &label)?;
        let calls: Vec<(String, Asked)> =
            items.iter().map(|item| (item.mark.clone(), self.asked(&item.mark))).collect();
        drop(items);
        let mut batch = Batch::unnamed(&label, calls);
        let (pending, whose, written) = (self.pending.clone(), self.whose.clone(), batch.clone());
        blocking(move || pending.add(&whose, &written.row, &written.calls)).await?;
        batch.name = self.made(&create, &batch).await?;
        self.name(&mut batch).await?;
        for (mark, _) in &batch.calls {
            *self.tries.entry(mark.clone()).or_default() += 1;
            self.lane.run.count_call();
        }
        self.tell(&batch, "waits for");
        self.under_way.push(batch);
        Ok(())
    }

    /// Makes a batch that is written down. Where it is sure that none was made, it
    /// is struck out; else the next run looks for it.
    async fn made(&self, create: &HttpRequest, batch: &Batch) -> Result<String, String> {
        let sent = self.lane.run.engine.sender.fetch(self.to(), create, self.limits()).await;
        let reply = match sent {
            Ok(reply) => reply,
            Err(reply) => {
                use ProviderReply as R;
                let unsure = matches!(reply, R::Retryable { .. } | R::TimedOut);
                let why = self.lane.failed(reply).detail;
                if unsure {
                    return Err(format!(
                        "{why}: it is not known whether the batch was made; the same command \
                         looks for it"
                    ));
                }
                self.strike(&batch.row).await?;
                return Err(why);
            }
        };
        batch::created(self.to(), &reply)
    }

    /// Writes down what the provider calls a batch.
    pub(super) async fn name(&self, batch: &mut Batch) -> Result<(), String> {
        let row = std::mem::replace(&mut batch.row, batch.name.clone());
        let (pending, whose, name) = (self.pending.clone(), self.whose.clone(), batch.name.clone());
        blocking(move || pending.rename(&whose, &row, &name)).await
    }

    pub(super) async fn strike(&self, row: &str) -> Result<(), String> {
        let (pending, whose, row) = (self.pending.clone(), self.whose.clone(), row.to_owned());
        blocking(move || pending.strike(&whose, &row)).await
    }

    /// The calls of a batch that were not purged meanwhile.
    pub(super) async fn marks(&self, row: &str) -> Result<HashSet<String>, String> {
        let (pending, whose, row) = (self.pending.clone(), self.whose.clone(), row.to_owned());
        blocking(move || pending.marks(&whose, &row)).await
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
    pub(super) async fn sent(&self, request: &HttpRequest) -> Result<String, String> {
        let sent = self.lane.run.engine.sender.fetch(self.to(), request, self.limits()).await;
        sent.map_err(|reply| {
            let Unscored { detail, .. } = self.lane.failed(reply);
            detail
        })
    }
}
