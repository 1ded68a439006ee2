//! The sides of `exchanges`, `turns` and pairs (M001, M006, M002), and S001: are
//! they numbered 1, 2, 3, … and as many as were planned?

use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::text::Span;
use crate::text::json::{Kind, Literal, Value};
use crate::transcript::Shape;

use super::nearest::nearest;
use super::{Subject, edit};

/// M001, M002 and M006 of exchanges, and S001.
pub(super) fn check(subject: &mut Subject<'_>) {
    let Some(list) = subject.draft.list else { return };
    match subject.shape() {
        Shape::Exchanges | Shape::Turns => {
            exchanges(subject, list);
            numbering(subject, list);
            planned(subject, list);
        }
        Shape::Pairs => pairs(subject, list),
        _ => {}
    }
}

/// A text that is missing or null where one is due. The last reply may be
/// missing: T002 speaks of that.
fn exchanges(subject: &mut Subject<'_>, list: Value<'_>) {
    let mut items = list.items().filter(|i| i.kind() == Kind::Object).peekable();
    while let Some(item) = items.next() {
        let is_last = items.peek().is_none();
        let sides = Sides::of(item);
        if sides.is_message {
            continue;
        }
        for (name, side) in [("user", sides.user), ("assistant", sides.assistant)] {
            let open_end = is_last && name == "assistant" && sides.user.is_some();
            match side {
                None if !open_end || misspelt(item, name).is_some() => {
                    missing(subject, item, name);
                }
                Some(value) if value.is_null() && !open_end => {
                    subject.report(null(value.span(), name));
                }
                _ => {}
            }
        }
    }
}

#[derive(Default)]
struct Sides<'a> {
    user: Option<Value<'a>>,
    assistant: Option<Value<'a>>,
    is_message: bool,
}

impl<'a> Sides<'a> {
    fn of(item: Value<'a>) -> Self {
        let mut sides = Self::default();
        for member in item.members() {
            match member.key.decode().as_ref() {
                "user" | "human" => sides.user = Some(member.value),
                "assistant" | "gpt" | "model" | "bot" => sides.assistant = Some(member.value),
                "role" | "from" => sides.is_message = true,
                _ => {}
            }
        }
        sides.is_message &= sides.user.is_none() && sides.assistant.is_none();
        sides
    }
}

fn misspelt<'a>(item: Value<'a>, name: &'static str) -> Option<Literal<'a>> {
    item.members().map(|m| m.key).find(|key| nearest(&key.decode(), [name]).is_some())
}

/// M001, and M002 for the key that was meant.
fn missing(subject: &mut Subject<'_>, item: Value<'_>, name: &'static str) {
    let brace = Span::new(item.span().start, item.span().start + 1);
    let message = format!("the exchange has no `{name}`: write what is said");
    subject.report(Finding::new("M001", Severity::Error, brace, message));
    if let Some(key) = misspelt(item, name) {
        let message = format!("key `{}` is unknown: did you mean `{name}`?", key.decode());
        let change = edit::rewrite(key, name, subject.style());
        let fix = Fix::suggested(format!("Rename key to `{name}`"), change.span, change.text);
        subject.report(Finding::new("M002", Severity::Warning, key.quoted, message).with_fix(fix));
    }
}

fn null(span: Span, name: &str) -> Finding {
    let message = format!("`{name}` is null: write what is said");
    Finding::new("M006", Severity::Error, span, message)
}

fn pairs(subject: &mut Subject<'_>, list: Value<'_>) {
    let mut pairs = list.items().filter(|i| i.kind() == Kind::Array).peekable();
    while let Some(pair) = pairs.next() {
        let is_last = pairs.peek().is_none();
        let mut sides = pair.items();
        let bracket = Span::new(pair.span().start, pair.span().start + 1);
        for name in ["user", "assistant"] {
            match sides.next() {
                Some(value) if value.is_null() && !(is_last && name == "assistant") => {
                    subject.report(null(value.span(), name));
                }
                None if name == "user" || !is_last => {
                    let message = format!("the pair has no {name} text");
                    subject.report(Finding::new("M001", Severity::Error, bracket, message));
                }
                _ => {}
            }
        }
    }
}

/// S001: one finding at the first wrong number, one fix for all.
fn numbering(subject: &mut Subject<'_>, list: Value<'_>) {
    let numbers = || {
        list.items().enumerate().filter_map(|(i, item)| Some((i + 1, item.get("exchange_number")?)))
    };
    let wrong = |(due, value): &(usize, Value<'_>)| value.integer() != i64::try_from(*due).ok();
    let Some((due, first)) = numbers().find(wrong) else { return };
    let edits: Vec<Edit> = numbers()
        .filter(wrong)
        .map(|(due, value)| edit::replace(value.span(), due.to_string()))
        .collect();
    let fix = Fix { title: "Renumber the exchanges".to_owned(), edits, safety: Safety::Safe };
    let message = format!("this is exchange {due}: exchanges are numbered 1, 2, 3, …");
    subject.report(Finding::new("S001", Severity::Warning, first.span(), message).with_fix(fix));
}

/// S001: as many exchanges as the record says it was meant to have. Records that
/// say they were cut are left alone.
fn planned(subject: &mut Subject<'_>, list: Value<'_>) {
    const CUT: [&str; 3] = ["truncated_from", "cleaned_at", "cleanup_reason"];
    let Some(target) = subject.root.get("target_exchanges") else { return };
    let was_cut = CUT.iter().any(|key| subject.root.get(key).is_some_and(|v| !v.is_null()));
    let count = list.items().count();
    let matches = target.integer().is_none_or(|t| usize::try_from(t) == Ok(count));
    if matches || was_cut {
        return;
    }
    let message = format!(
        "{} exchanges were planned, {count} are here: go on with it, or correct the number",
        target.raw()
    );
    subject.report(Finding::new("S001", Severity::Warning, target.span(), message));
}
