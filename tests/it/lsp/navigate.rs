//! The rubric as a document one moves in: from a failure to its criterion and back,
//! and what may be written where, while the file is broken.

use serde_json::{Value, json};

use super::desk::{Desk, RUBRIC, no_to, record};

const FILE: &str = "data/raw/a.jsonl";

fn at(uri: &str, line: usize, column: usize) -> Value {
    json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": column}})
}

/// Line and column of the first place that says it.
fn place(text: &str, needle: &str) -> (usize, usize) {
    let at = text.find(needle).unwrap();
    let line = text[..at].matches('\n').count();
    (line, at - text[..at].rfind('\n').map_or(0, |newline| newline + 1))
}

/// Address, line and column of each location.
fn briefly(locations: &Value) -> Vec<(String, u64, u64)> {
    let brief = |location: &Value| {
        let number = |key: &str| location["range"]["start"][key].as_u64().unwrap();
        let uri = location["uri"].as_str().unwrap();
        (uri.rsplit('/').next().unwrap().to_owned(), number("line"), number("character"))
    };
    locations.as_array().unwrap().iter().map(brief).collect()
}

#[test]
fn a_failure_leads_to_its_criterion_and_the_criterion_to_every_failure() {
    let desk = Desk::new("", no_to("A", "do not care"));
    let mut client = desk.client(json!({}));
    let (uri, rubric) = (desk.uri(FILE), desk.uri("config/rubric.yaml"));
    let text = record("t-1", "One?", "I do not care.") + "\n";
    desk.write(FILE, &text);
    client.open(&uri, 1, &text);
    client.save(&uri);
    client.shows(&uri, |s| s.brief().iter().any(|d| d.starts_with("A ")));
    let column = text.find("do not care").unwrap();
    // Closed, the rubric is the file's; open, the editor's.
    let defined = client.ask("textDocument/definition", at(&uri, 0, column + 3));
    let (line, start) = place(RUBRIC, "A: {name");
    assert_eq!(
        (&defined["uri"], defined["range"]["start"]["line"].as_u64()),
        (&json!(rubric), Some(line as u64))
    );
    let open = format!("# a comment\n{RUBRIC}");
    client.open(&rubric, 1, &open);
    let defined = client.ask("textDocument/definition", at(&uri, 0, column + 3));
    assert_eq!(defined["range"]["start"], json!({"line": line + 1, "character": start}));
    assert_eq!(client.ask("textDocument/definition", at(&uri, 0, 3)), Value::Null);

    let mut here = at(&rubric, line + 1, start);
    here["context"] = json!({"includeDeclaration": true});
    let all = client.ask("textDocument/references", here.clone());
    let mut wanted = vec![("rubric.yaml".to_owned(), 5, 32), ("rubric.yaml".to_owned(), 8, 13)];
    wanted.push(("rubric.yaml".to_owned(), line as u64 + 1, start as u64));
    wanted.push(("a.jsonl".to_owned(), 0, column as u64));
    assert_eq!(briefly(&all), wanted);
    here["context"] = json!({"includeDeclaration": false});
    let fewer = client.ask("textDocument/references", here);
    wanted.remove(2);
    assert_eq!(briefly(&fewer), wanted);
}

#[test]
fn what_may_be_written_is_offered_while_the_file_is_broken() {
    let desk = Desk::new("", no_to("none", ""));
    let mut client = desk.client(json!({}));
    let rubric = desk.uri("config/rubric.yaml");
    let text = format!("{RUBRIC}  C:\n    question: \"Is it\n    fix: re");
    client.open(&rubric, 1, &text);
    let line = text.lines().count() - 1;
    let offered = client.ask("textDocument/completion", at(&rubric, line, 11));
    let labels: Vec<&str> =
        offered.as_array().unwrap().iter().map(|i| i["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["rewrite", "truncate", "reject"]);
    let edit = &offered[0]["textEdit"];
    assert_eq!(edit["newText"], "rewrite");
    assert_eq!(
        edit["range"],
        json!({"start": {"line": line, "character": 9}, "end": {"line": line, "character": 11}})
    );
    assert!(offered[0]["documentation"].as_str().unwrap().contains("proven"));

    let (line, column) = place(RUBRIC, "[G]\nna_invalid");
    client.insert(&rubric, 2, line as u32, column as u32 + 2, ", ");
    let offered = client.ask("textDocument/completion", at(&rubric, line, column + 4));
    let labels: Vec<&str> =
        offered.as_array().unwrap().iter().map(|i| i["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["A", "B", "C"]);
    assert_eq!(offered[0]["documentation"], "First: Is the reply kind?");
}
