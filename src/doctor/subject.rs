//! A record under examination: its JSON, its reading, and what was noted.
//!
//! Invariant: messages and slots correspond one to one, as in
//! [`crate::transcript::read`]. A note that is noted again for the same words
//! and code is the same note.

use std::borrow::Cow;

use super::{Count, Diagnosis, Fate, Target};
use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::escape::Style;
use crate::text::json::{Json, Value};
use crate::transcript::shape::{self, Draft, Slot};
use crate::transcript::{Message, Role, Transcript};

/// A record and what is being found out about it.
pub(super) struct Subject<'a> {
    pub record: &'a str,
    pub root: Value<'a>,
    pub draft: Draft<'a>,
    pub transcript: &'a Transcript,
    pub target: &'a Target,
    findings: Vec<Finding>,
    fate: Fate,
}

/// A message as written and as read.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub index: usize,
    pub slot: Slot<'a>,
    pub message: &'a Message,
}

impl<'a> Subject<'a> {
    pub fn new(
        record: &'a str,
        json: &'a Json,
        transcript: &'a Transcript,
        target: &'a Target,
    ) -> Option<Self> {
        let root = json.root(record)?;
        let draft = shape::draft(root).ok()?;
        let (findings, fate) = (Vec::new(), Fate::Whole);
        Some(Self { record, root, draft, transcript, target, findings, fate })
    }

    /// The messages of the conversation.
    pub fn parts(&self) -> Vec<Part<'a>> {
        let both = self.draft.slots.iter().zip(&self.transcript.messages).enumerate();
        both.map(|(index, (slot, message))| Part { index, slot: *slot, message }).collect()
    }

    /// The trainer's name.
    pub fn trainer(&self) -> &'static str {
        self.target.trainer.name()
    }

    pub fn style(&self) -> Style {
        Style::of(self.record)
    }

    /// Where to point for the conversation as a whole.
    pub fn anchor(&self) -> Span {
        self.draft.anchor
    }

    /// Notes something about one message.
    pub fn note(
        &mut self,
        part: &Part<'_>,
        code: &'static str,
        rank: (Severity, Fate),
        span: Span,
        message: String,
    ) {
        let exchange = self.transcript.exchange_of(part.index);
        let finding = Finding::new(Cow::Borrowed(code), rank.0, span, message);
        self.push(finding.in_exchange(exchange), rank.1);
    }

    /// Notes something about the record as a whole.
    pub fn note_record(
        &mut self,
        code: &'static str,
        rank: (Severity, Fate),
        span: Span,
        message: String,
    ) {
        self.push(Finding::new(Cow::Borrowed(code), rank.0, span, message), rank.1);
    }

    /// Notes a finding.
    pub fn push(&mut self, finding: Finding, fate: Fate) {
        self.fate = self.fate.max(fate);
        let is_same = |f: &Finding| f.code == finding.code && f.span == finding.span;
        if !self.findings.iter().any(is_same) {
            self.findings.push(finding);
        }
    }

    /// Adds a fix to the last note.
    pub fn fix(&mut self, fix: Option<Fix>) {
        if let (Some(fix), Some(last)) = (fix, self.findings.last_mut()) {
            last.fixes.push(fix);
        }
    }

    pub fn diagnosis(mut self, count: Option<Count>) -> Diagnosis {
        self.findings.sort_by(|a, b| (a.span, &a.code).cmp(&(b.span, &b.code)));
        Diagnosis { findings: self.findings, fate: self.fate, count }
    }
}

impl<'a> Part<'a> {
    /// Where to point for the message as a whole: its role, its opening brace, or
    /// all of it where it is a bare text.
    pub fn head(&self) -> Span {
        if let Some(role) = self.slot.role_value {
            return inside(role);
        }
        let span = self.slot.source.span();
        if self.slot.source.literal().is_some() {
            span
        } else {
            Span::new(span.start, span.start + 1)
        }
    }

    /// The role as it is written; the shape's own word where it is implied.
    pub fn role_word(&self) -> Cow<'a, str> {
        match self.slot.role_value.and_then(Value::str) {
            Some(word) => word,
            None => Cow::Borrowed(self.message.role.name()),
        }
    }

    /// A system text beside the messages.
    pub fn is_beside(&self) -> bool {
        self.slot.implied && self.message.role == Role::System
    }
}

/// The inside of a string, or all of another value.
pub(super) fn inside(value: Value<'_>) -> Span {
    value.literal().map_or(value.span(), |l| if l.inner.is_empty() { l.quoted } else { l.inner })
}
