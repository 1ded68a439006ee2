//! No byte of a key anywhere: a judge repeats it in errors, in reasoning, in
//! quotes and in escapes, the log is at its loudest, and every byte that came out
//! of it is searched.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use rubricator::cli::style::is_unsafe;

use serde_json::{Value, json};

use super::{files_with, judge, project};
use crate::cli::{Project, Ran, record};
use crate::engine::{Asked, JudgeServer, Reply};

const KEY: &str = "Zk4-w7Qp9xTn2vLm8sRc";

/// The key as a model may write it into JSON.
fn escaped() -> String {
    KEY.bytes().map(|b| format!("\\u{b:04x}")).collect()
}

/// Repeats the key in every way there is.
fn parrot(asked: &Asked, number: usize) -> Reply {
    let said = format!("you called me with {KEY}\u{9b}31m\u{202e}\u{1b}[2J\u{7f}");
    let error = |status, code: &str| {
        let body = json!({"error": {"message": said, "type": code, "code": KEY}});
        let text: &'static str = Box::leak(body.to_string().into_boxed_str());
        let header: &'static str = Box::leak(KEY.to_owned().into_boxed_str());
        Reply::Status(status, vec![("x-request-id", header), ("www-authenticate", header)], text)
    };
    match number % 6 {
        0 => error(400, "invalid_request_error"),
        1 => Reply::Body(format!("<html>{KEY}</html>")),
        2 => {
            let answers: Vec<String> = asked.criteria.iter().map(|id| {
                let quote = escaped();
                format!(r#""{id}":{{"reasoning":"it is {quote}","evidence":[{{"exchange":1,"quote":"{quote}"}}],"answer":"NO"}}"#)
            }).collect();
            Reply::Text(format!("{{{}}}", answers.join(",")))
        }
        3 => Reply::Body(
            json!({"choices": [{"message": {"content": null, "refusal": said}}]}).to_string(),
        ),
        4 => Reply::Text(said),
        _ => {
            let answer = json!({"reasoning": said, "evidence": [{"exchange": 1, "quote": KEY}], "answer": "NO"});
            let answers = asked.criteria.iter().map(|id| (id.clone(), answer.clone()));
            Reply::Text(Value::Object(answers.collect()).to_string())
        }
    }
}

/// No file of the project or of the user holds the key.
fn nowhere(project: &Project) {
    for word in [KEY, &escaped()] {
        let mut found = Vec::new();
        files_with(Path::new(&project.path(".")), word, &mut found);
        files_with(project.home(), word, &mut found);
        assert_eq!(found, [""; 0], "{word}");
    }
}

fn assess(project: &Project, more: &[&str]) -> Ran {
    let mut command =
        project.command(&["assess", "-vvv", "--checkpoint", "c.jsonl", "--record", "r.jsonl"]);
    command
        .args(more)
        .env("JUDGE_KEY", KEY)
        .env("RUST_LOG", "trace")
        .env("RUBRICATOR_LOG", "trace");
    Ran::of(command.output().unwrap())
}

#[test]
fn a_full_run_leaves_no_key_behind() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(JudgeServer::start(parrot));
    let more =
        format!("base_url = '{}'\napi_key_env = 'JUDGE_KEY'\nmax_concurrency = 1", server.url);
    let project = project(&judge("openai-compatible", &more));
    let lines: Vec<String> = (0..12).map(|n| record(&format!("t{n}"))).collect();
    project.write("data/raw/a.jsonl", lines.join("\n") + "\n");
    let mut said = String::new();
    for format in ["text", "json", "jsonl"] {
        let ran = assess(&project, &["--format", format]);
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        said += &ran.all();
    }
    said += &assess(&project, &["--dry-run"]).all();
    let asked = server.take();
    assert!(asked.iter().all(|a| a.authorization == Some(format!("Bearer {KEY}"))));
    assert!(asked.len() > 12);
    for arguments in
        [&["status", "--config"][..], &["store", "export", "e.jsonl"], &["store", "export", "-"]]
    {
        said += &project.run(arguments).all();
    }
    assert!(said.contains("[key]"), "the judge's words came through");
    assert!(said.contains("TRACE"), "the log was at its loudest");
    assert!(!said.contains(KEY) && !said.contains(&escaped()), "in what was printed");
    let obeyed = said.chars().find(|c| *c != '\n' && is_unsafe(*c));
    assert_eq!(obeyed, None, "a terminal would obey it");
    nowhere(&project);
    let mut kept = Vec::new();
    files_with(&project.path("."), "[key]", &mut kept);
    assert!(kept.iter().any(|file| file.contains("store.db")), "{kept:?}");
    assert!(kept.iter().any(|file| file.contains("r.jsonl")), "{kept:?}");
}

#[test]
fn a_redirect_takes_no_key_along_and_no_proxy_sees_this_machine() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let trap = super::Trap::new();
    let target: &'static str = Box::leak(format!("{}/v1", trap.url()).into_boxed_str());
    let server = runtime.block_on(JudgeServer::start(move |_, number| {
        let status = [301, 302, 303, 307, 308][number % 5];
        Reply::Status(status, vec![("location", target)], "")
    }));
    let more = format!("base_url = '{}'\napi_key_env = 'JUDGE_KEY'", server.url);
    let project = project(&judge("openai-compatible", &more));
    let lines: Vec<String> = (0..5).map(|n| record(&format!("t{n}"))).collect();
    project.write("data/raw/a.jsonl", lines.join("\n") + "\n");
    let mut command = project.command(&["assess"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, trap.url());
    }
    let ran = Ran::of(command.env("JUDGE_KEY", KEY).output().unwrap());
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert_eq!(server.take().len(), 5);
    assert_eq!(trap.connections(), 0);
}

/// The real server, and every byte of what it says.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    log: std::thread::JoinHandle<String>,
    said: String,
}

impl Server {
    fn start(project: &Project) -> Self {
        let mut command = project.command(&["lsp", "-vvv"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("JUDGE_KEY", KEY).env("RUST_LOG", "trace").env("RUBRICATOR_LOG", "trace");
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        Self { child, input, output: BufReader::new(output), log, said: String::new() }
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// The next message that is this, all requests on the way answered with null.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut header = String::new();
            self.output.read_line(&mut header).unwrap();
            let length = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
            let mut body = vec![0; length];
            self.output.read_line(&mut header).unwrap();
            self.output.read_exact(&mut body).unwrap();
            let message: Value = serde_json::from_slice(&body).unwrap();
            // Also what an editor sees, whatever was escaped on the way.
            self.said += &format!("{header}{}{message:?}", String::from_utf8(body).unwrap());
            if let (Some(id), Some(_)) = (message.get("id"), message.get("method")) {
                self.send(&json!({"jsonrpc": "2.0", "id": id, "result": null}));
            }
            if wanted(&message) {
                return message;
            }
        }
    }

    fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.until(|m| m["id"] == id && m.get("method").is_none())
    }

    /// Everything it said, and its log.
    fn end(mut self) -> (String, String) {
        self.ask(99, "shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.output.read_to_string(&mut self.said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        (self.said, self.log.join().unwrap())
    }
}

#[test]
fn a_session_of_the_real_server_leaves_no_key_behind() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(JudgeServer::start(parrot));
    let more =
        format!("base_url = '{}'\napi_key_env = 'JUDGE_KEY'\nmax_concurrency = 1", server.url);
    let project = project(&judge("openai-compatible", &more));
    let lines: Vec<String> = (0..12).map(|n| record(&format!("t{n}"))).collect();
    let text = lines.join("\n") + "\n";
    project.write("data/raw/a.jsonl", &text);
    let uri = |name: &str| format!("file://{}", project.path(name).display());
    let file = uri("data/raw/a.jsonl");

    let mut client = Server::start(&project);
    let capabilities = json!({"window": {"workDoneProgress": true}});
    let options = json!({"trusted": true});
    let start = json!({"processId": null, "rootUri": uri(""), "capabilities": capabilities,
        "initializationOptions": options});
    client.ask(1, "initialize", start);
    client.notify("initialized", json!({}));
    for (name, language) in [("rubricator.toml", "toml"), ("data/raw/a.jsonl", "jsonl")] {
        let item = json!({"uri": uri(name), "languageId": language, "version": 1,
            "text": project.read(name)});
        client.notify("textDocument/didOpen", json!({"textDocument": item}));
    }
    client.notify("textDocument/didSave", json!({"textDocument": {"uri": file}}));
    let status = |running: bool| {
        move |m: &Value| m["method"] == "rubricator/status" && m["params"]["running"] == running
    };
    client.until(status(true));
    client.until(status(false));
    let document = json!({"uri": file});
    client.ask(2, "textDocument/codeLens", json!({"textDocument": document}));
    for line in 0..12 {
        let at = json!({"textDocument": document, "position": {"line": line, "character": 1}});
        client.ask(100 + line, "textDocument/hover", at);
        let target = json!({"uri": file, "transcript": format!("t{line}")});
        let command = json!({"command": "rubricator.explain", "arguments": [target]});
        client.ask(200 + line, "workspace/executeCommand", command);
    }
    for line in 0..8 {
        let at = json!({"textDocument": {"uri": uri("rubricator.toml")},
            "position": {"line": line, "character": 1}});
        client.ask(300 + line, "textDocument/hover", at);
    }
    let (said, log) = client.end();
    let asked = server.take();
    assert!(asked.len() >= 12, "{}", asked.len());
    assert!(asked.iter().all(|a| a.authorization == Some(format!("Bearer {KEY}"))));
    assert!(said.contains("[key]"), "the judge's words came through");
    assert!(log.contains("TRACE"), "the log was at its loudest");
    for all in [&said, &log] {
        assert!(!all.contains(KEY) && !all.contains(&escaped()));
    }
    let obeyed = log.chars().find(|c| *c != '\n' && is_unsafe(*c));
    assert_eq!(obeyed, None, "a terminal would obey the log");
    nowhere(&project);
}
