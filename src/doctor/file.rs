//! F002, F003, F005, F008, F009: what a trainer wants of the file as a whole.

use std::borrow::Cow;

use super::{Target, Trainer};
use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::transcript::facts::{BOM, FileFacts};

/// What is wrong with a file for this target, by place; `name` is the file's.
#[must_use]
pub fn findings(target: &Target, facts: &FileFacts, name: &str) -> Vec<Finding> {
    let trainer = target.trainer;
    let mut found = target.faults();
    let mut report = |code: &'static str, severity, span, message: String| {
        found.push(Finding::new(Cow::Borrowed(code), severity, span, message));
    };
    let start = Span::empty(0);
    if facts.bom && trainer.stops_at_bom() {
        let message = format!("{} stops at the byte order mark: delete it", trainer.name());
        report("F002", Severity::Error, Span::new(0, BOM.len()), message);
    }
    if let Some(first) = facts.blank.spans.first().filter(|_| trainer.stops_at_blank_line()) {
        let message = format!("{} stops at a blank line: delete it", trainer.name());
        report("F003", Severity::Error, *first, message);
    }
    let is_lines = name.to_ascii_lowercase().ends_with(".jsonl");
    if !is_lines && !reads_other_names(trainer) {
        let message = format!("{} takes files named `.jsonl`, one record a line", trainer.name());
        report("F005", Severity::Warning, start, message);
    }
    if facts.records > 0 && facts.records < trainer.fewest_records() {
        let message = format!(
            "{} records: {} wants at least {}",
            facts.records,
            trainer.name(),
            trainer.fewest_records()
        );
        report("F008", Severity::Error, start, message);
    }
    if let Some(most) = trainer.largest_file().filter(|most| facts.bytes as u64 > *most) {
        let message = format!(
            "the file has {} MB: {} takes at most {} MB",
            facts.bytes >> 20,
            trainer.name(),
            most >> 20
        );
        report("F009", Severity::Error, start, message);
    }
    found.sort_by(|a, b| (a.span, &a.code).cmp(&(b.span, &b.code)));
    found
}

/// Those that read a `.json` as well.
const fn reads_other_names(trainer: Trainer) -> bool {
    matches!(trainer, Trainer::Trl | Trainer::Axolotl | Trainer::LlamaFactory | Trainer::Unsloth)
}
