//! The whole project: files that nobody has opened are assessed, their findings
//! shown, and what is known of all of them stands above the rubric.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::{Desk, RUBRIC, no_to, record};

const CAPABILITIES: fn() -> Value = || {
    json!({
        "general": {"positionEncodings": ["utf-8"]},
        "textDocument": {"publishDiagnostics": {"relatedInformation": true}},
        "workspace": {"codeLens": {"refreshSupport": true}},
    })
};

/// A project of three files: one to open, two on disk.
fn desk(settings: &str) -> Desk {
    let desk = Desk::new(settings, no_to("A", "I do not care"));
    desk.write("data/raw/a.jsonl", &(record("t-1", "One?", "Fine.") + "\n"));
    let two = [record("t-2", "Two?", "I do not care."), record("t-3", "Three?", "Fine.")];
    desk.write("data/raw/deep/b.jsonl", &format!("{}\nnot json\n{}\n", two[0], two[1]));
    desk.write("data/raw/c.json", &record("t-4", "Four?", "Still fine."));
    desk.write("elsewhere/d.jsonl", &(record("t-5", "Five?", "I do not care.") + "\n"));
    desk
}

fn command(client: &mut Client, name: &str, argument: Value) -> Value {
    client.ask("workspace/executeCommand", json!({"command": name, "arguments": [argument]}))
}

fn lenses(client: &mut Client, uri: &str) -> Vec<String> {
    let lenses = client.ask("textDocument/codeLens", json!({"textDocument": {"uri": uri}}));
    let title = |lens: &Value| lens["command"]["title"].as_str().unwrap().to_owned();
    lenses.as_array().unwrap().iter().map(title).collect()
}

/// Asks for the lenses until they are as wanted: every answer is a turn of the loop.
fn lenses_until(client: &mut Client, uri: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    loop {
        let shown = lenses(client, uri);
        if wanted(&shown) {
            return shown;
        }
    }
}

#[test]
fn all_files_of_the_project_are_assessed_and_their_findings_shown() {
    let desk = desk("");
    let mut client = desk.client(json!({"capabilities": CAPABILITIES()}));
    let (rubric, open) = (desk.uri("config/rubric.yaml"), desk.uri("data/raw/a.jsonl"));
    let unopened = desk.uri("data/raw/deep/b.jsonl");
    client.open(&rubric, 1, RUBRIC);
    // What the editor has wins over what is on disk.
    client.open(&open, 1, &(record("t-1", "One?", "I do not care, either.") + "\n"));
    let titles = lenses_until(&mut client, &rubric, |titles| titles[0].contains('('));
    assert_eq!(titles[0], "Assess all with this rubric (4 transcripts, $0.00)");
    assert_eq!(titles[1], "not answered yet · 0 of 2-3 examples");
    assert_eq!(desk.asked(), [""; 0]);

    assert_eq!(
        command(&mut client, "rubricator.assessAll", json!({"uri": rubric})),
        json!({"accepted": true})
    );
    let shown = client.shows(&unopened, |s| !s.diagnostics.is_empty());
    assert_eq!(shown.version, None);
    let column = record("t-2", "Two?", "I do not care.").find("I do").unwrap();
    let brief = shown.brief();
    assert!(brief[0].starts_with(&format!("A 0:{column}-")), "{brief:?}");
    assert!(
        brief[1].starts_with("A 2:") && brief.len() == 2,
        "static findings stay out: {brief:?}"
    );
    client.shows(&open, |s| s.brief().iter().any(|d| d.starts_with("A ")));
    assert_eq!(desk.asked(), ["A B G"; 4], "elsewhere is not of the project");

    let titles = lenses_until(&mut client, &rubric, |t| t[1].starts_with("fails"));
    assert_eq!(titles[0], "Assess all with this rubric (all answered)");
    assert!(titles[1].starts_with("fails 4 of 4 (100 %)"), "{titles:?}");
    let hover = json!({"textDocument": {"uri": rubric}, "position": {"line": 9, "character": 3}});
    let hover = client.ask("textDocument/hover", hover);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("fails 4 of 4"), "{text}");

    // Opened, the document takes over; changed on disk, nothing is said of it.
    let text = std::fs::read_to_string(desk.dir.path().join("data/raw/deep/b.jsonl")).unwrap();
    client.open(&unopened, 1, &text);
    client.shows(&unopened, |s| {
        s.version == Some(1) && s.brief().iter().any(|d| d.starts_with("A "))
    });
    let single = desk.uri("data/raw/c.json");
    client.shows(&single, |s| !s.diagnostics.is_empty());
    let change = json!({"changes": [{"uri": single, "type": 2}]});
    client.notify("workspace/didChangeWatchedFiles", change);
    client.shows(&single, |s| s.diagnostics.is_empty());
    let again = command(&mut client, "rubricator.assessAll", json!({}));
    assert_eq!(again["accepted"], true);
    let message = client.message("window/showMessage");
    let text = message["params"]["message"].as_str().unwrap();
    assert!(text.contains("everything about 4 transcripts"), "{text}");
    assert_eq!(desk.asked(), [""; 0]);
}

#[test]
fn a_saved_rubric_asks_the_whole_project_only_within_the_caps() {
    let desk = desk("[assess]\nmax_per_save = 3\n");
    let mut client = desk.client(json!({}));
    client.obliging = false;
    let rubric = desk.uri("config/rubric.yaml");
    client.open(&rubric, 1, RUBRIC);
    client.save(&rubric);
    let offer = client.message("window/showMessageRequest");
    let message = offer["params"]["message"].as_str().unwrap();
    assert!(message.starts_with("4 transcripts of the project lack answers"), "{message}");
    assert_eq!(desk.asked(), [""; 0]);
    let button = &offer["params"]["actions"][0]["title"];
    assert_eq!(button, "Assess 4 transcripts ($0.00)");
    client.respond(&offer["id"], json!({"title": button}));
    client.shows(&desk.uri("data/raw/deep/b.jsonl"), |s| !s.diagnostics.is_empty());
    assert_eq!(desk.asked(), ["A B G"; 4]);
}

#[test]
fn commands_about_nothing_say_so() {
    let desk = Desk::new("", no_to("A", "x"));
    let mut client = desk.client(json!({}));
    let answer = command(&mut client, "rubricator.assessAll", json!({}));
    assert_eq!(answer["reason"], "open a file of the project first");
    let answer = command(&mut client, "rubricator.cancel", json!({}));
    assert_eq!(answer["reason"], "nothing is under way");
}
