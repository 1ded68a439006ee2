//! Every provider against a server on this machine that speaks its API, on good
//! days and bad ones: what was sent, what was concluded, how long it waited, and
//! what was stored.

mod caching;
mod command;
mod failures;
mod network;
mod replies;
mod requests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rubricator::config::{Judge, Provider};
use rubricator::engine::{AssessJob, AssessUpdate, Trust};
use serde_json::{Value, json};

use crate::engine::{Asked, JudgeServer, RUBRIC, Ran, Reply, World, noting, run, texts};

/// An API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Chat Completions.
    Chat,
    /// Messages.
    Anthropic,
    /// Responses.
    OpenAi,
    /// generateContent.
    Gemini,
}

impl Wire {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Anthropic, Self::OpenAi, Self::Gemini];

    pub fn provider(self) -> Provider {
        match self {
            Self::Chat => Provider::OpenAiCompatible,
            Self::Anthropic => Provider::Anthropic,
            Self::OpenAi => Provider::OpenAi,
            Self::Gemini => Provider::Gemini,
        }
    }

    /// A model that its vendor has.
    pub fn model(self) -> &'static str {
        match self {
            Self::Chat => "qwen3:8b",
            Self::Anthropic => "claude-haiku-5-5",
            Self::OpenAi => "gpt-6-luna",
            Self::Gemini => "gemini-3.8-flash",
        }
    }

    /// Whether requests belong here.
    pub fn is_at(self, path: &str) -> bool {
        match self {
            Self::Chat => path == "/v1/chat/completions",
            Self::Anthropic => path == "/v1/messages",
            Self::OpenAi => path == "/v1/responses",
            Self::Gemini => path.starts_with("/v1/models/") && path.ends_with(":generateContent"),
        }
    }

    /// The schema in a request.
    pub fn schema(self, body: &Value) -> &Value {
        match self {
            Self::Chat => &body["response_format"]["json_schema"]["schema"],
            Self::Anthropic => &body["output_config"]["format"]["schema"],
            Self::OpenAi => &body["text"]["format"]["schema"],
            Self::Gemini => &body["generationConfig"]["responseJsonSchema"],
        }
    }

    /// A good reply with this text: 100 tokens in, 10 out.
    pub fn reply(self, text: &str) -> Value {
        match self {
            Self::Chat => json!({
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text, "refusal": null}}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }),
            Self::Anthropic => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": self.model(),
                "content": [{"type": "thinking", "thinking": "", "signature": "s"},
                    {"type": "text", "text": text}],
                "stop_reason": "end_turn", "stop_sequence": null, "stop_details": null,
                "usage": {"input_tokens": 100, "output_tokens": 10},
            }),
            Self::OpenAi => json!({
                "id": "resp_1", "object": "response", "status": "completed", "error": null,
                "incomplete_details": null,
                "output": [{"type": "reasoning", "id": "rs_1", "summary": []},
                    {"type": "message", "role": "assistant", "status": "completed",
                     "content": [{"type": "output_text", "text": text, "annotations": []}]}],
                "usage": {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110},
            }),
            Self::Gemini => json!({
                "candidates": [{"index": 0, "finishReason": "STOP",
                    "content": {"role": "model", "parts": [
                        {"text": "hm", "thought": true}, {"text": text}]}}],
                "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10,
                    "totalTokenCount": 110},
            }),
        }
    }

    /// An error in this API's own form.
    pub fn error(self, status: u16, kind: &str, message: &str) -> String {
        let error = match self {
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": kind, "message": message}})
            }
            Self::Gemini => {
                json!({"error": {"code": status, "status": kind, "message": message}})
            }
            Self::Chat | Self::OpenAi => {
                json!({"error": {"type": kind, "message": message, "param": null, "code": kind}})
            }
        };
        error.to_string()
    }
}

/// A judge of this API behind a server, with a key.
fn judge_of(wire: Wire, url: &str) -> Judge {
    Judge {
        name: "a".into(),
        provider: wire.provider(),
        model: wire.model().into(),
        base_url: Some(url.into()),
        api_key_env: Some("TEST_KEY".into()),
        command: None,
        file: None,
        max_concurrency: 1,
        timeout_s: 60,
        max_tokens: None,
        effort: None,
        temperature: None,
        family: None,
        repeat: 1,
        origin: rubricator::config::Origin::UserFile,
    }
}

/// A trusted job for one judge.
fn job(world: &World, count: usize, judge: Judge) -> AssessJob {
    AssessJob { trust: Trust::Given, ..world.job(RUBRIC, &texts(count), vec![judge]) }
}

/// What came of one transcript.
struct Played {
    /// The outcome of every criterion, when it is the same: `YES`, `refused`.
    outcome: String,
    /// What the user is told about it.
    detail: String,
    /// Requests that arrived.
    sent: usize,
    /// The waits between them.
    waits: Vec<Duration>,
    /// Answers in the store afterwards.
    stored: usize,
    ran: Ran,
}

/// Asks about one transcript a server that answers so.
async fn play(
    wire: Wire,
    answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
) -> Played {
    let (world, server) = (World::new(), JudgeServer::speaking(wire, answer).await);
    let (engine, waits) = noting(&world);
    let job = job(&world, 1, judge_of(wire, &server.url));
    let ran = run(&engine, job.clone()).await;
    let waits: Arc<Mutex<Vec<Duration>>> = waits;
    Played {
        outcome: common(&ran),
        detail: detail(&ran),
        sent: server.take().len(),
        waits: waits.lock().expect("no test panicked").clone(),
        stored: world.engine().recall(&job).len(),
        ran,
    }
}

/// The outcome of every criterion, which must be the same.
fn common(ran: &Ran) -> String {
    let lines = ran.outcomes();
    let mut words: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    words.dedup();
    assert_eq!(words.len(), 1, "{lines:?}");
    words[0].to_owned()
}

fn detail(ran: &Ran) -> String {
    let unscored = ran.updates.iter().find_map(|update| match update {
        AssessUpdate::Outcome { outcome, .. } => outcome.unscored(),
        _ => None,
    });
    unscored.map(|why| why.detail.clone()).unwrap_or_default()
}
