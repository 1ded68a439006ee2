//! K007 and K009: does every call have its result, every result its call, and
//! every record with calls its tools?

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Value};
use crate::transcript::Role;

use super::{Part, Subject};

/// K007, K009.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts: Vec<Part<'_>> = subject.parts().take(subject.transcript.messages.len()).collect();
    if parts.iter().all(|p| results_are_messages(p)) {
        pair_up(subject, &parts);
    }
    tools(subject, &parts);
}

/// False where results ride in content parts (Anthropic, Gemini), several in one message.
fn results_are_messages(part: &Part<'_>) -> bool {
    let message = part.message;
    let written = part.slot.role_value.and_then(Value::str);
    let named_tool = written.is_some_and(|name| Role::named(&name) == Role::Tool);
    let calls_in_parts = part.slot.content.is_some_and(|content| {
        let inside = |call: &crate::transcript::ToolCall| content.span().covers(call.source);
        content.kind() == Kind::Array && message.tool_calls.iter().any(inside)
    });
    (message.role != Role::Tool || named_tool) && !calls_in_parts
}

/// A call that waits for its result.
struct Waiting<'a> {
    id: Option<&'a str>,
    source: Span,
    part: Part<'a>,
}

/// K007. Calls at the very end wait for nothing: the record may stop there.
fn pair_up(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let mut waiting: Vec<Waiting<'_>> = Vec::new();
    for part in parts {
        if part.message.role == Role::Tool {
            match answered(&waiting, part) {
                Some(at) => {
                    waiting.remove(at);
                }
                None => subject.report(extra(part)),
            }
            continue;
        }
        for call in waiting.drain(..) {
            subject.report(unanswered(&call));
        }
        waiting.extend(part.message.tool_calls.iter().map(|call| Waiting {
            id: call.id.as_deref(),
            source: call.source,
            part: *part,
        }));
    }
}

/// The call a result belongs to: by id where both have one, else the first.
fn answered(waiting: &[Waiting<'_>], result: &Part<'_>) -> Option<usize> {
    let Some(id) = result.message.tool_call_id.as_deref() else {
        return (!waiting.is_empty()).then_some(0);
    };
    let same = waiting.iter().position(|call| call.id == Some(id));
    same.or_else(|| waiting.iter().position(|call| call.id.is_none()))
}

fn extra(part: &Part<'_>) -> Finding {
    let message = match part.message.tool_call_id.as_deref() {
        Some(id) => format!("no call before this result has the id `{id}`"),
        None => "a tool result without a call before it".to_owned(),
    };
    part.finding("K007", Severity::Warning, part.head(), message)
}

fn unanswered(call: &Waiting<'_>) -> Finding {
    let span = Span::new(call.source.start, call.source.start + 1);
    let message = "the call has no result before the next message: add a tool message";
    call.part.finding("K007", Severity::Warning, span, message)
}

/// K009.
fn tools(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let declared = ["tools", "functions", "available_tools", "toolConfig"]
        .into_iter()
        .filter_map(|key| subject.root.member(key))
        .chain(subject.root.get("input").and_then(|input| input.member("tools")))
        .find(|m| {
            let text = m.value.str().is_some_and(|s| !matches!(s.trim(), "" | "[]"));
            text || m.value.items().next().is_some() || m.value.kind() == Kind::Object
        });
    let all = subject.parts().find(|p| !p.message.tool_calls.is_empty());
    let call = parts.iter().copied().find(|p| !p.message.tool_calls.is_empty()).or(all);
    match (declared, call) {
        (Some(tools), None) => {
            let message = "tools are declared, and none is called";
            subject.report(Finding::new("K009", Severity::Hint, tools.key.quoted, message));
        }
        (None, Some(part)) => {
            let start = part.message.tool_calls.first().map_or(0, |call| call.source.start);
            let message =
                "a tool is called, and no `tools` are declared: templates cannot show them";
            let span = Span::new(start, start + 1);
            subject.report(part.finding("K009", Severity::Hint, span, message));
        }
        _ => {}
    }
}
