//! M002: keys of a message that no trainer reads; most are slips of the pen.
//! A key that repeats in every message is reported once.

use std::collections::HashMap;

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::json::{Kind, Member};
use crate::transcript::Shape;

use super::nearest::nearest;
use super::shape::name;
use super::{Part, Subject, edit};

/// Keys some reader of message lists knows (`reference/formats.md`, section 1).
const MESSAGE_KEYS: [&str; 25] = [
    "role",
    "content",
    "name",
    "weight",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
    "audio",
    "train",
    "training",
    "train_detail",
    "loss_weight",
    "reasoning_content",
    "reasoning",
    "thinking",
    "prefix",
    "id",
    "cache_control",
    "annotations",
    "images",
    "image",
    "videos",
    "citations",
    "type",
];
const SHAREGPT_KEYS: [&str; 14] = [
    "from",
    "value",
    "role",
    "content",
    "weight",
    "train",
    "train_detail",
    "loss_weight",
    "text",
    "markdown",
    "name",
    "tool_calls",
    "id",
    "images",
];
const GEMINI_KEYS: [&str; 2] = ["role", "parts"];

/// One unknown key, wherever it stands in the record.
struct Unknown<'a> {
    part: Part<'a>,
    member: Member<'a>,
    meant: Option<&'static str>,
    edits: Vec<Edit>,
    count: usize,
}

/// M002.
pub(super) fn check(subject: &mut Subject<'_>) {
    let mut order: Vec<Unknown<'_>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for part in subject.parts() {
        if part.slot.implied || part.slot.source.kind() != Kind::Object {
            continue;
        }
        for member in part.slot.source.members() {
            let key = member.key.decode();
            if known(subject.shape()).contains(&key.as_ref()) {
                continue;
            }
            let meant = meant(&part, &key, subject.shape());
            let change = change(subject, &part, &member, meant);
            if let Some(&at) = places.get(key.as_ref()) {
                let unknown = &mut order[at];
                unknown.count += 1;
                if unknown.meant == meant {
                    unknown.edits.extend(change);
                }
                continue;
            }
            places.insert(key.into_owned(), order.len());
            let edits = change.into_iter().collect();
            order.push(Unknown { part, member, meant, edits, count: 1 });
        }
    }
    let shape = subject.shape();
    subject.findings.extend(order.into_iter().map(|unknown| unknown.finding(shape)));
}

const fn known(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::ShareGpt => &SHAREGPT_KEYS,
        Shape::Gemini => &GEMINI_KEYS,
        _ => &MESSAGE_KEYS,
    }
}

/// The key that was meant, unless the message has it.
fn meant(part: &Part<'_>, key: &str, shape: Shape) -> Option<&'static str> {
    let meant = match (shape, key) {
        (Shape::ShareGpt, _) => nearest(key, SHAREGPT_KEYS)?,
        (Shape::Gemini, "content" | "text") => return None,
        (Shape::Gemini, _) => nearest(key, GEMINI_KEYS)?,
        (_, "from" | "speaker" | "author") => "role",
        (_, "text" | "value" | "message" | "parts") => "content",
        _ => nearest(key, MESSAGE_KEYS)?,
    };
    part.slot.source.get(meant).is_none().then_some(meant)
}

fn change(
    subject: &Subject<'_>,
    part: &Part<'_>,
    member: &Member<'_>,
    meant: Option<&str>,
) -> Option<Edit> {
    match meant {
        Some(meant) => Some(edit::rewrite(member.key, meant, subject.style())),
        None => edit::remove_member(part.slot.source, member.key.quoted),
    }
}

impl Unknown<'_> {
    fn finding(self, shape: Shape) -> Finding {
        let key = self.member.key.decode();
        let mut message = format!("key `{key}` is unknown in {}", name(shape));
        let title = match self.meant {
            Some(meant) => {
                message += &format!(": did you mean `{meant}`?");
                format!("Rename key to `{meant}`")
            }
            None => {
                message += ": trainers ignore or refuse it; delete it";
                format!("Delete key `{key}`")
            }
        };
        if self.count > 1 {
            message += &format!(" (in {} messages)", self.count);
        }
        let fix = Fix { title, edits: self.edits, safety: Safety::Suggested };
        let span = self.member.key.quoted;
        self.part.finding("M002", Severity::Warning, span, message).with_fix(fix)
    }
}
