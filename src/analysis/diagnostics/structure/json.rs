//! J rules: is the record JSON, and JSON that every reader reads the same way?

use std::collections::HashMap;

use crate::analysis::fixes;
use crate::finding::{Edit, Finding, Fix, Place, Related, Safety, Severity};
use crate::text::Span;
use crate::text::escape::{self, Style};
use crate::text::json::{self, DEPTH_LIMIT, Json, Kind, Literal, Problem, ProblemKind};

use super::edit;

/// J001 or J005: the problem that keeps the record from being JSON.
pub(super) fn syntax(record: &str, json: &Json) -> Option<Finding> {
    let is_open =
        |p: &&Problem| matches!(p.kind, ProblemKind::UnclosedString | ProblemKind::UnclosedBracket);
    let syntax = || json.problems().iter().filter(|p| p.kind.is_syntax());
    // What is not closed is noticed last, wherever it was opened.
    let problem = syntax().find(|p| !is_open(p)).or_else(|| syntax().next_back())?;
    if problem.kind == ProblemKind::ExtraData {
        return Some(extra_data(record, json, problem.span));
    }
    let end = record.trim_end().len();
    let is_cut_off = is_open(&problem)
        && json.root(record).is_some_and(|r| r.span().end >= end)
        && syntax().any(|p| json.root(record).is_some_and(|r| is_whole(p, r.span())));
    let mut finding = if is_cut_off {
        cut_off(problem, Span::new(record.floor_char_boundary(end.saturating_sub(1)), end))
    } else {
        let message = message(problem, record);
        Finding::new("J001", Severity::Error, problem.span, message)
    };
    finding.fixes.extend(syntax_fix(record, json));
    Some(finding)
}

/// The record itself is what is not closed, or a text that runs to its end.
fn is_whole(problem: &Problem, root: Span) -> bool {
    match problem.kind {
        ProblemKind::UnclosedString => true,
        ProblemKind::UnclosedBracket => problem.span.start == root.start,
        _ => false,
    }
}

/// A record that stops in the middle: the place is where it stops, and where the
/// innermost open thing starts is told beside it.
fn cut_off(innermost: &Problem, last: Span) -> Finding {
    let (message, opened) = match innermost.kind {
        ProblemKind::UnclosedString => (
            "the record ends inside a text: its closing `\"` is missing, or the record is cut off",
            "the text starts here",
        ),
        _ => (
            "the record is cut off here, before its brackets are closed: complete or delete it",
            "this bracket is still open",
        ),
    };
    let mut finding = Finding::new("J001", Severity::Error, last, message);
    let start = innermost.span.start;
    let place = Place::Record(Span::new(start, start + 1));
    finding.related.push(Related { place, message: opened.to_owned() });
    finding
}

fn message(problem: &Problem, record: &str) -> String {
    let found = problem.span.of(record);
    let word: String = found.chars().take(24).collect();
    let text = match problem.kind {
        ProblemKind::Empty => "nothing here: write a record, or delete the line",
        ProblemKind::ExpectedValue if word.is_empty() => "a value is missing here",
        ProblemKind::ExpectedValue => return format!("`{word}` is no JSON value"),
        ProblemKind::ExpectedKey => "a key in double quotes is missing here",
        ProblemKind::ExpectedColon => "`:` is missing between key and value",
        ProblemKind::ExpectedComma => {
            "`,` is missing here, or a quote inside the text before it is not escaped as `\\\"`"
        }
        ProblemKind::TrailingComma => "a comma before a closing bracket: delete it",
        ProblemKind::SingleQuoted => "single quotes: JSON strings stand in double quotes",
        ProblemKind::UnquotedKey => return format!("key `{word}` stands without double quotes"),
        ProblemKind::NotFinite => {
            return format!("`{word}` is no JSON number: write null or a number");
        }
        ProblemKind::PythonWord => {
            return format!("`{word}` is Python: write {}", json_word(found).unwrap_or("null"));
        }
        ProblemKind::Comment => "JSON has no comments: delete it",
        ProblemKind::BadNumber => return format!("`{word}` is no JSON number"),
        ProblemKind::BadEscape => {
            return format!("`{word}` is no JSON escape: write a backslash as `\\\\`");
        }
        ProblemKind::UnclosedString => "the text that starts here never ends: `\"` is missing",
        ProblemKind::UnclosedBracket => "this bracket is never closed",
        ProblemKind::StrayBracket => "this bracket closes nothing: delete it",
        ProblemKind::TooDeep => "nested too deep to be read",
        ProblemKind::ExtraData => "more text after the record",
        ProblemKind::DuplicateKey | ProblemKind::LoneSurrogate | ProblemKind::ControlCharacter => {
            "not sound JSON"
        }
    };
    text.to_owned()
}

/// Spelling that is mended all at once, so that the record is JSON after it; and
/// brackets cut off at the end.
fn syntax_fix(record: &str, json: &Json) -> Option<Fix> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    let style = Style::of(record);
    let syntax = || json.problems().iter().filter(|p| p.kind.is_syntax());
    for problem in syntax() {
        match problem.kind {
            ProblemKind::UnclosedBracket => open.push(problem.span),
            _ => edits.push(respelt(problem, record, style)?),
        }
    }
    if !open.is_empty() {
        edits.push(closing(record, &open)?);
    }
    let mended = fixes::apply(record, &edits)?;
    if json::parse(&mended, DEPTH_LIMIT).syntax_problem().is_some() {
        return None;
    }
    let only = |kind: ProblemKind| syntax().all(|p| p.kind == kind);
    let title = match () {
        () if only(ProblemKind::TrailingComma) => "Delete trailing commas",
        () if only(ProblemKind::SingleQuoted) => "Use double quotes",
        () if only(ProblemKind::UnclosedBracket) => "Close the record",
        () if only(ProblemKind::ExpectedComma) => "Insert the missing comma",
        () if only(ProblemKind::BadEscape) => "Escape the backslash",
        () if only(ProblemKind::Comment) => "Delete comments",
        () => "Rewrite as JSON",
    };
    let safety = if only(ProblemKind::TrailingComma) { Safety::Safe } else { Safety::Suggested };
    Some(Fix { title: title.to_owned(), edits, safety })
}

/// The JSON for one misspelt thing; `None` where there is no telling.
fn respelt(problem: &Problem, record: &str, style: Style) -> Option<Edit> {
    let (span, found) = (problem.span, problem.span.of(record));
    let text = match problem.kind {
        ProblemKind::TrailingComma | ProblemKind::Comment => String::new(),
        ProblemKind::ExpectedComma => {
            // Behind the value before it, not behind the space after that value.
            let at = record[..span.start].trim_end().len();
            return Some(edit::replace(Span::empty(at), ","));
        }
        ProblemKind::SingleQuoted => {
            let inner = found.strip_prefix('\'')?.strip_suffix('\'')?;
            edit::quoted(&escape::decode(inner), style)
        }
        ProblemKind::UnquotedKey => edit::quoted(found, Style::default()),
        ProblemKind::NotFinite => "null".to_owned(),
        ProblemKind::PythonWord => json_word(found)?.to_owned(),
        ProblemKind::BadEscape => format!("\\{found}"),
        _ => return None,
    };
    Some(edit::replace(span, text))
}

fn json_word(python: &str) -> Option<&'static str> {
    match python {
        "None" => Some("null"),
        "True" => Some("true"),
        "False" => Some("false"),
        _ => None,
    }
}

/// The brackets that close `open`, at the end of the record.
fn closing(record: &str, open: &[Span]) -> Option<Edit> {
    let end = record.trim_end();
    // Cut off behind a comma or colon, something is missing that nobody can guess.
    if end.ends_with([',', ':']) {
        return None;
    }
    let close = |span: &Span| if span.of(record) == "{" { '}' } else { ']' };
    let text: String = open.iter().rev().map(close).collect();
    Some(edit::replace(Span::empty(end.len()), text))
}

/// J005: text after the record's value.
fn extra_data(record: &str, json: &Json, extra: Span) -> Finding {
    let rest = extra.of(record);
    let starts_record = rest.starts_with(['{', '[']);
    let message = if starts_record {
        "a second record on this line: put each on a line of its own"
    } else {
        "text after the record: delete it, or put it inside"
    };
    let span = Span::new(extra.start, extra.start + rest.chars().next().map_or(0, char::len_utf8));
    let finding = Finding::new("J005", Severity::Error, span, message);
    let gap = Span::new(json.end().min(extra.start), extra.start);
    let on_one_line = !record.contains('\n') && gap.of(record).trim().is_empty();
    if starts_record && on_one_line {
        finding.with_fix(Fix::safe("Split the line", gap, "\n"))
    } else {
        finding
    }
}

/// J003 and J004: JSON that readers take differently.
pub(super) fn soundness(record: &str, json: &Json) -> Vec<Finding> {
    let mut keys = Vec::new();
    let mut odd: Vec<Finding> = Vec::new();
    for problem in json.problems() {
        match problem.kind {
            ProblemKind::DuplicateKey => keys.push(problem.span),
            ProblemKind::LoneSurrogate => odd.push(lone_surrogate(record, problem.span)),
            ProblemKind::ControlCharacter => odd.push(control_character(record, problem.span)),
            _ => {}
        }
    }
    odd.extend(duplicate_keys(record, json, &keys));
    odd
}

fn lone_surrogate(record: &str, span: Span) -> Finding {
    let message = format!(
        "`{}` is half of a character: Python reads it, tokenizers crash on it",
        span.of(record)
    );
    let fix = Fix::suggested("Replace by U+FFFD", span, "\\ufffd");
    Finding::new("J004", Severity::Error, span, message).with_fix(fix)
}

fn control_character(record: &str, span: Span) -> Finding {
    let ch = span.of(record).chars().next().unwrap_or('\0');
    let written = escape::encode(span.of(record), Style::default());
    let message =
        format!("a raw control character (U+{:04X}) in a string: write `{written}`", u32::from(ch));
    let fix = Fix::suggested(format!("Escape as `{written}`"), span, written);
    Finding::new("J004", Severity::Error, span, message).with_fix(fix)
}

/// J003, each with the fix that keeps the last value, as JSON readers do.
fn duplicate_keys(record: &str, json: &Json, later: &[Span]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (Some(root), false) = (json.root(record), later.is_empty()) else { return findings };
    let mut values = vec![root];
    while let Some(value) = values.pop() {
        if value.kind() == Kind::Array {
            values.extend(value.items());
            continue;
        }
        let members = edit::members(value);
        let mut earlier: HashMap<String, Span> = HashMap::new();
        for member in value.members() {
            values.push(member.value);
            let key = member.key.decode().into_owned();
            let before = earlier.insert(key, member.key.quoted);
            if let (Some(before), Ok(_)) = (before, later.binary_search(&member.key.quoted)) {
                findings.push(duplicate_key(&members, member.key, before));
            }
        }
    }
    findings
}

fn duplicate_key(members: &[Span], key: Literal<'_>, before: Span) -> Finding {
    let message = format!("key `{}` is here twice: readers keep the last", key.decode());
    let mut finding = Finding::new("J003", Severity::Error, key.quoted, message);
    if let Some(edit) = edit::remove(members, before.start) {
        finding.fixes.push(Fix {
            title: "Keep the last".to_owned(),
            edits: vec![edit],
            safety: Safety::Suggested,
        });
    }
    finding
}
