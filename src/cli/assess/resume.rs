//! What an earlier run left in the checkpoint, for the transcripts at hand.
//!
//! Invariant: the file is opened, and every reason why it cannot serve is told,
//! before anything is asked of anybody; a dry run changes nothing in it.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkpoint::{Checkpoint, Known, Of, Place};
use super::entries::Entry;
use super::job::Asking;
use crate::assessment::agree::CHECKS;
use crate::cli::Failure;
use crate::cli::output::Output;
use crate::cli::report::counted;
use crate::cli::settings::shown_path;
use crate::cli::style::plain;
use crate::engine::workspace::plain as plain_error;

/// Opens the checkpoint and says what is wrong with it.
pub fn open(path: &Path, dry_run: bool, out: &mut Output) -> Result<Option<Checkpoint>, Failure> {
    let name = plain(&shown_path(path)).into_owned();
    let opened = if dry_run { Checkpoint::look(path) } else { Checkpoint::open(path).map(Some) };
    let opened = match opened {
        _ if path.is_dir() => Err("is a folder: name a file".to_owned()),
        Err(error) => Err(plain_error(&error)),
        Ok(checkpoint) => Ok(checkpoint),
    };
    let checkpoint = opened.map_err(|why| Failure::new(format!("the checkpoint {name} {why}")))?;
    for problem in checkpoint.iter().flat_map(|c| &c.problems) {
        out.warning(&format!("{name}: {}", plain(problem)));
    }
    Ok(checkpoint)
}

/// Where the results of transcripts that are done stand. Says how many lines do
/// not count, and why.
pub fn done(
    checkpoint: Option<&Checkpoint>,
    asking: &Asking,
    entries: &[Entry],
    out: &mut Output,
) -> Vec<Option<Place>> {
    let Some(checkpoint) = checkpoint else { return vec![None; entries.len()] };
    let questions = asking.rubric.criteria.iter().any(|c| c.is_question());
    let names: Vec<&str> = asking.judges.iter().map(|j| j.name.as_str()).collect();
    let judges = if questions && !names.is_empty() { &names[..] } else { &[CHECKS] };
    let rubric = asking.rubric_digest();
    let mut stale: BTreeMap<String, usize> = BTreeMap::new();
    let place = |entry: &Entry| {
        let transcript = entry.digest.to_string();
        let (file, id) = (&*entry.file, entry.transcript.id.as_str());
        match checkpoint.known(&Of { file, id, rubric: &rubric, transcript: &transcript, judges }) {
            Known::Done(place) => Some(place),
            Known::Nothing => None,
            Known::Stale(why) => {
                *stale.entry(why).or_default() += 1;
                None
            }
        }
    };
    let places = entries.iter().map(place).collect();
    for (why, count) in stale {
        let transcripts = counted(count, "transcript");
        out.note(&format!("{transcripts} done again: what the checkpoint says {why}"));
    }
    places
}
