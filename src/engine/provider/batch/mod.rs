//! Batches: many calls handed in at once and fetched hours later, at half the
//! price. What is sent, and what the replies mean. Pure.
//!
//! Invariant: a result is told by its own mark, never by its place, as results
//! come in any order. A name that a provider gives goes into an address only
//! when it is made of letters, digits, `-` and `_`, and results are fetched from
//! the judge's own address, whatever address a reply names.

use serde_json::{Value, json};

use crate::config::Provider;

use super::openai;
use super::{
    Addressee, Call, HttpReply, HttpRequest, ProviderReply, anthropic, clean, failure, gemini,
};

/// The name of our label among a batch's own data.
const LABEL: &str = "rubricator";
/// Seconds between writing a batch down and its being made there, by two clocks.
const ABOUT: i64 = 15 * 60;

mod lines;
#[cfg(test)]
mod tests;

/// What one batch may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Calls.
    pub calls: usize,
    /// Bytes of their bodies together.
    pub bytes: usize,
}

/// The limit of a provider's batches; `None` where it has none.
#[must_use]
pub fn limit(provider: Provider) -> Option<Limit> {
    // Anthropic takes 100,000 calls and 256 MB, OpenAI 50,000 and 200 MB, Google
    // 20 MB; smaller ones keep what is held in memory, and lost at once, small.
    match provider {
        Provider::Anthropic | Provider::OpenAi => Some(Limit { calls: 10_000, bytes: 96 << 20 }),
        Provider::Gemini => Some(Limit { calls: 10_000, bytes: 18 << 20 }),
        Provider::OpenAiCompatible | Provider::ClaudeCli | Provider::Recorded => None,
    }
}

/// One call of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Tells its result.
    pub mark: String,
    /// The body that would be sent alone.
    pub body: Value,
}

/// The body of one call. What calls share is kept for an hour where that can be said.
///
/// # Errors
/// When the judge has no model.
pub fn body(call: &Call<'_>) -> Result<Value, String> {
    match call.judge.provider {
        Provider::Anthropic => anthropic::body(call, anthropic::Kept::Hour),
        Provider::OpenAi => openai::body(call),
        _ => gemini::body(call),
    }
}

/// The request that uploads the calls, where they go as a file.
#[must_use]
pub fn upload(to: Addressee<'_>, items: &[Item]) -> Option<HttpRequest> {
    (to.judge.provider == Provider::OpenAi).then(|| lines::upload(to, items))
}

/// The name of an uploaded file.
///
/// # Errors
/// When the reply names none.
pub fn uploaded(reply: &str) -> Result<String, String> {
    named(&json_of(reply)?["id"])
}

/// The request that makes the batch, of a file where one was uploaded, with a
/// label of ours where it takes one.
///
/// # Errors
/// When the judge has no model.
pub fn create(
    to: Addressee<'_>,
    items: &[Item],
    file: &str,
    label: &str,
) -> Result<HttpRequest, String> {
    match to.judge.provider {
        Provider::Anthropic => {
            let request = |item: &Item| json!({"custom_id": item.mark, "params": item.body});
            let requests: Vec<Value> = items.iter().map(request).collect();
            let body = json!({"requests": requests}).to_string();
            Ok(anthropic::post(to, "messages/batches", body))
        }
        Provider::OpenAi => {
            let body = json!({
                "input_file_id": file,
                "endpoint": "/v1/responses",
                "completion_window": "24h",
                "metadata": {LABEL: label},
            });
            Ok(openai::post(to, "batches", body.to_string()))
        }
        _ => {
            let request =
                |item: &Item| json!({"request": item.body, "metadata": {"key": item.mark}});
            let requests: Vec<Value> = items.iter().map(request).collect();
            let input = json!({"requests": {"requests": requests}});
            let body = json!({"batch": {"displayName": displayed(label), "inputConfig": input}});
            let path = format!("{}:batchGenerateContent", gemini::path(to.judge)?);
            Ok(gemini::post(to, &path, body.to_string()))
        }
    }
}

/// The name of a batch that was made.
///
/// # Errors
/// When the reply names none.
pub fn created(to: Addressee<'_>, reply: &str) -> Result<String, String> {
    let json = json_of(reply)?;
    match to.judge.provider {
        Provider::Gemini => {
            let name = json["name"].as_str().and_then(|name| name.strip_prefix("batches/"));
            named(&name.into())
        }
        _ => named(&json["id"]),
    }
}

/// Whether a batch of this provider carries our label.
#[must_use]
pub fn has_labels(provider: Provider) -> bool {
    provider != Provider::Anthropic
}

fn displayed(label: &str) -> String {
    format!("{LABEL} {label}")
}

/// The request that lists the newest batches.
#[must_use]
pub fn list(to: Addressee<'_>) -> HttpRequest {
    let request = match to.judge.provider {
        Provider::Anthropic => anthropic::post(to, "messages/batches?limit=1000", String::new()),
        Provider::OpenAi => openai::post(to, "batches?limit=100", String::new()),
        _ => gemini::post(to, "v1/batches?pageSize=100", String::new()),
    };
    request.get()
}

/// A batch that may have been made.
#[derive(Clone, Copy, Debug)]
pub struct Lost<'a> {
    /// The label it was given.
    pub label: &'a str,
    /// How many calls it had.
    pub calls: usize,
    /// When it was about to be made, in seconds since 1970.
    pub at: i64,
}

/// The names of batches in a reply to [`list`] that can be the lost one: the one
/// with its label, or, where there are no labels, those of its size and time.
///
/// # Errors
/// When it is no such reply.
pub fn listed(to: Addressee<'_>, reply: &str, lost: &Lost<'_>) -> Result<Vec<String>, String> {
    let json = json_of(reply)?;
    let (list, label) = match to.judge.provider {
        Provider::Gemini => ("operations", displayed(lost.label)),
        _ => ("data", lost.label.to_owned()),
    };
    let fits = |one: &&Value| match to.judge.provider {
        Provider::Anthropic => is_like(one, lost),
        Provider::OpenAi => one["metadata"][LABEL] == *label,
        _ => one["metadata"]["displayName"] == *label,
    };
    let all = json[list].as_array().into_iter().flatten();
    all.filter(fits).map(|one| created(to, &one.to_string())).collect()
}

/// A batch of that size, made about then: clocks differ.
fn is_like(one: &Value, lost: &Lost<'_>) -> bool {
    let counts = one["request_counts"].as_object().into_iter().flatten();
    let calls: u64 = counts.filter_map(|(_, count)| count.as_u64()).sum();
    let made = one["created_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let about = |at: jiff::Timestamp| (at.as_second() - lost.at).abs() <= ABOUT;
    calls == lost.calls as u64 && made.is_some_and(about)
}

/// The request that asks how far a batch is.
#[must_use]
pub fn poll(to: Addressee<'_>, name: &str) -> HttpRequest {
    let request = match to.judge.provider {
        Provider::Anthropic => {
            anthropic::post(to, &format!("messages/batches/{name}"), String::new())
        }
        Provider::OpenAi => openai::post(to, &format!("batches/{name}"), String::new()),
        _ => gemini::post(to, &format!("v1/batches/{name}"), String::new()),
    };
    request.get()
}

/// How far a batch is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Not through; so many calls are, as far as the provider says.
    Running(Option<u64>),
    /// Through: these are to be fetched.
    Ended(Vec<Results>),
}

/// Where results are.
#[derive(Clone, Debug, PartialEq)]
pub enum Results {
    /// At this path of the API.
    At(String),
    /// Here.
    Here(Vec<(String, Fate)>),
}

/// What became of one call.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It was sent, and this came back.
    Replied(ProviderReply),
    /// It was not sent in time, or taken back: nothing was paid.
    Unsent(String),
}

/// What a reply to [`poll`] says.
///
/// # Errors
/// When it is no such reply.
pub fn polled(to: Addressee<'_>, name: &str, reply: &str) -> Result<State, String> {
    let json = json_of(reply)?;
    match to.judge.provider {
        Provider::Anthropic => match json["processing_status"].as_str() {
            Some("ended") => {
                Ok(State::Ended(vec![Results::At(format!("messages/batches/{name}/results"))]))
            }
            Some(_) => Ok(State::Running(None)),
            None => Err("the reply has no processing_status".into()),
        },
        Provider::OpenAi => lines::polled(&json),
        _ => inline(&json),
    }
}

/// The request that fetches results.
#[must_use]
pub fn fetch(to: Addressee<'_>, path: &str) -> HttpRequest {
    let request = match to.judge.provider {
        Provider::Anthropic => anthropic::post(to, path, String::new()),
        Provider::OpenAi => openai::post(to, path, String::new()),
        _ => gemini::post(to, path, String::new()),
    };
    request.get()
}

/// The results in a fetched text: one a line, in any order. What cannot be read
/// is left out: nothing is known of it.
#[must_use]
pub fn read(to: Addressee<'_>, text: &str) -> Vec<(String, Fate)> {
    let fate = |line: Value| match to.judge.provider {
        Provider::Anthropic => message(&line),
        Provider::OpenAi => lines::response(&line),
        _ => generated(&line, &line["key"]),
    };
    text.lines().filter_map(|line| fate(serde_json::from_str(line).ok()?)).collect()
}

fn message(line: &Value) -> Option<(String, Fate)> {
    let mark = line["custom_id"].as_str()?.to_owned();
    let result = &line["result"];
    let fate = match result["type"].as_str()? {
        "succeeded" => Fate::Replied(anthropic::message(&result["message"])),
        "errored" => {
            let status = match result["error"]["error"]["type"].as_str() {
                Some("invalid_request_error") => 400,
                Some("authentication_error") => 401,
                Some("billing_error") => 402,
                Some("permission_error") => 403,
                Some("not_found_error") => 404,
                Some("request_too_large") => 413,
                Some("rate_limit_error") => 429,
                Some("overloaded_error") => 529,
                _ => 500,
            };
            Fate::Replied(failed(status, &result["error"]))
        }
        other => Fate::Unsent(clean(other)),
    };
    Some((mark, fate))
}

/// A call that failed with this status and error body.
fn failed(status: u16, body: &Value) -> ProviderReply {
    failure::sorted(&HttpReply { status, headers: &[], body: &body.to_string() })
}

/// Google's reply, which holds the results.
fn inline(json: &Value) -> Result<State, String> {
    let state = json["metadata"]["state"].as_str().unwrap_or_default();
    let output = &json["metadata"]["output"];
    let results = output["inlinedResponses"]["inlinedResponses"].as_array();
    match state.strip_prefix("BATCH_STATE_") {
        Some("PENDING" | "RUNNING") => Ok(State::Running(None)),
        Some("SUCCEEDED") => {
            let results = results.into_iter().flatten();
            let here = results.filter_map(|one| generated(one, &one["metadata"]["key"])).collect();
            Ok(State::Ended(vec![Results::Here(here)]))
        }
        Some("FAILED" | "CANCELLED" | "EXPIRED") => Ok(State::Ended(Vec::new())),
        _ => Err(format!("the batch has the state {}", clean(state))),
    }
}

fn generated(one: &Value, mark: &Value) -> Option<(String, Fate)> {
    let mark = mark.as_str()?.to_owned();
    let error = &one["error"];
    if error.is_null() {
        return Some((mark, Fate::Replied(gemini::content(&one["response"]))));
    }
    // A status of HTTP or of gRPC.
    let status = match error["code"].as_u64() {
        Some(status @ 100..600) => u16::try_from(status).unwrap_or(500),
        Some(3 | 9) => 400,
        Some(16) => 401,
        Some(7) => 403,
        Some(5) => 404,
        Some(8) => 429,
        Some(14) => 503,
        Some(4) => 504,
        _ => 500,
    };
    Some((mark, Fate::Replied(failed(status, &json!({"error": error})))))
}

fn json_of(reply: &str) -> Result<Value, String> {
    serde_json::from_str(reply).map_err(|_| "the server answered something that is no JSON".into())
}

/// A name that may stand in an address.
fn named(value: &Value) -> Result<String, String> {
    let name = value.as_str().unwrap_or_default();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(fits) {
        return Err("the reply names no batch".into());
    }
    Ok(name.to_owned())
}
