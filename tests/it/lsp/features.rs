//! What is asked of the server while typing, over the wire: shapes, ranges,
//! versions. What the answers say is tested in `analysis`.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::{Desk, no_to, record};

const URI: &str = "file:///nowhere/a.jsonl";

fn able() -> Client {
    let symbols = json!({"hierarchicalDocumentSymbolSupport": true});
    let literals = json!({"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}});
    Client::start(json!({"capabilities": {
        "textDocument": {"documentSymbol": symbols, "codeAction": literals},
        "workspace": {"workspaceEdit": {"documentChanges": true}},
    }}))
}

fn at(line: u32, character: u32) -> Value {
    json!({"line": line, "character": character})
}

fn range(line: u32, from: u32, to: u32) -> Value {
    json!({"start": at(line, from), "end": at(line, to)})
}

#[test]
fn a_transcript_shows_itself() {
    let mut client = able();
    let text = record("t-1", "Is it \"ok\" 😀?", "Yes, all of it is.");
    client.open(URI, 7, &format!("\n{text}\n"));
    let document = json!({"textDocument": {"uri": URI}});
    let lenses = client.ask("textDocument/codeLens", document.clone());
    assert_eq!(lenses[0]["range"], range(1, 0, 0));
    assert_eq!(lenses[1]["command"]["command"], "rubricator.assess");
    assert_eq!(lenses[1]["command"]["arguments"][0], json!({"uri": URI, "transcript": "t-1"}));
    let symbols = client.ask("textDocument/documentSymbol", document.clone());
    assert_eq!(
        (&symbols[0]["name"], &symbols[0]["children"][0]["name"]),
        (&json!("t-1"), &json!("exchange 1"))
    );
    let utf16: Vec<u16> = text.encode_utf16().collect();
    assert_eq!(symbols[0]["range"], range(1, 0, u32::try_from(utf16.len()).unwrap()));
    // The reply starts where it is written, in UTF-16, behind escapes and an emoji.
    let reply = text.find("Yes, all").unwrap();
    let column = u32::try_from(text[..reply].encode_utf16().count()).unwrap();
    let visible = json!({"textDocument": {"uri": URI}, "range": range(1, 0, 10_000)});
    let hints = client.ask("textDocument/inlayHint", visible);
    assert_eq!(hints[1]["position"], at(1, column));
    assert!(hints[1]["label"].as_str().unwrap().starts_with("#1 assistant"));
    let hover = json!({"textDocument": {"uri": URI}, "position": at(1, column + 2)});
    let hover = client.ask("textDocument/hover", hover);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("exchange 1"));
    assert_eq!(hover["range"]["start"], at(1, column));
    assert_eq!(client.ask("textDocument/foldingRange", document), json!([]));
}

#[test]
fn a_transcript_over_several_lines_folds() {
    let mut client = able();
    let uri = "file:///nowhere/a.json";
    let pretty = serde_json::from_str::<Value>(&record("t-1", "One?", "Two.")).unwrap();
    let text = serde_json::to_string_pretty(&pretty).unwrap();
    client.open(uri, 1, &text);
    let folds = client.ask("textDocument/foldingRange", json!({"textDocument": {"uri": uri}}));
    let last = u32::try_from(text.lines().count()).unwrap() - 1;
    assert_eq!(folds[0], json!({"startLine": 0, "endLine": last}));
    assert!(folds.as_array().unwrap().len() > 2, "{folds}");
}

#[test]
fn a_fix_is_minimal_versioned_and_mends_the_text() {
    let mut client = able();
    let text = record("t-1", "One?", "Two.").replace("\"assistant\"", "\"Assistant\"");
    client.open(URI, 3, &format!("{text}\n"));
    let wrong = |d: &Value| d["code"] == "M004" || d["code"] == "M003";
    let shown = client.shows(URI, |s| s.diagnostics.iter().any(wrong));
    let diagnostic = shown.diagnostics.iter().find(|d| wrong(d)).unwrap().clone();
    let params = json!({
        "textDocument": {"uri": URI},
        "range": diagnostic["range"],
        "context": {"diagnostics": [diagnostic], "only": ["quickfix"]},
    });
    let actions = client.ask("textDocument/codeAction", params);
    let action = &actions[0];
    assert_eq!((&action["kind"], &action["isPreferred"]), (&json!("quickfix"), &json!(true)));
    assert_eq!(action["diagnostics"][0]["code"], diagnostic["code"]);
    let change = &action["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": URI, "version": 3}));
    client.change(
        URI,
        4,
        json!([{
            "range": change["edits"][0]["range"],
            "text": change["edits"][0]["newText"],
        }]),
    );
    client.shows(URI, |s| s.version == Some(4) && !s.diagnostics.iter().any(wrong));
    assert_eq!(client.server_text(URI)["text"], record("t-1", "One?", "Two.") + "\n");
}

#[test]
fn commands_answer_at_once() {
    let mut client = able();
    let mut command = |name: &str, arguments: Value| {
        let params = json!({"command": name, "arguments": arguments});
        client.ask("workspace/executeCommand", params)
    };
    let unknown = command("rubricator.nonsense", json!([]));
    assert_eq!(unknown["accepted"], false);
    let closed = command("rubricator.assess", json!([{"uri": "file:///not/open.jsonl"}]));
    assert_eq!(closed["reason"], "open the transcript file first");
    let wrong = command("rubricator.assess", json!(["file:///a"]));
    assert!(wrong["reason"].as_str().unwrap().contains("the argument is"));
    assert_eq!(command("rubricator.cancel", Value::Null)["accepted"], false);
    client.open(URI, 1, &record("t-1", "One?", "Two."));
    let explain = json!({"command": "rubricator.explain", "arguments": [{"uri": URI}]});
    assert_eq!(client.ask("workspace/executeCommand", explain)["accepted"], true);
    let message = client.message("window/showMessage");
    assert!(message["params"]["message"].as_str().unwrap().contains("Project: no project"));
}

#[test]
fn rubrics_and_settings_are_documents_too() {
    let desk = Desk::new("[assess]\nmax_per_sav = 3\n", no_to("A", "x"));
    let mut client = desk.client(json!({}));
    let settings = std::fs::read_to_string(desk.dir.path().join("rubricator.toml")).unwrap();
    client.open(&desk.uri("rubricator.toml"), 1, &settings);
    let shown = client.shows(&desk.uri("rubricator.toml"), |s| !s.diagnostics.is_empty());
    assert!(shown.diagnostics[0]["message"].as_str().unwrap().contains("max_per_save"));
    let rubric = desk.uri("config/rubric.yaml");
    client.open(&rubric, 1, &super::desk::RUBRIC.replace("weight: 1.0", "weight: 0.5"));
    client.shows(&rubric, |s| {
        s.diagnostics.iter().any(|d| d["message"].as_str().unwrap().contains("weight"))
    });
    let hover = json!({"textDocument": {"uri": rubric}, "position": at(9, 3)});
    let hover = client.ask("textDocument/hover", hover);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("kind"), "{hover}");
}

#[test]
fn settings_take_effect_without_a_restart() {
    let desk = Desk::new("[tokens]\nlimit = 16000\n", no_to("A", "x"));
    let mut client = desk.client(json!({}));
    let uri = desk.uri("data/raw/a.jsonl");
    client.open(&uri, 1, &format!("{}\n", record("t-1", "One?", "Two, three and four.")));
    let over = |d: &Value| d["code"] == "C001";
    let settings = desk.dir.path().join("rubricator.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("16000", "5")).unwrap();
    client.save(&desk.uri("rubricator.toml"));
    client.shows(&uri, |s| s.diagnostics.iter().any(over));
    std::fs::write(&settings, text).unwrap();
    let change = json!({"changes": [{"uri": desk.uri("rubricator.toml"), "type": 2}]});
    client.notify("workspace/didChangeWatchedFiles", change);
    client.shows(&uri, |s| !s.diagnostics.iter().any(over));
    let settings = json!({"settings": {"rubricator": {"tokens": {"limit": 4}}}});
    client.notify("workspace/didChangeConfiguration", settings);
    client.shows(&uri, |s| s.diagnostics.iter().any(over));
}

#[test]
fn what_the_settings_ignore_is_not_shown() {
    let settings = "[ignore]\nfindings = [{code = \"T003\", reason = \"two bubbles are meant\"}]\n";
    let desk = Desk::new(settings, no_to("A", "x"));
    let mut client = desk.client(json!({}));
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let messages =
        json!([said("user", "a"), said("user", "b"), said("assistant", "c"), said("user", "d")]);
    let text = json!({"id": "t", "messages": messages}).to_string() + "\n";
    let uri = desk.uri("data/raw/ignored.jsonl");
    client.open(&uri, 1, &text);
    // T002 is about the same record and comes with whatever else there is to say.
    let shown = client.shows(&uri, |s| s.diagnostics.iter().any(|d| d["code"] == "T002"));
    let codes: Vec<_> = shown.diagnostics.iter().map(|d| d["code"].clone()).collect();
    assert!(!codes.contains(&json!("T003")), "{codes:?}");
}

#[test]
fn under_a_target_its_findings_and_what_it_trains_are_shown() {
    let settings =
        "[tokens]\nchat_template = \"qwen3\"\n[target]\ntrainer = \"trl\"\nloss = \"replies\"\n";
    let desk = Desk::new(settings, no_to("A", "x"));
    let mut client = desk.client(json!({}));
    let uri = desk.uri("data/raw/a.jsonl");
    let lost = record("t-1", "One?", "Two.").replace("\"user\"", "\"human\"");
    client.open(&uri, 1, &format!("{lost}\n{}\n", record("t-2", "Three?", "Four.")));
    client.shows(&uri, |s| s.diagnostics.iter().any(|d| d["code"] == "T009"));
    let hover = json!({"textDocument": {"uri": uri}, "position": at(1, 0)});
    let hover = client.ask("textDocument/hover", hover);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("as trl sees it") && text.contains("estimated"), "{text}");
    assert!(text.contains("⟦") && text.contains("Four.<|im_end|>\n⟧"), "{text}");
}
