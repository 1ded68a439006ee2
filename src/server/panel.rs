//! Who is asked what in a project: the judges and criteria of this moment, with
//! the keys by which answers of other moments are told apart.
//!
//! Invariant: two panels agree on a judge's or criterion's key only if an answer
//! given under one is an answer under the other.

use std::collections::HashMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::assessment::asked;
use crate::config::{Aggregation, Judge, Settings};
use crate::rubric::{Rubric, digest};

/// The judges and criteria of a project.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The criteria.
    pub rubric: Arc<Rubric>,
    /// The judges.
    pub judges: Vec<Judge>,
    /// How several judges become one.
    pub aggregation: Aggregation,
    /// The digest of the criteria, in hex: what reviews are bound to.
    pub rubric_digest: Arc<str>,
    judge_keys: Vec<u64>,
    criterion_keys: HashMap<Arc<str>, [u8; 32]>,
}

impl Panel {
    /// The panel of a project's rubric and settings.
    #[must_use]
    pub fn new(rubric: Arc<Rubric>, settings: &Settings) -> Self {
        let criterion = |c: &crate::rubric::Criterion| (Arc::from(&*c.id), digest::criterion(c));
        Self {
            criterion_keys: rubric.criteria.iter().map(criterion).collect(),
            judge_keys: settings.judges.iter().map(judge_key).collect(),
            judges: settings.judges.clone(),
            aggregation: settings.assess.aggregation,
            rubric_digest: digest::hex(&digest::rubric(&rubric)).into(),
            rubric,
        }
    }

    /// The judges' names with their keys, in the order of the settings.
    pub fn named_judges(&self) -> impl Iterator<Item = (&str, u64)> {
        self.judges.iter().map(|j| j.name.as_str()).zip(self.judge_keys.iter().copied())
    }

    /// The key of a judge.
    #[must_use]
    pub fn judge_key(&self, name: &str) -> Option<u64> {
        self.named_judges().find(|(own, _)| *own == name).map(|(_, key)| key)
    }

    /// The key of a criterion's wording.
    #[must_use]
    pub fn criterion_key(&self, id: &str) -> Option<[u8; 32]> {
        self.criterion_keys.get(id).copied()
    }

    /// The questions a transcript of so many complete exchanges is asked.
    pub fn questions(&self, exchanges: usize) -> impl Iterator<Item = &str> {
        let asked = asked::asked(&self.rubric, exchanges);
        asked.filter(|c| c.is_question()).map(|c| c.id.as_str())
    }

    /// True when there is anything judges are asked, and judges to ask.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.judges.is_empty() && self.rubric.criteria.iter().any(|c| c.is_question())
    }
}

/// What changes a judge's answers: provider, model and parameters; of a recording, its file.
fn judge_key(judge: &Judge) -> u64 {
    let parts = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {}",
        judge.provider,
        judge.model,
        judge.file,
        judge.max_tokens,
        judge.effort,
        judge.temperature,
        judge.repeat
    );
    xxh3_64(parts.as_bytes())
}
