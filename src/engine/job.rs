//! What the engine is asked to do, and what it says while doing it.
//!
//! Invariant: updates name transcripts by digest, never by place, so they stay
//! true whatever happens to the document meanwhile. The engine never talks to
//! the user; these values are all it says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::assessment::{JudgeOutcomes, Outcome};
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
}

/// A transcript with its digest, and what its record says beside it.
#[derive(Clone, Debug)]
pub struct JobTranscript {
    /// The transcript.
    pub transcript: Arc<Transcript>,
    /// Its digest.
    pub digest: TranscriptDigest,
    /// The outcomes of the computed criteria, by id.
    pub checks: Arc<BTreeMap<String, Outcome>>,
    /// The model that wrote it, where the record says so.
    pub generator: Option<Arc<str>>,
}

impl JobTranscript {
    /// A transcript of which nothing more is known.
    #[must_use]
    pub fn new(transcript: Arc<Transcript>, digest: TranscriptDigest) -> Self {
        Self { transcript, digest, checks: Arc::default(), generator: None }
    }
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
