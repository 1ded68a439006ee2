//! Text synchronisation: the server's text is the client's, whatever happens.

use serde_json::{Value, json};

use super::client::Client;

const URI: &str = "file:///project/data/raw/a.jsonl";
const GOOD: &str = "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}";

#[test]
fn a_broken_line_is_one_finding_that_follows_its_line() {
    let mut client = Client::utf8();
    client.open(URI, 0, "{}\n{\"a\" 1}\n");
    let broken = |line: u32| {
        let place = format!("J001 {line}:5");
        move |brief: &[String]| brief.iter().any(|b| b.starts_with(&place))
    };
    let shown = client.shows(URI, |s| broken(1)(&s.brief()));
    assert_eq!(shown.version, Some(0));
    client.insert(URI, 1, 0, 0, "\n\n");
    assert_eq!(client.shows(URI, |s| broken(3)(&s.brief())).version, Some(1));
    client.insert(URI, 2, 3, 4, ":");
    client.shows(URI, |s| s.brief().iter().all(|b| !b.starts_with("J")));
    client.close(URI);
    client.shows(URI, |s| s.diagnostics.is_empty() && s.version.is_none());
}

#[test]
fn columns_are_counted_as_agreed() {
    let text = "{\"😀é\": 1, \"b\" 2}\n";
    for (encoding, column) in [("utf-8", 18), ("utf-16", 15)] {
        let capabilities = json!({"general": {"positionEncodings": [encoding]}});
        let mut client = Client::start(json!({"capabilities": capabilities}));
        client.open(URI, 1, text);
        let place = format!("J001 0:{column}");
        client.shows(URI, |s| s.brief().iter().any(|b| b.starts_with(&place)));
    }
}

#[test]
fn an_impossible_edit_is_refused_and_the_whole_text_mends_it() {
    let mut client = Client::utf8();
    client.open(URI, 1, GOOD);
    client.insert(URI, 2, 7, 0, "x");
    let warning = client.message("window/showMessage");
    let text = warning["params"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(text.contains("lost track of a.jsonl"), "{text}");
    client.insert(URI, 3, 0, 0, "y");
    assert_eq!(client.server_text(URI)["desynced"], true);
    client.change(URI, 4, json!([{"text": "{\"b\" 1}"}]));
    client.insert(URI, 5, 0, 0, " ");
    let state = client.server_text(URI);
    assert_eq!((&state["text"], &state["desynced"]), (&json!(" {\"b\" 1}"), &json!(false)));
    client.shows(URI, |s| s.brief().iter().any(|b| b.starts_with("J001 0:6")));
}

#[test]
fn odd_orders_of_open_change_save_and_close_are_survived() {
    let mut client = Client::utf8();
    client.insert(URI, 1, 0, 0, "change before open");
    client.save(URI);
    client.close(URI);
    client.open(URI, 182, GOOD);
    client.open(URI, 3, "{}");
    assert_eq!(client.server_text(URI)["text"], "{}");
    client.save(URI);
    client.close(URI);
    client.close(URI);
    assert_eq!(client.server_text(URI), Value::Null);
}

#[test]
fn documents_that_are_not_ours_stay_quiet() {
    let mut client = Client::utf8();
    client.open("file:///a.txt", 1, "{\"a\" 1}");
    client.open("untitled:Untitled-1", 1, "x");
    assert_eq!(client.server_text("file:///a.txt")["text"], "{\"a\" 1}");
}
