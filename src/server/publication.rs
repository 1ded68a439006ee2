//! All the diagnostics of one document, by place, and no more than the settings
//! allow.
//!
//! Invariants: a file with more findings than `limits.findings_per_file` says so
//! in its first line, and none is dropped without a word; what was told of a record
//! before is not made again, so a keystroke costs the record it is in and a copy of
//! the rest.

use std::cell::OnceCell;

use serde_json::json;
use tower_lsp_server::gen_lsp_types::Uri;

use crate::analysis::diagnostics::rubric;
use crate::finding::{Finding, Place, Related, Severity};
use crate::text::Span;
use crate::text::document::{Document, Encoding, Position};

use super::auditing::OfFile;
use super::ledger::Entry;
use super::open_document::{Content, OpenDocument};
use super::projects::Live;
use super::shelf::Record;
use super::told::{Location, Told};
use super::transcripts::Transcripts;
use super::{relative, uri};

/// No diagnostics.
pub const NOTHING: &[u8] = b"[]";

/// The message that publishes `list` (a JSON array of diagnostics).
#[must_use]
pub fn message(uri: &Uri, version: Option<i32>, list: &[u8]) -> Vec<u8> {
    let version = version.map_or_else(String::new, |version| format!(",\"version\":{version}"));
    let head = format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/publishDiagnostics\",\
         \"params\":{{\"uri\":{}{version},\"diagnostics\":",
        json!(uri.0)
    );
    let mut message = Vec::with_capacity(head.len() + list.len() + 2);
    message.extend_from_slice(head.as_bytes());
    message.extend_from_slice(list);
    message.extend_from_slice(b"}}");
    message
}

/// The diagnostics of a document as it stands, as a JSON array.
#[must_use]
pub fn diagnostics(document: &mut OpenDocument) -> Vec<u8> {
    let is_saved = document.is_saved;
    let remarks: Vec<Finding> = document.remarks().iter().map(|r| r.finding.clone()).collect();
    let in_force = document.is_rubric_in_force();
    let OpenDocument { uri, path, text, content, live, encoding, audited, .. } = document;
    let limit = live.settings().limits.findings_per_file;
    let outcome = audited.as_deref();
    let audited = outcome.and_then(|outcome| outcome.of_file(uri));
    let source = Source { uri, text, live, encoding: *encoding, rubric: OnceCell::new(), audited };
    let mut sheet = Sheet { source, list: b"[".to_vec(), shown: 0, limit, total: 0 };
    match content {
        Content::Transcripts(transcripts) => sheet.transcripts(transcripts, &remarks),
        Content::Rubric(parsed) => {
            let text = text.text();
            sheet.whole(&rubric::findings(&text, parsed));
            if let Some(outcome) = outcome.filter(|_| in_force) {
                sheet.whole(&rubric::overused::findings(&text, parsed, &outcome.overused));
            }
        }
        Content::Settings(findings) => {
            sheet.whole(findings);
            // What is wrong with the files that settings name, while they are those that were read.
            let rules = live.rules.iter().filter(|_| is_saved);
            let problems = rules.flat_map(|rules| &rules.files.problems);
            let here = problems.filter(|p| p.path.is_some() && p.path == *path);
            let elsewhere: Vec<Finding> = here.map(|problem| problem.finding.clone()).collect();
            sheet.whole(&elsewhere);
        }
        Content::Other => {}
    }
    if !matches!(content, Content::Transcripts(_)) {
        sheet.whole(&remarks);
    }
    sheet.finish()
}

/// Diagnostics being collected.
struct Sheet<'a> {
    source: Source<'a>,
    list: Vec<u8>,
    shown: usize,
    limit: usize,
    total: usize,
}

/// What findings are about.
struct Source<'a> {
    uri: &'a Uri,
    text: &'a Document,
    live: &'a Live,
    encoding: Encoding,
    /// The rubric's text, made once for all the places in it.
    rubric: OnceCell<Document>,
    /// What the last audit found in it, by the hash of the record.
    audited: Option<&'a OfFile>,
}

impl Sheet<'_> {
    /// `remarks`: what critics found in the file.
    fn transcripts(&mut self, transcripts: &mut Transcripts, remarks: &[Finding]) {
        let silenced = transcripts.file().silences_records();
        let of_file = self.sorted(transcripts.file().findings().iter().chain(remarks));
        let mut rest = &of_file[..];
        if silenced {
            return self.whole(rest);
        }
        let (shelf, ledger) = transcripts.ledger();
        for (index, entry) in ledger.entries().iter_mut().enumerate() {
            let Entry { count, told } = entry;
            let count = *count.get_or_insert_with(|| self.source.count(&shelf.record(index)));
            let mut here: &[Finding] = &[];
            if !rest.is_empty() {
                let span = shelf.record(index).span();
                let before = rest.partition_point(|f| f.span.start < span.start);
                let after = rest.partition_point(|f| f.span.start < span.end);
                self.whole(&rest[..before]);
                (here, rest) = (&rest[before..after.max(before)], &rest[after.max(before)..]);
            }
            self.total += count + here.len();
            let room = self.limit - self.shown;
            if count + here.len() == 0 || room == 0 {
                continue;
            }
            let record = shelf.record(index);
            let start = record.start(self.source.text, self.source.encoding);
            if here.is_empty() && count <= room {
                let told = told
                    .get_or_insert_with(|| Box::new(self.source.told(&record, start, &[], room)));
                self.put(told, start);
            } else {
                let told = self.source.told(&record, start, here, room);
                self.put(&told, start);
            }
        }
        self.whole(rest);
    }

    /// Findings about the file by place, as `check` has them; those beyond the limit
    /// are counted alone.
    fn sorted<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>) -> Vec<Finding> {
        let settings = self.source.live.settings();
        let mut wanted: Vec<&Finding> = findings.filter(|f| !settings.ignores(f)).collect();
        wanted.sort_by(|a, b| key(a, 0).cmp(&key(b, 0)));
        self.total += wanted.len().saturating_sub(self.limit);
        wanted.into_iter().take(self.limit).cloned().collect()
    }

    /// Findings that count from the start of the file.
    fn whole(&mut self, findings: &[Finding]) {
        let (start, mut told) = (Position::default(), Told::default());
        for finding in findings.iter().filter(|f| !self.source.live.settings().ignores(f)) {
            self.total += 1;
            if self.shown + told.count() < self.limit {
                let range = self.source.range(finding.span, start);
                self.source.push(&mut told, finding, range, 0, start);
            }
        }
        self.put(&told, start);
    }

    fn put(&mut self, told: &Told, start: Position) {
        if told.count() == 0 {
            return;
        }
        if self.list.len() > 1 {
            self.list.push(b',');
        }
        self.shown += told.count();
        told.write(start, &mut self.list);
    }

    fn finish(mut self) -> Vec<u8> {
        let left = self.total - self.shown;
        if left > 0 {
            let message = format!(
                "{left} more findings are not shown: the first {} are \
                 (`limits.findings_per_file`); `rubricator check` lists all of them",
                self.shown
            );
            let notice = Finding::new("limit", Severity::Info, Span::empty(0), message);
            let (start, mut told) = (Position::default(), Told::default());
            let range = self.source.range(notice.span, start);
            told.push(self.source.uri, &notice, range, &[]);
            self.put(&told, start);
        }
        self.list.push(b']');
        self.list
    }
}

impl Source<'_> {
    /// What the last audit found in a record, while it says what it said then.
    fn audited_in(&self, record: &Record<'_>) -> &[Finding] {
        self.audited.and_then(|by_hash| by_hash.get(&record.hash())).map_or(&[], Vec::as_slice)
    }

    /// How many findings of a record are to be told.
    fn count(&self, record: &Record<'_>) -> usize {
        let settings = self.live.settings();
        let wanted =
            |findings: &[Finding]| findings.iter().filter(|f| !settings.ignores(f)).count();
        wanted(&record.known.analysis.findings)
            + record.judged.map_or(0, |j| wanted(&j.findings))
            + wanted(self.audited_in(record))
    }

    /// The first `most` findings of a record that starts at `start`: its own, with
    /// those about the file between them by place, and the judged ones.
    fn told(&self, record: &Record<'_>, start: Position, of_file: &[Finding], most: usize) -> Told {
        let settings = self.live.settings();
        let (known, by) = (record.known, record.span().start);
        let mut of_file = of_file.iter().peekable();
        let mut told = Told::default();
        let push = |told: &mut Told, finding: &Finding, range, by| {
            if told.count() < most {
                self.push(told, finding, range, by, start);
            }
        };
        let own = known.analysis.findings.iter().zip(&known.ranges);
        for (finding, range) in own.filter(|(f, _)| !settings.ignores(f)) {
            while let Some(first) = of_file.next_if(|f| key(f, 0) < key(finding, by)) {
                push(&mut told, first, self.range(first.span, start), 0);
            }
            push(&mut told, finding, *range, by);
        }
        for last in of_file {
            push(&mut told, last, self.range(last.span, start), 0);
        }
        let judged = record.judged.into_iter().flat_map(|j| j.findings.iter().zip(&j.ranges));
        for (finding, range) in judged.filter(|(f, _)| !settings.ignores(f)) {
            push(&mut told, finding, *range, by);
        }
        for finding in self.audited_in(record).iter().filter(|f| !settings.ignores(f)) {
            push(&mut told, finding, self.range(finding.span.shifted(by), start), by);
        }
        told
    }

    fn push(
        &self,
        told: &mut Told,
        finding: &Finding,
        range: relative::Range,
        by: usize,
        start: Position,
    ) {
        let related = |r| self.related(r, range, by, start);
        let related: Vec<_> = finding.related.iter().filter_map(related).collect();
        told.push(self.uri, finding, range, &related);
    }

    fn related<'r>(
        &self,
        related: &'r Related,
        own: relative::Range,
        by: usize,
        start: Position,
    ) -> Option<(Location, &'r str)> {
        let location = match related.place {
            Place::Record(span) if span.is_empty() && span.start == 0 => Location::Here(own),
            Place::Record(span) => Location::Here(self.range(span.shifted(by), start)),
            Place::Rubric(span) => self.in_rubric(span)?,
        };
        Some((location, &related.message))
    }

    fn in_rubric(&self, span: Span) -> Option<Location> {
        let file = self.live.rules.as_ref()?.files.rubric.as_ref()?;
        let text = self.rubric.get_or_init(|| Document::new(&file.text));
        let range = text.span_to_range(span, self.encoding);
        Some(Location::There(uri::from_path(&file.path), range))
    }

    /// A span of the document, counted from `start`.
    fn range(&self, span: Span, start: Position) -> relative::Range {
        relative::Range::between(self.text.span_to_range(span, self.encoding), start)
    }
}

/// What findings are ordered by: place, severity, code. `by` is what its span counts from.
fn key(finding: &Finding, by: usize) -> (Span, Severity, &str) {
    (finding.span.shifted(by), finding.severity, &finding.code)
}
