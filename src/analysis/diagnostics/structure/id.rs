//! R005: a record that does not name itself, and the offer to write the id it
//! goes by (SPEC section 3). The derived id changes with every edit; a written
//! one stays.

use crate::finding::{Edit, Finding, Fix, Severity};
use crate::text::Span;
use crate::text::escape::Style;
use crate::text::json::Kind;

use super::{Subject, edit};

/// R005.
pub(super) fn check(subject: &mut Subject<'_>) {
    let is_object = subject.root.kind() == Kind::Object;
    if subject.name.source.is_some() || !is_object {
        return;
    }
    let id = subject.name.of(subject.record, subject.root, subject.draft);
    let start = subject.root.span().start;
    let message = format!("no `id`: it goes by `{id}` until its text changes");
    let finding = Finding::new("R005", Severity::Hint, Span::new(start, start + 1), message);
    let title = format!("Add id `{id}`");
    let fix = insertion(subject, id).map(|e| Fix::suggested(title, e.span, e.text));
    subject.report(fix.into_iter().fold(finding, Finding::with_fix));
}

fn insertion(subject: &Subject<'_>, id: &str) -> Option<Edit> {
    let id = edit::quoted(id, Style::default());
    match subject.root.get("id") {
        None => Some(edit::insert_first(subject.record, subject.root, "id", &id)),
        // An `id` that says nothing is filled in; one that says something odd is kept.
        Some(empty) if matches!(empty.kind(), Kind::Null | Kind::String) => {
            Some(edit::replace(empty.span(), id))
        }
        Some(_) => None,
    }
}
