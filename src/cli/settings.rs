//! Settings on the command line: overrides, and what is wrong with them.

use std::path::Path;

use super::args::Common;
use super::place::{Placed, Start, place};
use super::style::plain;
use super::{Failure, Session};
use crate::config::{Layer, Origin, layer};
use crate::engine::workspace::{Outside, Problem, Project, Workspace, read_text};
use crate::finding::Severity;

/// The session's workspace, with `--set` over everything else.
pub fn workspace(common: &Common) -> Result<(Workspace, Outside), Failure> {
    let outside = Outside::read().with(overrides(&common.overrides)?);
    Ok((Workspace::new(outside.clone(), None), outside))
}

fn overrides(pairs: &[String]) -> Result<Layer, Failure> {
    let split = |pair: &String| {
        let (key, value) = pair.split_once('=')?;
        let (table, name) = key.trim().split_once('.')?;
        Some((table.to_owned(), name.to_owned(), value.to_owned()))
    };
    let mut read = Vec::new();
    for pair in pairs {
        read.push(split(pair).ok_or_else(|| {
            Failure::new("--set takes TABLE.KEY=VALUE, as in --set tokens.limit=8000")
        })?);
    }
    let pairs = read.iter().map(|(t, n, v)| (t.as_str(), n.as_str(), v.as_str()));
    Ok(layer::from_pairs(pairs, Origin::CommandLine))
}

/// Where a setting comes from, in the user's words.
#[must_use]
pub const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Default => "default",
        Origin::UserFile => "user file",
        Origin::ProjectFile => "project file",
        Origin::Editor => "editor",
        Origin::Environment => "environment",
        Origin::CommandLine => "command line",
    }
}

/// The path as printed: with `/`, relative to the working directory when inside it.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    let relative = || {
        let here = std::env::current_dir().ok()?;
        let full = std::path::absolute(path).ok()?;
        let inside = full.strip_prefix(&here).ok()?;
        Some(inside.to_string_lossy().into_owned())
    };
    let text = relative().unwrap_or_else(|| path.to_string_lossy().into_owned());
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text };
    if text.is_empty() { ".".into() } else { text }
}

/// The problems of one settings file, placed in it.
#[must_use]
pub fn placed(path: &Path, problems: &[Problem]) -> Vec<Placed> {
    let findings: Vec<_> = problems
        .iter()
        .filter(|p| p.path.as_deref() == Some(path))
        .map(|p| p.finding.clone())
        .collect();
    let text = read_text(path).unwrap_or_default();
    place_in_file(&text, findings)
}

/// Places findings of a whole text; a byte order mark counts in bytes only.
#[must_use]
pub fn place_in_file(text: &str, findings: Vec<crate::finding::Finding>) -> Vec<Placed> {
    let mut placed = place(text, Start::of_file(0), findings);
    if text.starts_with('\u{feff}') {
        for (line, column) in placed.iter_mut().flat_map(|p| [&mut p.from, &mut p.to]) {
            if *line == 1 && *column > 1 {
                *column -= 1;
            }
        }
    }
    placed
}

impl Session {
    /// Says on standard error what is wrong with the settings, once a project;
    /// true when something is an error.
    pub fn report_settings(&mut self, project: &Project) -> bool {
        self.report_problems(&project.problems)
    }

    /// The same for any problems.
    pub fn report_problems(&mut self, problems: &[Problem]) -> bool {
        let mut failed = false;
        for problem in problems {
            failed |= problem.finding.severity == Severity::Error;
            if !self.reported.contains(problem) {
                self.say_problem(problem);
                self.reported.push(problem.clone());
            }
        }
        failed
    }

    fn say_problem(&mut self, problem: &Problem) {
        let finding = &problem.finding;
        let place = match &problem.path {
            Some(path) => {
                let one = placed(path, std::slice::from_ref(problem));
                let at = one.first().map_or((1, 1), |p| p.from);
                format!("{}:{}:{}", shown_path(path), at.0, at.1)
            }
            None => format!("from the {}", origin_name(problem.origin)),
        };
        self.out.error(&format!(
            "{}: {} [{}]",
            plain(&place),
            plain(&finding.message),
            finding.code
        ));
    }
}
