//! The batches of a project: the gate of each, and what is worth knowing beside it.
//!
//! Invariant: batches stand in the order of their first transcripts, samples in the
//! order of the transcripts; a warning about all batches stands beside the last.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::gate::{Gate, Member};
use super::warnings::{self, Sample, Warning};
use super::{Bound, Log, Review, batch, goals};
use crate::assessment::Standing;
use crate::fixup::preference::Lineage;
use crate::rubric::Rubric;
use crate::transcript::TranscriptDigest;

/// What a gate needs of a transcript.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its batch.
    pub batch: &'a str,
    /// The digest of its text.
    pub digest: TranscriptDigest,
    /// How it stands.
    pub standing: Standing,
    /// What warnings are told by.
    pub sample: Sample,
}

/// What the transcripts are seen by.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// What people said.
    pub log: &'a Log,
    /// The rubric in force.
    pub rubric: &'a Rubric,
    /// Its digest, in hex.
    pub rubric_digest: &'a str,
    /// The fixups that hold.
    pub lineage: &'a Lineage<'a>,
}

/// The batches, gated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// Each with what is worth knowing beside it.
    pub gates: Vec<(Gate, Vec<Warning>)>,
    /// Transcripts that passed and that nobody rejected.
    pub usable: usize,
}

impl Census {
    /// Of these transcripts.
    #[must_use]
    pub fn of<'a>(all: impl IntoIterator<Item = Facts<'a>>, beside: Beside<'_>) -> Self {
        let mut census = Self::default();
        for (name, members) in by_batch(all, |facts| facts.batch) {
            let gated = census.gated(name, &members, beside);
            census.gates.push(gated);
        }
        let gates: Vec<Gate> = census.gates.iter().map(|(gate, _)| gate.clone()).collect();
        if let (Some(drift), Some((_, last))) =
            (warnings::drift(&goals::rates(&gates)), census.gates.last_mut())
        {
            last.push(drift);
        }
        census
    }

    fn gated(
        &mut self,
        name: &str,
        members: &[Facts<'_>],
        beside: Beside<'_>,
    ) -> (Gate, Vec<Warning>) {
        let Beside { log, rubric, rubric_digest, lineage } = beside;
        let digests: Vec<String> = members.iter().map(|one| one.digest.to_string()).collect();
        let mut samples = Vec::new();
        let mut reviews = Vec::new();
        for (facts, digest) in members.iter().zip(&digests) {
            let bound = Bound { transcript: facts.id, digest, rubric: rubric_digest };
            let review = log.review(bound);
            let rejected = matches!(review, Review::Rejected(_));
            self.usable += usize::from(facts.standing == Standing::Passed && !rejected);
            let fixed = lineage.touches(facts.id, digest);
            samples.push(Sample { fixed, read: review.counts(), ..facts.sample });
            reviews.push(Member { id: facts.id, standing: facts.standing, review });
        }
        let digest = batch::digest(members.iter().map(|one| one.digest));
        let gate = Gate::of(name, &reviews, log.satisfaction(name, &digest, rubric_digest));
        (gate, warnings::of_batch(&samples, rubric))
    }
}

/// Groups by batch, in the order of the first of each.
pub fn by_batch<'a, T>(
    all: impl IntoIterator<Item = T>,
    batch: impl Fn(&T) -> &'a str,
) -> Vec<(&'a str, Vec<T>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut batches: Vec<(&str, Vec<T>)> = Vec::new();
    for one in all {
        let name = batch(&one);
        let place = *places.entry(name).or_insert(batches.len());
        if place == batches.len() {
            batches.push((name, Vec::new()));
        }
        batches[place].1.push(one);
    }
    batches
}

/// A gate and what is worth knowing beside it, as output.
#[must_use]
pub fn to_json(gate: &Gate, warnings: &[Warning]) -> Value {
    let mut value = gate.to_json();
    let warning = |w: &Warning| json!({"name": w.name(), "says": w.words()});
    value["warnings"] = warnings.iter().map(warning).collect();
    value
}
