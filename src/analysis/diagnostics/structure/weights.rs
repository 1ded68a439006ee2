//! W001, W002, W003: what is trained on, said in values that trainers accept.

use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Member, Value};
use crate::transcript::{Role, Shape};

use super::roles::inside;
use super::{Part, Subject, edit};

/// W001, W002, W003.
pub(super) fn check(subject: &mut Subject<'_>) {
    let by_openai_rules = !matches!(subject.shape(), Shape::ShareGpt | Shape::Gemini);
    for part in subject.odd_parts().filter(|p| p.slot.source.kind() == Kind::Object) {
        for member in part.slot.source.members() {
            let key = member.key.decode();
            let finding = match key.as_ref() {
                "weight" => weight(&part, member.value),
                "train" | "training" => train(&part, member.value),
                "loss_weight" => loss_weight(&part, member.value),
                _ => None,
            };
            subject.findings.extend(finding);
        }
        let weight = part.slot.source.member("weight").filter(|_| by_openai_rules);
        subject.findings.extend(weight.and_then(|member| misplaced(&part, member)));
    }
    untrained(subject);
}

/// W001 for `weight`: the integers 0 and 1.
fn weight(part: &Part<'_>, value: Value<'_>) -> Option<Finding> {
    if matches!(value.integer(), Some(0 | 1)) || value.is_null() {
        return None;
    }
    let message = format!("weight {} must be the integer 0 or 1", value.raw());
    let finding = part.finding("W001", Severity::Error, inside(value), message);
    let word = value.str().unwrap_or_else(|| value.raw().into());
    let number = word.trim().parse::<f64>().ok();
    let meant = match (number, value.bool()) {
        (Some(n), _) if n.abs() < f64::EPSILON => "0",
        (Some(n), _) if (n - 1.0).abs() < f64::EPSILON => "1",
        (_, Some(true)) => "1",
        (_, Some(false)) => "0",
        _ => return Some(finding),
    };
    let title = format!("Write {meant}");
    let fix = if value.kind() == Kind::Number {
        Fix::safe(title, value.span(), meant)
    } else {
        Fix::suggested(title, value.span(), meant)
    };
    Some(finding.with_fix(fix))
}

/// W001 for Axolotl's `train`: true or false.
fn train(part: &Part<'_>, value: Value<'_>) -> Option<Finding> {
    if matches!(value.kind(), Kind::Bool | Kind::Null) {
        return None;
    }
    let message = format!("{} must be true or false", value.raw());
    let finding = part.finding("W001", Severity::Error, inside(value), message);
    let word = value.str().unwrap_or_else(|| value.raw().into());
    let meant = match word.trim().to_lowercase().as_str() {
        "1" | "true" | "1.0" => "true",
        "0" | "false" | "0.0" => "false",
        _ => return Some(finding),
    };
    Some(finding.with_fix(Fix::suggested(format!("Write {meant}"), value.span(), meant)))
}

/// W001 for LLaMA-Factory's `loss_weight`: a number.
fn loss_weight(part: &Part<'_>, value: Value<'_>) -> Option<Finding> {
    let message = format!("loss_weight {} must be a number", value.raw());
    (!matches!(value.kind(), Kind::Number | Kind::Null))
        .then(|| part.finding("W001", Severity::Error, inside(value), message))
}

/// W002.
fn misplaced(part: &Part<'_>, member: Member<'_>) -> Option<Finding> {
    if matches!(part.message.role, Role::Assistant | Role::Unknown) || member.value.is_null() {
        return None;
    }
    let who = part.message.role.name();
    let message = format!("a weight on a {who} message: only assistant messages are trained");
    let finding = part.finding("W002", Severity::Warning, member.key.quoted, message);
    let edit = edit::remove(&edit::members(part.slot.source), member.key.quoted.start)?;
    Some(finding.with_fix(Fix::suggested("Delete the weight", edit.span, edit.text)))
}

/// W003.
fn untrained(subject: &mut Subject<'_>) {
    let said = subject.conversation().iter().map(|p| p.message);
    let mut replies = said.filter(|m| m.role == Role::Assistant);
    let has_replies = replies.clone().next().is_some();
    if !has_replies || !replies.all(|m| m.untrained) {
        return;
    }
    let span: Span = subject.draft.anchor;
    let message = "no reply is trained on: every assistant message is switched off";
    subject.report(Finding::new("W003", Severity::Error, span, message));
}
