//! K003: calls of tools that are not declared, and arguments that do not fit the
//! declared schema.
//!
//! Of JSON Schema it knows what tool schemas use: `type`, `required`,
//! `properties`, `additionalProperties: false`, `enum`, `items`. Everything
//! else is taken as fulfilled: better no finding than a false one.

use std::collections::HashMap;

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::json::{self, DEPTH_LIMIT, Kind, Value};

use super::roles::inside;
use super::tool_calls::{legacy_call, listed_calls};
use super::{Part, Subject};

/// Comparisons one call may cost.
const EFFORT: usize = 100_000;
/// Declared names that are listed in a message.
const NAMES_SHOWN: usize = 5;

/// K003.
pub(super) fn check(subject: &mut Subject<'_>) {
    let Some(tools) = declared(subject.root) else { return };
    for part in subject.odd_parts() {
        let functions = listed_calls(&part).map(|(_, f)| f).chain(legacy_call(&part));
        for function in functions {
            subject.findings.extend(check_call(&tools, &part, function));
        }
    }
}

/// The declared tools and their schemas; `None` when none can be read.
fn declared(root: Value<'_>) -> Option<HashMap<String, Option<Value<'_>>>> {
    let mut tools = HashMap::new();
    for key in ["tools", "functions"] {
        for tool in root.get(key).into_iter().flat_map(Value::items) {
            let function = tool.get("function").unwrap_or(tool);
            let name = function.get("name").and_then(Value::str)?;
            let schema = function.get("parameters").or_else(|| function.get("input_schema"));
            tools.insert(name.into_owned(), schema);
        }
    }
    (!tools.is_empty()).then_some(tools)
}

fn check_call(
    tools: &HashMap<String, Option<Value<'_>>>,
    part: &Part<'_>,
    function: Value<'_>,
) -> Option<Finding> {
    let name = function.get("name")?;
    let name_text = name.str().filter(|n| !n.is_empty())?;
    let warning = |span: Span, message| part.finding("K003", Severity::Warning, span, message);
    let Some(schema) = tools.get(name_text.as_ref()) else {
        let mut message = format!("tool `{name_text}` is not declared");
        if tools.len() <= NAMES_SHOWN {
            let mut known: Vec<&str> = tools.keys().map(String::as_str).collect();
            known.sort_unstable();
            message += &format!(": use {}", known.join(", "));
        }
        return Some(warning(inside(name), message));
    };
    let arguments = function.get("arguments")?;
    let text = arguments.str().unwrap_or_else(|| arguments.raw().into());
    let json = json::parse(&text, DEPTH_LIMIT);
    let value = json.root(&text).filter(|_| json.syntax_problem().is_none())?;
    // K002 speaks of arguments that are no object.
    let fault = schema.filter(|_| value.kind() == Kind::Object).and_then(|s| misfit(s, value))?;
    let message = format!("the arguments do not fit `{name_text}`: {fault}");
    Some(warning(inside(arguments), message))
}

/// The first place where `value` does not fit `schema`. Looks at no more than
/// [`EFFORT`] pairs of things, so that no schema makes it slow.
fn misfit(schema: Value<'_>, value: Value<'_>) -> Option<String> {
    let mut work = vec![(schema, value, String::new())];
    let mut effort = 0;
    while let Some((schema, value, path)) = work.pop() {
        let properties = schema.get("properties");
        let known = properties.map_or(0, |p| p.members().count());
        let required = schema.get("required").map_or(0, |r| r.items().count());
        let allowed = schema.get("enum").map_or(0, |e| e.items().count());
        let here = 1 + value.members().count() + value.items().count();
        effort += here * (1 + known + required) + allowed;
        if effort > EFFORT {
            return None;
        }
        if let Some(fault) = misfit_here(schema, value, &path) {
            return Some(fault);
        }
        let join =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        for member in value.members() {
            let key = member.key.decode();
            if let Some(inner) = properties.and_then(|p| p.get(&key)) {
                work.push((inner, member.value, join(&key)));
            }
        }
        if let Some(items) = schema.get("items").filter(|i| i.kind() == Kind::Object) {
            work.extend(value.items().map(|item| (items, item, join("[]"))));
        }
    }
    None
}

/// The first fault of `value` itself.
fn misfit_here(schema: Value<'_>, value: Value<'_>, path: &str) -> Option<String> {
    let at = if path.is_empty() { "the value".to_owned() } else { format!("`{path}`") };
    if !type_fits(schema, value) {
        let kind = value.kind().with_article();
        return Some(format!("{at} is {kind}, not {}", type_names(schema).join(" or ")));
    }
    let allowed = schema.get("enum").filter(|e| e.kind() == Kind::Array);
    if allowed.is_some_and(|allowed| !allowed.items().any(|other| is_same(other, value))) {
        return Some(format!("{at} is {}, which is not allowed", value.raw()));
    }
    if value.kind() != Kind::Object {
        return None;
    }
    let required = schema.get("required").into_iter().flat_map(Value::items);
    let lacking = required.filter_map(Value::str).find(|key| value.get(key).is_none());
    if let Some(key) = lacking {
        return Some(format!("`{key}` is missing"));
    }
    let closed = schema.get("additionalProperties").and_then(Value::bool) == Some(false);
    let properties = schema.get("properties").filter(|_| closed)?;
    let extra = value.members().find(|m| properties.get(&m.key.decode()).is_none())?;
    Some(format!("`{}` is not declared", extra.key.decode()))
}

fn is_same(left: Value<'_>, right: Value<'_>) -> bool {
    match (left.str(), right.str()) {
        (Some(left), Some(right)) => left == right,
        _ => left.raw() == right.raw() || left.number().is_some_and(|n| right.number() == Some(n)),
    }
}

/// The names in `type`, lower case (Gemini writes them in capitals).
fn type_names(schema: Value<'_>) -> Vec<String> {
    let Some(kind) = schema.get("type") else { return Vec::new() };
    let names = kind.str().into_iter().chain(kind.items().filter_map(Value::str));
    names.map(|name| name.to_lowercase()).collect()
}

fn type_fits(schema: Value<'_>, value: Value<'_>) -> bool {
    let names = type_names(schema);
    let fits = |name: &String| match name.as_str() {
        "string" => value.kind() == Kind::String,
        "number" => value.kind() == Kind::Number,
        "integer" => value.number().is_some_and(|n| n.fract() == 0.0),
        "boolean" => value.kind() == Kind::Bool,
        "array" => value.kind() == Kind::Array,
        "object" => value.kind() == Kind::Object,
        "null" => value.is_null(),
        _ => true,
    };
    names.is_empty() || names.iter().any(fits)
}
