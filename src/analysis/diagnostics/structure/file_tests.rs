//! Every file rule, on files small enough to read.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{FileInput, FileRecord, file, replaces_record_findings};
use crate::analysis::fixes;
use crate::finding::Safety;
use crate::text::Span;
use crate::text::json::{self, DEPTH_LIMIT};
use crate::transcript::facts::{FileFacts, Mark, Places};
use crate::transcript::{self, digest};

/// Facts of a `.jsonl`, found the plain way.
fn findings(text: &str) -> Vec<crate::finding::Finding> {
    let bom = text.starts_with('\u{feff}');
    let (mut blank, mut rows) = (Vec::new(), Vec::new());
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let span = Span::new(at, at + line.len());
        at = span.end;
        let body = line.trim_start_matches('\u{feff}').trim_end();
        if body.is_empty() {
            blank.push(span);
        } else {
            let start = span.start + line.find(body).unwrap_or(0);
            rows.push((number + 1, Span::new(start, start + body.len())));
        }
    }
    let readings: Vec<_> = rows
        .iter()
        .map(|(_, span)| transcript::read(span.of(text), &json::parse(span.of(text), DEPTH_LIMIT)))
        .collect();
    let records: Vec<FileRecord<'_>> = rows
        .iter()
        .zip(&readings)
        .map(|(&(line, span), reading)| {
            let said = reading.transcript.as_ref().ok().filter(|t| !t.messages.is_empty());
            let named = said.filter(|t| t.id_source.is_some());
            FileRecord {
                span,
                line,
                shape: reading.shape,
                content: said.map(|t| {
                    u128::from_le_bytes(digest::of(span.of(text), t).0[..16].try_into().unwrap())
                }),
                normalised: said.map(digest::normalised),
                id: named.map(|t| t.id.as_str()),
                id_source: named.and_then(|t| t.id_source).map(|s| s.shifted(span.start)),
            }
        })
        .collect();
    let mark = |what: &str| {
        let first = text.find(what)?;
        let count = text.matches(what).count();
        Some(Mark { first: Span::new(first, first + what.len()), count })
    };
    let lone = text.replace("\r\n", "--").find('\r');
    let facts = FileFacts {
        bytes: text.len(),
        records: records.len(),
        bom,
        blank: Places { count: blank.len(), spans: blank },
        crlf: mark("\r\n"),
        lone_cr: lone.map(|at| Mark { first: Span::new(at, at + 1), count: 1 }),
        separators: mark("\u{2028}"),
        no_final_newline: !text.is_empty() && !text.ends_with('\n'),
    };
    file(&FileInput { lines: true, facts: &facts, text: Some(text), records: &records })
}

fn check(text: &str, expect: Expect) {
    let found = findings(text);
    let mut out = String::new();
    for finding in &found {
        let (span, code, severity) = (finding.span, &finding.code, finding.severity.name());
        writeln!(out, "{}..{} {severity}[{code}] {}", span.start, span.end, finding.message)
            .unwrap();
        for fix in &finding.fixes {
            assert_eq!(fix.safety, Safety::Safe);
            let after = fixes::apply(text, &fix.edits).expect("the edits fit");
            let left = findings(&after);
            assert!(!left.iter().any(|f| f.message == finding.message), "still there: {after:?}");
            writeln!(out, "    {}: {after:?}", fix.title).unwrap();
        }
    }
    expect.assert_eq(&out);
}

const A: &str = r#"{"id":"a","exchanges":[{"user":"Hi","assistant":"Hello!"}]}"#;
const B: &str = r#"{"id":"b","exchanges":[{"user":"Bye","assistant":"So long."}]}"#;

#[test]
fn a_sound_file_is_silent() {
    check(&format!("{A}\n{B}\n"), expect![[""]]);
}

#[test]
fn an_empty_file() {
    check(
        "",
        expect![[r#"
        0..0 error[F004] the file is empty: there is no record to train on
    "#]],
    );
    check(
        "\u{feff}\n \n",
        expect![[r#"
        0..3 warning[F002] the file starts with a byte order mark: most readers take it for text
            Delete the byte order mark: "\n \n"
        0..0 error[F004] the file is empty: there is no record to train on
    "#]],
    );
}

#[test]
fn byte_order_mark_blank_lines_and_line_ends() {
    check(
        &format!("\u{feff}{A}\n\n \n{B}"),
        expect![[r#"
        0..3 warning[F002] the file starts with a byte order mark: most readers take it for text
            Delete the byte order mark: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n\n \n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}"
        63..66 warning[F003] 2 blank lines: some trainers stop here; delete them
            Delete blank lines: "\u{feff}{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}"
        128..128 hint[F007] the last line has no line end: a record appended later joins it
            Add the line end: "\u{feff}{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n\n \n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}\n"
    "#]],
    );
    check(
        &format!("{A}\r\n{B}\r\n"),
        expect![[r#"
        59..61 hint[F007] lines end in CR LF (2 times): write LF
            Use LF line ends: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}\n"
    "#]],
    );
    check(
        r#"{"id":"a","exchanges":[{"user":"Hi","assistant":"Hel lo!"}]}"#,
        expect![[r#"
        52..55 hint[F007] a raw line separator U+2028 or U+2029: some readers split here
            Write as escapes: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hel\\u2028lo!\"}]}"
        62..62 hint[F007] the last line has no line end: a record appended later joins it
            Add the line end: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hel\u{2028}lo!\"}]}\n"
    "#]],
    );
    check(
        "\r{\"id\":\r\"a\",\"turns\":[{\"user\":\"x\ry\",\"assistant\":\"z\"}]}\r[[\"a\",\"b\"]]\r",
        expect![[r#"
            0..1 hint[F007] a CR that ends no line: some readers split here
                Replace CR: "\n{\"id\": \"a\",\"turns\":[{\"user\":\"x\\ry\",\"assistant\":\"z\"}]}\n[[\"a\",\"b\"]]\n"
            66..66 hint[F007] the last line has no line end: a record appended later joins it
                Add the line end: "\r{\"id\":\r\"a\",\"turns\":[{\"user\":\"x\ry\",\"assistant\":\"z\"}]}\r[[\"a\",\"b\"]]\r\n"
        "#]],
    );
    check(
        "{\"id\":\r3,}\n",
        expect![[r#"
        6..7 hint[F007] a CR that ends no line: some readers split here
    "#]],
    );
    check(
        &format!("{A}\r{B}\n"),
        expect![[r#"
            59..60 hint[F007] a CR that ends no line: some readers split here
                Replace CR: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}\n"
        "#]],
    );
}

#[test]
fn an_array_or_spread_records_in_a_file_of_lines() {
    check(
        &format!("[{A}, {B}]\n"),
        expect![[r#"
        0..1 error[F006] the file is one JSON array: a `.jsonl` holds one record a line
            Write one record a line: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}\n"
    "#]],
    );
    check(
        &format!("[\n  {A},\n  {B}\n]\n"),
        expect![[r#"
        0..1 error[F006] the file is one JSON array: a `.jsonl` holds one record a line
            Write one record a line: "{\"id\":\"a\",\"exchanges\":[{\"user\":\"Hi\",\"assistant\":\"Hello!\"}]}\n{\"id\":\"b\",\"exchanges\":[{\"user\":\"Bye\",\"assistant\":\"So long.\"}]}\n"
    "#]],
    );
    check(
        "{\n  \"id\": \"a\",\n  \"exchanges\": [\n    {\"user\": \"Hi\",\n \"assistant\": \"So { \\n  \"}\n  ]\n}\n",
        expect![[r#"
            0..1 error[F006] records spread over lines: a `.jsonl` holds one record a line
                Write one record a line: "{\"id\": \"a\", \"exchanges\": [{\"user\": \"Hi\", \"assistant\": \"So { \\n  \"}]}\n"
        "#]],
    );
    check("[\n", expect![[""]]);
    assert!(replaces_record_findings(&findings(&format!("[{A}]\n"))));
    assert!(!replaces_record_findings(&findings("[[\"a\",\"b\"]]\n")));
}

#[test]
fn one_file_one_format() {
    check(
        &format!("{A}\n[[\"x\",\"y\"]]\n{B}\n"),
        expect![[r#"
        60..61 warning[F010] this record is written as [user, assistant] pairs, line 1 as exchanges: one file, one format
    "#]],
    );
}

#[test]
fn duplicates_name_the_first() {
    let near = A.replace("Hello!", "hello").replace("\"a\"", "\"c\"");
    let namesake = B.replace("\"b\"", "\"a\"");
    check(
        &format!("{A}\n{near}\n{namesake}\n{A}\n"),
        expect![[r#"
        66..69 warning[D001] but for case, spaces and punctuation the same conversation as line 1 (`a`): keep one
        125..128 warning[D001] id `a` is taken by line 1: give one of them another
        188..191 warning[D001] the same conversation as line 1 (`a`): delete one of them
    "#]],
    );
    let nameless = A.replace("\"id\":\"a\",", "");
    check(
        &format!("{nameless}\n{nameless}\n"),
        expect![[r#"
        51..52 warning[D001] the same conversation as line 1: delete one of them
    "#]],
    );
}

proptest! {
    #[test]
    fn no_file_panics_and_every_fix_fits(
        pieces in prop::collection::vec(prop::sample::select(vec![
            A, B, "\r", "\r\n", "\n", " ", "\u{feff}", "\u{2028}", "[", "]", ",", "{", "}", "\"é", ":",
        ]), 0..12)
    ) {
        let text = pieces.concat();
        for finding in findings(&text) {
            prop_assert!(text.get(finding.span.start..finding.span.end).is_some());
            for fix in &finding.fixes {
                prop_assert!(fixes::apply(&text, &fix.edits).is_some(), "{fix:?}");
            }
        }
    }
}
