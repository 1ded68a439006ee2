//! The slow, sure oracle: what serde_json says a message's text is, for every
//! record of the examples and of the folder named by `RUBRICATOR_CORPUS`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::text::Span;
use crate::text::json::{self, DEPTH_LIMIT};

/// The records of all `.jsonl` and `.json` files under `folder`.
fn records(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        if path.is_dir() {
            records(&path, found);
        } else if extension == "jsonl" {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            found.extend(text.lines().map(str::to_owned));
        } else if extension == "json" {
            found.extend(std::fs::read_to_string(&path));
        }
    }
}

/// The texts of a record whose messages are plain strings, as serde_json reads them.
fn texts(record: &Value) -> Option<Vec<String>> {
    let side = |item: &Value, key: &str| item.get(key)?.as_str().map(str::to_owned);
    let list = |key: &str| record.get(key).and_then(Value::as_array);
    if let Some(exchanges) = list("exchanges") {
        let sides = |e: &Value| Some([side(e, "user")?, side(e, "assistant")?]);
        let texts: Option<Vec<_>> = exchanges.iter().map(sides).collect();
        return texts.map(|t| t.into_iter().flatten().collect());
    }
    let (items, key) = match list("conversations") {
        Some(items) => (items, "value"),
        None => (list("messages")?, "content"),
    };
    items.iter().map(|item| side(item, key)).collect()
}

#[test]
fn every_text_is_what_serde_json_says_and_stands_where_it_is_said_to() {
    let mut lines = Vec::new();
    records(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &mut lines);
    if let Some(corpus) = std::env::var_os("RUBRICATOR_CORPUS").map(PathBuf::from) {
        records(&corpus, &mut lines);
    }
    let mut compared = 0;
    for record in &lines {
        let sure = serde_json::from_str::<Value>(record).ok();
        let Some(expected) = sure.as_ref().and_then(texts) else { continue };
        let parsed = json::parse(record, DEPTH_LIMIT);
        let Ok(transcript) = super::read(record, &parsed).transcript else {
            panic!("no transcript in {record}");
        };
        let read: Vec<&str> = transcript.messages.iter().map(|m| m.text.as_str()).collect();
        assert_eq!(read, expected);
        for message in &transcript.messages {
            let whole = message.source_of(record, Span::new(0, message.text.len()));
            let literal = format!("\"{}\"", whole.of(record));
            assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), message.text);
        }
        compared += 1;
    }
    assert!(compared > 3, "only {compared} records could be compared");
}
