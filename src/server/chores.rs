//! Work over a whole project that somebody asked for and waits for: told apart by a
//! number, shown as progress, cancelled by whoever asked.
//!
//! Invariant: one of a kind at a time in a project.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::watch;

use crate::engine::Cancel;

use super::outbox::Step;
use super::session::Session;

const TOKEN: &str = "rubricator-chore-";

/// What kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An audit.
    Audit,
    /// Slicing.
    Slice,
    /// Making transcripts.
    Generate,
}

/// The work under way, by kind and the project's folder.
#[derive(Debug, Default)]
pub struct Chores {
    last: u64,
    going: HashMap<(Kind, Option<PathBuf>), (u64, Cancel)>,
}

/// One piece of work, as whoever does it sees it.
#[derive(Debug)]
pub struct Chore {
    /// Whether it is still wanted.
    pub cancel: Cancel,
    progress: Option<watch::Sender<Step>>,
}

impl Chore {
    /// Tells the share that is done, from 0 to 1.
    pub fn tell(&self, share: f64) {
        let percentage = (share * 100.0) as u32;
        if let Some(progress) = &self.progress {
            progress.send_if_modified(|step| {
                let is_new = step.percentage != percentage;
                step.percentage = percentage;
                is_new
            });
        }
    }
}

impl Chores {
    /// Cancels all of it; how much there was.
    pub fn cancel(&self) -> usize {
        self.going.values().map(|(_, cancel)| cancel.cancel()).count()
    }

    /// Cancels the work that shows this progress.
    pub fn cancel_token(&self, token: &str) {
        let number = token.strip_prefix(TOKEN).and_then(|n| n.parse::<u64>().ok());
        let its = self.going.values().find(|(own, _)| Some(*own) == number);
        its.into_iter().for_each(|(_, cancel)| cancel.cancel());
    }

    /// It is over.
    pub fn end(&mut self, kind: Kind, root: &Option<PathBuf>) {
        self.going.remove(&(kind, root.clone()));
    }
}

impl Session {
    /// Begins work; `None` while work of its kind is under way in the project.
    pub(super) fn begin_chore(
        &mut self,
        kind: Kind,
        root: &Option<PathBuf>,
        title: &str,
    ) -> Option<Chore> {
        let key = (kind, root.clone());
        if self.chores.going.contains_key(&key) {
            return None;
        }
        self.chores.last += 1;
        let (number, cancel) = (self.chores.last, Cancel::default());
        self.chores.going.insert(key, (number, cancel.clone()));
        let progress = || self.outbox.progress(&format!("{TOKEN}{number}"), title);
        Some(Chore { cancel, progress: self.client.progress.then(progress) })
    }
}
