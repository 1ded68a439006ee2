//! `tokens`: bounds on counts that are made elsewhere and handed in.

use super::units::{self, counted};
use super::{CheckResult, Spot, Subject, Tokens, TokensOf, Who};
use crate::text::Span;

/// `None` while the counts it needs are not there.
pub(super) fn judge(rule: &Tokens, subject: &Subject<'_>) -> Option<CheckResult> {
    let who = match rule.of {
        TokensOf::Record => return judge_record(rule, subject),
        TokensOf::Assistant => Who::Assistant,
        TokensOf::User => Who::User,
    };
    let counts = subject.message_tokens?;
    let wanted = rule.bounds.said();
    let units = units::units(subject.transcript, who);
    let mut spots = Vec::new();
    let mut most = 0;
    for unit in &units {
        let tokens: usize = unit.messages.iter().filter_map(|&i| counts.get(i)).sum();
        most = most.max(tokens);
        if !rule.bounds.hold(tokens) {
            let todo = todo(rule, tokens);
            let text = format!("{}, wanted {wanted}: {todo}", counted(tokens, "token"));
            spots.push(unit.spot(subject, text));
        }
    }
    let summary =
        format!("{} of {} messages outside {wanted} tokens; most {most}", spots.len(), units.len());
    Some(CheckResult::of(summary, spots))
}

fn judge_record(rule: &Tokens, subject: &Subject<'_>) -> Option<CheckResult> {
    let tokens = subject.record_tokens?;
    let wanted = rule.bounds.said();
    if rule.bounds.hold(tokens) {
        let summary = format!("{}, wanted {wanted}", counted(tokens, "token"));
        return Some(CheckResult::of(summary, Vec::new()));
    }
    let summary = format!("{}, wanted {wanted}", counted(tokens, "token"));
    let text = format!("{summary}: {}", todo(rule, tokens));
    Some(CheckResult::of(summary, vec![record_spot(rule, subject, text)]))
}

/// The message at which the record gets too long; without counts, the last one.
fn record_spot(rule: &Tokens, subject: &Subject<'_>, message_text: String) -> Spot {
    let messages = &subject.transcript.messages;
    let mut so_far = 0;
    let crosses = |tokens: &usize| {
        so_far += tokens;
        rule.bounds.max.is_some_and(|max| so_far > max)
    };
    let crossing = subject.message_tokens.and_then(|counts| counts.iter().position(crosses));
    let message = crossing.unwrap_or(messages.len().saturating_sub(1));
    let decoded = Span::new(0, messages.get(message).map_or(0, |m| m.text.len()));
    Spot { message, decoded, message_text, replacement: None }
}

fn todo(rule: &Tokens, tokens: usize) -> &'static str {
    if rule.bounds.max.is_some_and(|max| tokens > max) { "shorten it" } else { "lengthen it" }
}
