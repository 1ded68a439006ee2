//! The audit in the editor: findings on their words in open files and others, that
//! follow edits and go with the text; what the rubric's list lacks, added in one action.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::client::Client;
use super::desk::Desk;

const RUBRIC: &str = "\
criteria:
  A: {question: Is it so?}  # asked
  P:
    check:
      phrases:
        - at the end of the day  # stale
    # the end
";

/// Transcripts of which every reply says the same in the middle.
fn transcripts(from: usize) -> String {
    let mut text = String::new();
    for n in from..from + 6 {
        let turn = |m: usize| {
            let reply =
                format!("Wort{n}{m} alpha{m}{n}. I hear you, “it’s” heavy! Ende{n}{m} beta{m}{n}.");
            json!([
                format!("Frage{n}{m} gamma{n}{m} delta{m}{n} eins{n} zwei{m} drei{n}{m}."),
                reply
            ])
        };
        let turns: Vec<Value> = (0..3).map(turn).collect();
        writeln!(text, "{}", json!({"id": format!("t{n}"), "conversation": 0, "messages": turns.iter().flat_map(|t| [
            json!({"role": "user", "content": t[0]}), json!({"role": "assistant", "content": t[1]})]).collect::<Vec<_>>()})).unwrap();
    }
    text
}

fn desk() -> Desk {
    let desk = Desk::new("", |_, _| panic!("an audit asks nobody"));
    desk.write("config/rubric.yaml", RUBRIC);
    desk.write("data/raw/a.jsonl", &transcripts(0));
    desk.write("data/raw/b.jsonl", &transcripts(6));
    desk
}

fn start(client: &mut Client, uri: &str) {
    let params = json!({"command": "rubricator.audit", "arguments": [{"uri": uri}]});
    assert_eq!(client.ask("workspace/executeCommand", params), json!({"accepted": true}));
}

/// Audits; what is said of it.
fn audit(client: &mut Client, uri: &str) -> String {
    start(client, uri);
    let message = client.message("window/showMessage");
    message["params"]["message"].as_str().unwrap().to_owned()
}

/// The words under the findings of the audit.
fn words<'t>(text: &'t str, diagnostics: &[Value]) -> Vec<(&'t str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let of = |d: &Value| {
        let at = |end: &str, what: &str| d["range"][end][what].as_u64().unwrap() as usize;
        let line = at("start", "line");
        (&lines[line][at("start", "character")..at("end", "character")], line)
    };
    diagnostics.iter().filter(|d| d["code"] == "audit:phrase").map(of).collect()
}

const PHRASE: &str = "I hear you, “it’s” heavy";

#[test]
fn findings_stand_on_their_words_follow_edits_and_go_with_the_text() {
    let desk = desk();
    let mut client = desk.client(json!({}));
    let (uri, other) = (desk.uri("data/raw/a.jsonl"), desk.uri("data/raw/b.jsonl"));
    let text = transcripts(0);
    client.open(&uri, 1, &text);
    let says = audit(&mut client, &uri);
    assert_eq!(
        says,
        "The audit of 12 transcripts flags: phrase. The findings stand at their places."
    );
    let has = |count: usize| {
        move |shown: &super::client::Shown| {
            shown.diagnostics.iter().filter(|d| d["code"] == "audit:phrase").count() == count
        }
    };
    // Of twenty places, those in the file that is open, the rest in the other.
    let shown = client.shows(&uri, has(18));
    assert!(words(&text, &shown.diagnostics).iter().all(|(words, _)| *words == PHRASE));
    assert_eq!(shown.diagnostics[0]["severity"], 2);
    let elsewhere = client.shows(&other, has(2));
    let there = transcripts(6);
    assert!(words(&there, &elsewhere.diagnostics).iter().all(|(words, _)| *words == PHRASE));

    // A line before them: they follow.
    client.insert(&uri, 2, 0, 0, "\n");
    let shown = client.shows(&uri, |s| s.version == Some(2));
    let moved = format!("\n{text}");
    assert!(has(18)(&shown), "{:?}", shown.brief());
    assert!(words(&moved, &shown.diagnostics).iter().all(|(words, _)| *words == PHRASE));
    // Words of the first transcript change: what was said of it goes, until it is undone.
    let at = text.lines().next().unwrap().find("Wort").unwrap() as u32;
    client.insert(&uri, 3, 1, at, "x");
    let shown = client.shows(&uri, |s| s.version == Some(3));
    assert!(has(15)(&shown), "{:?}", shown.brief());
    assert!(words(&moved, &shown.diagnostics).iter().all(|(_, line)| *line > 1));
    let (from, to) = (json!({"line": 1, "character": at}), json!({"line": 1, "character": at + 1}));
    client.change(&uri, 4, json!([{"range": {"start": from, "end": to}, "text": ""}]));
    client.shows(&uri, |s| s.version == Some(4) && has(18)(s));

    // The other file, once it is open, keeps what was shown of it.
    client.open(&other, 1, &there);
    client.insert(&other, 2, 0, 0, "\n");
    let shown = client.shows(&other, |s| s.version == Some(2));
    assert!(has(2)(&shown), "{:?}", shown.brief());
}

#[test]
fn what_the_list_lacks_is_added_in_one_action() {
    let desk = desk();
    let mut client = desk.client(json!({}));
    let (uri, rubric) = (desk.uri("data/raw/a.jsonl"), desk.uri("config/rubric.yaml"));
    client.open(&uri, 1, &transcripts(0));
    client.open(&rubric, 1, RUBRIC);
    audit(&mut client, &uri);
    let is_overused = |d: &&Value| d["code"] == "overused";
    let shown = client.shows(&rubric, |s| s.diagnostics.iter().any(|d| is_overused(&d)));
    let finding = shown.diagnostics.iter().find(is_overused).unwrap();
    assert_eq!(
        finding["message"],
        "the last audit found “I hear you, “it’s” heavy” over-used in the replies, and P does not \
         list them: add what replies should avoid"
    );
    let params = json!({"textDocument": {"uri": rubric}, "range": finding["range"],
        "context": {"diagnostics": [finding]}});
    let actions = client.ask("textDocument/codeAction", params);
    let titled = |a: &&Value| a["title"].as_str().unwrap().starts_with("Add “I hear you");
    let action = actions.as_array().unwrap().iter().find(titled).unwrap();
    let change = &action["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"]["version"], 1);
    let edit = &change["edits"][0];
    let line = edit["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert_eq!(edit["range"]["start"], edit["range"]["end"]);
    // Behind the last phrase, comments and all.
    assert_eq!(RUBRIC.lines().nth(line).unwrap(), "        - at the end of the day  # stale");
    assert_eq!(edit["newText"], "\n        - I hear you, “it’s” heavy");
    // Applied, it is said no more.
    client.change(&rubric, 2, json!([{"range": edit["range"], "text": edit["newText"]}]));
    client
        .shows(&rubric, |s| s.version == Some(2) && !s.diagnostics.iter().any(|d| is_overused(&d)));
}

#[test]
fn an_audit_shows_progress_and_one_runs_at_a_time() {
    let desk = desk();
    let more = json!({"capabilities": {"window": {"workDoneProgress": true}}});
    let mut client = desk.client(more);
    let uri = desk.uri("data/raw/a.jsonl");
    client.open(&uri, 1, &transcripts(0));
    start(&mut client, &uri);
    let begin = client.message("$/progress");
    assert_eq!(begin["params"]["value"]["title"], "Auditing transcripts");
    assert_eq!(begin["params"]["value"]["cancellable"], true);
    loop {
        let step = client.message("$/progress");
        if step["params"]["value"]["kind"] == "end" {
            break;
        }
    }
    assert!(client.message("window/showMessage")["params"]["type"] == 3);
    let nothing = client.ask("workspace/executeCommand", json!({"command": "rubricator.cancel"}));
    assert_eq!(nothing, json!({"accepted": false, "reason": "nothing is under way"}));
}
