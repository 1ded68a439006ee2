//! `check` and the editor say the same: the published findings without the judged
//! ones are those `check` prints.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::client::Client;

/// What `check` prints of a file, as `severity code start..end message`.
fn checked(folder: &Path, file: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_rubricator"))
        .args(["check", "--format", "json", file])
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder.join("none"))
        .output()
        .unwrap();
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = |f: &Value| {
        assert_eq!(f["file"], file);
        let text = |key: &str| f[key].as_str().unwrap().to_owned();
        let (severity, code, message) = (text("severity"), text("code"), text("message"));
        format!("{severity} {code} {}..{} {message}", f["byte_start"], f["byte_end"])
    };
    let mut all: Vec<String> = findings.as_array().unwrap().iter().map(line).collect();
    all.sort();
    all
}

/// The byte of a place that counts in UTF-8, by the protocol's idea of lines.
fn byte(text: &str, place: &Value) -> usize {
    let mut line = place["line"].as_u64().unwrap();
    let mut start = 0;
    let bytes = text.as_bytes();
    while line > 0 {
        let end = bytes[start..].iter().position(|b| b"\r\n".contains(b)).unwrap() + start;
        start = if bytes[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        line -= 1;
    }
    start + usize::try_from(place["character"].as_u64().unwrap()).unwrap()
}

fn published(text: &str, diagnostics: &[Value]) -> Vec<String> {
    let shown = diagnostics.iter().filter(|d| d["data"]["judged"] != true);
    let line = |d: &Value| {
        let severity = match d["severity"].as_u64().unwrap() {
            1 => "error",
            2 => "warning",
            3 => "info",
            _ => "hint",
        };
        let (code, message) = (d["code"].as_str().unwrap(), d["message"].as_str().unwrap());
        let (start, end) = (&d["range"]["start"], &d["range"]["end"]);
        format!("{severity} {code} {}..{} {message}", byte(text, start), byte(text, end))
    };
    let mut all: Vec<String> = shown.map(line).collect();
    all.sort();
    all
}

/// Opens files as they are on disk; the editor must come to show what `check` says.
fn agree(folder: &Path, files: &[&str]) -> usize {
    let capabilities = json!({"general": {"positionEncodings": ["utf-8"]}});
    let mut client = Client::start(json!({
        "capabilities": capabilities,
        "initializationOptions": {"trusted": false},
    }));
    let mut count = 0;
    for file in files {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let uri = format!("file://{}", path.display());
        let wanted = checked(folder, file);
        client.open(&uri, 1, &text);
        client.shows(&uri, |shown| {
            let now = published(&text, &shown.diagnostics);
            shown.version == Some(1) && now == wanted || now.is_empty() && wanted.is_empty()
        });
        count += wanted.len();
    }
    count
}

#[test]
fn about_the_examples() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let raw = ["first-week", "second-week", "imported"].map(|n| format!("data/raw/{n}.jsonl"));
    let mut files: Vec<&str> = raw.iter().map(String::as_str).collect();
    files.extend(["config/rubric.yaml", "rubricator.toml"]);
    assert!(agree(&examples, &files) > 5);
}

const RUBRIC: &str = "\
name: Sample
categories:
  all: {weight: 0.9, criteria: [P, L, Q, X]}
criteria:
  P: {check: {phrases: {forbidden: [delve, {text: utilise, suggest: use}]}}}
  L: {check: {length_ratio: {mean_max: 1.5, over: 2.0, share_over_max: 0.25}}}
  Q: {question: Is the reply kind}
  Z: {question: Rate it from 1 to 10}
";

/// Sound records of several shapes, with something for every family to find.
fn sound() -> Vec<String> {
    let reply = "We delve into it, utilise 😀 \u{e9}\u{301} and 漢字. ".repeat(3);
    vec![
        json!({"id": "m", "messages": [{"role": "user", "content": "Why?"},
            {"role": "assistant", "content": reply}]}),
        json!({"conversations": [{"from": "human", "value": "Hi\n\"there\""},
            {"from": "gpt", "value": "I utilise it."}]}),
        json!({"exchanges": [{"user": "One?", "assistant": reply}, {"user": "Two?"}]}),
        json!({"contents": [{"role": "user", "parts": [{"text": "Who?"}]},
            {"role": "model", "parts": [{"text": "You delve."}]}]}),
        json!({"prompt": "Say it", "completion": "It."}),
    ]
    .into_iter()
    .map(|record| record.to_string())
    .collect()
}

/// Breaks a record somewhere, the same way for the same number.
fn broken(record: &str, number: usize) -> String {
    let bytes = record.as_bytes();
    let at = (number * 7919) % bytes.len();
    let at = (at..).find(|at| record.is_char_boundary(*at)).unwrap();
    let next = (at + 1..).find(|at| record.is_char_boundary(*at)).unwrap();
    let (head, tail) = (&record[..at], &record[next.min(record.len())..]);
    match number % 7 {
        0 => format!("{head}{tail}"),
        1 => format!("{head}\"{tail}"),
        2 => head.to_owned(),
        3 => format!("{head}}}{tail}"),
        4 => record.replacen("user", "usr", 1),
        5 => record.replacen("content", "text", 1),
        _ => format!("{head}\\x{tail}"),
    }
}

#[test]
fn about_files_that_are_broken_in_many_ways() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "rubricator.toml",
        "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl', '*.json']\n[tokens]\nlimit = 40\n",
    );
    write("rubric.yaml", RUBRIC);
    let lines: Vec<String> = sound()
        .iter()
        .enumerate()
        .flat_map(|(i, r)| {
            (0..22).map(move |n| if n == 0 { r.clone() } else { broken(r, i * 31 + n) })
        })
        .collect();
    write("lines.jsonl", &(lines.join("\n") + "\n"));
    write("crlf.jsonl", &(lines[..40].join("\r\n") + "\r\n\r\n{\"torn"));
    write("list.json", &format!("[\n  {}\n]\n", lines[22..50].join(",\n  ")));
    write("one.json", &sound()[0]);
    write("half.json", &sound()[2][..90]);
    let files = ["lines.jsonl", "crlf.jsonl", "list.json", "one.json", "half.json", "rubric.yaml"];
    assert!(agree(folder.path(), &files) > 150);
}

#[test]
fn about_settings_that_are_broken() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[project]\nrubrik = 'rubric.yaml'\n[tokens]\nlimit = 'many'\n[[judge]]\nname = 1\n";
    std::fs::write(folder.path().join("rubricator.toml"), text).unwrap();
    assert!(agree(folder.path(), &["rubricator.toml"]) > 2);
}
