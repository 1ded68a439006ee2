//! Which criteria a transcript is held against (SPEC 5.1, 5.2).
//!
//! Invariant: gates are always asked; nothing else is asked of a transcript
//! that is too short for the rubric, or for the criterion's own `min_turns`.

use crate::rubric::{Criterion, Rubric};

/// True when a transcript of so many complete exchanges is `too-short`.
#[must_use]
pub const fn too_short(rubric: &Rubric, exchanges: usize) -> bool {
    exchanges < rubric.min_exchanges
}

/// The criteria that apply to a transcript of so many complete exchanges, in
/// rubric order, checks included.
pub fn asked(rubric: &Rubric, exchanges: usize) -> impl Iterator<Item = &Criterion> {
    let gates_only = too_short(rubric, exchanges);
    let applies = move |c: &&Criterion| c.gate || (!gates_only && exchanges >= c.min_turns);
    rubric.criteria.iter().filter(applies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{criterion, rubric};

    #[test]
    fn gates_are_asked_whatever_the_length() {
        let mut rubric = rubric(vec![criterion("A"), criterion("G").gate(), criterion("L")]);
        rubric.min_exchanges = 3;
        rubric.criteria[2].min_turns = 5;
        let ids = |n| asked(&rubric, n).map(|c| c.id.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!([ids(0), ids(2), ids(3), ids(5)], ["G", "G", "A G", "A G L"]);
    }
}
