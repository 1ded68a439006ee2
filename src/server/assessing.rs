//! The session's side of assessment: what a save or command starts, what it may
//! cost unasked, and where the results go.
//!
//! Invariant: over a cap, unpriced or untrusted, a save sends nothing and says so
//! once. Only answers to what a transcript says now are missing; everything else
//! costs nothing to show again.

use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::config::OnSave;
use crate::engine::{AssessUpdate, Plan, Trust, trusted_projects};

use super::event::Offer;
use super::jobs::{self, Cause, Planned, Wish};
use super::judgements::Said;
use super::open_document::OpenDocument;
use super::outbox::{Step, Surface};
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::shelf::Record;
use super::uri;

impl Session {
    /// A transcript file was saved.
    pub(super) fn assess_saved(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get(uri) else { return };
        let settings = &document.live.settings().assess;
        if settings.on_save == OnSave::Off || document.transcripts().is_none() {
            return;
        }
        let debounce = Duration::from_millis(settings.debounce_ms);
        if self.saves.saved(uri, Instant::now(), debounce) {
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
            self.want(&uri);
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
        if let Some(wish) = self.wish(uri, Cause::Save, &|_| true) {
            self.jobs.plan(wish);
        }
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
            panel: std::sync::Arc::clone(panel),
            live: std::sync::Arc::clone(&document.live),
            trust: self.trust(document),
        })
    }

    fn trust(&self, document: &OpenDocument) -> Trust {
        match (self.trusted, &document.live.project.root, &self.data_dir) {
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
        match self.wish(&uri, Cause::Command, &named) {
            Some(wish) => {
                self.jobs.plan(wish);
                Accepted::yes()
            }
            None => Accepted::no("every judge has answered everything about this text already"),
        }
    }

    /// `rubricator.assessAll`
    pub(super) fn assess_all(&mut self) -> Accepted {
        let uris: Vec<Uri> = self.documents.keys().cloned().collect();
        let all = uris
            .into_iter()
            .map(|uri| self.assess_now(&Target { uri: uri.0, ..Target::default() }));
        let accepted = all.filter(|answer| *answer == Accepted::yes()).count();
        match accepted {
            0 => Accepted::no("no open transcript lacks an answer"),
            _ => Accepted::yes(),
        }
    }

    /// A job was read and planned: asks, or says why not.
    pub(super) fn planned(&mut self, planned: Planned) {
        if !self.jobs.running.contains_key(&planned.number) {
            return;
        }
        match self.objection(&planned) {
            None => {
                self.show_progress(&planned);
                self.jobs.ask(planned);
            }
            Some(objection) => {
                self.jobs.running.remove(&planned.number);
                self.say_once(&planned.uri, objection);
            }
        }
    }

    /// Why a job is not sent.
    fn objection(&self, planned: &Planned) -> Option<Objection> {
        let Planned { plan, job, cause, uri, .. } = planned;
        let refusals = plan.judges.iter().filter_map(|judge| {
            judge.refused.as_ref().map(|why| format!("{}: {why}", judge.judge))
        });
        let refusals: Vec<String> = refusals.collect();
        if !refusals.is_empty() {
            let message = format!("Nothing was assessed. {}", refusals.join(". "));
            return Some(Objection { message, offer: None });
        }
        let (settings, count) = (&job.settings, plan.lacking);
        if plan.calls() == 0 || *cause == Cause::Command {
            return None;
        }
        let why = match plan.cost() {
            None if settings.max_cost_per_save.is_finite() => {
                "a judge has no known price (`max_cost_per_save = inf` removes the cap)".to_owned()
            }
            Some(cost) if cost > settings.max_cost_per_save => format!(
                "that would cost {}, over `max_cost_per_save` ({})",
                jobs::money(cost),
                jobs::money(settings.max_cost_per_save)
            ),
            _ if count > settings.max_per_save => {
                format!("that is over `max_per_save` ({})", settings.max_per_save)
            }
            _ => return None,
        };
        let name = uri::file_name(uri);
        let message =
            format!("{count} transcripts of {name} lack answers, and nothing was sent: {why}.");
        let button = format!("Assess {count} transcripts ({})", price(plan));
        let target = Target { uri: uri.0.clone(), ..Target::default() };
        Some(Objection { message, offer: Some(Offer { button, target }) })
    }

    fn say_once(&mut self, uri: &Uri, objection: Objection) {
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
            let count = planned.plan.lacking;
            let title = format!("Assessing {count} transcripts");
            running.progress = Some(self.outbox.progress(&jobs::token(planned.number), title));
        }
        running.line = format!("assessing {}", planned.plan.lacking);
        self.report_status();
    }

    /// What was known without a call.
    pub(super) fn recalled(&mut self, number: u64, updates: Vec<AssessUpdate>) {
        let uri = self.jobs.running.get(&number).map(|running| running.uri.clone());
        for update in updates {
            self.assessed(update);
        }
        self.jobs.running.remove(&number);
        if let Some(document) = uri.and_then(|uri| self.documents.get_mut(&uri)) {
            document.recalling = false;
            document.touch();
        }
    }

    /// Something happened in a run.
    pub(super) fn assessed(&mut self, update: AssessUpdate) {
        let number = jobs::number_of(&update);
        let Some(running) = self.jobs.running.get_mut(&number) else { return };
        match update {
            AssessUpdate::Outcome {
                transcript,
                judge,
                criterion,
                outcome,
                cached,
                recorded,
                ..
            } => {
                let keys =
                    running.panel.judge_key(&judge).zip(running.panel.criterion_key(&criterion));
                let Some((judge_key, criterion_key)) = keys else { return };
                let said =
                    Said { judge, judge_key, criterion, criterion_key, outcome, cached, recorded };
                self.judgements.note(transcript, said);
                self.heard.insert(transcript);
            }
            AssessUpdate::Progress { done, total, elapsed, cost, .. } => {
                running.line = jobs::line(done, total, elapsed, cost);
                let percentage = u32::try_from(100 * done / total.max(1)).unwrap_or(100);
                let message = running.line.clone();
                if let Some(progress) = &running.progress {
                    progress.send_replace(Step { message, percentage, done: false });
                }
                self.report_status();
            }
            AssessUpdate::Notice { message, .. } => {
                self.outbox.message(MessageType::Warning, message);
            }
            AssessUpdate::Started { .. }
            | AssessUpdate::TranscriptDone { .. }
            | AssessUpdate::Finished { .. } => {}
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

    fn report_status(&self) {
        let lines: Vec<&str> = self.jobs.running.values().map(|r| r.line.as_str()).collect();
        let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let running = !lines.is_empty();
        let text = lines.first().copied().unwrap_or("ready");
        self.outbox.status(serde_json::json!({
            "text": text,
            "detail": lines.join("\n"),
            "running": running,
        }));
    }
}

/// Why a job is not sent, and what the user can do.
struct Objection {
    message: String,
    offer: Option<Offer>,
}

fn price(plan: &Plan) -> String {
    plan.cost().map_or_else(|| "price unknown".to_owned(), jobs::money)
}
