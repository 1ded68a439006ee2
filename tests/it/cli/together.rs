//! Several processes on one store, at once: all come to the same results, and
//! what any of them has kept is never asked again.

use std::process::Stdio;

use super::{Project, Ran, record};
use crate::engine::JudgeServer;

pub const TRANSCRIPTS: usize = 8;

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  all: {weight: 1.0, criteria: [A]}
criteria:
  A: {question: Is the reply kind?, na_valid: false}
";

/// A project of some transcripts and a judge behind this address.
pub fn project(url: &str) -> Project {
    let project = Project::with(&format!(
        "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n[[judge]]\nname = 'local'\n\
         provider = 'openai-compatible'\nbase_url = '{url}'\nmodel = 'm'\nmax_concurrency = 2\n"
    ));
    project.write("rubric.yaml", RUBRIC);
    let lines: String = (0..TRANSCRIPTS).map(|n| record(&format!("t{n}")) + "\n").collect();
    project.write("t.jsonl", lines);
    project
}

#[test]
fn several_processes_share_a_store() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let judge = runtime.block_on(JudgeServer::yes());
    let project = project(&judge.url);
    let start = |_| {
        let mut command = project.command(&["assess", "--format", "json", "t.jsonl"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(start).collect();
    let ran: Vec<Ran> =
        children.into_iter().map(|c| Ran::of(c.wait_with_output().unwrap())).collect();
    for one in &ran {
        assert_eq!((one.code, one.err.as_str()), (Some(0), ""), "{}", one.all());
        let cards: serde_json::Value = serde_json::from_str(&one.out).unwrap();
        let passed = cards.as_array().unwrap().iter().filter(|card| card["standing"] == "passed");
        assert_eq!(passed.count(), TRANSCRIPTS);
    }
    let asked = judge.take().len();
    assert!((TRANSCRIPTS..=4 * TRANSCRIPTS).contains(&asked), "{asked}");
    assert_eq!(project.run(&["assess", "t.jsonl"]).code, Some(0));
    assert!(judge.take().is_empty(), "everything is kept");
}
