//! Random edits, saves, questions and cancels against a judge that is slow or
//! fails: the server's text is the client's, every request has one answer, and
//! nothing that is shown is about words that are not there.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::client::Client;
use super::desk::{Desk, no_to, record};
use crate::engine::Reply;

/// One thing a person does.
#[derive(Clone, Debug)]
enum Act {
    /// Replace a part of the text (both ends as shares of its length) by this.
    Edit(f64, f64, &'static str),
    Save,
    Hover(f64),
    Symbols,
    CancelLast,
    CancelRuns,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let pieces = prop::sample::select(vec![
        "", "x", "😀", "\\n", "\"", "\n", "{}", "no way", "\u{e9}", "\\u00e9", "}",
    ]);
    let edit = (0.0..1.0, 0.0..0.05, pieces).prop_map(|(at, len, text)| Act::Edit(at, len, text));
    prop_oneof![
        8 => edit,
        3 => Just(Act::Save),
        2 => (0.0..1.0).prop_map(Act::Hover),
        1 => Just(Act::Symbols),
        1 => Just(Act::CancelLast),
        1 => Just(Act::CancelRuns),
        1 => Just(Act::Reopen),
    ]
}

/// The client's own idea of the text, in UTF-16 as clients have it.
struct Editor {
    client: Client,
    uri: String,
    text: String,
    version: i64,
    open_requests: Vec<i64>,
}

impl Editor {
    fn position(&self, offset: usize) -> Value {
        let before = &self.text[..offset];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or("").encode_utf16().count();
        json!({"line": line, "character": column})
    }

    fn offset(&self, share: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let at = (self.text.len() as f64 * share) as usize;
        self.text.floor_char_boundary(at)
    }

    fn act(&mut self, act: &Act) {
        let document = json!({"uri": self.uri});
        match act {
            Act::Edit(at, len, text) => {
                let (start, end) = (self.offset(*at), self.offset((at + len).min(1.0)));
                let range = json!({"start": self.position(start), "end": self.position(end)});
                self.version += 1;
                self.text.replace_range(start..end, text);
                let changes = json!([{"range": range, "text": text}]);
                self.client.change(&self.uri, self.version, changes);
            }
            Act::Save => self.client.save(&self.uri),
            Act::Hover(at) => {
                let position = self.position(self.offset(*at));
                let params = json!({"textDocument": document, "position": position});
                self.open_requests.push(self.client.request("textDocument/hover", params));
            }
            Act::Symbols => {
                let params = json!({"textDocument": document});
                self.open_requests.push(self.client.request("textDocument/documentSymbol", params));
            }
            Act::CancelLast => {
                if let Some(id) = self.open_requests.last() {
                    self.client.notify("$/cancelRequest", json!({"id": id}));
                }
            }
            Act::CancelRuns => {
                let params = json!({"command": "rubricator.cancel", "arguments": []});
                self.open_requests.push(self.client.request("workspace/executeCommand", params));
            }
            Act::Reopen => {
                self.client.close(&self.uri);
                self.version += 1;
                self.client.open(&self.uri, self.version, &self.text);
            }
        }
    }

    /// Everything is answered, the texts agree, and what is shown lies in the text.
    fn check(&mut self) {
        for id in std::mem::take(&mut self.open_requests) {
            let response = self.client.response(id);
            assert!(response.get("result").is_some() || response["error"]["code"] == -32800);
        }
        let server = self.client.server_text(&self.uri);
        assert_eq!(server["text"], self.text.as_str());
        assert_eq!(server["version"], self.version);
        let settled = self.client.server_text(&self.uri);
        assert_eq!(settled["version"], self.version);
        let lines: Vec<usize> =
            self.text.split('\n').map(|line| line.encode_utf16().count()).collect();
        let (uri, version) = (self.uri.clone(), self.version);
        let shown = self.client.shown(&uri);
        if shown.version != Some(version) {
            return;
        }
        for diagnostic in &shown.diagnostics {
            let end = &diagnostic["range"]["end"];
            let line = usize::try_from(end["line"].as_u64().unwrap()).unwrap();
            let column = usize::try_from(end["character"].as_u64().unwrap()).unwrap();
            assert!(line < lines.len() && column <= lines[line], "{diagnostic} of {lines:?}");
        }
    }
}

#[test]
fn whatever_is_typed_saved_and_cancelled_the_server_agrees() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let desk = Desk::new("[assess]\ndebounce_ms = 0\n", |asked, number| match number % 5 {
        0 => Reply::Hang,
        1 => Reply::Status(400, vec![], "no"),
        2 => Reply::Text("prose".into()),
        _ => no_to("A", "no way")(asked, number),
    });
    let text = format!(
        "{}\n{}\n",
        record("t-1", "May I?", "There is no way to say \"yes\"."),
        record("t-2", "And 😀?", "Some other time.")
    );
    TestRunner::new(config)
        .run(&prop::collection::vec(act(), 1..40), |acts| {
            let capabilities = json!({"window": {"workDoneProgress": true}});
            let client = desk.client(json!({"capabilities": capabilities}));
            let uri = desk.uri("data/raw/a.jsonl");
            let mut editor =
                Editor { client, uri, text: text.clone(), version: 1, open_requests: vec![] };
            editor.client.open(&editor.uri, 1, &editor.text);
            acts.iter().for_each(|act| editor.act(act));
            editor.check();
            editor.client.forget_chatter();
            Ok(())
        })
        .unwrap();
}
