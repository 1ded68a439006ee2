//! `export`: results, and preference pairs of fixups, as JSON lines for others.
//!
//! Invariant: nobody is asked; a file is written as a whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::args::Export as Args;
use super::assess::{self, checkpoint};
use super::output::Output;
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
    let mut lines = Lines::to(args.out.as_deref())?;
    let (mut all, mut incomplete) = (0, 0);
    let mut trouble = None;
    // A line goes out as soon as it is there: only one share of the transcripts is held.
    known::telling(&args.paths, session, |out, entry, card, rubric| {
        let rubric = known::hex(&rubric_digest(rubric));
        let result = assess::result(&card, &entry);
        let line = checkpoint::line_of(&result, &rubric, &entry.digest.to_string());
        all += 1;
        incomplete += usize::from(card.standing == Standing::Incomplete);
        trouble = trouble.take().or(lines.put(&line, out).err());
    })?;
    lines.end(trouble)?;
    let mut note = format!("exported {}", counted(all, "result"));
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
    let mut sink = Lines::to(args.out.as_deref())?;
    let mut trouble = None;
    for line in &lines {
        trouble = trouble.take().or(sink.put(line, &mut session.out).err());
    }
    sink.end(trouble)?;
    session.out.note(&format!("exported {}", counted(lines.len(), "preference pair")));
    if lost > 0 {
        let fixups = counted(lost, "fixup");
        session.out.warning(&format!("{fixups} left out: the replies say something else by now, or are not among these transcripts"));
    }
    Ok(Ending::Good)
}

/// Where lines go: standard output, or a file that is there as a whole or not at all.
struct Lines {
    file: Option<(WholeFile, PathBuf)>,
}

impl Lines {
    fn to(out: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = out.filter(|path| path.as_os_str() != "-") else {
            return Ok(Self { file: None });
        };
        let file = WholeFile::over(path).map_err(|e| unwritten(path, &e))?;
        Ok(Self { file: Some((file, path.to_owned())) })
    }

    /// Writes a line, without the keys that a provider may have echoed.
    fn put(&mut self, line: &str, out: &mut Output) -> std::io::Result<()> {
        match &mut self.file {
            None => out.line(line),
            Some((file, _)) => writeln!(file, "{}", secret::without_keys(line))?,
        }
        Ok(())
    }

    fn end(self, trouble: Option<std::io::Error>) -> Result<(), Failure> {
        let Some((file, path)) = self.file else { return Ok(()) };
        let written = trouble.map_or_else(|| file.commit(), Err);
        written.map_err(|e| unwritten(&path, &e))
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} was not written: {}", shown_path(path), plain_error(error)))
}
