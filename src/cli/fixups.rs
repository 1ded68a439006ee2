//! `fix`: rewrites of replies that failed, each proven before it is shown, and
//! written only when asked to.
//!
//! Invariant: a file changes only where an [`EntailedFixup`] says so, inside the
//! strings of its replies, or a person said where to cut, and only while it still holds the text that was proven; what was
//! changed is in `data/fixups.jsonl` and can be taken back.

mod cut;
mod place;
mod text;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::args::{Fix as Args, GateFormat};
use super::assess::entries::Entry;
use super::assess::job::Asking;
use super::check::context;
use super::interrupt;
use super::known::{self, Shelf};
use super::report::counted;
use super::style::{Style, plain};
use super::{Ending, Failure, Session};
use crate::analysis::context::{Context, Families};
use crate::assessment::Scorecard;
use crate::engine::fixup::{self, FILE, FixupJob};
use crate::engine::ledger::Purpose;
use crate::engine::workspace::plain as plain_error;
use crate::engine::{AssessJob, Engine, EngineOptions, journal, rules};
use crate::fixup::{
    EntailedFixup, FailedReply, FixupRecord, Offer, Refusal, offer, offers, record,
};
use crate::rubric::Rubric;
use place::Place;

/// A transcript with replies that may be rewritten.
struct Failing {
    id: String,
    file: Arc<str>,
    line: usize,
    offers: Vec<Offer>,
}

/// Does what was typed.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if let Some(id) = &args.revert {
        return revert(args, id, session);
    }
    if let (Some(id), Some(before)) = (&args.truncate, args.before) {
        return cut::run(args, id, before, session);
    }
    let shelves = known::read(&args.paths, session, |entry, card, rubric| {
        failing(args, entry, &card, rubric)
    })?;
    let cannot_start = |e| Failure::new(format!("cannot start: {e}"));
    let interrupt = interrupt::token().map_err(cannot_start)?;
    let mut ending = Ending::Good;
    let mut results = Vec::new();
    for shelf in shelves {
        ending = ending.max(project(args, shelf, &interrupt, &mut results, session)?);
    }
    if args.format == GateFormat::Json {
        session.out.line(&format!("{:#}", Value::Array(results)));
    } else if results.is_empty() {
        session.out.note("no reply fails a criterion that a rewrite may mend (`rubricator assess` asks the judges)");
    }
    Ok(ending)
}

fn failing(args: &Args, entry: Entry, card: &Scorecard, rubric: &Rubric) -> Option<Failing> {
    let id = entry.transcript.id.clone();
    if args.transcript.as_ref().is_some_and(|wanted| *wanted != id) {
        return None;
    }
    let mut offers = offers(card, rubric, &entry.transcript);
    if let Some(wanted) = &args.criterion {
        offers = offers.iter().filter_map(|offer| offer.only(wanted)).collect();
    }
    (!offers.is_empty()).then_some(Failing { id, file: entry.file, line: entry.line, offers })
}

/// One project's fixups.
struct Work<'a> {
    args: &'a Args,
    root: &'a Path,
    context: Context,
    asking: Asking,
    drafter: Option<String>,
    limits: crate::config::Limits,
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    interrupt: CancellationToken,
}

fn project(
    args: &Args,
    shelf: Shelf<Option<Failing>>,
    interrupt: &CancellationToken,
    results: &mut Vec<Value>,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let settings = shelf.project.settings();
    let rules = rules::load(&shelf.project);
    let families = Families { structure: false, tokens: false, checks: true };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let cannot_start = |e| Failure::new(format!("cannot start: {e}"));
    let work = Work {
        args,
        root: &shelf.root,
        context: context(&rules, &shelf.project, families, false),
        asking: known::asking(&shelf.project, &shelf.rubric, session.untrusted),
        drafter: args.drafter.clone().or_else(|| settings.fixup.drafter.clone()),
        limits: settings.limits.clone(),
        engine: Engine::new(EngineOptions::of_user()),
        runtime: runtime.map_err(cannot_start)?,
        interrupt: interrupt.clone(),
    };
    let mut ending = Ending::Good;
    for failing in shelf.kept.into_iter().flatten() {
        for offer in &failing.offers {
            if args.dry_run {
                work.announce(&failing, offer, session);
                results.extend(work.results(&failing, offer));
                continue;
            }
            if interrupt.is_cancelled() {
                session.out.note("stopped; run the same command again for the rest");
                return Ok(ending.max(Ending::Incomplete));
            }
            ending = ending.max(work.mend(&failing, offer, results, session)?);
        }
    }
    Ok(ending)
}

impl Work<'_> {
    fn announce(&self, failing: &Failing, offer: &Offer, session: &mut Session) {
        if self.args.format == GateFormat::Text {
            let place = format!("{}:{}", failing.file, failing.line);
            let (id, criteria) = (&failing.id, offer.criteria().join(", "));
            let line =
                format!("{id} {}: would be rewritten for {criteria}  {place}", offer.place());
            session.out.line(&plain(&line));
        }
    }

    /// What is printed as JSON, one a reply, as far as it is known before anybody is asked.
    fn results(&self, failing: &Failing, offer: &Offer) -> Vec<Value> {
        let of_reply = |reply: &FailedReply| {
            let mut result = json!({"id": failing.id, "file": &*failing.file,
                "line": failing.line, "exchange": reply.exchange, "criteria": reply.criteria});
            if !self.args.dry_run {
                for key in ["before", "after", "refused", "fixup"] {
                    result[key] = Value::Null;
                }
            }
            result
        };
        offer.replies.iter().map(of_reply).collect()
    }

    /// Drafts, proves, shows, and writes where that is wanted.
    fn mend(
        &self,
        failing: &Failing,
        offer: &Offer,
        results: &mut Vec<Value>,
        session: &mut Session,
    ) -> Result<Ending, Failure> {
        let place =
            Place::find(Path::new(&*failing.file), failing.line, &self.context, &self.limits)?;
        let fixup = self.proven(&place, offer);
        let mut replies = self.results(failing, offer);
        let ending = match &fixup {
            Ok(fixup) => {
                let written = if self.args.write { Some(self.write(&place, fixup)?) } else { None };
                for (result, draft) in replies.iter_mut().zip(fixup.drafts()) {
                    result["before"] = draft.target.before.as_str().into();
                    result["after"] = draft.after.as_str().into();
                    result["fixup"] = written.clone().into();
                }
                Ending::Good
            }
            Err(refusal) => {
                for result in &mut replies {
                    result["refused"] = refusal.to_string().into();
                }
                match refusal {
                    Refusal::NoDrafter(_) => return Err(Failure::new(refusal.to_string())),
                    _ if refusal.is_undecided() => Ending::Incomplete,
                    _ => Ending::Findings,
                }
            }
        };
        if self.args.format == GateFormat::Text {
            let style = Style::new(session.out.color);
            let head = format!("{} {}", failing.id, offer.place());
            let place = format!("{}:{}", failing.file, failing.line);
            let text = text::shown(&head, &place, offer, &fixup, self.args.write, style);
            session.out.write(&text);
        }
        results.extend(replies);
        Ok(ending)
    }

    fn proven(&self, place: &Place, offer: &Offer) -> Result<EntailedFixup, Refusal> {
        let job = FixupJob {
            record: Arc::clone(&place.record),
            transcript: Arc::clone(&place.transcript),
            digest: place.digest,
            offer: offer.clone(),
            note: self.args.note.clone(),
            drafter: self.drafter.clone(),
            context: self.context.clone(),
            asking: self.job(),
        };
        self.runtime.block_on(self.engine.fixup(&job, &self.interrupt))
    }

    fn job(&self) -> AssessJob {
        let job = self.asking.job(std::iter::empty());
        AssessJob { spending: job.spending.clone().on(Purpose::Fixup), ..job }
    }

    /// Writes a fixup into its file and into the log; answers with its id.
    fn write(&self, place: &Place, fixup: &EntailedFixup) -> Result<String, Failure> {
        let edits = fixup.edits(&place.record, &place.transcript, place.digest);
        place.apply(&edits.map_err(|refusal| Failure::new(refusal.to_string()))?)?;
        let id = new_id()?;
        log(self.root, &FixupRecord::applied(&id, &journal::now(), &place.transcript.id, fixup))?;
        Ok(id)
    }
}

fn new_id() -> Result<String, Failure> {
    journal::new_id("f").map_err(|e| Failure::new(format!("no fixup id: {e}")))
}

fn log(root: &Path, records: &[FixupRecord]) -> Result<(), Failure> {
    fixup::log(root, records).map_err(|e| {
        let why = plain_error(&e).replace("read", "written");
        Failure::new(format!("the fixup is in the transcript, but not in {FILE}, which {why}"))
    })
}

/// The text of a project's fixups file.
pub fn logged(root: &Path) -> Result<String, Failure> {
    journal::read(&root.join(FILE)).map_err(|e| Failure::new(format!("{FILE} {}", plain_error(&e))))
}

/// Takes an applied fixup back, while its replies still say what it made of them.
fn revert(args: &Args, id: &str, session: &mut Session) -> Result<Ending, Failure> {
    let shelves = known::read(&args.paths, session, |entry, _, _| {
        (entry.digest.to_string(), Arc::clone(&entry.file), entry.line)
    })?;
    for shelf in &shelves {
        let all = record::read(&logged(&shelf.root)?);
        let called = record::called(&all, id);
        let Some(fixup) = called.first() else { continue };
        let is_back = |one: &FixupRecord| one.reverts.as_deref() == Some(&fixup.id);
        if all.iter().any(is_back) {
            return Err(Failure::new(format!("the fixup {id} was taken back already")));
        }
        let found = shelf.kept.iter().find(|(digest, ..)| *digest == fixup.after_digest);
        let Some((_, file, line)) = found else {
            return Err(Failure::new(format!(
                "{} has changed since the fixup {id}: take it back by hand",
                fixup.transcript
            )));
        };
        let rules = rules::load(&shelf.project);
        let families = Families { structure: false, tokens: false, checks: false };
        let context = context(&rules, &shelf.project, families, false);
        let limits = &shelf.project.settings().limits;
        let place = Place::find(Path::new(&**file), *line, &context, limits)?;
        take_back(&place, &called, &shelf.root)?;
        let exchanges: Vec<u32> = called.iter().map(|one| one.exchange).collect();
        let line = format!("took {id} back: {} {}", fixup.transcript, offer::place(&exchanges));
        session.out.line(&plain(&line));
        return Ok(Ending::Good);
    }
    let known = counted(shelves.len(), "project");
    Err(Failure::new(format!("there is no fixup `{id}` in {known} here")))
}

fn take_back(place: &Place, called: &[&FixupRecord], root: &Path) -> Result<(), Failure> {
    let (mut edits, mut records) = (Vec::new(), Vec::new());
    for fixup in called {
        let other = || {
            let exchange = fixup.exchange;
            Failure::new(format!("the reply of exchange {exchange} says something else now"))
        };
        edits.push(place.back(fixup).ok_or_else(other)?);
        records.push(fixup.reverted(new_id()?, &journal::now()));
    }
    place.apply(&edits)?;
    log(root, &records)
}
