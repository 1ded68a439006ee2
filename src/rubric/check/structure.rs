//! `structure`: every reply with the same many headers is a template, not a conversation.
//! Headers as such are no fault.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::units;
use super::{CheckResult, Hit, MessageFacts, Spot, Structure, Subject, Who};
use crate::text::Span;

/// A hit for each header line.
pub(super) fn facts(text: &str) -> MessageFacts {
    let mut hits = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if is_header(words) {
            let from = start + (line.len() - line.trim_start().len());
            let span = Span::new(from, from + words.len());
            hits.push(Hit { span, which: 0, replacement: None });
        }
        start += line.len();
    }
    MessageFacts { hits, ..MessageFacts::default() }
}

/// Header lines of a text.
#[must_use]
pub fn headers(text: &str) -> usize {
    text.lines().filter(|line| is_header(line.trim())).count()
}

/// `# Header`, `**Header**`, `**Header:** text`.
fn is_header(line: &str) -> bool {
    let hashes = line.len() - line.trim_start_matches('#').len();
    if (1..=6).contains(&hashes) {
        return line[hashes..].starts_with(' ');
    }
    let Some(bold) = line.strip_prefix("**") else { return false };
    let Some(end) = bold.find("**") else { return false };
    let (title, rest) = (&bold[..end], &bold[end + 2..]);
    !title.is_empty() && (rest.is_empty() || title.ends_with(':') || rest.starts_with(':'))
}

pub(super) fn judge(
    rule: &Structure,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, Who::Assistant);
    let counts: BTreeSet<usize> = units.iter().map(|unit| unit.hits(facts)).collect();
    let (Some(&least), Some(&most)) = (counts.first(), counts.last()) else {
        return units::nothing("replies");
    };
    let total = units.len();
    if least != most || most <= rule.headers_over || total < rule.replies_min {
        let summary = format!("{least} to {most} headers in {total} replies");
        return CheckResult::of(summary, Vec::new());
    }
    let text = format!("all {total} replies have exactly {most} headers: vary the form");
    let spot = |unit: &units::Unit| -> Option<Spot> {
        let first = |_: usize| text.clone();
        unit.hit_spots(facts, |_| true, first).into_iter().next()
    };
    CheckResult::of(text.clone(), units.iter().filter_map(spot).collect())
}
