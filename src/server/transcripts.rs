//! An open transcript file: its records, what is known of each, and the
//! diagnostics that follow.
//!
//! Invariant: what is kept of a record counts from the record's start, so an
//! edit elsewhere costs nothing but an addition when it is shown.

use tower_lsp_server::gen_lsp_types::Diagnostic;

use crate::analysis::record::RecordAnalysis;
use crate::text::document::{Document, Encoding, Replaced};
use crate::transcript::records::{Layout, Records, Slot};

use super::convert;
use super::relative::{self, Range};

/// Bytes read in one turn of a big file: a few milliseconds of work.
const SLICE: usize = 1 << 20;

/// The records of a transcript file.
#[derive(Debug)]
pub struct Transcripts {
    records: Records<Known>,
    lens: Lens,
}

/// What is known of one record.
#[derive(Clone, Debug)]
pub struct Known {
    /// Everything static.
    pub analysis: RecordAnalysis,
    /// Where its findings are, one a finding.
    pub ranges: Vec<Range>,
}

/// What a record is looked at with.
#[derive(Clone, Debug)]
struct Lens {
    encoding: Encoding,
}

impl Lens {
    fn look(&self, record: &str) -> Known {
        let analysis = analyse(record);
        let spans: Vec<_> = analysis.findings.iter().map(|f| f.span).collect();
        let ranges = relative::ranges(record, &spans, self.encoding);
        Known { analysis, ranges }
    }
}

impl Transcripts {
    /// A file nothing is read of yet.
    #[must_use]
    pub fn new(layout: Layout, encoding: Encoding) -> Self {
        Self { records: Records::unread(layout), lens: Lens { encoding } }
    }

    /// True while a part of the file is not analysed.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.records.frontier().is_some()
    }

    /// Analyses a further slice.
    pub fn read_on(&mut self, text: &Document) {
        let Self { records, lens } = self;
        records.advance(text, SLICE, |record| lens.look(record));
    }

    /// Follows edits; `text` is the text after them.
    pub fn edited(&mut self, text: &Document, replaced: &[Replaced]) {
        let Self { records, lens } = self;
        records.edited(text, replaced, |record| lens.look(record));
    }

    /// The records, in order, as far as they are read.
    #[must_use]
    pub fn slots(&self) -> &[Slot<Known>] {
        self.records.slots()
    }

    /// The index of the record at a byte of the file.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<usize> {
        self.records.at(offset)
    }

    /// All diagnostics, by place.
    #[must_use]
    pub fn diagnostics(&self, text: &Document) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        for slot in self.slots() {
            let known = slot.value();
            if known.ranges.is_empty() {
                continue;
            }
            let start = text.position(slot.span().start, self.lens.encoding);
            for (finding, range) in known.analysis.findings.iter().zip(&known.ranges) {
                let range = convert::range(range.from(start));
                all.push(convert::diagnostic(finding, range, "", Vec::new()));
            }
        }
        all
    }
}

fn analyse(record: &str) -> RecordAnalysis {
    use crate::finding::{Finding, Severity};
    use crate::text::json;
    let parsed = json::parse(record, json::DEPTH_LIMIT);
    let finding = |p: &json::Problem| {
        Finding::new("J001", Severity::Error, p.span, "this line is not JSON: mend it here")
    };
    RecordAnalysis {
        findings: parsed.syntax_problem().map(finding).into_iter().collect(),
        shape: None,
        outline: None,
    }
}
