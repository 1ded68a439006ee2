//! The session's side of review: what a person says in the editor, and what
//! everybody said so far.
//!
//! Invariants: a record is bound to the text that was on the screen when it was
//! said and to the rubric in force; what is ambiguous, or about a text that has
//! moved on, is refused and never written. Files are read and written by a thread
//! of their own.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::engine::review_desk::{Orders, ReviewDesk, Told};
use crate::engine::reviews;
use crate::review::answer::{self, Unclear};
use crate::review::critique::Critiques;
use crate::review::{Kind, Log, Record, batch};
use crate::rubric::Verdict;

use super::event::{Event, EventSender, Offer};
use super::gates::Reckoned;
use super::next::Passed;
use super::outbox::Surface;
use super::projects::Live;
use super::requests::execute_command::{Accepted, Command, Say, Target};
use super::reviews::Reviews;
use super::session::Session;
use super::subject::Subject;

/// What people said, by project.
#[derive(Debug, Default)]
pub struct Reviewing {
    desk: Option<ReviewDesk>,
    logs: HashMap<PathBuf, Arc<Log>>,
    /// What critics said, by project.
    pub(super) critiques: HashMap<PathBuf, Critiques>,
    /// What follows from them, with the number of the reckoning.
    reckoned: HashMap<PathBuf, (u64, Arc<Reckoned>)>,
    reckonings: u64,
    /// What was shown to be reviewed.
    pub(super) passed: Passed,
    /// Projects whose gate is to be told.
    pub(super) asked_for_gate: HashSet<PathBuf>,
}

impl Reviewing {
    /// The way to the thread that reads and writes; started when it is first needed.
    pub(super) fn orders(&mut self, events: &EventSender) -> Result<Orders, String> {
        if self.desk.is_none() {
            let events = events.clone();
            let desk = ReviewDesk::start(move |told| events.send(Event::Reviewed(told)));
            self.desk = Some(desk.map_err(|e| format!("reviews cannot be kept: {e}"))?);
        }
        self.desk.as_ref().map(|desk| desk.orders().clone()).ok_or_else(String::new)
    }

    /// What people said in a project.
    #[must_use]
    pub fn log(&self, root: &Path) -> Option<Arc<Log>> {
        self.logs.get(root).cloned()
    }

    /// What was last reckoned of a project.
    #[must_use]
    pub fn reckoning(&self, root: &Path) -> Option<Arc<Reckoned>> {
        self.reckoned.get(root).map(|(_, reckoned)| Arc::clone(reckoned))
    }

    /// The number of a reckoning that begins now.
    pub fn next_reckoning(&mut self) -> u64 {
        self.reckonings += 1;
        self.reckonings
    }

    /// Takes a reckoning up; whether it says something else than the one before, and
    /// `None` where a later one is there.
    pub fn take_reckoning(
        &mut self,
        root: &Path,
        number: u64,
        reckoned: &Arc<Reckoned>,
    ) -> Option<bool> {
        let before = self.reckoned.get(root);
        if before.is_some_and(|(own, _)| *own > number) {
            return None;
        }
        let changed = before.is_none_or(|(_, before)| before != reckoned);
        self.reckoned.insert(root.to_owned(), (number, Arc::clone(reckoned)));
        Some(changed)
    }

    /// Waits until everything that was said is on disk.
    pub fn finish(&mut self) {
        if let Some(desk) = self.desk.take() {
            desk.finish();
        }
    }
}

impl Session {
    /// Reads the reviews of a project, and again whenever they change.
    pub(super) fn read_reviews(&mut self, live: &Live) {
        let Some(root) = live.project.root.as_ref().filter(|_| live.panel().is_some()) else {
            return;
        };
        match self.reviewing.orders(&self.events) {
            Ok(orders) => orders.read(root),
            Err(why) => tracing::error!(why, "reviews are not read"),
        }
    }

    /// What people said in a project, once it was read.
    pub(super) fn reviews(&self, live: &Live) -> Option<Reviews> {
        let log = self.reviewing.logs.get(live.project.root.as_ref()?)?;
        let panel = Arc::clone(live.panel()?);
        Some(Reviews { log: Arc::clone(log), panel, reckoned: self.known_reckoning(live) })
    }

    /// A reviews file was read, or could not be.
    pub(super) fn reviewed(&mut self, told: Told) {
        match told {
            Told::Failed(why) => self.outbox.message(MessageType::Error, why),
            Told::Criticised(root, known) => self.criticised(root, known),
            Told::Read(root, log) => {
                self.reviewing.logs.insert(root.clone(), Arc::new(log));
                self.reckon(Some(&root));
                if self.client.refresh_lenses {
                    self.outbox.refresh(Surface::Lenses);
                }
            }
        }
    }

    /// `rubricator.review`
    pub(super) fn review(&mut self, target: &Target) -> Accepted {
        match self.say(target) {
            Ok(accepted) => accepted,
            Err(reason) => Accepted::no(reason),
        }
    }

    fn say(&mut self, target: &Target) -> Result<Accepted, String> {
        match target.say {
            Some(Say::Satisfactory) => return self.declare(target),
            Some(Say::Next) => return self.next_review(target),
            Some(Say::Example) => return self.calibrate(target),
            _ => {}
        }
        let subject = self.subject(target)?;
        let Some(say) = target.say else {
            self.ask_for_review(&subject, target);
            return Ok(Accepted::yes());
        };
        let mut record = match say {
            Say::Accept => subject.record(Kind::Accept)?,
            Say::Reject => subject.record(Kind::Reject)?,
            Say::Right | Say::Wrong => {
                let mut record = subject.on_criterion(target)?;
                let answer = target.answer.as_deref().map(verdict).transpose()?;
                let human = answer::human(&subject.said, say == Say::Right, answer);
                record.human = Some(human.map_err(|why| unclear(why).to_owned())?);
                record
            }
            Say::Note => subject.on_criterion(target)?,
            Say::Dismiss => {
                return Err("a critique's finding is dismissed by `rubricator.critique`".into());
            }
            Say::Missing | Say::Satisfactory | Say::Next | Say::Example => {
                subject.record(Kind::Missing)?
            }
        };
        record.note = target.note.clone().filter(|note| !note.trim().is_empty());
        if record.note.is_none() && matches!(say, Say::Note | Say::Missing) {
            return Err("there is no text: give it as `note`".into());
        }
        self.keep(&subject.root, record)?;
        Ok(Accepted::yes())
    }

    /// Declares a batch satisfactory as it is: its transcripts are read in the
    /// background, and what the editor has wins over what is on disk.
    fn declare(&mut self, target: &Target) -> Result<Accepted, String> {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get(&uri).ok_or("open a file of the batch first")?;
        let live = Arc::clone(&document.live);
        let root = live.project.root.clone();
        let root = root.ok_or("this file is in no project: `rubricator init` makes one")?;
        let panel = live.panel().ok_or("this file belongs to no project with a rubric")?;
        let batch = target.batch.clone().ok_or("name the `batch`")?;
        let by = reviews::reviewer();
        let record = reviews::record(Kind::Satisfactory, &by, &panel.rubric_digest);
        let record = record.map_err(|e| format!("no record id: {e}"))?;
        let record = Record { note: target.note.clone(), batch: Some(batch.clone()), ..record };
        let panel = Arc::clone(panel);
        let sweep = self.pass(&live, panel, 0, crate::engine::Cancel::default(), false);
        let (orders, events) = (self.reviewing.orders(&self.events)?, self.events.clone());
        self.runtime.spawn_blocking(move || {
            let members = sweep.members(&batch);
            if members.is_empty() {
                let why = format!("there is no batch `{batch}`: nothing was declared");
                return events.send(Event::Reviewed(Told::Failed(why)));
            }
            let digest = Some(batch::digest(members));
            orders.keep(&root, Record { transcript_digest: digest, ..record });
        });
        Ok(Accepted::yes())
    }

    fn keep(&mut self, root: &Path, record: Record) -> Result<(), String> {
        self.reviewing.orders(&self.events)?.keep(root, record);
        Ok(())
    }

    /// Asks what the person says of the transcript: for clients that ask nothing themselves.
    fn ask_for_review(&self, subject: &Subject, target: &Target) {
        let (id, digest) = (subject.id.to_string(), subject.digest.to_string());
        let choice = |button: &str, say| Offer {
            button: button.to_owned(),
            command: Command::Review,
            target: Target {
                say: Some(say),
                transcript: Some(id.clone()),
                digest: Some(digest.clone()),
                ..target.clone()
            },
            consent: Vec::new(),
        };
        let said = self.reviews(&subject.live).map_or("", |reviews| {
            let review = reviews.reviewed().of(&id, &digest);
            crate::analysis::reviews::word(review).unwrap_or("nobody has read it yet")
        });
        let message = format!("{id}: {} · {said}", subject.standing);
        self.outbox
            .choose(message, vec![choice("Accept", Say::Accept), choice("Reject", Say::Reject)]);
    }
}

fn verdict(name: &str) -> Result<Verdict, String> {
    let upper = name.to_ascii_uppercase();
    Verdict::from_name(&upper).ok_or_else(|| format!("`answer` is YES, NO or NA, not `{name}`"))
}

const fn unclear(why: Unclear) -> &'static str {
    match why {
        Unclear::Same => "that is what was answered, so it cannot be wrong",
        Unclear::Unsaid => "no judge answered that, so it cannot be right",
        Unclear::Unanswered => "no judge has answered about this text: give the `answer`",
        Unclear::Instead => "wrong in favour of what? Give the `answer`: YES or NO",
        Unclear::Differ => "the judges differ: name one as `judge`, or give the `answer`",
    }
}
