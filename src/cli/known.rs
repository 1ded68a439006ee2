//! What is known of a project's transcripts without asking anybody: read from
//! disk, with the answers there are, scored.
//!
//! Invariant: nothing here makes a call or writes a file.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::assess::entries::{self, Entry};
use super::assess::job::Asking;
use super::check::context;
use super::output::Output;
use super::scan::Source;
use super::style::plain;
use super::{Failure, Session, assess, targets};
use crate::analysis::context::Families;
use crate::assessment::{JudgeOutcomes, Scorecard};
use crate::config::Provider;
use crate::engine::workspace::{Project, plain as plain_error};
use crate::engine::{AssessUpdate, Engine, EngineOptions, Trust, reviews, rules};
use crate::review::{Bound, Log};
use crate::rubric::{Rubric, digest};
use crate::transcript::TranscriptDigest;

/// One project: its rubric, its reviews, and what was kept of each transcript.
pub struct Shelf<T> {
    /// The project.
    pub project: Arc<Project>,
    /// Its folder.
    pub root: PathBuf,
    /// Its rubric.
    pub rubric: Arc<Rubric>,
    /// The rubric's digest, in hex.
    pub rubric_digest: String,
    /// Its review records.
    pub reviews: Log,
    /// What was kept, in the order of the files.
    pub kept: Vec<T>,
}

impl<T> Shelf<T> {
    /// What a transcript of this project is bound to now.
    #[must_use]
    pub fn bound<'a>(&'a self, id: &'a str, digest: &'a str) -> Bound<'a> {
        Bound { transcript: id, digest, rubric: &self.rubric_digest }
    }

    /// The same project with something else kept; answers with what was kept before.
    #[must_use]
    pub fn with<U>(self, kept: Vec<U>) -> (Shelf<U>, Vec<T>) {
        let Self { project, root, rubric, rubric_digest, reviews, kept: before } = self;
        (Shelf { project, root, rubric, rubric_digest, reviews, kept }, before)
    }
}

/// What is looked for where nobody asks for more.
const CHECKS: Families = Families { structure: false, tokens: false, checks: true };

/// Looks at every transcript that the paths name; keeps what `keep` makes of it.
pub fn read<T>(
    paths: &[PathBuf],
    session: &mut Session,
    mut keep: impl FnMut(Entry, Scorecard, &Rubric) -> T,
) -> Result<Vec<Shelf<T>>, Failure> {
    looking(CHECKS, paths, session, |_, entry, card, rubric| keep(entry, card, rubric))
}

/// The same; the tokens of each transcript are counted too.
pub fn counting<T>(
    paths: &[PathBuf],
    session: &mut Session,
    mut keep: impl FnMut(Entry, Scorecard, &Rubric) -> T,
) -> Result<Vec<Shelf<T>>, Failure> {
    let families = Families { tokens: true, ..CHECKS };
    looking(families, paths, session, |_, entry, card, rubric| keep(entry, card, rubric))
}

/// The same as [`read`]; `keep` may print.
pub fn telling<T>(
    paths: &[PathBuf],
    session: &mut Session,
    keep: impl FnMut(&mut Output, Entry, Scorecard, &Rubric) -> T,
) -> Result<Vec<Shelf<T>>, Failure> {
    looking(CHECKS, paths, session, keep)
}

fn looking<T>(
    families: Families,
    paths: &[PathBuf],
    session: &mut Session,
    mut keep: impl FnMut(&mut Output, Entry, Scorecard, &Rubric) -> T,
) -> Result<Vec<Shelf<T>>, Failure> {
    let sources = targets::transcripts(paths, session)?;
    let engine = Engine::new(EngineOptions::of_user());
    let mut shelves = Vec::new();
    for (project, sources) in assess::grouped_by_project(sources, session) {
        let root = project.root.clone().ok_or_else(|| {
            Failure::new("these transcripts are in no project: `rubricator init` makes one")
        })?;
        let rules = rules::load(&project);
        let failed = session.report_settings(&project);
        if session.report_problems(&rules.problems) || failed {
            return Err(Failure::new("the settings have errors, so nothing was read"));
        }
        let rubric = assess::usable_rubric(&project, &rules)?;
        let asking = asking(&project, &rubric, session.untrusted);
        let context = context(&rules, &project, families, false);
        let mut kept = Vec::new();
        for source in &sources {
            let unusable = entries::each_share(source, &context, &project, |found| {
                let mut said = recalled(&engine, &asking, &found);
                for entry in found {
                    let judges = said.remove(&entry.digest).unwrap_or_else(|| silent(&asking));
                    let card = assess::score(&asking, &entry, &judges);
                    // The same text may stand twice.
                    said.insert(entry.digest, judges);
                    kept.push(keep(&mut session.out, entry, card, &rubric));
                }
            });
            let unusable =
                unusable.map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
            warn_of(&unusable, source, session);
        }
        let reviews = reviews_of(&root, session)?;
        let rubric_digest = hex(&digest::rubric(&rubric));
        shelves.push(Shelf { project, root, rubric, rubric_digest, reviews, kept });
    }
    Ok(shelves)
}

/// Who is asked what in this project; typing the command is the consent.
#[must_use]
pub fn asking(project: &Project, rubric: &Arc<Rubric>, untrusted: bool) -> Asking {
    Asking {
        rubric: Arc::clone(rubric),
        judges: project.settings().judges.clone(),
        settings: project.settings().assess.clone(),
        trust: if untrusted { Trust::Denied } else { Trust::Given },
        project_dir: project.root.clone(),
        began: std::time::Instant::now(),
        spending: crate::engine::Spending::of_run(&project.settings().assess),
        stopped: crate::engine::Stopped::default(),
    }
}

fn warn_of(unusable: &[usize], source: &Source, session: &mut Session) {
    for line in unusable {
        let place = plain(&source.shown()).into_owned();
        let why = "left out: no transcript here (`rubricator check` says why)";
        session.out.warning(&format!("{place}:{line}: {why}"));
    }
}

/// The answers there are, by transcript, in the order of the judges.
fn recalled(
    engine: &Engine,
    asking: &Asking,
    entries: &[Entry],
) -> HashMap<TranscriptDigest, Vec<JudgeOutcomes>> {
    let mut said: HashMap<TranscriptDigest, Vec<JudgeOutcomes>> = HashMap::new();
    for update in engine.recall(&asking.job(entries)) {
        let AssessUpdate::Outcome { transcript, judge, criterion, outcome, .. } = update else {
            continue;
        };
        let judges = said.entry(transcript).or_insert_with(|| silent(asking));
        if let Some(one) = judges.iter_mut().find(|one| *one.judge == *judge) {
            one.outcomes.insert(criterion.to_string(), outcome);
        }
    }
    said
}

/// Every judge, before it has said anything.
fn silent(asking: &Asking) -> Vec<JudgeOutcomes> {
    let silent = |judge: &crate::config::Judge| JudgeOutcomes {
        judge: judge.name.clone(),
        cached: true,
        recorded: judge.provider == Provider::Recorded,
        ..JudgeOutcomes::default()
    };
    asking.judges.iter().map(silent).collect()
}

fn reviews_of(root: &std::path::Path, session: &mut Session) -> Result<Log, Failure> {
    let log = reviews::read(root)
        .map_err(|e| Failure::new(format!("{} {}", reviews::FILE, plain_error(&e))))?;
    for (line, why) in &log.problems {
        session.out.warning(&format!("{}:{line}: left out: {}", reviews::FILE, plain(why)));
    }
    Ok(log)
}

/// Bytes in hex.
#[must_use]
pub fn hex(bytes: &[u8; 32]) -> String {
    digest::hex(bytes)
}
