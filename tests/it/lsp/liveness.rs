//! Order, liveness and cancellation under load: what `tower-lsp-server` does with
//! us is pinned here, so that an upgrade that breaks it is seen.

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
