//! M001 (missing role), M003, M004, M005: does every message say who speaks, in
//! a word its shape knows? A trainer that does not know `human` in `messages`
//! renders the turn as nothing, and says nothing.

use crate::finding::{Finding, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Literal, Value};
use crate::transcript::{Role, Shape};

use super::nearest::nearest;
use super::shape::name;
use super::{Part, Subject, edit};

/// The role words a shape knows.
const fn known(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::ShareGpt => &[
            "human",
            "gpt",
            "system",
            "function_call",
            "observation",
            "user",
            "assistant",
            "tool",
            "chatgpt",
        ],
        Shape::Gemini => &["user", "model", "function"],
        // `function` is legacy: K010 says so.
        _ => &["system", "user", "assistant", "tool", "developer", "function"],
    }
}

/// M001, M003, M004, M005.
pub(super) fn check(subject: &mut Subject<'_>) {
    let shape = subject.shape();
    let sharegpt_words = shape == Shape::ShareGpt && !uses_plain_words(subject);
    let mut is_known = false;
    for part in subject.parts() {
        if part.slot.implied {
            continue;
        }
        // One finding for all messages that name the speaker elsewhere: M002 names the key.
        let elsewhere = !is_known
            && shape != Shape::ShareGpt
            && !part.slot.plain
            && part.slot.role_value.is_some()
            && part.slot.source.get("role").is_none();
        if elsewhere {
            is_known = true;
            subject.report(missing(&part, shape));
        }
        let finding = match part.slot.role_value {
            None => Some(missing(&part, shape)),
            Some(value) => match value.literal() {
                Some(word) => check_word(subject, &part, word, sharegpt_words),
                None => Some(not_a_word(&part, value)),
            },
        };
        subject.findings.extend(finding);
    }
}

/// The record says `user`, not `human`.
fn uses_plain_words(subject: &Subject<'_>) -> bool {
    let plain = |part: &Part<'_>| {
        part.slot.role_value.is_some_and(|v| matches!(v.raw(), r#""user""# | r#""assistant""#))
    };
    subject.parts().any(|part| plain(&part))
}

fn missing(part: &Part<'_>, shape: Shape) -> Finding {
    let key = if shape == Shape::ShareGpt { "from" } else { "role" };
    let message = format!("the message has no `{key}`: say who speaks");
    part.finding("M001", Severity::Error, part.head(), message)
}

/// M005.
fn not_a_word(part: &Part<'_>, value: Value<'_>) -> Finding {
    let message = format!("the role is {}: it must be a string", value.kind().with_article());
    let span = if value.kind() == Kind::Object { part.head() } else { value.span() };
    part.finding("M005", Severity::Error, span, message)
}

/// M003 and M004.
fn check_word(
    subject: &Subject<'_>,
    part: &Part<'_>,
    literal: Literal<'_>,
    sharegpt_words: bool,
) -> Option<Finding> {
    let shape = subject.shape();
    let word = literal.decode();
    if known(shape).contains(&word.as_ref()) {
        return None;
    }
    let span = if literal.inner.is_empty() { literal.quoted } else { literal.inner };
    let rename = |to: &str, safety| {
        let title = format!("Rename role to `{to}`");
        Fix { title, edits: vec![edit::rewrite(literal, to, subject.style())], safety }
    };
    let tidy = word.trim().to_lowercase();
    if known(shape).contains(&tidy.as_str()) {
        let message = format!("role `{word}` must be written `{tidy}`");
        let finding = part.finding("M004", Severity::Error, span, message);
        return Some(finding.with_fix(rename(&tidy, Safety::Safe)));
    }
    let alias = own_word(part.slot.role, shape, sharegpt_words)
        .filter(|_| !matches!(tidy.as_str(), "function_call" | "tool_call"));
    let fix = match alias {
        Some(alias) => Some(rename(alias, Safety::Safe)),
        None => {
            nearest(&word, known(shape).iter().copied()).map(|near| rename(near, Safety::Suggested))
        }
    };
    let message = unknown(&word, shape, part.slot.role, fix.as_ref());
    let finding = part.finding("M003", Severity::Error, span, message);
    Some(fix.into_iter().fold(finding, Finding::with_fix))
}

fn unknown(word: &str, shape: Shape, role: Role, fix: Option<&Fix>) -> String {
    let what = format!("role `{word}` is unknown in {}", name(shape));
    if shape == Shape::Gemini && role == Role::System {
        return format!("{what}: move the text to `systemInstruction`");
    }
    match fix {
        Some(fix) => format!("{what}: {}", fix.title.replacen("Rename", "rename", 1)),
        None => format!("{what}: use one of {}", known(shape).join(", ")),
    }
}

/// What this shape calls a role.
fn own_word(role: Role, shape: Shape, sharegpt_words: bool) -> Option<&'static str> {
    Some(match (shape, role) {
        (_, Role::Unknown) | (Shape::Gemini, Role::System) => return None,
        (Shape::Gemini, Role::Assistant) => "model",
        (Shape::Gemini, Role::Tool) => "function",
        (Shape::ShareGpt, Role::User) if sharegpt_words => "human",
        (Shape::ShareGpt, Role::Assistant) if sharegpt_words => "gpt",
        (Shape::ShareGpt, Role::Tool) if sharegpt_words => "observation",
        (_, role) => role.name(),
    })
}

/// The inside of a string, or all of another value.
pub(super) fn inside(value: Value<'_>) -> Span {
    value.literal().map_or(value.span(), |l| if l.inner.is_empty() { l.quoted } else { l.inner })
}
