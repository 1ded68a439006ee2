//! Claude Code as a judge: a script in its place prints what it would print.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rubricator::config::{Judge, Provider};
use rubricator::engine::ledger::{self, Ledger};
use rubricator::engine::{AssessJob, Engine, EngineOptions, Trust};
use tokio_util::sync::CancellationToken;

use super::{Ran, Wire, World, common, detail, job, judge_of, run};
use crate::engine::run_until;

const ANSWER: &str = r#"{"A":{"reasoning":"r","evidence":[],"answer":"YES"},"B":{"reasoning":"r","evidence":[],"answer":"YES"},"G":{"reasoning":"r","evidence":[],"answer":"YES"}}"#;

/// A script in the world's folder.
fn script(world: &World, text: &str) -> PathBuf {
    let path = world.project().join("stub-claude");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn judge_by(program: &Path) -> Judge {
    Judge {
        provider: Provider::ClaudeCli,
        model: "claude-haiku-5-5".into(),
        base_url: None,
        api_key_env: None,
        command: Some(vec![program.to_string_lossy().into_owned()]),
        ..judge_of(Wire::Anthropic, "")
    }
}

/// What comes of a program that prints this and ends so.
async fn printed(output: &str, errors: &str, code: u8) -> Ran {
    let world = World::new();
    let (out, err) = (world.project().join("out"), world.project().join("err"));
    std::fs::write(&out, output).unwrap();
    std::fs::write(&err, errors).unwrap();
    let text = format!(
        "cat >/dev/null; cat '{}'; cat '{}' >&2; exit {code}",
        out.display(),
        err.display()
    );
    let judge = judge_by(&script(&world, &text));
    let job = job(&world, 1, judge);
    let ran = run(&world.engine(), job.clone()).await;
    let stored = world.engine().recall(&job).len();
    assert_eq!(stored, ran.summary.answered);
    ran
}

fn envelope(members: &str) -> String {
    format!(
        r#"{{"type":"result",{members},"num_turns":2,"session_id":"s","total_cost_usd":0.0025,"usage":{{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":7}},"permission_denials":[]}}"#
    )
}

#[tokio::test]
async fn an_answer_is_the_structured_output() {
    let text = envelope(&format!(
        r#""subtype":"success","is_error":false,"result":"x","structured_output":{ANSWER},"stop_reason":"tool_use","terminal_reason":"completed","api_error_status":null"#
    ));
    let ran = printed(&text, "a warning", 0).await;
    assert_eq!(common(&ran), "YES");
    assert_eq!((ran.summary.input_tokens, ran.summary.output_tokens), (100, 7));
}

#[tokio::test]
async fn every_ending_is_told_by_what_is_printed() {
    let api = |status: u16, kind: &str, said: &str| {
        envelope(&format!(
            r#""subtype":"success","is_error":true,"api_error_status":{status},"api_error_type":"{kind}","terminal_reason":"api_error","result":"{said}""#
        ))
    };
    let cases = [
        (
            envelope(r#""subtype":"success","is_error":false,"result":"I think it is fine.""#),
            0,
            "malformed",
            "answered in prose",
        ),
        (
            envelope(
                r#""subtype":"error_max_structured_output_retries","is_error":true,"errors":["Failed to provide valid structured output after 5 attempts"]"#,
            ),
            1,
            "malformed",
            "after 5 attempts",
        ),
        (
            envelope(r#""subtype":"error_max_turns","is_error":true,"errors":[]"#),
            1,
            "malformed",
            "error_max_turns",
        ),
        (
            envelope(
                r#""subtype":"error_max_budget_usd","is_error":true,"errors":["Reached maximum budget"]"#,
            ),
            1,
            "malformed",
            "maximum budget",
        ),
        (
            api(401, "authentication_error", "API Error: 401 invalid x-api-key"),
            1,
            "provider-error",
            "key was not accepted",
        ),
        (api(400, "invalid_request_error", "API Error: 400 bad"), 1, "provider-error", "400 bad"),
        (
            api(404, "not_found_error", "API Error: 404 model: x"),
            1,
            "provider-error",
            "no such model",
        ),
        (
            api(529, "overloaded_error", "API Error: 529 Overloaded."),
            1,
            "provider-error",
            "529 Overloaded",
        ),
        (
            envelope(
                r#""subtype":"success","is_error":true,"api_error_status":429,"api_error":"usage_limit_reached","result":"You've hit your session limit · resets 9:36am (UTC)""#,
            ),
            1,
            "out-of-quota",
            "resets 9:36am",
        ),
        (
            envelope(
                r#""subtype":"success","is_error":true,"stop_reason":"refusal","api_error_status":null,"result":"API Error: safeguards flagged this message""#,
            ),
            1,
            "refused",
            "safeguards",
        ),
        (
            envelope(
                r#""subtype":"success","is_error":true,"terminal_reason":"api_error","api_error_status":null,"result":"Not logged in · Please run /login""#,
            ),
            1,
            "provider-error",
            "key was not accepted",
        ),
        (String::new(), 1, "provider-error", "--json-schema is not valid JSON"),
        (String::new(), 0, "malformed", "printed no result"),
    ];
    for (output, code, outcome, words) in cases {
        let ran = printed(&output, "Error: --json-schema is not valid JSON: x", code).await;
        assert_eq!(common(&ran), outcome, "{output}");
        assert!(detail(&ran).contains(words), "{output}: {}", detail(&ran));
    }
}

/// What the program says it cost is what the ledger says, whatever came of it, and
/// not what its tokens would cost by the list.
#[tokio::test]
async fn what_it_cost_is_what_it_says_itself() {
    let answered = envelope(&format!(
        r#""subtype":"success","is_error":false,"structured_output":{ANSWER},"stop_reason":"tool_use""#
    ));
    let overloaded = envelope(
        r#""subtype":"success","is_error":true,"api_error_status":529,"result":"API Error: 529 Overloaded.""#,
    );
    // Asked three times at most.
    for (output, code, outcome, calls) in
        [(answered, 0, "YES", 1_u32), (overloaded, 1, "provider-error", 3)]
    {
        let world = World::new();
        let out = world.project().join("out");
        std::fs::write(&out, output).unwrap();
        let text = format!("cat >/dev/null; cat '{}'; exit {code}", out.display());
        let job = job(&world, 1, judge_by(&script(&world, &text)));
        let budget = job.spending.budget.clone();
        let ran = run(&world.engine(), job).await;
        let usd = 0.0025 * f64::from(calls);
        assert_eq!(common(&ran), outcome);
        assert!((ran.summary.cost.unwrap() - usd).abs() < 1e-9, "{:?}", ran.summary);
        assert!((budget.spent() - usd).abs() < 1e-9, "{}", budget.spent());
        let file = world.dir.path().join("user").join(ledger::FILE);
        let all = Ledger::read(&file, Some(world.project()), ledger::now()).unwrap().of_project();
        assert_eq!((all.all.calls, all.all.unpriced), (u64::from(calls), 0));
        assert_eq!((all.all.input, all.all.output), (100 * all.all.calls, 7 * all.all.calls));
        assert!((all.all.usd - usd).abs() < 1e-9);
    }
}

/// A script that writes down what it was given.
async fn given(tune: impl FnOnce(&mut Judge)) -> (String, String, String, String) {
    let world = World::new();
    let dir = world.project().display().to_string();
    let text = format!(
        "cat >'{dir}/stdin'; env >'{dir}/env'; pwd >'{dir}/pwd'\nfor a in \"$@\"; do printf '%s\\n--\\n' \"$a\"; done >'{dir}/args'\nexit 1"
    );
    let mut judge = judge_by(&script(&world, &text));
    tune(&mut judge);
    run(&world.engine(), job(&world, 1, judge)).await;
    let read = |name: &str| std::fs::read_to_string(world.project().join(name)).unwrap();
    (read("args"), read("stdin"), read("env"), read("pwd"))
}

/// The arguments, the texts among them cut.
fn flags(arguments: &str) -> String {
    let short = |text: &str| match text {
        _ if text.len() > 40 => "(text)".to_owned(),
        _ if text.parse::<f64>().is_ok_and(|usd| usd > 0.0) => "(usd)".to_owned(),
        _ => text.to_owned(),
    };
    let all: Vec<String> = arguments.split("\n--\n").map(|text| short(text.trim_end())).collect();
    all.join(" | ")
}

#[tokio::test]
async fn the_prompt_goes_to_its_input_and_no_tool_is_given() {
    let (arguments, input, variables, folder) = given(|_| {}).await;
    expect_test::expect!["-p | --safe-mode | --model | claude-haiku-5-5 | --tools |  | --system-prompt | (text) | --output-format | json | --json-schema | (text) | --no-session-persistence | --max-budget-usd | (usd) | "].assert_eq(&flags(&arguments));
    assert!(input.contains("Question 0?") && !arguments.contains("Question 0?"));
    for expected in [
        "DISABLE_AUTOUPDATER=1",
        "DISABLE_TELEMETRY=1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
        "API_TIMEOUT_MS=60000",
    ] {
        assert!(variables.lines().any(|line| line == expected), "{expected}");
    }
    assert!(!variables.contains("sk-test") && !variables.contains("ANTHROPIC_BASE_URL"));
    assert!(folder.trim_end().ends_with("user/claude-cli"), "{folder}");
}

#[tokio::test]
async fn a_key_is_given_as_a_variable_and_then_alone_counts() {
    let (arguments, _, variables, _) = given(|judge| {
        judge.api_key_env = Some("TEST_KEY".into());
        judge.effort = Some("low".into());
        judge.max_tokens = Some(900);
    })
    .await;
    expect_test::expect!["-p | --bare | --model | claude-haiku-5-5 | --effort | low | --tools |  | --system-prompt | (text) | --output-format | json | --json-schema | (text) | --no-session-persistence | --max-budget-usd | (usd) | "].assert_eq(&flags(&arguments));
    assert!(!arguments.contains("sk-test"));
    assert!(variables.lines().any(|line| line == "ANTHROPIC_API_KEY=sk-test"));
    assert!(variables.lines().any(|line| line == "CLAUDE_CODE_MAX_OUTPUT_TOKENS=900"));
}

#[tokio::test]
async fn without_trust_no_program_runs() {
    for trust in [Trust::Unsaid, Trust::Denied] {
        for base_url in [None, Some("http://127.0.0.1:1/v1".to_owned())] {
            let world = World::new();
            let mark = world.project().join("ran");
            let mut judge = judge_by(&script(&world, &format!("touch '{}'", mark.display())));
            judge.base_url = base_url;
            let job = AssessJob { trust, ..job(&world, 1, judge) };
            assert_eq!(common(&run(&world.engine(), job).await), "untrusted");
            assert!(!mark.exists());
        }
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_stops_the_judge() {
    let world = World::new();
    let ran = run(&world.engine(), job(&world, 3, judge_by(Path::new("/nowhere/claude")))).await;
    assert_eq!(ran.notices().len(), 1);
    assert!(ran.notices()[0].contains("install Claude Code"), "{:?}", ran.notices());
}

#[tokio::test]
async fn a_program_that_prints_without_end_is_cut() {
    let world = World::new();
    let judge = judge_by(&script(&world, "exec yes"));
    let ran = run(&world.engine(), job(&world, 1, judge)).await;
    assert_eq!(common(&ran), "malformed");
    assert!(detail(&ran).contains("prints too much"), "{}", detail(&ran));
}

/// A script that starts another, says so, and never ends; the pipe it says it in
/// closes when both are gone.
struct Lingering {
    judge: Judge,
    heard: tokio::net::unix::pipe::Receiver,
}

fn lingering(world: &World) -> Lingering {
    let pipe = world.project().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let text = format!("exec 9>'{}'; sleep 1000 & printf started >&9; wait", pipe.display());
    let judge = judge_by(&script(world, &text));
    let heard = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&pipe).unwrap();
    Lingering { judge, heard }
}

impl Lingering {
    async fn started(&mut self) {
        let mut word = [0; 7];
        loop {
            self.heard.readable().await.unwrap();
            match self.heard.try_read(&mut word) {
                Ok(7) => return,
                Ok(0) | Err(_) => tokio::task::yield_now().await,
                Ok(n) => panic!("{n} bytes"),
            }
        }
    }

    /// Nobody holds the pipe any more.
    async fn gone(&mut self) {
        let mut rest = [0; 8];
        loop {
            self.heard.readable().await.unwrap();
            if matches!(self.heard.try_read(&mut rest), Ok(0)) {
                return;
            }
        }
    }
}

#[tokio::test]
async fn cancelling_kills_the_program_and_what_it_started() {
    let world = World::new();
    let mut program = lingering(&world);
    let cancel = CancellationToken::new();
    let engine = world.engine();
    let running = run_until(&engine, job(&world, 1, program.judge.clone()), cancel.clone());
    let cancelling = async {
        program.started().await;
        cancel.cancel();
        program.gone().await;
    };
    let (ran, ()) = tokio::join!(running, cancelling);
    assert_eq!(common(&ran), "cancelled");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed() {
    let world = World::new();
    let mut program = lingering(&world);
    let timeout = Some(Duration::from_millis(300));
    let engine = Engine::new(EngineOptions { timeout, ..world.options() });
    let running = run(&engine, job(&world, 1, program.judge.clone()));
    let ran = running.await;
    assert_eq!(common(&ran), "timed-out");
    program.gone().await;
}
