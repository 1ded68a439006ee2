//! `status`: what the project consists of and what was spent; `--config`: every setting and its origin.

use std::path::Path;

use super::args::{DataFormat, Status};
use super::settings::{origin_name, shown_path};
use super::style::{Style, plain};
use super::{Ending, Failure, Session, progress, spent};
use crate::engine::ledger::{self, Ledger};
use crate::engine::spend::Spend;
use crate::engine::workspace::{self, Project, transcripts_in};
use crate::engine::{trust, trusted_projects};

/// Prints the status.
pub fn run(args: &Status, session: &mut Session) -> Result<Ending, Failure> {
    if !args.path.exists() {
        return Err(Failure::new(format!("{} does not exist", args.path.display())));
    }
    let project = session.workspace.project_of(&args.path);
    if args.settings {
        settings(&project, session);
    } else {
        overview(args, &project, session);
    }
    if session.report_settings(&project) { Ok(Ending::Failed) } else { Ok(Ending::Good) }
}

/// `key = value  # origin`, in TOML that could be pasted into a settings file.
fn settings(project: &Project, session: &mut Session) {
    let style = Style::new(session.out.color);
    let user_file = session.user_file();
    for (name, path) in [("project", project.settings_file()), ("user", user_file.clone())] {
        let path = path.map_or_else(|| "none".to_owned(), |p| shown_path(&p));
        session.out.line(&style.dim(&format!("# {name} file: {}", plain(&path))));
    }
    for shown in &project.resolved.values {
        let origin = origin_name(shown.origin);
        let line = if shown.value.is_empty() {
            style.dim(&format!("# {} is not set", shown.key))
        } else {
            let set = format!("{} = {}", plain(&shown.key), plain(&shown.value));
            format!("{set:<52} {}", style.dim(&format!("# {origin}")))
        };
        session.out.line(&line);
    }
}

fn overview(args: &Status, project: &Project, session: &mut Session) {
    let spend = spend(project, session);
    let found = progress::of(project, session);
    match args.format {
        DataFormat::Text => {
            facts(&args.path, project, session);
            for (name, value) in spent::rows(&spend) {
                session.out.line(&format!("{name:<12} {value}"));
            }
            progress::print(&found, session);
        }
        DataFormat::Json | DataFormat::Jsonl => {
            let mut value = json(project, &spend);
            progress::add(&found, &mut value);
            session.out.line(&value.to_string());
        }
    }
}

/// What the user's ledger says.
pub fn spend(project: &Project, session: &mut Session) -> Spend {
    let Some(data) = workspace::data_dir() else { return Spend::default() };
    let read = Ledger::read(&data.join(ledger::FILE), project.root.as_deref(), ledger::now());
    read.unwrap_or_else(|why| {
        session.out.warning(&plain(&why));
        Spend::default()
    })
}

fn json(project: &Project, spend: &Spend) -> serde_json::Value {
    let settings = project.settings();
    let cap = |cap: f64| cap.is_finite().then_some(cap);
    let judges = settings.judges.iter().map(|judge| {
        serde_json::json!({
            "name": judge.name,
            "provider": judge.provider.name(),
            "model": judge.model,
            "host": trust::host(judge),
        })
    });
    serde_json::json!({
        "project": project.root.as_deref().map(shown_path),
        "judges": judges.collect::<Vec<_>>(),
        "max_cost_per_save": cap(settings.assess.max_cost_per_save),
        "max_cost_per_run": cap(settings.assess.max_cost_per_run),
        "spend": spent::json(spend),
    })
}

fn facts(path: &Path, project: &Project, session: &mut Session) {
    let root = project.root.clone();
    let row = |session: &mut Session, name: &str, value: &str| {
        session.out.line(&format!("{name:<12} {}", plain(value)));
    };
    match &root {
        Some(root) => row(session, "project", &shown_path(root)),
        None => row(session, "project", "none (no rubricator.toml here or above)"),
    }
    let rubric = match project.rubric_path() {
        Some(path) if path.is_file() => shown_path(&path),
        Some(path) => format!("{} (does not exist)", shown_path(&path)),
        None => "none".into(),
    };
    row(session, "rubric", &rubric);
    let folder = root.as_deref().unwrap_or(path);
    let files =
        if folder.is_dir() { transcripts_in(&mut session.workspace, folder).len() } else { 1 };
    row(session, "transcripts", &super::report::counted(files, "file"));
    let tokens = &project.settings().tokens;
    row(
        session,
        "tokens",
        &format!("{}, limit {}", tokens.tokenizer, super::report::grouped(tokens.limit)),
    );
    if project.settings().judges.is_empty() {
        row(session, "judges", "none: questions stay unscored, checks work");
    }
    for judge in &project.settings().judges {
        let host = judge.base_url.as_deref().unwrap_or("the provider's own address");
        let how = match (&judge.file, judge.model.as_str()) {
            (Some(file), _) => format!("recorded answers from {}", file.display()),
            (None, model) => format!("{model} at {host}"),
        };
        row(session, "judge", &format!("{}: {how}", judge.name));
    }
    let trusted = match (workspace::data_dir(), &root) {
        (Some(data), Some(root)) => trusted_projects::is_trusted(&data, root),
        _ => false,
    };
    row(session, "trusted", if trusted { "yes" } else { "no (`rubricator trust` changes that)" });
}
