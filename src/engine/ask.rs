//! One call that is no assessment: a prompt to one judge, and the text it answers.
//!
//! Invariant: it passes the same doors as every other call: trust, what may not
//! leave this machine, key, budget, gate, retries; and what cannot be answered is
//! unscored with the same words. Dropping it closes its socket. Deliberately
//! absent: the store; the caller knows what an answer is good for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::assessment::{Unscored, UnscoredReason};
use crate::config::Judge;
use crate::prompt::Prompt;

use super::assess::Inner;
use super::job::{AssessJob, JobTranscript};
use super::judge::{Errand, NotSent};
use super::provider::{Call, ProviderReply};
use super::purse::Purse;
use super::retry::Limits;
use super::run::cancelled_outcome;
use super::{estimate, keyring, trust, unanswered, withholding};

impl Inner {
    /// The text that a judge answers a prompt about a transcript with. Of the job its
    /// settings, trust and spending count.
    pub(super) async fn ask(
        &self,
        judge: &Judge,
        job: &AssessJob,
        about: &JobTranscript,
        prompt: &Prompt,
        cancel: &CancellationToken,
    ) -> Result<String, Unscored> {
        let untrusted = |why| Unscored::new(UnscoredReason::Untrusted, why);
        trust::allowed(judge, job.trust).map_err(|refusal| untrusted(refusal.to_string()))?;
        if let Some(withheld) = withholding::objection(about, judge, job, &self.consent) {
            return Err(withheld);
        }
        if let Some(why) = job.stopped.why(&judge.name) {
            return Err(why);
        }
        let wrong = |why| Unscored::new(UnscoredReason::ProviderError, why);
        let key = keyring::of_judge(&self.options, judge).await.map_err(wrong)?;
        let alone = AssessJob { judges: vec![judge.clone()], ..job.clone() };
        let purse = Purse::new(self, &alone);
        let judge = estimate::bounded(judge.clone(), &purse.rates[0]);
        let may_send = || !cancel.is_cancelled() && job.stopped.why(&judge.name).is_none();
        let waits = |wait: Duration, why: &str| {
            tracing::info!(judge = judge.name, seconds = wait.as_secs(), why, "waits");
        };
        let errand = Errand {
            call: Call { judge: &judge, prompt, key: key.as_ref() },
            fare: purse.fare(&self.estimator, 0, &judge, prompt, 1),
            limits: Limits::of(&judge, &job.settings),
            may_send: &may_send,
            waits: &waits,
        };
        let reply = tokio::select! {
            () = cancel.cancelled() => Err(NotSent::Unwanted),
            reply = self.sender.ask(&errand) => reply,
        };
        // What cannot be written down is said by whoever reads the ledger.
        let _ = purse.written().await;
        match reply {
            Ok(ProviderReply::Text { text, .. }) => Ok(text),
            Ok(other) => {
                let stops = unanswered::stops(&other);
                let why = unanswered::why(other, judge.timeout_s);
                if stops {
                    job.stopped.stop(&judge.name, why.clone());
                }
                Err(why)
            }
            Err(NotSent::Unwanted) => {
                Err(job.stopped.why(&judge.name).unwrap_or_else(cancelled_outcome))
            }
            Err(NotSent::Over(over)) => {
                Err(Unscored::new(UnscoredReason::OverBudget, over.to_string()))
            }
        }
    }
}
