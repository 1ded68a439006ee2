//! Findings about a transcript file as a whole: line ends, blank lines, mixed
//! shapes, duplicates. Spans count from the file's first byte.
//!
//! Invariant: the editor and the command line fill the same [`FileLook`], so they
//! cannot say different things about one file. Absent on purpose: the bytes that
//! are no UTF-8 (F001); only a reader of bytes meets them.

use super::diagnostics::structure::{self, FileInput, FileRecord};
use super::record::RecordAnalysis;
use crate::finding::Finding;
use crate::text::Span;
use crate::transcript::facts::FileFacts;
use crate::transcript::records::Layout;

/// A file as it was read.
#[derive(Debug)]
pub struct FileLook<'a> {
    /// How its records lie.
    pub layout: Layout,
    /// Its line ends, blank lines and byte order mark.
    pub facts: &'a FileFacts,
    /// Its text, when at hand. Needed where [`wants_text`] says so, and for
    /// fixes that touch many places.
    pub text: Option<&'a str>,
    /// Its records, in order.
    pub records: Vec<RecordLook<'a>>,
}

/// One record of a file.
#[derive(Clone, Copy, Debug)]
pub struct RecordLook<'a> {
    /// Where it is, in the file.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
    /// What is known of it.
    pub analysis: &'a RecordAnalysis,
}

/// The findings about a file, by place.
#[must_use]
pub fn findings(look: &FileLook<'_>) -> Vec<Finding> {
    let records: Vec<FileRecord<'_>> = look.records.iter().map(record).collect();
    let (lines, facts, text) = (look.layout == Layout::Lines, look.facts, look.text);
    structure::file(&FileInput { lines, facts, text, records: &records })
}

/// The findings about a file whose records are known in brief, by place.
#[must_use]
pub fn findings_of(
    layout: Layout,
    facts: &FileFacts,
    text: Option<&str>,
    records: &[FileRecord<'_>],
) -> Vec<Finding> {
    structure::file(&FileInput { lines: layout == Layout::Lines, facts, text, records })
}

/// True when the file may be no lines of records at all (an array, pretty-printed
/// objects), which only its whole text tells: its first record is broken.
#[must_use]
pub fn wants_text(first: &RecordAnalysis) -> bool {
    is_broken(&first.findings)
}

/// The same of a first record's findings.
#[must_use]
pub fn is_broken(findings: &[Finding]) -> bool {
    findings.iter().any(|f| matches!(f.code.as_ref(), "J001" | "J002" | "J005"))
}

/// True when these findings stand for all that would be said about single records.
#[must_use]
pub fn silences_records(findings: &[Finding]) -> bool {
    structure::replaces_record_findings(findings)
}

fn record<'a>(look: &RecordLook<'a>) -> FileRecord<'a> {
    let outline = look.analysis.outline.as_ref();
    let spoken = outline.filter(|o| !o.messages.is_empty());
    let written = outline.and_then(|o| Some((o.id.as_ref(), o.id_source?)));
    FileRecord {
        span: look.span,
        line: look.line,
        shape: look.analysis.shape,
        content: spoken.map(|o| o.content),
        normalised: spoken.map(|o| o.normalised),
        id: written.map(|(id, _)| id),
        id_source: written.map(|(_, source)| source.shifted(look.span.start)),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::analysis::context::{Context, Memo};
    use crate::analysis::record;
    use crate::text::document::Document;
    use crate::transcript::records::Records;

    fn check(name: &str, text: &str, expect: Expect) {
        let document = Document::new(text);
        let (context, mut memo) = (Context::default(), Memo::default());
        let layout = Layout::of_name(name).unwrap();
        let analyse = |text: &str| record::analyse(text, &context, &mut memo);
        let records = Records::open(&document, layout, analyse);
        let look = |slot: &crate::transcript::records::Slot<RecordAnalysis>| {
            (slot.span(), slot.first_line() + 1, slot.value().clone())
        };
        let kept: Vec<_> = records.slots().iter().map(look).collect();
        let look = FileLook {
            layout,
            facts: &records.facts(&document),
            text: Some(text),
            records: kept
                .iter()
                .map(|(span, line, analysis)| RecordLook { span: *span, line: *line, analysis })
                .collect(),
        };
        let shown: Vec<String> = findings(&look)
            .iter()
            .map(|f| format!("{}..{} {}: {}\n", f.span.start, f.span.end, f.code, f.message))
            .collect();
        expect.assert_eq(&shown.concat());
    }

    #[test]
    fn files_are_looked_at_as_a_whole() {
        let one = r#"{"id":"a","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]}"#;
        check("a.jsonl", &format!("{one}\n"), expect![[""]]);
        check(
            "a.jsonl",
            "",
            expect![[r#"
            0..0 F004: the file is empty: there is no record to train on
        "#]],
        );
        check(
            "a.jsonl",
            &format!("{one}\n\n{one}"),
            expect![[r#"
            91..92 F003: a blank line: some trainers stop here; delete it
            98..101 D001: the same conversation as line 1 (`a`): delete one of them
            182..182 F007: the last line has no line end: a record appended later joins it
        "#]],
        );
        check(
            "a.json",
            &format!("[{one},\n{one}]"),
            expect![[r#"
            99..102 D001: the same conversation as line 1 (`a`): delete one of them
        "#]],
        );
        check(
            "a.jsonl",
            &format!("[{one},\n{one}]\n"),
            expect![[r#"
            0..1 F006: the file is one JSON array: a `.jsonl` holds one record a line
        "#]],
        );
    }
}
