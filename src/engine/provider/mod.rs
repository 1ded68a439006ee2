//! Providers: what a request looks like and what a reply means. Pure.
//!
//! Invariant: [`build`] and [`parse`] touch neither network nor clock, so every
//! shape and every error is a table test; sending is `judge`'s, once for all.

use std::time::Duration;

use crate::config::{Judge, Provider};
use crate::prompt::Prompt;

use super::secret::Secret;

mod failure;
pub mod openai_compatible;

/// One question to one judge.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Who is asked.
    pub judge: &'a Judge,
    /// What.
    pub prompt: &'a Prompt,
    /// With which key, if any.
    pub key: Option<&'a Secret>,
}

/// What goes over the wire.
pub struct HttpRequest {
    /// Where to.
    pub url: String,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// A header that holds the key: never logged.
    pub authorization: Option<(&'static str, String)>,
    /// The JSON body.
    pub body: String,
}

/// A reply, normalised over all providers.
#[derive(Clone, Debug, PartialEq)]
pub enum ProviderReply {
    /// Text that should be the asked JSON.
    Text {
        /// The text.
        text: String,
        /// What it took.
        usage: Usage,
    },
    /// Cut off by the token limit.
    Truncated(Usage),
    /// The model declined: its words, and what they took.
    Refused(String, Usage),
    /// A filter stopped the prompt or the reply: which, and what it took.
    Blocked(String, Usage),
    /// A 200 that is no reply of this API: why, and what it took.
    Unreadable(String, Usage),
    /// Worth trying again.
    Retryable {
        /// When the server says so.
        after: Option<Duration>,
        /// The server is crowded: fewer calls at once are better.
        slow_down: bool,
        /// What happened.
        detail: String,
    },
    /// No reply in time. Not tried again: the call may have been paid for.
    TimedOut,
    /// The account has nothing left: no further call makes sense.
    QuotaExhausted(String),
    /// The request is wrong.
    BadRequest(String),
    /// The key is missing or wrong.
    Auth(String),
    /// No such model or address.
    NotFound(String),
    /// The conversation does not fit the model.
    ContextTooLong(String),
}

impl ProviderReply {
    /// What the call took, when it was paid for; zero where the server did not count.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Text { usage, .. }
            | Self::Truncated(usage)
            | Self::Refused(_, usage)
            | Self::Blocked(_, usage)
            | Self::Unreadable(_, usage) => Some(*usage),
            _ => None,
        }
    }
}

/// Tokens of one call, as the server counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The whole prompt, what is cached and what is written to the cache included.
    pub input: u64,
    /// The part of it that came from the provider's cache.
    pub cached_input: u64,
    /// The part of it that was written to the cache for minutes.
    pub written_input: u64,
    /// The part of it that was written to the cache for an hour, which costs more.
    pub written_long_input: u64,
    /// The reply, thinking included.
    pub output: u64,
    /// The part of the reply that was thinking.
    pub thinking: u64,
}

/// The status, headers and body of a reply.
#[derive(Clone, Copy, Debug)]
pub struct HttpReply<'a> {
    /// HTTP status.
    pub status: u16,
    /// Looks up a header by its lower-case name.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a str,
}

impl HttpReply<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The request for a call.
///
/// # Errors
/// A sentence that says which setting is missing or which provider is not there.
pub fn build(call: &Call<'_>) -> Result<HttpRequest, String> {
    match call.judge.provider {
        Provider::OpenAiCompatible => openai_compatible::build(call),
        other => Err(unavailable(other)),
    }
}

/// What a reply means.
#[must_use]
pub fn parse(judge: &Judge, reply: &HttpReply<'_>) -> ProviderReply {
    match judge.provider {
        Provider::OpenAiCompatible => openai_compatible::parse(reply),
        other => ProviderReply::BadRequest(unavailable(other)),
    }
}

/// Whether this provider's reply may stand in a code fence (SPEC 5.3).
#[must_use]
pub fn may_be_fenced(provider: Provider) -> bool {
    provider == Provider::OpenAiCompatible
}

fn unavailable(provider: Provider) -> String {
    format!(
        "this version asks no {provider:?} judges: use provider = \"openai-compatible\" or \"recorded\""
    )
}
