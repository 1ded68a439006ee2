//! K010: `functions`, `function_call` and the role `function`, which `tools`,
//! `tool_calls` and the role `tool` replaced. The fix moves the whole record over:
//! half of it would be worse than none.

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Member};
use crate::transcript::Shape;

use super::roles::inside;
use super::tool_calls::legacy_call;
use super::{Part, Subject, edit};

/// Findings of one record that carry the fix.
const FIXES_SHOWN: usize = 50;

/// K010.
pub(super) fn check(subject: &mut Subject<'_>) {
    if matches!(subject.shape(), Shape::ShareGpt | Shape::Gemini | Shape::Pairs) {
        return;
    }
    let functions = subject.root.member("functions").filter(|m| m.value.kind() == Kind::Array);
    let parts: Vec<Part<'_>> = subject.odd_parts().collect();
    let calls: Vec<&Part<'_>> = parts.iter().filter(|p| legacy_call(p).is_some()).collect();
    let results: Vec<&Part<'_>> = parts.iter().filter(|p| is_function(p)).collect();
    if functions.is_none() && calls.is_empty() && results.is_empty() {
        return;
    }
    let fix = migration(subject, functions, &parts);
    let mut found = Vec::new();
    let message = "`functions` is legacy: declare `tools`";
    found.extend(functions.map(|m| Finding::new("K010", Severity::Warning, m.key.quoted, message)));
    for part in calls {
        if let Some(member) = part.slot.source.member("function_call") {
            let message = "`function_call` is legacy: write `tool_calls`";
            found.push(part.finding("K010", Severity::Warning, member.key.quoted, message));
        }
    }
    for part in results {
        if let Some(role) = part.slot.role_value {
            let message = "role `function` is legacy: write `tool`";
            found.push(part.finding("K010", Severity::Warning, inside(role), message));
        }
    }
    for (index, finding) in found.into_iter().enumerate() {
        // The fix is as long as the record has calls; it need not stand at each.
        let fix = fix.iter().filter(|_| index < FIXES_SHOWN).cloned();
        subject.report(fix.fold(finding, Finding::with_fix));
    }
}

fn is_function(part: &Part<'_>) -> bool {
    part.slot.role_value.is_some_and(|role| role.raw() == "\"function\"")
}

/// All edits; `None` when the record has both old and new, and only a person can tell.
fn migration(
    subject: &Subject<'_>,
    functions: Option<Member<'_>>,
    parts: &[Part<'_>],
) -> Option<Fix> {
    let mut edits = Vec::new();
    if let Some(functions) = functions {
        if subject.root.get("tools").is_some() {
            return None;
        }
        edits.push(edit::rewrite(functions.key, "tools", subject.style()));
        for item in functions.value.items() {
            edits.extend(wrapped(subject, item.span()));
        }
    }
    let mut number = 0;
    for part in parts {
        if let Some(call) = legacy_call(part) {
            if part.slot.source.get("tool_calls").is_some() {
                return None;
            }
            number += 1;
            edits.extend(call_edits(subject, part, call.span(), number)?);
        }
        if is_function(part) {
            edits.extend(result_edits(subject, part, number)?);
        }
    }
    let title = "Migrate to `tools` and `tool_calls`".to_owned();
    Some(Fix { title, edits, safety: Safety::Safe })
}

/// `: ` or `:`, and the space after a comma, as this record writes them.
fn spacing<'a>(subject: &Subject<'a>) -> (&'a str, &'a str) {
    let colon = edit::colon(subject.record, subject.root);
    (colon, if colon.ends_with(' ') { " " } else { "" })
}

/// `{…}` → `{"type": "function", "function": {…}}`
fn wrapped(subject: &Subject<'_>, function: Span) -> [Edit; 2] {
    let (colon, gap) = spacing(subject);
    let before = format!("{{\"type\"{colon}\"function\",{gap}\"function\"{colon}");
    [
        edit::replace(Span::empty(function.start), before),
        edit::replace(Span::empty(function.end), "}"),
    ]
}

fn call_edits(
    subject: &Subject<'_>,
    part: &Part<'_>,
    call: Span,
    number: usize,
) -> Option<[Edit; 3]> {
    let (colon, gap) = spacing(subject);
    let key = part.slot.source.member("function_call")?.key;
    let before = format!(
        "[{{\"id\"{colon}\"call_{number}\",{gap}\"type\"{colon}\"function\",{gap}\"function\"{colon}"
    );
    Some([
        edit::rewrite(key, "tool_calls", subject.style()),
        edit::replace(Span::empty(call.start), before),
        edit::replace(Span::empty(call.end), "}]"),
    ])
}

fn result_edits(subject: &Subject<'_>, part: &Part<'_>, number: usize) -> Option<Vec<Edit>> {
    let (colon, gap) = spacing(subject);
    let role = part.slot.role_value?;
    let mut edits = vec![edit::replace(inside(role), "tool")];
    if part.slot.source.get("tool_call_id").is_none() && number > 0 {
        let id = format!(",{gap}\"tool_call_id\"{colon}\"call_{number}\"");
        edits.push(edit::replace(Span::empty(role.span().end), id));
    }
    Some(edits)
}
