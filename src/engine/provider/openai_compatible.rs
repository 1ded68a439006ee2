//! Chat Completions, as OpenAI, Ollama, llama.cpp, vLLM and LM Studio speak it.
//!
//! Invariant: what every one of them takes is all that is sent: role `system`,
//! the schema nested under `json_schema` (llama.cpp ignores a flat one and
//! answers prose), `max_tokens`, and temperature or effort only when set.

use serde_json::{Map, Value, json};

use super::failure::{self, clean};
use super::{Call, HttpReply, HttpRequest, ProviderReply, Usage, number};
use crate::engine::trust;

/// Reasoning models there refuse `max_tokens`.
const OPENAI: &str = "api.openai.com";

/// The request.
///
/// # Errors
/// When the judge has no base URL or no model.
pub fn build(call: &Call<'_>) -> Result<HttpRequest, String> {
    let judge = call.judge;
    let Some(base) = &judge.base_url else {
        let example = "http://localhost:11434/v1";
        return Err(format!("judge {}: base_url is missing, as in \"{example}\"", judge.name));
    };
    super::model(judge)?;
    let url = format!("{}/chat/completions", base.trim().trim_end_matches('/'));
    let authorization = call.key.map(|key| ("authorization", key.bearer()));
    Ok(HttpRequest { authorization, ..HttpRequest::json(url, body(call).to_string()) })
}

fn body(call: &Call<'_>) -> Value {
    let (judge, prompt) = (call.judge, call.prompt);
    let mut body = Map::new();
    let mut set = |key: &str, value: Value| body.insert(key.to_owned(), value);
    set("model", judge.model.as_str().into());
    set(
        "messages",
        json!([
            {"role": "system", "content": prompt.system_text()},
            {"role": "user", "content": prompt.user_text()},
        ]),
    );
    let schema = json!({"name": "assessment", "strict": true, "schema": prompt.schema});
    set("response_format", json!({"type": "json_schema", "json_schema": schema}));
    if let Some(tokens) = judge.max_tokens {
        let openai = trust::host(judge).as_deref() == Some(OPENAI);
        let key = if openai { "max_completion_tokens" } else { "max_tokens" };
        set(key, tokens.into());
    }
    if let Some(effort) = &judge.effort {
        set("reasoning_effort", effort.as_str().into());
    }
    if let Some(temperature) = judge.temperature {
        set("temperature", temperature.into());
    }
    set("stream", false.into());
    Value::Object(body)
}

/// What a reply means.
#[must_use]
pub fn parse(reply: &HttpReply<'_>) -> ProviderReply {
    super::read(reply, |json| completion(reply, json))
}

fn completion(reply: &HttpReply<'_>, json: &Value) -> ProviderReply {
    let choice = &json["choices"][0];
    let message = &choice["message"];
    let refusal = message["refusal"].as_str().unwrap_or_default();
    let usage = usage(&json["usage"]);
    match (choice["finish_reason"].as_str(), text(&message["content"])) {
        _ if !refusal.is_empty() => ProviderReply::Refused(clean(refusal), usage),
        (Some("length"), _) => ProviderReply::Truncated(usage),
        (Some("content_filter"), _) => ProviderReply::Blocked("a content filter".into(), usage),
        (_, Some(text)) => ProviderReply::Text { text, usage },
        (_, None) if json.get("error").is_some() => {
            failure::sorted(&HttpReply { status: 500, ..*reply })
        }
        (_, None) => super::without_text(usage),
    }
}

/// The text: a string, or text parts.
fn text(content: &Value) -> Option<String> {
    let parts = || {
        let parts = content.as_array()?.iter().filter_map(|part| part["text"].as_str());
        Some(parts.collect::<String>())
    };
    content.as_str().map(str::to_owned).or_else(parts)
}

fn usage(usage: &Value) -> Usage {
    Usage {
        input: number(&usage["prompt_tokens"]),
        cached_input: number(&usage["prompt_tokens_details"]["cached_tokens"]),
        written_input: number(&usage["prompt_tokens_details"]["cache_write_tokens"]),
        written_long_input: 0,
        output: number(&usage["completion_tokens"]),
        thinking: number(&usage["completion_tokens_details"]["reasoning_tokens"]),
        billed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Judge;
    use crate::engine::secret::Secret;
    use crate::engine::trust::tests::judge;
    use crate::prompt::{Part, Prompt};
    use expect_test::{Expect, expect};

    fn request(judge: &Judge, key: Option<&Secret>) -> Result<HttpRequest, String> {
        let schema = json!({"type": "object"});
        let part = |text: &str| vec![Part { text: text.into(), reused: false }];
        let prompt = Prompt { system: part("sys"), user: part("usr"), schema };
        build(&Call { judge, prompt: &prompt, key })
    }

    #[test]
    fn a_request_is_what_every_server_takes() {
        let request = request(&judge(Some("http://localhost:1/v1/")), None).unwrap();
        assert_eq!(request.url, "http://localhost:1/v1/chat/completions");
        assert!(request.authorization.is_none());
        expect![[r#"{"model":"m","messages":[{"role":"system","content":"sys"},{"role":"user","content":"usr"}],"response_format":{"type":"json_schema","json_schema":{"name":"assessment","strict":true,"schema":{"type":"object"}}},"stream":false}"#]].assert_eq(&request.body);
    }

    #[test]
    fn settings_are_sent_only_when_set() {
        let tuned = Judge {
            max_tokens: Some(900),
            effort: Some("low".into()),
            temperature: Some(0.5),
            ..judge(Some("https://api.openai.com/v1"))
        };
        let key = Secret::new("sk-1");
        let request = request(&tuned, key.as_ref()).unwrap();
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["max_completion_tokens"], 900);
        assert_eq!((&body["reasoning_effort"], &body["temperature"]), (&"low".into(), &0.5.into()));
        assert_eq!(request.authorization.unwrap().1, "Bearer sk-1");
        assert!(self::request(&judge(None), None).is_err());
    }

    fn check(status: u16, headers: &[(&str, &str)], body: &str, expected: Expect) {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        expected.assert_eq(&format!("{:?}", parse(&HttpReply { status, headers: &headers, body })));
    }

    #[test]
    fn replies_are_sorted() {
        let ok = r#"{"choices":[{"finish_reason":"stop","message":{"content":"{}"}}],"usage":{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":5}}}"#;
        check(
            200,
            &[],
            ok,
            expect![[
                r#"Text { text: "{}", usage: Usage { input: 7, cached_input: 5, written_input: 0, written_long_input: 0, output: 2, thinking: 0, billed: None } }"#
            ]],
        );
        check(
            200,
            &[],
            &ok.replace("stop", "length"),
            expect![
                "Truncated(Usage { input: 7, cached_input: 5, written_input: 0, written_long_input: 0, output: 2, thinking: 0, billed: None })"
            ],
        );
        check(
            200,
            &[],
            &ok.replace("stop", "content_filter"),
            expect![[
                r#"Blocked("a content filter", Usage { input: 7, cached_input: 5, written_input: 0, written_long_input: 0, output: 2, thinking: 0, billed: None })"#
            ]],
        );
        check(
            200,
            &[],
            r#"{"choices":[{"message":{"content":null,"refusal":"I can't\u001b[2J"}}]}"#,
            expect![[
                r#"Refused("I can't [2J", Usage { input: 0, cached_input: 0, written_input: 0, written_long_input: 0, output: 0, thinking: 0, billed: None })"#
            ]],
        );
        check(
            200,
            &[],
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#,
            expect![[
                r#"Text { text: "ab", usage: Usage { input: 0, cached_input: 0, written_input: 0, written_long_input: 0, output: 0, thinking: 0, billed: None } }"#
            ]],
        );
        check(
            200,
            &[],
            r#"{"choices":[]}"#,
            expect![[
                r#"Unreadable("the reply holds no text", Usage { input: 0, cached_input: 0, written_input: 0, written_long_input: 0, output: 0, thinking: 0, billed: None })"#
            ]],
        );
        check(
            200,
            &[],
            "<html>",
            expect![[
                r#"Unreadable("the server answered something that is no JSON", Usage { input: 0, cached_input: 0, written_input: 0, written_long_input: 0, output: 0, thinking: 0, billed: None })"#
            ]],
        );
    }

    #[test]
    fn failures_are_sorted() {
        check(
            429,
            &[("Retry-After", "1.5")],
            r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#,
            expect![[
                r#"Retryable { after: Some(1.5s), slow_down: true, detail: "HTTP 429: slow down" }"#
            ]],
        );
        check(
            429,
            &[("retry-after-ms", "20"), ("retry-after", "9")],
            "",
            expect![[
                r#"Retryable { after: Some(20ms), slow_down: true, detail: "HTTP 429: no explanation" }"#
            ]],
        );
        check(
            429,
            &[("x-should-retry", "true")],
            r#"{"error":{"message":"out","type":"insufficient_quota"}}"#,
            expect![[r#"QuotaExhausted("HTTP 429: out")"#]],
        );
        check(402, &[], "", expect![[r#"QuotaExhausted("HTTP 402: no explanation")"#]]);
        check(
            503,
            &[],
            r#"{"error":"loading model"}"#,
            expect![[
                r#"Retryable { after: None, slow_down: false, detail: "HTTP 503: loading model" }"#
            ]],
        );
        check(
            502,
            &[],
            "<html>",
            expect![[
                r#"Retryable { after: None, slow_down: false, detail: "HTTP 502: no explanation" }"#
            ]],
        );
        check(
            500,
            &[("x-should-retry", "false")],
            "",
            expect![[r#"BadRequest("HTTP 500: no explanation")"#]],
        );
        check(
            401,
            &[],
            r#"{"error":"Unauthorized"}"#,
            expect![[r#"Auth("HTTP 401: Unauthorized")"#]],
        );
        check(
            404,
            &[],
            r#"{"error":{"message":"model 'x' not found","code":404}}"#,
            expect![[r#"NotFound("HTTP 404: model 'x' not found")"#]],
        );
        check(
            400,
            &[],
            r#"{"error":{"code":400,"message":"too big","type":"exceed_context_size_error"}}"#,
            expect![[r#"ContextTooLong("HTTP 400: too big")"#]],
        );
        check(
            400,
            &[],
            r#"{"error":{"message":"bad schema"}}"#,
            expect![[r#"BadRequest("HTTP 400: bad schema")"#]],
        );
        check(
            307,
            &[],
            "",
            expect![[r#"BadRequest("HTTP 307: no explanation; redirects are not followed")"#]],
        );
    }
}
