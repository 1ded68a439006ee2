//! Fixups: drafts are asked for, and then everything is done to refuse them (SPEC 7).
//!
//! Invariant: what comes out is an [`EntailedFixup`] or a typed refusal, never a
//! text. The proof is an ordinary assessment of the rewritten transcript: the same
//! judges, the same store, so proving twice is free, and the answers are there
//! when the fixup is applied.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::analysis::context::{Context, Memo};
use crate::analysis::record::check_results;
use crate::assessment::{Outcome, checked, scorecard};
use crate::fixup::entailed::{lexical, proof_rubric, rewritten};
use crate::fixup::record;
use crate::fixup::{Draft, EntailedFixup, FixupRecord, Offer, Refusal};
use crate::text::json;
use crate::transcript::{Transcript, TranscriptDigest, digest, read};

use super::{AssessJob, AssessUpdate, Engine, JobTranscript, journal};

/// Where a project's applied fixups are, in its folder.
pub const FILE: &str = "data/fixups.jsonl";

/// Replies to be rewritten.
#[derive(Clone, Debug)]
pub struct FixupJob {
    /// The record that the transcript was read from.
    pub record: Arc<str>,
    /// The transcript.
    pub transcript: Arc<Transcript>,
    /// Its digest.
    pub digest: TranscriptDigest,
    /// What is to be mended.
    pub offer: Offer,
    /// What the user wants to be different from an earlier draft.
    pub note: Option<String>,
    /// The judge that drafts, by name; `None` is the first that is no recording.
    pub drafter: Option<String>,
    /// What computed checks are computed with; holds the rubric.
    pub context: Context,
    /// How and by whom it is judged; its transcripts are not looked at.
    pub asking: AssessJob,
}

/// Appends to the log of a project's fixups, on disk when this returns.
///
/// # Errors
/// When the log cannot be written; then none of the records is in it.
pub fn log(root: &Path, records: &[FixupRecord]) -> std::io::Result<()> {
    let lines: Vec<String> = records.iter().map(FixupRecord::line).collect();
    journal::append(&root.join(FILE), lines.iter().map(String::as_str))
}

/// Reads the log of a project's fixups; empty where there is none yet.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn logged(root: &Path) -> std::io::Result<Vec<FixupRecord>> {
    journal::read(&root.join(FILE)).map(|text| record::read(&text))
}

impl Engine {
    /// Drafts the rewrites of an offer and proves them together.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn fixup(
        &self,
        job: &FixupJob,
        cancel: &CancellationToken,
    ) -> Result<EntailedFixup, Refusal> {
        let several = job.offer.replies.len() > 1;
        let drafting = job.offer.replies.iter().map(|failed| async move {
            let draft = self.draft(job, failed, cancel).await;
            // Words cost nothing: they are looked at before any judge is asked.
            let draft = draft.and_then(|draft| lexical(&draft, &job.transcript).map(|()| draft));
            draft.map_err(|why| why.of_reply(several, failed.exchange))
        });
        let drafts = try_join_all(drafting).await?;
        self.prove(job, drafts, cancel).await
    }

    async fn prove(
        &self,
        job: &FixupJob,
        drafts: Vec<Draft>,
        cancel: &CancellationToken,
    ) -> Result<EntailedFixup, Refusal> {
        let record = rewritten(&drafts, &job.record, &job.transcript, job.digest)?;
        let json = json::parse(&record, job.context.depth_limit);
        let transcript = read(&record, &json).transcript.map_err(|_| Refusal::Stale)?;
        let transcript = Arc::new(transcript);
        let rubric = Arc::new(proof_rubric(&job.asking.rubric, &drafts, &transcript));
        let checks = checks(&record, &transcript, &job.context);
        let after = digest::of(&record, &transcript);
        self.inner().consent.extend(job.digest, after);
        let new = JobTranscript::new(Arc::clone(&transcript), after);
        let asked =
            AssessJob { transcripts: vec![new], rubric: Arc::clone(&rubric), ..job.asking.clone() };
        let (sender, mut updates) = mpsc::unbounded_channel();
        self.assess(asked, cancel.clone(), sender).await;
        let mut said = Vec::new();
        while let Some(update) = updates.recv().await {
            if let AssessUpdate::TranscriptDone { judges, .. } = update {
                said = judges;
            }
        }
        let aggregation = job.asking.settings.aggregation;
        let card = scorecard(&rubric, &transcript, &checks, &said, aggregation);
        EntailedFixup::prove(drafts, &job.transcript, job.digest, after, &card)
    }
}

fn checks(record: &str, transcript: &Transcript, context: &Context) -> BTreeMap<String, Outcome> {
    let Some(rubric) = &context.rubric else { return BTreeMap::new() };
    let results = check_results(record, transcript, context, &mut Memo::default());
    checked::outcomes(rubric, transcript, &results)
}
