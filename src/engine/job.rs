//! What the engine is asked to do, and what it says while doing it.
//!
//! Invariant: updates name transcripts by digest, never by place, so they stay
//! true whatever happens to the document meanwhile. The engine never talks to
//! the user; these values are all it says.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::assessment::{JudgeOutcomes, Outcome, Unscored};
use crate::config;
use crate::prompt::Template;
use crate::rubric::Rubric;
use crate::transcript::Transcript;
use crate::transcript::digest::TranscriptDigest;

use super::trust::Trust;

/// Transcripts to assess: owned, so that the document may change meanwhile.
#[derive(Clone, Debug)]
pub struct AssessJob {
    /// Given back with every update, so that stale ones can be told.
    pub generation: u64,
    /// What to assess. The same text twice is asked once.
    pub transcripts: Vec<JobTranscript>,
    /// The criteria.
    pub rubric: Arc<Rubric>,
    /// Who is asked.
    pub judges: Vec<config::Judge>,
    /// `[assess]`
    pub settings: config::Assess,
    /// How it is asked.
    pub template: Arc<Template>,
    /// Whether the folder is trusted.
    pub trust: Trust,
    /// The project's folder: its store, and what a recording's path counts from.
    pub project_dir: Option<PathBuf>,
    /// Judges that are not asked any more; shared by the jobs of one run.
    pub stopped: Stopped,
}

/// Judges that are not asked any more, and why: a spent quota, a wrong key. Cheap to
/// clone, all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stopped {
    // Held only to look up or set one entry; never across an await.
    judges: Arc<Mutex<HashMap<String, Unscored>>>,
}

impl Stopped {
    /// Why this judge is not asked any more, if so.
    #[must_use]
    pub fn why(&self, judge: &str) -> Option<Unscored> {
        self.lock().get(judge).cloned()
    }

    /// Stops a judge; `false` when it was stopped already.
    pub(super) fn stop(&self, judge: &str, why: Unscored) -> bool {
        match self.lock().entry(judge.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(why);
                true
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Unscored>> {
        self.judges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transcript with its digest.
#[derive(Clone, Debug)]
pub struct JobTranscript {
    /// The transcript.
    pub transcript: Arc<Transcript>,
    /// Its digest.
    pub digest: TranscriptDigest,
}

/// Something that happened during a run.
#[derive(Clone, Debug, PartialEq)]
pub enum AssessUpdate {
    /// The run begins.
    Started {
        /// The job's.
        generation: u64,
        /// Different transcripts to assess.
        transcripts: usize,
    },
    /// One judge's outcome on one criterion is there (and, when paid, on disk).
    Outcome {
        /// The job's.
        generation: u64,
        /// Which transcript.
        transcript: TranscriptDigest,
        /// Which judge, by name.
        judge: Arc<str>,
        /// Which criterion, by id.
        criterion: Arc<str>,
        /// What came of it.
        outcome: Outcome,
        /// No call was made for it.
        cached: bool,
        /// Replayed from a recording.
        recorded: bool,
    },
    /// Every judge's outcome on a transcript is there.
    TranscriptDone {
        /// The job's.
        generation: u64,
        /// Which transcript.
        transcript: TranscriptDigest,
        /// What every judge said, in the order of the job's judges.
        judges: Vec<JudgeOutcomes>,
    },
    /// How far the run is.
    Progress {
        /// The job's.
        generation: u64,
        /// Transcripts done.
        done: usize,
        /// Transcripts in all.
        total: usize,
        /// Calls sent so far.
        calls: usize,
        /// Since the start.
        elapsed: Duration,
        /// USD so far; `None` when a call had no known price.
        cost: Option<f64>,
    },
    /// A judge's calls wait before they are sent (again). The next
    /// [`AssessUpdate::Progress`] says that it goes on.
    Waiting {
        /// The job's.
        generation: u64,
        /// Which judge, by name.
        judge: Arc<str>,
        /// For how long.
        wait: Duration,
        /// What the server said.
        why: String,
    },
    /// Something to tell the user once.
    Notice {
        /// The job's.
        generation: u64,
        /// One or two sentences.
        message: String,
    },
    /// The run is over, whatever came of it.
    Finished {
        /// The job's.
        generation: u64,
        /// The totals.
        summary: RunSummary,
    },
}

/// The totals of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSummary {
    /// Different transcripts.
    pub transcripts: usize,
    /// Calls sent, retries not counted.
    pub calls: usize,
    /// Answers (judge × criterion) that came from the store.
    pub cached: usize,
    /// Answers that came from judges during this run.
    pub answered: usize,
    /// Outcomes without an answer.
    pub unscored: usize,
    /// Tokens sent, as servers count them.
    pub input_tokens: u64,
    /// Tokens received, as servers count them.
    pub output_tokens: u64,
    /// USD; `None` when a call had no known price.
    pub cost: Option<f64>,
    /// How long it took.
    pub elapsed: Duration,
    /// It was cancelled.
    pub cancelled: bool,
}

/// `claude: asks again in 12 s (HTTP 529: Overloaded)`
#[must_use]
pub fn asks_again(judge: &str, wait: Duration, why: &str) -> String {
    let seconds = wait.as_millis().div_ceil(1000);
    let time = match seconds {
        0..=119 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    };
    let short: String = why.chars().take(60).collect();
    let cut = if short.len() < why.len() { "…" } else { "" };
    format!("{judge}: asks again in {time} ({short}{cut})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_whole_seconds_or_minutes() {
        let told = |ms, why| asks_again("claude", Duration::from_millis(ms), why);
        assert_eq!(told(11_200, "HTTP 529"), "claude: asks again in 12 s (HTTP 529)");
        assert_eq!(told(1_800_000, "x"), "claude: asks again in 30 min (x)");
        let long = told(1, &"é".repeat(61));
        assert!(long.ends_with("é…)") && long.contains("in 1 s"), "{long}");
    }
}
