//! Structure rules: is a record, and a file of records, what trainers can read?
//!
//! The ids are those of `docs/rules.md`, the rules that need no target: F the
//! file, J the JSON, R the record, M a message, T the order of turns, K tools,
//! W weights, D duplicates, S the numbering of exchanges. Each rule stands with
//! its message and its fix in one file of this folder.
//!
//! Invariants: rules look at one record and its reading, or at facts about the
//! file, and at nothing else. A syntax problem is one finding and silences every
//! other rule on that record. Applying a fix removes its finding and breaks
//! nothing that was sound. Rules that need a target (a trainer, a template)
//! are not here.

mod content;
mod duplicates;
mod edit;
mod exchange;
mod file;
mod flatten;
mod id;
mod json;
mod keys;
mod legacy_calls;
mod line_ends;
mod nearest;
mod order;
mod roles;
mod shape;
mod tool_arguments;
mod tool_calls;
mod tool_results;
mod weights;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

pub use file::{FileInput, FileRecord, file, replaces_record_findings};

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::escape::Style;
use crate::text::json::{Json, Value};
use crate::transcript::exchange::numbers;
use crate::transcript::message::{Gist, gist};
use crate::transcript::read::Name;
use crate::transcript::shape::{self as drafting, Absence, Draft, Slot};
use crate::transcript::{Reading, Shape};

/// Every structure finding about one record, by place. Spans count from the record.
///
/// `json` must be the parse of `record`, and `reading` its reading.
#[must_use]
pub fn record(record: &str, json: &Json, reading: &Reading) -> Vec<Finding> {
    let known = reading.transcript.as_ref().ok().map(|t| Name::known(&t.id, t.id_source));
    let mut examined = examine(record, json, known);
    if json.syntax_problem().is_none() {
        examined.name_transcript(record, json);
    }
    examined.findings
}

/// What the structure rules found in one record, and what they read of it.
pub(crate) struct Examined<'a> {
    /// The findings, by place; they name no transcript.
    pub findings: Vec<Finding>,
    /// The record taken apart, or why it is no conversation; the shape is known
    /// when a key of it is there.
    pub draft: Result<Draft<'a>, (Option<Shape>, Absence)>,
    /// The messages of the draft, the rejected ones last.
    pub gists: Vec<Gist>,
    /// What the record goes by.
    pub name: Name,
}

impl Examined<'_> {
    /// Says in every finding which transcript it is about, if there is one.
    pub fn name_transcript(&mut self, record: &str, json: &Json) {
        let (Some(root), Ok(draft), false) =
            (json.root(record), &self.draft, self.findings.is_empty())
        else {
            return;
        };
        let id: Arc<str> = Arc::from(self.name.of(record, root, draft));
        self.findings.iter_mut().for_each(|f| f.transcript = Some(Arc::clone(&id)));
    }
}

/// Looks at one record; no text in it is decoded without need. `known` is what
/// it goes by, where that is known already.
pub(crate) fn examine<'a>(record: &'a str, json: &'a Json, known: Option<Name>) -> Examined<'a> {
    let Some(root) = json.root(record) else {
        let findings = json::syntax(record, json).into_iter().collect();
        let (draft, name) = (Err((None, Absence::Nothing)), Name::default());
        return Examined { findings, draft, gists: Vec::new(), name };
    };
    let name = known.unwrap_or_else(|| Name::written(root));
    let draft = drafting::draft(root);
    let slots = draft.iter().flat_map(|d| d.slots.iter().chain(&d.rejected));
    let gists: Vec<Gist> = slots.map(gist).collect();
    if let Some(finding) = json::syntax(record, json) {
        return Examined { findings: vec![finding], draft, gists, name };
    }
    let mut findings = json::soundness(record, json);
    match &draft {
        Ok(draft) => {
            let parts = parts(draft, &gists);
            let mut subject = Subject::new(record, root, draft, &parts, &name);
            rules(&mut subject);
            findings.append(&mut subject.findings);
        }
        Err((_, why)) => findings.push(shape::no_conversation(root, why)),
    }
    findings.sort_by(|a, b| (a.span, &a.code).cmp(&(b.span, &b.code)));
    Examined { findings, draft, gists, name }
}

fn rules(subject: &mut Subject<'_>) {
    shape::check(subject);
    id::check(subject);
    roles::check(subject);
    keys::check(subject);
    content::check(subject);
    exchange::check(subject);
    order::check(subject);
    tool_calls::check(subject);
    tool_arguments::check(subject);
    tool_results::check(subject);
    legacy_calls::check(subject);
    weights::check(subject);
}

/// A record under examination, and what was found.
struct Subject<'a> {
    record: &'a str,
    root: Value<'a>,
    draft: &'a Draft<'a>,
    /// The messages, the rejected side of a preference pair last.
    parts: &'a [Part<'a>],
    name: &'a Name,
    /// Where the items of the list of messages stand.
    items: OnceCell<Vec<Span>>,
    style: OnceCell<Style>,
    findings: Vec<Finding>,
}

/// A message as written and as read.
#[derive(Clone, Copy)]
struct Part<'a> {
    slot: &'a Slot<'a>,
    message: &'a Gist,
    /// The exchange it belongs to.
    exchange: Option<u32>,
}

fn parts<'a>(draft: &'a Draft<'a>, gists: &'a [Gist]) -> Vec<Part<'a>> {
    let roles = gists[..draft.slots.len()].iter().map(|g| g.role);
    let numbers = numbers(roles).into_iter().chain(std::iter::repeat(None));
    let slots = draft.slots.iter().chain(&draft.rejected);
    let parts = slots.zip(gists).zip(numbers);
    parts.map(|((slot, message), exchange)| Part { slot, message, exchange }).collect()
}

impl<'a> Subject<'a> {
    fn new(
        record: &'a str,
        root: Value<'a>,
        draft: &'a Draft<'a>,
        parts: &'a [Part<'a>],
        name: &'a Name,
    ) -> Self {
        let (items, style) = (OnceCell::new(), OnceCell::new());
        Self { record, root, draft, parts, name, items, style, findings: Vec::new() }
    }

    /// The messages, the rejected side of a preference pair last.
    fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        self.parts.iter().copied()
    }

    /// The messages of the conversation, without the rejected ones.
    fn conversation(&self) -> &'a [Part<'a>] {
        &self.parts[..self.draft.slots.len()]
    }

    /// The messages that more than their role and text is to be said of.
    fn odd_parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        self.parts().filter(|p| !p.slot.plain)
    }

    /// Where the items of the list of messages stand.
    fn items(&self) -> &[Span] {
        let items = || self.draft.list.into_iter().flat_map(Value::items).map(Value::span);
        self.items.get_or_init(|| items().collect())
    }

    fn shape(&self) -> Shape {
        self.draft.shape
    }

    fn style(&self) -> Style {
        *self.style.get_or_init(|| Style::of(self.record))
    }

    fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Part<'_> {
    /// Where to point for the message as a whole: its role, its opening brace,
    /// or all of it where it is a bare text.
    fn head(&self) -> Span {
        if let Some(role) = self.slot.role_value {
            return role.span();
        }
        let span = self.slot.source.span();
        if self.slot.source.literal().is_some() {
            span
        } else {
            Span::new(span.start, span.start + 1)
        }
    }

    fn finding(
        &self,
        code: &'static str,
        severity: Severity,
        span: Span,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(Cow::Borrowed(code), severity, span, message).in_exchange(self.exchange)
    }
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
