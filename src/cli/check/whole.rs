//! Findings about a transcript file as a whole, with their places.
//!
//! Invariant: they are those of [`crate::analysis::file`], from the same facts as
//! in the editor; of each record only what those rules need is kept.

use std::io::{BufRead, BufReader, Read};

use crate::analysis::brief::{Brief, Traits};
use crate::analysis::file;
use crate::analysis::sayings::{Said, Sayings, settled};
use crate::cli::place::{Placed, Start, place};
use crate::cli::scan::{Seen, Source};
use crate::cli::settings::place_in_file;
use crate::config::{Limits, Settings};
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
    traits: Traits,
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
    /// Remembers a record; what the rules about files ask of it is taken out.
    pub fn note(&mut self, seen: &mut Seen<'_, Brief>) {
        // A record that cannot be read is still one: the file is not empty.
        let mut traits = Traits::default();
        if let Ok(brief) = &mut seen.analysis {
            if self.records.is_empty() {
                self.wants_text = file::is_broken(&brief.findings);
            }
            traits = std::mem::take(&mut brief.traits);
        }
        let start = seen.start.byte as usize;
        let span = Span::new(start, start + seen.text.bytes());
        self.records.push(Kept { span, line: seen.start.line, traits });
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
        let said = self.said(source, &settings.limits);
        let kept = self.records.iter().enumerate();
        let records: Vec<_> =
            kept.map(|(i, kept)| kept.traits.at(kept.span, kept.line, said.of(i))).collect();
        let mut findings = file::findings_of(source.layout(), facts, text.as_deref(), &records);
        let silences_records = file::silences_records(&findings);
        findings.retain(|f| !settings.ignores(f));
        if text.is_none() && !findings.is_empty() {
            text = source.text(&settings.limits).ok();
        }
        Found { findings, silences_records, text }
    }

    /// What each record says, where another may say the same. Records that may,
    /// and are not written the same, are read again.
    fn said(&self, source: &Source, limits: &Limits) -> Sayings {
        let traits: Vec<&Traits> = self.records.iter().map(|kept| &kept.traits).collect();
        let mut said = settled(&traits);
        let groups = said.unsettled();
        let firsts: Vec<Span> = groups.iter().map(|g| self.records[g.first].span).collect();
        let mut groups = groups.into_iter();
        // A file that cannot be read a second time has no finding about likeness.
        let _ = source.reread(&firsts, limits, |text| {
            if let Some(group) = groups.next() {
                said.settle(&group, Said::of(text, limits.depth));
            }
        });
        said
    }
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

fn read_line(reader: &mut BufReader<impl Read>, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    reader.read_until(b'\n', bytes).is_ok_and(|n| n > 0)
}
