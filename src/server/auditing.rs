//! `rubricator.audit`: what is wrong with all transcripts of a project together,
//! shown at its places, and what the rubric's lists lack.
//!
//! Invariant: the audit runs on a thread of its own. What it found belongs to the
//! text of a record, not to a place: it follows the record, is gone when the record
//! is edited, and is back when the edit is undone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::hints::counted;
use crate::audit::flags::CODE;
use crate::engine::audit::{Audited, Watch, audit, targets};
use crate::engine::scan;
use crate::finding::Finding;
use crate::text::document::{Document, Encoding};

use super::chores::{Chore, Kind};
use super::elsewhere::Side;
use super::event::Event;
use super::open_document::OpenDocument;
use super::projects::Live;
use super::publication;
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::source::Source;
use super::{sweep, sweeping, uri};

/// Files that are not open whose findings are shown.
const FILES_SHOWN: usize = 100;

/// Findings of the records of a file, by the hash of the record.
pub type OfFile = HashMap<u128, Vec<Finding>>;

/// What an audit found.
#[derive(Debug, Default)]
pub struct Outcome {
    files: HashMap<Uri, OfFile>,
    /// Phrases to avoid, the most frequent first.
    pub overused: Vec<String>,
}

impl Outcome {
    /// What it found in a file.
    #[must_use]
    pub fn of_file(&self, uri: &Uri) -> Option<&OfFile> {
        self.files.get(uri)
    }
}

/// What the last audits found, by the project's folder.
#[derive(Debug, Default)]
pub struct Audits {
    found: HashMap<Option<PathBuf>, Arc<Outcome>>,
}

impl Audits {
    /// What the last audit of a project found.
    #[must_use]
    pub fn found(&self, root: &Option<PathBuf>) -> Option<Arc<Outcome>> {
        self.found.get(root).cloned()
    }
}

/// An audit that is over.
#[derive(Debug)]
pub struct AuditEnded {
    root: Option<PathBuf>,
    /// `None` when it was cancelled or failed on its own account.
    report: Option<Result<Report, String>>,
}

/// What an audit has to say.
#[derive(Debug)]
struct Report {
    outcome: Outcome,
    /// One sentence for people.
    says: String,
    /// What is shown of files that are not open: JSON arrays of diagnostics.
    shown: Vec<(PathBuf, Uri, Vec<u8>)>,
}

impl Session {
    /// `rubricator.audit`
    pub(super) fn audit(&mut self, target: &Target) -> Accepted {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get(&uri).or_else(|| self.documents.values().next());
        let Some(live) = document.map(|document| Arc::clone(&document.live)) else {
            return Accepted::no("open a file of the project first");
        };
        let root = live.project.root.clone();
        let Some(chore) = self.begin_chore(Kind::Audit, &root, "Auditing transcripts") else {
            return Accepted::no("an audit is under way already");
        };
        let of_project = self.documents.values().filter(|d| d.live.project.root == root);
        let job = Job {
            open: of_project.filter_map(sweeping::source).collect(),
            live,
            settings: self.settings.clone(),
            encoding: self.encoding(),
            chore,
        };
        let events = self.events.clone();
        self.runtime.spawn_blocking(move || {
            let run = std::panic::AssertUnwindSafe(|| job.run());
            let report = std::panic::catch_unwind(run)
                .unwrap_or_else(|_| Some(Err("the audit failed; the log says where".to_owned())));
            events.send(Event::Audited(Box::new(AuditEnded { root, report })));
        });
        Accepted::yes()
    }

    /// An audit is over.
    pub(super) fn audit_ended(&mut self, ended: AuditEnded) {
        let AuditEnded { root, report } = ended;
        self.chores.end(Kind::Audit, &root);
        let report = match report {
            None => return,
            Some(Err(why)) => return self.outbox.message(MessageType::Warning, why),
            Some(Ok(report)) => report,
        };
        let outcome = Arc::new(report.outcome);
        self.audits.found.insert(root.clone(), Arc::clone(&outcome));
        for document in self.documents.values_mut().filter(|d| d.live.project.root == root) {
            document.audited(&outcome);
        }
        self.show_elsewhere(root.as_deref(), Side::Audited, report.shown);
        self.outbox.message(MessageType::Info, report.says);
    }
}

/// An audit to be run.
struct Job {
    open: Vec<Source>,
    live: Arc<Live>,
    settings: Value,
    encoding: Encoding,
    chore: Chore,
}

impl Job {
    /// Runs it; `None` when it was cancelled.
    fn run(self) -> Option<Result<Report, String>> {
        let sources = sweep::sources(self.open.clone(), &self.live, &self.settings);
        let files: Vec<scan::Source> = sources.iter().map(as_file).collect();
        let stop = || self.chore.cancel.is_cancelled();
        let tell = |share: f64| self.chore.tell(share);
        let watch = Watch { stop: &stop, tell: &tell };
        let targets = targets(self.live.project.root.as_deref());
        let audited = match audit(self.live.settings(), &targets, &files, &watch) {
            Err(why) => return Some(Err(why.to_string())),
            Ok(audited) => audited?,
        };
        let outcome = outcome(&audited, &sources);
        let shown = self.shown(&sources, outcome);
        Some(Ok(Report { says: says(&audited), outcome: shown.0, shown: shown.1 }))
    }

    /// What is shown of files that are not open.
    fn shown(
        &self,
        sources: &[Source],
        outcome: Outcome,
    ) -> (Outcome, Vec<(PathBuf, Uri, Vec<u8>)>) {
        let outcome = Arc::new(outcome);
        let limits = &self.live.settings().limits;
        let mut shown = Vec::new();
        let flagged = sources.iter().filter(|source| outcome.files.contains_key(&source.uri));
        for source in flagged.filter(|source| source.open.is_none()).take(FILES_SHOWN) {
            let (Some(path), Some(text)) = (&source.path, source.text_to_show(limits)) else {
                continue;
            };
            let (live, text) = (Arc::clone(&self.live), Document::new(&text));
            let mut document = OpenDocument::new(source.uri.clone(), 0, text, live, self.encoding);
            document.audited(&outcome);
            while document.transcripts().is_some_and(|t| t.has_unread()) {
                document.read_on();
            }
            let all = publication::diagnostics(&mut document);
            let mut list: Vec<Value> = serde_json::from_slice(&all).unwrap_or_default();
            list.retain(|d| d["code"].as_str().is_some_and(|code| code.starts_with(CODE)));
            shown.push((
                path.clone(),
                source.uri.clone(),
                Value::Array(list).to_string().into_bytes(),
            ));
        }
        (Arc::into_inner(outcome).unwrap_or_default(), shown)
    }
}

/// A document, or a file, as audits read it.
fn as_file(source: &Source) -> scan::Source {
    match (&source.open, &source.path) {
        (None, Some(path)) => scan::Source::Disk(path.clone()),
        (open, path) => {
            let name = path.clone().unwrap_or_else(|| uri::file_name(&source.uri).into());
            let text = open.as_ref().map(Document::text).unwrap_or_default();
            scan::Source::Bytes(name, Arc::from(text.into_bytes()))
        }
    }
}

fn outcome(audited: &Audited, sources: &[Source]) -> Outcome {
    let mut outcome = Outcome::default();
    for flag in &audited.flags {
        outcome.overused.extend(flag.avoid().map(str::to_owned));
        for one in &flag.instances {
            let file = outcome.files.entry(sources[one.source].uri.clone()).or_default();
            file.entry(one.record).or_default().push(one.placed.finding.clone());
        }
    }
    for findings in outcome.files.values_mut().flat_map(HashMap::values_mut) {
        findings.sort_by_key(|finding| finding.span);
    }
    outcome
}

fn says(audited: &Audited) -> String {
    let tally = &audited.found.tally;
    let transcripts = counted(tally.transcripts, "transcript");
    let mut names: Vec<(&str, usize)> = Vec::new();
    for flag in &audited.flags {
        match names.iter_mut().find(|(name, _)| *name == flag.name) {
            Some((_, count)) => *count += 1,
            None => names.push((flag.name, 1)),
        }
    }
    if names.is_empty() {
        return format!("The audit of {transcripts} flags nothing.");
    }
    let name = |(name, count): &(&str, usize)| match count {
        1 => (*name).to_owned(),
        n => format!("{name} ({n})"),
    };
    let names = names.iter().map(name).collect::<Vec<_>>().join(", ");
    format!("The audit of {transcripts} flags: {names}. The findings stand at their places.")
}
