//! All the state of the server, owned by the main loop.
//!
//! Invariant: methods here run on the main loop's thread, one at a time, and never
//! wait for anything: not for the client, not for a model, not for a lock.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;
use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::text::document::{Change, Encoding};

use super::capabilities::ClientFlags;
use super::event::{Event, EventSender, Introduction};
use super::open_document::{Edited, OpenDocument};
use super::outbox::{Outbox, Publication};
use super::registration;
use super::requests;

/// All the state.
#[derive(Debug)]
pub struct Session {
    pub(super) outbox: Outbox,
    pub(super) events: EventSender,
    pub(super) client: Option<ClientFlags>,
    pub(super) folders: Vec<Uri>,
    pub(super) trusted: Option<bool>,
    pub(super) settings: Value,
    pub(super) documents: HashMap<Uri, OpenDocument>,
}

impl Session {
    /// A session that knows nothing yet.
    #[must_use]
    pub fn new(outbox: Outbox, events: EventSender) -> Self {
        Self {
            outbox,
            events,
            client: None,
            folders: Vec::new(),
            trusted: None,
            settings: Value::Null,
            documents: HashMap::new(),
        }
    }

    /// Takes in one event.
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Introduced(introduction) => self.introduced(*introduction),
            Event::Ready => self.ready(),
            Event::Opened { uri, version, text } => self.opened(uri, version, &text),
            Event::Changed { uri, version, changes } => self.changed(&uri, version, changes),
            Event::Saved(_) => {}
            Event::Closed(uri) => self.closed(uri),
            Event::Configured(settings) => self.settings = settings,
            Event::FilesChanged(_) => {}
            Event::FoldersChanged { added, removed } => {
                self.folders.retain(|folder| !removed.contains(folder));
                self.folders.extend(added);
            }
            Event::Asked(request) => requests::answer(self, request),
            Event::Accepted(_) | Event::ProgressCancelled(_) => {}
            Event::ShuttingDown => self.documents.clear(),
        }
    }

    /// True while there is something to do between events.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.documents.values().any(OpenDocument::has_work)
    }

    /// The document the next turn of work is about.
    #[must_use]
    pub fn next_work(&self) -> Option<Uri> {
        self.documents.values().find(|d| d.has_work()).map(|d| d.uri.clone())
    }

    /// One turn of background work: brings one document forward and publishes
    /// what changed.
    pub fn work(&mut self) {
        let Some(uri) = self.next_work() else { return };
        if let Some(document) = self.documents.get_mut(&uri) {
            document.catch_up();
            document.read_on();
            publish(&self.outbox, document);
        }
    }

    /// When to come back though nothing has happened.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Sets aside a document that made us panic. It comes back when it is opened again.
    pub fn quarantine(&mut self, uri: Option<Uri>) {
        let Some(uri) = uri.filter(|uri| self.documents.remove(uri).is_some()) else { return };
        let name = super::uri::file_name(&uri);
        self.outbox.publish(Publication { uri, version: None, diagnostics: Vec::new() });
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
    pub fn encoding(&self) -> Encoding {
        self.client.as_ref().map_or(Encoding::Utf16, |client| client.encoding)
    }

    fn introduced(&mut self, introduction: Introduction) {
        self.client = Some(introduction.flags);
        self.folders = introduction.folders;
        self.trusted = introduction.trusted;
        self.settings = introduction.settings;
    }

    fn ready(&mut self) {
        let registrations = self.client.as_ref().map(registration::registrations);
        if let Some(registrations) = registrations.filter(|all| !all.is_empty()) {
            self.outbox.register(registrations);
        }
    }

    fn opened(&mut self, uri: Uri, version: i32, text: &str) {
        let document = OpenDocument::new(uri.clone(), version, text, self.encoding());
        self.documents.insert(uri, document);
    }

    fn changed(&mut self, uri: &Uri, version: i32, changes: Vec<Change>) {
        let encoding = self.encoding();
        let Some(document) = self.documents.get_mut(uri) else {
            tracing::debug!(uri = uri.0, "a change of a document that is not open");
            return;
        };
        if let Edited::Desynced(bad) = document.edit(version, changes, encoding) {
            let name = super::uri::file_name(uri);
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
            self.outbox.publish(Publication { uri, version: None, diagnostics: Vec::new() });
        }
    }
}

fn publish(outbox: &Outbox, document: &mut OpenDocument) {
    let Some(diagnostics) = document.to_publish() else { return };
    let (uri, version) = (document.uri.clone(), Some(document.version));
    outbox.publish(Publication { uri, version, diagnostics });
}
