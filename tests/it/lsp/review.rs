//! Review in the editor: what is pressed becomes a record in the project's file,
//! bound to the text on the screen, and shows at once; what another process
//! writes shows too.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::{Desk, no_to, record};
use crate::engine::{Asked, Reply};

const FILE: &str = "data/raw/a.jsonl";

fn say(client: &mut Client, argument: Value) -> Value {
    let params = json!({"command": "rubricator.review", "arguments": [argument]});
    client.ask("workspace/executeCommand", params)
}

fn accepted(client: &mut Client, argument: Value) {
    let answer = say(client, argument.clone());
    assert_eq!(answer["accepted"], true, "{argument}: {answer}");
}

fn refused(client: &mut Client, argument: Value) -> String {
    let answer = say(client, argument.clone());
    assert_eq!(answer["accepted"], false, "{argument}: {answer}");
    answer["reason"].as_str().unwrap().to_owned()
}

/// The lenses of the file, asked for until they are as wanted.
fn lenses_until(client: &mut Client, uri: &str, wanted: impl Fn(&[String]) -> bool) {
    let began = std::time::Instant::now();
    loop {
        let lenses = client.ask("textDocument/codeLens", json!({"textDocument": {"uri": uri}}));
        let title = |lens: &Value| lens["command"]["title"].as_str().unwrap().to_owned();
        let titles: Vec<String> = lenses.as_array().unwrap().iter().map(title).collect();
        if wanted(&titles) {
            return;
        }
        // Longer than anything may take on a busy machine.
        assert!(began.elapsed().as_secs() < 60, "the lenses stay {titles:?}");
    }
}

/// The review actions at a place that are asked for by their own kind, or with everything else.
fn actions(client: &mut Client, uri: &str, column: usize, only: Option<&str>) -> Vec<Value> {
    let at = json!({"line": 0, "character": column});
    let mut context = json!({"diagnostics": []});
    if let Some(only) = only {
        context["only"] = json!([only]);
    }
    let params = json!({"textDocument": {"uri": uri}, "range": {"start": at, "end": at}, "context": context});
    let actions = client.ask("textDocument/codeAction", params);
    let is_review = |a: &&Value| a["kind"] == "source.rubricator.review";
    actions.as_array().unwrap().iter().filter(is_review).cloned().collect()
}

fn press(client: &mut Client, actions: &[Value], title: &str) {
    let action = actions.iter().find(|a| a["title"].as_str().unwrap().starts_with(title));
    let argument = action.unwrap_or_else(|| panic!("no {title} in {actions:?}"));
    accepted(client, argument["command"]["arguments"][0].clone());
}

/// The records of the project's file, once there are so many.
fn records(desk: &Desk, client: &mut Client, count: usize) -> Vec<Value> {
    loop {
        // A turn of the server, which writes in the background.
        client.ask("textDocument/codeLens", json!({"textDocument": {"uri": desk.uri(FILE)}}));
        let text = std::fs::read_to_string(desk.dir.path().join("data/reviews.jsonl"));
        let text = text.unwrap_or_default();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let records: Vec<Value> = whole.map(|l| serde_json::from_str(l).unwrap()).collect();
        if records.len() == count {
            return records;
        }
        assert!(records.len() < count, "{records:?}");
    }
}

/// Two transcripts, of which the first fails A; assessed and shown.
fn assessed(desk: &Desk) -> (Client, String, String) {
    let mut client = desk.client(json!({}));
    let uri = desk.uri(FILE);
    let text = format!(
        "{}\n{}\n",
        record("t-1", "One?", "I do not care."),
        record("t-2", "Two?", "Fine.")
    );
    desk.write(FILE, &text);
    client.open(&uri, 1, &text);
    client.save(&uri);
    client.shows(&uri, |s| s.brief().iter().any(|d| d.starts_with("A ")));
    lenses_until(&mut client, &uri, |all| {
        all.len() >= 6 && all.iter().filter(|t| t.contains("1 judge")).count() == 2
    });
    (client, uri, text)
}

fn hover(client: &mut Client, uri: &str, column: usize) -> String {
    let at = json!({"line": 0, "character": column});
    let hover =
        client.ask("textDocument/hover", json!({"textDocument": {"uri": uri}, "position": at}));
    hover["contents"]["value"].as_str().unwrap_or("").to_owned()
}

#[test]
fn what_is_pressed_is_kept_and_shown_and_goes_stale_with_the_text() {
    let desk = Desk::new("", unkind);
    let (mut client, uri, text) = assessed(&desk);
    let column = text.find("I do").unwrap();
    let here = actions(&mut client, &uri, column, None);
    let titles: Vec<&str> = here.iter().map(|a| a["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Judge is right: A is NO (j)",
            "Judge is wrong (false positive): A is YES (j)",
            "Note on A",
            "Use as calibration example (PASS): A",
            "Use as calibration example (FAIL): A",
            "Use as calibration example (BORDERLINE_PASS): A",
            "Use as calibration example (BORDERLINE_FAIL): A",
            "Accept this transcript",
            "Reject this transcript",
            "Note a missing criterion",
            "Declare batch data/raw/a.jsonl satisfactory",
        ]
    );
    let thorough = actions(&mut client, &uri, column, Some("source.rubricator.review"));
    press(&mut client, &here, "Judge is wrong (false positive)");
    press(&mut client, &thorough, "Judge is wrong (false negative): B is NO (j)");
    press(&mut client, &here, "Accept");
    press(&mut client, &here, "Declare batch");
    let all = records(&desk, &mut client, 4);
    let brief = |r: &Value| {
        ["kind", "transcript", "criterion", "human"]
            .map(|k| r[k].as_str().unwrap_or("-").to_owned())
    };
    let of_transcripts: Vec<_> = all.iter().map(brief).collect();
    assert_eq!(of_transcripts[0], ["verdict", "t-1", "A", "YES"]);
    assert_eq!(of_transcripts[1], ["verdict", "t-1", "B", "NO"]);
    assert_eq!(of_transcripts[2], ["accept", "t-1", "-", "-"]);
    assert_eq!(of_transcripts[3], ["satisfactory", "-", "-", "-"]);
    let digests = |key: &str| all.iter().all(|r| r[key].as_str().is_some_and(|d| d.len() == 64));
    assert!(digests("rubric_digest") && digests("transcript_digest"));
    assert!(all.iter().all(|r| r["by"].as_str().is_some_and(|by| !by.is_empty())));

    lenses_until(&mut client, &uri, |all| all.contains(&"Review (accepted)".to_owned()));
    assert!(hover(&mut client, &uri, 1).contains("accepted by "));
    assert!(hover(&mut client, &uri, column).contains("the answer is YES by "));
    // The text moves on: what was said shows as stale, and what was offered is refused.
    client.insert(&uri, 2, 0, u32::try_from(column).unwrap(), "Well, ");
    lenses_until(&mut client, &uri, |all| all.contains(&"Review (review stale)".to_owned()));
    assert!(hover(&mut client, &uri, 1).contains("(stale: "));
    let accept = here.iter().find(|a| a["title"] == "Accept this transcript").unwrap();
    let reason = refused(&mut client, accept["command"]["arguments"][0].clone());
    assert_eq!(reason, "`t-1` has changed since: look at it again");
    // A verdict on the earlier text is neither right nor wrong.
    let stale = actions(&mut client, &uri, column + 8, None);
    assert!(
        stale.iter().all(|a| !a["title"].as_str().unwrap().starts_with("Judge is")),
        "{stale:?}"
    );
    let here = json!({"uri": uri, "transcript": "t-1", "criterion": "A", "say": "right"});
    assert!(refused(&mut client, here).starts_with("no judge has answered about this text"));
}

#[test]
fn what_is_ambiguous_or_empty_is_refused() {
    let desk = Desk::new("", unkind);
    let (mut client, uri, text) = assessed(&desk);
    let mut why = |more: Value| {
        let mut argument = json!({"uri": uri});
        argument.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refused(&mut client, argument)
    };
    assert_eq!(why(json!({"say": "accept"})), "name the transcript");
    assert_eq!(
        why(json!({"say": "accept", "transcript": "t-9"})),
        "there is no transcript `t-9` in this file"
    );
    let mark = |more: Value| {
        let mut mark = json!({"say": "wrong", "transcript": "t-1"});
        mark.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        mark
    };
    assert_eq!(why(mark(json!({}))), "name the criterion");
    assert_eq!(
        why(mark(json!({"criterion": "a"}))),
        "the rubric has no criterion `a`; did you mean `A`?"
    );
    assert_eq!(
        why(mark(json!({"criterion": "A", "answer": "NO"}))),
        "that is what was answered, so it cannot be wrong"
    );
    assert!(why(mark(json!({"criterion": "A", "answer": "maybe"}))).starts_with("`answer` is YES"));
    assert_eq!(
        why(json!({"say": "note", "transcript": "t-1", "criterion": "A"})),
        "there is no text: give it as `note`"
    );
    assert!(why(json!({"say": "cheer"})).contains("unknown variant `cheer`"));
    // An id that two texts carry names none of them.
    let twice = format!("{}{}\n", text, record("t-1", "One?", "Another."));
    let whole = json!([{"text": twice}]);
    client.change(&uri, 2, whole);
    assert!(
        refused(&mut client, json!({"uri": uri, "transcript": "t-1", "say": "accept"}))
            .contains("several transcripts")
    );
    assert!(!desk.dir.path().join("data/reviews.jsonl").exists());
}

#[test]
fn what_the_command_line_says_shows_in_the_editor() {
    let desk = Desk::new("", unkind);
    let (mut client, uri, _) = assessed(&desk);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rubricator"));
    command.args(["review", "--by", "Ada", "reject", "t-1", "--note", "Too curt."]);
    let ran = command.current_dir(desk.dir.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    lenses_until(&mut client, &uri, |all| all.contains(&"Review (rejected)".to_owned()));
    assert!(hover(&mut client, &uri, 1).contains("rejected by Ada on "));
}

#[test]
fn an_editor_that_asks_nothing_is_asked_for_a_review() {
    let desk = Desk::new("", unkind);
    let (mut client, uri, _) = assessed(&desk);
    client.obliging = false;
    accepted(&mut client, json!({"uri": uri, "transcript": "t-1"}));
    let request = client.message("window/showMessageRequest");
    let message = request["params"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("t-1: failed 0.500") && message.ends_with("nobody has read it yet"),
        "{message}"
    );
    assert_eq!(request["params"]["actions"], json!([{"title": "Accept"}, {"title": "Reject"}]));
    client.respond(&request["id"], json!({"title": "Reject"}));
    lenses_until(&mut client, &uri, |all| all.contains(&"Review (rejected)".to_owned()));
}

/// What is shown next; the criterion, or nothing for the transcript as a whole.
fn next(client: &mut Client, uri: &str) -> (String, Option<String>, Value) {
    let found = say(client, json!({"uri": uri, "say": "next"}));
    assert_eq!(found["accepted"], true, "{found}");
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    (text("transcript").unwrap(), text("criterion"), found)
}

#[test]
fn the_next_place_to_look_at_needs_no_mouse_and_comes_once() {
    let desk = Desk::new("", unkind);
    let elsewhere = desk.write("data/raw/b.jsonl", &(record("t-3", "Three?", "Unasked.") + "\n"));
    let (mut client, uri, text) = assessed(&desk);
    let titles = |all: &[String]| all.iter().any(|t| t.starts_with("Gate: "));
    lenses_until(&mut client, &uri, titles);
    // Perfect comes before what merely failed; inside a transcript the findings come first.
    let (id, criterion, found) = next(&mut client, &uri);
    assert_eq!((id.as_str(), criterion), ("t-2", None));
    assert_eq!(found["shown"], false);
    let message = found["message"].as_str().unwrap();
    assert_eq!(
        message,
        "t-2 (a perfect score: is the rubric strict enough?) · passed: accept or reject it · 3 transcripts left"
    );
    let (id, criterion, found) = next(&mut client, &uri);
    assert_eq!((id.as_str(), criterion.as_deref()), ("t-1", Some("A")));
    let column = text.find("I do").unwrap();
    assert_eq!(found["location"]["range"]["start"], json!({"line": 0, "character": column}));
    let mark = json!({"uri": uri, "transcript": "t-1", "digest": found["digest"], "criterion": "A", "say": "right"});
    accepted(&mut client, mark);
    let (id, criterion, _) = next(&mut client, &uri);
    assert_eq!((id.as_str(), criterion), ("t-1", None), "the transcript itself");
    let (id, _, found) = next(&mut client, &uri);
    let theirs = format!("file://{}", elsewhere.display());
    assert_eq!((id.as_str(), &found["location"]["uri"]), ("t-3", &json!(theirs)));
    assert_eq!(next(&mut client, &uri).0, "t-2", "and again from the first");
    for id in ["t-1", "t-2"] {
        accepted(&mut client, json!({"uri": uri, "transcript": id, "say": "accept"}));
    }
    lenses_until(&mut client, &uri, |all| {
        all.iter().filter(|t| *t == "Review (accepted)").count() == 2
    });
    assert_eq!(next(&mut client, &uri).0, "t-3");
    let whole = std::fs::read_to_string(&elsewhere).unwrap();
    client.open(&theirs, 1, &whole);
    lenses_until(&mut client, &theirs, |all| all[0].contains("1 exchange") && all.len() > 2);
    let (id, criterion, found) = next(&mut client, &theirs);
    assert_eq!((id.as_str(), criterion), ("t-3", None));
    assert!(
        found["message"].as_str().unwrap().contains("not assessed: accept or reject it"),
        "{found}"
    );
    accepted(&mut client, json!({"uri": theirs, "transcript": "t-3", "say": "reject"}));
    lenses_until(&mut client, &theirs, |all| all.contains(&"Review (rejected)".to_owned()));
    assert_eq!(
        refused(&mut client, json!({"uri": uri, "say": "next"})),
        "every transcript is reviewed"
    );
}

#[test]
fn a_client_that_can_show_a_place_is_shown_it() {
    let desk = Desk::new("", unkind);
    let mut client =
        desk.client(json!({"capabilities": {"window": {"showDocument": {"support": true}}}}));
    client.obliging = false;
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &(record("t-1", "One?", "Fine.") + "\n"));
    lenses_until(&mut client, &uri, |all| all.len() > 2);
    assert_eq!(next(&mut client, &uri).2["shown"], true);
    let request = client.message("window/showDocument");
    assert_eq!(request["params"]["uri"], uri);
    assert_eq!(request["params"]["takeFocus"], true);
    client.respond(&request["id"], json!({"success": true}));
}

#[test]
fn the_gate_opens_in_the_editor_as_reviews_come_in() {
    let desk = Desk::new("", unkind);
    let mut client = desk.client(json!({}));
    let uri = desk.uri(FILE);
    let text = format!("{}\n{}\n", record("t-1", "One?", "Fine."), record("t-2", "Two?", "Good."));
    desk.write(FILE, &text);
    client.open(&uri, 1, &text);
    client.save(&uri);
    let gate = |all: &[String]| all.iter().find(|t| t.starts_with("Gate: ")).cloned();
    let reads = |wanted: &'static str| move |all: &[String]| gate(all).as_deref() == Some(wanted);
    lenses_until(
        &mut client,
        &uri,
        reads(
            "Gate: iterate · 2 of 2 passed · 2 of 2 unreviewed · not declared satisfactory · 3 warnings",
        ),
    );
    accepted(&mut client, json!({"uri": uri, "transcript": "t-1", "say": "accept"}));
    lenses_until(
        &mut client,
        &uri,
        reads(
            "Gate: iterate · 2 of 2 passed · 1 of 2 unreviewed · not declared satisfactory · 3 warnings",
        ),
    );
    accepted(&mut client, json!({"uri": uri, "transcript": "t-2", "say": "reject"}));
    accepted(&mut client, json!({"uri": uri, "say": "satisfactory", "batch": FILE}));
    lenses_until(&mut client, &uri, reads("Gate: scale · 2 of 2 passed · 3 warnings"));
    let status = loop {
        let status = client.message("rubricator/status")["params"].clone();
        if status["gate"][0]["decision"] == "scale" {
            break status;
        }
    };
    assert_eq!(status["gate"][0]["batch"], FILE);
    let warnings = status["gate"][0]["warnings"].as_array().unwrap();
    let names: Vec<&str> = warnings.iter().map(|w| w["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["perfect-scores", "one-judge", "no-calibration-examples"]);
    let gate = json!({"command": "rubricator.gate", "arguments": [{"uri": uri}]});
    assert_eq!(client.ask("workspace/executeCommand", gate)["accepted"], true);
    let message = client.message("window/showMessage");
    let message = message["params"]["message"].as_str().unwrap();
    let mut lines = message.lines();
    assert_eq!(lines.next(), Some("data/raw/a.jsonl: scale · 2 of 2 passed"));
    assert_eq!(lines.next_back(), Some("    no calibration examples in A, B, G"));
    let nowhere = json!({"uri": uri, "say": "satisfactory", "batch": "data/raw/z.jsonl"});
    accepted(&mut client, nowhere);
    let message = client.message("window/showMessage")["params"]["message"].clone();
    assert_eq!(message, "there is no batch `data/raw/z.jsonl`: nothing was declared");
}

#[test]
fn the_rubric_says_how_far_people_agree_with_a_judge() {
    let desk = Desk::new("", unkind);
    let (mut client, uri, _) = assessed(&desk);
    let rubric = desk.uri("config/rubric.yaml");
    client.open(&rubric, 1, super::desk::RUBRIC);
    for (id, answer) in [("t-1", "YES"), ("t-2", "YES")] {
        accepted(
            &mut client,
            json!({"uri": uri, "transcript": id, "criterion": "A", "say": "note", "note": "Hm."}),
        );
        let say = if id == "t-1" { "wrong" } else { "right" };
        accepted(
            &mut client,
            json!({"uri": uri, "transcript": id, "criterion": "A", "say": say, "answer": answer}),
        );
    }
    let told = "fails 1 of 2 (50 %) · 0 of 2-3 examples · j: 2 marks, needs 18 more";
    lenses_until(&mut client, &rubric, |all| all.contains(&told.to_owned()));
    let at = json!({"line": 9, "character": 3});
    let hover =
        client.ask("textDocument/hover", json!({"textDocument": {"uri": rubric}, "position": at}));
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("judge: NO | 0 | 1 (false positives)"), "{text}");
    assert!(text.contains("judge: YES | 0 (false negatives) | 1"), "{text}");
    assert!(text.ends_with("Needs 18 more marks: below 20 nothing is estimated."), "{text}");

    // Marks on a wording that is no more are stale.
    let reworded = super::desk::RUBRIC.replace("the reply kind?", "the reply always kind?");
    desk.write("config/rubric.yaml", &reworded);
    client.change(&rubric, 2, json!([{"text": reworded}]));
    client.save(&rubric);
    lenses_until(&mut client, &rubric, |all| {
        all.iter().any(|t| t.ends_with(" · 2 marks are stale"))
    });
}

/// NO to A about a reply that does not care, YES to everything else.
fn unkind(asked: &Asked, nth: usize) -> Reply {
    let criterion = if asked.body.to_string().contains("I do not care") { "A" } else { "none" };
    no_to(criterion, "I do not care")(asked, nth)
}

#[test]
fn a_reply_becomes_an_example_in_the_open_rubric_or_in_the_file() {
    let desk = Desk::new("", unkind);
    let capabilities = json!({
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}},
        "workspace": {"workspaceEdit": {"documentChanges": true}, "applyEdit": true},
    });
    let mut client = desk.client(json!({"capabilities": capabilities}));
    client.obliging = false;
    let (uri, rubric) = (desk.uri(FILE), desk.uri("config/rubric.yaml"));
    let text = record("t-1", "One? \u{1f600}", "I do not care.") + "\n";
    desk.write(FILE, &text);
    client.open(&uri, 1, &text);
    client.save(&uri);
    client.shows(&uri, |s| s.brief().iter().any(|d| d.starts_with("A ")));
    lenses_until(&mut client, &uri, |all| all.iter().any(|t| t.starts_with("Gate: ")));
    let noted = json!({"uri": uri, "transcript": "t-1", "criterion": "A", "say": "note", "note": "It is cold."});
    accepted(&mut client, noted);
    records(&desk, &mut client, 1);
    lenses_until(&mut client, &uri, |_| true);

    // The file on disk, while nobody has it open: no version.
    let column = text[..text.find("I do").unwrap()].encode_utf16().count();
    let mut here = Vec::new();
    while !hover(&mut client, &uri, column).contains("It is cold.") {
        here.clear();
    }
    here.extend(actions(&mut client, &uri, column, None));
    press(&mut client, &here, "Use as calibration example (FAIL): A");
    let request = client.message("workspace/applyEdit");
    let change = &request["params"]["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": rubric, "version": null}));
    client.respond(&request["id"], json!({"applied": false}));
    let message = client.message("window/showMessage")["params"]["message"].clone();
    assert_eq!(message, "the editor did not take the edit of rubric.yaml: try it again");

    // The open document, with its own text and version.
    let open = format!("# \u{1f600} a comment\n{}", super::desk::RUBRIC);
    client.open(&rubric, 7, &open);
    press(&mut client, &here, "Use as calibration example (FAIL): A");
    let request = client.message("workspace/applyEdit");
    let change = &request["params"]["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": rubric, "version": 7}));
    let edit = &change["edits"][0];
    client.change(&rubric, 8, json!([{"range": edit["range"], "text": edit["newText"]}]));
    client.respond(&request["id"], json!({"applied": true}));
    let message = client.message("window/showMessage")["params"]["message"].clone();
    assert_eq!(
        message,
        "A has a FAIL example more. 1 answer to it becomes stale: judges are asked again when it \
         is assessed. Save the rubric to keep it."
    );
    let wanted = open.replace(
        "Is the reply kind?}",
        "Is the reply kind?, calibration_examples: [{type: FAIL, context: \"One? \u{1f600}\", \
         response: \"I do not care.\", reasoning: \"It is cold.\\nbecause\"}]}",
    );
    assert_eq!(client.server_text(&rubric)["text"], wanted);
    let plain = json!({"uri": uri, "transcript": "t-1", "criterion": "A", "say": "example", "label": "GOOD"});
    assert!(refused(&mut client, plain).starts_with("`label` is one of PASS"));
    client.forget_chatter();
}
