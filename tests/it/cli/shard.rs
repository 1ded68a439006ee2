//! `--shard`: several machines do a run between them, and their stores, merged, are
//! the store of one machine that did it alone.

use serde_json::Value;
use tokio::runtime::Runtime;

use super::{Project, record};
use crate::engine::{Asked, JudgeServer, Reply};

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  help: {weight: 1.0, criteria: [A, B]}
criteria:
  A: Does the reply help?
  B: Is the reply kind?
";

/// What a judge says follows from what it is shown, as far as a test can have it.
fn answer(asked: &Asked, _: usize) -> Reply {
    let says = asked.body.to_string();
    Reply::all(
        asked,
        if says.contains("menu of t3") || says.contains("menu of t7") { "NO" } else { "YES" },
    )
}

struct Machine {
    project: Project,
}

impl Machine {
    fn new(url: &str) -> Self {
        let project = Project::with(&format!(
            "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['data/*.jsonl']\n[[judge]]\nname = 'j'\n\
             provider = 'openai-compatible'\nmodel = 'm'\nbase_url = '{url}'\n"
        ));
        project.write("rubric.yaml", RUBRIC);
        let lines = |ids: std::ops::Range<usize>| -> String {
            ids.map(|n| record(&format!("t{n}")) + "\n").collect()
        };
        project.write("data/a.jsonl", lines(0..7));
        // The same text stands twice, under two ids.
        let again = record("t2").replacen("\"id\":\"t2\"", "\"id\":\"again\"", 1);
        project.write("data/b.jsonl", lines(7..12) + &again + "\n");
        Self { project }
    }

    /// The results of a run, by id.
    fn assess(&self, more: &[&str]) -> Vec<(String, Value)> {
        let ran = self.project.run(&[&["assess", "--format", "json"], more].concat());
        assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.all());
        let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        let row = |row: Value| {
            let mut judges = row["judges"].clone();
            judges[0]["cached"] = Value::Null;
            (
                row["id"].as_str().unwrap().to_owned(),
                Value::from(vec![row["standing"].clone(), row["answers"].clone(), judges]),
            )
        };
        let mut rows: Vec<(String, Value)> = rows.into_iter().map(row).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows
    }
}

#[test]
fn sharded_runs_give_the_result_of_one_and_nothing_is_asked_again() {
    let runtime = Runtime::new().unwrap();
    let judge = runtime.block_on(JudgeServer::start(answer));
    let alone = Machine::new(&judge.url).assess(&[]);
    assert_eq!(alone.len(), 13);
    let calls = judge.take().len();

    let home = Machine::new(&judge.url);
    let mut done = 0;
    let mut parts = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let machine = Machine::new(&judge.url);
        parts.extend(machine.assess(&["--shard", shard]));
        done += judge.take().len();
        let exported = machine.project.run(&["store", "export", "answers.jsonl"]);
        assert_eq!(exported.code, Some(0), "{}", exported.all());
        home.project.write("answers.jsonl", machine.project.read("answers.jsonl"));
        let merged = home.project.run(&["store", "merge", "answers.jsonl"]);
        assert_eq!(merged.code, Some(0), "{}", merged.all());
    }
    // Each text was asked about once, by one of them.
    assert_eq!(done, calls);
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(parts, alone);
    assert_eq!(home.assess(&[]), alone);
    assert_eq!(judge.take().len(), 0, "the merged store knows everything");
}

#[test]
fn check_and_audit_take_files_in_turn() {
    let machine = Machine::new("http://127.0.0.1:9");
    let project = &machine.project;
    let whole = project.run(&["check", "--format", "jsonl"]);
    let mut parts: Vec<String> = Vec::new();
    for shard in ["1/2", "2/2"] {
        let part = project.run(&["check", "--format", "jsonl", "--shard", shard]);
        parts.extend(part.out.lines().map(str::to_owned));
    }
    let mut all: Vec<String> = whole.out.lines().map(str::to_owned).collect();
    all.sort();
    parts.sort();
    assert_eq!(parts, all);
    let transcripts = |arguments: &[&str]| -> u64 {
        let ran = project.run(&[&["audit", "--format", "json"], arguments].concat());
        serde_json::from_str::<Value>(&ran.out).unwrap()["transcripts"].as_u64().unwrap()
    };
    let (one, other) = (transcripts(&["--shard", "1/2"]), transcripts(&["--shard", "2/2"]));
    assert_eq!((one, other, transcripts(&[])), (7, 6, 13));
    let wrong = project.run(&["audit", "--shard", "3/2"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("a shard is i/n, as in 2/8"), "{}", wrong.err);
}
