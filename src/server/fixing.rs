//! The session's side of fixups: what a command starts, what comes of it, and what
//! is logged of it.
//!
//! Invariant: no text is changed here. A fixup reaches a document only as the edit
//! of a code action that the user applies; it is logged when the document is saved
//! with it, and taken back in the log when it is saved without it again.

use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::engine::fixup as log;
use crate::engine::journal;
use crate::fixup::{EntailedFixup, FixupRecord, Offer};
use crate::text::json;
use crate::transcript::{TranscriptDigest, read};

use super::convert;
use super::drafts::{Arrival, Drafted, Logged, State};
use super::fix_jobs::{Fixed, FixupWish};
use super::jobs;
use super::judged::Judged;
use super::open_document::OpenDocument;
use super::outbox::Step;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::shelf::Record;

/// The failures that a command is about.
struct Subject {
    wish: FixupWish,
    offers: Vec<Offer>,
}

impl Session {
    /// `rubricator.draftFixup`
    pub(super) fn draft_fixup(&mut self, target: &Target) -> Accepted {
        let note = target.note.clone().filter(|note| !note.trim().is_empty());
        if target.ask.is_some() && note.is_none() {
            return Accepted::no("there is no text: give it as `note`");
        }
        let subject = match self.failures(target) {
            Ok(subject) => subject,
            Err(reason) => return Accepted::no(reason),
        };
        let mut reason = String::new();
        let mut started = false;
        for offer in &subject.offers {
            let Subject { wish, .. } = &subject;
            let known = self.drafts.get(wish.digest, offer, &wish.panel).map(|one| &one.state);
            match known {
                Some(State::UnderWay(_)) => reason = "it is being drafted already".to_owned(),
                Some(State::Proven(_)) if note.is_none() => {
                    reason =
                        "a proven fixup is there: apply it, discard it, or draft again with a note"
                            .to_owned();
                }
                _ => {
                    self.start_fixup(wish, offer, note.clone());
                    started = true;
                }
            }
        }
        if started { Accepted::yes() } else { Accepted::no(reason) }
    }

    fn start_fixup(&mut self, wish: &FixupWish, offer: &Offer, note: Option<String>) {
        let wish = FixupWish { offer: offer.clone(), note, ..wish.clone() };
        let (digest, panel) = (wish.digest, Arc::clone(&wish.panel));
        let title = format!("Drafting a fixup of {}, {}", wish.id, offer.place());
        let number = self.jobs.fix(wish);
        if let Some(running) = self.jobs.running.get_mut(&number) {
            running.line.clone_from(&title);
            if self.client.progress {
                running.progress = Some(self.outbox.progress(&jobs::token(number), title));
            }
        }
        let drafted = Drafted { offer: offer.clone(), panel, state: State::UnderWay(number) };
        Arc::make_mut(&mut self.drafts).set(digest, drafted);
        self.heard.insert(digest);
        self.report_status();
    }

    /// A fixup was proven or refused, or given up.
    pub(super) fn fixed(&mut self, fixed: Fixed) {
        let Fixed { number, id, digest, offer, panel, result } = fixed;
        let Some(running) = self.jobs.running.remove(&number) else { return };
        if let Some(progress) = running.progress {
            progress.send_replace(Step { message: running.line, percentage: 100, done: true });
        }
        self.heard.insert(digest);
        self.report_status();
        let known = self.drafts.get(digest, &offer, &panel).map(|one| &one.state);
        let is_wanted = matches!(known, Some(State::UnderWay(own)) if *own == number);
        let drafts = Arc::make_mut(&mut self.drafts);
        if running.cancel.is_cancelled() || !is_wanted {
            if is_wanted {
                drafts.remove(digest, &offer);
            }
            return;
        }
        let place = format!("{id}, {}", offer.place());
        let state = result.map_or_else(State::Refused, |fixup| State::Proven(Arc::new(fixup)));
        let (kind, message) = match &state {
            State::Refused(why) => {
                (MessageType::Warning, format!("No fixup of {place}. Not applied: {why}."))
            }
            State::Proven(fixup) => (
                MessageType::Info,
                format!("A fixup of {place} can be applied: {}.", fixup.evidence()),
            ),
            State::UnderWay(_) => return,
        };
        drafts.set(digest, Drafted { offer, panel, state });
        let gone = if self.is_said(digest) {
            ""
        } else {
            " The transcript says something else by now: draft it again, or undo."
        };
        self.outbox.message(kind, format!("{message}{gone}"));
    }

    /// `rubricator.discardFixup`
    pub(super) fn discard_fixup(&mut self, target: &Target) -> Accepted {
        let subject = match self.failures(target) {
            Ok(subject) => subject,
            Err(reason) => return Accepted::no(reason),
        };
        let drafts = Arc::make_mut(&mut self.drafts);
        let digest = subject.wish.digest;
        let discard = |offer: &Offer| drafts.remove(digest, offer);
        let gone: Vec<State> = subject.offers.iter().filter_map(discard).collect();
        if gone.is_empty() {
            return Accepted::no("there is no fixup here");
        }
        for state in gone {
            if let State::UnderWay(number) = state {
                self.jobs.cancel_token(&jobs::token(number));
            }
        }
        self.heard.insert(digest);
        Accepted::yes()
    }

    /// `rubricator.previewFixup`, where the editor has no view for it: as a message.
    pub(super) fn preview_fixup(&mut self, target: &Target) -> Accepted {
        let subject = match self.failures(target) {
            Ok(subject) => subject,
            Err(reason) => return Accepted::no(reason),
        };
        let wish = &subject.wish;
        let proven = |offer: &Offer| match &self.drafts.get(wish.digest, offer, &wish.panel)?.state
        {
            State::Proven(fixup) => Some(preview(fixup)),
            State::UnderWay(_) | State::Refused(_) => None,
        };
        let all: Vec<String> = subject.offers.iter().filter_map(proven).collect();
        if all.is_empty() {
            return Accepted::no("there is no proven fixup here");
        }
        self.outbox.message(MessageType::Info, all.join("\n\n"));
        Accepted::yes()
    }

    /// What can be rewritten of what a command is about, and all it takes to do it.
    fn failures(&mut self, target: &Target) -> Result<Subject, String> {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get_mut(&uri).ok_or("open the transcript file first")?;
        document.catch_up();
        if document.desynced {
            return Err("the text is not known: close the file and open it again".into());
        }
        let document = self.documents.get(&uri).ok_or("open the transcript file first")?;
        let live = Arc::clone(&document.live);
        let panel = live.panel().ok_or("this file belongs to no project with a rubric")?;
        let record = record_of(document, target)?;
        let digest = record.digest().ok_or("there is no transcript")?;
        if target.digest.as_ref().is_some_and(|wanted| *wanted != digest.to_string()) {
            return Err("the transcript says something else by now: look at it again".into());
        }
        let judged = record.judged.filter(|judged| judged.digest == digest);
        let judged = judged.ok_or("nobody has judged this text yet: save it, or assess it")?;
        if judged.standing.rechecking {
            return Err("the judges have not said all about this text yet".into());
        }
        let offers = wanted(judged, target);
        if offers.is_empty() {
            return Err(nothing_to_rewrite(judged));
        }
        let wish = FixupWish {
            uri: uri.clone(),
            text: document.text.clone(),
            span: record.span(),
            digest,
            id: Arc::clone(&judged.id),
            offer: Offer { replies: Vec::new() },
            note: None,
            panel: Arc::clone(panel),
            trust: self.trust_in(&live),
            live: Arc::clone(&live),
        };
        Ok(Subject { wish, offers })
    }

    fn is_said(&self, digest: TranscriptDigest) -> bool {
        let open = self.documents.values().filter_map(OpenDocument::transcripts);
        open.flat_map(|file| file.shelf().records()).any(|record| record.digest() == Some(digest))
    }

    /// A document was saved: what arrived in it is logged, if it is still there; what
    /// was logged and is undone is logged as taken back.
    pub(super) fn log_fixups(&mut self, uri: &Uri) {
        if self.drafts.is_idle() {
            return;
        }
        let Some(document) = self.documents.get_mut(uri) else { return };
        document.catch_up();
        let (Some(shelf), Some(root)) = (
            document.transcripts().map(|file| Arc::clone(file.shelf())),
            document.live.project.root.clone(),
        ) else {
            return;
        };
        let drafts = Arc::make_mut(&mut self.drafts);
        // An edit and its save may come in one breath, before anybody looked.
        let arrival = |record: Record<'_>| {
            let (judged, now) = record.judged.zip(record.digest())?;
            drafts.arrival(uri, &judged.id, judged.digest, now)
        };
        let arrivals = shelf.records().filter_map(arrival).collect();
        drafts.arrived(arrivals);
        let says = |text| shelf.records().any(|record| record.digest() == Some(text));
        let mut records = Vec::new();
        for back in drafts.take_back(uri, says) {
            records.extend(back.records.iter().filter_map(reverted));
        }
        let document = &*document;
        for arrival in drafts.take_arrived(uri) {
            let Ok(id) = journal::new_id("f") else { continue };
            let Arrival { transcript, fixup, .. } = arrival;
            if !still_says(document, &transcript, &fixup) {
                continue;
            }
            let applied = FixupRecord::applied(&id, &journal::now(), &transcript, &fixup);
            records.extend(applied.clone());
            let before = fixup.before();
            drafts.logged(Logged { uri: uri.clone(), before, records: applied });
        }
        if records.is_empty() {
            return;
        }
        let outbox = self.outbox.clone();
        self.runtime.spawn_blocking(move || {
            if let Err(error) = log::log(&root, &records) {
                let file = log::FILE;
                let message = format!("the fixup is in the transcript, but not in {file}: {error}");
                outbox.message(MessageType::Error, message);
            }
        });
    }
}

fn reverted(record: &FixupRecord) -> Option<FixupRecord> {
    let id = journal::new_id("f").ok()?;
    Some(record.reverted(id, &journal::now()))
}

/// The replies of a fixup still stand in its transcript, whatever else was edited.
fn still_says(document: &OpenDocument, transcript: &str, fixup: &EntailedFixup) -> bool {
    let Some(file) = document.transcripts() else { return false };
    let named = |record: &Record<'_>| {
        record.digest() == Some(fixup.after())
            || record.outline().is_some_and(|outline| &*outline.id == transcript)
    };
    file.shelf().records().filter(named).any(|record| {
        if record.digest() == Some(fixup.after()) {
            return true;
        }
        let text = document.text.slice(record.span());
        let json = json::parse(&text, document.live.settings().limits.depth);
        let Ok(now) = read::read(&text, &json).transcript else { return false };
        let says = |draft: &crate::fixup::Draft| {
            now.messages.get(draft.target.message).is_some_and(|m| m.text == draft.after)
        };
        fixup.drafts().iter().all(says)
    })
}

/// The record that a command names.
fn record_of<'a>(document: &'a OpenDocument, target: &Target) -> Result<Record<'a>, String> {
    let file = document.transcripts().ok_or("this is no transcript file")?;
    let Some(id) = &target.transcript else {
        let mut all = file.shelf().records();
        return match (all.next(), all.next()) {
            (Some(one), None) => Ok(one),
            _ => Err("name the transcript".into()),
        };
    };
    let named = |r: &Record<'_>| r.outline().is_some_and(|outline| *outline.id == **id);
    let is_text = |r: &Record<'_>| {
        let digest = r.digest().map(|digest| digest.to_string());
        target.digest.is_none() || digest == target.digest
    };
    let all = || file.shelf().records().filter(named);
    let found = all().find(is_text).or_else(|| all().next());
    found.ok_or_else(|| format!("there is no transcript `{id}`"))
}

/// The offers that a command is about; where it names a criterion, that part of them.
fn wanted(judged: &Judged, target: &Target) -> Vec<Offer> {
    let finding = target
        .finding
        .as_ref()
        .and_then(|id| judged.findings.iter().find(|finding| convert::finding_id(finding) == *id));
    let criterion = target.criterion.as_deref().or_else(|| finding.map(|f| &*f.code));
    let exchange = target.exchange.or_else(|| finding.and_then(|f| f.exchange));
    let is_wanted = |offer: &&Offer| {
        offer.replies.iter().any(|reply| {
            let of = |id: &str| reply.criteria.iter().any(|own| own == id);
            criterion.is_none_or(of) && exchange.is_none_or(|exchange| reply.exchange == exchange)
        })
    };
    let part = |offer: &Offer| match criterion {
        Some(criterion) => offer.only(criterion),
        None => Some(offer.clone()),
    };
    judged.remedies.offers.iter().filter(is_wanted).filter_map(part).collect()
}

fn nothing_to_rewrite(judged: &Judged) -> String {
    match judged.remedies.rejects.is_empty() && judged.remedies.cuts.is_empty() {
        true => "nothing here fails a criterion that a rewrite may mend".to_owned(),
        false => "what fails here is never rewritten: truncate the transcript, or reject it".into(),
    }
}

/// What the replies say after a fixup, for people.
fn preview(fixup: &EntailedFixup) -> String {
    let of = |draft: &crate::fixup::Draft| {
        format!("exchange {} would say:\n{}", draft.target.exchange, draft.after)
    };
    fixup.drafts().iter().map(of).collect::<Vec<_>>().join("\n\n")
}
