//! M001 (missing content), M006, M007: does every message say something, in a
//! form that trainers read?

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::json::{Kind, Value};
use crate::transcript::{Role, Shape};

use super::roles::inside;
use super::{Part, Subject, edit};

/// M001, M006, M007.
pub(super) fn check(subject: &mut Subject<'_>) {
    let typed = needs_type(subject);
    let mut is_known = false;
    for part in subject.parts() {
        // One finding for all messages that keep their text elsewhere: M002 names the keys.
        if !is_known && is_elsewhere(&part, subject.shape()) {
            is_known = true;
            subject.report(missing(&part, subject.shape()));
        }
        let shape = subject.shape();
        let finding = match part.slot.content {
            None if may_be_silent(&part) => None,
            None => Some(missing(&part, shape)),
            Some(value) if value.is_null() && may_be_silent(&part) => None,
            Some(value) => wrong_kind(subject, &part, value, typed).or_else(|| empty(&part, value)),
        };
        subject.findings.extend(finding);
    }
}

/// The text stands under a key this shape does not know (`text`, `value`).
fn is_elsewhere(part: &Part<'_>, shape: Shape) -> bool {
    !matches!(shape, Shape::ShareGpt | Shape::Gemini)
        && !part.slot.implied
        && !part.slot.plain
        && part.slot.content.is_some()
        && part.slot.source.get("content").is_none()
}

/// Parts carry a `type` everywhere but on Bedrock and Gemini.
fn needs_type(subject: &Subject<'_>) -> bool {
    subject.shape() != Shape::Gemini && subject.root.get("schemaVersion").is_none()
}

/// Calls, a refusal or audio can stand without text.
fn may_be_silent(part: &Part<'_>) -> bool {
    let says = |key: &str| part.slot.source.get(key).is_some_and(|v| !v.is_null());
    !part.message.tool_calls.is_empty()
        || ["tool_calls", "function_call", "refusal", "audio"].into_iter().any(says)
}

/// M001.
fn missing(part: &Part<'_>, shape: Shape) -> Finding {
    let key = match shape {
        Shape::ShareGpt => "value",
        Shape::Gemini => "parts",
        _ => "content",
    };
    let message = format!("the message has no `{key}`: write what is said, or delete the message");
    part.finding("M001", Severity::Error, part.head(), message)
}

/// M006.
fn empty(part: &Part<'_>, value: Value<'_>) -> Option<Finding> {
    let message = part.message;
    let silent = message.is_blank && !message.has_other_parts && message.tool_calls.is_empty();
    // A tool may answer nothing.
    let fine = message.role == Role::Tool && !value.is_null();
    if !silent || fine || may_be_silent(part) {
        return None;
    }
    let what = match value.kind() {
        Kind::Null => "null",
        _ if message.is_empty => "empty",
        _ => "only white space",
    };
    let who = match message.role {
        Role::User => "the user's text",
        Role::Assistant => "the reply",
        _ => "the text",
    };
    let text = format!("{who} is {what}: write what is said, or delete the message");
    Some(part.finding("M006", Severity::Error, inside(value), text))
}

/// M007.
fn wrong_kind(
    subject: &Subject<'_>,
    part: &Part<'_>,
    value: Value<'_>,
    typed: bool,
) -> Option<Finding> {
    let error = |span, message: String| part.finding("M007", Severity::Error, span, message);
    match value.kind() {
        Kind::Array => wrong_part(subject, part, value, typed),
        Kind::Number | Kind::Bool => {
            let what = value.kind().with_article();
            let finding = error(value.span(), format!("the text is {what}: put it in quotes"));
            let text = format!("\"{}\"", value.raw());
            Some(finding.with_fix(Fix::suggested("Put it in quotes", value.span(), text)))
        }
        Kind::Object if part.slot.implied && part.slot.role == Role::System => None,
        Kind::Object => {
            let finding = error(
                part.head(),
                "the content is an object: it must be a string or a list of parts".to_owned(),
            );
            let text = format!("[{}]", value.raw());
            let is_part = value.get("type").is_some();
            let fix = Fix::suggested("Wrap in a list", value.span(), text);
            Some(if is_part { finding.with_fix(fix) } else { finding })
        }
        Kind::String if subject.shape() == Shape::Gemini && !part.slot.implied => {
            let finding = error(inside(value), "`parts` is a string: it must be a list".to_owned());
            let text = format!("[{}]", text_part(subject, value, false));
            Some(finding.with_fix(Fix::suggested("Wrap as a part", value.span(), text)))
        }
        _ => None,
    }
}

/// The first part of a content list that is wrong, with all like it in the fix.
fn wrong_part(
    subject: &Subject<'_>,
    part: &Part<'_>,
    list: Value<'_>,
    typed: bool,
) -> Option<Finding> {
    let wrong = |item: Value<'_>| Wrong::of(item, typed, part);
    let (first, why) = list.items().find_map(|item| Some((item, wrong(item)?)))?;
    let edits: Vec<Edit> = list
        .items()
        .filter(|item| wrong(*item) == Some(why))
        .filter_map(|item| why.edit(subject, item, typed))
        .collect();
    let span = match why {
        Wrong::ValueForText => first.member("value").map(|m| m.key.quoted),
        _ => None,
    };
    let head = if first.kind() == Kind::Object {
        crate::text::Span::new(first.span().start, first.span().start + 1)
    } else {
        inside(first)
    };
    let finding =
        part.finding("M007", Severity::Error, span.unwrap_or(head), why.message(first.kind()));
    let fix = why.title().filter(|_| !edits.is_empty()).map(|title| Fix {
        title: title.to_owned(),
        edits,
        safety: Safety::Suggested,
    });
    Some(fix.into_iter().fold(finding, Finding::with_fix))
}

/// What can be wrong with one part of a content list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    BareString,
    NotAnObject,
    NoType,
    ValueForText,
    NoText,
}

impl Wrong {
    fn of(item: Value<'_>, typed: bool, part: &Part<'_>) -> Option<Self> {
        match item.kind() {
            // A list of strings is how Anthropic-like system prompts may be written.
            Kind::String if part.slot.implied && part.slot.role == Role::System => return None,
            Kind::String => return Some(Self::BareString),
            Kind::Object => {}
            _ => return Some(Self::NotAnObject),
        }
        let text_is_string = item.get("text").is_some_and(|t| t.kind() == Kind::String);
        match item.get("type").and_then(Value::str).as_deref() {
            None if typed && !(part.slot.implied && part.slot.role == Role::System) => {
                Some(Self::NoType)
            }
            Some("text") if text_is_string => None,
            Some("text") if item.get("value").is_some() => Some(Self::ValueForText),
            Some("text") => Some(Self::NoText),
            _ => None,
        }
    }

    fn message(self, kind: Kind) -> String {
        let text = match self {
            Self::BareString => "a bare string in a list of parts: wrap it as a text part",
            Self::NotAnObject => return format!("a part is {}: delete it", kind.with_article()),
            Self::NoType => "the part has no `type`: say `text`, `image_url`, …",
            Self::ValueForText => "a text part keeps its text in `text`, not `value`",
            Self::NoText => "the text part has no `text`",
        };
        text.to_owned()
    }

    const fn title(self) -> Option<&'static str> {
        match self {
            Self::BareString => Some("Wrap as a text part"),
            Self::NoType => Some("Add `\"type\": \"text\"`"),
            Self::ValueForText => Some("Rename key to `text`"),
            Self::NotAnObject | Self::NoText => None,
        }
    }

    fn edit(self, subject: &Subject<'_>, item: Value<'_>, typed: bool) -> Option<Edit> {
        match self {
            Self::BareString => Some(edit::replace(item.span(), text_part(subject, item, typed))),
            Self::NoType => {
                item.get("text").filter(|t| t.kind() == Kind::String)?;
                Some(edit::insert_first(subject.record, item, "type", "\"text\""))
            }
            Self::ValueForText => {
                item.get("text").is_none().then_some(())?;
                item.member("value").map(|m| edit::rewrite(m.key, "text", subject.style()))
            }
            Self::NotAnObject | Self::NoText => None,
        }
    }
}

/// A string as a text part.
fn text_part(subject: &Subject<'_>, text: Value<'_>, typed: bool) -> String {
    let colon = edit::colon(subject.record, subject.root);
    let gap = if colon.ends_with(' ') { " " } else { "" };
    let kind = if typed { format!("\"type\"{colon}\"text\",{gap}") } else { String::new() };
    format!("{{{kind}\"text\"{colon}{}}}", text.raw())
}
