//! What can be done about the failures of a transcript: rewrite, cut off, reject.
//!
//! Invariant: every failed criterion is in at least one of them.

use crate::assessment::Scorecard;
use crate::rubric::{FixPolicy, Rubric};
use crate::transcript::Transcript;

use super::{Cut, Offer, cuts, offers};

/// What can be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remedies {
    /// Replies that may be rewritten.
    pub offers: Vec<Offer>,
    /// Ends that may be cut off.
    pub cuts: Vec<Cut>,
    /// Failed criteria, in rubric order, of which nothing but rejecting is left.
    pub rejects: Vec<String>,
}

/// What can be done about what failed.
#[must_use]
pub fn remedies(card: &Scorecard, rubric: &Rubric, transcript: &Transcript) -> Remedies {
    let (offers, cuts) = (offers(card, rubric, transcript), cuts(card, rubric, transcript));
    let failed = rubric.criteria.iter().filter(|c| card.failed_checks.contains(&c.id));
    let is_cut = |id: &String| cuts.iter().any(|cut| cut.criteria.contains(id));
    let rejects = failed
        .filter(|c| c.gate || c.fix != FixPolicy::Rewrite)
        .filter(|c| !is_cut(&c.id))
        .map(|c| c.id.clone())
        .collect();
    Remedies { offers, cuts, rejects }
}
