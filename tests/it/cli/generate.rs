//! `generate` against models on this machine: the same transcripts from the same seed,
//! whatever happens on the way, and nothing paid for twice.

use std::collections::BTreeMap;
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

/// Who was asked, by model, and how often each call came.
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
