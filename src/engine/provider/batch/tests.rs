//! What each provider's batch requests and replies look like.

use expect_test::{Expect, expect};

use super::super::Method;
use super::*;
use crate::config::Judge;
use crate::engine::secret::Secret;
use crate::engine::trust::tests::judge;

const BATCHING: [Provider; 3] = [Provider::Anthropic, Provider::OpenAi, Provider::Gemini];

fn judge_of(provider: Provider) -> Judge {
    Judge { provider, ..judge(Some("http://localhost:1/v1")) }
}

fn items() -> Vec<Item> {
    ["a1", "b2"].map(|mark| Item { mark: mark.into(), body: json!({"ask": mark}) }).into()
}

fn shown(request: &HttpRequest) -> String {
    let verb = if request.method == Method::Get { "GET" } else { "POST" };
    let key = request.authorization.as_ref().map_or("", |(name, _)| name);
    format!("{verb} {} [{key}] {} {}", request.url, request.content_type, request.body)
}

#[test]
fn a_batch_is_made_polled_and_fetched_at_the_judges_own_address() {
    let key = Secret::new("sk-1");
    let mut out = String::new();
    for provider in BATCHING {
        let judge = judge_of(provider);
        let to = Addressee { judge: &judge, key: key.as_ref() };
        if let Some(upload) = upload(to, &items()) {
            out += &(shown(&upload).replace("\r\n", "\n") + "\n");
        }
        out += &(shown(&create(to, &items(), "file-1", "l1").unwrap()) + "\n");
        out += &(shown(&poll(to, "name-1")) + "\n");
        out += &(shown(&fetch(to, "files/out-1/content")) + "\n");
    }
    expect![[r#"
        POST http://localhost:1/v1/messages/batches [x-api-key] application/json {"requests":[{"custom_id":"a1","params":{"ask":"a1"}},{"custom_id":"b2","params":{"ask":"b2"}}]}
        GET http://localhost:1/v1/messages/batches/name-1 [x-api-key] application/json 
        GET http://localhost:1/v1/files/out-1/content [x-api-key] application/json 
        POST http://localhost:1/v1/files [authorization] multipart/form-data; boundary=87f1a7685f8496a52f0f7738f5468466 --87f1a7685f8496a52f0f7738f5468466
        content-disposition: form-data; name="purpose"

        batch
        --87f1a7685f8496a52f0f7738f5468466
        content-disposition: form-data; name="file"; filename="batch.jsonl"
        content-type: application/jsonl

        {"custom_id":"a1","method":"POST","url":"/v1/responses","body":{"ask":"a1"}}
        {"custom_id":"b2","method":"POST","url":"/v1/responses","body":{"ask":"b2"}}

        --87f1a7685f8496a52f0f7738f5468466--

        POST http://localhost:1/v1/batches [authorization] application/json {"input_file_id":"file-1","endpoint":"/v1/responses","completion_window":"24h","metadata":{"rubricator":"l1"}}
        GET http://localhost:1/v1/batches/name-1 [authorization] application/json 
        GET http://localhost:1/v1/files/out-1/content [authorization] application/json 
        POST http://localhost:1/v1/models/m:batchGenerateContent [x-goog-api-key] application/json {"batch":{"displayName":"rubricator l1","inputConfig":{"requests":{"requests":[{"request":{"ask":"a1"},"metadata":{"key":"a1"}},{"request":{"ask":"b2"},"metadata":{"key":"b2"}}]}}}}
        GET http://localhost:1/v1/batches/name-1 [x-goog-api-key] application/json 
        GET http://localhost:1/files/out-1/content [x-goog-api-key] application/json 
    "#]].assert_eq(&out);
}

#[test]
fn a_name_goes_into_an_address_only_when_it_is_one() {
    let name = |provider, reply: &str| {
        created(Addressee { judge: &judge_of(provider), key: None }, reply).ok()
    };
    assert_eq!(name(Provider::Anthropic, r#"{"id":"msgbatch_1"}"#).as_deref(), Some("msgbatch_1"));
    assert_eq!(name(Provider::Gemini, r#"{"name":"batches/x-1"}"#).as_deref(), Some("x-1"));
    for reply in [r#"{"id":"../keys"}"#, r#"{"id":"a?b"}"#, r#"{"id":""}"#, "{}", "<html>"] {
        assert_eq!(name(Provider::OpenAi, reply), None, "{reply}");
    }
    assert_eq!(name(Provider::Gemini, r#"{"name":"files/x"}"#), None);
    assert_eq!(uploaded(r#"{"id":"file-1"}"#).as_deref(), Ok("file-1"));
}

fn states(provider: Provider, replies: &[&str], expected: Expect) {
    let judge = judge_of(provider);
    let to = Addressee { judge: &judge, key: None };
    let said = |reply: &&str| format!("{:?}\n", polled(to, "n", reply));
    expected.assert_eq(&replies.iter().map(said).collect::<String>());
}

#[test]
fn how_far_a_batch_is() {
    states(
        Provider::Anthropic,
        &[
            r#"{"processing_status":"in_progress","results_url":null}"#,
            r#"{"processing_status":"ended","results_url":"https://evil.example/steal"}"#,
            "{}",
        ],
        expect![[r#"
            Ok(Running(None))
            Ok(Ended([At("messages/batches/n/results")]))
            Err("the reply has no processing_status")
        "#]],
    );
    states(
        Provider::OpenAi,
        &[
            r#"{"status":"in_progress","request_counts":{"total":3,"completed":2,"failed":0}}"#,
            r#"{"status":"completed","output_file_id":"file-o","error_file_id":null}"#,
            r#"{"status":"expired","output_file_id":"file-o","error_file_id":"file-e"}"#,
            r#"{"status":"completed","output_file_id":"../x"}"#,
            r#"{"status":"odd"}"#,
        ],
        expect![[r#"
            Ok(Running(Some(2)))
            Ok(Ended([At("files/file-o/content")]))
            Ok(Ended([At("files/file-o/content"), At("files/file-e/content")]))
            Err("the reply names no batch")
            Err("the reply has no status of a batch")
        "#]],
    );
    states(
        Provider::Gemini,
        &[
            r#"{"name":"batches/n","metadata":{"state":"BATCH_STATE_PENDING"}}"#,
            r#"{"metadata":{"state":"BATCH_STATE_SUCCEEDED","output":{"inlinedResponses":{"inlinedResponses":[{"metadata":{"key":"a1"},"error":{"code":8,"message":"no"}},{"error":{"code":8}}]}}}}"#,
            r#"{"metadata":{"state":"BATCH_STATE_EXPIRED"}}"#,
            r#"{"metadata":{"state":"ODD"}}"#,
        ],
        expect![[r#"
            Ok(Running(None))
            Ok(Ended([Here([("a1", Replied(Retryable { after: None, slow_down: true, detail: "HTTP 429: no" }))])]))
            Ok(Ended([]))
            Err("the batch has the state ODD")
        "#]],
    );
}

fn results(provider: Provider, lines: &[&str], expected: Expect) {
    let judge = judge_of(provider);
    let read = read(Addressee { judge: &judge, key: None }, &lines.join("\n"));
    let lines: Vec<String> = read.iter().map(|(mark, fate)| format!("{mark} {fate:?}\n")).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_became_of_each_call() {
    results(
        Provider::Anthropic,
        &[
            r#"{"custom_id":"b2","result":{"type":"expired"}}"#,
            "not json",
            r#"{"custom_id":"a1","result":{"type":"errored","error":{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}}}"#,
            r#"{"custom_id":"c3","result":{"type":"succeeded","message":{"content":[],"stop_reason":"max_tokens"}}}"#,
        ],
        expect![[r#"
            b2 Unsent("expired")
            a1 Replied(Retryable { after: None, slow_down: true, detail: "HTTP 529: Busy" })
            c3 Replied(Truncated(Usage { input: 0, cached_input: 0, written_input: 0, written_long_input: 0, output: 0, thinking: 0, billed: None }))
        "#]],
    );
    results(
        Provider::OpenAi,
        &[
            r#"{"custom_id":"b2","response":null,"error":{"code":"batch_expired","message":"late"}}"#,
            r#"{"custom_id":"a1","response":{"status_code":400,"body":{"error":{"message":"bad"}}},"error":null}"#,
            r#"{"custom_id":"c3","response":{"status_code":200,"body":{"status":"incomplete"}},"error":null}"#,
        ],
        expect![[r#"
            b2 Unsent("expired")
            a1 Replied(BadRequest("HTTP 400: bad"))
            c3 Replied(Truncated(Usage { input: 0, cached_input: 0, written_input: 0, written_long_input: 0, output: 0, thinking: 0, billed: None }))
        "#]],
    );
}
