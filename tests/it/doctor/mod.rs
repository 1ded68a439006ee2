//! The doctor against the trainers' own code: `transformers`, `tokenizers`,
//! mistral-common and Together's file check, installed from the package index into
//! `target/` once; skipped with a notice where they cannot be had. TRL, which is
//! large, by `RUBRICATOR_TRL_PYTHON` (the README says how).

mod corpus;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rubricator::doctor::{self, Loss, Target, Trainer};
use rubricator::text::json;
use rubricator::tokens::{
    BUILT_IN, Counter, HfTokenizer, RecordCounter, RenderInput, Specials, Template,
};
use rubricator::transcript::read;
use serde_json::{Value, json};

use crate::cli::Project;

/// The last version of Together's client that checks what a file says.
const PACKAGES: [&str; 4] =
    ["transformers==5.24.0", "jinja2>=3.1", "mistral-common==1.13.1", "together==1.6.0"];

/// A Python with the references; `None`, with a notice, where there is none.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doctor-reference");
    let python = folder.join("bin/python");
    let has_all = |python: &Path| {
        let imports = "import transformers, jinja2, mistral_common, together.utils.files";
        let quiet = Command::new(python).args(["-c", imports]).output();
        quiet.is_ok_and(|output| output.status.success())
    };
    if has_all(&python) {
        return Some(python);
    }
    let ran = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let made = ran(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        && ran(Command::new(&python)
            .args(["-m", "pip", "install", "-q", "--retries", "1"])
            .args(PACKAGES))
        && has_all(&python);
    if !made {
        notice(
            "not compared: the references cannot be installed here (python3, venv, pip, network)",
        );
    }
    made.then_some(python)
}

fn notice(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

/// What the references answer to each request.
fn ask(python: &Path, requests: &[Value]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/doctor/reference.py");
    let mut child = Command::new(python)
        .arg(script)
        .env("PYTHONUTF8", "1")
        .env("HF_HUB_OFFLINE", "1")
        .env("TRANSFORMERS_VERBOSITY", "error")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let asked: String = requests.iter().map(|r| format!("{r}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let answers: Vec<Value> = lines.map(|l| serde_json::from_str(&l.unwrap()).unwrap()).collect();
    let _ = writer.join();
    child.wait().unwrap();
    assert_eq!(answers.len(), requests.len(), "the reference answered every request");
    answers
}

/// The templates compared: the built-in ones and some that do odd things.
fn templates() -> Vec<(String, String, Specials)> {
    let mut all: Vec<(String, String, Specials)> = BUILT_IN
        .into_iter()
        .filter_map(|name| {
            let (source, specials) = Template::built_in_source(name)?;
            Some((name.to_owned(), source, specials))
        })
        .collect();
    for (name, source) in corpus::TEMPLATES {
        let specials = Specials { bos: Some("<s>".into()), eos: Some("</s>".into()) };
        all.push((name.to_owned(), source.to_owned(), specials));
    }
    all
}

fn target(tokenizer: &str, template: Template, loss: Loss, max_length: usize) -> Target {
    let own = Arc::new(HfTokenizer::from_json(tokenizer.as_bytes()).unwrap());
    let counter = RecordCounter::new(Counter::HuggingFace(own), Arc::new(template), Arc::default());
    Target::new(Trainer::Trl, Some(loss), Some(max_length), counter, true).unwrap()
}

#[test]
fn what_it_says_is_what_the_references_do() {
    let Some(python) = python() else { return };
    rendered(&python);
    refused(&python, "mistral", "mistral-v3", json!({"ask": "mistral", "version": "v3"}));
    refused(&python, "mistral", "mistral-v7", json!({"ask": "mistral", "version": "v7"}));
    refused(&python, "together", "openai", json!({"ask": "together"}));
}

/// Texts, spans, tokens and trained tokens are those of `transformers`.
fn rendered(python: &Path) {
    let records = corpus::conversations();
    let tokenizer = corpus::tokenizer();
    let templates = templates();
    let request = |(_, source, specials): &(String, String, Specials)| {
        json!({"ask": "render", "template": source, "tokenizer": tokenizer,
               "bos": specials.bos, "eos": specials.eos, "records": records})
    };
    let answers = ask(python, &templates.iter().map(request).collect::<Vec<_>>());
    let mut compared = 0;
    for ((name, source, specials), answer) in templates.iter().zip(&answers) {
        let template = || Template::from_source(name, source, specials.clone()).unwrap();
        let target = target(&tokenizer, template(), Loss::Replies, 1_000_000);
        let template = template();
        let Template::Jinja(chat) = &template else { panic!("{name} is a template") };
        for (record, expected) in records.iter().zip(answer.as_array().unwrap()) {
            let text = record.to_string();
            let parsed = json::parse(&text, 128);
            let transcript = read(&text, &parsed).transcript.unwrap();
            let input = RenderInput::from_transcript(&text, &transcript);
            let got = chat.render_marked(&input);
            let Ok(got) = got else {
                assert!(expected.get("error").is_some(), "{name} {record}: {got:?} {expected}");
                continue;
            };
            assert_eq!(Some(got.text()), expected["text"].as_str(), "{name} {record} {expected}");
            let at = |byte: usize| got.text()[..byte].chars().count();
            let spans: Vec<[usize; 2]> =
                got.generated().iter().map(|s| [at(s.start), at(s.end)]).collect();
            assert_eq!(json!(spans), expected["spans"], "{name} {record}");
            let count = doctor::examine(&text, &parsed, &transcript, &target).count.unwrap();
            let counts = json!([count.tokens, count.trained]);
            assert_eq!(counts, json!([expected["tokens"], expected["trained"]]), "{name} {record}");
            compared += 1;
        }
    }
    assert!(compared > 150, "{compared} records were compared");
}

/// What is refused is what the trainer's own check refuses, record by record.
fn refused(python: &Path, trainer: &str, template: &str, mut request: Value) {
    let records = corpus::faulty(if trainer == "together" { 1 } else { 2 });
    request["records"] = json!(records);
    let answer = ask(python, &[request]).remove(0);
    let project = Project::empty();
    let lines: String = records.iter().map(|r| format!("{r}\n")).collect();
    project.write("data.jsonl", lines);
    let ran = project.run(&[
        "doctor",
        "data.jsonl",
        "--target",
        trainer,
        "--template",
        template,
        "--format",
        "json",
    ]);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = said["records"].as_array().unwrap();
    let (mut refused, mut taken) = (0, 0);
    for ((record, row), expected) in records.iter().zip(rows).zip(answer.as_array().unwrap()) {
        let ours = row["fate"] == "refused";
        assert_eq!(ours, !expected.is_null(), "{trainer} {template}: {record}\n{row}\n{expected}");
        *if ours { &mut refused } else { &mut taken } += 1;
    }
    assert!(refused > 100 && taken > 20, "{refused} refused, {taken} taken");
}

/// What TRL keeps and trains on, by its own preparation of a data set.
#[test]
fn trl_keeps_what_it_says() {
    let Some(python) = std::env::var_os("RUBRICATOR_TRL_PYTHON").map(PathBuf::from) else {
        notice("not compared: set RUBRICATOR_TRL_PYTHON to a Python that has trl");
        return;
    };
    let tokenizer = corpus::tokenizer();
    let records = corpus::conversations();
    let (source, specials) = Template::built_in_source("chatml").unwrap();
    let mut asked = Vec::new();
    for (loss, name) in [(Loss::All, "all"), (Loss::Replies, "replies")] {
        for max_length in [20, 60, 100_000] {
            let request = json!({"ask": "trl", "template": source, "tokenizer": tokenizer,
                "bos": specials.bos, "eos": specials.eos, "records": records,
                "max_length": max_length, "loss": name});
            asked.push((request, loss, max_length));
        }
    }
    let requests: Vec<Value> = asked.iter().map(|(request, ..)| request.clone()).collect();
    for (answer, (_, loss, max_length)) in ask(&python, &requests).iter().zip(&asked) {
        let template = Template::from_source("chatml", &source, specials.clone()).unwrap();
        let target = target(&tokenizer, template, *loss, *max_length);
        for (record, expected) in records.iter().zip(answer.as_array().unwrap()) {
            let text = record.to_string();
            let parsed = json::parse(&text, 128);
            let transcript = read(&text, &parsed).transcript.unwrap();
            let diagnosis = doctor::examine(&text, &parsed, &transcript, &target);
            let why = format!("{record} {loss:?} {max_length}: {diagnosis:?} {expected}");
            if expected.get("error").is_some() {
                assert_eq!(diagnosis.fate, doctor::Fate::Refused, "{why}");
                continue;
            }
            let count = diagnosis.count.unwrap();
            let is_dropped = diagnosis.fate == doctor::Fate::Dropped;
            let ours = if is_dropped { (0, 0) } else { (count.kept, count.kept_trained) };
            assert_eq!(
                json!([ours.0, ours.1]),
                json!([expected["kept"], expected["kept_trained"]]),
                "{why}"
            );
        }
    }
}
