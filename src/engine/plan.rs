//! What a run would take: calls, tokens, hosts, money. Nothing is sent.
//!
//! Invariant: a plan goes by the same keys and the same grouping as the run, so
//! a plan of no calls is a run of no calls. Its tokens and its money are
//! estimates; a price nobody knows is no number.

use std::sync::Arc;

use crate::assessment::Outcome;
use crate::config::{Judge, Provider};

use super::batch;
use super::estimate::{CallTokens, Estimator};
use super::prepared::Prepared;
use super::prices::{Prices, Rate};
use super::store::Store;
use super::tally::Slot;
use super::trust;
use super::withholding::{self, Withheld};

/// What a run would take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Different transcripts.
    pub transcripts: usize,
    /// Transcripts that lack an answer some judge would be paid, or called, for.
    pub lacking: usize,
    /// Per judge, in the order of the job.
    pub judges: Vec<JudgePlan>,
    /// Texts that lack answers and are not sent, for what they seem to hold.
    pub withheld: Vec<Withheld>,
}

/// What one judge would take.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgePlan {
    /// Its name.
    pub judge: String,
    /// Its API.
    pub provider: Provider,
    /// Its model.
    pub model: String,
    /// Where text would go; `None` for a recording.
    pub host: Option<String>,
    /// That is this machine, or nowhere.
    pub stays_here: bool,
    /// Why it is not asked, when it is not.
    pub refused: Option<String>,
    /// Calls.
    pub calls: usize,
    /// Answers that are there already.
    pub cached: usize,
    /// Tokens of these calls, an estimate.
    pub tokens: CallTokens,
    /// USD as it will likely come out, an estimate; `None` where no price is known.
    pub cost: Option<f64>,
    /// USD if every reply is as long as it may be; `None` where no price is known.
    pub at_most: Option<f64>,
}

impl Plan {
    /// Adds what a further part would take.
    pub fn add(&mut self, more: Self) {
        self.transcripts += more.transcripts;
        self.lacking += more.lacking;
        self.withheld.extend(more.withheld);
        for judge in more.judges {
            match self.judges.iter_mut().find(|j| j.judge == judge.judge && j.host == judge.host) {
                Some(known) => {
                    known.calls += judge.calls;
                    known.cached += judge.cached;
                    known.tokens.add(judge.tokens);
                    known.cost = known.cost.zip(judge.cost).map(|(a, b)| a + b);
                    known.at_most = known.at_most.zip(judge.at_most).map(|(a, b)| a + b);
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
        self.sum(|judge| judge.cost)
    }

    /// USD if every reply is as long as it may be; `None` as for [`Plan::cost`].
    #[must_use]
    pub fn at_most(&self) -> Option<f64> {
        self.sum(|judge| judge.at_most)
    }

    fn sum(&self, usd: impl Fn(&JudgePlan) -> Option<f64>) -> Option<f64> {
        let asked = self.judges.iter().filter(|judge| judge.calls > 0);
        asked.map(usd).try_fold(0.0, |sum, usd| Some(sum + usd?))
    }

    /// The judges that would be asked at a price nobody knows.
    pub fn unpriced(&self) -> impl Iterator<Item = &JudgePlan> {
        self.judges.iter().filter(|judge| judge.calls > 0 && judge.cost.is_none())
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

/// What a transcript lacks, over all judges.
#[derive(Clone, Default)]
struct Lack {
    /// Answers that would be asked for.
    answers: bool,
    /// Leave to ask for some.
    consent: bool,
}

/// What a plan is made with.
pub(super) struct Planner<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) store: Option<&'a Arc<Store>>,
    pub(super) prices: &'a Prices,
    pub(super) estimator: &'a Estimator,
    /// Calls go in batches where a provider has them.
    pub(super) batch: bool,
}

impl Planner<'_> {
    pub(super) fn plan(&self) -> Plan {
        let subjects = self.prepared.subjects.len();
        let mut lacking = vec![Lack::default(); subjects];
        let judges = (0..self.prepared.job.judges.len())
            .map(|judge| self.of_judge(judge, &mut lacking))
            .collect();
        let count = lacking.iter().filter(|lack| lack.answers).count();
        let withheld = self.prepared.subjects.iter().zip(&lacking).filter_map(|(subject, lack)| {
            let found = subject.sensitive.get().filter(|_| lack.consent)?;
            let id = subject.ids.first().cloned().unwrap_or_default();
            Some(Withheld { transcript: subject.digest, id, found: found.clone() })
        });
        let withheld = withheld.collect();
        Plan { transcripts: subjects, lacking: count, judges, withheld }
    }

    fn of_judge(&self, judge: usize, lacking: &mut [Lack]) -> JudgePlan {
        let settings = &self.prepared.job.judges[judge];
        let refused = trust::allowed(settings, self.prepared.job.trust).err();
        let rate = self.prices.rate(settings);
        let known = (rate != Rate::Unknown).then_some(0.0);
        let mut plan = JudgePlan {
            judge: settings.name.clone(),
            provider: settings.provider,
            model: settings.model.clone(),
            host: trust::host(settings),
            stays_here: trust::stays_here(settings),
            refused: refused.map(|refusal| refusal.to_string()),
            calls: 0,
            cached: 0,
            tokens: CallTokens::default(),
            cost: known,
            at_most: known,
        };
        if settings.provider == Provider::Recorded {
            return plan;
        }
        let share = match &rate {
            Rate::Priced(price) if self.batch && batch::has(settings) => price.batch,
            _ => 1.0,
        };
        for (transcript, subject) in self.prepared.subjects.iter().enumerate() {
            let stored = |criterion: usize, sample: u32| {
                let key = self.prepared.key(Slot { transcript, judge, criterion }, sample);
                self.store?.get(&key).map(Outcome::Answered)
            };
            for (sample, asked) in self.prepared.at_most(judge, transcript, |c| stored(c, 0)) {
                let (there, missing): (Vec<usize>, Vec<usize>) =
                    asked.into_iter().partition(|&criterion| stored(criterion, sample).is_some());
                plan.cached += there.len();
                if plan.refused.is_some() || missing.is_empty() {
                    continue;
                }
                if !withholding::found(self.prepared, subject, settings).is_empty() {
                    lacking[transcript].consent = true;
                    continue;
                }
                lacking[transcript].answers = true;
                for group in self.prepared.grouped(&missing, sample) {
                    let prompt = self.prepared.prompt(judge, transcript, &group);
                    let tokens = self.estimator.tokens(&prompt, group.len(), settings, &rate);
                    plan.add(&tokens, &rate, settings, share);
                }
            }
        }
        plan
    }
}

impl JudgePlan {
    fn add(&mut self, tokens: &CallTokens, rate: &Rate, judge: &Judge, share: f64) {
        self.calls += 1;
        self.cost = self.cost.zip(tokens.likely(rate)).map(|(a, b)| a + b * share);
        self.at_most = self.at_most.zip(tokens.at_most(rate, judge)).map(|(a, b)| a + b * share);
        self.tokens.add(*tokens);
    }
}
