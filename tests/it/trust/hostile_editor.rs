//! A hostile project in the editor: untrusted, and with nobody having said anything.

use serde_json::{Value, json};

use super::{Trap, judge};
use crate::engine::{Asked, Reply};
use crate::lsp::client::Client;
use crate::lsp::desk::{Desk, record};

const FILE: &str = "data/raw/a.jsonl";

/// Opens and saves the transcript, asks for it by command, and waits for the one
/// thing the server has to say about it.
fn refusal(desk: &Desk, settings: &str, trusted: Option<bool>) -> String {
    desk.write("rubricator.toml", settings);
    let options = trusted.map_or(json!({}), |yes| json!({"trusted": yes}));
    let mut client = desk.client(json!({"initializationOptions": options}));
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &format!("{}\n{{\"a\" 1}}\n", record("t-1", "One?", "x")));
    client.shows(&uri, |shown| !shown.diagnostics.is_empty());
    client.save(&uri);
    let message = client.message("window/showMessage");
    message["params"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn untrusted_nobody_is_called_and_nothing_is_started() {
    let desk = Desk::new("", |asked: &Asked, _| Reply::all(asked, "YES"));
    let trap = Trap::new();
    let here = format!("base_url = '{}/v1'", trap.url());
    for settings in [judge("openai-compatible", &here), judge("claude-cli", "")] {
        let said = refusal(&desk, &settings, Some(false));
        assert!(said.contains("not trusted"), "{said}");
    }
    assert_eq!(trap.connections(), 0);
    assert!(!desk.dir.path().join(".rubricator").exists(), "not even a store is made");
}

#[test]
fn with_no_signal_a_key_or_a_program_waits_for_trust() {
    let desk = Desk::new("", |asked: &Asked, _| Reply::all(asked, "YES"));
    let trap = Trap::new();
    let keyed = format!("base_url = '{}/v1'\napi_key_env = 'OPENAI_API_KEY'", trap.url());
    for settings in [judge("openai-compatible", &keyed), judge("claude-cli", "")] {
        let said = refusal(&desk, &settings, None);
        assert!(said.contains("rubricator trust"), "{said}");
    }
    assert_eq!(trap.connections(), 0);
}

#[test]
fn an_address_or_command_of_its_own_makes_no_judge() {
    for more in ["base_url = 'http://evil.example/v1'", "command = ['./evil.sh']"] {
        let desk = Desk::new("", |asked: &Asked, _| Reply::all(asked, "YES"));
        let path = desk.write("rubricator.toml", &judge("openai-compatible", more));
        let mut client = desk.client(json!({"initializationOptions": {"trusted": true}}));
        let (uri, text) = (desk.uri("rubricator.toml"), std::fs::read_to_string(path).unwrap());
        client.open(&uri, 1, &text);
        client.shows(&uri, |s| s.diagnostics.iter().any(|d| d["code"] == "settings-host"));
        let file = desk.uri(FILE);
        client.open(&file, 1, &format!("{}\n{{\"a\" 1}}\n", record("t-1", "One?", "x")));
        client.shows(&file, |shown| !shown.diagnostics.is_empty());
        let params = json!({"command": "rubricator.assess", "arguments": [{"uri": file}]});
        let answer = client.ask("workspace/executeCommand", params);
        assert_eq!(answer["accepted"], false, "{answer}");
    }
}

#[test]
fn a_key_in_a_file_is_an_error_that_does_not_show_it() {
    let key = "sk-ant-0123456789abcdef";
    let desk = Desk::new("", |asked: &Asked, _| Reply::all(asked, "YES"));
    let text = format!(
        "[[judge]]\nname = 'j'\nprovider = 'anthropic'\nmodel = '{key}'\napi_key = '{key}'\n"
    );
    desk.write("rubricator.toml", &text);
    let mut client = desk.client(json!({}));
    let uri = desk.uri("rubricator.toml");
    client.open(&uri, 1, &text);
    let secret = |d: &Value| d["code"] == "settings-secret";
    let shown = client.shows(&uri, |s| s.diagnostics.iter().any(secret));
    assert!(!format!("{:?}", shown.diagnostics).contains("0123456789"));
    for (line, character) in [(3, 12), (4, 2), (4, 14)] {
        let at = json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}});
        let hover = client.ask("textDocument/hover", at).to_string();
        assert!(!hover.contains("0123456789"), "{hover}");
    }
    let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}});
    let context = json!({"diagnostics": []});
    let params = json!({"textDocument": {"uri": uri}, "range": whole, "context": context});
    let actions = client.ask("textDocument/codeAction", params).to_string();
    assert!(!actions.contains("0123456789"), "{actions}");
}

#[test]
fn nothing_that_is_shown_links_anywhere() {
    let evil = "[go](http://evil.example) ![x](file:///etc/passwd) <img src=\"http://evil.example\"> http://evil.example command:evil";
    let quoted = Value::from(evil).to_string();
    let desk = Desk::new("", |asked: &Asked, _| Reply::all(asked, "YES"));
    desk.write(
        "rubricator.toml",
        "[[judge]]\nname = 'j'\nprovider = 'recorded'\nfile = 'answers.jsonl'\n",
    );
    let rubric = crate::lsp::desk::RUBRIC
        .replace("First", &quoted)
        .replace("Is the reply kind?", &format!("{quoted}?"));
    desk.write(
        "config/rubric.yaml",
        &crate::lsp::desk::RUBRIC.replace("name: First", &format!("name: {quoted}")),
    );
    assert!(rubric.contains("evil"));
    let answers: Vec<String> = ["A", "B", "G"].iter().map(|criterion| format!(
        r#"{{"judge":"j","transcript":"t-1","criterion":"{criterion}","answer":"NO","reasoning":{quoted},"evidence":[{{"exchange":1,"quote":{quoted}}}]}}"#
    )).collect();
    desk.write("answers.jsonl", &(answers.join("\n") + "\n"));
    let mut client = desk.client(json!({}));
    let uri = desk.uri(FILE);
    let text = format!("{}\n", record("t-1", "One?", evil));
    client.open(&uri, 1, &text);
    let judged = |d: &Value| d["data"]["judged"] == true;
    let shown = client.shows(&uri, |s| s.diagnostics.iter().filter(|d| judged(d)).count() >= 3);
    assert!(shown.diagnostics.iter().all(|d| d["codeDescription"].is_null()));
    let hover =
        hover_over(&mut client, &uri, u32::try_from(text.find("[go]").unwrap() + 2).unwrap());
    assert!(hover.contains("evil"), "{hover}");
    for live in ["](", "![", "<img", "http://", "file://"] {
        assert!(!hover.replace("\\[", "").replace("\\]", "").contains(live), "{live}: {hover}");
    }
}

fn hover_over(client: &mut Client, uri: &str, character: u32) -> String {
    let at = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": character}});
    let hover = client.ask("textDocument/hover", at);
    hover["contents"]["value"].as_str().unwrap().to_owned()
}
