//! Whether judges answer is told: one message when one stops, and from then on in
//! the status, beside findings, and over the judge in the settings.

use serde_json::{Value, json};

use super::desk::{Desk, record};
use crate::engine::Reply;

#[test]
fn a_judge_that_stops_is_told_once_and_stays_visible() {
    let desk = Desk::new("", |_, _| {
        Reply::Status(401, vec![], "{\"error\": {\"message\": \"no such key\"}}")
    });
    let mut client = desk.client(json!({}));
    let (file, settings) = (desk.uri("data/raw/a.jsonl"), desk.uri("rubricator.toml"));
    let text = std::fs::read_to_string(desk.dir.path().join("rubricator.toml")).unwrap();
    client.open(&settings, 1, &text);
    let line = u32::try_from(text.lines().position(|l| l.starts_with("model")).unwrap()).unwrap();
    let over = |uri: &str, line: u32, character: u32| json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}});
    let said = |hover: &Value| hover["contents"]["value"].as_str().unwrap_or("").to_owned();
    let ready = said(&client.ask("textDocument/hover", over(&settings, line, 2)));
    assert!(ready.starts_with("**j** openai-compatible m"), "{ready}");
    assert!(ready.contains("$0.50 a save, $10.00 a run") && !ready.contains("stopped"), "{ready}");

    let records = [record("t-1", "One?", "First."), record("t-2", "Two?", "Second.")];
    client.open(&file, 1, &format!("{}\n{}\n", records[0], records[1]));
    client.save(&file);
    let notice = client.message("window/showMessage");
    let notice = notice["params"]["message"].as_str().unwrap();
    assert!(notice.starts_with("judge j is stopped: ") && notice.contains("key"), "{notice}");
    let status = loop {
        let status = client.message("rubricator/status")["params"].clone();
        if status["running"] == false && status["judges"][0]["state"] == "stopped" {
            break status;
        }
    };
    assert!(status["text"].as_str().unwrap().starts_with("j: stopped: "), "{status}");
    let stopped = said(&client.ask("textDocument/hover", over(&settings, line, 2)));
    assert!(stopped.contains("stopped: the key was not accepted"), "{stopped}");
    let beside = said(&client.ask("textDocument/hover", over(&file, 0, 1)));
    assert!(beside.contains("j: stopped: the key was not accepted"), "{beside}");
    let at = json!({"textDocument": {"uri": file}});
    let lenses = client.ask("textDocument/codeLens", at);
    let title = lenses[0]["command"]["title"].as_str().unwrap();
    assert!(title.starts_with("incomplete "), "{title}");
    assert!(title.contains(" · j stopped: the key was not accepted"), "{title}");
}
