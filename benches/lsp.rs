//! The language server as an editor meets it: the built binary over its pipes.
//!
//! Prints spawn → `initialize`; cold open → first diagnostics, → all of them;
//! keystroke → diagnostics of that version, and → an answer about that version
//! where no diagnostic changes; the server's CPU time; memory. Beside them, in the
//! same run: starting the process at all, one `serde_json` pass over the same
//! bytes, the size of the file. Grows with: open, the bytes of the file; keystroke,
//! the bytes of the touched record and the number of findings shown; memory, the
//! bytes of the file.
//!
//! The typing is like typing: some letters in one place, now and then taken back,
//! then another place far away; one place in eight gets a quote that breaks its
//! record until it is taken back, one an empty line that moves all that follows.
//!
//! `cargo bench --bench lsp` opens 1, 20 and 200 MB; `RUBRICATOR_BENCH_MB=1,20` for less.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod corpus;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use corpus::{MARKED, Random, jsonl, median, timed};
use serde_json::{Value, json};

const URI: &str = "file:///bench/data.jsonl";
/// Places that are typed at, and letters at each.
const PLACES: usize = 120;
const LETTERS: usize = 10;

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: usize,
    /// The last line with a finding.
    seen: usize,
}

/// A place in the text, as the client counts.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    character: usize,
}

fn change(version: usize, at: Place, old: usize, new: &str) -> String {
    let place = |character| json!({"line": at.line, "character": character});
    json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
        "textDocument": {"uri": URI, "version": version},
        "contentChanges": [{"range": {"start": place(at.character),
            "end": place(at.character + old)}, "text": new}]}})
    .to_string()
}

/// The last line that a message has a finding of.
fn furthest(message: &Value) -> usize {
    let all = message["params"]["diagnostics"].as_array();
    let lines = all.into_iter().flatten().filter_map(|d| d["range"]["start"]["line"].as_u64());
    lines.max().map_or(0, |line| line as usize)
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
        Self { child, input, output, version: 1, seen: 0 }
    }

    fn send(&mut self, message: &Value) {
        self.send_body(&message.to_string());
    }

    fn send_body(&mut self, body: &str) {
        let mut message = format!("Content-Length: {}\r\n\r\n", body.len());
        if body.len() < 1 << 16 {
            message.push_str(body);
            self.input.write_all(message.as_bytes()).expect("the server reads");
        } else {
            self.input.write_all(message.as_bytes()).expect("the server reads");
            self.input.write_all(body.as_bytes()).expect("the server reads");
        }
    }

    fn receive_body(&mut self) -> Vec<u8> {
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
        body
    }

    fn receive(&mut self) -> Value {
        let body = self.receive_body();
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

    /// Waits for the diagnostics of a version. What an editor does with them is not
    /// our time: they are only searched for their version.
    fn until_published(&mut self, version: usize) {
        let wanted = format!("\"version\":{version},\"diagnostics\"");
        loop {
            let body = self.receive_body();
            let head = &body[..body.len().min(400)];
            if String::from_utf8_lossy(head).contains(&wanted) {
                return;
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

    fn diagnostics_of(&mut self, version: usize, enough: impl Fn(&Value) -> bool) {
        let message = self.until(|m| {
            m["method"] == "textDocument/publishDiagnostics"
                && m["params"]["version"] == version
                && enough(m)
        });
        self.seen = furthest(&message);
    }

    /// Opens a document; when the first diagnostics came, and when the last did:
    /// those that name `last`.
    fn open(&mut self, text: &str, last: usize) -> (f64, f64) {
        let message = json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
            "textDocument": {"uri": URI, "languageId": "jsonl", "version": 1, "text": text}}});
        let body = message.to_string();
        drop(message);
        let begun = Instant::now();
        self.send_body(&body);
        self.diagnostics_of(1, |_| true);
        let first = begun.elapsed().as_secs_f64();
        drop(body);
        if self.seen < last {
            self.diagnostics_of(1, |m| furthest(m) >= last);
        }
        (first, begun.elapsed().as_secs_f64())
    }

    /// Replaces `old` characters by `new`, and waits until what is shown follows.
    fn edit(&mut self, at: Place, old: usize, new: &str) -> f64 {
        self.version += 1;
        let version = self.version;
        let change = change(version, at, old, new);
        timed(|| {
            self.send_body(&change);
            self.until_published(version);
        })
    }

    /// Removes an empty line.
    fn remove_line(&mut self, line: usize) -> f64 {
        self.version += 1;
        let version = self.version;
        let ends = json!({"start": {"line": line, "character": 0},
            "end": {"line": line + 1, "character": 0}});
        let change = json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": {"uri": URI, "version": version},
            "contentChanges": [{"range": ends, "text": ""}]}})
        .to_string();
        timed(|| {
            self.send_body(&change);
            self.until_published(version);
        })
    }

    /// The same where nothing shown changes: waits for a hover of the new text.
    fn quiet_edit(&mut self, at: Place, old: usize, new: &str) -> f64 {
        self.version += 1;
        let change = change(self.version, at, old, new);
        let hover = json!({"jsonrpc": "2.0", "id": self.version, "method": "textDocument/hover",
            "params": {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 2}}})
        .to_string();
        let id = self.version;
        timed(|| {
            self.send_body(&change);
            self.send_body(&hover);
            self.until(|m| m["id"] == id);
        })
    }

    /// The last line with a finding that is shown: a file with very many shows the first.
    fn last_shown(&mut self) -> usize {
        self.send(&json!({"jsonrpc": "2.0", "id": "now", "method": "textDocument/hover",
            "params": {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 2}}}));
        loop {
            let message = self.receive();
            if message["method"] == "textDocument/publishDiagnostics" {
                self.seen = furthest(&message);
            }
            if message["id"] == "now" {
                return self.seen;
            }
        }
    }

    /// Waits until the server has been idle: all it does in the background is done.
    fn settle(&self) {
        let mut before = self.cpu();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.cpu();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// CPU time of the server so far, in seconds.
    fn cpu(&self) -> Option<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let of = |task: std::io::Result<std::fs::DirEntry>| {
            let times = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            times.split_whitespace().next()?.parse::<f64>().ok()
        };
        Some(tasks.filter_map(of).sum::<f64>() / 1e9)
    }

    /// Memory in bytes: `VmRSS` is what is held, `VmHWM` the most there was; `None`
    /// where the system does not say.
    fn memory(&self, kind: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|l| l.starts_with(kind))?;
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
    let sizes = std::env::var("RUBRICATOR_BENCH_MB").unwrap_or_else(|_| "1,20,200".to_owned());
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
    let lines = text.lines().count();
    let mut server = Server::spawn();
    server.initialize();
    server.settle();
    let idle = server.memory("VmRSS:");
    let (first, all) = server.open(&text, (lines - 1) / MARKED * MARKED);
    server.settle();
    let surveyed = server.cpu();
    println!("\n{:.1} MB, {lines} records", text.len() as f64 / 1e6);
    let ratio = |seconds: f64| seconds / parse;
    println!("cold open -> first      {:>8.1} ms   {:>5.2}x serde_json", first * 1e3, ratio(first));
    println!("cold open -> all        {:>8.1} ms   {:>5.2}x serde_json", all * 1e3, ratio(all));
    if let Some(cpu) = surveyed {
        println!("all known, CPU          {:>8.1} ms   {:>5.2}x serde_json", cpu * 1e3, ratio(cpu));
    }
    let (opened, peak) = (server.memory("VmRSS:"), server.memory("VmHWM:"));
    let typed = typing(&mut server, &text);
    report("keystroke -> findings", typed.loud);
    report("keystroke -> answer", typed.quiet);
    if let (Some(before), Some(after)) = (surveyed, server.cpu()) {
        let each = (after - before) / typed.count as f64;
        println!("CPU a keystroke         {:>8.3} ms", each * 1e3);
    }
    if let (Some(idle), Some(opened), Some(peak)) = (idle, opened, peak) {
        let times = |bytes: f64| bytes / text.len() as f64;
        let after = server.memory("VmRSS:").unwrap_or(opened);
        println!(
            "memory                  {:>8.1} MB idle, {:.1} MB open ({:.2}x the file), {:.2}x peak, \
             {:.2}x after typing",
            idle / 1e6,
            opened / 1e6,
            times(opened),
            times(peak),
            times(after)
        );
    }
    server.end();
}

fn report(what: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share) as usize] * 1e3;
    println!(
        "{what:<24}{:>8.3} ms p50, {:.3} ms p99, {:.3} ms max   ({} times)",
        at(0.5),
        at(0.99),
        at(1.0),
        seconds.len()
    );
}

/// What typing took, in seconds.
struct Typed {
    /// Until the diagnostics of that version.
    loud: Vec<f64>,
    /// Until an answer about that version, where no diagnostic changes.
    quiet: Vec<f64>,
    /// Keystrokes, with those that are in neither.
    count: usize,
}

fn typing(server: &mut Server, text: &str) -> Typed {
    let mut random = Random::new(7);
    let lines: Vec<&str> = text.lines().collect();
    let marked = server.last_shown() / MARKED + 1;
    let mut typed = Typed { loud: Vec::new(), quiet: Vec::new(), count: 0 };
    for place in 0..PLACES {
        let line = random.below(marked) * MARKED;
        if place % 8 == 5 {
            // An empty line: all findings from here on move.
            let at = Place { line, character: 0 };
            typed.loud.push(server.edit(at, 0, "\n"));
            typed.loud.push(server.remove_line(line));
        }
        // A record with a finding, before the finding: it moves with each letter.
        let at = word_end(&mut random, &lines, line);
        for letter in 0..LETTERS {
            let at = Place { character: at.character + letter, ..at };
            typed.loud.push(server.edit(at, 0, "x"));
        }
        if place % 8 == 3 {
            typed.loud.push(server.edit(at, 0, "\""));
            typed.loud.push(server.edit(at, 1, ""));
        }
        for letter in (0..LETTERS).rev() {
            let at = Place { character: at.character + letter, ..at };
            typed.loud.push(server.edit(at, 1, ""));
        }
        if line + 1 < lines.len() {
            let at = word_end(&mut random, &lines, line + 1);
            for letter in 0..LETTERS {
                let at = Place { character: at.character + letter, ..at };
                typed.quiet.push(server.quiet_edit(at, 0, "x"));
            }
            server.quiet_edit(at, LETTERS, "");
            typed.count += 1;
        }
    }
    typed.count += typed.loud.len() + typed.quiet.len();
    typed
}

/// Behind a word in the first half of a record.
fn word_end(random: &mut Random, lines: &[&str], line: usize) -> Place {
    let record = lines[line];
    let from = record.floor_char_boundary(random.below(record.len() / 2));
    let at = record[from..].find("e ").map_or(from, |found| from + found + 1);
    Place { line, character: record[..at].encode_utf16().count() }
}
