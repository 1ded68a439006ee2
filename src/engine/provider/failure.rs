//! What a status other than 200 means, for APIs that speak like OpenAI's.
//!
//! Invariant: quota is told from congestion before anything is retried, and the
//! server's own words are cleaned and cut before they go anywhere.

use std::time::Duration;

use serde_json::Value;

use super::{HttpReply, ProviderReply};

/// Error types and codes that mean: no money, or no quota, left.
const QUOTA: [&str; 5] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
];
/// Error codes that mean: send less.
const SLOW_DOWN: [&str; 3] = ["slow_down", "overloaded_error", "server_is_overloaded"];
/// Ways of saying that the prompt does not fit, in codes, types or messages.
const TOO_LONG: [&str; 4] =
    ["context_length_exceeded", "exceed_context_size", "maximum context length", "context length"];
const LONGEST: usize = 300;

/// Sorts an error reply.
pub(super) fn sorted(reply: &HttpReply<'_>) -> ProviderReply {
    let said = Said::read(reply.body);
    let detail = format!("HTTP {}: {}", reply.status, said.message);
    let slow_down = matches!(reply.status, 429 | 529) || said.is_any(&SLOW_DOWN);
    let retryable = |detail| ProviderReply::Retryable { after: wait(reply), slow_down, detail };
    let quota = said.is_any(&QUOTA);
    match (reply.header("x-should-retry"), reply.status) {
        _ if quota || reply.status == 402 => ProviderReply::QuotaExhausted(detail),
        (Some("true"), _) => retryable(detail),
        (_, 401 | 403) => ProviderReply::Auth(detail),
        (_, 404) => ProviderReply::NotFound(detail),
        (_, 400 | 413 | 422) if said.is_too_long() => ProviderReply::ContextTooLong(detail),
        (Some("false"), _) => ProviderReply::BadRequest(detail),
        (_, 408 | 409 | 429 | 500..) => retryable(detail),
        (_, 300..400) => ProviderReply::BadRequest(format!("{detail}; redirects are not followed")),
        _ => ProviderReply::BadRequest(detail),
    }
}

/// How long the server asks to wait.
fn wait(reply: &HttpReply<'_>) -> Option<Duration> {
    let number = |name: &str| reply.header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"));
    Duration::try_from_secs_f64(seconds?).ok()
}

/// What an error body says; servers write `error` as an object or as a string,
/// and `code` as a string or as a number.
struct Said {
    message: String,
    kinds: Vec<String>,
}

impl Said {
    fn read(body: &str) -> Self {
        let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let error = json.get("error").unwrap_or(&json);
        let word = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = word(error)
            .or_else(|| error.get("message").and_then(word))
            .unwrap_or_else(|| "no explanation".into());
        let kinds = ["type", "code"].iter().filter_map(|key| word(error.get(key)?)).collect();
        Self { message: clean(&message), kinds }
    }

    fn is_any(&self, kinds: &[&str]) -> bool {
        self.kinds.iter().any(|kind| kinds.contains(&kind.as_str()))
    }

    fn is_too_long(&self) -> bool {
        let message = self.message.to_lowercase();
        TOO_LONG
            .iter()
            .any(|word| message.contains(word) || self.kinds.iter().any(|kind| kind.contains(word)))
    }
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
