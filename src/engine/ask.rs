//! One call that is no assessment: a prompt to one judge, and the text it answers.
//!
//! Invariant: it passes the same door as every other call: trust, key, gate, retries,
//! and what cannot be answered is unscored with the same words. Dropping it closes
//! its socket. Deliberately absent: the store; the caller knows what an answer is
//! good for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::assessment::{Unscored, UnscoredReason};
use crate::config::{Assess, Judge};
use crate::prompt::Prompt;

use super::judge::Errand;
use super::provider::{Call, ProviderReply};
use super::retry::Limits;
use super::run::cancelled_outcome;
use super::trust::{self, Trust};
use super::{Engine, lane, unanswered};

/// Who is asked, and under which rules.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) judge: &'a Judge,
    pub(super) settings: &'a Assess,
    pub(super) trust: Trust,
}

impl Engine {
    /// The text that a judge answers a prompt with.
    pub(super) async fn ask(
        &self,
        asking: &Asking<'_>,
        prompt: &Prompt,
        cancel: &CancellationToken,
    ) -> Result<String, Unscored> {
        let Asking { judge, settings, trust } = *asking;
        let untrusted = |why| Unscored::new(UnscoredReason::Untrusted, why);
        trust::allowed(judge, trust).map_err(|refusal| untrusted(refusal.to_string()))?;
        let wrong = |why| Unscored::new(UnscoredReason::ProviderError, why);
        let key = lane::secret(self.options(), judge).map_err(wrong)?;
        let call = Call { judge, prompt, key: key.as_ref() };
        let limits = Limits::of(judge, settings);
        let may_send = || !cancel.is_cancelled();
        let waits = |wait: Duration, why: &str| {
            tracing::info!(judge = judge.name, seconds = wait.as_secs(), why, "waits");
        };
        let errand = Errand { call, limits, may_send: &may_send, waits: &waits };
        let reply = tokio::select! {
            () = cancel.cancelled() => None,
            reply = self.sender().ask(&errand) => reply,
        };
        match reply {
            Some(ProviderReply::Text { text, .. }) => Ok(text),
            Some(other) => Err(unanswered::why(other, judge.timeout_s)),
            None => Err(cancelled_outcome()),
        }
    }
}
