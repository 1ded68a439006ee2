//! `critique`: what experts and difficult users would say of the rubric, the prompts
//! or a few transcripts, and what is made of it.
//!
//! Invariant: a text is asked about once, whatever came of it; a finding changes
//! nothing by itself: a person accepts it (it becomes a criterion or an example of the
//! rubric) or dismisses it, and that is appended.

mod accept;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::{Critique as Args, CritiqueAction, GateFormat};
use super::report::counted;
use super::scan::{Source, scan};
use super::settings::shown_path;
use super::style::{Style, plain};
use super::{Ending, Failure, Session, interrupt};
use crate::assessment::{evidence, selftest};
use crate::config::{Judge, Provider};
use crate::engine::critique::{self, FILE, Shown};
use crate::engine::ledger::Purpose;
use crate::engine::workspace::{Project, plain as plain_error};
use crate::engine::{AssessJob, Engine, EngineOptions, Spending, Stopped, Trust, journal, trust};
use crate::prompt::Template;
use crate::review::critique::{Critique, Critiques, Finding, Line, Reply};
use crate::text::json as scanner;
use crate::transcript::{Transcript, digest, read};

/// Transcripts that are looked at together.
const BATCH: usize = 5;

/// One file to be criticised.
struct Artefact {
    /// The file, counted from the project's folder.
    file: String,
    what: String,
    /// Pieces of its text; of transcripts one each, with its id.
    parts: Vec<(Option<String>, String)>,
}

/// Does what was typed.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    match &args.action {
        Some(CritiqueAction::Accept(accept)) => accept::accept(accept, session),
        Some(CritiqueAction::Dismiss(decide)) => accept::dismiss(decide, session),
        None => criticise(args, session),
    }
}

fn criticise(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let named = ["rubric", "prompts", "persona", "taxonomy"].contains(&args.what.as_str());
    let near = if named { PathBuf::from(".") } else { PathBuf::from(&args.what) };
    let project = session.workspace.project_of(&near);
    let root = root_of(&project)?;
    if session.report_settings(&project) {
        return Err(Failure::new("the settings have errors, so nothing was asked"));
    }
    let judge = critic(&project, args.judge.as_deref())?;
    let artefacts = artefacts(&args.what, &project, &root)?;
    let (mut ending, mut printed) = (Ending::Good, Vec::new());
    for artefact in artefacts {
        let shown = artefact.shown()?;
        let known = log(&root)?;
        if args.dry_run {
            let words = counted(artefact.text().split_whitespace().count(), "word");
            let asked = known.answered(&shown.asked(&judge)).is_some();
            let how = if asked { "is known: nothing would be sent" } else { "would be sent" };
            let host = trust::host(&judge).unwrap_or_else(|| judge.provider.name().to_owned());
            session.out.line(&plain(&format!(
                "{} ({words}) {how} to {} at {host}",
                artefact.file, judge.model
            )));
            continue;
        }
        let critique = match known.answered(&shown.asked(&judge)) {
            Some(known) => known.clone(),
            None => match ask(&artefact, &shown, &judge, &project, args, session)? {
                Ok(critique) => critique,
                Err(why) => {
                    session.out.error(&plain(&format!("{}: no critique: {why}", artefact.file)));
                    ending = Ending::Incomplete;
                    continue;
                }
            },
        };
        let known = log(&root)?;
        match args.format {
            GateFormat::Json => printed.push(to_json(&critique, &known, &artefact)),
            GateFormat::Text => {
                let style = Style::new(session.out.color);
                let place = |finding: &Finding| artefact.place(finding);
                session.out.write(&text::shown(&critique, &known, &place, style));
            }
        }
    }
    if args.format == GateFormat::Json && !args.dry_run {
        session.out.line(&format!("{:#}", Value::Array(printed)));
    }
    Ok(ending)
}

/// Asks, and keeps what was answered.
fn ask(
    artefact: &Artefact,
    shown: &Shown,
    judge: &Judge,
    project: &Project,
    args: &Args,
    session: &mut Session,
) -> Result<Result<Critique, String>, Failure> {
    let cannot_start = |e| Failure::new(format!("cannot start: {e}"));
    let engine = Engine::new(EngineOptions::of_user());
    if args.send_sensitive {
        engine.consent([shown.digest]);
    }
    let job = job(project, judge, session.untrusted);
    let interrupt = interrupt::token().map_err(cannot_start)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let answered =
        runtime.map_err(cannot_start)?.block_on(engine.critique(shown, judge, &job, &interrupt));
    let reply = match answered {
        Ok(text) => match Reply::parse(&text) {
            Ok(reply) => reply,
            Err(why) => return Ok(Err(format!("the reply is not as asked ({why})"))),
        },
        Err(unscored) => return Ok(Err(unscored.detail)),
    };
    let no_id = |e| Failure::new(format!("no critique id: {e}"));
    let mut id = journal::new_id("c").map_err(no_id)?;
    id.truncate(10);
    let finding = |(index, said): (usize, crate::review::critique::Said)| Finding {
        id: format!("{id}.{}", index + 1),
        transcript: artefact.part_of(&said.quote).and_then(|(id, _)| id.clone()),
        said,
    };
    let critique = Critique {
        at: journal::now(),
        file: artefact.file.clone(),
        asked: shown.asked(judge),
        judge: judge.name.clone(),
        model: judge.model.clone(),
        experts: reply.experts,
        users: reply.users,
        findings: reply.findings.into_iter().enumerate().map(finding).collect(),
        synthesis: reply.synthesis,
        id: id.clone(),
    };
    append(&root_of(project)?, &Line::Critique(critique.clone()))?;
    Ok(Ok(critique))
}

fn job(project: &Project, judge: &Judge, untrusted: bool) -> AssessJob {
    AssessJob {
        generation: 0,
        transcripts: Vec::new(),
        rubric: Arc::new(selftest::rubric()),
        judges: vec![judge.clone()],
        settings: project.settings().assess.clone(),
        template: Arc::new(Template::builtin()),
        trust: if untrusted { Trust::Denied } else { Trust::Given },
        project_dir: project.root.clone(),
        spending: Spending::of_run(&project.settings().assess).on(Purpose::Critique),
        stopped: Stopped::default(),
    }
}

/// The judge that is asked.
fn critic(project: &Project, name: Option<&str>) -> Result<Judge, Failure> {
    let judges = &project.settings().judges;
    let can = |judge: &&Judge| judge.provider != Provider::Recorded;
    match name {
        Some(name) => {
            let found = judges.iter().find(|judge| judge.name == name);
            let found = found.ok_or_else(|| Failure::new(format!("there is no judge `{name}`")))?;
            let recorded = || {
                Failure::new(format!("{name} is a recording: it answers only what it was asked"))
            };
            Some(found).filter(can).cloned().ok_or_else(recorded)
        }
        None => judges.iter().find(can).cloned().ok_or_else(|| {
            Failure::new("nobody can be asked: add a [[judge]] with a model to rubricator.toml")
        }),
    }
}

/// The files that a word or a path names.
fn artefacts(what: &str, project: &Project, root: &Path) -> Result<Vec<Artefact>, Failure> {
    let one = |path: PathBuf, what: &str| -> Result<Vec<Artefact>, Failure> {
        Ok(vec![plain_file(&path, what, root)?])
    };
    let settings = project.settings();
    match what {
        "rubric" => one(
            root.join(&settings.project.rubric),
            "the rubric that judges will assess the conversations with",
        ),
        "persona" => one(
            root.join("config/persona-template.yaml"),
            "the template that personas of simulated users are made with",
        ),
        "taxonomy" => one(
            root.join("config/input-taxonomy.yaml"),
            "the taxonomy of inputs that conversations are sampled from",
        ),
        "prompts" => {
            let folder = root.join("config/prompts");
            let entries = std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, &e))?;
            let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            files.retain(|path| path.extension().is_some_and(|end| end == "md"));
            files.sort();
            let what = "a prompt that conversations are generated with";
            files.iter().map(|path| plain_file(path, what, root)).collect()
        }
        file => {
            let path = PathBuf::from(file);
            let end = path.extension().and_then(|end| end.to_str()).unwrap_or("");
            if ["jsonl", "ndjson", "json"].contains(&end) {
                Ok(vec![transcripts(&path, project, root)?])
            } else {
                one(path, "a file of a project that makes synthetic conversations")
            }
        }
    }
}

fn plain_file(path: &Path, what: &str, root: &Path) -> Result<Artefact, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(path, &e))?;
    Ok(Artefact { file: inside(path, root), what: what.to_owned(), parts: vec![(None, text)] })
}

fn transcripts(path: &Path, project: &Project, root: &Path) -> Result<Artefact, Failure> {
    let limits = &project.settings().limits;
    let mut parts = Vec::new();
    let look =
        |text: &str, _: &mut _| read(text, &scanner::parse(text, limits.depth)).transcript.ok();
    scan(&Source::Disk(path.to_owned()), limits, &mut Vec::new(), look, |seen| {
        let transcript = seen.analysis.ok().flatten().filter(|_| parts.len() < BATCH);
        parts.extend(transcript.map(|t| (Some(t.id.clone()), written(&t))));
    })
    .map_err(|e| Failure::new(e.to_string()))?;
    if parts.is_empty() {
        return Err(Failure::new(format!("{} holds no transcript", shown_path(path))));
    }
    let what = "a small batch of generated conversations".to_owned();
    Ok(Artefact { file: inside(path, root), what, parts })
}

/// A transcript as it is read: who says what.
fn written(transcript: &Transcript) -> String {
    let say = |m: &crate::transcript::Message| format!("{}: {}\n\n", m.role.name(), m.text);
    transcript.messages.iter().map(say).collect()
}

/// A path counted from the project's folder, with `/`.
fn inside(path: &Path, root: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let inside = full.strip_prefix(&root).map_or(path, |inside| inside);
    inside.to_string_lossy().replace('\\', "/")
}

impl Artefact {
    /// All of it, as it is shown.
    fn text(&self) -> String {
        let part = |(id, text): &(Option<String>, String)| match id {
            Some(id) => format!("## transcript {id}\n\n{text}"),
            None => text.clone(),
        };
        self.parts.iter().map(part).collect()
    }

    /// The text as something that is searched for secrets and fenced.
    fn shown(&self) -> Result<Shown, Failure> {
        let record = json!({"messages": [{"role": "user", "content": self.text()}]}).to_string();
        let parsed = scanner::parse(&record, scanner::DEPTH_LIMIT);
        let text = read(&record, &parsed).transcript;
        let text = text.map_err(|_| Failure::new(format!("{} holds no text", self.file)))?;
        let digest = digest::of(&record, &text);
        Ok(Shown { what: self.what.clone(), text: Arc::new(text), digest })
    }

    /// The piece that holds a quote.
    fn part_of(&self, quote: &str) -> Option<&(Option<String>, String)> {
        self.parts
            .iter()
            .find(|(_, text)| !quote.is_empty() && evidence::find(text, quote).is_some())
    }

    /// Where a finding's words are now, for people.
    fn place(&self, finding: &Finding) -> String {
        match (&finding.transcript, self.part_of(&finding.said.quote)) {
            (Some(id), _) => format!("{} {id}", self.file),
            (None, Some((_, text))) => {
                let at = evidence::find(text, &finding.said.quote).map_or(0, |span| span.start);
                format!("{}:{}", self.file, text[..at].matches('\n').count() + 1)
            }
            (None, None) => self.file.clone(),
        }
    }
}

fn to_json(critique: &Critique, known: &Critiques, artefact: &Artefact) -> Value {
    let finding = |finding: &Finding| {
        let decided = known.decision(&finding.id);
        json!({"id": finding.id, "kind": finding.said.kind, "says": finding.said.says,
            "voices": finding.said.voices, "quote": finding.said.quote,
            "found": artefact.part_of(&finding.said.quote).is_some(),
            "place": artefact.place(finding), "question": finding.said.question,
            "decision": decided.map(|d| if d.accepted { "accepted" } else { "dismissed" })})
    };
    let voices = |all: &[crate::review::critique::Voice]| json!(all);
    json!({"id": critique.id, "file": critique.file, "judge": critique.judge,
        "model": critique.model, "experts": voices(&critique.experts),
        "users": voices(&critique.users),
        "findings": critique.findings.iter().map(finding).collect::<Vec<_>>(),
        "synthesis": critique.synthesis})
}

fn root_of(project: &Project) -> Result<PathBuf, Failure> {
    project
        .root
        .clone()
        .ok_or_else(|| Failure::new("there is no project here: `rubricator init` makes one"))
}

fn log(root: &Path) -> Result<Critiques, Failure> {
    critique::read(root).map_err(|e| Failure::new(format!("{FILE} {}", plain_error(&e))))
}

fn append(root: &Path, line: &Line) -> Result<(), Failure> {
    let why = |e| plain_error(&e).replace("read", "written");
    critique::append(root, line).map_err(|e| Failure::new(format!("{FILE} {}", why(e))))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} {}", shown_path(path), plain_error(error)))
}
