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

pub use file::{FileInput, FileRecord, Mark, NotUtf8, file, replaces_record_findings};

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::escape::Style;
use crate::text::json::{Json, Value};
use crate::transcript::shape::{self as drafting, Draft, Slot};
use crate::transcript::{Message, Reading, Shape, Transcript};

/// Every structure finding about one record, by place. Spans count from the record.
///
/// `json` must be the parse of `record`, and `reading` its reading.
#[must_use]
pub fn record(record: &str, json: &Json, reading: &Reading) -> Vec<Finding> {
    if let Some(finding) = json::syntax(record, json) {
        return vec![finding];
    }
    let Some(root) = json.root(record) else { return Vec::new() };
    let mut findings = json::soundness(record, json);
    match (&reading.transcript, drafting::draft(root)) {
        (Ok(transcript), Ok(draft)) => {
            let mut subject = Subject::new(record, root, &draft, transcript);
            rules(&mut subject);
            findings.append(&mut subject.findings);
        }
        (_, Err((_, why))) => findings.push(shape::no_conversation(root, &why)),
        (Err(why), Ok(_)) => findings.push(shape::no_conversation(root, why)),
    }
    if let Ok(transcript) = &reading.transcript {
        let id: Arc<str> = Arc::from(&*transcript.id);
        findings.iter_mut().for_each(|f| f.transcript = Some(Arc::clone(&id)));
    }
    findings.sort_by(|a, b| (a.span, &a.code).cmp(&(b.span, &b.code)));
    findings
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
    transcript: &'a Transcript,
    /// The exchange of every message.
    numbers: Vec<Option<u32>>,
    /// Where the items of the list of messages stand.
    items: Vec<Span>,
    style: OnceCell<Style>,
    findings: Vec<Finding>,
}

/// A message as written and as read.
#[derive(Clone, Copy)]
struct Part<'a> {
    slot: &'a Slot<'a>,
    message: &'a Message,
    /// The exchange it belongs to.
    exchange: Option<u32>,
}

impl<'a> Subject<'a> {
    fn new(
        record: &'a str,
        root: Value<'a>,
        draft: &'a Draft<'a>,
        transcript: &'a Transcript,
    ) -> Self {
        let mut numbers = vec![None; transcript.messages.len()];
        for exchange in &transcript.exchanges {
            for &index in exchange.user.iter().chain(&exchange.rest) {
                numbers[index] = Some(exchange.number);
            }
        }
        let items = draft.list.into_iter().flat_map(Value::items).map(Value::span).collect();
        let style = OnceCell::new();
        Self { record, root, draft, transcript, numbers, items, style, findings: Vec::new() }
    }

    /// The messages, the rejected side of a preference pair last.
    fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let numbers = self.numbers.clone().into_iter().chain(std::iter::repeat(None));
        let slots = self.draft.slots.iter().chain(&self.draft.rejected);
        let messages = self.transcript.messages.iter().chain(&self.transcript.rejected);
        slots.zip(messages).zip(numbers).map(|((slot, message), exchange)| Part {
            slot,
            message,
            exchange,
        })
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
