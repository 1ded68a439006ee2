//! What a reply that is no answer means to the run. Pure.
//!
//! Invariant: every such reply becomes an unscored outcome that says what happened
//! and, where there is something to do, what; it stops its judge only when every
//! later call would meet the same.

use crate::assessment::{Unscored, UnscoredReason};

use super::provider::ProviderReply;

/// Whether no further call to this judge makes sense.
pub(super) const fn stops(reply: &ProviderReply) -> bool {
    use ProviderReply as R;
    matches!(reply, R::QuotaExhausted(_) | R::Auth(_) | R::NotFound(_))
}

/// Why there is no answer, from a judge whose calls may take this many seconds.
pub(super) fn why(reply: ProviderReply, seconds: u64) -> Unscored {
    use ProviderReply as R;
    use UnscoredReason as Why;
    let (reason, detail) = match reply {
        R::Truncated(_) => (Why::Truncated, "the reply was cut off: raise max_tokens".into()),
        R::Refused(text, _) => (Why::Refused, format!("the model refused: {text}")),
        R::Blocked(what, _) => (Why::Blocked, format!("blocked by {what}")),
        R::Unreadable(what, _) | R::Malformed(what, _) => (Why::Malformed, what),
        R::Retryable { detail, .. } | R::BadRequest(detail) => (Why::ProviderError, detail),
        R::TimedOut => (Why::TimedOut, format!("no reply in {seconds} s: raise timeout_s")),
        R::QuotaExhausted(detail) => (Why::OutOfQuota, format!("no quota left: {detail}")),
        R::Auth(detail) => (Why::ProviderError, format!("the key was not accepted: {detail}")),
        R::NotFound(detail) => (Why::ProviderError, format!("no such model or address: {detail}")),
        R::ContextTooLong(detail) => {
            (Why::ProviderError, format!("the conversation does not fit the model: {detail}"))
        }
        R::Text { .. } => (Why::ProviderError, "an answer was taken for a failure".into()),
    };
    Unscored::new(reason, detail)
}
