//! Which files `check` is about.
//!
//! Invariant: a file named explicitly is always one; a folder stands for what
//! its projects' settings name in it.

use std::path::{Path, PathBuf};

use super::super::args::Check;
use super::super::scan::Source;
use super::super::targets::standard_input;
use super::super::{Failure, Session};
use super::documents::same;
use crate::engine::workspace::{SETTINGS_FILE, root_of, transcripts_in};

/// One file to check, by what it is.
pub enum Target {
    /// A settings file.
    Settings(PathBuf),
    /// A rubric.
    Rubric(PathBuf),
    /// A transcript file, or standard input.
    Transcript(Source),
    /// A rubric or settings from standard input: a text an editor has not saved.
    Text(Source),
    /// Nothing is there.
    Missing(PathBuf),
}

/// The files that the arguments name, each once.
pub fn of(args: &Check, session: &mut Session) -> Result<Vec<Target>, Failure> {
    if reads_input(args) {
        let name = args.stdin_filename.clone().unwrap_or_else(|| "stdin.jsonl".into());
        let kind = kind(&name);
        let source = standard_input(name)?;
        return Ok(vec![match kind {
            Kind::Transcript => Target::Transcript(source),
            Kind::Settings | Kind::Rubric => Target::Text(source),
        }]);
    }
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
    let mut targets = Vec::new();
    for path in paths {
        if path.is_dir() {
            folder(path, session, &mut targets);
        } else {
            targets.push(file(path));
        }
    }
    if targets.is_empty() {
        session.out.note("nothing to check: no transcripts, no rubric and no settings were found");
    }
    Ok(targets)
}

/// True when standard input is what is checked.
pub fn reads_input(args: &Check) -> bool {
    args.stdin_filename.is_some() || matches!(&args.paths[..], [path] if path.as_os_str() == "-")
}

fn file(path: &Path) -> Target {
    let path = path.to_owned();
    match kind(&path) {
        _ if !path.exists() => Target::Missing(path),
        Kind::Settings => Target::Settings(path),
        Kind::Rubric => Target::Rubric(path),
        Kind::Transcript => Target::Transcript(Source::Disk(path)),
    }
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Settings.
    Settings,
    /// A rubric.
    Rubric,
    /// Anything else.
    Transcript,
}

/// What a file is, by its name.
#[must_use]
pub fn kind(path: &Path) -> Kind {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    match extension.as_str() {
        "toml" => Kind::Settings,
        "yaml" | "yml" => Kind::Rubric,
        _ => Kind::Transcript,
    }
}

/// The settings and rubrics of the projects whose folder lies in `path`, then
/// its transcripts.
fn folder(path: &Path, session: &mut Session, targets: &mut Vec<Target>) {
    let transcripts = transcripts_in(&mut session.workspace, path);
    let mut roots: Vec<PathBuf> = Vec::new();
    if path.join(SETTINGS_FILE).is_file() {
        roots.push(path.to_owned());
    }
    for root in transcripts.iter().filter_map(|t| root_of(t)) {
        if !roots.iter().any(|r| same(r, &root)) && is_inside(&root, path) {
            roots.push(root);
        }
    }
    for root in &roots {
        targets.push(Target::Settings(root.join(SETTINGS_FILE)));
        let project = session.workspace.project_of(root);
        if let Some(rubric) = project.rubric_path().filter(|r| r.is_file()) {
            targets.push(Target::Rubric(rubric));
        }
    }
    targets.extend(transcripts.into_iter().map(|t| Target::Transcript(Source::Disk(t))));
}

fn is_inside(root: &Path, folder: &Path) -> bool {
    match (root.canonicalize(), folder.canonicalize()) {
        (Ok(root), Ok(folder)) => root.starts_with(folder),
        _ => false,
    }
}
