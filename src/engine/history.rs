//! How steady a judge is: what the store knows of questions asked more than once.
//!
//! Invariant: nothing is asked and nothing is made; samples that are not all of
//! one question to one text are not compared.

use std::sync::Arc;

use super::prepared::{Prepared, samples};
use super::store::Store;
use super::tally::Slot;

/// What is stored of a judge's answers to a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Its name.
    pub judge: String,
    /// Questions (transcript × criterion) it has answered at least once.
    pub answered: usize,
    /// Questions it has answered more than once.
    pub repeated: usize,
    /// Of those, the ones where its answers differ: it flipped.
    pub flipped: usize,
}

/// The history of every judge, in the order of the job.
pub(super) fn of(prepared: &Prepared, store: Option<&Arc<Store>>) -> Vec<History> {
    (0..prepared.job.judges.len()).map(|judge| of_judge(prepared, store, judge)).collect()
}

fn of_judge(prepared: &Prepared, store: Option<&Arc<Store>>, judge: usize) -> History {
    let settings = &prepared.job.judges[judge];
    let mut history = History { judge: settings.name.clone(), ..History::default() };
    let Some(store) = store else { return history };
    for (transcript, subject) in prepared.subjects.iter().enumerate() {
        for &criterion in &subject.questions {
            let slot = Slot { transcript, judge, criterion };
            let stored = |sample| store.get(&prepared.key(slot, sample)).map(|a| a.verdict);
            let verdicts: Vec<_> = (0..samples(settings)).filter_map(stored).collect();
            history.answered += usize::from(!verdicts.is_empty());
            history.repeated += usize::from(verdicts.len() > 1);
            history.flipped += usize::from(verdicts.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }
    history
}
