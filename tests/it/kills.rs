//! Runs of the binary that are killed with SIGKILL at moments drawn from a seed,
//! and what must be true of them: no stored answer is asked again, and the results
//! are those of a run that nobody disturbed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use rubricator::engine::ledger::{self, Ledger};

use crate::crowd::{Crowd, PRICES, Pair, Seen, owed, roll};

const RUBRIC: &str = "\
name: Survival
pass_threshold: 0.8
min_exchanges: 1
categories:
  all: {weight: 1.0, criteria: [A, B]}
criteria:
  A: {name: First, question: Is the reply kind?, na_valid: false}
  B: {name: Second, question: Is the reply short?, na_valid: false}
";

/// A project of marked transcripts and three judges at this address.
pub fn project(folder: &Path, url: &str, transcripts: usize, at_once: usize) {
    let judge = |name: &str| {
        format!(
            "[[judge]]\nname = \"{name}\"\nprovider = \"openai-compatible\"\nbase_url = \"{url}\"\n\
             model = \"model-{name}\"\nmax_concurrency = {at_once}\nmax_tokens = 200\n"
        )
    };
    let record = |n: usize| {
        format!(
            "{{\"id\":\"t{n}\",\"messages\":[{{\"role\":\"user\",\"content\":\"question {n}\"}},\
             {{\"role\":\"assistant\",\"content\":\"marker-{n}-end\"}}]}}\n"
        )
    };
    let lines: String = (0..transcripts).map(record).collect();
    let settings: String = ["a", "b", "c"].map(judge).concat();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("user/config/rubricator/prices.toml", PRICES);
    write("rubricator.toml", &settings);
    write("config/rubric.yaml", RUBRIC);
    write("data/raw/all.jsonl", &lines);
}

/// `rubricator assess` of that project.
pub fn assess(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rubricator"));
    command
        .args(["assess", "--format", "json"])
        .arg(folder)
        .env("XDG_CONFIG_HOME", folder.join("user/config"))
        .env("XDG_DATA_HOME", folder.join("user/data"))
        .stdin(Stdio::null());
    command
}

/// What the ledger says of all runs there: calls, tokens in and out, USD.
fn ledger(folder: &Path) -> (u64, u64, u64, f64) {
    let path = folder.join("user/data/rubricator").join(ledger::FILE);
    let all = Ledger::read(&path, None, ledger::now()).expect("a ledger").of_all().all;
    assert_eq!(all.unpriced, 0, "a call without a cost");
    (all.calls, all.input, all.output, all.usd)
}

/// The ledger equals what the judges counted, but for so many calls that were on
/// their way when a run was killed. How many those are.
pub fn check_ledger(folder: &Path, paid: usize, lost: usize) -> usize {
    let (calls, input, output, usd) = ledger(folder);
    let owed_calls = usize::try_from(calls).expect("it is small");
    let (_, in_tokens, out_tokens, cost) = owed(owed_calls);
    assert_eq!((input, output), (in_tokens, out_tokens), "tokens of {calls} calls");
    assert!((usd - cost).abs() < 1e-6, "{usd} USD for {calls} calls, not {cost}");
    assert!(owed_calls <= paid, "{owed_calls} calls in the ledger, {paid} were served");
    assert!(paid - owed_calls <= lost, "{} of {paid} calls are in no ledger", paid - owed_calls);
    paid - owed_calls
}

/// Kills the run when the judges have got this many requests more.
async fn killed_after(folder: &Path, crowd: &mut Crowd, requests: usize) {
    let before = crowd.seen().requests();
    let mut run: Child =
        assess(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while crowd.asked.recv().await.expect("the judge lives") < before + requests {}
    run.kill().expect("it runs");
    run.wait().expect("it is dead");
}

/// Whose answers are in the store: every answer names its model and transcript.
fn stored(folder: &Path) -> BTreeSet<Pair> {
    let path = folder.join(".rubricator/store.db");
    if !path.exists() {
        return BTreeSet::new();
    }
    let store = rusqlite::Connection::open(path).expect("the store opens");
    let mut query = store.prepare("SELECT model, value FROM answers").expect("it has answers");
    let pairs = query.query_map([], |row| {
        let (model, value): (String, String) = (row.get(0)?, row.get(1)?);
        let (_, rest) = value.split_once("marker-").expect("answers are marked");
        let number = rest.split('-').next().and_then(|n| n.parse().ok());
        Ok((model, number.expect("marks are numbers")))
    });
    pairs.expect("it is read").map(|pair| pair.expect("a row")).collect()
}

/// What was asked between two looks.
fn asked_between(before: &Seen, after: &Seen) -> BTreeSet<Pair> {
    let new = |(pair, times): (&Pair, &usize)| {
        (before.asked.get(pair) != Some(times)).then(|| pair.clone())
    };
    after.asked.iter().filter_map(new).collect()
}

/// Kills runs of a project at random moments, `at_most` requests after their start.
pub async fn kill_at_random(folder: &Path, crowd: &mut Crowd, kills: usize, at_most: usize) {
    for kill in 0..kills {
        let (known, before) = (stored(folder), crowd.seen());
        let moment = 1 + roll(3, &format!("kill {kill}")) as usize % at_most;
        killed_after(folder, crowd, moment).await;
        let again: Vec<Pair> =
            asked_between(&before, &crowd.seen()).intersection(&known).cloned().collect();
        assert!(again.is_empty(), "asked again after kill {kill}: {again:?}");
    }
}

/// Runs to the end, as often as it takes until every question is answered, and
/// gives the results, but for where they are and what was known before.
pub async fn results(folder: &Path, crowd: &Crowd) -> Value {
    for _ in 0..5 {
        let (known, before) = (stored(folder), crowd.seen());
        let mut run = assess(folder);
        let output: Output = tokio::task::spawn_blocking(move || run.output())
            .await
            .expect("no panic")
            .expect("runs");
        let again = asked_between(&before, &crowd.seen());
        assert!(again.is_disjoint(&known), "a stored answer was asked again");
        if output.status.code() == Some(3) {
            continue;
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code < 2), "{said}");
        let mut cards: Value = serde_json::from_slice(&output.stdout).expect("results are JSON");
        forget(&mut cards);
        return cards;
    }
    panic!("questions stay unanswered");
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["cached", "file"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}
