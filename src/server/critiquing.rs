//! What critics found, in the editor: hints at the words, and what a person makes of
//! them.
//!
//! Invariants: a finding is decided about once; what was made of it is written down
//! only when the editor took the edit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::critiques;
use crate::engine::critique::FILE;
use crate::engine::{journal, reviews};
use crate::review::acceptance;
use crate::review::critique::{Critiques, Decision, Finding};
use crate::rubric::{ExampleLabel, example};

use tower_lsp_server::gen_lsp_types::Uri;

use super::calibrating::label;
use super::event::Event;
use super::open_document::OpenDocument;
use super::projects::Live;
use super::requests::execute_command::{Accepted, Say, Target};
use super::rubric_edit::Made;
use super::session::Session;

/// A critique's finding that nobody has decided about.
struct Open {
    live: Arc<Live>,
    root: PathBuf,
    /// The file it is about, counted from the project's folder.
    file: String,
    finding: Finding,
    note: Option<String>,
}

impl Open {
    fn decision(&self, made: Option<String>) -> Result<Decision, String> {
        Ok(Decision {
            id: journal::new_id("d").map_err(|e| format!("no record id: {e}"))?,
            at: journal::now(),
            by: reviews::reviewer(),
            finding: self.finding.id.clone(),
            accepted: made.is_some(),
            made,
            note: self.note.clone(),
        })
    }

    /// What happens when the editor took the edit that made this.
    fn taken(&self, made: String) -> Result<Option<Event>, String> {
        Ok(Some(Event::Decided(self.root.clone(), Box::new(self.decision(Some(made))?))))
    }
}

impl Session {
    /// What critics said in a project was read.
    pub(super) fn criticised(&mut self, root: PathBuf, known: Critiques) {
        for document in self.documents.values_mut() {
            if document.live.project.root.as_ref() == Some(&root) {
                document.take_remarks(open_in(&known, document));
            }
        }
        self.reviewing.critiques.insert(root, known);
    }

    /// A document that is opened shows what critics found in it.
    pub(super) fn show_remarks(&self, document: &mut OpenDocument) {
        let root = document.live.project.root.as_ref();
        if let Some(known) = root.and_then(|root| self.reviewing.critiques.get(root)) {
            document.take_remarks(open_in(known, document));
        }
    }

    /// `rubricator.critique`
    pub(super) fn critique(&mut self, target: &Target) -> Accepted {
        self.decide(target).unwrap_or_else(Accepted::no)
    }

    /// The editor took what was made of a finding.
    pub(super) fn decided(&mut self, root: &Path, decision: Decision) {
        match self.reviewing.orders(&self.events) {
            Ok(orders) => orders.decide(root, decision),
            Err(why) => tracing::error!(why, "what was decided is not kept"),
        }
    }

    fn decide(&mut self, target: &Target) -> Result<Accepted, String> {
        let open = self.open_finding(target)?;
        match target.say {
            Some(Say::Dismiss) => {
                let decision = open.decision(None)?;
                self.reviewing.orders(&self.events)?.decide(&open.root, decision);
                Ok(Accepted::yes())
            }
            Some(Say::Accept) => self.as_criterion(open),
            Some(Say::Example) => self.as_example(open, target),
            _ => Err("say what becomes of it: `accept`, `example` or `dismiss`".into()),
        }
    }

    fn open_finding(&self, target: &Target) -> Result<Open, String> {
        let document = self.documents.get(&Uri(target.uri.clone()));
        let document = document.ok_or("open the file of the finding first")?;
        let live = Arc::clone(&document.live);
        let root = live.project.root.clone();
        let root = root.ok_or("this file is in no project: `rubricator init` makes one")?;
        let id = target.finding.as_deref().ok_or("name the `finding`")?;
        let known = self.reviewing.critiques.get(&root);
        let found = known.and_then(|known| known.finding(id));
        let (critique, finding) = found.ok_or_else(|| format!("{FILE} has no finding `{id}`"))?;
        if known.is_some_and(|known| known.decision(id).is_some()) {
            return Err(format!("somebody has decided about {id} already"));
        }
        let note = target.note.clone().filter(|note| !note.trim().is_empty());
        Ok(Open { file: critique.file.clone(), finding: finding.clone(), live, root, note })
    }

    /// The finding's question becomes a criterion.
    fn as_criterion(&self, open: Open) -> Result<Accepted, String> {
        let rubric = self.rubric_of(&open.live, &same(&open, "criterion"))?;
        let path = open.live.project.rubric_path();
        let is_here = path.is_some_and(|path| inside(&path, &open.root) == open.file);
        self.edit_rubric(rubric, move |text| {
            let (said, note) = (&open.finding.said, open.note.as_deref());
            let (edit, made) = acceptance::criterion(text, said, note, is_here, None)?;
            let done = format!("The rubric has {made}. Save it to keep it.");
            Ok(Made { edit, done, then: open.taken(made)? })
        })
    }

    /// The exchange that the finding quotes becomes a calibration example.
    fn as_example(&mut self, open: Open, target: &Target) -> Result<Accepted, String> {
        let rubric = self.rubric_of(&open.live, &same(&open, "example"))?;
        let criterion = target.criterion.clone().ok_or("name the `criterion`")?;
        let label = match &target.label {
            None => ExampleLabel::Fail,
            name => label(name.as_deref())?,
        };
        let transcript = open.finding.transcript.clone();
        let transcript = transcript.ok_or("it quotes no transcript: add it as a criterion")?;
        let of = Target { transcript: Some(transcript), ..target.clone() };
        let subject = self.subject(&of)?;
        let transcript = self.transcript_of(&subject).ok_or("this is no transcript")?;
        let note = open.note.as_deref();
        let said = &open.finding.said;
        let example = acceptance::example(&transcript, said, &criterion, label, note)?;
        self.edit_rubric(rubric, move |text| {
            let edit =
                example::insert(text, &criterion, &example).map_err(|why| why.to_string())?;
            let made = format!("a {} example of {criterion}", label.name());
            let done = format!("The rubric has {made}. Save it to keep it.");
            Ok(Made { edit, done, then: open.taken(made)? })
        })
    }
}

/// The command line that does the same.
fn same(open: &Open, what: &str) -> String {
    format!("rubricator critique accept {} --as {what}", open.finding.id)
}

fn open_in(known: &Critiques, document: &OpenDocument) -> Vec<Finding> {
    let place = document.path.as_ref().zip(document.live.project.root.as_ref());
    place.map_or_else(Vec::new, |(path, root)| critiques::open(known, &inside(path, root)))
}

/// A path counted from the project's folder, with `/`.
fn inside(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
