//! F007: line ends that readers disagree on. Fixes that touch many places need
//! the file's text, and leave every record saying what it said.

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::json::{self, DEPTH_LIMIT, ProblemKind};

use super::file::FileInput;
use crate::transcript::facts::Mark;

/// F007, one finding a kind.
pub(super) fn check(input: &FileInput<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(mark) = input.facts.crlf {
        let message = format!("lines end in CR LF{}: write LF", times(mark));
        let edits = everywhere(input.text, "\r\n", "\n");
        findings.push(hint(mark.first, message, "Use LF line ends", edits));
    }
    if let Some(mark) = input.facts.lone_cr {
        let message = format!("a CR that ends no line{}: some readers split here", times(mark));
        let edits = input.text.and_then(lone_cr_edits).unwrap_or_default();
        findings.push(hint(mark.first, message, "Replace CR", edits));
    }
    if let Some(mark) = input.facts.separators {
        let message = format!(
            "a raw line separator U+2028 or U+2029{}: some readers split here",
            times(mark)
        );
        let mut edits = everywhere(input.text, "\u{2028}", "\\u2028");
        edits.extend(everywhere(input.text, "\u{2029}", "\\u2029"));
        findings.push(hint(mark.first, message, "Write as escapes", edits));
    }
    if input.facts.no_final_newline {
        let end = Span::empty(input.facts.bytes);
        let message = "the last line has no line end: a record appended later joins it";
        let edits = vec![Edit { span: end, text: "\n".to_owned() }];
        findings.push(hint(end, message.to_owned(), "Add the line end", edits));
    }
    findings
}

fn hint(span: Span, message: String, title: &str, edits: Vec<Edit>) -> Finding {
    let finding = Finding::new("F007", Severity::Hint, span, message);
    let fix = Fix { title: title.to_owned(), edits, safety: Safety::Safe };
    if fix.edits.is_empty() { finding } else { finding.with_fix(fix) }
}

fn times(mark: Mark) -> String {
    if mark.count == 1 { String::new() } else { format!(" ({} times)", mark.count) }
}

fn everywhere(text: Option<&str>, what: &str, with: &str) -> Vec<Edit> {
    let places = text.into_iter().flat_map(|t| t.match_indices(what));
    places
        .map(|(at, found)| Edit { span: Span::new(at, at + found.len()), text: with.to_owned() })
        .collect()
}

/// A lone CR between records ends a line, as it once did everywhere; inside a
/// record it is white space, and inside a string `\r`. `None` when a line with
/// one is no JSON, so that nobody can tell.
fn lone_cr_edits(text: &str) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        // The last line may end in a CR alone.
        let tail = if line.ends_with('\n') { "" } else { &line[body.len()..] };
        line_edits(body, start, &mut edits)?;
        let end = start + body.len();
        edits.extend((0..tail.len()).map(|i| edit(end + i, "\n")));
        start += line.len();
    }
    Some(edits)
}

fn line_edits(line: &str, start: usize, edits: &mut Vec<Edit>) -> Option<()> {
    if memchr::memchr(b'\r', line.as_bytes()).is_none() {
        return Some(());
    }
    let mut at = line.len() - line.trim_start_matches('\u{feff}').len();
    while at < line.len() {
        let rest = &line[at..];
        let json = json::parse(rest, DEPTH_LIMIT);
        let inside = |p: &&json::Problem| p.span.start < json.end();
        if json.problems().iter().filter(inside).any(|p| p.kind.is_syntax()) {
            return None;
        }
        let root = json.root(rest).map_or(Span::empty(rest.len()), |r| r.span());
        let in_string: Vec<usize> = json
            .problems()
            .iter()
            .filter(|p| p.kind == ProblemKind::ControlCharacter)
            .map(|p| p.span.start)
            .collect();
        for cr in memchr::memchr_iter(b'\r', &rest.as_bytes()[..root.end]) {
            let with = match () {
                () if cr < root.start => "\n",
                () if in_string.binary_search(&cr).is_ok() => "\\r",
                () => " ",
            };
            edits.push(edit(start + at + cr, with));
        }
        at += root.end.max(1);
    }
    Some(())
}

fn edit(at: usize, with: &str) -> Edit {
    Edit { span: Span::new(at, at + 1), text: with.to_owned() }
}
