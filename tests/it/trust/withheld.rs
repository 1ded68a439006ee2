//! Text that seems to hold secrets or personal data: not sent beyond this machine
//! without the user's word.

use super::{judge, project};
use crate::cli::{Project, Ran, record};
use crate::engine::JudgeServer;

const HOST: &str = "http://judge.example/v1";

/// A judge elsewhere, which the test's server stands in for as a proxy.
fn elsewhere(setting: &str) -> Project {
    let project = project(setting);
    // What that judge costs nobody knows, so the cap has to go.
    let judge = judge("openai-compatible", &format!("base_url = '{HOST}'"));
    project.user_settings(&format!("[assess]\nmax_cost_per_run = inf\n{judge}"));
    let telling = record("b").replace("Where is the", "I am mara@postfach-nord.de, where is the");
    project.write("data/raw/a.jsonl", format!("{}\n{telling}\n", record("a")));
    project
}

fn assess(project: &Project, server: &JudgeServer, more: &[&str]) -> Ran {
    let mut command = project.command(&["assess", "--format", "jsonl"]);
    command.args(more).env("http_proxy", server.url.trim_end_matches("/v1"));
    Ran::of(command.output().unwrap())
}

fn asked(server: &JudgeServer) -> (usize, bool) {
    let asked = server.take();
    (asked.len(), asked.iter().any(|a| a.body.to_string().contains("postfach")))
}

#[test]
fn it_stays_here_until_the_user_says_so() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(JudgeServer::yes());
    let project = elsewhere("");
    let ran = assess(&project, &server, &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert_eq!(asked(&server), (1, false), "{}", ran.all());
    assert!(
        ran.err.contains("data/raw/a.jsonl:2: b seems to hold an e-mail address (exchange 1)"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("--send-sensitive"), "{}", ran.err);
    assert!(ran.out.contains("\"incomplete\"") && !ran.all().contains("postfach"), "{}", ran.all());
    let planned = project.run(&["assess", "--dry-run"]);
    assert!(planned.out.contains("1 transcript not sent"), "{}", planned.all());
    let ran = assess(&project, &server, &["--send-sensitive"]);
    assert_eq!((ran.code, asked(&server)), (Some(0), (1, true)), "{}", ran.all());
    // Answered is answered: nothing is asked, and nothing is withheld.
    let ran = assess(&project, &server, &[]);
    assert_eq!((ran.code, ran.err.as_str(), asked(&server)), (Some(0), "", (0, false)));
}

#[test]
fn the_settings_can_block_or_send() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(JudgeServer::yes());
    let blocked = elsewhere("[assess]\nsensitive_text = 'block'\n");
    let ran = assess(&blocked, &server, &["--send-sensitive"]);
    assert_eq!((ran.code, asked(&server)), (Some(3), (1, false)), "{}", ran.all());
    assert!(ran.err.contains("\"block\""), "{}", ran.err);
    let sent = elsewhere("[assess]\nsensitive_text = 'send'\n");
    let ran = assess(&sent, &server, &[]);
    assert_eq!((ran.code, asked(&server)), (Some(0), (2, true)), "{}", ran.all());
}

#[test]
fn a_judge_on_this_machine_sees_everything() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(JudgeServer::yes());
    let project = elsewhere("");
    project.user_settings(&judge("openai-compatible", &format!("base_url = '{}'", server.url)));
    let ran = assess(&project, &server, &[]);
    assert_eq!((ran.code, asked(&server)), (Some(0), (2, true)), "{}", ran.all());
}
