//! The language server as an editor meets it: the built binary over its pipes.
//!
//! Prints spawn → `initialize`, cold open → first diagnostics, keystroke →
//! diagnostics of that version, and memory; each beside a yardstick of the same
//! run (starting the process at all, one `serde_json` pass over the same bytes,
//! the size of the file). Grows with: open, the bytes of the file; keystroke, the
//! bytes of the touched record; memory, the bytes of the file.
//!
//! `cargo bench --bench lsp` opens 1 and 20 MB; `RUBRICATOR_BENCH_MB=1,20,200` for more.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod corpus;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use corpus::{MARKED, Random, jsonl, median, timed};
use serde_json::{Value, json};

const URI: &str = "file:///bench/data.jsonl";
const KEYSTROKES: usize = 400;

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn spawn() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rubricator"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take().expect("a pipe in");
        let output = BufReader::with_capacity(1 << 16, child.stdout.take().expect("a pipe out"));
        Self { child, input, output }
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len())
            .expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).expect("the server writes") > 0,
                "server ended"
            );
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a whole message");
        let message: Value = serde_json::from_slice(&body).expect("JSON");
        if let (Some(id), Some(_)) = (message.get("id"), message.get("method")) {
            self.send(&json!({"jsonrpc": "2.0", "id": id, "result": null}));
        }
        message
    }

    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.receive();
            if wanted(&message) {
                return message;
            }
        }
    }

    fn initialize(&mut self) {
        self.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "processId": std::process::id(),
            "capabilities": {"general": {"positionEncodings": ["utf-16"]},
                "textDocument": {"publishDiagnostics": {"versionSupport": true}}},
            "rootUri": null}}));
        self.until(|m| m["id"] == 0);
        self.send(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
    }

    fn diagnostics_of(&mut self, version: usize) {
        self.until(|m| {
            m["method"] == "textDocument/publishDiagnostics" && m["params"]["version"] == version
        });
    }

    fn open(&mut self, text: &str) {
        self.send(&json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
            "textDocument": {"uri": URI, "languageId": "jsonl", "version": 1, "text": text}}}));
        self.diagnostics_of(1);
    }

    fn insert(&mut self, version: usize, line: usize, character: usize) {
        let at = json!({"line": line, "character": character});
        self.send(&json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": {"uri": URI, "version": version},
            "contentChanges": [{"range": {"start": at, "end": at}, "text": "x"}]}}));
        self.diagnostics_of(version);
    }

    /// Resident memory in bytes; `None` where the system does not say.
    fn memory(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0)
    }

    fn end(mut self) {
        self.send(&json!({"jsonrpc": "2.0", "id": "end", "method": "shutdown"}));
        self.until(|m| m["id"] == "end");
        self.send(&json!({"jsonrpc": "2.0", "method": "exit"}));
        let status = self.child.wait().expect("the server ends");
        assert!(status.success(), "exit after shutdown: {status}");
    }
}

fn main() {
    let bare = || {
        Command::new(env!("CARGO_BIN_EXE_rubricator"))
            .arg("--version")
            .stdout(Stdio::null())
            .status()
    };
    let start = median(|| timed(bare), 9);
    let ready = median(
        || {
            let begun = Instant::now();
            let mut server = Server::spawn();
            server.initialize();
            let seconds = begun.elapsed().as_secs_f64();
            server.end();
            seconds
        },
        9,
    );
    println!("spawn -> initialize     {:>8.2} ms   {:>5.2}x --version", ready * 1e3, ready / start);
    let sizes = std::env::var("RUBRICATOR_BENCH_MB").unwrap_or_else(|_| "1,20".to_owned());
    for megabytes in sizes.split(',').filter_map(|s| s.trim().parse::<usize>().ok()) {
        file(megabytes);
    }
}

fn file(megabytes: usize) {
    let text = jsonl(megabytes * 1_000_000);
    let parse = median(
        || {
            timed(|| {
                text.lines()
                    .map(|l| serde_json::from_str::<Value>(l).is_ok())
                    .filter(|ok| *ok)
                    .count()
            })
        },
        3,
    );
    let mut server = Server::spawn();
    server.initialize();
    let idle = server.memory();
    let open = timed(|| server.open(&text));
    let mut strokes = keystrokes(&mut server, &text);
    strokes.sort_by(f64::total_cmp);
    let at = |share: f64| strokes[((strokes.len() - 1) as f64 * share) as usize];
    println!("\n{:.1} MB, {} records", text.len() as f64 / 1e6, text.lines().count());
    println!("cold open -> findings   {:>8.1} ms   {:>5.2}x serde_json", open * 1e3, open / parse);
    println!(
        "keystroke -> findings   {:>8.3} ms p50, {:.3} ms p99, {:.3} ms max   {:>7.5}x serde_json",
        at(0.5) * 1e3,
        at(0.99) * 1e3,
        at(1.0) * 1e3,
        at(0.5) / parse
    );
    if let (Some(idle), Some(now)) = (idle, server.memory()) {
        let times = (now - idle) / text.len() as f64;
        println!(
            "memory                  {:>8.1} MB idle, {times:.2}x the file on top",
            idle / 1e6
        );
    }
    server.end();
}

/// One-character insertions in random messages of records with a finding, each
/// answered before the next.
fn keystrokes(server: &mut Server, text: &str) -> Vec<f64> {
    let mut random = Random::new(7);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut seconds = Vec::with_capacity(KEYSTROKES);
    for version in 2..KEYSTROKES + 2 {
        let line = random.below(lines.len().div_ceil(MARKED)) * MARKED;
        let record = &mut lines[line];
        // Before the record's finding, so that the finding moves and is told anew.
        let from = record.floor_char_boundary(random.below(record.len() / 2));
        let Some(found) = record[from..].find("e ") else { continue };
        let at = from + found + 1;
        let character = record[..at].encode_utf16().count();
        record.insert(at, 'x');
        seconds.push(timed(|| server.insert(version, line, character)));
    }
    seconds
}
