//! M002, M006, M009, M010, D002: what a message holds, where the trainer's own check is
//! stricter than others: Together, Mistral, OpenAI, Bedrock.

use super::subject::{Part, Subject};
use super::{Fate, Trainer};
use crate::finding::{Edit, Fix, Safety, Severity};
use crate::text::json::{Kind, Value};
use crate::transcript::Role;

/// Images one record may have, for Together.
const TOGETHER_IMAGES: usize = 10;
/// Characters of a data URL Together takes: its header, and 10 MiB in base64.
const TOGETHER_IMAGE: usize = 23 + 4 * (10 << 20) / 3;
const REFUSED: (Severity, Fate) = (Severity::Error, Fate::Refused);

/// All of them.
pub(super) fn check(subject: &mut Subject<'_>) {
    let parts = subject.parts();
    match subject.target.trainer {
        Trainer::Together => together(subject, &parts),
        Trainer::OpenAi => images_of_replies(subject, &parts),
        Trainer::Mistral => {
            silent_messages(subject, &parts);
            unknown_keys(subject, &parts);
        }
        Trainer::Trl | Trainer::Unsloth | Trainer::Axolotl => one_kind(subject, &parts),
        _ => {}
    }
}

/// D002: these load records into typed columns, where a content is text or a list,
/// not the one here and the other there.
fn one_kind(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let kinds = parts.iter().filter_map(|p| Some((p, p.slot.content?.kind())));
    let mut kinds = kinds.filter(|(_, kind)| matches!(kind, Kind::String | Kind::Array));
    let Some((_, first)) = kinds.next() else { return };
    if let Some((part, _)) = kinds.find(|(_, kind)| *kind != first) {
        let message = format!(
            "{} cannot load a record whose contents are text in one message and a list in \
             another: write all of them in one way",
            subject.trainer()
        );
        let span = part.head();
        subject.note(part, "D002", REFUSED, span, message);
    }
}

fn is_list(part: &Part<'_>) -> bool {
    part.slot.content.is_some_and(|c| c.kind() == Kind::Array)
}

fn kind_of(item: Value<'_>) -> String {
    item.get("type").and_then(Value::str).unwrap_or_default().into_owned()
}

fn together(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    let spoken: Vec<&Part<'_>> = parts.iter().filter(|p| !p.slot.implied).collect();
    let lists = spoken.first().is_some_and(|p| is_list(p));
    if let Some(other) = spoken.iter().find(|p| is_list(p) != lists) {
        let message = "together takes records whose messages are all strings or all lists of parts"
            .to_owned();
        subject.note(other, "M009", REFUSED, other.head(), message);
        subject.fix(wrap_all(&spoken));
    }
    let mut images = 0;
    for part in &spoken {
        match part.slot.content {
            Some(list) if list.kind() == Kind::Array => {
                images += together_parts(subject, part, list);
            }
            Some(value) if value.kind() != Kind::String => {
                let what = value.kind().with_article();
                let message = format!("together wants text here, not {what}");
                subject.note(part, "M006", REFUSED, value.span(), message);
            }
            _ => {}
        }
    }
    if images > TOGETHER_IMAGES {
        let message =
            format!("{images} images: together takes at most {TOGETHER_IMAGES} in a record");
        subject.note_record("M010", REFUSED, subject.anchor(), message);
    }
}

/// Writes every string as one text part.
fn wrap_all(parts: &[&Part<'_>]) -> Option<Fix> {
    let strings = parts.iter().filter_map(|p| p.slot.content.filter(|c| c.literal().is_some()));
    let wrap = |value: Value<'_>| Edit {
        span: value.span(),
        text: format!("[{{\"type\": \"text\", \"text\": {}}}]", value.raw()),
    };
    let edits: Vec<Edit> = strings.map(wrap).collect();
    let title = "Write every text as a part".to_owned();
    (!edits.is_empty()).then_some(Fix { title, edits, safety: Safety::Safe })
}

/// The images of a list of parts; M010 for those that are refused.
fn together_parts(subject: &mut Subject<'_>, part: &Part<'_>, list: Value<'_>) -> usize {
    let mut images = 0;
    for item in list.items() {
        let fault = match kind_of(item).as_str() {
            "image_url" => {
                images += 1;
                image_fault(part, item)
            }
            "text" if item.get("text").is_some_and(|t| t.kind() == Kind::String) => None,
            "text" => Some("together wants a `text` in a text part".to_owned()),
            _ => Some("together takes parts of type `text` and `image_url` only".to_owned()),
        };
        if let Some(message) = fault {
            subject.note(part, "M010", REFUSED, super::subject::inside(item), message);
        }
    }
    let weight = part.slot.source.get("weight").and_then(Value::integer);
    if images > 0 && weight.is_some_and(|w| w != 0) {
        let message = "together does not train on images: the weight must be 0".to_owned();
        subject.note(part, "M010", REFUSED, part.head(), message);
    }
    images
}

fn image_fault(part: &Part<'_>, item: Value<'_>) -> Option<String> {
    if part.role_word() != "user" {
        return Some("together takes images from the user only".to_owned());
    }
    let url = item.get("image_url").and_then(|i| i.get("url")).and_then(Value::str);
    let Some(url) = url.filter(|u| !u.is_empty()) else {
        return Some("together wants the image under `image_url.url`".to_owned());
    };
    let heads = ["data:image/jpeg;base64,", "data:image/png;base64,", "data:image/webp;base64,"];
    if !heads.iter().any(|head| url.starts_with(head)) {
        return Some("together takes images as base64 of JPEG, PNG or WebP, no links".to_owned());
    }
    (url.len() > TOGETHER_IMAGE).then(|| "together takes images of at most 10 MB".to_owned())
}

fn images_of_replies(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    for part in parts.iter().filter(|p| p.message.role == Role::Assistant) {
        let items = part.slot.content.into_iter().flat_map(|c| c.items().collect::<Vec<_>>());
        for item in items.filter(|item| kind_of(*item) == "image_url") {
            let message = "openai takes no images from the assistant".to_owned();
            subject.note(part, "M010", REFUSED, super::subject::inside(item), message);
        }
    }
}

/// M006 as mistral-common has it; what the assistant says is K008.
fn silent_messages(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    for part in parts.iter().filter(|p| p.message.role != Role::Assistant) {
        if part.slot.content.is_none_or(Value::is_null) {
            let message = format!("mistral wants a content in a {} message", part.role_word());
            subject.note(part, "M006", REFUSED, part.head(), message);
        }
    }
}

/// M002: mistral-common takes no other keys in a message.
fn unknown_keys(subject: &mut Subject<'_>, parts: &[Part<'_>]) {
    for part in parts.iter().filter(|p| !p.slot.implied) {
        let known: &[&str] = match part.message.role {
            Role::Assistant => &["role", "content", "tool_calls", "prefix", "weight"],
            Role::Tool => &["role", "content", "tool_call_id", "name"],
            _ => &["role", "content"],
        };
        // A weight elsewhere is W001's.
        let is_known = |key: &str| known.contains(&key) || key == "weight";
        let unknown = part.slot.source.members().find(|m| !is_known(&m.key.decode()));
        if let Some(member) = unknown {
            let key = member.key.decode();
            let message = format!("mistral takes no `{key}` in a {} message", part.role_word());
            subject.note(part, "M002", REFUSED, member.key.quoted, message);
        }
    }
}
