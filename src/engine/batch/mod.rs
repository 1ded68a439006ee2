//! Asks in batches, which cost half and take up to a day.
//!
//! Invariant: a call that is in a batch under way is in no other; a batch is
//! written down before it is made, and is fetched by whoever runs next in its
//! project, whether or not that run asks the same. What a batch answers is kept as
//! if it had been asked alone, and paid from the money that was held for it. Only
//! what the provider could not serve, or did not get to, goes into a further batch.
//!
//! Deliberately absent: taking a batch back. It is paid for, and its answers are
//! as good later.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::assessment::{Unscored, UnscoredReason};
use crate::config::Judge;

use super::flight::Claim;
use super::lane::{Ask, Claimed, Lane};
use super::provider::batch;
use super::trust;
pub use pending::purge;
use pending::{Pending, Whose};
use work::Work;

mod adopt;
mod pending;
mod results;
mod work;

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
        Ok(pending) => Work::new(lane, pending, whose, open).run().await,
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
