//! D001: records that say the same, and records that share an id.

use std::collections::HashMap;

use crate::finding::{Finding, Severity};
use crate::text::Span;

use super::file::FileRecord;

/// D001, one finding a record at most; the first of several same records is left alone.
pub(super) fn check(records: &[FileRecord<'_>]) -> Vec<Finding> {
    let mut exact: HashMap<u128, &FileRecord<'_>> = HashMap::new();
    let mut near: HashMap<u128, &FileRecord<'_>> = HashMap::new();
    let mut ids: HashMap<&str, &FileRecord<'_>> = HashMap::new();
    let mut findings = Vec::new();
    for record in records {
        let same = record.content.and_then(|c| first(&mut exact, c, record));
        let alike = record.normalised.and_then(|n| first(&mut near, n, record));
        let namesake = record.id.and_then(|id| first(&mut ids, id, record));
        let message = match (same, alike, namesake) {
            (Some(other), _, _) => format!(
                "the same conversation as line {}{}: delete one of them",
                other.line,
                named(other)
            ),
            (_, Some(other), _) => format!(
                "but for case, spaces and punctuation the same conversation as line {}{}: keep one",
                other.line,
                named(other)
            ),
            (_, _, Some(other)) => format!(
                "id `{}` is taken by line {}: give one of them another",
                record.id.unwrap_or_default(),
                other.line
            ),
            _ => continue,
        };
        findings.push(Finding::new("D001", Severity::Warning, place(record), message));
    }
    findings
}

/// The first record with this key, when it is not this one.
fn first<'r, K: std::hash::Hash + Eq>(
    seen: &mut HashMap<K, &'r FileRecord<'r>>,
    key: K,
    record: &'r FileRecord<'r>,
) -> Option<&'r FileRecord<'r>> {
    let first: &FileRecord<'_> = seen.entry(key).or_insert(record);
    (!std::ptr::eq(first, record)).then_some(first)
}

fn named(record: &FileRecord<'_>) -> String {
    record.id.map(|id| format!(" (`{id}`)")).unwrap_or_default()
}

/// The id, or the record's first character.
fn place(record: &FileRecord<'_>) -> Span {
    record
        .id_source
        .unwrap_or(Span::new(record.span.start, (record.span.start + 1).min(record.span.end)))
}
