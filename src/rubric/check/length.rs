//! `length_ratio` and `word_count`: models cannot count words, this can.

use std::sync::Arc;

use super::units::{self, Unit, counted, over, percent, said, share};

use super::{Bounds, CheckResult, LengthRatio, MessageFacts, Spot, Subject, Who, WordCount};
use crate::rubric::Verdict;
use crate::transcript::{Message, words};

pub(super) fn facts(message: &Message) -> MessageFacts {
    MessageFacts { words: words::count(&message.text), ..MessageFacts::default() }
}

pub(super) fn judge_ratio(
    rule: &LengthRatio,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let pairs = units::pairs(subject.transcript);
    if pairs.is_empty() {
        return units::nothing("replies");
    }
    let measured: Vec<(Unit, usize, usize, f64)> = pairs
        .into_iter()
        .map(|(user, reply)| {
            let user = user.map_or(0, |u| u.words(facts));
            let words = reply.words(facts);
            let ratio = share(words, user.max(1));
            (reply, user, words, ratio)
        })
        .collect();
    let count = measured.len();
    let mean = measured.iter().map(|m| m.3).sum::<f64>() / share(count, 1);
    let long = measured.iter().filter(|m| m.3 > rule.over).count();
    let mean_fails = rule.mean_max.is_some_and(|max| mean > max);
    let share_fails = rule.share_over_max.is_some_and(|max| share(long, count) > max);
    let limit = match rule.mean_max {
        Some(max) if mean_fails => max,
        _ => rule.over,
    };
    let mut spots = Vec::new();
    if mean_fails || share_fails {
        for (reply, user, words, ratio) in measured.iter().filter(|m| m.3 > limit) {
            let text = format!(
                "{} to the user's {user}, ratio {}: shorten this reply",
                counted(*words, "word"),
                over(*ratio, limit)
            );
            spots.push(reply.spot(subject, text));
        }
    }
    let mean_part = match rule.mean_max {
        Some(max) if mean_fails => format!("mean ratio {}", over(mean, max)),
        _ => format!("mean ratio {}", said(mean)),
    };
    let factor = said(rule.over);
    let mut summary = format!("{mean_part}; {long} of {count} replies over {factor}x");
    if let (true, Some(max)) = (share_fails, rule.share_over_max) {
        summary.push_str(&format!(" (more than {})", percent(max)));
    }
    CheckResult::of(summary, spots)
}

pub(super) fn judge_words(
    rule: &WordCount,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let style = subject.style.unwrap_or("");
    let by_style = rule.by_style.iter().find(|(name, _)| name.eq_ignore_ascii_case(style));
    let user = by_style.map(|(_, bounds)| *bounds).or(rule.user);
    if user.is_none() && rule.assistant.is_none() {
        let summary = match subject.style {
            Some(style) => format!("no bounds for the style `{style}`"),
            None => "the record names no persona style".into(),
        };
        return CheckResult { verdict: Verdict::Na, summary, spots: Vec::new() };
    }
    let mut outside: Vec<Spot> = Vec::new();
    let mut total = 0;
    let sides = [(Who::User, "user message", user), (Who::Assistant, "reply", rule.assistant)];
    for (who, what, bounds) in sides {
        let Some(bounds) = bounds else { continue };
        for unit in units::units(subject.transcript, who) {
            total += 1;
            let words = unit.words(facts);
            if !bounds.hold(words) {
                outside.push(unit.spot(subject, words_text(what, words, bounds)));
            }
        }
    }
    outside.sort_by_key(|spot| spot.message);
    let summary = format!("{} of {total} messages outside the word bounds", outside.len());
    if share(outside.len(), total) <= rule.share_outside_max {
        outside.clear();
    }
    CheckResult::of(summary, outside)
}

fn words_text(what: &str, words: usize, bounds: Bounds) -> String {
    let todo = if bounds.max.is_some_and(|max| words > max) { "shorten" } else { "lengthen" };
    format!("{}, wanted {}: {todo} this {what}", counted(words, "word"), bounds.said())
}
