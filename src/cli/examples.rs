//! `review example`: a reply becomes a calibration example in the rubric.
//!
//! Invariant: the rubric is rewritten whole or not at all, and only with an example
//! more ([`example::insert`]); what is ambiguous is asked back.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::Example as Args;
use super::fix::{self, FileEdit};
use super::known::{self, Shelf};
use super::report::counted;
use super::settings::shown_path;
use super::style::plain;
use super::{Ending, Failure, Session};
use crate::assessment::{JudgeOutcomes, Scorecard};
use crate::review::calibration;
use crate::rubric::{CalibrationExample, digest, example};
use crate::transcript::{Transcript, TranscriptDigest};

/// A transcript that the command may be about.
struct Hit {
    place: String,
    digest: TranscriptDigest,
    transcript: Arc<Transcript>,
    said: Vec<JudgeOutcomes>,
}

/// What is kept of a transcript: it, where it is meant, and how many judges answered.
struct Kept {
    hit: Option<Hit>,
    answers: usize,
}

/// Puts the example in.
pub fn run(paths: &[PathBuf], args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let criterion = &args.criterion;
    let shelves = known::read(paths, session, |entry, card, _| {
        let place = format!("{}:{}", entry.file, entry.line);
        let is_meant = entry.transcript.id == args.id || place == args.id;
        let said = said(&card);
        let answered = |judge: &&JudgeOutcomes| {
            judge.outcomes.get(criterion).is_some_and(|outcome| outcome.answer().is_some())
        };
        let answers = said.iter().filter(answered).count();
        let (digest, transcript) = (entry.digest, entry.transcript);
        Kept { hit: is_meant.then_some(Hit { place, digest, transcript, said }), answers }
    })?;
    let (shelf, hit) = meant(&shelves, &args.id)?;
    let example = made(shelf, hit, args)?;
    let path = shelf.project.rubric_path();
    let path = path.ok_or_else(|| Failure::new("the project has no rubric file"))?;
    let name = shown_path(&path);
    let failed =
        |why: &dyn std::fmt::Display| Failure::new(plain(&format!("{name}: {why}")).into_owned());
    let text = std::fs::read_to_string(&path).map_err(|e| failed(&e))?;
    let edit = example::insert(&text, criterion, &example).map_err(|why| failed(&why))?;
    let (start, end) = (edit.span.start as u64, edit.span.end as u64);
    fix::rewrite(&path, &[FileEdit { start, end, text: edit.text }]).map_err(|e| failed(&e))?;
    let stale: usize = shelf.kept.iter().map(|kept| kept.answers).sum();
    let stale = match stale {
        0 => "no answer becomes stale".to_owned(),
        1 => "1 answer becomes stale: `assess` asks again".to_owned(),
        n => format!("{} become stale: `assess` asks again", counted(n, "answer")),
    };
    let label = example.label.name();
    session.out.line(&plain(&format!("added a {label} example to {criterion} in {name}; {stale}")));
    if example.reasoning.starts_with("TODO") {
        session.out.note("nobody said why: write the reasoning of the example into the rubric");
    }
    Ok(Ending::Good)
}

fn said(card: &Scorecard) -> Vec<JudgeOutcomes> {
    card.judges.iter().map(|judge| judge.said.clone()).collect()
}

/// The one transcript that is meant.
fn meant<'a>(
    shelves: &'a [Shelf<Kept>],
    wanted: &str,
) -> Result<(&'a Shelf<Kept>, &'a Hit), Failure> {
    let hits = |shelf: &'a Shelf<Kept>| {
        shelf.kept.iter().filter_map(move |kept| Some((shelf, kept.hit.as_ref()?)))
    };
    let hits: Vec<_> = shelves.iter().flat_map(hits).collect();
    match hits.as_slice() {
        [] => Err(Failure::new(format!("there is no transcript `{wanted}` here"))),
        [first, rest @ ..] if rest.iter().all(|hit| hit.1.digest == first.1.digest) => Ok(*first),
        _ => {
            let places: Vec<&str> = hits.iter().map(|(_, hit)| hit.place.as_str()).collect();
            Err(Failure::new(format!(
                "`{wanted}` is the id of several transcripts: name one by its place ({})",
                places.join(", ")
            )))
        }
    }
}

fn made(shelf: &Shelf<Kept>, hit: &Hit, args: &Args) -> Result<CalibrationExample, Failure> {
    let digest = hit.digest.to_string();
    let wording = |id: &str| Some(digest::hex(&digest::criterion(shelf.rubric.criterion(id)?)));
    let bound = shelf.bound(&hit.transcript.id, &digest);
    let remarks = shelf.reviews.remarks(bound, &args.criterion, &wording);
    let noted = remarks.iter().filter(|(_, holds)| *holds);
    let noted = noted.filter_map(|(record, _)| record.note.as_deref());
    let notes: Vec<&str> = args.note.as_deref().into_iter().chain(noted).collect();
    let made = calibration::example(
        &hit.transcript,
        args.exchange,
        args.label.of_rubric(),
        &args.criterion,
        &hit.said,
        &notes,
    );
    made.ok_or_else(|| Failure::new("there is no such exchange"))
}
