//! The server as a process: exit codes, a parent that dies, nothing but LSP on
//! standard output.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

fn spawn() -> Child {
    Command::new(env!("CARGO_BIN_EXE_rubricator"))
        .arg("lsp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

fn message(value: &Value) -> Vec<u8> {
    let body = value.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn initialize(process_id: Option<u32>) -> Value {
    let params = json!({"processId": process_id, "rootUri": null, "capabilities": {}});
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
}

/// Says all this, waiting for each answer, and ends the input; the exit code,
/// the answers, and whatever else was written to standard output and error.
fn run(messages: &[Value]) -> (Option<i32>, Vec<Value>, String, String) {
    let mut child = spawn();
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut answers = Vec::new();
    for value in messages {
        input.write_all(&message(value)).expect("the server reads");
        if value.get("id").is_some() {
            answers.push(receive(&mut output));
        }
    }
    drop(input);
    let (mut rest, mut log) = (String::new(), String::new());
    output.read_to_string(&mut rest).expect("UTF-8");
    child.stderr.take().expect("a pipe").read_to_string(&mut log).expect("UTF-8");
    (child.wait().expect("the server ends").code(), answers, rest, log)
}

fn receive(output: &mut impl BufRead) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).expect("a header");
    let length = line.trim().strip_prefix("Content-Length: ").expect("nothing but LSP");
    let length: usize = length.parse().expect("a number");
    output.read_line(&mut line).expect("an empty line");
    let mut body = vec![0; length];
    output.read_exact(&mut body).expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn the_process_ends_with_the_right_code_and_says_nothing_else() {
    let shutdown = json!({"jsonrpc": "2.0", "id": 2, "method": "shutdown"});
    let exit = json!({"jsonrpc": "2.0", "method": "exit"});
    let (code, answers, rest, log) = run(&[initialize(None), shutdown, exit.clone()]);
    assert_eq!((code, rest.as_str(), log.as_str()), (Some(0), "", ""));
    assert_eq!(answers[1]["result"], Value::Null);
    assert_eq!(run(&[initialize(None), exit]).0, Some(1));
    assert_eq!(run(&[initialize(None)]).0, Some(1));
    assert_eq!(run(&[]).0, Some(1));
}

#[test]
fn the_server_ends_with_the_process_that_started_it() {
    let mut parent =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat");
    let mut child = spawn();
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&message(&initialize(Some(parent.id())))).expect("the server reads");
    let mut output = child.stdout.take().expect("a pipe");
    let mut first = [0; 16];
    output.read_exact(&mut first).expect("the server answers");
    // `cat` ends with its input; ours stays open.
    drop(parent.stdin.take());
    parent.wait().expect("cat ends");
    assert_eq!(child.wait().expect("the server ends").code(), Some(1));
    drop(input);
}
