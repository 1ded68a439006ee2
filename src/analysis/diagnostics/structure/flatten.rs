//! F006: a `.jsonl` file that holds one JSON array, or records spread over
//! lines; with the fix that writes one record a line.
//!
//! Only files that look like it from their first line are parsed as a whole.

use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::json::{self, DEPTH_LIMIT, Json, Kind, Problem, ProblemKind, Value};
use crate::transcript::shape::draft;

/// F006, when `text` is sound JSON laid out otherwise than a record a line.
pub(super) fn check(text: &str) -> Option<Finding> {
    let start = text.strip_prefix('\u{feff}').map_or(0, |rest| text.len() - rest.len());
    let start = text.len() - text[start..].trim_start().len();
    let first_line = text[start..].lines().next().unwrap_or("").trim_end();
    let spread = matches!(first_line, "[" | "{" | "[{");
    if !spread && !first_line.starts_with('[') {
        return None;
    }
    let records = flattened(text, start)?;
    let what = if first_line.starts_with('[') {
        "the file is one JSON array: a `.jsonl` holds one record a line"
    } else {
        "records spread over lines: a `.jsonl` holds one record a line"
    };
    let span = Span::new(start, start + 1);
    let whole = Span::new(start, text.len());
    let fix = Fix::safe("Write one record a line", whole, records);
    Some(Finding::new("F006", Severity::Error, span, what).with_fix(fix))
}

/// The records of `text[at..]`, one a line; `None` when there is something wrong
/// with them, or they stand one a line already.
fn flattened(text: &str, mut at: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len() - at);
    let mut laid_out_otherwise = false;
    while at < text.len() {
        let rest = &text[at..];
        let json: Json = json::parse(rest, DEPTH_LIMIT);
        // A line break inside a string cannot be told from one between parts.
        let is_odd = |p: &Problem| p.kind.is_syntax() || p.kind == ProblemKind::ControlCharacter;
        if json.problems().iter().any(|p| is_odd(p) && p.span.start < json.end()) {
            return None;
        }
        let root = json.root(rest)?;
        let is_array = root.kind() == Kind::Array && draft(root).is_err();
        if is_array {
            root.items().try_for_each(|item| line(rest, item, &mut out))?;
        } else {
            line(rest, root, &mut out)?;
        }
        laid_out_otherwise |= is_array || root.raw().contains('\n');
        at += json.end();
        at += text[at..].len() - text[at..].trim_start().len();
    }
    (laid_out_otherwise && !out.is_empty()).then_some(out)
}

/// Appends an object on a line of its own: only line breaks between its parts,
/// and the indent behind them, go.
fn line(text: &str, value: Value<'_>, out: &mut String) -> Option<()> {
    if !matches!(value.kind(), Kind::Object | Kind::Array) {
        return None;
    }
    let mut gap_after = '{';
    for part in value.span().of(text).split('\n') {
        let part =
            if gap_after == '{' && part.starts_with(['{', '[']) { part } else { part.trim_start() };
        let part = part.trim_end_matches('\r').trim_end();
        if gap_after == ',' && !part.is_empty() {
            out.push(' ');
        }
        out.push_str(part);
        gap_after = part.chars().next_back().unwrap_or(gap_after);
    }
    out.push('\n');
    Some(())
}
