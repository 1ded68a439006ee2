//! Two editors and a command line at once in one project: real processes, real files.
//! Nothing that anybody said, and no answer that was paid for, is lost.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::desk::{Desk, no_to, record};

const FILE: &str = "data/raw/a.jsonl";
/// Records that each of the three writes.
const EACH: usize = 8;

fn rubricator(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rubricator"));
    let home = desk.dir.path().join("home");
    command.args(arguments).current_dir(desk.dir.path());
    command.env("HOME", &home).env("XDG_DATA_HOME", home.join("data"));
    command.env("XDG_CONFIG_HOME", home.join("config"));
    command
}

/// A server, and an editor that answers every request of it with null.
struct Editor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: i64,
}

impl Editor {
    fn start(desk: &Desk) -> Self {
        let mut command = rubricator(desk, &["lsp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut editor = Self { child, input, output, last: 0 };
        editor.ask("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}}));
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive();
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
            if message.get("id").is_some() && message.get("method").is_some() {
                self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": null}));
            }
        }
    }

    fn receive(&mut self) -> Value {
        let (mut line, mut empty) = (String::new(), String::new());
        self.output.read_line(&mut line).expect("a header");
        self.output.read_line(&mut empty).expect("an empty line");
        let length = line.trim().strip_prefix("Content-Length: ").expect("nothing but LSP");
        let mut body = vec![0; length.parse().expect("a number")];
        self.output.read_exact(&mut body).expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Opens the file, saves it, which assesses it, and reviews it.
    fn work(mut self, name: &str, uri: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": "jsonl", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
        self.tell("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
        for number in 0..EACH {
            let argument = json!({
                "uri": uri, "transcript": format!("t-{number}"), "say": "reject",
                "note": format!("{name} {number}"),
            });
            let params = json!({"command": "rubricator.review", "arguments": [argument]});
            loop {
                let answer = self.ask("workspace/executeCommand", params.clone());
                if answer["accepted"] == true {
                    break;
                }
                // Until the rubric is read there is nothing to bind a record to.
                let reason = answer["reason"].as_str().expect("a reason");
                assert!(reason.contains("no project with a rubric"), "{reason}");
            }
        }
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.child.wait().expect("it ends").success());
    }
}

fn notes(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("data/reviews.jsonl")).expect("there are reviews");
    let note = |line: &str| {
        let record: Value = serde_json::from_str(line).expect("no line is torn");
        record["note"].as_str().expect("a note").to_owned()
    };
    let mut notes: Vec<String> = text.lines().map(note).collect();
    notes.sort();
    notes
}

#[test]
fn two_editors_and_a_command_line_lose_nothing() {
    let desk = Desk::new("", no_to("A", "x"));
    let records =
        (0..EACH).map(|n| record(&format!("t-{n}"), "One?", &format!("Reply {n}.")) + "\n");
    let text: String = records.collect();
    desk.write(FILE, &text);
    let uri = desk.uri(FILE);
    std::thread::scope(|scope| {
        for name in ["left", "right"] {
            let (desk, uri, text) = (&desk, &uri, &text);
            scope.spawn(move || Editor::start(desk).work(name, uri, text));
        }
        scope.spawn(|| {
            let mut assessing = rubricator(&desk, &["assess"]);
            let mut assessing =
                assessing.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            for number in 0..EACH {
                let (id, note) = (format!("t-{number}"), format!("line {number}"));
                let ran = rubricator(&desk, &["review", "accept", &id, "--note", &note]).output();
                assert!(ran.expect("it runs").status.success());
            }
            assert_eq!(assessing.wait().expect("it ends").code(), Some(1), "all of them fail A");
        });
    });
    let said = |name: &'static str| (0..EACH).map(move |number| format!("{name} {number}"));
    let mut wanted: Vec<String> = ["left", "right", "line"].into_iter().flat_map(said).collect();
    wanted.sort();
    assert_eq!(notes(desk.dir.path()), wanted);
    // Whoever asked, every answer was kept: nothing is left to ask.
    desk.asked();
    let again = rubricator(&desk, &["assess", "--format", "json"]).output().expect("it runs");
    let cards: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    let cached = |card: &Value| card["judges"][0]["cached"] == true;
    assert!(cards.as_array().expect("a list").iter().all(cached), "{cards}");
    assert_eq!((cards.as_array().map(Vec::len), desk.asked()), (Some(EACH), Vec::new()));
}
