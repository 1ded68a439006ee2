//! An LSP client in the same process, over a pipe.
//!
//! Invariant: when it is dropped, every message of the server has been consumed
//! by the test; diagnostics are consumed by being shown, latest first, and must
//! never go back in version. Nothing sleeps: every wait is on a message, with one
//! overall limit.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Longer than anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the client shows for one document.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The version of the last publication.
    pub version: Option<i64>,
    /// The diagnostics.
    pub diagnostics: Vec<Value>,
}

impl Shown {
    /// `code line:character-line:character` of each, for short expectations.
    pub fn brief(&self) -> Vec<String> {
        let at = |p: &Value| format!("{}:{}", p["line"], p["character"]);
        let brief = |d: &Value| {
            let range = &d["range"];
            let code = d["code"].as_str().unwrap_or("?");
            format!("{code} {}-{}", at(&range["start"]), at(&range["end"]))
        };
        self.diagnostics.iter().map(brief).collect()
    }
}

/// A client.
pub struct Client {
    runtime: Option<Runtime>,
    output: Option<PipeWriter>,
    incoming: Receiver<Value>,
    server: Option<JoinHandle<u8>>,
    inbox: Vec<Value>,
    shown: HashMap<String, Shown>,
    /// The version each document was last opened with.
    opened: HashMap<String, i64>,
    last_id: i64,
    chatty: bool,
    /// Answer the server's requests with null at once (as most clients do).
    pub obliging: bool,
}

impl Client {
    /// A client that has said nothing yet.
    pub fn silent() -> Self {
        Self::with(rubricator::server::Options::default())
    }

    /// The same, to a server that was told this.
    pub fn with(options: rubricator::server::Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (server_input, output) = std::io::pipe().expect("a pipe");
        let (input, server_output) = std::io::pipe().expect("a pipe");
        let server = runtime.spawn(rubricator::server::serve(server_input, server_output, options));
        let (sender, incoming) = mpsc::channel();
        std::thread::spawn(move || {
            let mut input = BufReader::new(input);
            while let Some(message) = read_message(&mut input) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            runtime: Some(runtime),
            output: Some(output),
            incoming,
            server: Some(server),
            inbox: Vec::new(),
            shown: HashMap::new(),
            opened: HashMap::new(),
            last_id: 0,
            chatty: false,
            obliging: true,
        }
    }

    /// A client that has been through `initialize`; `params` are merged over the least there is.
    pub fn start(params: Value) -> Self {
        let mut client = Self::silent();
        client.initialize(params);
        client
    }

    /// A client that counts columns in UTF-8 and says nothing else of itself.
    pub fn utf8() -> Self {
        Self::start(json!({"capabilities": {"general": {"positionEncodings": ["utf-8"]}}}))
    }

    /// `initialize` and `initialized`; the server's answer.
    pub fn initialize(&mut self, params: Value) -> Value {
        let mut all = json!({"processId": null, "rootUri": null, "capabilities": {}});
        if let (Some(all), Value::Object(params)) = (all.as_object_mut(), params) {
            all.extend(params);
        }
        let answer = self.ask("initialize", all);
        self.notify("initialized", json!({}));
        answer
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request; its id.
    pub fn request(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&request);
        id
    }

    /// Sends a request and waits for its result.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        let response = self.response(id);
        assert!(response.get("error").is_none(), "{method} failed: {response}");
        response["result"].clone()
    }

    /// Waits for the response with this id.
    pub fn response(&mut self, id: i64) -> Value {
        self.take(|m| m["id"] == id && m.get("method").is_none())
    }

    /// Waits for a notification or request of the server.
    pub fn message(&mut self, method: &str) -> Value {
        self.take(|m| m["method"] == method)
    }

    /// Answers a request of the server.
    pub fn respond(&mut self, id: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }

    /// Opens a document.
    pub fn open(&mut self, uri: &str, version: i64, text: &str) {
        self.opened.insert(uri.to_owned(), version);
        let document = json!({"uri": uri, "languageId": "x", "version": version, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Edits a document: `changes` as the protocol has them.
    pub fn change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({"uri": uri, "version": version});
        let params = json!({"textDocument": document, "contentChanges": changes});
        self.notify("textDocument/didChange", params);
    }

    /// Types `text` at a place.
    pub fn insert(&mut self, uri: &str, version: i64, line: u32, character: u32, text: &str) {
        let at = json!({"line": line, "character": character});
        self.change(uri, version, json!([{"range": {"start": at, "end": at}, "text": text}]));
    }

    /// Closes a document.
    pub fn close(&mut self, uri: &str) {
        self.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    }

    /// Saves a document.
    pub fn save(&mut self, uri: &str) {
        self.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    }

    /// The text as the server has it.
    pub fn server_text(&mut self, uri: &str) -> Value {
        self.ask("rubricator/debugText", json!({"uri": uri}))
    }

    /// Waits until what is shown for a document is as wanted.
    pub fn shows(&mut self, uri: &str, wanted: impl Fn(&Shown) -> bool) -> Shown {
        let began = Instant::now();
        loop {
            let shown = self.shown.get(uri).cloned().unwrap_or_default();
            if wanted(&shown) {
                return shown;
            }
            let message = self.receive(began).unwrap_or_else(|| {
                panic!("never shown for {uri}; last: v{:?} {:?}", shown.version, shown.brief())
            });
            self.inbox.extend(message);
        }
    }

    /// What is shown for a document now.
    pub fn shown(&self, uri: &str) -> Shown {
        self.shown.get(uri).cloned().unwrap_or_default()
    }

    /// Takes messages to the user and progress for read: a test that does random
    /// things cannot tell which there will be.
    pub fn forget_chatter(&mut self) {
        self.chatty = true;
    }

    /// Ends the server as the protocol wants it; its exit code.
    pub fn leave(mut self) -> u8 {
        self.ask("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.end()
    }

    /// Ends the input without a word; the exit code.
    pub fn vanish(mut self) -> u8 {
        drop(self.output.take());
        self.end()
    }

    fn end(&mut self) -> u8 {
        let server = self.server.take().expect("still running");
        let runtime = self.runtime.take().expect("still running");
        let code = runtime.block_on(async { tokio::time::timeout(PATIENCE, server).await });
        runtime.shutdown_background();
        code.expect("the server ends").expect("the server does not panic")
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let text = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let output = self.output.as_mut().expect("connected");
        output.write_all(text.as_bytes()).expect("the server reads");
    }

    fn take(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            if let Some(at) = self.inbox.iter().position(&wanted) {
                return self.inbox.remove(at);
            }
            let message = self
                .receive(began)
                .unwrap_or_else(|| panic!("the message never came; waiting are {:?}", self.inbox));
            self.inbox.extend(message);
        }
    }

    /// The next message: `Some(None)` when it was dealt with here, `None` when
    /// patience is at an end.
    fn receive(&mut self, began: Instant) -> Option<Option<Value>> {
        let left = PATIENCE.saturating_sub(began.elapsed());
        let message = self.incoming.recv_timeout(left).ok()?;
        if message["method"] == "textDocument/publishDiagnostics" {
            self.show(&message["params"]);
            return Some(None);
        }
        let is_request = message.get("id").is_some() && message.get("method").is_some();
        if is_request && self.obliging {
            let id = message["id"].clone();
            self.respond(&id, Value::Null);
            return Some(None);
        }
        Some(Some(message))
    }

    fn show(&mut self, params: &Value) {
        let uri = params["uri"].as_str().expect("a uri").to_owned();
        let version = params["version"].as_i64();
        let diagnostics = params["diagnostics"].as_array().expect("a list").clone();
        let before = self.shown.get(&uri).and_then(|s| s.version);
        if let (Some(before), Some(version)) = (before, version) {
            // Opening a document anew starts its versions anew.
            let reopened = self.opened.get(&uri) == Some(&version);
            let fresh = version >= before || reopened;
            assert!(fresh, "{uri}: version {version} was shown after {before}");
        }
        self.shown.insert(uri, Shown { version, diagnostics });
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if self.server.is_some() {
            self.ask("shutdown", Value::Null);
            self.notify("exit", Value::Null);
            assert_eq!(self.end(), 0, "the exit code after shutdown");
        }
        let chatter = ["window/showMessage", "$/progress"];
        let quiet = |m: &Value| {
            let method = m["method"].as_str().unwrap_or("");
            method == "rubricator/status"
                || self.chatty && (chatter.contains(&method) || m.get("id").is_some())
        };
        let mut left: Vec<Value> = std::mem::take(&mut self.inbox);
        left.extend(self.incoming.try_iter());
        left.retain(|m| !quiet(m) && m["method"] != "textDocument/publishDiagnostics");
        assert!(left.is_empty(), "nobody looked at {left:?}");
    }
}

fn read_message(input: &mut BufReader<PipeReader>) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse::<usize>().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length?];
    input.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
