//! Order, liveness and cancellation under load: what `tower-lsp-server` does with
//! us is pinned here, so that an upgrade that breaks it is seen. What must not
//! wait is told by the order of messages, never by the clock.

use serde_json::{Value, json};

use super::client::Client;

const URI: &str = "file:///a.jsonl";

#[test]
fn five_hundred_edits_with_questions_between_stay_in_order() {
    let mut client = Client::utf8();
    client.open(URI, 0, "");
    let mut text = String::new();
    let mut asked = Vec::new();
    for i in 0..500_u32 {
        // Each edit depends on the one before: any inversion garbles the text.
        let piece = format!("{i},");
        let column = u32::try_from(text.len()).expect("short");
        client.insert(URI, i64::from(i) + 1, 0, column, &piece);
        text.push_str(&piece);
        let id = client.request("rubricator/debugText", json!({"uri": URI}));
        asked.push((id, text.clone()));
    }
    for (id, text) in asked {
        assert_eq!(client.response(id)["result"]["text"], text);
    }
}

#[test]
fn a_client_that_never_answers_delays_nothing() {
    let mut client = Client::silent();
    client.obliging = false;
    let dynamic = json!({"dynamicRegistration": true});
    let workspace = json!({"didChangeWatchedFiles": dynamic, "didChangeConfiguration": dynamic});
    client.initialize(json!({"capabilities": {"workspace": workspace}}));
    let registration = client.message("client/registerCapability");
    assert!(registration["params"]["registrations"].is_array());
    client.open(URI, 1, "{\"a\" 1}\n");
    client.shows(URI, |s| !s.diagnostics.is_empty());
    assert_eq!(client.server_text(URI)["version"], 1);
}

#[test]
fn a_cancelled_request_is_answered_once() {
    let mut client = Client::utf8();
    client.open(URI, 1, "{}");
    let mut ids = Vec::new();
    for _ in 0..50 {
        let params = json!({"textDocument": {"uri": URI}});
        let id = client.request("textDocument/documentSymbol", params);
        client.notify("$/cancelRequest", json!({"id": id}));
        ids.push(id);
    }
    for id in ids {
        let response = client.response(id);
        let cancelled = response["error"]["code"] == -32800;
        assert!(cancelled || response.get("result").is_some(), "{response}");
    }
    assert_ne!(client.server_text(URI), Value::Null);
}

/// A file whose symbols take long to collect, with a finding in its first record.
fn long_file() -> String {
    let mut text = String::new();
    for i in 0..4000 {
        let role = if i == 0 { "User" } else { "user" };
        let messages = json!([{"role": role, "content": format!("hi {i}")}, {"role": "assistant", "content": "yo"}]);
        text.push_str(&json!({"id": format!("t{i}"), "messages": messages}).to_string());
        text.push('\n');
    }
    text
}

#[test]
fn slow_requests_delay_no_edit() {
    const SLOW: usize = 8;
    let mut client = Client::utf8();
    let text = long_file();
    client.open(URI, 1, &text);
    client.shows(URI, |s| !s.diagnostics.is_empty());
    let ask = json!({"textDocument": {"uri": URI}});
    let ids: Vec<i64> =
        (0..SLOW).map(|_| client.request("textDocument/documentSymbol", ask.clone())).collect();
    client.insert(URI, 2, 0, 0, "\n");
    client.shows(URI, |s| s.version == Some(2));
    assert!(client.responses_waiting() < SLOW, "the edit waited for all that was asked before");
    for id in ids {
        let symbols = client.response(id)["result"].as_array().map(Vec::len);
        assert_eq!(symbols, Some(8000), "a transcript and an exchange a line");
    }
}

#[test]
fn slow_requests_delay_no_cancel() {
    const SLOW: usize = 16;
    let mut client = Client::utf8();
    client.open(URI, 1, &long_file());
    client.shows(URI, |s| !s.diagnostics.is_empty());
    let ask = json!({"textDocument": {"uri": URI}});
    let ids: Vec<i64> =
        (0..SLOW).map(|_| client.request("textDocument/documentSymbol", ask.clone())).collect();
    for id in &ids {
        client.notify("$/cancelRequest", json!({"id": id}));
    }
    let responses: Vec<Value> = ids.into_iter().map(|id| client.response(id)).collect();
    let cancelled = responses.iter().filter(|r| r["error"]["code"] == -32800).count();
    assert!(cancelled > 0, "every cancel waited until its request was answered");
}

#[test]
fn a_hostile_document_delays_no_other() {
    let deep = format!("{}\n", "[".repeat(100_000));
    let run = format!(
        "{{\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}]}}\n",
        "a".repeat(1 << 20)
    );
    // Longer than anything that is looked at where edits are.
    let line = format!(
        "{{\"messages\":[{{\"role\":\"User\",\"content\":\"{}\"}}]}}\n",
        "words ".repeat(3 << 19)
    );
    let other = "file:///b.jsonl";
    let mut client = Client::utf8();
    client.open(other, 1, "{\"a\" 1}\n");
    client.shows(other, |s| !s.diagnostics.is_empty());
    client.open("file:///deep.jsonl", 1, &deep);
    client.open("file:///run.jsonl", 1, &run);
    client.open("file:///line.jsonl", 1, &line);
    client.insert(other, 2, 0, 0, "\n");
    client.shows(other, |s| s.version == Some(2));
    let shown = client.shown("file:///line.jsonl").diagnostics;
    assert!(shown.is_empty(), "the edit waited for the long line: {shown:?}");
    for hostile in ["file:///deep.jsonl", "file:///run.jsonl"] {
        client.shows(hostile, |s| !s.diagnostics.is_empty());
    }
}
