//! The session's side of assessment: what a save or command starts, what it may
//! cost unasked, and where the results go.
//!
//! Invariant: over a cap, unpriced or untrusted, a save sends nothing and says so
//! once. Only answers to what a transcript says now are missing; everything else
//! costs nothing to show again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::hints::counted;
use crate::analysis::judges::{self, JudgeFacts};
use crate::config::OnSave;
use crate::engine::{AssessUpdate, Trust, job, trusted_projects};

use super::accounts;
use super::jobs::{self, About, Cause, Planned, Wish};
use super::judgements::said;
use super::objection::Objection;
use super::open_document::OpenDocument;
use super::outbox::{Step, Surface};
use super::projects::Live;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::shelf::Record;

impl Session {
    /// A transcript file was saved.
    pub(super) fn assess_saved(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get(uri) else { return };
        let live = Arc::clone(&document.live);
        if document.transcripts().is_none() {
            return;
        }
        self.sweeps.outdated(&live.project.root);
        let settings = &live.settings().assess;
        let debounce = Duration::from_millis(settings.debounce_ms);
        if settings.on_save != OnSave::Off && self.saves.saved(uri, Instant::now(), debounce) {
            self.want(uri);
        }
    }

    /// Saves whose wait is over.
    pub(super) fn assess_due(&mut self) {
        let now = Instant::now();
        if self.saves.deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        // Every project has its own wait; the documents due now share the shortest.
        let debounce = Duration::from_millis(
            self.documents
                .values()
                .map(|d| d.live.settings().assess.debounce_ms)
                .min()
                .unwrap_or(0),
        );
        for uri in self.saves.due(now, debounce) {
            let rubric = self.documents.get(&uri).filter(|d| d.is_rubric_in_force());
            match rubric.map(|document| Arc::clone(&document.live)) {
                // Not read yet: as soon as it is.
                Some(live) if live.rules.is_none() => {
                    self.reassess.insert(live.project.root.clone());
                }
                Some(live) => self.assess_with_rubric(&live),
                None => self.want(&uri),
            }
        }
    }

    /// Marks a document to be assessed as soon as all of it is read.
    pub(super) fn want(&mut self, uri: &Uri) {
        if let Some(document) = self.documents.get_mut(uri) {
            document.wants_assessment = true;
            document.touch();
        }
    }

    /// Starts what was waiting for the document to be read: recalling what is known
    /// of it, and assessing it.
    pub(super) fn start_waiting(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get_mut(uri) else { return };
        if !document.is_read() {
            return;
        }
        if document.recalled != Some(document.live.generation) {
            document.recalled = Some(document.live.generation);
            if let Some(wish) = self.wish(uri, Cause::Save, &|_| true) {
                self.set_recalling(uri);
                self.jobs.recall(wish);
                return;
            }
        }
        let Some(document) = self.documents.get_mut(uri) else { return };
        if document.recalling || !std::mem::take(&mut document.wants_assessment) {
            return;
        }
        self.drop_gone(uri);
        if let Some(wish) = self.wish(uri, Cause::Save, &|r| !self.is_being_asked(uri, r)) {
            self.jobs.plan(wish);
        }
    }

    /// Nobody wants to know any more what judges say of texts that a document has
    /// left behind: their calls are dropped, the others go on.
    fn drop_gone(&mut self, uri: &Uri) {
        let open = self.documents.values().filter_map(OpenDocument::transcripts);
        let says: HashSet<_> =
            open.flat_map(|file| file.shelf().records().filter_map(|r| r.digest())).collect();
        self.jobs.drop_gone(uri, &|digest| says.contains(&digest));
    }

    fn is_being_asked(&self, uri: &Uri, record: &Record<'_>) -> bool {
        let panel = self.documents.get(uri).and_then(|document| document.live.panel());
        let asked = |panel, digest| self.jobs.is_asking(digest, panel);
        panel.zip(record.digest()).is_some_and(|(panel, digest)| asked(panel, digest))
    }

    fn set_recalling(&mut self, uri: &Uri) {
        if let Some(document) = self.documents.get_mut(uri) {
            document.recalling = true;
        }
    }

    /// The transcripts of a document that lack answers, of those wanted.
    fn wish(&self, uri: &Uri, cause: Cause, wanted: &dyn Fn(&Record<'_>) -> bool) -> Option<Wish> {
        let document = self.documents.get(uri)?;
        let panel = document.live.panel().filter(|panel| panel.asks())?;
        let lacking = |record: &Record<'_>| {
            let digest = record.digest()?;
            let exchanges = record.complete_exchanges();
            let lacks = self.judgements.lacks(digest, exchanges, panel);
            (wanted(record) && lacks).then(|| (record.span(), digest))
        };
        let transcripts: Vec<_> =
            document.transcripts()?.shelf().records().filter_map(|r| lacking(&r)).collect();
        (!transcripts.is_empty()).then(|| Wish {
            uri: uri.clone(),
            cause,
            text: document.text.clone(),
            transcripts,
            panel: Arc::clone(panel),
            live: Arc::clone(&document.live),
            trust: self.trust_in(&document.live),
        })
    }

    pub(super) fn trust_in(&self, live: &Live) -> Trust {
        match (self.trusted, &live.project.root, &self.data_dir) {
            (Some(false), ..) => Trust::Denied,
            (Some(true), ..) => Trust::Given,
            (None, Some(root), Some(data)) if trusted_projects::is_trusted(data, root) => {
                Trust::Given
            }
            _ => Trust::Unsaid,
        }
    }

    /// `rubricator.assess`
    pub(super) fn assess_now(&mut self, target: &Target) -> Accepted {
        let uri = Uri(target.uri.clone());
        let Some(document) = self.documents.get_mut(&uri) else {
            return Accepted::no("open the transcript file first");
        };
        document.catch_up();
        let Some(panel) = document.live.panel() else {
            return Accepted::no("this file belongs to no project with a rubric");
        };
        if !panel.asks() {
            return Accepted::no("no judge is configured: add a [[judge]] to rubricator.toml");
        }
        let named = |record: &Record<'_>| match &target.transcript {
            Some(id) => record.outline().is_some_and(|outline| *outline.id == **id),
            None => true,
        };
        if let Some(document) = self.documents.get_mut(&uri).filter(|d| !d.is_read()) {
            if target.transcript.is_none() {
                // Its text is known as soon as it is looked at; then it is assessed.
                document.wants_assessment = true;
                document.touch();
                return Accepted::yes();
            }
            document.look_closely(named);
        }
        let wanted = |record: &Record<'_>| named(record) && !self.is_being_asked(&uri, record);
        match self.wish(&uri, Cause::Command, &wanted) {
            Some(wish) => {
                self.jobs.plan(wish);
                Accepted::yes()
            }
            None if self.wish(&uri, Cause::Command, &named).is_some() => {
                Accepted::no("the judges are being asked about this already")
            }
            None => Accepted::no("every judge has answered everything about this text already"),
        }
    }

    /// A job was read and planned: asks, or says why not.
    pub(super) fn planned(&mut self, planned: Planned) {
        let Some(running) = self.jobs.running.get(&planned.number) else { return };
        let (about, settings) = (running.about.clone(), &running.live.settings().assess);
        let withheld = Objection::withheld(&planned.plan, &about, settings);
        let objection = Objection::to(&planned.plan, planned.cause, &about, settings);
        match objection {
            None => {
                self.show_progress(&planned);
                self.jobs.ask(planned);
                if let Some(withheld) = withheld {
                    self.say_once(&about, withheld);
                }
            }
            Some(objection) => {
                self.jobs.running.remove(&planned.number);
                self.report_status();
                self.say_once(&about, objection);
            }
        }
    }

    fn say_once(&mut self, about: &About, objection: Objection) {
        let (About::Document(uri) | About::Project(_, uri)) = about;
        if !self.said.insert((uri.clone(), objection.message.clone())) {
            return;
        }
        match objection.offer {
            Some(offer) => self.outbox.offer(objection.message, offer),
            None => self.outbox.message(MessageType::Warning, objection.message),
        }
    }

    fn show_progress(&mut self, planned: &Planned) {
        let Some(running) = self.jobs.running.get_mut(&planned.number) else { return };
        if planned.plan.calls() > 0 && self.client.progress {
            let title = format!("Assessing {}", counted(planned.plan.lacking, "transcript"));
            running.progress = Some(self.outbox.progress(&jobs::token(planned.number), title));
        }
        running.line = format!("assessing {}", planned.plan.lacking);
        self.accounts.begin(&running.live);
        self.report_status();
    }

    /// What was known without a call.
    pub(super) fn recalled(&mut self, number: u64, updates: Vec<AssessUpdate>) {
        for update in updates {
            self.assessed(update);
        }
        let Some(running) = self.jobs.running.remove(&number) else { return };
        if let About::Document(uri) = running.about
            && let Some(document) = self.documents.get_mut(&uri)
        {
            document.recalling = false;
            document.touch();
        }
    }

    /// Something happened in a run.
    pub(super) fn assessed(&mut self, update: AssessUpdate) {
        let number = jobs::number_of(&update);
        let Some(running) = self.jobs.running.get_mut(&number) else { return };
        match update {
            AssessUpdate::Outcome { transcript, ref outcome, .. } => {
                // Nobody wants to read that a text was dropped that is gone.
                let dropped = running.cancel.is_dropped(transcript);
                if dropped && !running.cancel.is_cancelled() && outcome.answer().is_none() {
                    return;
                }
                for (transcript, said) in said([update], &running.panel) {
                    self.judgements.note(transcript, said);
                    self.heard.insert(transcript);
                }
            }
            AssessUpdate::Progress { done, total, elapsed, cost, .. } => {
                running.line = jobs::line(done, total, elapsed, cost);
                self.accounts.goes_on(&running.live);
                running.percentage = u32::try_from(100 * done / total.max(1)).unwrap_or(100);
                running.show();
                self.report_status();
            }
            AssessUpdate::Waiting { judge, wait, why, .. } => {
                running.line = job::asks_again(&judge, wait, &why);
                self.accounts.waits(&running.live, &judge, wait, why);
                running.show();
                self.report_status();
            }
            AssessUpdate::JudgeStopped { judge, why, .. } => {
                self.accounts.stopped(&running.live, &judge, why);
                self.report_status();
            }
            AssessUpdate::Notice { message, .. } => {
                self.outbox.message(MessageType::Warning, message);
            }
            AssessUpdate::Finished { summary, .. } => {
                self.accounts.flipped(&running.live, &summary.flips);
            }
            AssessUpdate::Started { .. } | AssessUpdate::TranscriptDone { .. } => {}
        }
    }

    /// A run is over, whatever came of it.
    pub(super) fn run_ended(&mut self, number: u64) {
        let Some(running) = self.jobs.running.remove(&number) else { return };
        if let Some(progress) = running.progress {
            progress.send_replace(Step { message: running.line, percentage: 100, done: true });
        }
        if self.client.refresh_lenses {
            self.outbox.refresh(Surface::Lenses);
        }
        self.count_after(&running.about, &running.live);
        self.report_status();
    }

    /// Tells the documents what was heard since the last turn.
    pub(super) fn hand_out(&mut self) {
        if self.heard.is_empty() {
            return;
        }
        let heard = std::mem::take(&mut self.heard);
        for document in self.documents.values_mut() {
            if let Some(transcripts) = document.transcripts_mut() {
                transcripts.heard(&heard);
            }
        }
    }

    pub(super) fn report_status(&self) {
        let lines: Vec<&str> = self.jobs.running.values().map(|r| r.line.as_str()).collect();
        let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let running = !lines.is_empty();
        let mut text = lines.first().copied().unwrap_or("ready").to_owned();
        let judges = self.judges_of_all();
        let troubles = judges::trouble(&judges);
        if let (false, Some(trouble)) = (running, troubles.first()) {
            text.clone_from(trouble);
        }
        let mut detail = lines.join("\n");
        for trouble in &troubles {
            detail = format!("{detail}\n{trouble}");
        }
        self.outbox.status(serde_json::json!({
            "text": text,
            "detail": detail.trim_start(),
            "running": running,
            "judges": accounts::status(&judges),
            "spend": accounts::spent(&self.jobs.spend(None)),
            "gate": self.gates_of_all(),
        }));
    }

    /// The judges of the projects of the open documents, each project once.
    fn judges_of_all(&self) -> Vec<JudgeFacts> {
        let mut seen = HashSet::new();
        let mut lives: Vec<&Arc<Live>> =
            self.documents.values().map(|document| &document.live).collect();
        lives.sort_by(|a, b| a.project.root.cmp(&b.project.root));
        lives.retain(|live| seen.insert(live.project.root.clone()));
        let facts = |live: &Arc<Live>| {
            let spend = self.jobs.spend(live.project.root.as_deref());
            self.accounts.judges(live, &spend)
        };
        lives.into_iter().flat_map(facts).collect()
    }
}
