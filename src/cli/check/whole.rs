//! Findings about a transcript file as a whole, with their places.
//!
//! Invariant: they are those of [`crate::analysis::file`], from the same facts as
//! in the editor; of each record only what those rules need is kept.

use std::io::{BufRead, BufReader, Read};

use crate::analysis::file::{self, FileLook, RecordLook};
use crate::analysis::record::RecordAnalysis;
use crate::cli::place::{Placed, Start, place};
use crate::cli::scan::{Seen, Source};
use crate::cli::settings::place_in_file;
use crate::config::Settings;
use crate::finding::Finding;
use crate::text::Span;
use crate::transcript::facts::FileFacts;

/// What is remembered of the records.
#[derive(Debug, Default)]
pub struct Whole {
    records: Vec<Kept>,
    wants_text: bool,
}

#[derive(Debug)]
struct Kept {
    span: Span,
    line: usize,
    analysis: RecordAnalysis,
}

/// The findings of a file.
pub struct Found {
    /// What is wrong, at bytes of the file.
    pub findings: Vec<Finding>,
    /// They stand for all that would be said of single records.
    pub silences_records: bool,
    text: Option<String>,
}

impl Whole {
    /// Remembers a record.
    pub fn note(&mut self, seen: &Seen) {
        // A record that cannot be read is still one: the file is not empty.
        let analysis = seen.analysis.as_ref().map(slim).unwrap_or_default();
        if let (true, Ok(first)) = (self.records.is_empty(), &seen.analysis) {
            self.wants_text = file::wants_text(first);
        }
        let start = seen.start.byte as usize;
        let span = Span::new(start, start + seen.text.len());
        self.records.push(Kept { span, line: seen.start.line, analysis });
    }

    /// The findings, once all records are seen. The text is read where they need it.
    pub fn findings(
        &self,
        source: &Source,
        facts: &FileFacts,
        settings: &Settings,
        fix: bool,
    ) -> Found {
        let mut text = None;
        if fix || self.wants_text {
            text = source.text(&settings.limits).ok();
        }
        let records = self.records.iter().map(|kept| RecordLook {
            span: kept.span,
            line: kept.line,
            analysis: &kept.analysis,
        });
        let layout = source.layout();
        let records = records.collect();
        let mut findings =
            file::findings(&FileLook { layout, facts, text: text.as_deref(), records });
        let silences_records = file::silences_records(&findings);
        findings.retain(|f| !settings.ignores(f));
        if text.is_none() && !findings.is_empty() {
            text = source.text(&settings.limits).ok();
        }
        Found { findings, silences_records, text }
    }
}

/// The analysis without what the rules about files do not look at.
fn slim(analysis: &RecordAnalysis) -> RecordAnalysis {
    let outline = analysis.outline.as_ref().map(|outline| {
        let mut slim = outline.clone();
        slim.messages.truncate(1);
        slim.exchanges.clear();
        slim.messages.shrink_to_fit();
        slim.exchanges.shrink_to_fit();
        slim
    });
    RecordAnalysis { findings: Vec::new(), shape: analysis.shape, outline }
}

impl Found {
    /// The findings with their places.
    pub fn placed(self, source: &Source) -> Vec<Placed> {
        match &self.text {
            Some(text) => place_in_file(text, self.findings),
            None => place_by_lines(source, self.findings),
        }
    }
}

/// Places findings of a file that cannot be had as one text (too large, or not
/// all UTF-8), line by line; a span over several lines ends with its first.
fn place_by_lines(source: &Source, mut findings: Vec<Finding>) -> Vec<Placed> {
    findings.sort_by_key(|f| f.span);
    let mut findings = findings.into_iter().peekable();
    let mut placed = Vec::new();
    let Ok(reader) = source.open() else { return placed };
    let mut reader = BufReader::with_capacity(1 << 20, reader);
    let (mut start, mut bytes) = (Start::of_file(0), Vec::new());
    while findings.peek().is_some() && read_line(&mut reader, &mut bytes) {
        let (from, to) = (start.byte as usize, start.byte as usize + bytes.len());
        let text = String::from_utf8_lossy(&bytes);
        while let Some(mut finding) =
            findings.next_if(|f| f.span.start < to || f.span.start == from)
        {
            let end = finding.span.end.min(to).max(finding.span.start);
            finding.span = Span::new(finding.span.start - from, end - from);
            finding.fixes.clear();
            placed.extend(place(&text, start, vec![finding]));
        }
        start = Start { byte: to as u64, line: start.line + 1, column: 1 };
    }
    placed
}

fn read_line(reader: &mut BufReader<Box<dyn Read>>, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    reader.read_until(b'\n', bytes).is_ok_and(|n| n > 0)
}
