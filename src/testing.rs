//! Fixtures that read like a conversation, for the tests of every part.
//!
//! ```text
//! system: Be kind.
//! user: Hello
//! there
//! assistant: Hi!
//! ```
//! A line that starts no message goes on with the one before. The record made
//! of it has the `messages` shape and the id `t`.

use crate::text::escape::{self, Style};
use crate::text::json::{self, DEPTH_LIMIT};
use crate::transcript::{self, Transcript};

/// The record and the transcript a fixture stands for.
pub(crate) fn transcript(fixture: &str) -> (String, Transcript) {
    let record = record(fixture);
    let transcript = read(&record);
    (record, transcript)
}

/// The `messages` record a fixture stands for.
pub(crate) fn record(fixture: &str) -> String {
    let mut messages: Vec<(&str, String)> = Vec::new();
    for line in fixture.lines().map(str::trim_start) {
        let start = line
            .split_once(':')
            .filter(|(role, _)| matches!(*role, "system" | "user" | "assistant" | "tool"));
        match (start, messages.last_mut()) {
            (Some((role, text)), _) => messages.push((role, text.trim().to_owned())),
            (None, Some((_, text))) => {
                text.push('\n');
                text.push_str(line.trim_end());
            }
            (None, None) => {}
        }
    }
    let written: Vec<String> = messages
        .iter()
        .map(|(role, text)| {
            let text = escape::encode(text.trim_end(), Style::default());
            format!(r#"{{"role": "{role}", "content": "{text}"}}"#)
        })
        .collect();
    format!(r#"{{"id": "t", "messages": [{}]}}"#, written.join(", "))
}

/// The transcript of a record that holds one.
pub(crate) fn read(record: &str) -> Transcript {
    let json = json::parse(record, DEPTH_LIMIT);
    transcript::read(record, &json).transcript.expect("the record holds a transcript")
}
