//! Settings and rubrics as documents of `check`.

use std::path::Path;

use super::targets::{Kind, kind};
use super::{Family, Run, Verdict};
use crate::analysis::diagnostics;
use crate::cli::scan::Source;
use crate::cli::settings::{place_in_file, shown_path};
use crate::config::{Origin, layer};
use crate::engine::rules::RubricFile;
use crate::engine::workspace::{Problem, read_text};
use crate::finding::{Finding, Severity};
use crate::rubric::parse;

/// Reports what is wrong in a settings file.
pub fn settings(path: &Path, run: &mut Run<'_>) -> Verdict {
    let project = run.session.workspace.project_of(path);
    let is_projects = project.settings_file().is_some_and(|own| same(&own, path));
    let text = match read_text(path) {
        Ok(text) => text,
        Err(why) if !is_projects => return run.unreadable(path, &why),
        Err(_) => String::new(),
    };
    let findings = if is_projects {
        let rules = run.rules(&project);
        let problems = project.problems.iter().chain(&rules.problems);
        let own = |p: &&Problem| p.path.as_deref().is_some_and(|p| same(p, path));
        problems.filter(own).map(|p| p.finding.clone()).collect()
    } else {
        other_settings(&text)
    };
    let placed = place_in_file(&text, findings);
    let broken = placed.iter().any(|p| p.finding.severity == Severity::Error);
    let verdict = run.report(&shown_path(path), &placed);
    if broken { Verdict::Failed } else { verdict }
}

/// Reports what is wrong in a rubric or in settings that come from standard input:
/// what the text itself says, since the files beside it may be about another text.
pub fn text(source: &Source, run: &mut Run<'_>) -> Verdict {
    let project = run.session.workspace.project_of(source.path());
    let text = match source.text(&project.settings().limits) {
        Ok(text) => text,
        Err(error) => return run.failed(&error.to_string()),
    };
    let findings = match kind(source.path()) {
        Kind::Settings if run.args.only.is_empty() => {
            layer::parse(&text, Origin::ProjectFile).findings
        }
        Kind::Rubric if run.wants(Family::Rubric) => {
            diagnostics::rubric::findings(&text, &parse::parse(&text))
        }
        _ => return Verdict::Good,
    };
    let placed = place_in_file(&text, findings);
    run.report(&source.shown(), &placed)
}

/// A file that is checked as settings without being any project's: the user's own.
fn other_settings(text: &str) -> Vec<Finding> {
    let layer = crate::config::parse(text, crate::config::Origin::UserFile);
    crate::config::resolve(&[layer]).findings.into_iter().map(|(_, f)| f).collect()
}

/// Reports what is wrong in a rubric.
pub fn rubric(path: &Path, run: &mut Run<'_>) -> Verdict {
    match RubricFile::read(path) {
        Ok(file) => {
            let findings = diagnostics::rubric::findings(&file.text, &file.parsed);
            let placed = place_in_file(&file.text, findings);
            run.report(&shown_path(path), &placed)
        }
        Err(why) => run.unreadable(path, &why),
    }
}

/// True for two spellings of one path.
pub fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}
