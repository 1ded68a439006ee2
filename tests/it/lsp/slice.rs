//! Slicing in the editor: what passed is cut into files, nothing while documents have
//! changes that are not saved.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::Desk;

const RUBRIC: &str = "\
min_exchanges: 1
categories: {form: {weight: 1.0, criteria: [F]}}
criteria:
  F: {check: {phrases: {forbidden: [never]}}}
";

fn record(id: &str, word: &str, exchanges: usize) -> String {
    let pair = |n: usize| [format!("{word} asks {n}"), format!("{word} answers {n}")];
    let messages = (1..=exchanges).flat_map(|n| {
        let [user, reply] = pair(n);
        [json!({"role": "user", "content": user}), json!({"role": "assistant", "content": reply})]
    });
    json!({"id": id, "messages": messages.collect::<Vec<_>>()}).to_string()
}

fn desk() -> (Desk, String) {
    let desk = Desk::new("[slice]\nvalidation = 0.0\n", |_, _| panic!("slicing asks nobody"));
    desk.write("config/rubric.yaml", RUBRIC);
    let lines = [record("t1", "pear", 15), record("bad", "never", 4), record("short", "fig", 2)];
    let text = lines.join("\n") + "\n";
    desk.write("data/raw/a.jsonl", &text);
    (desk, text)
}

fn slice(client: &mut Client, uri: &str) -> Value {
    let params = json!({"command": "rubricator.slice", "arguments": [{"uri": uri}]});
    client.ask("workspace/executeCommand", params)
}

/// Asks until the rubric is read.
fn sliced(client: &mut Client, uri: &str) -> String {
    let began = std::time::Instant::now();
    while slice(client, uri)["accepted"] != true {
        // Longer than anything may take on a busy machine.
        assert!(began.elapsed().as_secs() < 60, "{}", slice(client, uri));
    }
    client.message("window/showMessage")["params"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_passed_is_cut_once_everything_is_saved() {
    let (desk, text) = desk();
    let mut client = desk.client(json!({}));
    let uri = desk.uri("data/raw/a.jsonl");
    client.open(&uri, 1, &text);
    let says = sliced(&mut client, &uri);
    assert_eq!(
        says,
        "Wrote 5 slices to train on and 0 to validate on, of 1 transcript, to data/processed. \
         Left out: 1 failed, 1 too short to cut."
    );
    let read = |name: &str| {
        std::fs::read_to_string(desk.dir.path().join("data/processed").join(name)).unwrap()
    };
    let manifest: Vec<Value> =
        read("slices.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The published cuts; files are named from the project's folder.
    let points: Vec<u64> =
        manifest.iter().map(|row| row["slice_point"].as_u64().unwrap()).collect();
    assert_eq!(points, [3, 6, 8, 13, 15]);
    assert_eq!(
        (&manifest[0]["file"], &manifest[0]["line"]),
        (&json!("data/raw/a.jsonl"), &json!(1))
    );
    let before = read("training_data.jsonl");
    assert_eq!(before.lines().count(), 5);

    // What is not saved is not what would be cut.
    client.insert(&uri, 2, 0, 0, "\n");
    let refused = slice(&mut client, &uri);
    assert_eq!(
        refused,
        json!({"accepted": false, "reason": "slices are cut from what is on disk: save a.jsonl first"})
    );
    assert_eq!(read("training_data.jsonl"), before);
}

#[test]
fn words_on_both_sides_are_refused_and_nothing_is_written() {
    let (desk, _) = desk();
    desk.write("rubricator.toml", "[slice]\nvalidation = 0.5\n");
    // One text under many ids: some fall on either side.
    let same = |n: usize| record("x", "pear", 4).replacen("\"x\"", &format!("\"x{n}\""), 1) + "\n";
    let text: String = (0..12).map(same).collect();
    desk.write("data/raw/a.jsonl", &text);
    let mut client = desk.client(json!({}));
    let uri = desk.uri("data/raw/a.jsonl");
    client.open(&uri, 1, &text);
    let says = sliced(&mut client, &uri);
    assert!(
        says.contains("would be both trained on and validated on, so nothing was written"),
        "{says}"
    );
    assert!(!desk.dir.path().join("data/processed/training_data.jsonl").exists());
}
