//! A save is assessed, and what judges said stands on the words: while lines
//! move, while words change, after undo, and for no more money than it must cost.

use serde_json::{Value, json};

use super::client::{Client, Shown};
use super::desk::{Desk, RUBRIC, no_to, record};
use crate::engine::Reply;

const FILE: &str = "data/raw/a.jsonl";

/// Judged diagnostics as `code line:character-…: message`.
fn judged(shown: &Shown) -> Vec<String> {
    let of_judges = |d: &&Value| d["data"]["judged"] == true;
    let line = |d: &Value| {
        let start = &d["range"]["start"];
        let (code, message) = (d["code"].as_str().unwrap(), d["message"].as_str().unwrap());
        format!("{code} {}:{} {message}", start["line"], start["character"])
    };
    shown.diagnostics.iter().filter(of_judges).map(line).collect()
}

/// Asks for an assessment of what is lacking: the answer tells whether anything is.
fn lacks(client: &mut Client, uri: &str) -> bool {
    let params = json!({"command": "rubricator.assess", "arguments": [{"uri": uri}]});
    client.ask("workspace/executeCommand", params)["accepted"] == true
}

#[test]
fn what_judges_said_stands_on_the_words_and_follows_them() {
    let desk = Desk::new("", no_to("A", "I do not care"));
    let mut client = desk.client(json!({}));
    let text = format!(
        "{}\n{}\n",
        record("t-1", "Help me, please.", "Well. I do not care, sorry."),
        record("t-2", "And now?", "Something else.")
    );
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &text);
    client.save(&uri);
    let column = text.find("I do not care").unwrap();
    let place = format!("A 0:{column} ");
    let shown = client.shows(&uri, |s| judged(s).len() == 2);
    let said = judged(&shown);
    assert!(said[0].starts_with(&place), "{said:?}");
    assert!(said[1].starts_with("A 1:") && said[1].contains("quote not found"), "{said:?}");
    assert_eq!(desk.asked(), ["A B G", "A B G"]);
    assert!(!lacks(&mut client, &uri), "an unchanged file lacks nothing");

    // Lines move: the findings follow.
    client.insert(&uri, 2, 0, 0, "\n");
    client.shows(&uri, |s| judged(s)[0].starts_with(&format!("A 1:{column} ")));
    // Words change: the findings stay, marked, on their words.
    let well = u32::try_from(text.find("Well").unwrap()).unwrap();
    client.insert(&uri, 3, 1, well, "Oh. ");
    let moved = format!("A 1:{} ", column + 4);
    let shown = client.shows(&uri, |s| judged(s).iter().any(|d| d.contains("re-checking")));
    assert!(judged(&shown)[0].starts_with(&moved), "{:?}", judged(&shown));
    // Undo brings the verdict back for nothing.
    let range = json!({"start": {"line": 1, "character": well},
        "end": {"line": 1, "character": well + 4}});
    client.change(&uri, 4, json!([{"range": range, "text": ""}]));
    client.shows(&uri, |s| {
        s.version == Some(4) && judged(s).iter().all(|d| !d.contains("re-checking"))
    });
    assert!(!lacks(&mut client, &uri));
    assert_eq!(desk.asked(), [""; 0]);

    // Only the edited transcript is asked again.
    client.insert(&uri, 5, 1, well, "Hm. ");
    client.save(&uri);
    client.shows(&uri, |s| {
        s.version == Some(5) && judged(s).iter().all(|d| !d.contains("re-checking"))
    });
    assert_eq!(desk.asked(), ["A B G"]);
}

#[test]
fn what_is_known_is_shown_when_a_file_is_opened_again() {
    let desk = Desk::new("", no_to("B", "much too long"));
    let text = format!("{}\n", record("t-1", "Well?", "This is much too long."));
    let uri = desk.uri(FILE);
    {
        let mut client = desk.client(json!({}));
        client.open(&uri, 1, &text);
        client.save(&uri);
        client.shows(&uri, |s| judged(s).len() == 1);
    }
    assert_eq!(desk.asked(), ["A B G"]);
    let mut client = desk.client(json!({}));
    client.open(&uri, 1, &text);
    client.shows(&uri, |s| judged(s).len() == 1);
    assert!(!lacks(&mut client, &uri));
    assert_eq!(desk.asked(), [""; 0]);
}

#[test]
fn rewording_one_criterion_asks_that_one_alone() {
    let desk = Desk::new("", no_to("B", "long"));
    let mut client = desk.client(json!({}));
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &format!("{}\n", record("t-1", "Well?", "A long one.")));
    client.save(&uri);
    client.shows(&uri, |s| judged(s).len() == 1);
    assert_eq!(desk.asked(), ["A B G"]);
    desk.write("config/rubric.yaml", &RUBRIC.replace("kind?", "friendly?"));
    client.save(&desk.uri("config/rubric.yaml"));
    let mut asked = desk.asked();
    while asked.is_empty() {
        // Every answer is a turn of the server's loop.
        client.server_text(&uri);
        asked = desk.asked();
    }
    assert_eq!(asked, ["A"]);
    client.shows(&uri, |s| judged(s).len() == 1);
}

#[test]
fn over_the_cap_nothing_is_sent_until_the_user_agrees() {
    let desk = Desk::new("[assess]\nmax_per_save = 1\n", no_to("A", "No."));
    let mut client = desk.client(json!({}));
    client.obliging = false;
    let uri = desk.uri(FILE);
    let records = [record("t-1", "One?", "No."), record("t-2", "Two?", "No.")];
    client.open(&uri, 1, &format!("{}\n{}\n", records[0], records[1]));
    client.save(&uri);
    let offer = client.message("window/showMessageRequest");
    let message = offer["params"]["message"].as_str().unwrap();
    assert!(message.contains("2 transcripts") && message.contains("max_per_save"), "{message}");
    let button = &offer["params"]["actions"][0]["title"];
    assert_eq!(button, "Assess 2 transcripts ($0.00)");
    assert_eq!(desk.asked(), [""; 0]);
    client.respond(&offer["id"], json!({"title": button}));
    client.shows(&uri, |s| judged(s).len() == 2);
    assert_eq!(desk.asked(), ["A B G", "A B G"]);
}

#[test]
fn an_untrusted_folder_is_looked_at_but_nobody_is_asked() {
    let desk = Desk::new("", no_to("A", "x"));
    let mut client = desk.client(json!({"initializationOptions": {"trusted": false}}));
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &format!("{}\n{{\"a\" 1}}\n", record("t-1", "One?", "x")));
    client.shows(&uri, |s| !s.diagnostics.is_empty());
    client.save(&uri);
    let message = client.message("window/showMessage");
    let text = message["params"]["message"].as_str().unwrap();
    assert!(text.contains("not trusted"), "{text}");
    assert_eq!(desk.asked(), [""; 0]);
}

#[test]
fn a_run_shows_progress_and_stops_when_told() {
    let desk = Desk::new("", |_, _| Reply::Hang);
    let mut desk = desk;
    let capabilities = json!({
        "general": {"positionEncodings": ["utf-8"]},
        "window": {"workDoneProgress": true},
    });
    let mut client = desk.client(json!({"capabilities": capabilities}));
    client.obliging = false;
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &format!("{}\n", record("t-1", "One?", "x")));
    client.save(&uri);
    let create = client.message("window/workDoneProgress/create");
    desk.runtime.block_on(desk.judge.arrived.recv()).expect("the judge is asked");
    client.respond(&create["id"], Value::Null);
    let token = &create["params"]["token"];
    let begin = client.message("$/progress");
    assert_eq!(begin["params"]["token"], *token);
    assert_eq!(begin["params"]["value"]["kind"], "begin");
    assert_eq!(begin["params"]["value"]["title"], "Assessing 1 transcript");
    // Typing and asking go on meanwhile.
    client.insert(&uri, 2, 0, 0, " ");
    let hover = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 1}});
    assert!(client.ask("textDocument/hover", hover).is_object());
    client.notify("window/workDoneProgress/cancel", json!({"token": token}));
    desk.runtime.block_on(desk.judge.closed.recv()).expect("the call is dropped");
    let mut last = Value::Null;
    while last != "end" {
        last = client.message("$/progress")["params"]["value"]["kind"].clone();
    }
}
