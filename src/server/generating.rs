//! `rubricator.generate`: the next transcripts of the project, while one goes on editing.
//!
//! Invariant: they are appended to the file on disk, as on the command line, and never
//! to a buffer; a file that is open with edits that are not saved is not written to.
//! Everything is read and made off the main loop; progress goes by exchanges, and its
//! cancel is the run's.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;
use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::hints::counted;
use crate::engine::generate::{self, GenerateJob, GenerateUpdate, Outlet, Setup, snapshots};
use crate::engine::{Engine, Trust};
use crate::generate::id;

use super::chores::{Chore, Kind};
use super::event::{Event, EventSender};
use super::projects::Live;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::uri;

/// A run that is over.
#[derive(Debug)]
pub struct Generated {
    root: PathBuf,
    /// What it says, good or bad.
    says: Result<String, String>,
}

impl Session {
    /// `rubricator.generate`
    pub(super) fn generate(&mut self, target: &Target) -> Accepted {
        let named = Uri(target.uri.clone());
        let document = self.documents.get(&named).or_else(|| self.documents.values().next());
        let Some(live) = document.map(|document| Arc::clone(&document.live)) else {
            return Accepted::no("open a file of the project first");
        };
        let Some(root) = live.project.root.clone() else {
            return Accepted::no("this file belongs to no project");
        };
        let key = Some(root.clone());
        let Some(chore) = self.begin_chore(Kind::Generate, &key, "Generating transcripts") else {
            return Accepted::no("transcripts are being generated already");
        };
        let open = self.documents.values().filter(|d| d.live.project.root.as_ref() == Some(&root));
        let open = open.filter_map(|d| Some((uri::to_path(&d.uri)?, d.text.text())));
        let run = Run {
            open: open.collect(),
            trust: self.trust_in(&live),
            engine: self.jobs.engine.clone(),
            events: self.events.clone(),
            chore,
            root: root.clone(),
            live,
        };
        let events = self.events.clone();
        self.runtime.spawn(async move {
            let failed = |_| Err("generating failed; the log says where".to_owned());
            let says = tokio::spawn(run.made()).await.unwrap_or_else(failed);
            events.send(Event::Generated(Box::new(Generated { root, says })));
        });
        Accepted::yes()
    }

    /// A run is over.
    pub(super) fn generated(&mut self, ended: Generated) {
        self.chores.end(Kind::Generate, &Some(ended.root));
        match ended.says {
            Ok(says) => self.outbox.message(MessageType::Info, says),
            Err(why) => self.outbox.message(MessageType::Warning, why),
        }
        self.report_status();
    }
}

/// What a run needs.
struct Run {
    /// The open files of the project as they are on the screen.
    open: Vec<(PathBuf, String)>,
    live: Arc<Live>,
    trust: Trust,
    engine: Engine,
    events: EventSender,
    chore: Chore,
    root: PathBuf,
}

impl Run {
    /// Makes them; what there is to say.
    async fn made(self) -> Result<String, String> {
        let run = Arc::new(self);
        let reader = Arc::clone(&run);
        let job = tokio::task::spawn_blocking(move || reader.job());
        let job = job.await.map_err(|_| "generating failed; the log says where".to_owned())??;
        let exchanges = |index: &u64| job.persona(*index).exchanges;
        let total: usize = job.indices.iter().map(exchanges).sum();
        let (sender, mut updates) = unbounded_channel();
        let token = run.chore.cancel.token();
        let (engine, making) = (run.engine.clone(), job.clone());
        let making = tokio::spawn(async move { engine.generate(&making, &token, &sender).await });
        let (mut done, mut written, mut whys) = (0, 0, Vec::new());
        while let Some(update) = updates.recv().await {
            match update {
                GenerateUpdate::Exchange { .. } => {
                    done += 1;
                    run.chore.tell(done as f64 / total.max(1) as f64);
                }
                GenerateUpdate::Written { .. } => {
                    written += 1;
                    // Not every client says what happens on disk.
                    run.events.send(Event::FilesChanged(vec![uri::from_path(&job.out.path)]));
                }
                GenerateUpdate::Failed { why, .. } => whys.push(why.detail),
                GenerateUpdate::Notice(notice) => whys.push(notice),
            }
        }
        making.await.map_err(|_| "generating failed; the log says where".to_owned())??;
        let file = job.out.path.strip_prefix(&run.root).unwrap_or(&job.out.path).display();
        let says = format!("{} written to {file}.", counted(written, "transcript"));
        match whys.first() {
            None => Ok(says),
            Some(why) => Err(format!("{says} The rest is not finished: {why}")),
        }
    }

    /// What is to be made. Reads files.
    fn job(&self) -> Result<GenerateJob, String> {
        let project = &self.live.project;
        let (setup, _) = generate::read(project, None).map_err(|troubles| {
            let errors = troubles.iter().filter(|trouble| trouble.is_error);
            errors.map(generate::Trouble::said).collect::<Vec<_>>().join("\n")
        })?;
        setup.allowed(self.trust)?;
        let out = Outlet::new(&self.root, &setup.usual_file())?;
        self.saved(&out)?;
        let (there, settings) = (out.ids()?, &project.settings().generate);
        let lacks = |index: &u64| {
            let persona = Setup::persona(&setup, settings.seed, *index);
            !there.contains(&id(&persona, &setup.maker))
        };
        let indices = (0..).filter(lacks).take(settings.count).collect();
        snapshots(&self.root, &setup.ingredients)?;
        let asking = setup.asking(project, self.trust);
        let (setup, out, seed) = (Arc::new(setup), Arc::new(out), settings.seed);
        Ok(GenerateJob { setup, seed, indices, out, asking })
    }

    /// Refuses a file that is open with edits that are not saved, or an old text.
    fn saved(&self, out: &Outlet) -> Result<(), String> {
        let Some((path, text)) = self.open.iter().find(|(path, _)| *path == out.path) else {
            return Ok(());
        };
        let saved = std::fs::read_to_string(path).is_ok_and(|on_disk| on_disk == *text);
        let name = path.strip_prefix(&self.root).unwrap_or(path).display();
        let why = || {
            format!(
                "{name} is open with another text than on disk: save or reload it, and generate again"
            )
        };
        saved.then_some(()).ok_or_else(why)
    }
}
