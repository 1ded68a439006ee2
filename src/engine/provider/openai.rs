//! OpenAI's Responses.
//!
//! Invariant: nothing is kept at the provider (`store: false`), and the cache key
//! is a hash of the instructions: it holds nothing of the user's.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::models::{self, Reasoning};
use super::{
    Addressee, Call, HttpReply, HttpRequest, ProviderReply, Usage, clean, failure, number,
};

const BASE: &str = "https://api.openai.com/v1";

/// The request.
///
/// # Errors
/// When the judge has no model.
pub fn build(call: &Call<'_>) -> Result<HttpRequest, String> {
    Ok(post(call.addressee(), "responses", body(call)?.to_string()))
}

/// A request to this path of the API.
pub(super) fn post(to: Addressee<'_>, path: &str, body: String) -> HttpRequest {
    let base = super::base(to.judge, BASE, &[]);
    HttpRequest {
        authorization: to.key.map(|key| ("authorization", key.bearer())),
        ..HttpRequest::json(format!("{base}/{path}"), body)
    }
}

/// The body of one call.
///
/// # Errors
/// As [`build`].
pub(super) fn body(call: &Call<'_>) -> Result<Value, String> {
    let (judge, prompt) = (call.judge, call.prompt);
    let rules = models::rules(judge.provider, super::model(judge)?);
    let instructions = prompt.system_text();
    let key = cache_key(&instructions);
    let mut body = Map::new();
    let mut set = |key: &str, value: Value| body.insert(key.to_owned(), value);
    set("model", judge.model.as_str().into());
    set("instructions", instructions.into());
    set("input", prompt.user_text().into());
    let format = json!({"type": "json_schema", "name": "assessment", "schema": prompt.schema, "strict": true});
    set("text", json!({"format": format}));
    set("store", false.into());
    set("prompt_cache_key", key.into());
    if let Some(tokens) = judge.max_tokens {
        set("max_output_tokens", tokens.into());
    }
    match rules.reasoning(judge) {
        Reasoning::Effort(effort) => set("reasoning", json!({"effort": effort})),
        Reasoning::Off(_) => set("reasoning", json!({"effort": "none"})),
        Reasoning::Unsaid => None,
    };
    if let Some(temperature) = rules.temperature(judge) {
        set("temperature", temperature.into());
    }
    Ok(Value::Object(body))
}

/// Calls with the same instructions go where these are cached.
fn cache_key(instructions: &str) -> String {
    let hash = Sha256::digest(instructions);
    hash[..8].iter().fold(String::from("rubricator-"), |key, byte| key + &format!("{byte:02x}"))
}

/// What a reply means.
#[must_use]
pub fn parse(reply: &HttpReply<'_>) -> ProviderReply {
    super::read(reply, response)
}

/// What a response means.
pub(super) fn response(json: &Value) -> ProviderReply {
    let usage = usage(&json["usage"]);
    let output = || json["output"].as_array().into_iter().flatten();
    let messages = output().filter(|item| item["type"] == "message");
    let parts: Vec<&Value> =
        messages.filter_map(|item| item["content"].as_array()).flatten().collect();
    let refusal = parts.iter().find(|part| part["type"] == "refusal");
    let texts = parts.iter().filter(|part| part["type"] == "output_text");
    let text: String = texts.filter_map(|part| part["text"].as_str()).collect();
    match json["status"].as_str() {
        _ if refusal.is_some() => {
            let said = refusal.and_then(|part| part["refusal"].as_str());
            ProviderReply::Refused(clean(said.unwrap_or("no reason given")), usage)
        }
        Some("incomplete") => match json["incomplete_details"]["reason"].as_str() {
            Some("content_filter") => ProviderReply::Blocked("a content filter".into(), usage),
            _ => ProviderReply::Truncated(usage),
        },
        Some("failed") => failed(&json["error"], usage),
        Some("completed") if !text.is_empty() => ProviderReply::Text { text, usage },
        Some("completed") => super::without_text(usage),
        other => {
            let why = format!("the response is {}", clean(other.unwrap_or("without a status")));
            ProviderReply::Unreadable(why, usage)
        }
    }
}

/// A failure that comes as a 200.
fn failed(error: &Value, usage: Usage) -> ProviderReply {
    let code = error["code"].as_str().unwrap_or_default();
    let detail = clean(error["message"].as_str().unwrap_or(code));
    match code {
        "server_error" | "rate_limit_exceeded" => {
            let slow_down = code == "rate_limit_exceeded";
            ProviderReply::Retryable { after: None, slow_down, detail }
        }
        _ if failure::is_quota(code) => ProviderReply::QuotaExhausted(detail),
        _ if code.contains("policy") => ProviderReply::Blocked(detail, usage),
        _ => ProviderReply::BadRequest(detail),
    }
}

fn usage(usage: &Value) -> Usage {
    let input = &usage["input_tokens_details"];
    Usage {
        input: number(&usage["input_tokens"]),
        cached_input: number(&input["cached_tokens"]),
        written_input: number(&input["cache_write_tokens"]),
        written_long_input: 0,
        output: number(&usage["output_tokens"]),
        thinking: number(&usage["output_tokens_details"]["reasoning_tokens"]),
        billed: None,
    }
}
