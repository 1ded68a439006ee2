//! `convert`: transcripts in another shape, a line each.
//!
//! Invariant: a record that cannot be converted is named and keeps no other from
//! being written; what a record loses is named with its place; a file is written as
//! a whole or not at all, and only when everything was read.

use std::io::Write as _;

use super::args::Convert as Args;
use super::report::counted;
use super::scan::{Seen, scan};
use super::settings::shown_path;
use super::style::plain;
use super::whole_file::WholeFile;
use super::{Ending, Failure, Session, targets};
use crate::analysis::place::place;
use crate::convert::{Converted, Target, convert};
use crate::engine::workspace::plain as plain_error;
use crate::finding::{Finding, Severity};

/// Converts.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let target = Target::from(args.to);
    let shown = args.out.as_deref().map(shown_path).unwrap_or_default();
    let cannot =
        |e: std::io::Error| Failure::new(format!("{shown} was not written: {}", plain_error(&e)));
    let mut file = args.out.as_deref().map(WholeFile::over).transpose().map_err(cannot)?;
    let (mut done, mut lossy, mut left, mut trouble) = (0, 0, 0, None);
    for source in targets::transcripts(&args.paths, session)? {
        let project = session.workspace.project_of(source.path());
        let limits = &project.settings().limits;
        let name = source.shown();
        let look = |record: &str, _: &mut _| convert(record, target, limits.depth);
        let out = &mut session.out;
        let scanned = scan(&source, limits, &mut Vec::new(), look, |seen| {
            let Seen { start, text, analysis } = seen;
            let Some(Converted { line, losses }) = analysis.ok().flatten() else {
                left += 1;
                let why = "left out: no transcript here (`rubricator check` says why)";
                out.warning(&plain(&format!("{name}:{}: {why}", start.line)));
                return;
            };
            done += 1;
            lossy += usize::from(!losses.is_empty());
            let finding = |(span, what)| {
                Finding::new("convert", Severity::Warning, span, format!("this is lost: {what}"))
            };
            let findings = losses.into_iter().map(finding).collect::<Vec<_>>();
            for placed in place(text.get(), start, findings) {
                let (line, column) = placed.from;
                let message = &placed.finding.message;
                out.warning(&plain(&format!("{name}:{line}:{column}: {message}")));
            }
            match &mut file {
                Some(file) => trouble = trouble.take().or(writeln!(file, "{line}").err()),
                None => out.line(&line),
            }
        });
        scanned.map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    }
    if let Some(trouble) = trouble {
        return Err(cannot(trouble));
    }
    file.map(WholeFile::commit).transpose().map_err(cannot)?;
    let all = counted(done, "record");
    session.out.note(&format!("converted {all}; {lossy} lost something, {left} left out"));
    Ok(if lossy + left > 0 { Ending::Findings } else { Ending::Good })
}
