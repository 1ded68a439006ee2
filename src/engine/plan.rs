//! What a run would take: calls, tokens, hosts, money. Nothing is sent.
//!
//! Invariant: a plan goes by the same keys and the same grouping as the run, so
//! a plan of no calls is a run of no calls.

use std::sync::Arc;

use crate::config::Provider;

use super::prepared::{Prepared, samples};
use super::store::Store;
use super::tally::Slot;
use super::trust;

/// What a run would take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Different transcripts.
    pub transcripts: usize,
    /// Transcripts that lack an answer some judge would be paid, or called, for.
    pub lacking: usize,
    /// Per judge, in the order of the job.
    pub judges: Vec<JudgePlan>,
}

/// What one judge would take.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgePlan {
    /// Its name.
    pub judge: String,
    /// Where text would go; `None` for a recording.
    pub host: Option<String>,
    /// Why it is not asked, when it is not.
    pub refused: Option<String>,
    /// Calls.
    pub calls: usize,
    /// Answers that are there already.
    pub cached: usize,
    /// Tokens that would be sent, roughly.
    pub tokens: usize,
    /// USD: nothing on this machine; `None` where no price is known.
    pub cost: Option<f64>,
}

impl Plan {
    /// Adds what a further part would take.
    pub fn add(&mut self, more: Self) {
        self.transcripts += more.transcripts;
        self.lacking += more.lacking;
        for judge in more.judges {
            match self.judges.iter_mut().find(|j| j.judge == judge.judge && j.host == judge.host) {
                Some(known) => {
                    known.calls += judge.calls;
                    known.cached += judge.cached;
                    known.tokens += judge.tokens;
                    known.cost = known.cost.zip(judge.cost).map(|(a, b)| a + b);
                }
                None => self.judges.push(judge),
            }
        }
    }

    /// Calls over all judges.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.judges.iter().map(|judge| judge.calls).sum()
    }

    /// Answers that are there already, over all judges.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.judges.iter().map(|judge| judge.cached).sum()
    }

    /// USD; `None` when some call has no known price.
    #[must_use]
    pub fn cost(&self) -> Option<f64> {
        self.judges.iter().filter(|j| j.calls > 0).map(|j| j.cost).sum()
    }

    /// The hosts that text would go to, this machine's included.
    #[must_use]
    pub fn hosts(&self) -> Vec<&str> {
        let asked = self.judges.iter().filter(|j| j.calls > 0);
        let mut hosts: Vec<&str> = asked.filter_map(|j| j.host.as_deref()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }
}

pub(super) fn plan(prepared: &Prepared, store: Option<&Arc<Store>>) -> Plan {
    let mut lacking = vec![false; prepared.subjects.len()];
    let judges = (0..prepared.job.judges.len())
        .map(|judge| of_judge(prepared, store, judge, &mut lacking))
        .collect();
    let lacking = lacking.into_iter().filter(|lacks| *lacks).count();
    Plan { transcripts: prepared.subjects.len(), lacking, judges }
}

fn of_judge(
    prepared: &Prepared,
    store: Option<&Arc<Store>>,
    judge: usize,
    lacking: &mut [bool],
) -> JudgePlan {
    let settings = &prepared.job.judges[judge];
    let refused = trust::allowed(settings, prepared.job.trust).err();
    let mut plan = JudgePlan {
        judge: settings.name.clone(),
        host: trust::host(settings),
        refused: refused.map(|refusal| refusal.to_string()),
        calls: 0,
        cached: 0,
        tokens: 0,
        cost: trust::stays_here(settings).then_some(0.0),
    };
    if settings.provider == Provider::Recorded {
        return plan;
    }
    for (transcript, subject) in prepared.subjects.iter().enumerate() {
        for sample in 0..samples(settings) {
            let known = |&criterion: &usize| {
                let key = prepared.key(Slot { transcript, judge, criterion }, sample);
                store.is_some_and(|store| store.get(&key).is_some())
            };
            let (there, missing): (Vec<usize>, Vec<usize>) =
                subject.questions.iter().copied().partition(known);
            plan.cached += there.len();
            if plan.refused.is_some() {
                continue;
            }
            lacking[transcript] |= !missing.is_empty();
            for group in prepared.grouped(&missing, sample) {
                plan.calls += 1;
                plan.tokens += prepared.prompt(judge, transcript, &group).estimated_tokens();
            }
        }
    }
    plan
}
