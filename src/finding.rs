//! A finding: one thing to tell the user, at exact words, with what can be done.
//!
//! Findings are plain values made by the pure layers; the
//! language server and the command line only convert them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::text::Span;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Training or assessment will fail or be wrong.
    Error,
    /// Very likely not what was meant.
    Warning,
    /// Worth knowing.
    Info,
    /// A convenience.
    Hint,
}

impl Severity {
    /// `error`, `warning`, `info` or `hint`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Hint => "hint",
        }
    }
}

/// One thing to tell the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Rule id (`M003`) or criterion id (`CQ1`).
    pub code: Cow<'static, str>,
    /// How bad.
    pub severity: Severity,
    /// Where. Bytes of the record for findings about a record, of the file otherwise.
    pub span: Span,
    /// What is wrong and what to do next.
    pub message: String,
    /// The transcript it is about.
    pub transcript: Option<Arc<str>>,
    /// The exchange it is about, from 1.
    pub exchange: Option<u32>,
    /// True when a judge said it.
    pub judged: bool,
    /// Other places that explain it.
    pub related: Vec<Related>,
    /// What can be done about it, best first.
    pub fixes: Vec<Fix>,
}

/// Another place, or another voice, that explains a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What it says.
    pub message: String,
}

/// Where a related remark points.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The same record (bytes of the record).
    Record(Span),
    /// The rubric file (bytes of the file).
    Rubric(Span),
}

/// A change that mends a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, in the imperative: "Rename role to `user`".
    pub title: String,
    /// The edits, in the same coordinates as the finding's span, not overlapping.
    pub edits: Vec<Edit>,
    /// Whether `check --fix` may apply it without asking.
    pub safety: Safety,
}

/// Whether a fix may be applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Nothing can be lost (`A` in the rule table).
    Safe,
    /// A guess that a person should look at (`S`).
    Suggested,
}

/// Replace `span` by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

impl Finding {
    /// A finding with nothing but a place and a message.
    #[must_use]
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        severity: Severity,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            severity,
            span,
            message: message.into(),
            transcript: None,
            exchange: None,
            judged: false,
            related: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// The same with a fix added.
    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The same, about this exchange.
    #[must_use]
    pub fn in_exchange(mut self, exchange: Option<u32>) -> Self {
        self.exchange = exchange;
        self
    }
}

impl Fix {
    /// A safe fix of one edit.
    #[must_use]
    pub fn safe(title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        let edits = vec![Edit { span, text: text.into() }];
        Self { title: title.into(), edits, safety: Safety::Safe }
    }

    /// A suggested fix of one edit.
    #[must_use]
    pub fn suggested(title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self { safety: Safety::Suggested, ..Self::safe(title, span, text) }
    }
}
