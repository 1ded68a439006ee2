//! What `check` keeps of a record: its findings, and what the rules about files
//! ask. Texts are decoded only where a finding, a count or a check needs them.
//!
//! Invariant: the findings are those of [`analyse`], byte for byte. Absent on
//! purpose: what an editor shows beside the text (outline, words, digests).

use super::context::{Context, Families, Memo};
use super::diagnostics::structure::{self, FileRecord};
use super::record::{RecordAnalysis, analyse};
use crate::finding::Finding;
use crate::text::Span;
use crate::text::json;
use crate::transcript::likeness::{Likeness, likeness};
use crate::transcript::{Shape, digest, read};

/// What is looked for in records.
#[derive(Clone, Debug)]
pub struct Looking<'c> {
    context: &'c Context,
    /// The same without the structure rules, when there is anything else to look for.
    rest: Option<Context>,
}

/// One record in brief.
#[derive(Debug, Default)]
pub struct Brief {
    /// What is wrong with it, by place.
    pub findings: Vec<Finding>,
    /// It holds a conversation.
    pub is_transcript: bool,
    /// What the rules about files ask of it.
    pub traits: Traits,
}

/// What rules about files ask of a record.
#[derive(Debug, Default)]
pub struct Traits {
    shape: Option<Shape>,
    /// The id as written, and where.
    name: Option<(Box<str>, Span)>,
    likeness: Option<Likeness>,
}

/// What a conversation says, in hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Equal for equal conversations.
    pub content: u128,
    /// The same through case, white space and punctuation.
    pub normalised: u128,
}

impl<'c> Looking<'c> {
    /// Looks for what `context` wants.
    #[must_use]
    pub fn new(context: &'c Context) -> Self {
        let families = Families { structure: false, ..context.families };
        let wanted = families.tokens || families.checks && context.rubric.is_some();
        let rest = wanted.then(|| Context { families, measures: false, ..context.clone() });
        Self { context, rest }
    }

    /// Looks at one record.
    #[must_use]
    pub fn at(&self, record: &str, memo: &mut Memo) -> Brief {
        let mut brief =
            if self.context.families.structure { self.structure(record) } else { Brief::default() };
        let Some(rest) = &self.rest else { return brief };
        let RecordAnalysis { mut findings, outline, .. } = analyse(record, rest, memo);
        brief.is_transcript = outline.is_some();
        if !findings.is_empty() {
            brief.findings.append(&mut findings);
            let key = |f: &Finding| (f.span, f.severity);
            brief.findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code)));
        }
        brief
    }

    fn structure(&self, record: &str) -> Brief {
        let json = json::parse(record, self.context.depth_limit);
        let mut examined = structure::examine(record, &json, None);
        examined.name_transcript(record, &json);
        let key = |f: &Finding| (f.span, f.severity);
        examined.findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code)));
        let draft = examined.draft.as_ref();
        let written = examined.name.as_written().zip(examined.name.source);
        let traits = Traits {
            shape: draft.map_or_else(|(shape, _)| *shape, |draft| Some(draft.shape)),
            name: written.filter(|_| draft.is_ok()).map(|(id, source)| (id.into(), source)),
            likeness: draft.ok().and_then(|draft| likeness(record, draft, &examined.gists)),
        };
        Brief { is_transcript: draft.is_ok(), findings: examined.findings, traits }
    }
}

impl Traits {
    /// What tells it from most others; `None` when it has no message.
    pub(crate) const fn likeness(&self) -> Option<Likeness> {
        self.likeness
    }

    /// The record for the rules about files, at its place; `said` is what it says,
    /// where another record may say the same.
    #[must_use]
    pub fn at(&self, span: Span, line: usize, said: Option<Said>) -> FileRecord<'_> {
        let name = self.name.as_ref();
        FileRecord {
            span,
            line,
            shape: self.shape,
            content: said.map(|s| s.content),
            normalised: said.map(|s| s.normalised),
            id: name.map(|(id, _)| &**id),
            id_source: name.map(|(_, source)| source.shifted(span.start)),
        }
    }
}

impl Said {
    /// What a record says; `None` when it is no conversation.
    #[must_use]
    pub fn of(record: &str, depth_limit: usize) -> Option<Self> {
        let json = json::parse(record, depth_limit);
        let transcript = read(record, &json).transcript.ok()?;
        let normalised = digest::normalised(&transcript);
        Some(Self { content: digest::content(&transcript), normalised })
    }
}
