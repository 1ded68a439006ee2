//! What comes back of a call: its answers are kept, and then told.
//!
//! Invariant: an answer is on disk before it is told; a run that is over waits for
//! no disk, and the answer is kept all the same.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::assessment::{Outcome, Unscored, reply};

use super::flight::Permit;
use super::lane::{Claimed, Lane};
use super::provider::{self, ProviderReply};
use super::secret;
use super::store::{Row, StoreError};
use super::tally::Heard;
use super::unanswered;

impl Lane {
    /// A reply is there: keeps its answers and tells what came of every criterion.
    pub(super) async fn heard(&self, claimed: Claimed, reply: ProviderReply) {
        let Claimed { transcript, sample, asked } = claimed;
        let subject = &self.run.prepared.subjects[transcript];
        let id = |(c, _): &(usize, Permit)| self.run.prepared.criterion(*c).id.as_str();
        let ids: Vec<&str> = asked.iter().map(id).collect();
        let mut outcomes = match reply {
            ProviderReply::Text { text, .. } => {
                let fenced = provider::may_be_fenced(self.settings.provider);
                let exchanges = subject.transcript.exchanges.len();
                let read = reply::read(&text, &ids, exchanges, fenced);
                read.into_iter().map(|(id, outcome)| (id, secret::clean(outcome))).collect()
            }
            other => {
                let why = self.failed(other);
                ids.iter().map(|id| ((*id).to_owned(), why.clone().into())).collect()
            }
        };
        let keep: Vec<Row> =
            asked.iter().filter_map(|(c, _)| self.row(transcript, sample, *c, &outcomes)).collect();
        let landing = asked.into_iter().filter_map(|(criterion, permit)| {
            let outcome = outcomes.remove(&self.run.prepared.criterion(criterion).id)?;
            Some((criterion, permit, outcome))
        });
        let landing: Vec<(usize, Permit, Outcome)> = landing.collect();
        if let Some(mut kept) = self.put(keep) {
            tokio::select! {
                biased;
                written = &mut kept => self.tell_unkept(written),
                // Whoever asks the same waits for it; this run waits no more.
                () = self.run.over(subject.digest) => {
                    let landing = landing.into_iter().map(|(_, permit, outcome)| (permit, outcome));
                    return self.run.engine.keeping.land(kept, landing.collect());
                }
            }
        }
        for (criterion, permit, outcome) in landing {
            permit.land(outcome.clone());
            self.run
                .hear(self.slot(transcript, criterion), Heard { outcome, cached: false, sample });
        }
    }

    fn row(
        &self,
        transcript: usize,
        sample: u32,
        criterion: usize,
        outcomes: &BTreeMap<String, Outcome>,
    ) -> Option<Row> {
        let id = &self.run.prepared.criterion(criterion).id;
        let subject = &self.run.prepared.subjects[transcript];
        Some(Row {
            key: self.run.prepared.key(self.slot(transcript, criterion), sample),
            answer: outcomes.get(id)?.answer()?.clone(),
            provider: self.settings.provider,
            model: self.settings.model.clone(),
            criterion: id.clone(),
            transcript: subject.digest,
            id: subject.ids.first().cloned().unwrap_or_default(),
        })
    }

    /// Answers go to disk before anyone hears them.
    pub(super) async fn keep(&self, rows: Vec<Row>) {
        if let Some(kept) = self.put(rows) {
            self.tell_unkept(kept.await);
        }
    }

    fn put(&self, rows: Vec<Row>) -> Option<oneshot::Receiver<Result<(), StoreError>>> {
        self.run.store.as_ref().filter(|_| !rows.is_empty()).map(|store| store.put(rows))
    }

    fn tell_unkept(&self, written: Result<Result<(), StoreError>, oneshot::error::RecvError>) {
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.run.notice(format!("{error}; answers are shown but not kept")),
            Err(_) => self.run.notice("the store has stopped; answers are shown but not kept"),
        }
    }

    /// Why a reply is no answer; what concerns every later call stops the judge.
    pub(super) fn failed(&self, reply: ProviderReply) -> Unscored {
        let stops = unanswered::stops(&reply);
        let why = unanswered::why(reply, self.settings.timeout_s);
        if stops && self.run.prepared.job.stopped.stop(&self.settings.name, why.clone()) {
            self.run.stopped(self.judge, why.detail.clone());
            self.run.notice(format!("judge {} is stopped: {}", self.settings.name, why.detail));
        }
        why
    }
}
