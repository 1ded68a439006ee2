//! The engine against a judge on this machine that speaks Chat Completions and
//! remembers what it was asked. Cost is behaviour: what was asked is asserted.

mod calls;
mod cancel;
mod failures;
mod patience;
mod recorded;
pub mod server;

use std::path::Path;
use std::sync::Arc;

use rubricator::assessment::Outcome;
use rubricator::config::{Assess, Judge, Origin, Provider};
use rubricator::engine::{
    AssessJob, AssessUpdate, Cancel, Clock, Engine, EngineOptions, JobTranscript, RunSummary,
    Stopped, Trust,
};
use rubricator::prompt::Template;
use rubricator::rubric::{self, Rubric};
use rubricator::text::json;
use rubricator::transcript;
use tokio_util::sync::CancellationToken;

pub use failures::noting;
pub use server::{Asked, JudgeServer, Reply};

/// A rubric of two questions and a gate.
pub const RUBRIC: &str = "\
name: Sample
pass_threshold: 0.8
min_exchanges: 1
categories:
  all: {weight: 1.0, criteria: [A, B]}
  safety: {weight: 0.0, criteria: [G]}
safety_gates: [G]
criteria:
  A: {name: First, question: Is the reply kind?}
  B: {name: Second, question: Is the reply short?}
  G: {name: Gate, question: Is the reply safe?}
";

/// A folder with a project and a user's data folder in it.
pub struct World {
    pub dir: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder can be made") }
    }

    pub fn project(&self) -> &Path {
        self.dir.path()
    }

    pub fn options(&self) -> EngineOptions {
        EngineOptions {
            data_dir: Some(self.dir.path().join("user")),
            env: |name| (name == "TEST_KEY").then(|| "sk-test".to_owned()),
            clock: Clock::instead(0, |_| {}),
            ..EngineOptions::default()
        }
    }

    pub fn engine(&self) -> Engine {
        Engine::new(self.options())
    }

    pub fn job(&self, rubric: &str, texts: &[String], judges: Vec<Judge>) -> AssessJob {
        AssessJob {
            generation: 7,
            transcripts: texts.iter().enumerate().map(|(i, text)| transcript(i, text)).collect(),
            rubric: Arc::new(parsed(rubric)),
            judges,
            settings: Assess::default(),
            template: Arc::new(Template::builtin()),
            trust: Trust::Unsaid,
            project_dir: Some(self.project().to_owned()),
            stopped: Stopped::default(),
        }
    }
}

/// A judge behind a server.
pub fn judge(name: &str, server: &JudgeServer) -> Judge {
    judge_at(name, &server.url, 4)
}

/// A judge at an address, asked so much at once.
pub fn judge_at(name: &str, url: &str, at_once: usize) -> Judge {
    Judge {
        name: name.into(),
        provider: Provider::OpenAiCompatible,
        model: format!("model-{name}"),
        base_url: Some(url.to_owned()),
        api_key_env: None,
        command: None,
        file: None,
        max_concurrency: at_once,
        timeout_s: 60,
        max_tokens: None,
        effort: None,
        temperature: None,
        family: None,
        repeat: 1,
        origin: Origin::ProjectFile,
    }
}

/// Texts of two exchanges each, all different.
pub fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("Question {n}?|Answer {n}.|More?|More {n}.")).collect()
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub summary: RunSummary,
    pub updates: Vec<AssessUpdate>,
}

impl Ran {
    /// `judge criterion outcome` of every outcome, sorted.
    pub fn outcomes(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.updates.iter().filter_map(outcome_line).collect();
        lines.sort();
        lines
    }

    pub fn notices(&self) -> Vec<&str> {
        self.updates.iter().filter_map(notice).collect()
    }

    pub fn transcripts_done(&self) -> usize {
        self.updates.iter().filter(|u| matches!(u, AssessUpdate::TranscriptDone { .. })).count()
    }
}

fn notice(update: &AssessUpdate) -> Option<&str> {
    match update {
        AssessUpdate::Notice { message, .. } => Some(message),
        _ => None,
    }
}

fn outcome_line(update: &AssessUpdate) -> Option<String> {
    let AssessUpdate::Outcome { judge, criterion, outcome, .. } = update else { return None };
    Some(match outcome {
        Outcome::Answered(answer) => format!("{judge} {criterion} {}", answer.verdict.name()),
        Outcome::Unscored(unscored) => format!("{judge} {criterion} {}", unscored.reason.name()),
    })
}

/// Runs a job to its end.
pub async fn run(engine: &Engine, job: AssessJob) -> Ran {
    run_until(engine, job, CancellationToken::new()).await
}

pub async fn run_until(engine: &Engine, job: AssessJob, cancel: impl Into<Cancel>) -> Ran {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let summary = engine.assess(job, cancel, sender).await;
    let mut updates = Vec::new();
    while let Some(update) = receiver.recv().await {
        updates.push(update);
    }
    Ran { summary, updates }
}

fn transcript(index: usize, text: &str) -> JobTranscript {
    let roles = ["user", "assistant"].into_iter().cycle();
    let messages: Vec<serde_json::Value> = text
        .split('|')
        .zip(roles)
        .map(|(text, role)| serde_json::json!({"role": role, "content": text}))
        .collect();
    let record = serde_json::json!({"id": format!("t{index}"), "messages": messages}).to_string();
    let json = json::parse(&record, json::DEPTH_LIMIT);
    let transcript = transcript::read(&record, &json).transcript.expect("it is a conversation");
    let digest = transcript::digest::of(&record, &transcript);
    JobTranscript { transcript: Arc::new(transcript), digest }
}

fn parsed(yaml: &str) -> Rubric {
    rubric::parse::parse(yaml).rubric.expect("it is a rubric")
}
