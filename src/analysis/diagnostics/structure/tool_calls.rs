//! K001 and K002: does every tool call have its keys, and arguments that are
//! JSON, written once as a string?

use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::escape;
use crate::text::json::{self, DEPTH_LIMIT, Kind, Value};
use crate::transcript::digest::canonical;
use crate::transcript::message::message;
use crate::transcript::role::is_call_name;

use super::roles::inside;
use super::{Part, Subject, edit};

/// K001, K002.
pub(super) fn check(subject: &mut Subject<'_>) {
    for part in subject.odd_parts() {
        if let Some(calls) = part.slot.source.get("tool_calls") {
            check_list(subject, &part, calls);
        }
        if let Some(call) = legacy_call(&part) {
            check_arguments(subject, &part, call);
        }
        check_written(subject, &part);
    }
}

/// The `function_call` of a message, when it is one.
pub(super) fn legacy_call<'a>(part: &Part<'a>) -> Option<Value<'a>> {
    part.slot.source.get("function_call").filter(|v| v.kind() == Kind::Object)
}

/// The calls in `tool_calls` that are objects, each with its `function`.
pub(super) fn listed_calls<'a>(
    part: &Part<'a>,
) -> impl Iterator<Item = (Value<'a>, Value<'a>)> + use<'a> {
    let calls = part.slot.source.get("tool_calls").into_iter().flat_map(Value::items);
    calls.filter(|c| c.kind() == Kind::Object).map(|call| {
        let function = call.get("function").filter(|f| f.kind() == Kind::Object);
        (call, function.unwrap_or(call))
    })
}

fn brace(value: Value<'_>) -> Span {
    let span = value.span();
    if value.kind() == Kind::Object { Span::new(span.start, span.start + 1) } else { span }
}

fn check_list(subject: &mut Subject<'_>, part: &Part<'_>, calls: Value<'_>) {
    let error = |span, message: String| part.finding("K001", Severity::Error, span, message);
    if !matches!(calls.kind(), Kind::Array | Kind::Null) {
        let kind = calls.kind().with_article();
        subject.report(error(brace(calls), format!("`tool_calls` is {kind}: it must be a list")));
        return;
    }
    for call in calls.items().filter(|c| c.kind() != Kind::Object) {
        let kind = call.kind().with_article();
        subject.report(error(call.span(), format!("a tool call is {kind}: it must be an object")));
    }
    for (call, function) in listed_calls(part) {
        subject.findings.extend(missing_keys(subject.record, part, call, function));
        check_arguments(subject, part, function);
    }
}

/// K001 for keys, all in one finding.
fn missing_keys(
    record: &str,
    part: &Part<'_>,
    call: Value<'_>,
    function: Value<'_>,
) -> Option<Finding> {
    let is_text = |v: Option<Value<'_>>| v.and_then(Value::str).is_some_and(|s| !s.is_empty());
    let mut missing = Vec::new();
    if !is_text(call.get("id")) {
        missing.push("`id`");
    }
    if !is_text(call.get("type")) {
        missing.push("`type`");
    }
    let has_function = call.get("function").is_some_and(|f| f.kind() == Kind::Object);
    if !has_function {
        missing.push("`function`");
    } else if !is_text(function.get("name")) {
        missing.push("`function.name`");
    }
    if has_function && function.get("arguments").is_none() {
        missing.push("`function.arguments`");
    }
    if missing.is_empty() {
        return None;
    }
    let message = format!("the tool call has no {}", missing.join(", no "));
    let finding = part.finding("K001", Severity::Error, brace(call), message);
    if missing == ["`type`"] && call.get("type").is_none() {
        let edit = edit::insert_first(record, call, "type", "\"function\"");
        return Some(finding.with_fix(Fix::safe("Add the type", edit.span, edit.text)));
    }
    Some(finding)
}

/// K001 and K002 for the `arguments` of `function`.
fn check_arguments(subject: &mut Subject<'_>, part: &Part<'_>, function: Value<'_>) {
    let Some(arguments) = function.get("arguments") else { return };
    let finding = match arguments.kind() {
        Kind::String => check_string(subject, part, arguments),
        kind => {
            let message =
                format!("the arguments are {}: write them as a JSON string", kind.with_article());
            let finding = part.finding("K001", Severity::Error, brace(arguments), message);
            Some(match kind {
                Kind::Object => finding.with_fix(stringify(subject, arguments)),
                Kind::Null => finding.with_fix(Fix::suggested(
                    "Write no arguments",
                    arguments.span(),
                    "\"{}\"",
                )),
                _ => finding,
            })
        }
    };
    subject.findings.extend(finding);
}

fn stringify(subject: &Subject<'_>, arguments: Value<'_>) -> Fix {
    let raw = arguments.raw();
    let text = if raw.contains('\n') { canonical(raw) } else { raw.to_owned() };
    let written = edit::quoted(&text, subject.style());
    Fix::safe("Write the arguments as a JSON string", arguments.span(), written)
}

/// K002.
fn check_string(subject: &Subject<'_>, part: &Part<'_>, arguments: Value<'_>) -> Option<Finding> {
    let text = arguments.str()?;
    let error = |message: &str| part.finding("K002", Severity::Error, inside(arguments), message);
    let Some((kind, decoded)) = parsed(&text) else {
        let finding = error("the arguments are not JSON: write an object, such as `{}`");
        let fix = Fix::suggested("Write no arguments", arguments.span(), "\"{}\"");
        return Some(if text.trim().is_empty() { finding.with_fix(fix) } else { finding });
    };
    match (kind, decoded) {
        (Kind::Object, _) => None,
        (Kind::String, Some(inner)) if parsed(&inner).is_some() => {
            let finding = error("the arguments are encoded twice: a JSON string inside a string");
            let literal = arguments.literal()?;
            let encoded = escape::encode(&inner, subject.style());
            Some(finding.with_fix(Fix::suggested("Decode once", literal.inner, encoded)))
        }
        (kind, _) => {
            let what = kind.with_article();
            Some(error(&format!("the arguments are {what} in JSON: they must be an object")))
        }
    }
}

/// What JSON text holds: its kind, and the text of a string. `None` when it is no JSON.
fn parsed(text: &str) -> Option<(Kind, Option<String>)> {
    let json = json::parse(text, DEPTH_LIMIT);
    let root = json.root(text).filter(|_| json.syntax_problem().is_none())?;
    Some((root.kind(), root.str().map(Into::into)))
}

/// ShareGPT's `function_call`: the text is the call, as JSON.
fn check_written(subject: &mut Subject<'_>, part: &Part<'_>) {
    let is_call = part.slot.role_value.and_then(Value::str).is_some_and(|n| is_call_name(&n));
    if !is_call || !part.message.tool_calls.is_empty() || part.message.is_blank {
        return;
    }
    let Some(content) = part.slot.content else { return };
    let (code, message) = match parsed(&message(part.slot).text) {
        None => {
            ("K002", "the function call is not JSON: write `{\"name\": …, \"arguments\": {…}}`")
        }
        Some(_) => ("K001", "the function call has no `name`"),
    };
    subject.report(part.finding(code, Severity::Error, inside(content), message));
}
