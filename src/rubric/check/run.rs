//! All checks of a rubric over one transcript, through the caller's memo.

use std::sync::Arc;

use super::{Check, CheckResult, MessageFacts, Subject};
use crate::rubric::{Ask, Criterion, Rubric};
use crate::transcript::Message;

/// The result of every check criterion that applies (`min_turns`; gates always),
/// by index into [`Rubric::criteria`], in that order.
///
/// `facts` looks up, or makes by [`Check::facts`], what a check sees in a
/// message: everything in it depends on `(message.key, check.key())` alone.
/// A check that waits for token counts is left out.
pub fn run(
    rubric: &Rubric,
    subject: &Subject<'_>,
    mut facts: impl FnMut(&Check, &Message) -> Arc<MessageFacts>,
) -> Vec<(usize, CheckResult)> {
    let exchanges = subject.transcript.complete_exchanges();
    let applies = |criterion: &Criterion| criterion.gate || exchanges >= criterion.min_turns;
    let mut results = Vec::new();
    for (index, criterion) in rubric.criteria.iter().enumerate() {
        let Ask::Check(check) = &criterion.ask else { continue };
        if !applies(criterion) {
            continue;
        }
        let seen: Vec<_> = subject.transcript.messages.iter().map(|m| facts(check, m)).collect();
        if let Some(result) = check.judge(&seen, subject) {
            results.push((index, result));
        }
    }
    results
}
