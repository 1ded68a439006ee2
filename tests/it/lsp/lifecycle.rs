//! How a conversation with the server begins and ends.

use serde_json::{Value, json};

use super::client::Client;

#[test]
fn the_exit_code_tells_whether_the_client_said_goodbye() {
    assert_eq!(Client::utf8().leave(), 0);
    assert_eq!(Client::utf8().vanish(), 1, "end of input without shutdown");
    let mut client = Client::utf8();
    client.notify("exit", Value::Null);
    assert_eq!(client.vanish(), 1, "exit without shutdown");
    assert_eq!(Client::silent().vanish(), 1, "end of input before initialize");
    let mut client = Client::utf8();
    client.ask("shutdown", Value::Null);
    assert_eq!(client.vanish(), 0, "end of input after shutdown");
}

#[test]
fn requests_out_of_their_time_get_the_right_error() {
    let mut client = Client::silent();
    let early = client.request("textDocument/hover", json!({}));
    assert_eq!(client.response(early)["error"]["code"], -32002);
    client.initialize(json!({}));
    let twice = client.request("initialize", json!({"processId": null, "capabilities": {}}));
    assert_eq!(client.response(twice)["error"]["code"], -32600);
    client.ask("shutdown", Value::Null);
    let late = client.request("textDocument/hover", json!({}));
    assert_eq!(client.response(late)["error"]["code"], -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.vanish(), 0);
}

#[test]
fn what_nobody_knows_is_refused_or_ignored() {
    let mut client = Client::utf8();
    let unknown = client.request("textDocument/nonsense", json!({}));
    assert_eq!(client.response(unknown)["error"]["code"], -32601);
    client.notify("$/nonsense", json!({"a": 1}));
    client.notify("workspace/nonsense", json!(null));
    client.notify("$/cancelRequest", json!({"id": 4711}));
    client.notify("workspace/didChangeConfiguration", json!({"settings": null}));
    client.notify("$/setTrace", json!({"value": "off"}));
    assert_eq!(client.server_text("file:///nowhere.jsonl"), Value::Null);
}

#[test]
fn the_offer_names_the_encoding_that_is_used() {
    let encoding = |offered: Value| {
        let mut client = Client::silent();
        let capabilities = json!({"general": {"positionEncodings": offered}});
        let answer = client.initialize(json!({"capabilities": capabilities}));
        answer["capabilities"]["positionEncoding"].clone()
    };
    assert_eq!(encoding(json!(["utf-16", "utf-8"])), "utf-8");
    assert_eq!(encoding(json!(["utf-16"])), "utf-16");
    assert_eq!(encoding(Value::Null), "utf-16");
}
