//! `fix` against a judge on this machine: only what is proven is written, inside
//! one string, and it can be taken back byte by byte.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Project, Ran};
use crate::engine::{Asked, JudgeServer, Reply};

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  tone: {weight: 1.0, criteria: [KIND]}
  safety: {weight: 0.0, criteria: [SAFE]}
safety_gates: [SAFE]
criteria:
  KIND:
    question: Is the reply kind?
  SAFE:
    question: Is the reply safe?
";

/// Escaped as some writers do, with keys that nobody here knows.
const RECORD: &str = r#"{"id": "tea", "messages": [{"role": "user", "content": "I can't sleep."}, {"role": "assistant", "weight": 1, "content": "Caf\u00e9 is out.\nTry the breathing exercise, you silly goose."}, {"role": "user", "content": "The breathing thing made me dizzy."}, {"role": "assistant", "content": "Then stop it."}], "mood": [1, 2.50]}"#;

/// How the model drafts, and what it says of continuity and the gate.
#[derive(Clone)]
struct Model {
    draft: Value,
    continuity: &'static str,
    safe: &'static str,
    kind: Option<&'static str>,
}

fn rewrite(text: &str) -> Value {
    json!({"reasoning": "Without the name.", "outcome": "REWRITE", "rewrite": text})
}

const GOOD: &str = "Café is out.\nTry the breathing exercise for a few nights.";

impl Model {
    fn good() -> Self {
        Self { draft: rewrite(GOOD), continuity: "YES", safe: "YES", kind: None }
    }

    fn answer(&self, asked: &Asked) -> Reply {
        if asked.criteria.iter().any(|id| id == "rewrite") {
            return Reply::Text(self.draft.to_string());
        }
        let said = asked.body.to_string();
        let kind = if said.contains("silly goose") { "NO" } else { "YES" };
        let one = |id: &String| {
            let answer = match id.as_str() {
                "KIND" => self.kind.filter(|_| kind == "YES").unwrap_or(kind),
                "SAFE" if kind == "YES" => self.safe,
                "_continuity_1" => self.continuity,
                _ => "YES",
            };
            let evidence = if answer == "NO" && id == "KIND" {
                json!([{"exchange": 1, "quote": "Try the breathing exercise"}])
            } else {
                json!([])
            };
            (id.clone(), json!({"reasoning": "so it is", "evidence": evidence, "answer": answer}))
        };
        Reply::Text(Value::Object(asked.criteria.iter().map(one).collect()).to_string())
    }
}

/// A project whose transcript was assessed and failed; the judge that drafts.
struct Scene {
    project: Arc<Project>,
    server: JudgeServer,
}

impl Scene {
    async fn with(model: Model) -> Self {
        Self::on(JudgeServer::start(move |asked, _| model.answer(asked)).await, RECORD).await
    }

    async fn on(server: JudgeServer, record: &str) -> Self {
        let project = Arc::new(Project::with(&format!(
            "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n[[judge]]\nname = 'one'\nprovider = 'openai-compatible'\nmodel = 'm'\nbase_url = '{}'\n",
            server.url
        )));
        project.write("rubric.yaml", RUBRIC);
        project.write("t.jsonl", format!("{{\"id\": \"other\"}}\n{record}\r\n"));
        let scene = Self { project, server };
        scene.run(&["assess", "-q"]).await;
        scene.server.take();
        scene
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let project = Arc::clone(&self.project);
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            project.run(&arguments)
        })
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_rewrite_changes_its_words_alone_and_can_be_taken_back() {
    let scene = Scene::with(Model::good()).await;
    let before = scene.project.read("t.jsonl");
    let shown = scene.run(&["fix", "-q"]).await;
    expect![[r#"
        ✓ can be fixed tea exchange 1  KIND  t.jsonl:2
            Café is out.
            Try the breathing [-exercise, you silly goose.-]{+exercise for a few nights.+}
            drafted by one; the user's next message follows, by its words and by every judge; KIND and the safety gates hold for one
    "#]]
    .assert_eq(&shown.out);
    assert_eq!((shown.code, scene.project.read("t.jsonl")), (Some(0), before.clone()));
    assert_eq!(
        scene.server.take_criteria(),
        ["reasoning outcome rewrite", "KIND SAFE _continuity_1"]
    );

    let written = scene.run(&["fix", "-q", "--write"]).await;
    assert_eq!(written.code, Some(0), "{}", written.err);
    assert_eq!(scene.server.take().len(), 0, "draft and proof are known");
    let expected = before.replace(", you silly goose", " for a few nights");
    assert_eq!(scene.project.read("t.jsonl"), expected);
    let log: Value = serde_json::from_str(&scene.project.read("data/fixups.jsonl")).unwrap();
    assert_eq!((&log["criteria"][0], &log["after"]), (&"KIND".into(), &GOOD.into()));

    // The fixed transcript passes, and nobody has to be asked about it again.
    let assessed = scene.run(&["assess", "--format", "json", "-q"]).await;
    let all: Value = serde_json::from_str(&assessed.out).unwrap();
    assert_eq!((&all[0]["standing"], scene.server.take().len()), (&"passed".into(), 0));

    let id = log["id"].as_str().unwrap();
    let pairs = scene.run(&["export", "--dpo", "-q"]).await;
    let pair: Value = serde_json::from_str(&pairs.out).unwrap();
    let rejected = "Café is out.\nTry the breathing exercise, you silly goose.";
    let said = |text: &str| json!([{"role": "assistant", "weight": 1, "content": text}]);
    let prompt = json!([{"role": "user", "content": "I can't sleep."}]);
    let whole =
        json!({"id": id, "prompt": prompt, "chosen": said(GOOD), "rejected": said(rejected)});
    assert_eq!((pairs.code, pair), (Some(0), whole));
    let back = scene.run(&["fix", "--revert", id, "-q"]).await;
    assert_eq!((back.code, scene.project.read("t.jsonl")), (Some(0), before), "{}", back.err);
    let pairs = scene.run(&["export", "--dpo", "--out", "pairs.jsonl"]).await;
    assert_eq!((pairs.code, pairs.err.as_str()), (Some(0), "exported 0 preference pairs\n"));
    assert_eq!(scene.project.read("pairs.jsonl"), "", "what was taken back is no pair");
    let again = scene.run(&["fix", "--revert", id, "-q"]).await;
    assert_eq!(again.code, Some(2));
    assert!(again.err.ends_with("was taken back already\n"), "{}", again.err);
}

async fn refused(model: Model, code: i32, expected: Expect) {
    let scene = Scene::with(model).await;
    let before = scene.project.read("t.jsonl");
    let ran = scene.run(&["fix", "-q", "--write"]).await;
    expected.assert_eq(ran.out.lines().nth(1).unwrap_or(&ran.err).trim());
    assert_eq!((ran.code, scene.project.read("t.jsonl")), (Some(code), before));
    assert!(!scene.project.path("data/fixups.jsonl").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_unproven_reaches_the_file() {
    let good = Model::good();
    let with = |draft: Value| Model { draft, ..good.clone() };
    refused(with(rewrite("Try a warm bath tonight.")), 1, expect!["it breaks the conversation: the user's next message says “The breathing thing”, which only your reply introduced"]).await;
    refused(
        with(rewrite("The breathing exercise it is, you silly goose.")),
        1,
        expect!["the rewrite still fails KIND"],
    )
    .await;
    refused(
        with(json!({"reasoning": "no way", "outcome": "UNFIXABLE", "rewrite": ""})),
        1,
        expect!["the drafter says it cannot be fixed: no way"],
    )
    .await;
    refused(with(json!("Sure, here it is.")), 3, expect![[r#"there is no draft: the reply is not as asked (invalid type: string "Sure, here it is.", expected struct Reply at line 1 column 19)"#]]).await;
    refused(
        Model { continuity: "NO", ..good.clone() },
        1,
        expect!["one says the user's next message no longer follows: so it is"],
    )
    .await;
    refused(
        Model { safe: "NO", ..good.clone() },
        1,
        expect!["the rewrite fails the safety gate SAFE"],
    )
    .await;
    refused(
        Model { safe: "PERHAPS", ..good.clone() },
        3,
        expect!["nothing is proven: SAFE could not be judged"],
    )
    .await;
    refused(
        Model { kind: Some("PERHAPS"), ..good.clone() },
        3,
        expect!["nothing is proven: KIND could not be judged"],
    )
    .await;
}

/// Two replies with the same fault, the second one the last.
const TWICE: &str = r#"{"id": "two", "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Try tea, you silly goose."}, {"role": "user", "content": "The tea helped."}, {"role": "assistant", "content": "Good, silly goose \u2764."}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_fail_together_are_mended_together() {
    let server = JudgeServer::start(|asked, _| {
        let said = asked.body.to_string();
        if asked.criteria.iter().any(|id| id == "rewrite") {
            let first = said.contains("the reply to rewrite\\nTry tea");
            return Reply::Text(rewrite(if first { "Try tea." } else { "Good ❤." }).to_string());
        }
        let no = said.contains("silly goose");
        let one = |id: &String| {
            let failed = no && id == "KIND";
            let cited = |n| json!({"exchange": n, "quote": "silly goose"});
            let evidence = if failed { json!([cited(1), cited(2)]) } else { json!([]) };
            let answer = if failed { "NO" } else { "YES" };
            (id.clone(), json!({"reasoning": "so it is", "evidence": evidence, "answer": answer}))
        };
        Reply::Text(Value::Object(asked.criteria.iter().map(one).collect()).to_string())
    });
    let scene = Scene::on(server.await, TWICE).await;
    let before = scene.project.read("t.jsonl");
    let written = scene.run(&["fix", "-q", "--write"]).await;
    expect![[r#"
        ✓ fixed        two exchanges 1, 2  KIND  t.jsonl:2
            exchange 1:
            Try [-tea, you silly goose.-]{+tea.+}
            exchange 2:
            [-Good, silly goose-]{+Good+} ❤.
            drafted by one; the user's next messages follow, by their words and by every judge; KIND and the safety gates hold for one
    "#]]
    .assert_eq(&written.out);
    assert_eq!(written.code, Some(0), "{}", written.err);
    let mut asked = scene.server.take_criteria();
    asked.sort();
    assert_eq!(
        asked,
        ["KIND SAFE _continuity_1", "reasoning outcome rewrite", "reasoning outcome rewrite"]
    );
    let expected = before.replace(", you silly goose", "").replace(", silly goose", "");
    assert_eq!(scene.project.read("t.jsonl"), expected);
    let log = scene.project.read("data/fixups.jsonl");
    let ids: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2);

    // One of them names all: they were proven together.
    let back = scene.run(&["fix", "--revert", ids[1].as_str().unwrap(), "-q"]).await;
    assert_eq!((back.code, scene.project.read("t.jsonl")), (Some(0), before), "{}", back.err);
    assert!(back.out.ends_with("two exchanges 1, 2\n"), "{}", back.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_while_its_fixup_was_proven_is_left_alone() {
    let place: Arc<OnceLock<PathBuf>> = Arc::default();
    let file = Arc::clone(&place);
    let model = Model::good();
    let server = JudgeServer::start(move |asked, _| {
        if asked.criteria.iter().any(|id| id == "_continuity_1")
            && let Some(path) = file.get()
        {
            // Somebody else saves the transcript: one word of another message.
            let text = std::fs::read_to_string(path).expect("the file is there");
            std::fs::write(path, text.replace("Then stop it", "Just stop it")).expect("written");
        }
        model.answer(asked)
    });
    let scene = Scene::on(server.await, RECORD).await;
    let before = scene.project.read("t.jsonl");
    place.set(scene.project.path("t.jsonl")).expect("set once");
    let ran = scene.run(&["fix", "-q", "--write"]).await;
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.err.contains("has changed meanwhile, so nothing was written"), "{}", ran.err);
    assert_eq!(scene.project.read("t.jsonl"), before.replace("Then stop it", "Just stop it"));
    assert!(!scene.project.path("data/fixups.jsonl").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_asks_nobody() {
    let scene = Scene::with(Model::good()).await;
    let ran = scene.run(&["fix", "--dry-run", "-q"]).await;
    assert_eq!(ran.out, "tea exchange 1: would be rewritten for KIND  t.jsonl:2\n");
    let none = scene.run(&["fix", "--criterion", "SAFE"]).await;
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert_eq!(scene.server.take().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rewritten_is_cut_off_and_the_record_says_so() {
    let scene = Scene::with(Model::good()).await;
    let before = scene.project.read("t.jsonl");
    let cut = ["fix", "-q", "--truncate", "tea", "--before", "2"];
    let refused = scene.run(&cut).await;
    assert_eq!(refused.code, Some(2));
    let why =
        "tea is not truncated: only 1 exchange would stay, 10 must (`fixup.min_exchanges_kept`)";
    assert!(refused.err.contains(why), "{}", refused.err);

    let settings = scene.project.read("rubricator.toml");
    scene.project.write("rubricator.toml", format!("{settings}[fixup]\nmin_exchanges_kept = 1\n"));
    let shown = scene.run(&cut).await;
    expect![[r#"
        tea would be truncated before exchange 2: 1 exchange (2 messages) would go, 1 exchange left  t.jsonl:2
    "#]]
    .assert_eq(&shown.out);
    assert_eq!((shown.code, scene.project.read("t.jsonl")), (Some(0), before.clone()));
    let written = scene.run(&["fix", "-q", "--truncate", "tea", "--before", "2", "--write"]).await;
    assert_eq!(written.code, Some(0), "{}", written.err);
    let after = scene.project.read("t.jsonl");
    let kept = before.replace(
        r#", {"role": "user", "content": "The breathing thing made me dizzy."}, {"role": "assistant", "content": "Then stop it."}"#,
        "",
    );
    let said = after.find(", \"rubricator_truncated\"").expect("the record says so");
    assert_eq!(format!("{}{}", &after[..said], "}\r\n"), kept);
    let nothing = scene.run(&["fix", "-q", "--truncate", "coffee", "--before", "2"]).await;
    assert!(nothing.err.contains("there is no transcript `coffee`"), "{}", nothing.err);
    assert_eq!(scene.server.take().len(), 0);
}
