//! Claude Code as a judge: a program that is given the prompt and prints one
//! JSON object about what came of it.
//!
//! Invariant: it runs without tools, sessions, or settings, hooks and instructions
//! of any folder, so what it is asked is all it knows; and it is sent nowhere
//! but to where the settings say, whatever the environment says. Its exit code
//! alone says nothing: a call that went wrong, and prose, both come as "success".

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::models::{self, Reasoning};
use super::{Call, CommandReply, CommandRequest, ProviderReply, Usage, anthropic, clean};

/// What the program's own retries would hide: how busy the service is.
const RETRIES: &str = "1";
/// An argument may have 128 KiB on Linux.
const LONGEST_ARGUMENT: usize = 120_000;
/// Where text would go is the settings' to say, not the environment's.
const WITHHELD: &[&str] =
    &["ANTHROPIC_BASE_URL", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"];

/// The request.
///
/// # Errors
/// When the judge has no model, or the criteria are too long for an argument.
pub fn build(call: &Call<'_>) -> Result<CommandRequest, String> {
    let (judge, prompt) = (call.judge, call.prompt);
    let (system, schema) = (prompt.system_text(), prompt.schema.to_string());
    if system.len().max(schema.len()) > LONGEST_ARGUMENT {
        let name = &judge.name;
        return Err(format!(
            "judge {name}: the criteria are too long for a command line; lower criteria_per_call"
        ));
    }
    let mut arguments: Vec<String> = vec!["-p".into()];
    // Without a key the program logs in by itself, which `--bare` would forbid.
    arguments.push(if call.key.is_some() { "--bare" } else { "--safe-mode" }.into());
    let mut set = |flag: &str, value: &str| arguments.extend([flag.to_owned(), value.to_owned()]);
    set("--model", super::model(judge)?);
    if let Reasoning::Effort(effort) = models::rules(judge.provider, &judge.model).reasoning(judge)
    {
        set("--effort", effort);
    }
    set("--tools", "");
    set("--system-prompt", &system);
    set("--output-format", "json");
    set("--json-schema", &schema);
    arguments.push("--no-session-persistence".into());
    let mut variables = vec![
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ("DISABLE_TELEMETRY", "1".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", RETRIES.to_owned()),
        ("API_TIMEOUT_MS", judge.timeout_s.saturating_mul(1000).to_string()),
    ];
    if let Some(tokens) = judge.max_tokens {
        variables.push(("CLAUDE_CODE_MAX_OUTPUT_TOKENS", tokens.to_string()));
    }
    Ok(CommandRequest {
        command: judge.command.clone().unwrap_or_else(|| vec!["claude".into()]),
        arguments,
        variables,
        withheld: WITHHELD,
        input: prompt.user_text(),
        key: call.key.map(|key| ("ANTHROPIC_API_KEY", key.plain())),
    })
}

/// What the program prints, as far as it is read.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    subtype: String,
    #[serde(default)]
    is_error: bool,
    #[serde(default)]
    result: Option<String>,
    #[serde(default, borrow)]
    structured_output: Option<&'a RawValue>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    api_error_status: Option<u16>,
    #[serde(default)]
    api_error: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    total_cost_usd: Option<f64>,
}

impl Envelope<'_> {
    /// What all its calls took: one run may ask more than once.
    fn usage(&self) -> Usage {
        let billed = self.total_cost_usd.filter(|usd| usd.is_finite() && *usd > 0.0);
        let billed = billed.map(|usd| (usd * 1e9).round() as u64);
        Usage { billed, ..anthropic::usage(&self.usage) }
    }
}

/// Lets the program stop itself before its next call once it has spent so many USD.
pub fn bound(request: &mut CommandRequest, usd: f64) {
    request.arguments.extend(["--max-budget-usd".into(), format!("{usd:.6}")]);
}

/// What the program's reply means, and what it took although it is none.
#[must_use]
pub fn parse(reply: &CommandReply<'_>) -> (ProviderReply, Usage) {
    match serde_json::from_str::<Envelope<'_>>(reply.output.trim()) {
        Ok(envelope) => (meaning(&envelope, reply.succeeded), envelope.usage()),
        Err(_) => (unprinted(reply), Usage::default()),
    }
}

fn unprinted(reply: &CommandReply<'_>) -> ProviderReply {
    if reply.succeeded {
        return ProviderReply::Unreadable("it printed no result".into(), Usage::default());
    }
    let said = if reply.errors.trim().is_empty() { "nothing" } else { reply.errors };
    ProviderReply::BadRequest(format!("it failed and said: {}", clean(said)))
}

fn meaning(envelope: &Envelope<'_>, succeeded: bool) -> ProviderReply {
    let usage = envelope.usage();
    let said = envelope.result.as_deref().or(envelope.errors.first().map(String::as_str));
    let detail = clean(said.unwrap_or(&envelope.subtype));
    match (envelope.subtype.as_str(), envelope.is_error, envelope.structured_output) {
        ("success", false, Some(output)) if succeeded => {
            ProviderReply::Text { text: output.get().to_owned(), usage }
        }
        _ if envelope.stop_reason.as_deref() == Some("refusal") => {
            ProviderReply::Refused(detail, usage)
        }
        ("success", false, None) => {
            ProviderReply::Unreadable("the model answered in prose".into(), usage)
        }
        ("success", ..) => failed(envelope, detail),
        // The budget is that of one call, which says nothing of the next.
        (
            "error_max_structured_output_retries"
            | "error_during_execution"
            | "error_max_turns"
            | "error_max_budget_usd",
            ..,
        ) => ProviderReply::Unreadable(detail, usage),
        _ => ProviderReply::BadRequest(detail),
    }
}

/// A call of the program's that went wrong.
fn failed(envelope: &Envelope<'_>, detail: String) -> ProviderReply {
    let lower = detail.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match envelope.api_error_status {
        _ if envelope.api_error.as_deref() == Some("usage_limit_reached") => {
            ProviderReply::QuotaExhausted(detail)
        }
        Some(402) => ProviderReply::QuotaExhausted(detail),
        Some(401 | 403) => ProviderReply::Auth(detail),
        Some(404) => ProviderReply::NotFound(detail),
        Some(400 | 413) if has(&["too long"]) => ProviderReply::ContextTooLong(detail),
        Some(400) if has(&["credit balance is too low"]) => ProviderReply::QuotaExhausted(detail),
        Some(status @ (408 | 409 | 429 | 500..)) => {
            let slow_down = matches!(status, 429 | 529);
            ProviderReply::Retryable { after: None, slow_down, detail }
        }
        None if has(&["/login", "logged in", "log in", "api key"]) => ProviderReply::Auth(detail),
        _ => ProviderReply::BadRequest(detail),
    }
}
