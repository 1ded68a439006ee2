//! The binary, killed with SIGKILL in the middle of a run: what was answered is
//! never asked again. Shown by what a judge on loopback was asked.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::crowd::{self, Crowd};
use crate::engine::{Asked, JudgeServer, Reply};
use crate::kills;

const TRANSCRIPTS: usize = 24;
/// The judge answers this many requests, then falls silent: the kill comes then.
const ANSWERED: usize = 9;

const RUBRIC: &str = "\
name: Survival
pass_threshold: 0.8
min_exchanges: 1
categories:
  all: {weight: 1.0, criteria: [A]}
criteria:
  A: {name: First, question: Is the reply kind?, na_valid: false}
";

fn project(folder: &Path, url: &str) {
    let settings = format!(
        "[[judge]]\nname = \"local\"\nprovider = \"openai-compatible\"\nbase_url = \"{url}\"\n\
         model = \"m\"\nmax_concurrency = 3\n"
    );
    let record = |n: usize| {
        format!(
            "{{\"id\":\"t{n}\",\"messages\":[{{\"role\":\"user\",\"content\":\"question {n}\"}},\
             {{\"role\":\"assistant\",\"content\":\"marker-{n}-end\"}}]}}\n"
        )
    };
    let lines: String = (0..TRANSCRIPTS).map(record).collect();
    std::fs::create_dir_all(folder.join("config")).unwrap();
    std::fs::create_dir_all(folder.join("data/raw")).unwrap();
    std::fs::write(folder.join("rubricator.toml"), settings).unwrap();
    std::fs::write(folder.join("config/rubric.yaml"), RUBRIC).unwrap();
    std::fs::write(folder.join("data/raw/all.jsonl"), lines).unwrap();
}

fn assess(folder: &Path) -> Child {
    assess_with(folder, &[])
}

fn assess_with(folder: &Path, extra: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rubricator"))
        .args(["assess", "--format", "json"])
        .args(extra)
        .arg(folder)
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder.join("user/config"))
        .env("XDG_DATA_HOME", folder.join("user/data"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Which transcript a request is about, told by the marker in its text.
fn about(asked: &Asked) -> usize {
    let body = asked.body.to_string();
    let start = body.find("marker-").unwrap() + "marker-".len();
    body[start..].split('-').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_a_kill_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut judge =
        JudgeServer::start(
            |asked, number| {
                if number < ANSWERED { Reply::all(asked, "YES") } else { Reply::Hang }
            },
        )
        .await;
    project(folder.path(), &judge.url);

    let mut run = assess(folder.path());
    // A caller asks anew only when an answer has come back and is on disk: with three
    // at once, request number ANSWERED + 3 says that ANSWERED answers are.
    for _ in 0..ANSWERED + 3 {
        judge.arrived.recv().await.unwrap();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let first: Vec<usize> = judge.take().iter().map(about).collect();
    let answered: BTreeSet<usize> = first[..ANSWERED].iter().copied().collect();
    assert_eq!(answered.len(), ANSWERED);

    let again = JudgeServer::yes().await;
    let settings = folder.path().join("rubricator.toml");
    let text = std::fs::read_to_string(&settings).unwrap().replace(&judge.url, &again.url);
    std::fs::write(&settings, text).unwrap();
    let run = assess(folder.path());
    let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");

    let second: BTreeSet<usize> = again.take().iter().map(about).collect();
    let all: BTreeSet<usize> = (0..TRANSCRIPTS).collect();
    let missing: BTreeSet<usize> = all.difference(&answered).copied().collect();
    assert_eq!(second, missing, "asked again: exactly what had no answer");

    let run = assess(folder.path());
    let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(again.take().is_empty(), "a third run asks nothing");
    let cards: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let cards = cards.as_array().unwrap();
    assert_eq!(cards.len(), TRANSCRIPTS);
    assert!(cards.iter().all(|c| c["standing"] == "passed" && c["judges"][0]["cached"] == true));
}

/// What the checkpoint holds, read as nobody reads it who trusts it less: every
/// line that ends.
fn checkpointed(folder: &Path) -> BTreeSet<usize> {
    let text = std::fs::read_to_string(folder.join("c.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let id = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["id"].as_str().unwrap().trim_start_matches('t').parse().unwrap()
    };
    whole.lines().map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_run_goes_on_from_its_checkpoint_alone() {
    let folder = tempfile::tempdir().unwrap();
    let judge =
        JudgeServer::start(
            |asked, number| {
                if number < ANSWERED { Reply::all(asked, "YES") } else { Reply::Hang }
            },
        )
        .await;
    project(folder.path(), &judge.url);
    let mut run = assess_with(folder.path(), &["--checkpoint", "c.jsonl"]);
    // All calls that are answered leave a line at once, with the run still under way.
    while checkpointed(folder.path()).len() < ANSWERED {
        tokio::task::yield_now().await;
    }
    assert!(run.try_wait().unwrap().is_none());
    run.kill().unwrap();
    run.wait().unwrap();
    let before = checkpointed(folder.path());
    assert_eq!(before.len(), ANSWERED);
    // Without the store, and with a line that the kill cut short.
    std::fs::remove_dir_all(folder.path().join(".rubricator")).unwrap();
    let path = folder.path().join("c.jsonl");
    let torn = std::fs::read_to_string(&path).unwrap() + "{\"id\":\"t20\",\"file";
    std::fs::write(&path, torn).unwrap();

    let again = JudgeServer::yes().await;
    let settings = folder.path().join("rubricator.toml");
    let text = std::fs::read_to_string(&settings).unwrap().replace(&judge.url, &again.url);
    std::fs::write(&settings, text).unwrap();
    let run = assess_with(folder.path(), &["--checkpoint", "c.jsonl"]);
    let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("its last line is torn"), "{said}");
    let asked: BTreeSet<usize> = again.take().iter().map(about).collect();
    let all: BTreeSet<usize> = (0..TRANSCRIPTS).collect();
    assert_eq!(asked, all.difference(&before).copied().collect());
    assert_eq!(checkpointed(folder.path()), all);
    let cards: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let mut fresh: Vec<bool> = cards.iter().map(|c| c["standing"] == "passed").collect();
    fresh.dedup();
    assert_eq!((cards.len(), fresh), (TRANSCRIPTS, vec![true]));
}

/// The same at full size, on a bad day, 20 times: `cargo bench --bench soak`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_killed_at_random_come_to_the_results_of_one_that_was_not() {
    let at_once = || Box::pin(std::future::ready(())) as crowd::Waiting;
    let mut judges = Crowd::start(1, crowd::CALM, move |_| at_once()).await;
    let (killed, calm) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    kills::project(killed.path(), &judges.url, 40, 2);
    kills::project(calm.path(), &judges.url, 40, 2);
    kills::kill_at_random(killed.path(), &mut judges, 3, 30).await;
    let results = kills::results(killed.path(), &judges).await;
    assert_eq!(results.as_array().map(Vec::len), Some(40));
    let paid = judges.take().paid;
    kills::check_ledger(killed.path(), paid, 3 * 2 * 3 * 2);
    let undisturbed = kills::results(calm.path(), &judges).await;
    kills::check_ledger(calm.path(), judges.seen().paid, 0);
    assert!(results == undisturbed, "{results}\n{undisturbed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_wait_is_told_where_no_progress_bar_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let busy = || Reply::Status(429, vec![("retry-after", "1800")], r#"{"error":"too fast"}"#);
    let judge = JudgeServer::start(move |_, _| busy()).await;
    project(folder.path(), &judge.url);
    let mut run = assess(folder.path());
    let mut said = std::io::BufReader::new(run.stderr.take().unwrap()).lines();
    let told = move || said.find(|line| line.as_ref().unwrap().contains("asks again in 30 min"));
    let line = tokio::task::spawn_blocking(told).await.unwrap().unwrap().unwrap();
    assert_eq!(line, "local: asks again in 30 min (HTTP 429: too fast)");
    run.kill().unwrap();
    run.wait().unwrap();
}
