//! `generate` against models on this machine: the same transcripts from the same seed,
//! whatever happens on the way, and nothing paid for twice.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Project, Ran};
use crate::crowd::roll;
use crate::engine::{Asked, JudgeServer, Reply};

const TEMPLATE: &str = "\
attributes: {name: [Omar, Ana, Li]}
writing_styles: {short: {words: [4, 9]}}
flaws: {primary: 0.5}
exchanges: [2, 4]
reply_ratio: 2
";
const TAXONOMY: &str = "topics: {work: [deadlines, boss], sleep: [noise]}\n";

/// A message that follows from what was asked, and from nothing else.
pub fn message(asked: &Asked, words: std::ops::Range<u64>) -> String {
    let text = asked.body["messages"].to_string();
    let many = words.start + roll(1, &text) % (words.end - words.start);
    let word = |n: u64| format!("w{}", roll(n, &text) % 1000);
    let message: Vec<String> = (0..many).map(word).collect();
    json!({"message": message.join(" ")}).to_string()
}

/// How often each call came.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<String, usize>>>);

impl Calls {
    pub fn note(&self, asked: &Asked) {
        *self.0.lock().unwrap().entry(asked.body.to_string()).or_default() += 1;
    }

    pub fn all(&self) -> usize {
        self.0.lock().unwrap().values().sum()
    }

    /// Calls that came more than once.
    pub fn again(&self) -> usize {
        self.0.lock().unwrap().values().map(|n| n - 1).sum()
    }
}

/// A project of these files, played by a model at this address.
pub fn project(url: &str) -> Project {
    let project = Project::with(&format!(
        "[[judge]]\nname = 'one'\nprovider = 'openai-compatible'\nmodel = 'player'\n\
         base_url = '{url}'\nmax_concurrency = 4\n[generate]\nassistant_model = 'one/helper'\n"
    ));
    project.write("config/persona-template.yaml", TEMPLATE);
    project.write("config/input-taxonomy.yaml", TAXONOMY);
    project.write("config/prompts/system.md", "Be kind.\n");
    project
}

/// The transcripts of a project, but for when they were made; by their file.
pub fn transcripts(project: &Project) -> Vec<(String, Vec<Value>)> {
    let folder = project.path("data/raw");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let record = |line: &str| {
        let mut record: Value = serde_json::from_str(line).expect("a whole line");
        record.as_object_mut().unwrap().remove("created_at").expect("it says when");
        record
    };
    let mut files: Vec<(String, Vec<Value>)> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, text.lines().map(record).collect())
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

struct Scene {
    project: Arc<Project>,
    server: JudgeServer,
    calls: Calls,
}

impl Scene {
    /// Models whose messages have so many words.
    async fn with(words: std::ops::Range<u64>) -> Self {
        let calls = Calls::default();
        let noted = calls.clone();
        let server = JudgeServer::start(move |asked, _| {
            noted.note(asked);
            Reply::Text(message(asked, words.clone()))
        })
        .await;
        let project = Arc::new(project(&server.url));
        Self { project, server, calls }
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
async fn the_same_seed_makes_the_same_transcripts_and_pays_once() {
    let scene = Scene::with(4..10).await;
    let dry = scene.run(&["generate", "--count", "3", "--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{}", dry.all());
    assert!(dry.out.contains("is played by helper at 127.0.0.1"), "{}", dry.out);
    assert_eq!((scene.calls.all(), transcripts(&scene.project).len()), (0, 0));
    assert!(!scene.project.path("prompt_versions").exists());

    let ran = scene.run(&["generate", "--count", "3"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let made = transcripts(&scene.project);
    let [(file, records)] = made.as_slice() else { panic!("{made:?}") };
    let ids: Vec<&str> = records.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() == 3, "{ids:?}");
    assert_eq!(ran.out.lines().count(), 3);
    let first = &records[0];
    let version = first["prompt_version"].as_str().unwrap();
    assert_eq!(*file, format!("generated-{}.jsonl", &version[..8]));
    assert_eq!(first["generation"]["assistant_model"], "helper");
    let exchanges: usize = records.iter().map(|r| r["exchanges"].as_array().unwrap().len()).sum();
    assert_eq!(first["target_exchanges"], first["exchanges"].as_array().unwrap().len());
    assert_eq!((scene.calls.all(), scene.calls.again()), (exchanges * 2, 0));
    for (name, version) in first["prompt_versions"].as_object().unwrap() {
        let ending = if name.contains('-') { "yaml" } else { "md" };
        let name = format!("prompt_versions/{name}-{}.{ending}", version.as_str().unwrap());
        assert!(scene.project.path(&name).exists(), "{name}");
    }

    // Again: they are there. More: only those that lack are made.
    let again = scene.run(&["generate", "--count", "3"]).await;
    assert!(again.err.contains("3 transcripts of seed 0 are in data/raw/"), "{}", again.all());
    assert_eq!(transcripts(&scene.project), made);
    scene.run(&["generate", "--count", "4"]).await;
    let more = transcripts(&scene.project);
    assert_eq!((&more[0].1[..3], more[0].1.len()), (&records[..], 4));
    assert_eq!(scene.calls.again(), 0);

    // The file is lost: what was said is not.
    let paid = scene.calls.all();
    std::fs::remove_dir_all(scene.project.path("data")).unwrap();
    scene.run(&["generate", "--count", "4"]).await;
    assert_eq!((transcripts(&scene.project), scene.calls.all()), (more.clone(), paid));

    // Another home, another store: the same again, bit for bit.
    let other = Scene { project: Arc::new(project(&scene.server.url)), ..scene };
    other.run(&["generate", "--count", "4"]).await;
    assert_eq!(transcripts(&other.project), more);
    assert_eq!(other.calls.all(), paid * 2);

    // Sound as transcripts, too.
    let checked = other.run(&["check", "--only", "structure"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.all());
    let spent = other.run(&["status", "--format", "json"]).await;
    let spent: Value = serde_json::from_str(&spent.out).unwrap();
    assert!(spent["spend"].to_string().contains("generate"), "{}", spent["spend"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_the_wrong_length_is_asked_for_once_more_and_noted() {
    let scene = Scene::with(1..3).await;
    let ran = scene.run(&["generate", "--count", "2", "--exchanges", "2"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let made = transcripts(&scene.project);
    for exchange in made[0].1.iter().flat_map(|r| r["exchanges"].as_array().unwrap()) {
        let violation = &exchange["violations"][0];
        let words = exchange["user"].as_str().unwrap().split(' ').count();
        let expected = json!({"who": "user", "words": words, "min": 4, "max": 9});
        assert_eq!(*violation, expected, "{exchange}");
        assert_eq!(exchange["violations"].as_array().unwrap().len(), 1, "replies may be short");
    }
    // Two for each message of the user, one for each reply.
    assert_eq!((scene.calls.all(), scene.calls.again()), (2 * 2 * 3, 0));
    let again = scene.server.take().into_iter().filter(|asked| {
        asked.body["messages"].to_string().contains("Write it anew, 4 to 9 words.")
    });
    assert_eq!(again.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_finished_is_left_out_told_and_tried_again() {
    let good = Arc::new(AtomicBool::new(false));
    let is_good = Arc::clone(&good);
    let server = JudgeServer::start(move |asked, _| {
        // The second persona of this seed meets a model that talks nonsense.
        let nonsense = asked.body["messages"].to_string().contains("name: Ana");
        if nonsense && !is_good.load(Ordering::SeqCst) {
            return Reply::Text("Sure! Here is the message.".into());
        }
        Reply::Text(message(asked, 4..10))
    })
    .await;
    let calls = Calls::default();
    let scene = Scene { project: Arc::new(project(&server.url)), server, calls };
    let plan = scene.run(&["generate", "--count", "6", "--dry-run", "--format", "json"]).await;
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let is_ana = |p: &&Value| p["name"] == "Ana";
    let anas = plan["personas"].as_array().unwrap().iter().filter(is_ana).count();
    assert!((1..6).contains(&anas), "{plan}");
    let ran = scene.run(&["generate", "--count", "6", "--format", "json"]).await;
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert_eq!(ran.err.matches("did not answer with one message").count(), 1, "{}", ran.err);
    assert!(
        ran.err.contains(&format!("{anas} not finished, the same command tries again")),
        "{}",
        ran.err
    );
    let rows: Value = serde_json::from_str(&ran.out).unwrap();
    let failed = rows.as_array().unwrap().iter().filter(|row| !row["failed"].is_null()).count();
    assert_eq!((failed, transcripts(&scene.project)[0].1.len()), (anas, 6 - anas));
    good.store(true, Ordering::SeqCst);
    let ran = scene.run(&["generate", "--count", "6"]).await;
    assert_eq!((ran.code, transcripts(&scene.project)[0].1.len()), (Some(0), 6), "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_stops_everything_at_once() {
    let body = r#"{"error":{"message":"Incorrect API key provided"}}"#;
    let server = JudgeServer::start(move |_, _| Reply::Status(401, vec![], body)).await;
    let scene = Scene { project: Arc::new(project(&server.url)), server, calls: Calls::default() };
    let ran = scene.run(&["generate", "--count", "20"]).await;
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert_eq!(ran.err.matches("the key was not accepted").count(), 1, "{}", ran.err);
    assert!(scene.server.take().len() <= 4, "no more than were under way");
    assert!(transcripts(&scene.project).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_where_it_may_not_be_or_with_a_broken_file() {
    let scene = Scene::with(4..10).await;
    let untrusted = scene.run(&["--untrusted", "generate"]).await;
    assert_eq!(untrusted.code, Some(2), "{}", untrusted.all());
    assert!(untrusted.err.contains("this folder is not trusted"), "{}", untrusted.err);
    scene.project.write("config/persona-template.yaml", "exchanges: many\n");
    let broken = scene.run(&["generate"]).await;
    let said = "config/persona-template.yaml:1: exchanges must be a whole number";
    assert!(broken.code == Some(2) && broken.err.contains(said), "{}", broken.all());
    scene.project.write("config/persona-template.yaml", TEMPLATE);
    scene.project.write("config/prompts/user_sim.md", "You are\n{{person}}.\n");
    let broken = scene.run(&["generate"]).await;
    assert!(broken.err.contains("user_sim.md:2: unknown placeholder `person`"), "{}", broken.err);
    let text = scene.project.read("rubricator.toml").replace("127.0.0.1", "models.example");
    scene.project.write("config/prompts/user_sim.md", "You are {{persona}}.\n");
    scene.project.write("rubricator.toml", text);
    let foreign = scene.run(&["generate"]).await;
    assert!(foreign.code == Some(2) && foreign.err.contains("settings-host"), "{}", foreign.all());
    assert_eq!(scene.calls.all(), 0);
    assert!(!scene.project.path("prompt_versions").exists());
}

/// Messages that are in the store: none of them may be asked for again.
fn stored(project: &Project) -> BTreeSet<String> {
    let path = project.path(".rubricator/store.db");
    if !path.exists() {
        return BTreeSet::new();
    }
    let store = rusqlite::Connection::open(path).unwrap();
    let mut query = store.prepare("SELECT value FROM answers").unwrap();
    let texts = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let text = |value: String| {
        let value: Value = serde_json::from_str(&value).unwrap();
        json!({"message": value["reasoning"]}).to_string()
    };
    texts.map(|value| text(value.unwrap())).collect()
}

/// `RUBRICATOR_KILLS=20` is the whole of it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_it_makes_what_an_undisturbed_run_makes() {
    let kills = std::env::var("RUBRICATOR_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let calm = Scene::with(4..10).await;
    calm.run(&["generate", "--count", "6"]).await;
    let expected = transcripts(&calm.project);
    let calls = calm.calls.all();

    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&said);
    let mut server = JudgeServer::start(move |asked, _| {
        let message = message(asked, 4..10);
        noted.lock().unwrap().push(message.clone());
        Reply::Text(message)
    })
    .await;
    let project = project(&server.url);
    let per_run = 1 + calls / (kills + 1);
    for kill in 0..kills {
        let known = stored(&project);
        said.lock().unwrap().clear();
        let mut run = project.command(&["generate", "--count", "6"]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..1 + roll(9, &format!("kill {kill}")) as usize % per_run {
            server.arrived.recv().await.unwrap();
        }
        run.kill().unwrap();
        run.wait().unwrap();
        while server.arrived.try_recv().is_ok() {}
        let again = said.lock().unwrap().iter().filter(|m| known.contains(*m)).count();
        assert_eq!(again, 0, "kill {kill}: a stored message was asked for again");
    }
    let known = stored(&project);
    said.lock().unwrap().clear();
    let scene = Scene { project: Arc::new(project), server, calls: Calls::default() };
    let ran = scene.run(&["generate", "--count", "6"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(said.lock().unwrap().iter().all(|message| !known.contains(message)));
    assert_eq!(transcripts(&scene.project), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_the_prompts_has_a_pass_rate() {
    let server = JudgeServer::start(|asked, _| match asked.criteria.as_slice() {
        [only] if only == "message" => Reply::Text(message(asked, 4..10)),
        _ => Reply::all(asked, "YES"),
    })
    .await;
    let scene = Scene { project: Arc::new(project(&server.url)), server, calls: Calls::default() };
    scene.project.write(
        "config/rubric.yaml",
        "name: Small\nmin_exchanges: 1\ncategories:\n  all: {weight: 1.0, criteria: [A]}\n\
         criteria:\n  A: {name: First, question: Is the reply kind?, na_valid: false}\n",
    );
    let assess = ["generate", "--count", "2", "--assess", "--format", "json"];
    let ran = scene.run(&assess).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let cards: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(cards.as_array().unwrap().len(), 2, "only what `assess` prints");
    scene.project.write("config/prompts/system.md", "Be kinder.\n");
    scene.run(&assess).await;
    let status = scene.run(&["status", "--format", "json"]).await;
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let batches = status["batches"].as_array().unwrap();
    let mut versions: Vec<String> = transcripts(&scene.project)
        .iter()
        .flat_map(|(_, records)| records)
        .map(|r| format!("generated-{}", &r["prompt_version"].as_str().unwrap()[..8]))
        .collect();
    versions.sort();
    versions.dedup();
    let named: BTreeSet<String> =
        batches.iter().map(|b| b["batch"].as_str().unwrap().to_owned()).collect();
    assert_eq!((named, versions.len()), (versions.into_iter().collect(), 2));
    assert!(batches.iter().all(|b| b["pass_rate"] == 1.0 && b["transcripts"] == 2), "{status}");
}
