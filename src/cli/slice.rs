//! `slice`: what passed, cut into training examples.
//!
//! Invariant: nobody is asked; what is cut, and that it is written as a whole or not
//! at all, is for [`crate::engine::slicing`] to see to.

mod text;

use super::args::{GateFormat, Slice as Args};
use super::bar::Bar;
use super::known::{self, Shelf};
use super::scan::Source;
use super::style::plain;
use super::{Ending, Failure, Session, targets};
use crate::assessment::Standing;
use crate::engine::audit::Watch;
use crate::engine::slicing::cut::Cut;
use crate::engine::slicing::{self, Choice, Sums};
use crate::review::Review;
use crate::slice::Split;
use crate::transcript::TranscriptDigest;

/// What is known of a transcript before it is cut.
pub struct Kept {
    /// Its id.
    pub id: String,
    /// What it says.
    pub digest: TranscriptDigest,
    /// How it stands.
    pub standing: Standing,
}

/// Cuts.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "`slice` reads twice, so it cannot read standard input: name a file",
        ));
    }
    if args.validation.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Failure::new("--validation is a share from 0 to 1, such as 0.1"));
    }
    let shelves = known::read(&args.paths, session, |entry, card, _| Kept {
        id: entry.transcript.id.clone(),
        digest: entry.digest,
        standing: card.standing,
    })?;
    if shelves.len() > 1 && args.out.is_some() {
        return Err(Failure::new("--out is for one project: these transcripts are in several"));
    }
    let sources = targets::transcripts(&args.paths, session)?;
    let mut groups = super::assess::grouped_by_project(sources, session);
    let mut ending = Ending::Good;
    if args.format == GateFormat::Json {
        session.out.write("[");
    }
    let mut rows = 0;
    for shelf in &shelves {
        let at = groups.iter().position(|(project, _)| project.root == shelf.project.root);
        let sources = at.map(|at| groups.swap_remove(at).1).unwrap_or_default();
        let done = project(args, shelf, &sources, &mut rows, session);
        ending = ending.max(done?);
    }
    if args.format == GateFormat::Json {
        session.out.line("]");
    }
    Ok(ending)
}

/// Hands out how each transcript of a project would be cut now, with its place.
///
/// # Errors
/// When tokens cannot be counted, or a file cannot be read.
pub fn planned(
    shelf: &Shelf<Kept>,
    sources: &[Source],
    each: impl FnMut(&Cut, &str, usize),
) -> Result<(), Failure> {
    let project = &shelf.project;
    let settings = project.settings();
    let failed = |why: String| Failure::new(plain(&why).into_owned());
    let choice = choose(shelf);
    let prompt = slicing::system_prompt(project).map_err(failed)?;
    let split = Split { seed: settings.slice.seed, validation: settings.slice.validation };
    let cutter = slicing::cutter(project, &choice, split, prompt.as_deref(), false);
    let cutter = cutter.map_err(failed)?;
    let nobody = Watch { stop: &|| false, tell: &|_| () };
    slicing::slice(&cutter, project, sources, None, &nobody, Source::shown, each)
        .map_err(failed)?;
    Ok(())
}

/// Cuts the transcripts of one project.
fn project(
    args: &Args,
    shelf: &Shelf<Kept>,
    sources: &[Source],
    rows: &mut usize,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let project = &shelf.project;
    let settings = project.settings();
    let failed = |why: String| Failure::new(plain(&why).into_owned());
    let choice = choose(shelf);
    let prompt = slicing::system_prompt(project).map_err(failed)?;
    let split = Split {
        seed: args.seed.unwrap_or(settings.slice.seed),
        validation: args.validation.unwrap_or(settings.slice.validation),
    };
    let cutter = slicing::cutter(project, &choice, split, prompt.as_deref(), !args.dry_run);
    let cutter = cutter.map_err(failed)?;
    let folder = args.out.clone().unwrap_or_else(|| shelf.root.join("data/processed"));
    let folder = (!args.dry_run).then_some(folder.as_path());
    let bar = Bar::new("slicing", session);
    let watch = Watch { stop: &|| false, tell: &|share| bar.share(share) };
    let sliced = slicing::slice(
        &cutter,
        project,
        sources,
        folder,
        &watch,
        Source::shown,
        |cut, file, line| match args.format {
            GateFormat::Text if args.dry_run => {
                session.out.line(&text::map(cut, session.out.color));
            }
            GateFormat::Text => {}
            GateFormat::Json => {
                for piece in &cut.pieces {
                    session.out.write(if *rows == 0 { "" } else { ",\n " });
                    session.out.write(&slicing::row(cut, piece, file, line));
                    *rows += 1;
                }
            }
        },
    );
    drop(bar);
    let Some(sliced) = sliced.map_err(failed)? else { return Ok(Ending::Good) };
    if !sliced.sums.leaks.is_empty() {
        session.out.error(&text::leaks(&sliced.sums.leaks, &sliced.names));
        return Ok(Ending::Findings);
    }
    session.out.note(&text::summary(&choice, &sliced.sums, &cutter, sliced.written.as_deref()));
    Ok(ending(&choice, &sliced.sums))
}

fn ending(choice: &Choice, sums: &Sums) -> Ending {
    let none = sums.sides.iter().all(|(_, slices)| *slices == 0);
    match (choice.is_incomplete(), none || sums.uncounted.0 > 0) {
        (true, _) => Ending::Incomplete,
        (false, true) => Ending::Findings,
        (false, false) => Ending::Good,
    }
}

fn choose(shelf: &Shelf<Kept>) -> Choice {
    let mut choice = Choice::default();
    for one in &shelf.kept {
        choice.note(&one.id, one.digest, one.standing, || {
            let digest = one.digest.to_string();
            matches!(shelf.reviews.review(shelf.bound(&one.id, &digest)), Review::Rejected(_))
        });
    }
    choice
}
