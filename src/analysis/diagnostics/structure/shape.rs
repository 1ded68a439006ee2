//! J002, R001, R002 and the part of F010 inside one record: is there a
//! conversation, one only, and is every item of it a message?

use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Value};
use crate::transcript::Shape;
use crate::transcript::shape::{Absence, rival_keys};

use super::nearest::nearest;
use super::{Subject, edit};

fn opening(value: Value<'_>) -> Span {
    let span = value.span();
    match value.kind() {
        Kind::Object | Kind::Array => Span::new(span.start, span.start + 1),
        _ => span,
    }
}

/// J002 and R001.
pub(super) fn no_conversation(root: Value<'_>, why: &Absence) -> Finding {
    let error = |span, message| Finding::new("R001", Severity::Error, span, message);
    match why {
        Absence::NotObject(kind) => {
            let message = format!("the record is {}: write an object `{{…}}`", kind.with_article());
            Finding::new("J002", Severity::Error, opening(root), message)
        }
        Absence::NotAList { key, kind, span } => {
            let span = if span.is_empty() { opening(root) } else { *span };
            error(span, format!("`{key}` is {}: it must be a list", kind.with_article()))
        }
        Absence::EmptyList { span } => error(*span, "the conversation is empty".to_owned()),
        Absence::Other(what) => error(
            opening(root),
            format!("this is {what}, not a conversation: rewrite it with `messages`"),
        ),
        Absence::NoMessages | Absence::Nothing => misspelt(root).unwrap_or_else(|| {
            let keys = "`messages`, `conversations`, `exchanges`, `turns`, `contents`";
            error(opening(root), format!("no conversation here: one of {keys} is missing"))
        }),
    }
}

/// R001 with a rename, when a list stands under a misspelt key.
fn misspelt(root: Value<'_>) -> Option<Finding> {
    const KEYS: [&str; 5] = ["messages", "conversations", "exchanges", "turns", "contents"];
    let lists = root.members().filter(|m| m.value.kind() == Kind::Array);
    let (key, meant) = lists.map(|m| m.key).find_map(|k| Some((k, nearest(&k.decode(), KEYS)?)))?;
    let message = format!("no conversation here: did you mean `{meant}`?");
    let fix = Fix::suggested(format!("Rename key to `{meant}`"), key.inner, meant);
    Some(Finding::new("R001", Severity::Error, key.quoted, message).with_fix(fix))
}

/// R002, and F010 for two conversations in one record.
pub(super) fn check(subject: &mut Subject<'_>) {
    let what = match subject.shape() {
        Shape::Exchanges | Shape::Turns => "an exchange is an object with `user` and `assistant`",
        Shape::Pairs => "a pair is a list of two texts",
        _ => "a message is an object with a role and its text",
    };
    for item in &subject.draft.misfits {
        let message = format!("{} in the conversation: {what}", item.kind().with_article());
        subject.findings.push(Finding::new("R002", Severity::Error, opening(*item), message));
    }
    if let Some((read, rival)) = rival_keys(subject.root) {
        let message = format!(
            "two formats in one record: `{}` is read, `{}` is not; keep one",
            read.key.decode(),
            rival.key.decode()
        );
        let mut finding = Finding::new("F010", Severity::Warning, rival.key.quoted, message);
        if let Some(edit) = edit::remove(&edit::members(subject.root), rival.key.quoted.start) {
            let title = format!("Delete `{}`", rival.key.decode());
            finding.fixes.push(Fix::suggested(title, edit.span, edit.text));
        }
        subject.report(finding);
    }
}

/// The name of a shape for messages.
pub(super) const fn name(shape: Shape) -> &'static str {
    match shape {
        Shape::Messages => "messages",
        Shape::ShareGpt => "conversations",
        Shape::Exchanges => "exchanges",
        Shape::Turns => "turns",
        Shape::Pairs => "[user, assistant] pairs",
        Shape::Gemini => "contents",
        Shape::PromptCompletion => "prompt/completion",
        Shape::Preference => "chosen/rejected",
        Shape::OpenAiPreference => "preferred/non-preferred output",
    }
}
