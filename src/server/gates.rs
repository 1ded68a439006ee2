//! The session's side of the gate: whether more transcripts may be made, and how
//! far judges can be trusted, by what people said so far.
//!
//! Invariant: reckoned off the main loop from what the last pass over the project
//! saw and what people have said since; of another rubric it is not shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::lenses;
use crate::engine::fixup;
use crate::fixup::preference::Lineage;
use crate::review::census::to_json;
use crate::review::gate::Gate;
use crate::review::roster::Marked;
use crate::review::warnings::Warning;

use super::event::Event;
use super::outbox::Surface;
use super::projects::Live;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;

/// Batches that a status, or a message, names at most.
const NAMED: usize = 100;

/// What follows from the reviews of a project.
#[derive(Debug, Default, PartialEq)]
pub struct Reckoned {
    /// Of another rubric nothing of it is true.
    pub rubric_digest: String,
    /// The batches by name, each with what is worth knowing beside it.
    pub gates: Vec<(Gate, Vec<Warning>)>,
    /// People's marks beside the judges' answers.
    pub marked: Vec<Marked>,
    /// By criterion: transcripts with a mark on an earlier text or wording.
    pub stale_marks: BTreeMap<String, usize>,
}

impl Session {
    /// Reckons anew what follows from the reviews of a project.
    pub(super) fn reckon(&mut self, root: Option<&Path>) {
        let Some(root) = root.map(Path::to_owned) else { return };
        let census = self.sweeps.census(&Some(root.clone()));
        let Some((census, log)) = census.zip(self.reviewing.log(&root)) else { return };
        let here = |live: &&Live| live.project.root.as_ref() == Some(&root);
        let live = self.documents.values().map(|document| &*document.live).find(here);
        let Some(panel) = live.and_then(|live| live.panel().cloned()) else { return };
        let (number, events) = (self.reviewing.next_reckoning(), self.events.clone());
        self.runtime.spawn_blocking(move || {
            // Open files come first in a pass: the names give an order that stays.
            let fixups = fixup::logged(&root).unwrap_or_else(|error| {
                tracing::warn!(%error, "{} is not read", fixup::FILE);
                Vec::new()
            });
            let lineage = Lineage::of(&fixups);
            let mut gates = census.roster.census(&log, &panel.rubric, &lineage).gates;
            gates.sort_by(|a, b| a.0.batch.cmp(&b.0.batch));
            let reckoned = Reckoned {
                rubric_digest: census.roster.rubric_digest.clone(),
                gates,
                marked: census.roster.marked(&log),
                stale_marks: census.roster.stale_marks(&log),
            };
            events.send(Event::Reckoned { root, number, reckoned: Arc::new(reckoned) });
        });
    }

    /// It was reckoned.
    pub(super) fn reckoned(&mut self, root: PathBuf, number: u64, reckoned: Arc<Reckoned>) {
        let Some(changed) = self.reviewing.take_reckoning(&root, number, &reckoned) else { return };
        if changed {
            if self.client.refresh_lenses {
                self.outbox.refresh(Surface::Lenses);
            }
            self.report_status();
        }
        let going = self.sweeps.is_going(&Some(root.clone()));
        if !going && self.reviewing.asked_for_gate.remove(&root) {
            self.outbox.message(MessageType::Info, in_words(&reckoned.gates));
        }
    }

    /// `rubricator.gate`
    pub(super) fn gate(&mut self, target: &Target) -> Accepted {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get(&uri).or_else(|| self.documents.values().next());
        let Some(live) = document.map(|document| Arc::clone(&document.live)) else {
            return Accepted::no("open a file of the project first");
        };
        let Some(root) = live.project.root.clone().filter(|_| live.panel().is_some()) else {
            return Accepted::no("this file belongs to no project with a rubric");
        };
        self.reviewing.asked_for_gate.insert(root.clone());
        if !self.count(&live, &uri) {
            self.reckon(Some(&root));
        }
        Accepted::yes()
    }

    /// What was reckoned of a project, if it is of the rubric in force.
    pub(super) fn known_reckoning(&self, live: &Live) -> Option<Arc<Reckoned>> {
        let known = self.reviewing.reckoning(live.project.root.as_ref()?)?;
        let own = &live.panel()?.rubric_digest;
        (**own == *known.rubric_digest).then_some(known)
    }

    /// The gates of the projects of the open documents, as `rubricator/status` carries them.
    pub(super) fn gates_of_all(&self) -> Value {
        let mut roots: Vec<&PathBuf> = Vec::new();
        let mut gates = Vec::new();
        for document in self.documents.values() {
            let Some(root) = document.live.project.root.as_ref() else { continue };
            if !roots.contains(&root) {
                roots.push(root);
                let known = self.known_reckoning(&document.live);
                let known = known.iter().flat_map(|k| &k.gates);
                gates.extend(known.map(|(gate, warnings)| to_json(gate, warnings)));
            }
        }
        gates.truncate(NAMED);
        Value::Array(gates)
    }
}

fn in_words(gates: &[(Gate, Vec<Warning>)]) -> String {
    if gates.is_empty() {
        return "There is no batch here yet.".to_owned();
    }
    let line = |(gate, warnings): &(Gate, Vec<Warning>)| {
        let warnings = warnings.iter().map(|one| format!("\n    {}", one.words()));
        format!("{}: {}{}", gate.batch, lenses::gate_in_full(gate), warnings.collect::<String>())
    };
    gates.iter().take(NAMED).map(line).collect::<Vec<_>>().join("\n")
}
