//! No byte of a key anywhere: a judge repeats it in errors, in reasoning, in
//! quotes and in escapes, the log is at its loudest, and every byte that came out
//! of it is searched.

use std::path::Path;

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
    let said = format!("you called me with {KEY}");
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
    for word in [KEY, &escaped()] {
        let mut found = Vec::new();
        files_with(Path::new(&project.path(".")), word, &mut found);
        files_with(project.home(), word, &mut found);
        assert_eq!(found, [""; 0], "{word}");
    }
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
