//! `openers`: replies that keep beginning with the same words.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::units::{self, percent, share};
use super::{CheckResult, Hit, MessageFacts, Openers, Spot, Subject, Who};
use crate::text::Span;

/// One hit: the first words of the message.
pub(super) fn facts(rule: &Openers, text: &str) -> MessageFacts {
    let mut words = text
        .split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(|word| {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            Span::new(start, start + word.len())
        })
        .take(rule.words.max(1));
    let Some(first) = words.next() else { return MessageFacts::default() };
    let last = words.last().unwrap_or(first);
    let span = Span::new(first.start, last.end);
    let edge = |ch: char| !ch.is_alphanumeric();
    let inner = span.of(text).trim_end_matches(edge).len();
    let start = span.start + (span.of(text).len() - span.of(text).trim_start_matches(edge).len());
    let span = Span::new(start, (span.start + inner).max(start));
    MessageFacts {
        hits: vec![Hit { span, which: 0, replacement: None }],
        ..MessageFacts::default()
    }
}

pub(super) fn judge(
    rule: &Openers,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, Who::Assistant);
    let mut groups: BTreeMap<String, Vec<(usize, Span)>> = BTreeMap::new();
    for unit in &units {
        let opening = |&i: &usize| facts[i].hits.first().map(|hit| (i, hit));
        let Some((first, hit)) = unit.messages.iter().find_map(opening) else { continue };
        let words = hit.span.of(&subject.transcript.messages[first].text);
        groups.entry(folded(words)).or_default().push((first, hit.span));
    }
    let total = units.len();
    let most = groups.iter().max_by_key(|(_, uses)| uses.len());
    let Some((common, most)) = most.map(|(words, uses)| (words.clone(), uses.len())) else {
        return units::nothing("replies");
    };
    let mut spots: Vec<Spot> = Vec::new();
    for (words, uses) in &groups {
        // One reply alone repeats nothing, whatever its share.
        if uses.len() < 2 || share(uses.len(), total) <= rule.share_max {
            continue;
        }
        let text = format!(
            "{} of {total} replies begin with \"{words}\", more than {}: begin another way",
            uses.len(),
            percent(rule.share_max)
        );
        spots.extend(uses.iter().skip(1).map(|&(message, decoded)| Spot {
            message,
            decoded,
            message_text: text.clone(),
            replacement: None,
        }));
    }
    spots.sort_by_key(|spot| spot.message);
    let summary = format!("{most} of {total} replies begin with \"{common}\"");
    CheckResult::of(summary, spots)
}

/// The words without case and punctuation.
fn folded(words: &str) -> String {
    let keep = |ch: char| ch.is_alphanumeric() || ch == '\'';
    let plain =
        |word: &str| word.to_lowercase().replace('’', "'").trim_matches(|c| !keep(c)).to_owned();
    words.split_whitespace().map(plain).collect::<Vec<_>>().join(" ")
}
