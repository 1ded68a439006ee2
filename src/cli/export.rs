//! `export`: results, and preference pairs of fixups, as JSON lines for others.
//!
//! Invariant: nobody is asked; a file is written as a whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::args::Export as Args;
use super::assess::{self, checkpoint};
use super::report::counted;
use super::scan::{Source, scan};
use super::settings::shown_path;
use super::style::plain;
use super::whole_file::WholeFile;
use super::{Ending, Failure, Session, fixups, known, targets};
use crate::assessment::Standing;
use crate::engine::secret;
use crate::engine::workspace::plain as plain_error;
use crate::fixup::preference::Lineage;
use crate::fixup::record;
use crate::rubric::digest::rubric as rubric_digest;
use crate::text::json;
use crate::transcript::{digest, read};

/// Writes what was asked for.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if args.dpo { pairs(args, session) } else { assessments(args, session) }
}

fn assessments(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let shelves = known::read(&args.paths, session, |entry, card, rubric| {
        let rubric = known::hex(&rubric_digest(rubric));
        let result = assess::result(&card, &entry);
        let line = checkpoint::line_of(&result, &rubric, &entry.digest.to_string());
        (line, card.standing == Standing::Incomplete)
    })?;
    let all = || shelves.iter().flat_map(|shelf| &shelf.kept);
    deliver(args.out.as_deref(), all().map(|(line, _)| line.as_str()), session)?;
    let incomplete = all().filter(|(_, incomplete)| *incomplete).count();
    let mut note = format!("exported {}", counted(all().count(), "result"));
    if incomplete > 0 {
        note += &format!("; {incomplete} incomplete: `rubricator assess` asks what is open");
    }
    session.out.note(&note);
    Ok(Ending::Good)
}

fn pairs(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let sources = targets::transcripts(&args.paths, session)?;
    let mut lines = Vec::new();
    let mut lost = 0;
    for (project, sources) in assess::grouped_by_project(sources, session) {
        let Some(root) = project.root.clone() else {
            let place = sources.first().map_or_else(String::new, Source::shown);
            session.out.warning(&plain(&format!("{place} is in no project, so it has no fixups")));
            continue;
        };
        if session.report_settings(&project) {
            return Err(Failure::new("the settings have errors, so nothing was read"));
        }
        let all = record::read(&fixups::logged(&root)?);
        let lineage = Lineage::of(&all);
        if lineage.is_empty() {
            continue;
        }
        let settings = project.settings();
        let depth = settings.limits.depth;
        let mut found = Vec::new();
        for source in &sources {
            let look = |text: &str, _: &mut _| {
                let parsed = json::parse(text, depth);
                let transcript = read(text, &parsed).transcript.ok()?;
                let digest = digest::of(text, &transcript).to_string();
                Some(lineage.pairs(text, &transcript, &digest))
            };
            scan(source, &settings.limits, &mut Vec::new(), look, |seen| {
                found.extend(seen.analysis.ok().flatten().into_iter().flatten());
            })
            .map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
        }
        // In the order they were applied, each once, however often its text stands there.
        for fixup in lineage.applied() {
            match found.iter().find(|(id, _)| *id == fixup.id) {
                Some((_, pair)) => lines.push(pair.to_string()),
                None => lost += 1,
            }
        }
    }
    deliver(args.out.as_deref(), lines.iter().map(String::as_str), session)?;
    session.out.note(&format!("exported {}", counted(lines.len(), "preference pair")));
    if lost > 0 {
        let fixups = counted(lost, "fixup");
        session.out.warning(&format!("{fixups} left out: the replies say something else by now, or are not among these transcripts"));
    }
    Ok(Ending::Good)
}

/// Lines to a file, without the keys that a provider may have echoed.
fn whole<'a>(path: &Path, lines: impl Iterator<Item = &'a str>) -> std::io::Result<()> {
    let mut file = WholeFile::over(path)?;
    for line in lines {
        writeln!(file, "{}", secret::without_keys(line))?;
    }
    file.commit()
}

/// Lines to a file, or to standard output.
fn deliver<'a>(
    out: Option<&Path>,
    lines: impl Iterator<Item = &'a str>,
    session: &mut Session,
) -> Result<(), Failure> {
    match out.filter(|path| path.as_os_str() != "-") {
        None => lines.for_each(|line| session.out.line(line)),
        Some(path) => whole(path, lines).map_err(|e| {
            let named = shown_path(&PathBuf::from(path));
            Failure::new(format!("{named} was not written: {}", plain_error(&e)))
        })?,
    }
    Ok(())
}
