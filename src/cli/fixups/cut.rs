//! `fix --truncate`: the exchanges from one on are cut off a transcript.
//!
//! Invariant: nothing is written unless asked for; nobody is asked anything. What
//! remains is another text: `assess` says how it stands.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::place::Place;
use crate::analysis::context::Families;
use crate::cli::args::{Fix as Args, GateFormat};
use crate::cli::check::context;
use crate::cli::report::counted;
use crate::cli::style::plain;
use crate::cli::{Ending, Failure, Session, known};
use crate::engine::rules;
use crate::fixup::cuts;
use crate::fixup::truncate::{Cut, Truncation, truncate};
use crate::text::json as text_json;

/// Cuts the transcript with this id.
pub fn run(args: &Args, id: &str, before: u32, session: &mut Session) -> Result<Ending, Failure> {
    let shelves = known::read(&args.paths, session, |entry, card, rubric| {
        let is_it = entry.transcript.id == id;
        let cuts = || cuts(&card, rubric, &entry.transcript);
        is_it.then(|| (Arc::clone(&entry.file), entry.line, cuts()))
    })?;
    for shelf in &shelves {
        let mut found = shelf.kept.iter().flatten();
        let Some((file, line, cuts)) = found.next() else { continue };
        if found.next().is_some() {
            return Err(Failure::new(format!("several transcripts are called `{id}`")));
        }
        let (project, rules) = (&shelf.project, rules::load(&shelf.project));
        let families = Families { structure: false, tokens: false, checks: false };
        let context = context(&rules, project, families, false);
        let settings = project.settings();
        let place = Place::find(Path::new(&**file), *line, &context, &settings.limits)?;
        // What fails from there on is what it is cut for.
        let late = cuts.iter().filter(|cut| cut.before >= before);
        let criteria = late.flat_map(|cut| cut.criteria.clone()).collect();
        let json = text_json::parse(&place.record, context.depth_limit);
        let kept = settings.fixup.min_exchanges_kept;
        let cut = Cut { before, criteria };
        let truncation = truncate(&place.record, &json, &place.transcript, &cut, kept)
            .map_err(|why| Failure::new(format!("{id} is not truncated: {why}")))?;
        if args.write {
            place.apply(&truncation.edits)?;
        }
        tell(args, id, &format!("{file}:{line}"), before, &truncation, session);
        return Ok(Ending::Good);
    }
    let known = counted(shelves.len(), "project");
    Err(Failure::new(format!("there is no transcript `{id}` in {known} here")))
}

fn tell(
    args: &Args,
    id: &str,
    place: &str,
    before: u32,
    truncation: &Truncation,
    session: &mut Session,
) {
    let (exchanges, messages) = (truncation.exchanges, truncation.messages);
    if args.format == GateFormat::Json {
        let result = json!({"id": id, "place": place, "before_exchange": before,
            "exchanges": exchanges, "messages": messages, "written": args.write});
        session.out.line(&format!("{result:#}"));
        return;
    }
    let (done, go) = if args.write { ("is", "went") } else { ("would be", "would go") };
    let (exchanges, messages) = (counted(exchanges, "exchange"), counted(messages, "message"));
    let kept = counted(usize::try_from(before - 1).unwrap_or(usize::MAX), "exchange");
    let line = format!(
        "{id} {done} truncated before exchange {before}: {exchanges} ({messages}) {go}, {kept} left  {place}"
    );
    session.out.line(&plain(&line));
}
