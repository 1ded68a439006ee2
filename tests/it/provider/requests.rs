//! What is sent to whom: address, key, parameters, schema.

use axum::http::HeaderMap;
use expect_test::{Expect, expect};
use rubricator::config::Judge;
use serde_json::Value;

use super::{Asked, JudgeServer, Reply, Wire, World, job, judge_of, run};

/// What a judge is sent.
async fn sent(wire: Wire, tune: impl FnOnce(&mut Judge)) -> Asked {
    let world = World::new();
    let server = JudgeServer::speaking(wire, |asked, _| Reply::all(asked, "YES")).await;
    let mut judge = judge_of(wire, &server.url);
    tune(&mut judge);
    let ran = run(&world.engine(), job(&world, 1, judge)).await;
    assert_eq!(ran.outcomes(), ["a A YES", "a B YES", "a G YES"]);
    assert_eq!((ran.summary.input_tokens, ran.summary.output_tokens), (100, 10));
    server.take().pop().expect("it was asked")
}

/// The request without what every request has, long texts and the schema cut.
fn shown(wire: Wire, asked: &Asked) -> String {
    let mut body = asked.body.clone();
    let schema = wire.schema(&body).clone();
    shorten(&mut body, &schema);
    let own = |headers: &HeaderMap| -> Vec<String> {
        let usual = ["host", "accept", "content-length", "user-agent"];
        let own = headers.iter().filter(|(name, _)| !usual.contains(&name.as_str()));
        let mut own: Vec<String> =
            own.map(|(n, v)| format!("{n}: {}", v.to_str().expect("text"))).collect();
        own.sort();
        own
    };
    format!("{} [{}] {body}", asked.path, own(&asked.headers).join(", "))
}

fn shorten(value: &mut Value, schema: &Value) {
    match value {
        _ if value == schema => *value = "(schema)".into(),
        Value::String(text) if text.starts_with("rubricator-") => *value = "(key)".into(),
        Value::String(text) if text.len() > 40 => *value = "(text)".into(),
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, schema)),
        Value::Object(members) => members.values_mut().for_each(|value| shorten(value, schema)),
        _ => {}
    }
}

async fn check(wire: Wire, tune: impl FnOnce(&mut Judge), expected: Expect) {
    expected.assert_eq(&shown(wire, &sent(wire, tune).await));
}

#[tokio::test]
async fn a_plain_judge_is_sent_the_least() {
    check(Wire::Chat, |_| {}, expect![[r#"/v1/chat/completions [authorization: Bearer sk-test, content-type: application/json] {"model":"qwen3:8b","messages":[{"role":"system","content":"(text)"},{"role":"user","content":"(text)"}],"response_format":{"type":"json_schema","json_schema":{"name":"assessment","strict":true,"schema":"(schema)"}},"stream":false}"#]]).await;
    check(Wire::Anthropic, |_| {}, expect![[r#"/v1/messages [anthropic-version: 2026-10-21, content-type: application/json, x-api-key: sk-test] {"model":"claude-haiku-5-5","max_tokens":16000,"system":[{"type":"text","text":"(text)"},{"type":"text","text":"(text)","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"(text)"},{"type":"text","text":"(text)"}]}],"output_config":{"format":{"type":"json_schema","schema":"(schema)"}}}"#]]).await;
    check(Wire::OpenAi, |_| {}, expect![[r#"/v1/responses [authorization: Bearer sk-test, content-type: application/json] {"model":"gpt-6-luna","instructions":"(text)","input":"(text)","text":{"format":{"type":"json_schema","name":"assessment","schema":"(schema)","strict":true}},"store":false,"prompt_cache_key":"(key)"}"#]]).await;
    check(Wire::Gemini, |_| {}, expect![[r#"/v1/models/gemini-3.8-flash:generateContent [content-type: application/json, x-goog-api-key: sk-test] {"systemInstruction":{"parts":[{"text":"(text)"}]},"contents":[{"role":"user","parts":[{"text":"(text)"}]}],"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"},{"category":"HARM_CATEGORY_HATE_SPEECH","threshold":"OFF"},{"category":"HARM_CATEGORY_SEXUALLY_EXPLICIT","threshold":"OFF"},{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","threshold":"OFF"}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":"(schema)"}}"#]]).await;
}

fn tuned(judge: &mut Judge) {
    judge.max_tokens = Some(900);
    judge.effort = Some("low".into());
    judge.temperature = Some(0.5);
}

#[tokio::test]
async fn a_model_is_sent_what_it_takes() {
    check(Wire::Chat, tuned, expect![[r#"/v1/chat/completions [authorization: Bearer sk-test, content-type: application/json] {"model":"qwen3:8b","messages":[{"role":"system","content":"(text)"},{"role":"user","content":"(text)"}],"response_format":{"type":"json_schema","json_schema":{"name":"assessment","strict":true,"schema":"(schema)"}},"max_tokens":900,"reasoning_effort":"low","temperature":0.5,"stream":false}"#]]).await;
    check(Wire::Anthropic, tuned, expect![[r#"/v1/messages [anthropic-version: 2026-10-21, content-type: application/json, x-api-key: sk-test] {"model":"claude-haiku-5-5","max_tokens":900,"system":[{"type":"text","text":"(text)"},{"type":"text","text":"(text)","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"(text)"},{"type":"text","text":"(text)"}]}],"output_config":{"effort":"low","format":{"type":"json_schema","schema":"(schema)"}}}"#]]).await;
    check(Wire::OpenAi, tuned, expect![[r#"/v1/responses [authorization: Bearer sk-test, content-type: application/json] {"model":"gpt-6-luna","instructions":"(text)","input":"(text)","text":{"format":{"type":"json_schema","name":"assessment","schema":"(schema)","strict":true}},"store":false,"prompt_cache_key":"(key)","max_output_tokens":900,"reasoning":{"effort":"low"}}"#]]).await;
    check(Wire::Gemini, tuned, expect![[r#"/v1/models/gemini-3.8-flash:generateContent [content-type: application/json, x-goog-api-key: sk-test] {"systemInstruction":{"parts":[{"text":"(text)"}]},"contents":[{"role":"user","parts":[{"text":"(text)"}]}],"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"},{"category":"HARM_CATEGORY_HATE_SPEECH","threshold":"OFF"},{"category":"HARM_CATEGORY_SEXUALLY_EXPLICIT","threshold":"OFF"},{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","threshold":"OFF"}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":"(schema)","maxOutputTokens":900,"thinkingConfig":{"thinkingLevel":"LOW"}}}"#]]).await;
}

#[tokio::test]
async fn thinking_is_turned_off_in_each_models_own_way() {
    let with = |model: &'static str| {
        move |judge: &mut Judge| {
            judge.model = model.into();
            judge.effort = Some("none".into());
            judge.temperature = Some(0.5);
        }
    };
    for (wire, model, pointer, expected, temperature) in [
        (Wire::Anthropic, "claude-haiku-5-5", "/thinking/type", Some("disabled"), false),
        (Wire::Anthropic, "claude-sonnet-5-5", "/thinking/type", Some("between_tools"), false),
        (Wire::Anthropic, "claude-opus-5-5", "/thinking", None, false),
        (Wire::OpenAi, "gpt-6-luna", "/reasoning/effort", Some("none"), true),
        (Wire::OpenAi, "gpt-6.2-sol", "/reasoning", None, false),
        (Wire::Gemini, "gemini-3.8-flash", "/generationConfig/thinkingConfig", None, false),
    ] {
        let asked = sent(wire, with(model)).await;
        let found = asked.body.pointer(pointer).map(|value| value.as_str().expect("a word"));
        assert_eq!(found, expected, "{model}");
        let config =
            if wire == Wire::Gemini { &asked.body["generationConfig"] } else { &asked.body };
        assert_eq!(config.get("temperature").is_some(), temperature, "{model}");
        assert!(asked.body["output_config"].get("effort").is_none());
    }
    let asked = sent(Wire::Gemini, with("gemini-2.5-flash")).await;
    let config = &asked.body["generationConfig"];
    assert_eq!(
        (&config["thinkingConfig"]["thinkingBudget"], &config["temperature"]),
        (&0.into(), &0.5.into())
    );
    assert!(config["thinkingConfig"].get("thinkingLevel").is_none());
}

#[tokio::test]
async fn what_a_model_does_not_take_is_said_once() {
    let world = World::new();
    let server = JudgeServer::speaking(Wire::Anthropic, |asked, _| Reply::all(asked, "YES")).await;
    let mut judge = judge_of(Wire::Anthropic, &server.url);
    judge.temperature = Some(0.0);
    let ran = run(&world.engine(), job(&world, 3, judge)).await;
    assert_eq!(
        ran.notices(),
        ["judge a: temperature = 0 is not sent, as claude-haiku-5-5 is not known to take it"]
    );
    assert!(server.take().iter().all(|asked| asked.body.get("temperature").is_none()));
}

#[tokio::test]
async fn every_schema_is_one_object_with_all_that_is_asked() {
    for wire in Wire::ALL {
        let asked = sent(wire, |_| {}).await;
        assert_eq!(asked.criteria, ["A", "B", "G"]);
        closed(wire.schema(&asked.body), wire);
    }
}

/// Every object requires all its properties and allows no other.
fn closed(schema: &Value, wire: Wire) {
    if schema["type"] == "object" {
        let names: Vec<&String> =
            schema["properties"].as_object().expect("it has some").keys().collect();
        assert_eq!(schema["additionalProperties"], false, "{wire:?}");
        assert_eq!(schema["required"], serde_json::json!(names), "{wire:?}");
        let order = schema.get("propertyOrdering");
        assert_eq!(order.is_some(), wire == Wire::Gemini);
        assert!(order.is_none_or(|order| *order == serde_json::json!(names)));
    }
    match schema {
        Value::Array(items) => items.iter().for_each(|item| closed(item, wire)),
        Value::Object(members) => members.values().for_each(|value| closed(value, wire)),
        _ => {}
    }
}

#[tokio::test]
async fn a_local_server_needs_no_key_and_is_sent_none() {
    let asked = sent(Wire::Chat, |judge| judge.api_key_env = None).await;
    assert_eq!(asked.authorization, None);
}
