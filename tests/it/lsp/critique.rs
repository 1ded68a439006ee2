//! What critics found, in the editor: at its words while they are typed around, and
//! made into a criterion, an example or nothing with one press.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::{Desk, RUBRIC, no_to, record};

const FILE: &str = "data/raw/a.jsonl";
const KEPT: &str = "data/critiques.jsonl";

/// A critique of `file` as the command line keeps it, with these findings: transcript,
/// quote, question.
fn critique(id: &str, file: &str, findings: &[(Option<&str>, &str, &str)]) -> String {
    let finding = |(index, (transcript, quote, question)): (usize, &(Option<&str>, &str, &str))| {
        let mut finding = json!({"id": format!("{id}.{}", index + 1), "kind": "passes-but-bad",
            "says": "It flatters.", "voices": ["Nurse"], "quote": quote, "question": question});
        if let Some(transcript) = transcript {
            finding["transcript"] = json!(transcript);
        }
        finding
    };
    let findings: Vec<Value> = findings.iter().enumerate().map(finding).collect();
    let line = json!({"kind": "critique", "id": id, "at": "2026-11-24T10:00:00Z", "file": file,
        "asked": id, "judge": "j", "model": "m", "experts": [], "users": [],
        "findings": findings, "synthesis": "s"});
    format!("{line}\n")
}

/// The client of an editor that applies edits.
fn editor(desk: &Desk) -> Client {
    let mut client = desk.client(json!({"capabilities": {
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}},
        "workspace": {"workspaceEdit": {"documentChanges": true}, "applyEdit": true},
    }}));
    client.obliging = false;
    client
}

/// The hints of the document: line, columns, first words.
fn hints(shown: &super::client::Shown) -> Vec<(u64, u64, u64)> {
    let own = shown.diagnostics.iter().filter(|d| d["code"] == "critique");
    let number = |d: &Value, path: &str| d.pointer(path).and_then(Value::as_u64).unwrap();
    own.map(|d| {
        let [line, from, to] = ["start/line", "start/character", "end/character"]
            .map(|path| number(d, &format!("/range/{path}")));
        (line, from, to)
    })
    .collect()
}

/// What can be made of the findings at a place.
fn offers(client: &mut Client, uri: &str, line: u64, column: u64) -> Vec<Value> {
    let at = json!({"line": line, "character": column});
    let params = json!({"textDocument": {"uri": uri}, "range": {"start": at, "end": at},
        "context": {"diagnostics": []}});
    let actions = client.ask("textDocument/codeAction", params);
    let own = |a: &&Value| a["command"]["command"] == "rubricator.critique";
    actions.as_array().unwrap().iter().filter(own).cloned().collect()
}

fn titles(offers: &[Value]) -> Vec<&str> {
    offers.iter().map(|offer| offer["title"].as_str().unwrap()).collect()
}

fn send(client: &mut Client, argument: Value) -> Value {
    let params = json!({"command": "rubricator.critique", "arguments": [argument]});
    client.ask("workspace/executeCommand", params)
}

/// What was decided, once there are so many decisions.
fn decisions(desk: &Desk, client: &mut Client, count: usize) -> Vec<Value> {
    loop {
        // A turn of the server, which writes in the background.
        client.ask("textDocument/codeLens", json!({"textDocument": {"uri": desk.uri(FILE)}}));
        let text = std::fs::read_to_string(desk.dir.path().join(KEPT)).unwrap();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines = whole.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let decisions: Vec<Value> = lines.filter(|line| line["kind"] == "decision").collect();
        if decisions.len() == count {
            return decisions;
        }
        assert!(decisions.len() < count, "{decisions:?}");
    }
}

#[test]
fn a_finding_about_the_rubric_becomes_a_criterion_where_it_stands() {
    let desk = Desk::new("", no_to("none", ""));
    let quoted = (None, "the reply kind?", "Is the reply free of flattery?");
    let findings = [quoted, (None, "", ""), (None, "words that are gone", "")];
    desk.write(KEPT, &critique("c-1", "config/rubric.yaml", &findings));
    let mut client = editor(&desk);
    let rubric = desk.uri("config/rubric.yaml");
    client.open(&rubric, 1, RUBRIC);
    let shown = client.shows(&rubric, |s| hints(s).len() == 2);
    let line = RUBRIC.lines().position(|line| line.contains("kind?")).unwrap() as u64;
    let from = RUBRIC.lines().nth(line as usize).unwrap().find("the reply").unwrap() as u64;
    assert_eq!(hints(&shown), [(0, 0, 12), (line, from, from + 15)]);
    let message = shown.diagnostics.iter().find(|d| d["range"]["start"]["line"] == line).unwrap();
    assert_eq!(message["severity"], 4);
    assert!(message["message"].as_str().unwrap().contains("It flatters. (Nurse)"), "{message}");

    // It follows its words while the user types above and in front of them.
    client.insert(&rubric, 2, 0, 0, "# \u{1f600}\n");
    client.shows(&rubric, |s| hints(s).contains(&(line + 1, from, from + 15)));
    let here = offers(&mut client, &rubric, line + 1, from);
    let add = "Critique: add the criterion “Is the reply free of flattery?”";
    assert_eq!(titles(&here), [add, "Critique: dismiss c-1.1"]);
    assert_eq!(here[0]["kind"], "quickfix");

    // What the editor does not take is not decided.
    let argument = here[0]["command"]["arguments"][0].clone();
    assert_eq!(send(&mut client, argument.clone())["accepted"], true);
    let request = client.message("workspace/applyEdit");
    client.respond(&request["id"], json!({"applied": false}));
    client.message("window/showMessage");
    assert_eq!(send(&mut client, argument.clone())["accepted"], true);
    let request = client.message("workspace/applyEdit");
    let change = &request["params"]["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": rubric, "version": 2}));
    let edit = &change["edits"][0];
    client.change(&rubric, 3, json!([{"range": edit["range"], "text": edit["newText"]}]));
    client.respond(&request["id"], json!({"applied": true}));
    client.message("window/showMessage");
    let wanted = format!(
        "# \u{1f600}\n{RUBRIC}  NEW1:\n    name: Is the reply free of flattery\n    \
         question: Is the reply free of flattery?\n    category: all\n"
    );
    assert_eq!(client.server_text(&rubric)["text"], wanted);
    let decided = decisions(&desk, &mut client, 1);
    assert_eq!((&decided[0]["finding"], &decided[0]["accepted"]), (&json!("c-1.1"), &json!(true)));
    client.shows(&rubric, |s| hints(s) == [(0, 0, 3)]);
    let twice = send(&mut client, argument)["reason"].clone();
    assert_eq!(twice, "somebody has decided about c-1.1 already");

    // One without a question asks for it; dismissed, it is gone.
    let here = offers(&mut client, &rubric, 0, 0);
    assert_eq!(here[0]["command"]["arguments"][0]["ask"], "note");
    let argument = here[1]["command"]["arguments"][0].clone();
    assert_eq!(send(&mut client, argument)["accepted"], true);
    client.shows(&rubric, |s| hints(s).is_empty());
    assert_eq!(decisions(&desk, &mut client, 2)[1]["accepted"], false);
    client.forget_chatter();
}

#[test]
fn a_finding_about_a_transcript_stands_in_its_record_and_becomes_an_example() {
    let desk = Desk::new("", no_to("none", ""));
    let mut client = editor(&desk);
    let uri = desk.uri(FILE);
    let text = format!(
        "{}\n{}\n",
        record("t-1", "One?", "plain"),
        record("t-2", "Hi \u{1f600}", "So \"brave\" of you.")
    );
    desk.write(FILE, &text);
    client.open(&uri, 1, &text);
    client.save(&uri);
    client.shows(&uri, |_| true);
    // Another program criticises while the file is open.
    let findings = [(Some("t-2"), "“brave” of you", "")];
    desk.write(KEPT, &critique("c-2", FILE, &findings));
    let shown = client.shows(&uri, |s| hints(s).len() == 1);
    let line = text.lines().nth(1).unwrap();
    let column = |at: usize| line[..at].encode_utf16().count() as u64;
    let (from, to) = (line.find("\\\"brave").unwrap(), line.find(".\"").unwrap());
    assert_eq!(hints(&shown), [(1, column(from), column(to))]);

    // The record before it goes, and it moves with its own.
    let gone = json!([{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}, "text": ""}]);
    client.change(&uri, 2, gone);
    client.shows(&uri, |s| hints(s) == [(0, column(from), column(to))]);
    let here = offers(&mut client, &uri, 0, column(from));
    let example = &here[1]["command"]["arguments"][0];
    assert_eq!(
        (&example["ask"], &example["choices"]),
        (&json!("criterion"), &json!(["A", "B", "G"]))
    );
    let unnamed = send(&mut client, example.clone());
    assert_eq!(unnamed["reason"], "name the `criterion`");
    let mut named = example.clone();
    named["criterion"] = json!("B");
    assert_eq!(send(&mut client, named)["accepted"], true);
    let request = client.message("workspace/applyEdit");
    let edit = &request["params"]["edit"]["documentChanges"][0]["edits"][0];
    let new = edit["newText"].as_str().unwrap();
    assert!(new.contains("type: FAIL") && new.contains("So \\\"brave\\\" of you."), "{new}");
    assert!(new.contains("It flatters."), "{new}");
    client.respond(&request["id"], json!({"applied": true}));
    client.message("window/showMessage");
    let decided = decisions(&desk, &mut client, 1);
    assert_eq!(decided[0]["made"], "a FAIL example of B");
    client.shows(&uri, |s| hints(s).is_empty());
    client.forget_chatter();
}
