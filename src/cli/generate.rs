//! `generate`: transcripts of personas, by two models, appended to a file.
//!
//! Invariant: `--count` is how many of this seed, these prompts and these models there
//! are to be: what is in the file is not made again, and what was said is not paid for
//! again, however often a run was stopped. Nothing is sent, and nothing written, with
//! a file that has an error or a model that may not be asked.

mod work;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::{Assess, DataFormat, GateFormat, Generate as Args};
use super::report::counted;
use super::settings::shown_path;
use super::style::plain;
use super::{Ending, Failure, Session, assess};
use crate::engine::generate::{self, GenerateJob, Outlet, Setup, snapshots};
use crate::engine::workspace::Project;
use crate::engine::{Trust, trust};
use crate::generate::{Persona, id};

/// Makes them.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let project = session.workspace.project_of(&args.path);
    if session.report_settings(&project) {
        return Err(Failure::new("the settings have errors, so nothing was generated"));
    }
    let setup = setup(args, &project, session)?;
    let settings = &project.settings().generate;
    let count = args.count.map_or(settings.count as u64, u64::from);
    let seed = args.seed.unwrap_or(settings.seed);
    let trust = if session.untrusted { Trust::Denied } else { Trust::Given };
    let asking = setup.asking(&project, trust);
    if args.dry_run {
        dry_run(args, &setup, seed, count, session);
        return Ok(Ending::Good);
    }
    setup.allowed(trust).map_err(Failure::new)?;
    let root = project.root.clone().unwrap_or_default();
    let path = args.out.clone().unwrap_or_else(|| setup.usual_file());
    let out = Outlet::new(&root, &path).map_err(Failure::new)?;
    let there = out.ids().map_err(Failure::new)?;
    let is_missing = |&index: &u64| !there.contains(&id(&setup.persona(seed, index), &setup.maker));
    let indices: Vec<u64> = (0..count).filter(is_missing).collect();
    let file = out.path.clone();
    let mut ending = Ending::Good;
    if indices.is_empty() {
        session.out.note(&plain(&format!(
            "{} of seed {seed} are in {}: --count {} makes more, --seed {} others",
            counted(count as usize, "transcript"),
            shown_path(&file),
            count + settings.count as u64,
            seed + 1
        )));
    } else {
        for name in snapshots(&root, &setup.ingredients).map_err(Failure::new)? {
            session.out.note(&plain(&format!("new: {name}")));
        }
        let job = GenerateJob { setup, seed, indices, out: Arc::new(out), asking };
        ending = work::run(&job, args, session)?;
    }
    match args.assess && ending != Ending::Failed && file.exists() {
        true => Ok(ending.max(assess_file(args, file, session)?)),
        false => Ok(ending),
    }
}

fn setup(args: &Args, project: &Project, session: &mut Session) -> Result<Arc<Setup>, Failure> {
    let read = generate::read(project, args.exchanges.map(|n| n as usize));
    let (setup, troubles) = match read {
        Ok((setup, warnings)) => (Some(setup), warnings),
        Err(troubles) => (None, troubles),
    };
    for trouble in &troubles {
        let said = plain(&trouble.said()).into_owned();
        if trouble.is_error { session.out.error(&said) } else { session.out.warning(&said) }
    }
    setup.map(Arc::new).ok_or_else(|| Failure::new("nothing was generated"))
}

fn assess_file(args: &Args, file: PathBuf, session: &mut Session) -> Result<Ending, Failure> {
    let format = match args.format {
        GateFormat::Text => DataFormat::Text,
        GateFormat::Json => DataFormat::Json,
    };
    let args = Assess {
        paths: vec![file],
        judge: Vec::new(),
        dry_run: false,
        batch: false,
        checkpoint: None,
        record: None,
        shard: None,
        send_sensitive: args.send_sensitive,
        format,
    };
    assess::run(&args, session)
}

/// Who would be played by whom, and what would be sent where.
fn dry_run(args: &Args, setup: &Setup, seed: u64, count: u64, session: &mut Session) {
    let personas: Vec<Persona> = (0..count).map(|index| setup.persona(seed, index)).collect();
    let exchanges: usize = personas.iter().map(|persona| persona.exchanges).sum();
    let sides = [("user", &setup.sides.user), ("assistant", &setup.sides.assistant)];
    let host = |judge: &crate::config::Judge| trust::host(judge).unwrap_or_default();
    if args.format == GateFormat::Json {
        let side = |(_, judge): (&str, &crate::config::Judge)| json!({"judge": judge.name, "model": judge.model, "host": host(judge)});
        let [user, assistant] = sides.map(side);
        let value = json!({"seed": seed, "prompt_version": setup.maker.version,
            "user": user, "assistant": assistant, "calls": exchanges * 2,
            "personas": personas.iter().map(Persona::to_json).collect::<Value>()});
        session.out.line(&format!("{value:#}"));
        return;
    }
    for persona in &personas {
        session.out.line(&plain(&format!("{}  {}", id(persona, &setup.maker), summary(persona))));
    }
    let dialogue = format!(
        "{} in all, so {} or, where lengths are missed, up to twice as many",
        counted(exchanges, "exchange"),
        counted(exchanges * 2, "call")
    );
    session.out.line(&dialogue);
    for (who, judge) in sides {
        let prompts = if who == "user" { "the persona" } else { "the system prompt" };
        session.out.line(&plain(&format!(
            "the {who} is played by {} at {}: it gets its prompt, {prompts} and the conversation",
            judge.model,
            host(judge)
        )));
    }
}

/// A persona in a line.
fn summary(persona: &Persona) -> String {
    let topics: Vec<String> = persona
        .topics
        .iter()
        .map(|topic| match &topic.subtopic {
            Some(sub) => format!("{} / {sub}", topic.category),
            None => topic.category.clone(),
        })
        .collect();
    let edge = if persona.topics.iter().any(|topic| topic.edge_case) { ", edge case" } else { "" };
    let flaws: Vec<&str> = persona.flaws.iter().map(|(_, flaw)| flaw.name.as_str()).collect();
    let flaws = if flaws.is_empty() { "no flaws".to_owned() } else { flaws.join(", ") };
    format!(
        "{}, {}, {}{edge}; {flaws}",
        counted(persona.exchanges, "exchange"),
        persona.style.name,
        topics.join(" + ")
    )
}
