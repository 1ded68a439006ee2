//! `check`: static findings of settings, rubrics and transcripts.

use std::path::Path;

use super::args::Check;
use super::report::{Report, Totals};
use super::settings::{placed, shown_path};
use super::{Ending, Failure, Session};
use crate::finding::Severity;

/// Checks what the arguments name.
pub fn run(args: &Check, session: &mut Session) -> Result<Ending, Failure> {
    let mut ending = Ending::Good;
    let mut report = Report::begin(args.format, &mut session.out);
    let here = [std::path::PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
    for path in paths {
        ending = ending.max(settings(path, args, session, &mut report));
    }
    report.end(&mut session.out, Totals::default());
    Ok(ending)
}

fn settings(path: &Path, args: &Check, session: &mut Session, report: &mut Report) -> Ending {
    let project = session.workspace.project_of(path);
    let Some(file) = project.settings_file() else { return Ending::Good };
    let placed = placed(&file, &project.problems);
    let failed = placed.iter().any(|p| p.finding.severity == Severity::Error);
    let counts = placed.iter().any(|p| args.fail_on.counts(p.finding.severity));
    report.file(&mut session.out, &shown_path(&file), &placed);
    match (failed, counts) {
        (true, _) => Ending::Failed,
        (false, true) => Ending::Findings,
        (false, false) => Ending::Good,
    }
}
