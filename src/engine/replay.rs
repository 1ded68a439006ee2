//! A recorded judge's part of a run: what the recording says, and nothing else.
//!
//! Invariant: no connection, no key, and nothing of it reaches the store.

use crate::assessment::{Unscored, UnscoredReason};

use super::recording::{self, Recording};
use super::run::Run;
use super::tally::{Heard, Slot};

/// Answers out of a recording.
pub(super) fn run(run: &Run, judge: usize) {
    let settings = &run.prepared.job.judges[judge];
    let path = recording::path(settings, run.prepared.project());
    let read = path.and_then(|path| {
        Recording::read(&path)
            .map_err(|e| format!("judge {}: {}: {e}", settings.name, path.display()))
    });
    let recording = match read {
        Ok(recording) => recording,
        Err(why) => {
            run.notice(&why);
            return run.give_up(judge, &Unscored::new(UnscoredReason::NotRecorded, why));
        }
    };
    recording.problems.iter().for_each(|problem| run.notice(problem));
    for (transcript, subject) in run.prepared.subjects.iter().enumerate() {
        for &criterion in &subject.questions {
            let slot = Slot { transcript, judge, criterion };
            let outcome = recording.answer(&run.prepared, slot);
            run.hear(slot, Heard { outcome, cached: true, sample: 0 });
        }
    }
}
