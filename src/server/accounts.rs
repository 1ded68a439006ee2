//! Whether judges answer: who waits, who was stopped and why, as the runs tell.
//!
//! Invariant: a judge is stopped or waiting only as long as the last run that
//! asked it says so; a new run starts with every judge ready. Their flips are those
//! of the last run that asked anything again.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::analysis::judges::{JudgeFacts, JudgeState, Paid};
use crate::config::{Judge, Settings};
use crate::engine::spend::Spend;
use crate::engine::{Flips, trust};

use super::projects::Live;

/// The judges of all projects that do not simply answer.
#[derive(Debug, Default)]
pub struct Accounts {
    troubles: HashMap<(Option<PathBuf>, String), Trouble>,
    /// How often each was asked again, and how often it flipped.
    flips: HashMap<(Option<PathBuf>, String), (usize, usize)>,
}

#[derive(Debug)]
enum Trouble {
    Waits { until: Instant, why: String },
    Stopped { why: String },
}

impl Accounts {
    /// A run begins: everybody is asked again.
    pub fn begin(&mut self, live: &Live) {
        self.troubles.retain(|(root, _), _| *root != live.project.root);
    }

    /// A judge's calls wait.
    pub fn waits(&mut self, live: &Live, judge: &str, wait: Duration, why: String) {
        let until = Instant::now() + wait;
        self.note(live, judge, Trouble::Waits { until, why });
    }

    /// A judge is not asked any more.
    pub fn stopped(&mut self, live: &Live, judge: &str, why: String) {
        self.note(live, judge, Trouble::Stopped { why });
    }

    /// Who waited goes on.
    pub fn goes_on(&mut self, live: &Live) {
        let root = &live.project.root;
        self.troubles
            .retain(|(own, _), trouble| own != root || matches!(trouble, Trouble::Stopped { .. }));
    }

    /// A run is over in which these judges were asked again.
    pub fn flipped(&mut self, live: &Live, flips: &BTreeMap<String, Flips>) {
        for (judge, Flips { repeated, flipped }) in flips {
            let key = (live.project.root.clone(), judge.clone());
            self.flips.insert(key, (*repeated, *flipped));
        }
    }

    fn note(&mut self, live: &Live, judge: &str, trouble: Trouble) {
        self.troubles.insert((live.project.root.clone(), judge.to_owned()), trouble);
    }

    /// What is known of a project's judges, in the order of its settings.
    #[must_use]
    pub fn judges(&self, live: &Live, spend: &Spend) -> Vec<JudgeFacts> {
        let settings = live.settings();
        let facts = |judge: &Judge| JudgeFacts {
            state: self.state(live, &judge.name),
            flips: self.flips.get(&(live.project.root.clone(), judge.name.clone())).copied(),
            paid: paid(spend, &judge.name),
            ..facts(judge, settings)
        };
        settings.judges.iter().map(facts).collect()
    }

    fn state(&self, live: &Live, judge: &str) -> JudgeState {
        match self.troubles.get(&(live.project.root.clone(), judge.to_owned())) {
            None => JudgeState::Ready,
            Some(Trouble::Waits { until, why }) => {
                let left = until.saturating_duration_since(Instant::now());
                let seconds = left.as_millis().div_ceil(1000);
                let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                JudgeState::Waiting { seconds, why: why.clone() }
            }
            Some(Trouble::Stopped { why }) => JudgeState::Stopped { why: why.clone() },
        }
    }
}

/// What this project has paid a judge; `None` as long as the ledger says nothing:
/// it may not be read yet.
fn paid(spend: &Spend, judge: &str) -> Option<Paid> {
    let line = spend.of_judge(judge);
    (!spend.total.is_empty()).then_some(Paid {
        today: line.today.usd,
        all: line.all.usd,
        calls: line.all.calls,
        unpriced: line.all.unpriced,
    })
}

fn facts(judge: &Judge, settings: &Settings) -> JudgeFacts {
    let provider = judge.provider.name();
    let model = format!("{provider} {}", judge.model).trim_end().to_owned();
    JudgeFacts {
        name: judge.name.clone(),
        model,
        host: trust::host(judge),
        save_cap: settings.assess.max_cost_per_save,
        run_cap: settings.assess.max_cost_per_run,
        ..JudgeFacts::default()
    }
}

/// What was spent in all, as `rubricator/status` carries it: USD today and ever, and
/// calls of unknown cost.
#[must_use]
pub fn spent(spend: &Spend) -> Value {
    let line = spend.of_all();
    json!({"today_usd": line.today.usd, "all_usd": line.all.usd, "unpriced_calls": line.all.unpriced})
}

/// The judges as `rubricator/status` carries them.
#[must_use]
pub fn status(judges: &[JudgeFacts]) -> Value {
    let one = |judge: &JudgeFacts| json!({"name": judge.name, "state": judge.state.name(), "why": judge.state.line()});
    judges.iter().map(one).collect()
}
