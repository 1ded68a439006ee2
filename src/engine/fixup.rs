//! Fixups: a draft is asked for, and then everything is done to refuse it (SPEC 7).
//!
//! Invariant: what comes out is an [`EntailedFixup`] or a typed refusal, never a
//! text. The proof is an ordinary assessment of the rewritten transcript: the same
//! judges, the same store, so proving twice is free, and the answers are there
//! when the fixup is applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::analysis::context::{Context, Memo};
use crate::analysis::record::check_results;
use crate::assessment::{Outcome, checked, scorecard};
use crate::config::{Judge, Provider};
use crate::fixup::entailed::{lexical, proof_rubric, rewritten};
use crate::fixup::{Draft, EntailedFixup, Offer, Refusal, Target};
use crate::prompt::fixup::{Fixing, fixup};
use crate::rubric::Criterion;
use crate::text::json;
use crate::transcript::{Transcript, TranscriptDigest, digest, read};

use super::{AssessJob, AssessUpdate, Engine, JobTranscript};

/// One reply to be rewritten.
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

impl Engine {
    /// Drafts a rewrite and proves it.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn fixup(
        &self,
        job: &FixupJob,
        cancel: &CancellationToken,
    ) -> Result<EntailedFixup, Refusal> {
        let draft = self.draft(job, cancel).await?;
        // Words cost nothing: they are looked at before anybody is asked.
        lexical(&draft, &job.transcript)?;
        self.prove(job, draft, cancel).await
    }

    async fn draft(&self, job: &FixupJob, cancel: &CancellationToken) -> Result<Draft, Refusal> {
        let number = job.offer.exchange;
        let exchange = job.transcript.exchanges.iter().find(|e| e.number == number);
        let exchange = exchange.ok_or(Refusal::Stale)?;
        let criteria = job.offer.criteria.clone();
        let target = Target::of(&job.transcript, job.digest, exchange, criteria)?;
        let drafter = drafter(job)?;
        let rubric = &job.asking.rubric;
        let wanted: Vec<&Criterion> =
            job.offer.criteria.iter().filter_map(|id| rubric.criterion(id)).collect();
        let prompt = fixup(&Fixing {
            transcript: &job.transcript,
            digest: &job.digest.0,
            exchange,
            reply: &target.before,
            criteria: &wanted,
            failures: &job.offer.failures,
            note: job.note.as_deref(),
            fence: self.fence(),
        });
        let about = JobTranscript::new(Arc::clone(&job.transcript), job.digest);
        let reply = self.inner().ask(drafter, &job.asking, &about, &prompt, cancel).await;
        let reply = reply.map_err(|unscored| Refusal::NotDrafted(unscored.detail))?;
        target.drafted(&drafter.name, &reply)
    }

    async fn prove(
        &self,
        job: &FixupJob,
        draft: Draft,
        cancel: &CancellationToken,
    ) -> Result<EntailedFixup, Refusal> {
        let record = rewritten(&draft, &job.record, &job.transcript, job.digest)?;
        let json = json::parse(&record, job.context.depth_limit);
        let transcript = read(&record, &json).transcript.map_err(|_| Refusal::Stale)?;
        let transcript = Arc::new(transcript);
        let is_last =
            transcript.exchanges.last().is_some_and(|e| e.number == draft.target.exchange);
        let rubric = Arc::new(proof_rubric(&job.asking.rubric, &draft, is_last));
        let checks = checks(&record, &transcript, &job.context);
        let digest = digest::of(&record, &transcript);
        let new = JobTranscript::new(Arc::clone(&transcript), digest);
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
        EntailedFixup::prove(draft, &job.transcript, job.digest, &card)
    }
}

fn drafter(job: &FixupJob) -> Result<&Judge, Refusal> {
    let can = |judge: &&Judge| judge.provider != Provider::Recorded;
    let judges = &job.asking.judges;
    let found = match &job.drafter {
        Some(name) => judges.iter().find(|judge| judge.name == *name),
        None => judges.iter().find(can),
    };
    match (found, &job.drafter) {
        (Some(judge), _) if can(&judge) => Ok(judge),
        (Some(_), _) => {
            Err(Refusal::NoDrafter("a recording answers only what it was asked".into()))
        }
        (None, Some(name)) => Err(Refusal::NoDrafter(format!("there is no judge `{name}`"))),
        (None, None) => Err(Refusal::NoDrafter(
            "all judges are recordings: add a [[judge]] with a model to rubricator.toml".into(),
        )),
    }
}

fn checks(record: &str, transcript: &Transcript, context: &Context) -> BTreeMap<String, Outcome> {
    let Some(rubric) = &context.rubric else { return BTreeMap::new() };
    let results = check_results(record, transcript, context, &mut Memo::default());
    checked::outcomes(rubric, transcript, &results)
}
