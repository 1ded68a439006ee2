//! `questions` (per reply) and `question_endings` (share of replies).
//!
//! A question is a run of question marks; its words reach back to the previous
//! end of a sentence.

use std::sync::Arc;

use super::units::{self, counted, percent, share};
use super::{CheckResult, Hit, MessageFacts, Questions, ShareBounds, Spot, Subject, Who};
use crate::text::Span;
use crate::transcript::words;

/// A hit for each question.
pub(super) fn facts(text: &str) -> MessageFacts {
    let mut hits = Vec::new();
    let mut sentence = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, ch)) = chars.next() {
        let mut end = at + ch.len_utf8();
        if is_mark(ch) {
            while let Some(&(next, ch)) = chars.peek().filter(|(_, ch)| is_mark(*ch)) {
                end = next + ch.len_utf8();
                chars.next();
            }
            hits.push(Hit { span: words_in(text, sentence, end), which: 0, replacement: None });
            sentence = end;
        } else if ends_sentence(ch, chars.peek().map(|c| c.1)) {
            sentence = end;
        }
    }
    MessageFacts { hits, ..MessageFacts::default() }
}

/// One hit, the last sentence; `holds` when it is a question.
pub(super) fn ending_facts(text: &str) -> MessageFacts {
    let holds = words::ends_with_question(text);
    // Emoji, quotes, brackets and emphasis after the last sentence end nothing.
    let closing = |ch: char| !ch.is_alphanumeric() && !is_mark(ch) && !is_full_stop(ch);
    let body = text.trim_end_matches(closing);
    let inner = body.trim_end_matches(|ch| is_mark(ch) || is_full_stop(ch));
    let mut sentence = 0;
    let mut chars = inner.char_indices().peekable();
    while let Some((at, ch)) = chars.next() {
        if is_mark(ch) || ends_sentence(ch, chars.peek().map(|c| c.1)) {
            sentence = at + ch.len_utf8();
        }
    }
    let span = words_in(text, sentence, text.trim_end().len());
    let hits =
        if span.is_empty() { Vec::new() } else { vec![Hit { span, which: 0, replacement: None }] };
    MessageFacts { holds, hits, ..MessageFacts::default() }
}

pub(super) fn judge(
    rule: &Questions,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, rule.role);
    if units.is_empty() {
        return units::nothing("replies");
    }
    let mut spots: Vec<Spot> = Vec::new();
    let mut outside = 0;
    let mut total = 0;
    for unit in &units {
        let count = unit.hits(facts);
        total += count;
        if rule.bounds.hold(count) {
            continue;
        }
        outside += 1;
        let wanted = rule.bounds.said();
        match rule.bounds.max {
            Some(max) if count > max => {
                let text =
                    format!("{}, wanted {wanted}: drop this one", counted(count, "question"));
                let all = unit.hit_spots(facts, |_| true, |_| text.clone());
                spots.extend(all.into_iter().skip(max));
            }
            _ => {
                let text =
                    format!("{}, wanted {wanted}: ask something", counted(count, "question"));
                spots.push(unit.spot(subject, text));
            }
        }
    }
    let summary = format!(
        "{} in {}; {outside} of them outside {}",
        counted(total, "question"),
        counted(units.len(), "reply"),
        rule.bounds.said()
    );
    if share(outside, units.len()) <= rule.share_outside_max {
        spots.clear();
    }
    CheckResult::of(summary, spots)
}

pub(super) fn judge_endings(
    rule: &ShareBounds,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, Who::Assistant);
    if units.is_empty() {
        return units::nothing("replies");
    }
    let said = |&&i: &&usize| !subject.transcript.messages[i].text.trim().is_empty();
    let last = |unit: &units::Unit| unit.messages.iter().rev().find(said).copied().unwrap_or(0);
    let asks = |unit: &units::Unit| facts[last(unit)].holds;
    let asking = units.iter().filter(|u| asks(u)).count();
    let found = share(asking, units.len());
    let too_many = rule.share_max.filter(|max| found > *max);
    let too_few = rule.share_min.filter(|min| found < *min);
    let numbers = format!("{asking} of {} replies end with a question", units.len());
    let (summary, text, wanted) = match (too_many, too_few) {
        (Some(max), _) => {
            let text = "this reply ends with a question too: end with a statement or an offer";
            (format!("{numbers}, more than {}", percent(max)), text, true)
        }
        (_, Some(min)) => {
            let text = "this reply ends without a question: end more replies with one";
            (format!("{numbers}, less than {}", percent(min)), text, false)
        }
        _ => return CheckResult::of(numbers, Vec::new()),
    };
    let spot = |unit: &units::Unit| match facts[last(unit)].hits.first() {
        Some(hit) => Spot {
            message: last(unit),
            decoded: hit.span,
            message_text: text.into(),
            replacement: None,
        },
        None => unit.spot(subject, text.into()),
    };
    CheckResult::of(summary, units.iter().filter(|u| asks(u) == wanted).map(spot).collect())
}

const fn is_mark(ch: char) -> bool {
    matches!(ch, '?' | '？' | '؟')
}

const fn is_full_stop(ch: char) -> bool {
    matches!(ch, '.' | '!' | '。' | '！' | '…')
}

/// A full stop ends a sentence only before a blank (not in `3.5`); CJK ones always do.
fn ends_sentence(ch: char, next: Option<char>) -> bool {
    match ch {
        '\n' | '。' | '！' => true,
        ch if is_full_stop(ch) => next.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// `start..end` without the blanks around it.
fn words_in(text: &str, start: usize, end: usize) -> Span {
    let end = end.max(start);
    let words = &text[start..end];
    let from = start + (words.len() - words.trim_start().len());
    let to = start + words.trim_end().len();
    Span::new(from, to.max(from))
}
