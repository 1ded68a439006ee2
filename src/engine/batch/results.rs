//! What comes back of a batch: waited for, and kept.
//!
//! Invariant: a batch is struck out only once what it answered is on disk. What it
//! answers is counted as paid whoever asked it; what nobody asks any more is kept
//! unless its transcript was purged meanwhile.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::assessment::reply;
use crate::engine::provider::ProviderReply;
use crate::engine::provider::batch::{self, Fate, Results, State};
use crate::engine::retry::Sent;
use crate::engine::store::Row;
use crate::engine::store::portable::unhex;
use crate::transcript::TranscriptDigest;

use super::pending::{Asked, Batch};
use super::work::{TRIES, Work};

const FIRST_LOOK: Duration = Duration::from_secs(5);
const LONGEST_LOOK: Duration = Duration::from_secs(60);
/// Results are kept for 29 days; an older batch that is not known is gone.
const KEPT: i64 = 29 * 24 * 3600;

const PURGED: &str = "the transcript was purged while it was asked about";

type Fates = Vec<(String, Fate)>;

impl Work<'_> {
    /// What became of every call of a batch, once it is through; `None` when the
    /// run is over before.
    pub(super) async fn fetched(&self, batch: &Batch) -> Result<Option<Fates>, String> {
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

    /// A batch is through: keeps what it answered, and strikes it out.
    pub(super) async fn end(&mut self, mut batch: Batch, fates: Fates) -> Result<(), String> {
        let known: HashSet<&String> = batch.calls.iter().map(|(mark, _)| mark).collect();
        if !batch.is_named() && !fates.iter().any(|(mark, _)| known.contains(mark)) {
            // It only looked like the one that was looked for.
            self.strangers.insert(batch.name.clone());
            let found = self.adopted(batch).await?;
            self.under_way.extend(found);
            return Ok(());
        }
        let row = batch.row.clone();
        let left = self.marks(&row).await?;
        for (mark, _) in batch.calls.extract_if(.., |(mark, _)| !left.contains(mark)) {
            if let Some(claimed) = self.open.remove(&mark) {
                self.lane.heard(claimed, ProviderReply::BadRequest(PURGED.into())).await;
            }
        }
        self.settle(batch, fates).await;
        // Also what a run that is over did not wait for.
        self.lane.run.engine.keeping.settled().await;
        self.strike(&row).await
    }

    /// Keeps what was answered. What the provider could not serve stays open,
    /// unless this was its last chance.
    async fn settle(&mut self, batch: Batch, fates: Fates) {
        let mut calls: HashMap<String, Asked> = batch.calls.into_iter().collect();
        for (mark, fate) in fates {
            let Some(asked) = calls.remove(&mark) else {
                // Of a transcript that was purged, which may be asked anew meanwhile.
                if let Fate::Replied(reply) = &fate {
                    self.lane.run.purse.collected(self.lane.judge, &self.lane.settings, reply);
                }
                continue;
            };
            let reply = match fate {
                Fate::Unsent(why) => {
                    if let Some(held) = self.held.remove(&mark) {
                        held.unsent();
                    }
                    self.failed.insert(mark, why);
                    continue;
                }
                Fate::Replied(reply) => reply,
            };
            match self.held.remove(&mark) {
                Some(held) => held.settle(&Sent::bare(reply.clone())),
                None => self.lane.run.purse.collected(self.lane.judge, &self.lane.settings, &reply),
            }
            let tries = self.tried(&mark);
            match reply {
                ProviderReply::Retryable { detail, .. } if tries < TRIES => {
                    self.failed.insert(mark, detail);
                }
                // As when it is asked alone: once more.
                ProviderReply::Malformed(detail, _) if tries < 2 => {
                    self.failed.insert(mark, detail);
                }
                reply => match self.open.remove(&mark) {
                    Some(claimed) => self.lane.heard(claimed, reply).await,
                    None => self.keep(&asked, &reply).await,
                },
            }
        }
    }

    /// Keeps answers to what this run does not ask.
    async fn keep(&self, asked: &Asked, reply: &ProviderReply) {
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
