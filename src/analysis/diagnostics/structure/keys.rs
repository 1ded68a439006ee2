//! M002: keys of a message that no trainer reads; most are slips of the pen.
//! A key that repeats in every message is reported once.

use std::collections::{HashMap, HashSet};

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Member};
use crate::transcript::Shape;

use super::nearest::nearest;
use super::shape::name;
use super::{Part, Subject, edit};

/// Keys some reader of message lists knows.
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
    /// Where the last object with it starts: a key that is there twice (J003) is
    /// changed once.
    last: Option<usize>,
}

/// M002.
pub(super) fn check(subject: &mut Subject<'_>) {
    let mut guesses: HashMap<String, Option<&'static str>> = HashMap::new();
    let mut order: Vec<Unknown<'_>> = Vec::new();
    let mut places: HashMap<(String, Option<&str>), usize> = HashMap::new();
    for part in subject.parts() {
        if part.slot.implied || part.slot.source.kind() != Kind::Object {
            continue;
        }
        let known = known(subject.shape());
        let mut has: Option<HashSet<&str>> = None;
        let mut spans: Vec<Span> = Vec::new();
        for member in part.slot.source.members() {
            let key = member.key.decode();
            if known.contains(&key.as_ref()) {
                continue;
            }
            let guess = guesses.entry(key.clone().into_owned());
            let guess = *guess.or_insert_with(|| guess_of(&key, subject.shape()));
            // What the message has already was not meant.
            let has = has.get_or_insert_with(|| present(&part, known));
            let meant = guess.filter(|meant| !has.contains(meant));
            if spans.is_empty() {
                spans = edit::members(part.slot.source);
            }
            let change = match meant {
                Some(meant) => Some(edit::rewrite(member.key, meant, subject.style())),
                None => edit::remove(&spans, member.key.quoted.start),
            };
            let at = *places.entry((key.into_owned(), meant)).or_insert(order.len());
            if at == order.len() {
                order.push(Unknown {
                    part,
                    member,
                    meant,
                    edits: Vec::new(),
                    count: 0,
                    last: None,
                });
            }
            order[at].note(part.slot.source.span().start, change);
        }
    }
    let shape = subject.shape();
    subject.findings.extend(order.into_iter().map(|unknown| unknown.finding(shape)));
}

/// The known keys this message has.
fn present(part: &Part<'_>, known: &'static [&'static str]) -> HashSet<&'static str> {
    let keys = part.slot.source.members().map(|m| m.key.decode());
    keys.filter_map(|key| known.iter().copied().find(|k| *k == key)).collect()
}

const fn known(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::ShareGpt => &SHAREGPT_KEYS,
        Shape::Gemini => &GEMINI_KEYS,
        _ => &MESSAGE_KEYS,
    }
}

/// The key that `key` was probably meant to be.
fn guess_of(key: &str, shape: Shape) -> Option<&'static str> {
    match (shape, key) {
        (Shape::ShareGpt, _) => nearest(key, SHAREGPT_KEYS),
        (Shape::Gemini, "content" | "text") => None,
        (Shape::Gemini, _) => nearest(key, GEMINI_KEYS),
        (_, "from" | "speaker" | "author") => Some("role"),
        (_, "text" | "value" | "message" | "parts") => Some("content"),
        _ => nearest(key, MESSAGE_KEYS),
    }
}

impl Unknown<'_> {
    fn note(&mut self, object: usize, change: Option<Edit>) {
        if self.last.replace(object) != Some(object) {
            self.count += 1;
            self.edits.extend(change);
        }
    }

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
