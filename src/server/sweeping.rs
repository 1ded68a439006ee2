//! The session's side of whole projects: counting what is known of all their
//! transcripts, and assessing what is not.
//!
//! Invariant: one pass over a project at a time; a pass that asks takes the place
//! of one that only counts. Counting is started by whoever looks (a rubric's
//! lenses), never by typing.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::hints::counted;
use crate::analysis::rubric_lenses::Whole;
use crate::assessment::statistics::Counted;
use crate::engine::{Cancel, Plan};
use crate::review::roster::Roster;
use crate::transcript::records::Layout;

use super::elsewhere::{Elsewhere, Side};
use super::jobs::{About, Cause, Planned};
use super::open_document::{Content, OpenDocument};
use super::outbox::Surface;
use super::panel::Panel;
use super::projects::Live;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::source::Source;
use super::sweep::{Sweep, Swept};
use super::uri;
use super::work::{Chunks, Work};

/// A pass that took longer is started only by who asks for it.
const SHORT: Duration = Duration::from_secs(2);

/// Passes over projects.
#[derive(Debug, Default)]
pub struct Sweeps {
    /// The pass under way, by the project's folder.
    going: HashMap<Option<PathBuf>, (u64, Purpose)>,
    /// What the last one counted.
    census: HashMap<Option<PathBuf>, Arc<Census>>,
    /// Projects in which something was said or written since.
    outdated: HashSet<Option<PathBuf>>,
    /// What is shown of files that are not open.
    pub(super) elsewhere: Elsewhere,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To count what is known.
    Count,
    /// To show what is known of files that are not open.
    Show,
    /// To assess what is not known.
    Assess(Cause),
}

/// What is known of a project's transcripts.
#[derive(Debug, Default)]
pub struct Census {
    /// By the key of a criterion's wording.
    pub counted: HashMap<[u8; 32], Counted>,
    /// What assessing the rest would take; `None` where nobody may be asked.
    pub whole: Option<Whole>,
    /// Every transcript, as review sees it.
    pub roster: Arc<Roster>,
    /// The files, as the roster numbers them.
    pub files: Vec<Uri>,
    /// How long the pass took.
    pub took: Duration,
}

impl Sweeps {
    /// Something was said or written in this project.
    pub fn outdated(&mut self, root: &Option<PathBuf>) {
        self.outdated.insert(root.clone());
    }

    /// True while a pass over a project is under way.
    #[must_use]
    pub fn is_going(&self, root: &Option<PathBuf>) -> bool {
        self.going.contains_key(root)
    }

    /// What is known of a project.
    #[must_use]
    pub fn census(&self, root: &Option<PathBuf>) -> Option<Arc<Census>> {
        self.census.get(root).cloned()
    }
}

impl Session {
    /// `rubricator.assessAll`
    pub(super) fn assess_all(&mut self, target: &Target) -> Accepted {
        let target = Uri(target.uri.clone());
        let of_target = self.documents.get(&target).map(|document| Arc::clone(&document.live));
        let mut lives: Vec<(Uri, Arc<Live>)> = Vec::new();
        if let Some(live) = of_target {
            lives.push((target, live));
        } else {
            for document in self.documents.values() {
                let known = |(_, l): &(Uri, Arc<Live>)| l.generation == document.live.generation;
                if !lives.iter().any(known) {
                    lives.push((document.uri.clone(), Arc::clone(&document.live)));
                }
            }
        }
        let mut answer = Accepted::no("open a file of the project first");
        for (uri, live) in lives {
            let one = self.sweep(&live, uri, Purpose::Assess(Cause::Command));
            if answer != Accepted::yes() {
                answer = one;
            }
        }
        answer
    }

    /// A rubric was saved and read: what it asks anew is asked.
    pub(super) fn assess_with_rubric(&mut self, live: &Arc<Live>) {
        let rubric = live.project.rubric_path().map(|path| uri::from_path(&path));
        let uri = rubric.unwrap_or_else(|| Uri(String::new()));
        self.sweep(live, uri, Purpose::Assess(Cause::Save));
    }

    /// Shows anew what is known of files that are not open, where any was shown.
    pub(super) fn show_again(&mut self, live: &Arc<Live>) {
        let root = live.project.root.as_ref();
        let shown = |root: &PathBuf| self.sweeps.elsewhere.keys().any(|p| p.starts_with(root));
        if root.is_some_and(shown) {
            self.sweep(live, Uri(String::new()), Purpose::Show);
        }
    }

    /// Somebody looks at the lenses of a rubric, or of a file of a batch: counts what
    /// has changed since. A file's lenses do not start a pass that takes long.
    pub(super) fn count_for(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get(uri) else { return };
        let (live, root) = (Arc::clone(&document.live), document.live.project.root.clone());
        let is_short = self.sweeps.census(&root).is_none_or(|census| census.took < SHORT);
        let of_batch = document.transcripts().is_some() && root.is_some() && is_short;
        if document.is_rubric_in_force() || of_batch {
            self.count(&live, uri);
        }
    }

    /// Counts what has changed since it was counted; false when nothing has.
    pub(super) fn count(&mut self, live: &Arc<Live>, uri: &Uri) -> bool {
        let root = &live.project.root;
        let is_due = !self.sweeps.census.contains_key(root) || self.sweeps.outdated.contains(root);
        is_due && self.sweep(live, uri.clone(), Purpose::Count).reason().is_none()
    }

    /// Starts a pass over a project.
    fn sweep(&mut self, live: &Arc<Live>, uri: Uri, purpose: Purpose) -> Accepted {
        let Some(panel) = live.panel().cloned() else {
            return Accepted::no("this file belongs to no project with a rubric");
        };
        if !panel.asks() && purpose != Purpose::Count {
            return Accepted::no("no judge is configured: add a [[judge]] to rubricator.toml");
        }
        let root = live.project.root.clone();
        match self.sweeps.going.get(&root) {
            Some((_, going)) if !matches!(purpose, Purpose::Assess(_)) && *going != purpose => {
                return Accepted::no("the project's transcripts are being read already");
            }
            Some((number, _)) => {
                if let Some(running) = self.jobs.running.remove(number) {
                    running.cancel.cancel();
                }
            }
            None => {}
        }
        self.sweeps.outdated.remove(&root);
        let number = self.jobs.begin(About::Project(root.clone(), uri), live, &panel);
        self.sweeps.going.insert(root, (number, purpose));
        let Some(running) = self.jobs.running.get_mut(&number) else { return Accepted::yes() };
        if matches!(purpose, Purpose::Assess(_)) {
            running.line = "reading the transcripts".to_owned();
        }
        let cancel = running.cancel.clone();
        let sweep = self.pass(live, panel, number, cancel, purpose != Purpose::Count);
        self.jobs.sweep(sweep);
        self.report_status();
        Accepted::yes()
    }

    /// A pass over a project as it is now.
    pub(super) fn pass(
        &mut self,
        live: &Arc<Live>,
        panel: Arc<Panel>,
        number: u64,
        cancel: Cancel,
        shows: bool,
    ) -> Sweep {
        let of_project = self.documents.values().filter(|d| d.live.generation == live.generation);
        Sweep {
            number,
            open: of_project.filter_map(source).collect(),
            live: Arc::clone(live),
            panel,
            trust: self.trust_in(live),
            template: self.jobs.template(),
            settings: self.settings.clone(),
            encoding: self.encoding(),
            shows,
            cancel,
            spending: crate::engine::Spending::of_run(&live.settings().assess),
            stopped: crate::engine::Stopped::default(),
            began: Instant::now(),
        }
    }

    /// A pass is over.
    pub(super) fn swept(&mut self, sweep: &Arc<Sweep>, swept: Option<Box<Swept>>) {
        let root = sweep.live.project.root.clone();
        let going = self.sweeps.going.get(&root).filter(|(number, _)| *number == sweep.number);
        let Some((number, purpose)) = going.copied() else { return };
        self.sweeps.going.remove(&root);
        let Some(swept) = swept else {
            self.jobs.running.remove(&number);
            return self.report_status();
        };
        let Swept { counted, plan, lacking, shown, roster, files } = *swept;
        let (whole, took) = (whole(&plan), sweep.began.elapsed());
        let census = Census { counted, whole, roster: Arc::new(roster), files, took };
        self.sweeps.census.insert(root.clone(), Arc::new(census));
        self.reckon(root.as_deref());
        if self.client.refresh_lenses {
            self.outbox.refresh(Surface::Lenses);
        }
        if purpose != Purpose::Count {
            self.show_elsewhere(root.as_deref(), Side::Judged, shown);
        }
        let Purpose::Assess(cause) = purpose else {
            self.jobs.running.remove(&number);
            return self.report_status();
        };
        let refused = plan.judges.iter().any(|judge| judge.refused.is_some());
        if plan.calls() == 0 && !refused && plan.withheld.is_empty() {
            self.jobs.running.remove(&number);
            self.report_status();
            if cause == Cause::Command {
                let all = counted_all(&plan);
                let message =
                    format!("Nothing to ask: the judges have answered everything about {all}.");
                self.outbox.message(MessageType::Info, message);
            }
            return;
        }
        if let Some(running) = self.jobs.running.get_mut(&number) {
            running.asks = lacking
                .iter()
                .map(|file| {
                    let digests = file.transcripts.iter().map(|(_, digest)| *digest);
                    (file.source.uri.clone(), digests.collect())
                })
                .collect();
        }
        let transcripts = lacking.iter().map(|file| file.transcripts.len()).sum();
        let work = Work::Chunks(Chunks::new(Arc::clone(sweep), lacking));
        self.planned(Planned { number, cause, work, transcripts, plan });
    }

    /// A run that asked is over: what it was about is counted anew when somebody
    /// looks, and shown at once where no document shows it.
    pub(super) fn count_after(&mut self, about: &About, live: &Arc<Live>) {
        self.sweeps.outdated(&live.project.root);
        if let About::Project(_, uri) = about {
            self.sweep(live, uri.clone(), Purpose::Show);
        }
    }
}

fn counted_all(plan: &Plan) -> String {
    counted(plan.transcripts, "transcript")
}

/// What assessing all would take, where all judges may be asked.
fn whole(plan: &Plan) -> Option<Whole> {
    let allowed = plan.judges.iter().all(|judge| judge.refused.is_none());
    let asked = allowed && !plan.judges.is_empty();
    asked.then(|| Whole { lacking: plan.lacking, cost: plan.cost() })
}

/// A document as a source, when it holds transcripts.
pub(super) fn source(document: &OpenDocument) -> Option<Source> {
    if document.desynced || !matches!(document.content, Content::Transcripts(_)) {
        return None;
    }
    Some(Source {
        uri: document.uri.clone(),
        path: document.path.clone(),
        open: Some(document.text.clone()),
        layout: Layout::of_name(&uri::file_name(&document.uri))?,
    })
}
