//! Google's generateContent.
//!
//! Invariant: the schema goes as `responseJsonSchema` with the order of its
//! properties, so that reasons come before answers. Never both a thinking level
//! and a budget. The filters are off: a judge must be able to read what it judges.

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::config::Judge;

use super::models::{self, Reasoning};
use super::{Addressee, Call, HttpReply, HttpRequest, ProviderReply, Usage, clean, number};

const BASE: &str = "https://generativelanguage.googleapis.com";
const HARMS: [&str; 4] = ["HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT"];

/// The request.
///
/// # Errors
/// When the judge has no model.
pub fn build(call: &Call<'_>) -> Result<HttpRequest, String> {
    let path = format!("{}:generateContent", path(call.judge)?);
    Ok(post(call.addressee(), &path, body(call)?.to_string()))
}

/// The model's path; the moving names exist in the beta API alone.
///
/// # Errors
/// When the judge has no model.
pub(super) fn path(judge: &Judge) -> Result<String, String> {
    let model = super::model(judge)?;
    let model = model.strip_prefix("models/").unwrap_or(model);
    let version = if model.ends_with("-latest") { "v1beta" } else { "v1" };
    Ok(format!("{version}/models/{model}"))
}

/// A request to this path of the API.
pub(super) fn post(to: Addressee<'_>, path: &str, body: String) -> HttpRequest {
    let base = super::base(to.judge, BASE, &["/v1", "/v1beta"]);
    HttpRequest {
        authorization: to.key.map(|key| ("x-goog-api-key", key.plain())),
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
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("responseMimeType", "application/json".into());
    set("responseJsonSchema", with_order(&prompt.schema));
    if let Some(tokens) = judge.max_tokens {
        set("maxOutputTokens", tokens.into());
    }
    match rules.reasoning(judge) {
        Reasoning::Effort(effort) => {
            set("thinkingConfig", json!({"thinkingLevel": effort.to_uppercase()}))
        }
        Reasoning::Off(_) => set("thinkingConfig", json!({"thinkingBudget": 0})),
        Reasoning::Unsaid => None,
    };
    if let Some(temperature) = rules.temperature(judge) {
        set("temperature", temperature.into());
    }
    let off = |harm| json!({"category": format!("HARM_CATEGORY_{harm}"), "threshold": "OFF"});
    Ok(json!({
        "systemInstruction": {"parts": [{"text": prompt.system_text()}]},
        "contents": [{"role": "user", "parts": [{"text": prompt.user_text()}]}],
        "safetySettings": HARMS.map(off),
        "generationConfig": config,
    }))
}

/// Every object with `propertyOrdering`.
fn with_order(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(with_order).collect(),
        Value::Object(members) => {
            let mut out: Map<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), with_order(value))).collect();
            if let (Some("object"), Some(properties)) =
                (schema["type"].as_str(), schema["properties"].as_object())
            {
                let names = properties.keys().map(String::as_str).collect();
                out.insert("propertyOrdering".into(), names);
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// What a reply means.
#[must_use]
pub fn parse(reply: &HttpReply<'_>) -> ProviderReply {
    super::read(reply, content)
}

/// What generated content means.
pub(super) fn content(json: &Value) -> ProviderReply {
    let usage = usage(&json["usageMetadata"]);
    if let Some(reason) = json["promptFeedback"]["blockReason"].as_str() {
        return ProviderReply::Blocked(
            format!("a filter of the prompt ({})", clean(reason)),
            usage,
        );
    }
    let candidate = &json["candidates"][0];
    let parts = || candidate["content"]["parts"].as_array().into_iter().flatten();
    let spoken = parts().filter(|part| part["thought"] != true);
    let text: String = spoken.filter_map(|part| part["text"].as_str()).collect();
    match candidate["finishReason"].as_str() {
        Some("MAX_TOKENS" | "CONTINUATION") => ProviderReply::Truncated(usage),
        Some("STOP") if serde_json::from_str::<IgnoredAny>(&text).is_ok() => {
            ProviderReply::Text { text, usage }
        }
        Some("STOP") if !text.is_empty() => {
            ProviderReply::Malformed("the model's reply is no JSON".into(), usage)
        }
        Some("STOP") | None => super::without_text(usage),
        Some("MALFORMED_RESPONSE") => {
            ProviderReply::Malformed("the model's reply was malformed".into(), usage)
        }
        Some(reason) => {
            ProviderReply::Blocked(format!("a filter of the reply ({})", clean(reason)), usage)
        }
    }
}

fn usage(usage: &Value) -> Usage {
    let thinking = number(&usage["thoughtsTokenCount"]);
    Usage {
        input: number(&usage["promptTokenCount"]) + number(&usage["toolUsePromptTokenCount"]),
        cached_input: number(&usage["cachedContentTokenCount"]),
        written_input: 0,
        written_long_input: 0,
        output: number(&usage["candidatesTokenCount"]) + thinking,
        thinking,
        billed: None,
    }
}
