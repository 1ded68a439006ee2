//! F rules: is the file as a file what trainers read? BOM, blank lines, line
//! ends, one shape throughout, one record a line; and D001 across its records.
//!
//! Spans count from the start of the file, byte order mark included.

use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::transcript::Shape;
use crate::transcript::facts::FileFacts;

use super::{duplicates, flatten, line_ends, shape};

/// A file, as its reader found it.
#[derive(Clone, Copy, Debug)]
pub struct FileInput<'a> {
    /// One record a line (`.jsonl`, `.ndjson`). The rules about lines are silent otherwise.
    pub lines: bool,
    /// Its line ends, blank lines and byte order mark.
    pub facts: &'a FileFacts,
    /// The file's text. Without it F006 is not looked for, and fixes that touch
    /// many places (line ends) are not offered.
    pub text: Option<&'a str>,
    /// The records, in order.
    pub records: &'a [FileRecord<'a>],
}

/// What the file rules need to know of one record.
#[derive(Clone, Debug, Default)]
pub struct FileRecord<'a> {
    /// The record in the file.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
    /// Its shape (`Reading::shape`).
    pub shape: Option<Shape>,
    /// Equal for equal conversations; `None` when it has no message.
    pub content: Option<u128>,
    /// `transcript::digest::normalised` of its transcript; `None` when it has no message.
    pub normalised: Option<u128>,
    /// The id as written; `None` when derived.
    pub id: Option<&'a str>,
    /// Where the id is written, in the file.
    pub id_source: Option<Span>,
}

/// Every finding about the file as a whole, by place.
#[must_use]
pub fn file(input: &FileInput<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(bom(input));
    if input.records.is_empty() {
        let message = "the file is empty: there is no record to train on";
        findings.push(Finding::new("F004", Severity::Error, Span::empty(0), message));
        return findings;
    }
    if input.lines {
        if let Some(finding) = input.text.and_then(flatten::check) {
            findings.push(finding);
            return findings;
        }
        findings.extend(blank_lines(input));
        findings.extend(line_ends::check(input));
    }
    findings.extend(mixed(input.records));
    findings.extend(duplicates::check(input.records));
    findings.sort_by_key(|f| f.span.start);
    findings
}

/// True when the file is not what its name says (F006): what its lines would say
/// one by one is then noise, and only these findings should be shown.
#[must_use]
pub fn replaces_record_findings(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.code == "F006")
}

/// F002.
fn bom(input: &FileInput<'_>) -> Option<Finding> {
    let span = Span::new(0, '\u{feff}'.len_utf8());
    let message = "the file starts with a byte order mark: most readers take it for text";
    let fix = Fix::safe("Delete the byte order mark", span, "");
    input.facts.bom.then(|| Finding::new("F002", Severity::Warning, span, message).with_fix(fix))
}

/// F003, one finding a run of blank lines.
fn blank_lines(input: &FileInput<'_>) -> Vec<Finding> {
    let mut runs: Vec<(Span, usize)> = Vec::new();
    for blank in &input.facts.blank.spans {
        match runs.last_mut() {
            Some((run, count)) if run.end == blank.start => {
                run.end = blank.end;
                *count += 1;
            }
            _ => runs.push((*blank, 1)),
        }
    }
    let finding = |(span, count): (Span, usize)| {
        let message = match count {
            1 => "a blank line: some trainers stop here; delete it".to_owned(),
            _ => format!("{count} blank lines: some trainers stop here; delete them"),
        };
        let fix = Fix::safe("Delete blank lines", span, "");
        Finding::new("F003", Severity::Warning, span, message).with_fix(fix)
    };
    runs.into_iter().map(finding).collect()
}

/// F010: the first record with a shape decides.
fn mixed(records: &[FileRecord<'_>]) -> Vec<Finding> {
    let Some((first, expected)) = records.iter().find_map(|r| Some((r, r.shape?))) else {
        return Vec::new();
    };
    let odd = records.iter().filter_map(|r| Some((r, r.shape.filter(|s| *s != expected)?)));
    odd.map(|(record, found)| {
        let message = format!(
            "this record is written as {}, line {} as {}: one file, one format",
            shape::name(found),
            first.line,
            shape::name(expected)
        );
        let start = record.span.start;
        let span = Span::new(start, (start + 1).min(record.span.end));
        Finding::new("F010", Severity::Warning, span, message)
    })
    .collect()
}
