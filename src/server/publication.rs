//! All the diagnostics of one document, by place, and no more than the settings
//! allow.
//!
//! Invariant: a file with more findings than `limits.findings_per_file` says so
//! in its first line; none is dropped without a word.

use std::cell::OnceCell;

use tower_lsp_server::gen_lsp_types::{Diagnostic, DiagnosticRelatedInformation, Location, Range};

use crate::finding::{Finding, Place, Related, Severity};
use crate::text::Span;
use crate::text::document::{Document, Encoding};

use super::open_document::{Content, OpenDocument};
use super::shelf::Record;
use super::transcripts::Transcripts;
use super::{convert, uri};

/// The diagnostics of a document as it stands.
#[must_use]
pub fn diagnostics(document: &OpenDocument) -> Vec<Diagnostic> {
    let limit = document.live.settings().limits.findings_per_file;
    let mut sheet = Sheet { document, all: Vec::new(), limit, total: 0, rubric: OnceCell::new() };
    match &document.content {
        Content::Transcripts(transcripts) => sheet.transcripts(transcripts),
        Content::Rubric(parsed) => {
            let text = document.text.text();
            sheet.whole(&crate::analysis::diagnostics::rubric::findings(&text, parsed));
        }
        Content::Settings(findings) => {
            sheet.whole(findings);
            sheet.whole(&elsewhere(document));
        }
        Content::Other => {}
    }
    sheet.finish()
}

/// What is wrong with the files that settings name, while the settings are those
/// that were read.
fn elsewhere(document: &OpenDocument) -> Vec<Finding> {
    let rules = document.live.rules.iter().filter(|_| document.is_saved);
    let problems = rules.flat_map(|rules| &rules.files.problems);
    let here = problems.filter(|p| p.path.is_some() && p.path == document.path);
    here.map(|problem| problem.finding.clone()).collect()
}

/// Diagnostics being collected.
struct Sheet<'a> {
    document: &'a OpenDocument,
    all: Vec<Diagnostic>,
    limit: usize,
    total: usize,
    /// The rubric's text, made once for all the places in it.
    rubric: OnceCell<Document>,
}

impl Sheet<'_> {
    fn transcripts(&mut self, transcripts: &Transcripts) {
        let encoding = transcripts.encoding();
        self.whole(transcripts.file().findings());
        if transcripts.file().silences_records() {
            return;
        }
        for record in transcripts.shelf().records() {
            let known = record.known;
            let judged = record.judged.map_or((&[][..], &[][..]), |j| (&j.findings, &j.ranges));
            let count = known.ranges.len() + judged.1.len();
            self.total += count;
            if count == 0 || self.all.len() >= self.limit {
                continue;
            }
            let start = record.start(&self.document.text, encoding);
            let own = known.analysis.findings.iter().zip(&known.ranges);
            for (finding, range) in own.chain(judged.0.iter().zip(judged.1)) {
                self.push(finding, convert::range(range.from(start)), Some(&record));
            }
        }
    }

    /// Findings that count from the start of the file.
    fn whole(&mut self, findings: &[Finding]) {
        self.total += findings.len();
        for finding in findings {
            let range = range_of(&self.document.text, finding.span, self.document.encoding);
            self.push(finding, range, None);
        }
    }

    fn push(&mut self, finding: &Finding, range: Range, record: Option<&Record<'_>>) {
        if self.document.live.settings().ignores(finding) {
            self.total -= 1;
            return;
        }
        if self.all.len() >= self.limit {
            return;
        }
        let related =
            finding.related.iter().filter_map(|r| self.related(r, range, record)).collect();
        self.all.push(convert::diagnostic(finding, range, related));
    }

    fn related(
        &self,
        related: &Related,
        own: Range,
        record: Option<&Record<'_>>,
    ) -> Option<DiagnosticRelatedInformation> {
        let location = match related.place {
            Place::Record(span) => {
                let by = record.map_or(0, |r| r.span().start);
                let same = span.is_empty() && span.start == 0;
                let at = range_of(&self.document.text, span.shifted(by), self.document.encoding);
                Location { uri: self.document.uri.clone(), range: if same { own } else { at } }
            }
            Place::Rubric(span) => self.in_rubric(span)?,
        };
        Some(DiagnosticRelatedInformation { location, message: related.message.clone() })
    }

    fn in_rubric(&self, span: Span) -> Option<Location> {
        let rules = self.document.live.rules.as_ref()?;
        let file = rules.files.rubric.as_ref()?;
        let text = self.rubric.get_or_init(|| Document::new(&file.text));
        let range = range_of(text, span, self.document.encoding);
        Some(Location { uri: uri::from_path(&file.path), range })
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        let left = self.total - self.all.len();
        if left > 0 {
            let message = format!(
                "{left} more findings are not shown: the first {} are \
                 (`limits.findings_per_file`); `rubricator check` lists all of them",
                self.all.len()
            );
            let notice = Finding::new("limit", Severity::Info, Span::empty(0), message);
            self.all.push(convert::diagnostic(&notice, Range::default(), Vec::new()));
        }
        self.all
    }
}

/// The range of a span of a document.
#[must_use]
pub fn range_of(text: &Document, span: Span, encoding: Encoding) -> Range {
    convert::range(text.span_to_range(span, encoding))
}
