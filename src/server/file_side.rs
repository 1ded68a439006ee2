//! What is wrong with an open transcript file as a whole.
//!
//! Invariant: findings about the file follow edits at once and are looked for
//! again at once too; in a file with very many records, or one whose whole text
//! has to be copied for it, as soon as typing pauses.

use std::time::{Duration, Instant};

use crate::analysis::file::{self, FileLook, RecordLook};
use crate::finding::Finding;
use crate::text::Span;
use crate::text::document::{Document, Replaced};
use crate::transcript::records::Layout;

use super::shelf::{Record, Shelf};

/// More records than this are not compared with each other at every keystroke.
const MANY: usize = 256;

/// A longer text is not copied at every keystroke.
const LONG: usize = 1 << 20;

/// A still longer text is not copied at all; `check` reads it from disk.
const TOO_LONG: usize = 64 << 20;

/// How long typing has to pause.
const PAUSE: Duration = Duration::from_millis(300);

/// The findings about a file, and when they are looked for again.
#[derive(Debug, Default)]
pub struct FileSide {
    findings: Vec<Finding>,
    /// These findings stand for all that would be said about single records.
    silences_records: bool,
    /// A look takes long.
    is_slow: bool,
    /// The file was looked at before.
    has_looked: bool,
    outdated_since: Option<Instant>,
}

impl FileSide {
    /// The findings, in bytes of the file.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// True when findings about single records would be noise.
    #[must_use]
    pub const fn silences_records(&self) -> bool {
        self.silences_records
    }

    /// The file has changed.
    pub fn outdated(&mut self, now: Instant) {
        self.outdated_since = Some(now);
    }

    /// When the next look is due; `None` when nothing has changed.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let pause = if self.is_slow { PAUSE } else { Duration::ZERO };
        self.outdated_since.map(|since| since + pause)
    }

    /// True when the next look is due.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Lets the findings follow edits until they are looked for again.
    pub fn follow(&mut self, replaced: &[Replaced]) {
        for finding in &mut self.findings {
            for edit in replaced {
                finding.span = moved(finding.span, edit);
            }
            // Their edits were made for the text before.
            finding.fixes.clear();
        }
    }

    /// Looks at the file again when that is due; true when it did.
    pub fn look(&mut self, shelf: &Shelf, text: &Document, now: Instant) -> bool {
        if !self.is_due(now) {
            return false;
        }
        let facts = shelf.slots.facts(text);
        let records: Vec<Record<'_>> = shelf.records().collect();
        let broken = records.first().is_some_and(|r| file::wants_text(&r.known.analysis));
        let wants_text = (broken || facts.crlf.is_some()) && text.len() <= TOO_LONG;
        let was_slow = self.is_slow;
        self.is_slow = records.len() > MANY || wants_text && text.len() > LONG;
        // Looks have become long with this very edit: from now on typing has to pause.
        if self.has_looked && self.is_slow && !was_slow && !self.is_due(now) {
            return false;
        }
        self.has_looked = true;
        self.outdated_since = None;
        let whole = wants_text.then(|| text.text());
        let look = |record: &Record<'_>| (record.span(), record.line() + 1);
        let places: Vec<(Span, usize)> = records.iter().map(look).collect();
        let all = records.iter().zip(places);
        let look = FileLook {
            layout: shelf.slots.layout(),
            facts: &facts,
            text: whole.as_deref(),
            records: all
                .map(|(r, (span, line))| RecordLook { span, line, analysis: &r.known.analysis })
                .collect(),
        };
        self.findings = file::findings(&look);
        self.silences_records =
            shelf.slots.layout() == Layout::Lines && file::silences_records(&self.findings);
        true
    }
}

fn moved(span: Span, edit: &Replaced) -> Span {
    let place = |at: usize| {
        if at >= edit.old.end { at - edit.old.len() + edit.new_len } else { at }
    };
    let start = place(span.start);
    Span::new(start, place(span.end).max(start))
}
