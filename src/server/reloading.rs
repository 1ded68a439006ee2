//! The session's side of projects: reading settings, rubrics and tokenizers, and
//! reading them again when they change.
//!
//! Invariant: documents keep what is known of them until the new settings have
//! been applied to it; a rubric that was saved has its project's transcripts
//! assessed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::config::OnSave;
use crate::engine::reviews;
use crate::engine::rules::Rules;
use crate::engine::workspace::SETTINGS_FILE;
use crate::finding::Severity;

use super::event::Event;
use super::open_document::OpenDocument;
use super::outbox::Surface;
use super::projects::{self, Live};
use super::session::Session;
use super::{kind, uri};

impl Session {
    /// A document was saved: settings and rubrics are read anew, transcripts assessed.
    pub(super) fn saved(&mut self, uri: &Uri) {
        let path = uri::to_path(uri);
        if let Some(document) = self.documents.get_mut(uri) {
            document.is_saved = true;
        }
        let is_rubric = |d: &&OpenDocument| path.is_some() && d.live.project.rubric_path() == path;
        let of = self.documents.values().filter(is_rubric).map(|d| Arc::clone(&d.live));
        let projects: Vec<Arc<Live>> = of.collect();
        if let Some(live) = projects.first() {
            let debounce = Duration::from_millis(live.settings().assess.debounce_ms);
            if self.saves.saved(uri, Instant::now(), debounce) {
                self.reassess.extend(projects.iter().map(|live| live.project.root.clone()));
            }
            self.reload();
        } else if kind::is_settings_file(&uri::file_name(uri)) {
            self.reload();
        }
        self.log_fixups(uri);
        self.assess_saved(uri);
    }

    /// The project of a file; its rules are read in the background when it is new.
    pub(super) fn project_of(&mut self, path: Option<&Path>) -> Arc<Live> {
        let (live, unread) = self.projects.of(path);
        if unread {
            let (events, generation) = (self.events.clone(), live.generation);
            let project = Arc::clone(&live.project);
            self.runtime.spawn_blocking(move || {
                let rules = Box::new(projects::read_rules(&project));
                events.send(Event::RulesRead { generation, rules });
            });
        }
        live
    }

    /// Takes up what was read of a project.
    pub(super) fn ruled(&mut self, generation: u64, rules: Rules) {
        let Some(live) = self.projects.ruled(generation, rules) else { return };
        let reassess = self.reassess.remove(&live.project.root);
        self.report_problems(&live);
        for document in self.documents.values_mut() {
            if document.live.generation == generation {
                document.belong(Arc::clone(&live));
            }
        }
        self.sweeps.outdated(&live.project.root);
        self.read_reviews(&live);
        if self.client.refresh_lenses {
            self.outbox.refresh(Surface::Lenses);
        }
        if reassess && live.settings().assess.on_save != OnSave::Off {
            self.assess_with_rubric(&live);
        } else {
            self.show_again(&live);
        }
    }

    /// Says once that settings are broken, where they are not on the screen.
    fn report_problems(&mut self, live: &Live) {
        let errors = live.problems().filter(|p| p.finding.severity == Severity::Error);
        let messages: Vec<&str> = errors.map(|p| p.finding.message.as_str()).collect();
        let Some(first) = messages.first() else { return };
        let Some(path) = live.project.root.as_ref().map(|root| root.join(SETTINGS_FILE)) else {
            return;
        };
        let address = uri::from_path(&path);
        let shown = self.documents.values().any(|d| d.path.as_ref() == Some(&path));
        let more = match messages.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let message = format!("{SETTINGS_FILE}: {first}{more}");
        if !shown && self.said.insert((address, message.clone())) {
            self.outbox.message(MessageType::Warning, message);
        }
    }

    /// Settings, rubrics or folders have changed: everything is read anew.
    pub(super) fn reload(&mut self) {
        self.projects.reload(&self.settings, self.folder());
        let open: Vec<(Uri, Option<PathBuf>)> =
            self.documents.values().map(|d| (d.uri.clone(), d.path.clone())).collect();
        for (uri, path) in open {
            let live = self.project_of(path.as_deref());
            if let Some(document) = self.documents.get_mut(&uri) {
                document.belong(live);
            }
        }
    }

    /// Files changed on disk: those that decide what is found in others count.
    pub(super) fn files_changed(&mut self, uris: &[Uri]) {
        let paths: Vec<PathBuf> = uris.iter().filter_map(uri::to_path).collect();
        for path in &paths {
            self.hide_elsewhere(path);
        }
        let named = |live: &Live| {
            let rubric = live.project.rubric_path();
            let settings = live.project.root.as_ref().map(|root| root.join(SETTINGS_FILE));
            paths
                .iter()
                .any(|path| Some(path) == rubric.as_ref() || Some(path) == settings.as_ref())
        };
        let new_project = uris.iter().any(|uri| kind::is_settings_file(&uri::file_name(uri)));
        let reviewed = |live: &Live| {
            let file = live.project.root.as_deref().map(reviews::path);
            paths.iter().any(|path| Some(path) == file.as_ref())
        };
        let lives = self.documents.values().map(|d| Arc::clone(&d.live));
        let changed: Vec<Arc<Live>> = lives.filter(|live| reviewed(live)).collect();
        changed.iter().for_each(|live| self.read_reviews(live));
        if new_project || self.documents.values().any(|d| named(&d.live)) {
            self.reload();
        }
    }
}
