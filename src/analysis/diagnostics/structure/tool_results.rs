//! K007 and K009: does every call have its result, every result its call, and
//! every record with calls its tools?

use std::collections::{HashMap, VecDeque};

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Value};
use crate::transcript::Role;

use super::{Part, Subject};

/// K007, K009.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts = subject.conversation();
    if parts.iter().all(|p| results_are_messages(p)) {
        pair_up(subject, parts);
    }
    tools(subject, parts);
}

/// False where results ride in content parts (Anthropic, Gemini), several in one message.
fn results_are_messages(part: &Part<'_>) -> bool {
    let message = part.message;
    if part.slot.plain {
        return true;
    }
    let written = part.slot.role_value.and_then(Value::str);
    let named_tool = written.is_some_and(|name| Role::named(&name) == Role::Tool);
    let calls_in_parts = part.slot.content.is_some_and(|content| {
        let inside = |call: &crate::transcript::ToolCall| content.span().covers(call.source);
        content.kind() == Kind::Array && message.tool_calls.iter().any(inside)
    });
    (message.role != Role::Tool || named_tool) && !calls_in_parts
}

/// The calls of one message, and which of them have their result.
#[derive(Default)]
struct Turn<'a> {
    calls: Vec<(Span, Part<'a>)>,
    done: Vec<bool>,
    /// Calls by id, and calls without one, in order.
    named: HashMap<&'a str, VecDeque<usize>>,
    nameless: VecDeque<usize>,
    /// No call before this one waits.
    first: usize,
}

impl<'a> Turn<'a> {
    fn of(part: Part<'a>) -> Self {
        let mut turn = Self::default();
        for (index, call) in part.message.tool_calls.iter().enumerate() {
            turn.calls.push((call.source, part));
            turn.done.push(false);
            match call.id.as_deref() {
                Some(id) => turn.named.entry(id).or_default().push_back(index),
                None => turn.nameless.push_back(index),
            }
        }
        turn
    }

    /// Gives a result to its call: by id where both have one, else to the first
    /// that waits. False when there is none.
    fn answer(&mut self, id: Option<&str>) -> bool {
        while self.done.get(self.first) == Some(&true) {
            self.first += 1;
        }
        let waits = |done: &[bool], queue: &mut VecDeque<usize>| {
            std::iter::from_fn(|| queue.pop_front()).find(|&at| !done[at])
        };
        let call = match id {
            None => Some(self.first).filter(|&at| at < self.calls.len()),
            Some(id) => self
                .named
                .get_mut(id)
                .and_then(|queue| waits(&self.done, queue))
                .or_else(|| waits(&self.done, &mut self.nameless)),
        };
        if let Some(at) = call {
            self.done[at] = true;
        }
        call.is_some()
    }

    fn unanswered(&self) -> impl Iterator<Item = Finding> {
        let calls = self.calls.iter().zip(&self.done).filter(|(_, done)| !**done);
        calls.map(|((source, part), _)| {
            let span = Span::new(source.start, source.start + 1);
            let message = "the call has no result before the next message: add a tool message";
            part.finding("K007", Severity::Warning, span, message)
        })
    }
}

/// K007. Calls at the very end wait for nothing: the record may stop there.
fn pair_up(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let mut turn = Turn::default();
    for part in parts {
        if part.message.role != Role::Tool {
            subject.findings.extend(turn.unanswered());
            turn = Turn::of(*part);
        } else if !turn.answer(part.message.tool_call_id.as_deref()) {
            subject.report(extra(part));
        }
    }
}

fn extra(part: &Part<'_>) -> Finding {
    let message = match part.message.tool_call_id.as_deref() {
        Some(id) => format!("no call before this result has the id `{id}`"),
        None => "a tool result without a call before it".to_owned(),
    };
    part.finding("K007", Severity::Warning, part.head(), message)
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
