//! A record → the transcript of a job.
//!
//! Invariant: what a judge's score or a notice depends on beside the conversation
//! (computed checks, who wrote it) is taken from the same record.

use std::sync::Arc;

use crate::analysis::context::Memo;
use crate::analysis::record::check_results;
use crate::assessment::{checked, family};
use crate::engine::JobTranscript;
use crate::transcript::{Transcript, TranscriptDigest};

use super::panel::Panel;
use super::projects::Live;

/// A transcript to assess, with what its record says beside it. The checks count in
/// a judge's score, which the engine needs only where a judge is asked repeatedly.
pub fn of_record(
    record: &str,
    transcript: Transcript,
    digest: TranscriptDigest,
    live: &Live,
    panel: &Panel,
) -> JobTranscript {
    let checks = if panel.judges.iter().any(|judge| judge.repeat > 1) {
        let results = check_results(record, &transcript, &live.context(), &mut Memo::default());
        Arc::new(checked::outcomes(&panel.rubric, &transcript, &results))
    } else {
        Arc::default()
    };
    let generator = family::recorded(record);
    JobTranscript { checks, generator, ..JobTranscript::new(Arc::new(transcript), digest) }
}
