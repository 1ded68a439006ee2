//! `rubricator.slice`: what passed, cut into the files that `rubricator slice` writes.
//!
//! Invariant: what is cut is what is on disk, so nothing is cut while a document it
//! depends on has changes that are not saved. Nobody is asked; it runs on a thread of
//! its own, and writes all of its files or none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::hints::counted;
use crate::engine::audit::Watch;
use crate::engine::{Engine, reviews, scan, slicing};
use crate::review::{Bound, Review};
use crate::slice::Split;

use super::chores::{Chore, Kind};
use super::event::Event;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::sweep::Sweep;
use super::uri;

/// Where training examples go, in the project's folder.
const FOLDER: &str = "data/processed";
/// Leaks that are named.
const NAMED: usize = 3;

/// Slicing that is over.
#[derive(Debug)]
pub struct SliceEnded {
    root: PathBuf,
    /// What to say; `None` when it was cancelled.
    says: Option<Result<String, String>>,
}

impl Session {
    /// `rubricator.slice`
    pub(super) fn slice(&mut self, target: &Target) -> Accepted {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get(&uri).or_else(|| self.documents.values().next());
        let Some(live) = document.map(|document| Arc::clone(&document.live)) else {
            return Accepted::no("open a file of the project first");
        };
        let (Some(root), Some(panel)) = (live.project.root.clone(), live.panel().cloned()) else {
            return Accepted::no("this file belongs to no project with a rubric");
        };
        let unsaved = self
            .documents
            .values()
            .filter(|d| !d.is_saved && d.live.project.root == live.project.root);
        let mut unsaved: Vec<String> = unsaved.map(|d| uri::file_name(&d.uri)).collect();
        if !unsaved.is_empty() {
            unsaved.sort();
            return Accepted::no(format!(
                "slices are cut from what is on disk: save {} first",
                unsaved.join(", ")
            ));
        }
        let key = Some(root.clone());
        let Some(chore) = self.begin_chore(Kind::Slice, &key, "Slicing transcripts") else {
            return Accepted::no("slices are being cut already");
        };
        let sweep = self.pass(&live, panel, 0, chore.cancel.clone(), false);
        let (engine, events) = (self.jobs.engine.clone(), self.events.clone());
        self.runtime.spawn_blocking(move || {
            let run = std::panic::AssertUnwindSafe(|| cut(&sweep, &engine, &chore, &root));
            let says = std::panic::catch_unwind(run)
                .unwrap_or_else(|_| Some(Err("slicing failed; the log says where".into())));
            events.send(Event::Sliced(Box::new(SliceEnded { root, says })));
        });
        Accepted::yes()
    }

    /// Slicing is over.
    pub(super) fn sliced(&mut self, ended: SliceEnded) {
        self.chores.end(Kind::Slice, &Some(ended.root));
        match ended.says {
            None => {}
            Some(Ok(says)) => self.outbox.message(MessageType::Info, says),
            Some(Err(why)) => self.outbox.message(MessageType::Warning, why),
        }
    }
}

/// Cuts; `None` when it was cancelled.
fn cut(
    sweep: &Sweep,
    engine: &Engine,
    chore: &Chore,
    root: &Path,
) -> Option<Result<String, String>> {
    let swept = sweep.run(engine)?;
    let log = match reviews::read(root) {
        Ok(log) => log,
        Err(why) => return Some(Err(format!("{} cannot be read: {why}", reviews::FILE))),
    };
    let roster = &swept.roster;
    let mut choice = slicing::Choice::default();
    for one in &roster.entries {
        choice.note(&one.id, one.digest, one.standing, || {
            let digest = one.digest.to_string();
            let bound =
                Bound { transcript: &one.id, digest: &digest, rubric: &roster.rubric_digest };
            matches!(log.review(bound), Review::Rejected(_))
        });
    }
    let sources: Vec<scan::Source> =
        swept.files.iter().filter_map(uri::to_path).map(scan::Source::Disk).collect();
    written(sweep, &choice, &sources, chore, root).transpose()
}

fn written(
    sweep: &Sweep,
    choice: &slicing::Choice,
    sources: &[scan::Source],
    chore: &Chore,
    root: &Path,
) -> Result<Option<String>, String> {
    let project = &sweep.live.project;
    let settings = &project.settings().slice;
    let prompt = slicing::system_prompt(project)?;
    let split = Split { seed: settings.seed, validation: settings.validation };
    let cutter = slicing::cutter(project, choice, split, prompt.as_deref(), true)?;
    let folder = root.join(FOLDER);
    let (stop, tell) = (|| chore.cancel.is_cancelled(), |share: f64| chore.tell(share));
    let watch = Watch { stop: &stop, tell: &tell };
    let named = |source: &scan::Source| {
        let path = source.path();
        path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    };
    let sliced =
        slicing::slice(&cutter, project, sources, Some(&folder), &watch, named, |_, _, _| {})?;
    Ok(sliced.map(|sliced| says(&sliced, choice)))
}

fn says(sliced: &slicing::Sliced, choice: &slicing::Choice) -> String {
    let sums = &sliced.sums;
    if !sums.leaks.is_empty() {
        let pair = |leak: &crate::slice::Leak<usize>| {
            let name = |place: usize| &*sliced.names[place];
            format!("{} and {}", name(leak.first.0), name(leak.again.0))
        };
        let mut pairs: Vec<String> = sums.leaks.iter().map(pair).collect();
        pairs.dedup();
        pairs.truncate(NAMED);
        return format!(
            "{} would be both trained on and validated on, so nothing was written: {}. Give such \
             transcripts one `persona.id`, or remove all but one.",
            counted(sums.leaks.len(), "slice"),
            pairs.join("; ")
        );
    }
    let [training, validation] = sums.sides;
    let mut says = format!(
        "Wrote {} to train on and {} to validate on, of {}, to {FOLDER}.",
        counted(training.1, "slice"),
        validation.1,
        counted(training.0 + validation.0, "transcript"),
    );
    let left: usize = choice.not_passed.iter().map(|(_, count)| count).sum();
    if left + choice.rejected + sums.short > 0 {
        let standings = choice.not_passed.iter().map(|(s, n)| format!("{n} {}", s.name()));
        let mut parts: Vec<String> = standings.collect();
        parts.extend((choice.rejected > 0).then(|| format!("{} rejected", choice.rejected)));
        parts.extend((sums.short > 0).then(|| format!("{} too short to cut", sums.short)));
        says += &format!(" Left out: {}.", parts.join(", "));
    }
    if sums.over + sums.uncounted.0 > 0 {
        says += &format!(
            " {} over the limit, or not to be counted, dropped.",
            counted(sums.over + sums.uncounted.0, "slice")
        );
    }
    says
}
