//! Drafts: a judge is asked to rewrite one reply, once.
//!
//! Invariant: a draft that was paid for is kept like an answer, under everything
//! that changes it: the prompt, whatever boundary it is fenced with, and the judge's
//! parameters. Only a reply of the asked form is kept, "it cannot be done" too. A
//! judge that is not trusted is not even looked up.

use sha2::{Digest as _, Sha256};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::assessment::Answer;
use crate::config::{Judge, Provider};
use crate::fixup::{Draft, FailedReply, Refusal, Target};
use crate::prompt::fixup::{Fixing, fixup};
use crate::prompt::{FenceKey, Prompt};
use crate::rubric::{Criterion, Verdict};

use super::answer_key::{AnswerKey, KeyDigest};
use super::fixup::FixupJob;
use super::store::Row;
use super::{Engine, JobTranscript, trust};

/// What a draft is kept as an answer to, for people who look into the store.
const DRAFT: &str = "_draft";

/// Told apart from the templates that answers are kept under.
const TEMPLATE: &[u8] = b"rubricator fixup draft 1";

impl Engine {
    /// A draft of one reply.
    ///
    /// # Errors
    /// When nobody may draft, or the drafter does not, or does not as asked.
    pub(super) async fn draft(
        &self,
        job: &FixupJob,
        failed: &FailedReply,
        cancel: &CancellationToken,
    ) -> Result<Draft, Refusal> {
        let exchange = job.transcript.exchanges.iter().find(|e| e.number == failed.exchange);
        let exchange = exchange.ok_or(Refusal::Stale)?;
        let criteria = failed.criteria.clone();
        let target = Target::of(&job.transcript, job.digest, exchange, criteria)?;
        let drafter = drafter(job)?;
        trust::allowed(drafter, job.asking.trust)
            .map_err(|refusal| Refusal::NoDrafter(refusal.to_string()))?;
        let rubric = &job.asking.rubric;
        let wanted: Vec<&Criterion> =
            failed.criteria.iter().filter_map(|id| rubric.criterion(id)).collect();
        let prompt = |fence| {
            fixup(&Fixing {
                transcript: &job.transcript,
                digest: &job.digest.0,
                exchange,
                reply: &target.before,
                criteria: &wanted,
                failures: &failed.failures,
                note: job.note.as_deref(),
                fence,
            })
        };
        let key = key(drafter, job, &prompt(FenceKey::new([0; 32])));
        if let Some(reply) = self.kept_draft(job, &key) {
            return target.drafted(&drafter.name, &reply);
        }
        let about = JobTranscript::new(Arc::clone(&job.transcript), job.digest);
        let prompt = prompt(self.fence());
        let reply = self.inner().ask(drafter, &job.asking, &about, &prompt, cancel).await;
        let reply = reply.map_err(|unscored| Refusal::NotDrafted(unscored.detail))?;
        let drafted = target.drafted(&drafter.name, &reply);
        if !matches!(drafted, Err(Refusal::NotDrafted(_))) {
            self.keep_draft(job, drafter, key, reply).await;
        }
        drafted
    }

    fn kept_draft(&self, job: &FixupJob, key: &KeyDigest) -> Option<String> {
        let opened = self.inner().stores.existing(job.asking.project_dir.as_deref());
        opened.store()?.get(key).map(|answer| answer.reasoning)
    }

    async fn keep_draft(&self, job: &FixupJob, drafter: &Judge, key: KeyDigest, reply: String) {
        let opened = self.inner().stores.made(job.asking.project_dir.as_deref());
        let Some(store) = opened.store() else { return };
        let answer = Answer { verdict: Verdict::Yes, reasoning: reply, evidence: Vec::new() };
        let row = Row {
            key,
            answer,
            provider: drafter.provider,
            model: drafter.model.clone(),
            criterion: DRAFT.to_owned(),
            transcript: job.digest,
            id: job.transcript.id.clone(),
        };
        // A draft that cannot be kept is paid for again; the proof goes on.
        if let Ok(Err(error)) = store.put(vec![row]).await {
            tracing::warn!(%error, "a draft is not kept");
        }
    }
}

fn key(drafter: &Judge, job: &FixupJob, prompt: &Prompt) -> KeyDigest {
    let mut hash = Sha256::new();
    for text in [prompt.system_text(), prompt.user_text()] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let template = Sha256::digest(TEMPLATE).into();
    AnswerKey::new(drafter, job.digest, hash.finalize().into(), template, 0).digest()
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
