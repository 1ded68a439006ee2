//! What a status other than 200 means, over all providers: their error bodies
//! name kinds (types, codes, reasons, quota ids), and each kind means one thing.
//!
//! Invariant: quota is told from congestion before anything is retried, and the
//! server's own words are cleaned and cut before they go anywhere.

use std::time::Duration;

use serde_json::Value;

use super::{HttpReply, ProviderReply};

/// Kinds that mean: no money, or no quota, left.
const QUOTA: [&str; 9] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "organization_on_hold",
    "billing_error",
];
/// The same, in the words of messages that come without a kind of their own.
const QUOTA_WORDS: [&str; 2] = ["credit balance is too low", "specified api usage limits"];
/// Google's way of saying that a project has no quota at all.
const NO_LIMIT: &str = "limit: 0";
/// Kinds that mean: send less.
const SLOW_DOWN: [&str; 4] =
    ["slow_down", "overloaded_error", "server_is_overloaded", "UNAVAILABLE"];
/// Ways of saying that the prompt does not fit, in kinds or messages.
const TOO_LONG: [&str; 7] = [
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context length",
    "context length",
    "prompt is too long",
    "request_too_large",
    "exceeds the maximum number of tokens",
];
/// Google says of a wrong key that the request is invalid.
const WRONG_KEY: &str = "API_KEY_INVALID";
/// Google's quotas of a day come back tomorrow.
const PER_DAY: &str = "PerDay";
/// What is added to the wait that a Google body names.
const AFTER_RETRY_INFO: Duration = Duration::from_secs(1);
const LONGEST: usize = 300;

/// Sorts an error reply.
pub(super) fn sorted(reply: &HttpReply<'_>) -> ProviderReply {
    let said = Said::read(reply.body);
    let detail = format!("HTTP {}: {}", reply.status, said.message);
    let slow_down = matches!(reply.status, 429 | 529) || said.is_any(&SLOW_DOWN);
    let retryable = |detail| {
        let after = wait(reply).or(said.wait);
        ProviderReply::Retryable { after, slow_down, detail }
    };
    match (reply.header("x-should-retry"), reply.status) {
        (_, 402) => ProviderReply::QuotaExhausted(detail),
        _ if said.is_quota() => ProviderReply::QuotaExhausted(detail),
        (Some("true"), _) => retryable(detail),
        (_, 401 | 403) => ProviderReply::Auth(detail),
        (_, 400) if said.is_any(&[WRONG_KEY]) => ProviderReply::Auth(detail),
        (_, 404) => ProviderReply::NotFound(detail),
        (_, 400 | 413 | 422) if said.is_too_long() => ProviderReply::ContextTooLong(detail),
        (_, 413) => ProviderReply::ContextTooLong(detail),
        (Some("false"), _) => ProviderReply::BadRequest(detail),
        (_, 408 | 409 | 429 | 500..) => retryable(detail),
        (_, 300..400) => ProviderReply::BadRequest(format!("{detail}; redirects are not followed")),
        _ => ProviderReply::BadRequest(detail),
    }
}

/// Whether a kind of error means that nothing is left.
pub(super) fn is_quota(kind: &str) -> bool {
    QUOTA.contains(&kind)
}

/// How long the headers ask to wait.
fn wait(reply: &HttpReply<'_>) -> Option<Duration> {
    let number = |name: &str| reply.header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"));
    Duration::try_from_secs_f64(seconds?).ok()
}

/// What an error body says. Servers write `error` as an object or as a string,
/// alone or in a list, and `code` as a string or as a number.
struct Said {
    message: String,
    kinds: Vec<String>,
    /// How long the body asks to wait.
    wait: Option<Duration>,
}

impl Said {
    fn read(body: &str) -> Self {
        let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let json = if json.is_array() { &json[0] } else { &json };
        let error = json.get("error").unwrap_or(json);
        let message = word(error)
            .or_else(|| error.get("message").and_then(word))
            .unwrap_or_else(|| "no explanation".into());
        let plain = ["type", "code", "status"].iter().filter_map(|key| word(error.get(key)?));
        let details = details(error);
        let reasons = details.iter().filter_map(|one| word(one.get("reason")?));
        let quotas = details.iter().filter_map(|one| one["violations"].as_array()).flatten();
        let quotas = quotas.filter_map(|violation| word(violation.get("quotaId")?));
        let code = error["details"].get("error_code").and_then(word);
        let kinds = plain.chain(reasons).chain(quotas).chain(code).collect();
        let delay = details.iter().find_map(|one| seconds(one["retryDelay"].as_str()?));
        let wait = delay.map(|delay| delay + AFTER_RETRY_INFO);
        Self { message: clean(&message), kinds, wait }
    }

    fn is_any(&self, kinds: &[&str]) -> bool {
        self.kinds.iter().any(|kind| kinds.contains(&kind.as_str()))
    }

    fn is_quota(&self) -> bool {
        let message = self.message.to_lowercase();
        self.kinds.iter().any(|kind| is_quota(kind) || kind.contains(PER_DAY))
            || QUOTA_WORDS.iter().any(|words| message.contains(words))
            || message.split_once(NO_LIMIT).is_some_and(|(_, rest)| !goes_on(rest))
    }

    fn is_too_long(&self) -> bool {
        let message = self.message.to_lowercase();
        TOO_LONG
            .iter()
            .any(|word| message.contains(word) || self.kinds.iter().any(|kind| kind.contains(word)))
    }
}

/// Whether a number goes on here.
fn goes_on(rest: &str) -> bool {
    let mut chars = rest.chars();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    match chars.next() {
        Some('.' | ',') => digit(chars.next()),
        first => digit(first),
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Google's list of details.
fn details(error: &Value) -> &[Value] {
    error["details"].as_array().map_or(&[], Vec::as_slice)
}

/// A protobuf duration: `46.2s`.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

/// One line without control characters, not too long.
pub(super) fn clean(text: &str) -> String {
    let words = text.split(|ch: char| ch.is_whitespace() || ch.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
