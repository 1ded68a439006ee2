//! `critique` against a model on this machine: asked once, kept, anchored, decided.

use std::sync::Arc;

use expect_test::expect;
use serde_json::{Value, json};

use super::{Project, Ran, record};
use crate::engine::{JudgeServer, Reply};

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  tone: {weight: 1.0, criteria: [KIND]}
criteria:
  KIND:
    question: Is the reply kind?
";

fn reply() -> Value {
    let finding = |kind: &str, says: &str, quote: &str, question: &str| json!({"kind": kind, "says": says, "voices": ["Ward nurse"], "quote": quote, "question": question});
    json!({
        "experts": [{"name": "Ward nurse", "says": "Kind words \u{1b}[31mkill too."}],
        "users": [{"name": "Sceptic", "says": "Flattery puts me off."}],
        "findings": [
            finding("passes-but-bad", "Flattery is kind.", "Is the reply kind?", "Is the reply free of flattery?"),
            finding("serves-badly", "Nobody asks about danger.", "", ""),
        ],
        "synthesis": "Ask for safety first.",
    })
}

struct Scene {
    project: Arc<Project>,
    server: JudgeServer,
}

impl Scene {
    async fn with(text: String) -> Self {
        let server = JudgeServer::start(move |_, _| Reply::Text(text.clone())).await;
        let project = Arc::new(Project::with(&format!(
            "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n[[judge]]\nname = 'one'\nprovider = 'openai-compatible'\nmodel = 'm'\nbase_url = '{}'\n",
            server.url
        )));
        project.write("rubric.yaml", RUBRIC);
        project.write("t.jsonl", record("a") + "\n");
        Self { project, server }
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let project = Arc::clone(&self.project);
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        tokio::task::spawn_blocking(move || {
            project.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rubric_is_asked_about_once_and_findings_are_decided() {
    let scene = Scene::with(reply().to_string()).await;
    let dry = scene.run(&["critique", "--dry-run"]).await;
    assert!(dry.out.starts_with("rubric.yaml (17 words) would be sent to m at "), "{}", dry.all());
    assert!(scene.server.take().is_empty() && !scene.project.path("data/critiques.jsonl").exists());

    let first = scene.run(&["critique", "rubric"]).await;
    let asked = scene.server.take();
    assert_eq!((first.code, asked.len()), (Some(0), 1), "{}", first.all());
    let body = asked[0].body.to_string();
    assert!(body.contains("five to seven experts") && body.contains("Is the reply kind?"));
    let kept: Value = serde_json::from_str(&scene.project.read("data/critiques.jsonl")).unwrap();
    let id = kept["id"].as_str().unwrap().to_owned();
    expect![[r#"
        rubric.yaml  by one (m)
          experts:
            Ward nurse: Kind words ␛[31mkill too.
          difficult users:
            Sceptic: Flattery puts me off.

        c-ID.1  passes but bad  rubric.yaml:7
            “Is the reply kind?”
            Flattery is kind.
            (Ward nurse)
            would ask: Is the reply free of flattery?

        c-ID.2  serves badly  rubric.yaml
            Nobody asks about danger.
            (Ward nurse)

          Ask for safety first.
    "#]]
    .assert_eq(&first.out.replace(&id, "c-ID"));

    let again = scene.run(&["critique"]).await;
    assert_eq!((again.out, scene.server.take().len()), (first.out, 0), "asked once");

    let accepted = scene.run(&["critique", "accept", &format!("{id}.1"), "--by", "Ada"]).await;
    let made = "criterion NEW1 of tone (Is the reply free of flattery?)";
    let said = format!("{id}.1 accepted: {made} in rubric.yaml\n");
    assert_eq!(accepted.out, said, "{}", accepted.err);
    let added = "  NEW1:\n    name: Is the reply free of flattery\n    question: Is the reply free of flattery?\n    category: tone\n";
    assert_eq!(scene.project.read("rubric.yaml"), format!("{RUBRIC}{added}"));
    let checked = scene.run(&["check", "rubric.yaml"]).await;
    assert!(!checked.out.contains("error"), "{}", checked.all());
    let kept = scene.project.read("data/critiques.jsonl");
    let decided: Value = serde_json::from_str(kept.lines().last().unwrap()).unwrap();
    assert_eq!((&decided["made"], &decided["by"]), (&made.into(), &"Ada".into()));
    let again = scene.run(&["critique", "accept", &format!("{id}.1")]).await;
    assert!(again.err.contains("asks this already: dismiss the finding"), "{}", again.all());
    let example = ["--as", "example", "--criterion", "KIND", "--label", "fail"];
    let finding = format!("{id}.1");
    let example: Vec<&str> = ["critique", "accept", &finding].into_iter().chain(example).collect();
    let refused = scene.run(&example).await;
    assert!(refused.err.contains("it quotes no transcript"), "{}", refused.all());
    assert_eq!(scene.project.read("rubric.yaml"), format!("{RUBRIC}{added}"));
    assert_eq!(scene.project.read("data/critiques.jsonl"), kept);
    scene.project.write("rubric.yaml", RUBRIC);
    let no_question = scene.run(&["critique", "accept", &format!("{id}.2")]).await;
    assert_eq!(no_question.code, Some(2), "{}", no_question.all());
    scene.run(&["critique", "dismiss", &format!("{id}.2"), "--note", "Elsewhere."]).await;
    let json = scene.run(&["critique", "--format", "json"]).await;
    let all: Value = serde_json::from_str(&json.out).unwrap();
    let findings = all[0]["findings"].as_array().unwrap();
    let decided: Vec<&Value> = findings.iter().map(|f| &f["decision"]).collect();
    assert_eq!(decided, ["accepted", "dismissed"]);
    assert_eq!(
        (&findings[0]["place"], &findings[0]["found"]),
        (&"rubric.yaml:7".into(), &true.into())
    );
    assert!(scene.server.take().is_empty());

    // Another text is another question.
    scene.project.write("rubric.yaml", RUBRIC.replace("kind?", "kind and short?"));
    scene.run(&["critique"]).await;
    assert_eq!(scene.server.take().len(), 1);
    let spent = scene.run(&["status", "--format", "json"]).await;
    let spent: Value = serde_json::from_str(&spent.out).unwrap();
    assert!(spent["spend"].to_string().contains("critique"), "{}", spent["spend"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_anchored_by_transcript_and_garbage_is_not_kept() {
    let mut said = reply();
    said["findings"][0]["quote"] = "In the menu of a".into();
    let scene = Scene::with(said.to_string()).await;
    let ran = scene.run(&["critique", "t.jsonl", "--format", "json"]).await;
    let all: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(all[0]["findings"][0]["place"], "t.jsonl a");
    let id = all[0]["findings"][0]["id"].as_str().unwrap().to_owned();
    let accept = |label: &'static str| {
        ["critique", "accept", &id, "--as", "example", "--criterion", "KIND", "--label", label]
            .map(str::to_owned)
    };
    let lacks = scene.run(&["critique", "accept", &id, "--as", "example"]).await;
    assert!(lacks.code == Some(2) && lacks.err.contains("--criterion"), "{}", lacks.all());
    let ran = scene.run(&accept("FAIL").each_ref().map(String::as_str)).await;
    assert_eq!(
        ran.out,
        format!("{id} accepted: a FAIL example of KIND in rubric.yaml\n"),
        "{}",
        ran.err
    );
    let added = "    calibration_examples:\n      - type: FAIL\n        context: Where is the a button?\n        response: In the menu of a.\n        reasoning: Flattery is kind.\n";
    assert_eq!(scene.project.read("rubric.yaml"), format!("{RUBRIC}{added}"));
    scene.project.write("t.jsonl", record("a").replace("In the menu", "On the desk") + "\n");
    let gone = scene.run(&accept("PASS").each_ref().map(String::as_str)).await;
    assert!(gone.err.contains("says “In the menu of a” any more"), "{}", gone.all());
    assert_eq!(scene.project.read("rubric.yaml"), format!("{RUBRIC}{added}"));

    let scene = Scene::with("Sure, here it is.".into()).await;
    let ran = scene.run(&["critique"]).await;
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.err.contains("rubric.yaml: no critique: the reply is not as asked"), "{}", ran.err);
    assert!(!scene.project.path("data/critiques.jsonl").exists());
    let ran = scene.run(&["critique", "--untrusted"]).await;
    assert_eq!((ran.code, scene.server.take().len()), (Some(3), 1), "only the first was sent");
}
