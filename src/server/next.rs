//! *Next finding to review*: the place whose reading tells most, for a pass that
//! needs nothing but the keyboard.
//!
//! Invariants: transcripts come by information (disagreement, close to the
//! threshold, perfect, changed, unread); inside one its findings come in order, and
//! at last the transcript itself, to be accepted or rejected. Nothing comes twice
//! before everything came once. Answered from memory.

use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::{Range, Uri};

use crate::analysis::hints::counted;
use crate::finding::Finding;
use crate::review::Bound;
use crate::review::next::Reason;
use crate::text::Span;
use crate::text::document::Position;
use crate::transcript::TranscriptDigest;

use super::convert;
use super::open_document::OpenDocument;
use super::projects::Live;
use super::requests::execute_command::{Accepted, Target};
use super::reviews::Reviews;
use super::session::Session;
use super::shelf::Record;
use super::transcripts::Transcripts;

/// Records of a file that are looked at thoroughly at once.
const AT_ONCE: usize = 500;

/// What was shown in this pass: a text, and a criterion or nothing for the whole.
pub type Passed = HashSet<(TranscriptDigest, String)>;

/// A transcript that nobody has read as it stands.
struct Due {
    uri: Uri,
    id: Arc<str>,
    digest: TranscriptDigest,
    reason: Reason,
    stops: Vec<Stop>,
}

/// A place to look at.
struct Stop {
    /// Nothing: the transcript as a whole.
    criterion: String,
    says: String,
    range: Range,
}

impl Session {
    /// The next place to look at.
    pub(super) fn next_review(&mut self, target: &Target) -> Result<Accepted, String> {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get(&uri).ok_or("open a file of the project first")?;
        let live = Arc::clone(&document.live);
        let no_reviews = "this file belongs to no project with a rubric, or it is not read yet";
        let reviews = self.reviews(&live).ok_or(no_reviews)?;
        // Files that are not open are known from a pass over the project.
        self.count(&live, &uri);
        let mut due = self.due(&live, &reviews);
        due.sort_by(|a, b| {
            a.reason.order().partial_cmp(&b.reason.order()).unwrap_or(std::cmp::Ordering::Equal)
        });
        if due.is_empty() {
            let of_project = |d: &&OpenDocument| d.live.project.root == live.project.root;
            let mut open = self.documents.values().filter(of_project);
            let unread = open.any(|d| {
                let quick = |t: &Transcripts| t.shelf().records().any(|r| r.known.quick);
                d.transcripts().is_some_and(|t| t.has_unread() || quick(t))
            });
            let why = if unread {
                "the files are still being read"
            } else {
                "every transcript is reviewed"
            };
            return Err(why.into());
        }
        let key = |one: &Due, stop: &Stop| (one.digest, stop.criterion.clone());
        let fresh = |passed: &Passed| {
            due.iter().find_map(|one| {
                let stop = one.stops.iter().find(|stop| !passed.contains(&key(one, stop)))?;
                Some((one, stop))
            })
        };
        let found = fresh(&self.reviewing.passed).or_else(|| {
            self.reviewing.passed.clear();
            fresh(&self.reviewing.passed)
        });
        let (one, stop) = found.ok_or("there is nothing to look at")?;
        self.reviewing.passed.insert(key(one, stop));
        let shown = self.client.show_document;
        if shown {
            self.outbox.show(&one.uri, stop.range);
        }
        Ok(Accepted::with(answer(one, stop, due.len(), shown)))
    }

    /// The transcripts of a project that nobody has read as they stand.
    fn due(&mut self, live: &Live, reviews: &Reviews) -> Vec<Due> {
        let root = &live.project.root;
        let census = self.sweeps.census(root);
        let mut due = Vec::new();
        let mut seen: HashSet<TranscriptDigest> = HashSet::new();
        let mut open: Vec<&mut OpenDocument> =
            self.documents.values_mut().filter(|d| d.live.project.root == *root).collect();
        open.sort_by(|a, b| a.uri.0.cmp(&b.uri.0));
        for document in open {
            document.catch_up();
            if document.transcripts().is_some_and(|t| t.shelf().slots.slots().len() <= AT_ONCE) {
                document.look_closely(|_| true);
            }
            let document = &*document;
            let Some(transcripts) = document.transcripts() else { continue };
            let records = transcripts.shelf().records();
            let all = records.filter_map(|record| due_in(document, &record, reviews));
            due.extend(all.filter(|one| seen.insert(one.digest)));
        }
        let Some(census) = census else { return due };
        for entry in &census.roster.entries {
            let Some(uri) = census.files.get(entry.file) else { continue };
            if self.documents.contains_key(uri) {
                continue;
            }
            let digest = entry.digest.to_string();
            let review = reviews.reviewed().of(&entry.id, &digest);
            let Some(reason) = entry.reason.given(review).filter(|_| seen.insert(entry.digest))
            else {
                continue;
            };
            let line = u32::try_from(entry.line.saturating_sub(1)).unwrap_or(u32::MAX);
            let at = Position::new(line, 0);
            let says = format!("{}: open it to see its findings", entry.standing.name());
            // Opened, its findings come one by one.
            let stop = Stop { criterion: "@".into(), says, range: convert::range((at, at)) };
            due.push(Due {
                uri: uri.clone(),
                id: Arc::clone(&entry.id),
                digest: entry.digest,
                reason,
                stops: vec![stop],
            });
        }
        due
    }
}

/// A record of an open document, if nobody has read it as it stands.
fn due_in(document: &OpenDocument, record: &Record<'_>, reviews: &Reviews) -> Option<Due> {
    let (outline, digest) = (record.outline()?, record.digest()?);
    let hex = digest.to_string();
    let review = reviews.reviewed().of(&outline.id, &hex);
    let reason = record.judged.map_or(Reason::Unread, |judged| judged.reason).given(review)?;
    let now = Bound { transcript: &outline.id, digest: &hex, rubric: &reviews.panel.rubric_digest };
    let wording =
        |id: &str| reviews.panel.criterion_key(id).map(|key| crate::rubric::digest::hex(&key));
    let marked = reviews.log.marks(now, &wording);
    let by = record.span().start;
    let range = |span: Span| convert::range(document.text.span_to_range(span, document.encoding));
    let mut stops: Vec<Stop> = Vec::new();
    for finding in record.judged.iter().flat_map(|judged| &judged.findings) {
        let known = marked.iter().any(|mark| mark.criterion == finding.code)
            || stops.iter().any(|stop| stop.criterion == finding.code);
        if !known {
            let range = range(finding.span.shifted(by));
            stops.push(Stop { criterion: finding.code.to_string(), says: says(finding), range });
        }
    }
    let standing = record.judged.map_or("not assessed", |judged| judged.standing.name.as_str());
    stops.push(Stop {
        criterion: String::new(),
        says: format!("{standing}: accept or reject it"),
        range: range(Span::empty(by)),
    });
    Some(Due { uri: document.uri.clone(), id: Arc::clone(&outline.id), digest, reason, stops })
}

fn says(finding: &Finding) -> String {
    format!("{} {}", finding.code, finding.message)
}

fn answer(one: &Due, stop: &Stop, due: usize, shown: bool) -> Value {
    let criterion = Some(&stop.criterion).filter(|id| !id.is_empty() && *id != "@");
    json!({
        "transcript": &*one.id,
        "digest": one.digest.to_string(),
        "criterion": criterion,
        "location": {"uri": one.uri, "range": stop.range},
        "message": format!(
            "{} ({}) · {} · {} left", one.id, one.reason.words(), stop.says, counted(due, "transcript")
        ),
        "shown": shown,
    })
}
