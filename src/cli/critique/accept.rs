//! What a person makes of a finding: a criterion, a calibration example, or nothing.
//!
//! Invariants: the rubric is rewritten whole or not at all, and only with the one
//! criterion ([`addition::insert`]) or example ([`example::insert`]) more; what was
//! decided is appended when that is done.

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use super::{append, inside, log, root_of};
use crate::cli::args::{Accept, Becomes, Decide, Label};
use crate::cli::scan::{Source, scan};
use crate::cli::settings::shown_path;
use crate::cli::style::plain;
use crate::cli::whole_file::WholeFile;
use crate::cli::{Ending, Failure, Session};
use crate::engine::critique::FILE;
use crate::engine::workspace::Project;
use crate::engine::{journal, reviews};
use crate::finding::Edit;
use crate::review::acceptance;
use crate::review::critique::{Critique, Decision, Finding, Line};
use crate::rubric::{CalibrationExample, example};
use crate::text::json as scanner;
use crate::transcript::{Transcript, read};

/// A finding and where it is kept.
struct Kept {
    root: PathBuf,
    critique: Critique,
    finding: Finding,
}

impl Kept {
    fn of(args: &Decide, project: &Project) -> Result<Self, Failure> {
        let root = root_of(project)?;
        let known = log(&root)?;
        let found = known.finding(&args.id);
        let (critique, finding) = found
            .ok_or_else(|| Failure::new(format!("there is no finding `{}` in {FILE}", args.id)))?;
        Ok(Self { critique: critique.clone(), finding: finding.clone(), root })
    }

    /// Appends what was decided.
    fn decided(&self, args: &Decide, made: Option<&str>) -> Result<(), Failure> {
        let id = journal::new_id("d").map_err(|e| Failure::new(format!("no record id: {e}")))?;
        let decision = Decision {
            id,
            at: journal::now(),
            by: args.by.clone().unwrap_or_else(reviews::reviewer),
            finding: args.id.clone(),
            accepted: made.is_some(),
            made: made.map(str::to_owned),
            note: args.note.clone(),
        };
        append(&self.root, &Line::Decision(decision))
    }
}

/// Says that nothing is to be made of a finding.
pub(super) fn dismiss(args: &Decide, session: &mut Session) -> Result<Ending, Failure> {
    let project = session.workspace.project_of(&args.project);
    Kept::of(args, &project)?.decided(args, None)?;
    session.out.line(&plain(&format!("{} dismissed", args.id)));
    Ok(Ending::Good)
}

/// Puts into the rubric what a finding suggests.
pub(super) fn accept(args: &Accept, session: &mut Session) -> Result<Ending, Failure> {
    let decide = &args.decide;
    let project = session.workspace.project_of(&decide.project);
    let kept = Kept::of(decide, &project)?;
    let path = project.rubric_path();
    let path = path.ok_or_else(|| Failure::new("the project has no rubric file"))?;
    let name = shown_path(&path);
    let failed = |why: &dyn Display| Failure::new(plain(&format!("{name}: {why}")).into_owned());
    let text = std::fs::read_to_string(&path).map_err(|e| failed(&e))?;
    let (edit, made) = match args.becomes {
        Becomes::Criterion => {
            let is_here = kept.critique.file == inside(&path, &kept.root);
            let (said, note) = (&kept.finding.said, decide.note.as_deref());
            acceptance::criterion(&text, said, note, is_here, args.category.as_deref())
                .map_err(|why| failed(&format!("{}: {why}", decide.id)))?
        }
        Becomes::Example => {
            let criterion = args.criterion.as_deref().unwrap_or_default();
            let example = quoted(args, &kept, &project)?;
            let edit = example::insert(&text, criterion, &example).map_err(|why| failed(&why))?;
            (edit, format!("a {} example of {criterion}", example.label.name()))
        }
    };
    write(&path, &text, &edit).map_err(|e| failed(&e))?;
    kept.decided(decide, Some(&made))?;
    session.out.line(&plain(&format!("{} accepted: {made} in {name}", decide.id)));
    Ok(Ending::Good)
}

/// The example that the quoted exchange makes.
fn quoted(args: &Accept, kept: &Kept, project: &Project) -> Result<CalibrationExample, Failure> {
    let id = &args.decide.id;
    let lacks =
        |what: &str| Failure::new(plain(&format!("{id} makes no example: {what}")).into_owned());
    let Some(transcript) = &kept.finding.transcript else {
        return Err(lacks(
            "it quotes no transcript, so there is no context and no response; accept it as a criterion, or use `review example`",
        ));
    };
    let file = &kept.critique.file;
    let is_inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside {
        return Err(lacks(&format!("{file} is not in the project")));
    }
    let found = transcript_of(&kept.root.join(file), transcript, project)?;
    let found = found.ok_or_else(|| lacks(&format!("{file} no longer holds {transcript}")))?;
    let label = args.label.map_or(crate::rubric::ExampleLabel::Fail, Label::of_rubric);
    let criterion = args.criterion.as_deref().unwrap_or_default();
    let note = args.decide.note.as_deref();
    acceptance::example(&found, &kept.finding.said, criterion, label, note)
        .map_err(|why| lacks(&format!("{file}: {why}")))
}

/// The transcript with this id in a file.
fn transcript_of(path: &Path, id: &str, project: &Project) -> Result<Option<Transcript>, Failure> {
    let limits = &project.settings().limits;
    let look =
        |text: &str, _: &mut _| read(text, &scanner::parse(text, limits.depth)).transcript.ok();
    let mut found = None;
    scan(&Source::Disk(path.to_owned()), limits, &mut Vec::new(), look, |seen| {
        let transcript = seen.analysis.ok().flatten().filter(|one| one.id == id);
        found = found.take().or(transcript);
    })
    .map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    Ok(found)
}

/// Writes the text with its edit, whole or not at all.
fn write(path: &Path, text: &str, edit: &Edit) -> std::io::Result<()> {
    let mut after = text.to_owned();
    after.replace_range(edit.span.start..edit.span.end, &edit.text);
    let mut file = WholeFile::over(path)?;
    file.write_all(after.as_bytes())?;
    file.commit()
}
