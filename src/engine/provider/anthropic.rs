//! Anthropic's Messages.
//!
//! Invariant: what other calls begin with is marked, so the next transcript reads
//! the rubric, and the next call about a transcript the transcript, from the
//! cache; a beginning too short to be cached is not marked. Blocks keep their
//! order and bytes. No temperature: this version of the API takes none.

use serde_json::{Map, Value, json};

use super::models::{self, Off, Reasoning};
use super::{Addressee, Call, HttpReply, HttpRequest, ProviderReply, Usage, clean, number};
use crate::prompt::Part;

const BASE: &str = "https://api.anthropic.com";
const VERSION: &str = "2026-10-21";
/// `max_tokens` cannot be left out; beyond this a reply should be streamed.
const MAX_TOKENS: u32 = 16_000;
const MOST_MARKS: usize = 4;
/// The fewest bytes a token has, over a prompt: what is shorter than the cache's
/// minimum even so is not marked.
const BYTES_PER_TOKEN: usize = 3;

/// How long what is marked is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Five minutes, from read to read.
    Minutes,
    /// An hour, for batches; writing it costs more.
    Hour,
}

/// The request.
///
/// # Errors
/// When the judge has no model.
pub fn build(call: &Call<'_>) -> Result<HttpRequest, String> {
    Ok(post(call.addressee(), "messages", body(call, Kept::Minutes)?.to_string()))
}

/// A request to this path of the API.
pub(super) fn post(to: Addressee<'_>, path: &str, body: String) -> HttpRequest {
    let base = super::base(to.judge, BASE, &["/v1"]);
    HttpRequest {
        headers: vec![("anthropic-version", VERSION.to_owned())],
        authorization: to.key.map(|key| ("x-api-key", key.plain())),
        ..HttpRequest::json(format!("{base}/v1/{path}"), body)
    }
}

/// The body of one call.
///
/// # Errors
/// As [`build`].
pub(super) fn body(call: &Call<'_>, kept: Kept) -> Result<Value, String> {
    let (judge, prompt) = (call.judge, call.prompt);
    let rules = models::rules(judge.provider, super::model(judge)?);
    let mut marks =
        Marks { kept, from: rules.cached_from * BYTES_PER_TOKEN, bytes: 0, left: MOST_MARKS };
    let mut output = Map::new();
    if let Reasoning::Effort(effort) = rules.reasoning(judge) {
        output.insert("effort".into(), effort.into());
    }
    output.insert("format".into(), json!({"type": "json_schema", "schema": prompt.schema}));
    let mut body = Map::new();
    body.insert("model".into(), judge.model.as_str().into());
    body.insert("max_tokens".into(), judge.max_tokens.unwrap_or(MAX_TOKENS).into());
    body.insert("system".into(), marks.blocks(&prompt.system));
    let content = marks.blocks(&prompt.user);
    body.insert("messages".into(), json!([{"role": "user", "content": content}]));
    body.insert("output_config".into(), Value::Object(output));
    let thinking = match rules.reasoning(judge) {
        Reasoning::Off(Off::Disabled) => Some("disabled"),
        Reasoning::Off(Off::BetweenTools) => Some("between_tools"),
        _ => None,
    };
    if let Some(kind) = thinking {
        body.insert("thinking".into(), json!({"type": kind}));
    }
    Ok(Value::Object(body))
}

/// Marks as they are given out, from the first block to the last.
struct Marks {
    kept: Kept,
    /// Bytes a beginning must have to be worth one.
    from: usize,
    bytes: usize,
    left: usize,
}

impl Marks {
    fn blocks(&mut self, parts: &[Part]) -> Value {
        parts.iter().map(|part| self.block(part)).collect()
    }

    fn block(&mut self, part: &Part) -> Value {
        self.bytes += part.text.len();
        let mut block = json!({"type": "text", "text": part.text});
        if part.reused && self.bytes >= self.from && self.left > 0 {
            self.left -= 1;
            block["cache_control"] = match self.kept {
                Kept::Minutes => json!({"type": "ephemeral"}),
                Kept::Hour => json!({"type": "ephemeral", "ttl": "1h"}),
            };
        }
        block
    }
}

/// What a reply means.
#[must_use]
pub fn parse(reply: &HttpReply<'_>) -> ProviderReply {
    super::read(reply, message)
}

/// What a message means.
pub(super) fn message(json: &Value) -> ProviderReply {
    let usage = usage(&json["usage"]);
    let blocks = || json["content"].as_array().into_iter().flatten();
    let texts = blocks().filter(|block| block["type"] == "text");
    let text: String = texts.filter_map(|block| block["text"].as_str()).collect();
    match json["stop_reason"].as_str() {
        Some("refusal") => {
            let details = &json["stop_details"];
            let said = details["explanation"].as_str().or(details["category"].as_str());
            ProviderReply::Refused(clean(said.unwrap_or(&text)), usage)
        }
        Some("max_tokens" | "model_context_window_exceeded") => ProviderReply::Truncated(usage),
        Some("end_turn") if !text.is_empty() => ProviderReply::Text { text, usage },
        Some("end_turn") => super::without_text(usage),
        other => {
            let why = format!("the reply stopped for {}", clean(other.unwrap_or("no reason")));
            ProviderReply::Unreadable(why, usage)
        }
    }
}

/// Tokens, where read and written ones are counted beside the others.
pub(super) fn usage(usage: &Value) -> Usage {
    let written = number(&usage["cache_creation_input_tokens"]);
    let long = number(&usage["cache_creation"]["ephemeral_1h_input_tokens"]);
    let cached = number(&usage["cache_read_input_tokens"]);
    Usage {
        input: number(&usage["input_tokens"]) + written + cached,
        cached_input: cached,
        written_input: written.saturating_sub(long),
        written_long_input: long,
        output: number(&usage["output_tokens"]),
        thinking: number(&usage["output_tokens_details"]["thinking_tokens"]),
        billed: None,
    }
}
