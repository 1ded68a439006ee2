//! All the state of the server, owned by the main loop.
//!
//! Invariant: methods here run on the main loop's thread, one at a time, and never
//! wait for anything: not for the client, not for a model, not for a lock. Files
//! are read only when a document is opened or a project reloaded.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::Value;
use tokio::runtime::Handle;
use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::engine::{Engine, EngineOptions};
use crate::text::document::{Change, Document, Encoding};
use crate::transcript::TranscriptDigest;

use super::accounts::Accounts;
use super::auditing::Audits;
use super::capabilities::ClientFlags;
use super::chores::Chores;
use super::drafts::Drafts;
use super::event::{Event, EventSender, Introduction};
use super::jobs::Jobs;
use super::judgements::Judgements;
use super::look::{Found, Survey};
use super::open_document::{Edited, OpenDocument};
use super::outbox::{Outbox, Surface};
use super::projects::Projects;
use super::publication;
use super::registration;
use super::requests;
use super::requests::execute_command::{Accepted, Command, Target};
use super::reviewing::Reviewing;
use super::saves::Saves;
use super::sweeping::Sweeps;
use super::{Options, uri};

/// All the state.
#[derive(Debug)]
pub struct Session {
    pub(super) outbox: Outbox,
    pub(super) events: EventSender,
    pub(super) runtime: Handle,
    pub(super) client: ClientFlags,
    pub(super) folders: Vec<Uri>,
    pub(super) trusted: Option<bool>,
    pub(super) settings: Value,
    pub(super) projects: Projects,
    pub(super) documents: HashMap<Uri, OpenDocument>,
    pub(super) jobs: Jobs,
    pub(super) judgements: Judgements,
    pub(super) saves: Saves,
    /// Transcripts that something was said about since the last turn.
    pub(super) heard: HashSet<TranscriptDigest>,
    /// What the user was told once.
    pub(super) said: HashSet<(Uri, String)>,
    /// The user's own data folder.
    pub(super) data_dir: Option<PathBuf>,
    /// Whether judges answer.
    pub(super) accounts: Accounts,
    /// Passes over whole projects, and what they found.
    pub(super) sweeps: Sweeps,
    /// Projects whose transcripts are assessed once the saved rubric is read.
    pub(super) reassess: HashSet<Option<PathBuf>>,
    /// Fixups, by the text they are for.
    pub(super) drafts: Arc<Drafts>,
    /// What people said.
    pub(super) reviewing: Reviewing,
    /// What the last audits found.
    pub(super) audits: Audits,
    /// Audits, slicing and generating under way.
    pub(super) chores: Chores,
}

impl Session {
    /// A session that knows nothing yet. Jobs run on the current runtime.
    #[must_use]
    pub fn new(outbox: Outbox, events: EventSender, options: Options) -> Self {
        let engine = Engine::new(EngineOptions {
            data_dir: options.data_dir.clone(),
            price_file: options.price_file.clone(),
            ..EngineOptions::default()
        });
        let jobs = Jobs::new(engine, Handle::current(), events.clone());
        Self {
            outbox,
            events,
            runtime: Handle::current(),
            client: ClientFlags::default(),
            folders: Vec::new(),
            trusted: options.untrusted.then_some(false),
            settings: Value::Null,
            projects: Projects::default(),
            documents: HashMap::new(),
            jobs,
            judgements: Judgements::default(),
            saves: Saves::default(),
            heard: HashSet::new(),
            said: HashSet::new(),
            data_dir: options.data_dir,
            accounts: Accounts::default(),
            sweeps: Sweeps::default(),
            reassess: HashSet::new(),
            drafts: Arc::default(),
            reviewing: Reviewing::default(),
            audits: Audits::default(),
            chores: Chores::default(),
        }
    }

    /// Takes in one event.
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Introduced(introduction) => self.introduced(*introduction),
            Event::Ready => self.ready(),
            Event::Opened { uri, version, text } => self.opened(uri, version, text),
            Event::Changed { uri, version, changes } => self.changed(&uri, version, changes),
            Event::Saved(uri) => self.saved(&uri),
            Event::Closed(uri) => self.closed(uri),
            Event::Configured(settings) => {
                self.settings = settings.get("rubricator").cloned().unwrap_or(settings);
                self.reload();
            }
            Event::FilesChanged(uris) => self.files_changed(&uris),
            Event::FoldersChanged { added, removed } => {
                self.folders.retain(|folder| !removed.contains(folder));
                self.folders.extend(added);
                self.reload();
            }
            Event::Asked(request) => requests::answer(self, request),
            Event::RulesRead { generation, rules } => self.ruled(generation, *rules),
            Event::Surveyed { uri, survey, found } => self.surveyed(&uri, &survey, *found),
            Event::SurveyEnded { uri, survey } => self.survey_ended(&uri, &survey),
            Event::Swept { sweep, swept } => self.swept(&sweep, swept),
            Event::Planned(planned) => self.planned(*planned),
            Event::Recalled { number, updates } => self.recalled(number, updates),
            Event::Assess(update) => self.assessed(update),
            Event::RunEnded(number) => self.run_ended(number),
            Event::Accepted(offer) => {
                self.jobs.consent(offer.consent);
                let answer = self.command(offer.command, &offer.target);
                if let Some(reason) = answer.reason() {
                    self.outbox.message(MessageType::Warning, reason);
                }
            }
            Event::ProgressCancelled(token) => {
                self.jobs.cancel_token(&token);
                self.chores.cancel_token(&token);
            }
            Event::Audited(ended) => self.audit_ended(*ended),
            Event::Sliced(ended) => self.sliced(*ended),
            Event::Generated(ended) => self.generated(*ended),
            Event::Fixed(fixed) => self.fixed(*fixed),
            Event::Reviewed(told) => self.reviewed(told),
            Event::Decided(root, decision) => self.decided(&root, *decision),
            Event::Reckoned { root, number, reckoned } => self.reckoned(root, number, reckoned),
            Event::ShuttingDown => {
                self.jobs.cancel(None);
                self.chores.cancel();
                self.documents.clear();
            }
            Event::Ended => {
                self.jobs.cancel(None);
                self.chores.cancel();
                self.documents.clear();
                self.reviewing.finish();
            }
        }
    }

    /// True while there is something to do between events.
    #[must_use]
    pub fn has_work(&self) -> bool {
        let now = Instant::now();
        !self.heard.is_empty() || self.documents.values().any(|d| d.has_work(now))
    }

    /// The document the next turn of work is about.
    #[must_use]
    pub fn next_work(&self) -> Option<Uri> {
        let now = Instant::now();
        self.documents.values().find(|d| d.has_work(now)).map(|d| d.uri.clone())
    }

    /// One turn of background work: brings one document forward and publishes
    /// what changed.
    pub fn work(&mut self) {
        self.assess_due();
        self.hand_out();
        let Some(uri) = self.next_work() else { return };
        let Some(document) = self.documents.get_mut(&uri) else { return };
        document.catch_up();
        document.read_on();
        let arrived = document.judge(&self.judgements, &self.drafts);
        if !arrived.is_empty() {
            Arc::make_mut(&mut self.drafts).arrived(arrived);
        }
        document.look_at_file();
        document.place_remarks();
        if let Some(list) = document.publishable() {
            self.outbox.publish(&uri, Some(document.version), &list);
        }
        self.survey(&uri);
        self.start_waiting(&uri);
    }

    /// Starts what a command says.
    pub fn command(&mut self, command: Command, target: &Target) -> Accepted {
        match command {
            Command::Assess => self.assess_now(target),
            Command::AssessAll => self.assess_all(target),
            Command::Cancel => match self.jobs.cancel(None) + self.chores.cancel() {
                0 => Accepted::no("nothing is under way"),
                _ => Accepted::yes(),
            },
            Command::Explain => self.explain(target),
            Command::Review => self.review(target),
            Command::Gate => self.gate(target),
            Command::Critique => self.critique(target),
            Command::Audit => self.audit(target),
            Command::Slice => self.slice(target),
            Command::Generate => self.generate(target),
            Command::DraftFixup => self.draft_fixup(target),
            Command::DiscardFixup => self.discard_fixup(target),
            Command::PreviewFixup => self.preview_fixup(target),
        }
    }

    /// When to come back though nothing has happened.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let files = self.documents.values().filter_map(OpenDocument::transcripts);
        let files = files.filter_map(|transcripts| transcripts.file().deadline());
        files.chain(self.saves.deadline()).min()
    }

    /// Sets aside a document that made us panic. It comes back when it is opened again.
    pub fn quarantine(&mut self, uri: Option<Uri>) {
        let Some(uri) = uri.filter(|uri| self.documents.remove(uri).is_some()) else { return };
        let name = uri::file_name(&uri);
        self.outbox.publish(&uri, None, publication::NOTHING);
        self.outbox.message(
            MessageType::Error,
            format!(
                "rubricator failed on {name} and has set it aside. Open it again to retry; \
                 the log says where it failed."
            ),
        );
    }

    /// How columns are counted.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.client.encoding
    }

    fn introduced(&mut self, introduction: Introduction) {
        self.client = introduction.flags;
        self.folders = introduction.folders;
        // The command line's word stands against the client's.
        self.trusted = self.trusted.or(introduction.trusted);
        self.settings = introduction.settings;
        self.projects = Projects::new(&self.settings, self.folder());
    }

    fn ready(&mut self) {
        let registrations = registration::registrations(&self.client);
        if !registrations.is_empty() {
            self.outbox.register(registrations);
        }
    }

    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.folders.iter().find_map(uri::to_path)
    }

    fn opened(&mut self, uri: Uri, version: i32, text: Document) {
        let live = self.project_of(uri::to_path(&uri).as_deref());
        let mut document = OpenDocument::new(uri.clone(), version, text, live, self.encoding());
        if self.documents.contains_key(&uri) {
            document.forget_published();
        }
        self.take_from_elsewhere(&mut document);
        self.show_remarks(&mut document);
        document.audited = self.audits.found(&document.live.project.root);
        self.documents.insert(uri, document);
    }

    fn changed(&mut self, uri: &Uri, version: i32, changes: Vec<Change>) {
        let Some(document) = self.documents.get_mut(uri) else {
            tracing::debug!(uri = uri.0, "a change of a document that is not open");
            return;
        };
        if let Edited::Desynced(bad) = document.edit(version, changes) {
            let name = uri::file_name(uri);
            self.outbox.message(
                MessageType::Warning,
                format!(
                    "rubricator lost track of {name}: {bad}. It says nothing about this file \
                     until you close and open it again."
                ),
            );
        }
    }

    fn closed(&mut self, uri: Uri) {
        if self.documents.remove(&uri).is_some() {
            self.jobs.cancel(Some(&uri));
            self.saves.forget(&uri);
            self.outbox.publish(&uri, None, publication::NOTHING);
        }
    }

    /// Starts the thorough look at a document's records when one is due.
    fn survey(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get_mut(uri) else { return };
        if document.live.rules.is_none() {
            return;
        }
        let Some(survey) = document.start_survey() else { return };
        let (events, uri) = (self.events.clone(), uri.clone());
        // A thread of its own: its low priority stays with it.
        let run = move || run_survey(survey, &uri, &events);
        if let Err(error) = std::thread::Builder::new().name("survey".into()).spawn(run) {
            tracing::error!(%error, "records are not looked at thoroughly");
        }
    }

    fn surveyed(&mut self, uri: &Uri, survey: &Arc<AtomicBool>, found: Found) {
        if let Some(transcripts) = self.documents.get_mut(uri).and_then(|d| d.transcripts_mut()) {
            transcripts.surveyed(survey, found);
        }
    }

    fn survey_ended(&mut self, uri: &Uri, survey: &Arc<AtomicBool>) {
        if let Some(transcripts) = self.documents.get_mut(uri).and_then(|d| d.transcripts_mut()) {
            transcripts.survey_ended(survey);
            if self.client.refresh_lenses {
                self.outbox.refresh(Surface::Lenses);
            }
            if self.client.refresh_hints {
                self.outbox.refresh(Surface::Hints);
            }
        }
    }
}

/// Runs a survey and tells the main loop, also when it panics.
fn run_survey(survey: Survey, uri: &Uri, events: &EventSender) {
    step_back();
    let token = Arc::clone(&survey.cancelled);
    let found = |found| {
        let (uri, survey, found) = (uri.clone(), Arc::clone(&token), Box::new(found));
        events.send(Event::Surveyed { uri, survey, found });
    };
    let run = std::panic::AssertUnwindSafe(|| survey.run(found));
    if std::panic::catch_unwind(run).is_err() {
        tracing::error!("a survey failed; what it had found is kept");
    }
    events.send(Event::SurveyEnded { uri: uri.clone(), survey: token });
}

/// How much less this thread may take than those that answer.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets everything else go before this thread. On Linux a thread has its own
/// priority; elsewhere it would be the whole process's.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the survey runs at full speed");
    }
}
