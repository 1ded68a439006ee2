//! `judges --selftest`: every judge answers the canaries, and what it said stands
//! beside what a sound judge says.
//!
//! Invariant: nothing of it is stored, so a second trial asks again, and a
//! project's store holds its own answers alone.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::assessment::JudgeOutcomes;
use crate::assessment::selftest::{self, Canary, Said};
use crate::cli::assess::job;
use crate::cli::interrupt;
use crate::cli::report::columns;
use crate::cli::style::{Style, plain, wrap};
use crate::cli::{Ending, Failure, Session};
use crate::config::{Judge, Provider};
use crate::engine::ledger::Purpose;
use crate::engine::workspace::Project;
use crate::engine::{AssessJob, Engine, EngineOptions, JobTranscript, Spending, Stopped, Trust};
use crate::prompt::Template;
use crate::transcript::TranscriptDigest;

/// How a judge did.
pub enum Trial {
    /// It replays answers, so there is nothing to try.
    Recorded,
    /// What it said of each canary.
    Tried(Vec<Heard>),
}

/// A canary and what was said of it.
pub struct Heard {
    name: String,
    about: String,
    said: Vec<Said>,
}

/// Tries the judges, all at once.
pub fn run(
    project: &Project,
    judges: &[Judge],
    session: &mut Session,
) -> Result<Vec<Trial>, Failure> {
    let canaries = selftest::canaries();
    let tried: Vec<Judge> =
        judges.iter().filter(|j| j.provider != Provider::Recorded).cloned().collect();
    let mut said = HashMap::new();
    if !tried.is_empty() {
        // Without a data folder nothing is stored, and nothing is known.
        // What it costs is written down; what is said about canaries is not kept.
        let engine =
            Engine::new(EngineOptions { keeps_answers: false, ..EngineOptions::of_user() });
        let trust = if session.untrusted { Trust::Denied } else { Trust::Given };
        let job = asked(project, tried.clone(), &canaries, trust);
        let ran = interrupt::token()
            .and_then(|stop| job::run(&engine, job, &stop, &mut session.out, |_, _, _| {}));
        let (summary, answers) = ran.map_err(|e| Failure::new(format!("cannot start: {e}")))?;
        session.out.note(&format!("selftest: {}", job::spent(summary.calls, summary.cost)));
        said = answers;
    }
    let trial = |judge: &Judge| match tried.iter().position(|t| t.name == judge.name) {
        None => Trial::Recorded,
        Some(index) => Trial::Tried(canaries.iter().map(|c| heard(c, index, &said)).collect()),
    };
    Ok(judges.iter().map(trial).collect())
}

/// The canaries, asked as the project's transcripts are, but once.
fn asked(
    project: &Project,
    mut judges: Vec<Judge>,
    canaries: &[Canary],
    trust: Trust,
) -> AssessJob {
    judges.iter_mut().for_each(|judge| judge.repeat = 1);
    let transcript =
        |canary: &Canary| JobTranscript::new(Arc::clone(&canary.transcript), canary.digest);
    AssessJob {
        generation: 0,
        transcripts: canaries.iter().map(transcript).collect(),
        rubric: Arc::new(selftest::rubric()),
        judges,
        settings: project.settings().assess.clone(),
        template: Arc::new(Template::builtin()),
        trust,
        project_dir: project.root.clone(),
        spending: Spending::of_run(&project.settings().assess).on(Purpose::Selftest),
        stopped: Stopped::default(),
    }
}

fn heard(
    canary: &Canary,
    judge: usize,
    said: &HashMap<TranscriptDigest, Vec<JudgeOutcomes>>,
) -> Heard {
    let silent = JudgeOutcomes::default();
    let outcomes = said.get(&canary.digest).and_then(|judges| judges.get(judge));
    Heard {
        name: canary.transcript.id.clone(),
        about: canary.about.clone(),
        said: canary.said(outcomes.unwrap_or(&silent)),
    }
}

impl Heard {
    fn passed(&self) -> bool {
        self.said.iter().all(Said::passed)
    }
}

impl Trial {
    /// How the run ends for it.
    pub fn ending(&self) -> Ending {
        let Self::Tried(canaries) = self else { return Ending::Good };
        let silent = |said: &Said| said.mark == crate::assessment::Mark::Unscored;
        if canaries.iter().flat_map(|c| &c.said).any(silent) {
            Ending::Incomplete
        } else if canaries.iter().all(Heard::passed) {
            Ending::Good
        } else {
            Ending::Findings
        }
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let Self::Tried(canaries) = self else { return json!({"applies": false}) };
        let said = |said: &Said| {
            json!({
                "criterion": said.criterion,
                "expected": said.expected.iter().map(|v| v.name()).collect::<Vec<_>>(),
                "said": said.mark.name(),
                "reasoning": said.reasoning,
            })
        };
        let one = |heard: &Heard| {
            json!({
                "canary": heard.name,
                "about": heard.about,
                "passed": heard.passed(),
                "answers": heard.said.iter().map(said).collect::<Vec<_>>(),
            })
        };
        json!({
            "applies": true,
            "passed": canaries.iter().filter(|c| c.passed()).count(),
            "total": canaries.len(),
            "canaries": canaries.iter().map(one).collect::<Vec<_>>(),
        })
    }

    /// For people: the count, and what was wrong.
    pub fn to_text(&self, style: Style) -> String {
        let Self::Tried(canaries) = self else {
            return "  selftest     does not apply: it replays answers\n".into();
        };
        let passed = canaries.iter().filter(|c| c.passed()).count();
        let count = format!("passed {passed} of {}", canaries.len());
        let good = passed == canaries.len();
        let count = if good { style.good(&count) } else { style.bad(&count) };
        let mut out = format!("  {:<12} {count}\n", "selftest");
        for canary in canaries.iter().filter(|c| !c.passed()) {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "    ✗ {}: {}", canary.name, canary.about);
            for said in canary.said.iter().filter(|said| !said.passed()) {
                let expected: Vec<&str> = said.expected.iter().map(|v| v.name()).collect();
                let line = format!(
                    "{} is {}, said {}: {}",
                    said.criterion,
                    expected.join(" or "),
                    said.mark.name(),
                    plain(&said.reasoning)
                );
                for line in wrap(&line, columns().saturating_sub(6)) {
                    let _ = writeln!(out, "      {line}");
                }
            }
        }
        out
    }
}
