//! Providers: what a request looks like and what a reply means. Pure.
//!
//! Invariant: [`build`] and [`parse`] touch neither network nor clock, so every
//! shape and every error is a table test; sending is `judge`'s, once for all. An
//! address comes from the settings or is the vendor's own, never from the
//! environment.

use std::time::Duration;

use serde_json::Value;

use crate::config::{Judge, Provider};
use crate::prompt::Prompt;

use super::secret::Secret;

pub mod anthropic;
pub mod batch;
pub mod claude_cli;
mod failure;
pub mod gemini;
mod models;
pub mod openai;
pub mod openai_compatible;

use failure::clean;

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

impl<'a> Call<'a> {
    /// Who is asked, without what.
    #[must_use]
    pub const fn addressee(&self) -> Addressee<'a> {
        Addressee { judge: self.judge, key: self.key }
    }
}

/// Who is sent something.
#[derive(Clone, Copy)]
pub struct Addressee<'a> {
    /// The judge.
    pub judge: &'a Judge,
    /// Its key, if any.
    pub key: Option<&'a Secret>,
}

/// What is sent.
pub enum Request {
    /// To a server.
    Http(HttpRequest),
    /// To a program on this machine.
    Command(CommandRequest),
}

/// What goes over the wire.
pub struct HttpRequest {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// The kind of the body.
    pub content_type: String,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// A header that holds the key: never logged.
    pub authorization: Option<(&'static str, String)>,
    /// The body; empty for [`Method::Get`].
    pub body: String,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Method {
    Get,
    Post,
}

impl HttpRequest {
    /// A POST of JSON.
    pub(in crate::engine) fn json(url: String, body: String) -> Self {
        let (content_type, headers) = ("application/json".into(), Vec::new());
        Self { method: Method::Post, url, content_type, headers, authorization: None, body }
    }

    /// The same without a body, as a GET.
    #[must_use]
    pub fn get(self) -> Self {
        Self { method: Method::Get, body: String::new(), ..self }
    }
}

/// A program to run: what is asked goes to its input.
pub struct CommandRequest {
    /// The program and its first arguments, as the settings name them.
    pub command: Vec<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// Variables it gets beside this process's own.
    pub variables: Vec<(&'static str, String)>,
    /// Variables of this process that it does not get.
    pub withheld: &'static [&'static str],
    /// What it reads.
    pub input: String,
    /// The key it gets, as a variable: never logged.
    pub key: Option<(&'static str, String)>,
}

/// What a program said.
#[derive(Clone, Copy, Debug)]
pub struct CommandReply<'a> {
    /// It ended as programs do when all went well.
    pub succeeded: bool,
    /// What it printed.
    pub output: &'a str,
    /// What it complained of.
    pub errors: &'a str,
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
    /// The model's own reply is broken, which another attempt may not be: how, and
    /// what it took. It is sent once more.
    Malformed(String, Usage),
    /// Worth trying again.
    Retryable {
        /// When the server says so.
        after: Option<Duration>,
        /// The server is crowded: fewer calls at once are better.
        slow_down: bool,
        /// What happened.
        detail: String,
    },
    /// No reply in time. The call may have been paid for, so it is sent once more at most.
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
            | Self::Unreadable(_, usage)
            | Self::Malformed(_, usage) => Some(*usage),
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
    /// What it cost by the provider's own account, in billionths of a USD.
    pub billed: Option<u64>,
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
/// A sentence that says which setting is missing.
pub fn build(call: &Call<'_>) -> Result<Request, String> {
    match call.judge.provider {
        Provider::Anthropic => anthropic::build(call).map(Request::Http),
        Provider::OpenAi => openai::build(call).map(Request::Http),
        Provider::Gemini => gemini::build(call).map(Request::Http),
        Provider::OpenAiCompatible => openai_compatible::build(call).map(Request::Http),
        Provider::ClaudeCli => claude_cli::build(call).map(Request::Command),
        Provider::Recorded => Err(format!("judge {}: a recording is not asked", call.judge.name)),
    }
}

/// What a server's reply means.
#[must_use]
pub fn parse(judge: &Judge, reply: &HttpReply<'_>) -> ProviderReply {
    match judge.provider {
        Provider::Anthropic => anthropic::parse(reply),
        Provider::OpenAi => openai::parse(reply),
        Provider::Gemini => gemini::parse(reply),
        Provider::OpenAiCompatible | Provider::ClaudeCli | Provider::Recorded => {
            openai_compatible::parse(reply)
        }
    }
}

/// What a reply with another status than 200 means, whatever was sent.
#[must_use]
pub fn failed(reply: &HttpReply<'_>) -> ProviderReply {
    failure::sorted(reply)
}

/// Whether this provider's reply may stand in a code fence (SPEC 5.3).
#[must_use]
pub fn may_be_fenced(provider: Provider) -> bool {
    provider == Provider::OpenAiCompatible
}

/// The environment variables that hold a judge's key when it names none, the
/// strongest first: only for the vendor's own address, so that no key goes to a
/// host without somebody naming both.
#[must_use]
pub fn key_variables(judge: &Judge) -> &'static [&'static str] {
    match judge.provider {
        _ if judge.base_url.is_some() => &[],
        Provider::Anthropic => &["ANTHROPIC_API_KEY"],
        Provider::OpenAi => &["OPENAI_API_KEY"],
        Provider::Gemini => &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
        Provider::OpenAiCompatible | Provider::ClaudeCli | Provider::Recorded => &[],
    }
}

/// Which of its settings a judge's model does not take, in a sentence.
#[must_use]
pub fn unsent(judge: &Judge) -> Option<String> {
    models::unsent(judge)
}

/// The judge's address, or the vendor's, without a slash or one of these ends.
fn base<'a>(judge: &'a Judge, vendor: &'a str, ends: &[&str]) -> &'a str {
    let base = judge.base_url.as_deref().unwrap_or(vendor).trim().trim_end_matches('/');
    let cut = ends.iter().find_map(|end| base.strip_suffix(end));
    cut.unwrap_or(base).trim_end_matches('/')
}

fn model(judge: &Judge) -> Result<&str, String> {
    let missing = || format!("judge {}: model is missing", judge.name);
    Some(judge.model.trim()).filter(|model| !model.is_empty()).ok_or_else(missing)
}

/// Reads a reply: an error by its status, else the JSON of the body.
fn read(reply: &HttpReply<'_>, meaning: impl FnOnce(&Value) -> ProviderReply) -> ProviderReply {
    if reply.status != 200 {
        return failure::sorted(reply);
    }
    match serde_json::from_str::<Value>(reply.body) {
        Ok(json) => meaning(&json),
        Err(_) => {
            let why = "the server answered something that is no JSON";
            ProviderReply::Unreadable(why.into(), Usage::default())
        }
    }
}

fn without_text(usage: Usage) -> ProviderReply {
    ProviderReply::Unreadable("the reply holds no text".into(), usage)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests;
