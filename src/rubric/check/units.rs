//! What checks add up over: replies and user turns, as runs of messages.

use std::sync::Arc;

use super::{CheckResult, MessageFacts, Spot, Subject, Who};
use crate::text::Span;
use crate::transcript::{Exchange, Transcript};

/// One reply, or one user turn: messages that are read as one text.
pub(super) struct Unit {
    /// Indices of its messages, in order; never empty.
    pub(super) messages: Vec<usize>,
}

/// The replies, user turns or both, in order; what has no text is none.
pub(super) fn units(transcript: &Transcript, who: Who) -> Vec<Unit> {
    let mut units = Vec::new();
    for exchange in &transcript.exchanges {
        if who != Who::Assistant {
            units.extend(unit(exchange.user.iter().copied()));
        }
        if who != Who::User {
            units.extend(unit(transcript.reply_messages(exchange)));
        }
    }
    let has_text = |&i: &usize| !transcript.messages[i].text.trim().is_empty();
    units.retain(|unit| unit.messages.iter().any(has_text));
    units
}

/// The turns of each exchange that has a reply, as the prompt's statistics take
/// them: (user, reply).
pub(super) fn pairs(transcript: &Transcript) -> Vec<(Option<Unit>, Unit)> {
    let pair = |exchange: &Exchange| {
        let reply = unit(transcript.reply_messages(exchange))?;
        Some((unit(exchange.user.iter().copied()), reply))
    };
    transcript.exchanges.iter().filter_map(pair).collect()
}

fn unit(messages: impl Iterator<Item = usize>) -> Option<Unit> {
    let messages: Vec<usize> = messages.collect();
    (!messages.is_empty()).then_some(Unit { messages })
}

impl Unit {
    /// Words of the unit.
    pub(super) fn words(&self, facts: &[Arc<MessageFacts>]) -> usize {
        self.messages.iter().map(|&i| facts[i].words).sum()
    }

    /// Hits of the unit.
    pub(super) fn hits(&self, facts: &[Arc<MessageFacts>]) -> usize {
        self.messages.iter().map(|&i| facts[i].hits.len()).sum()
    }

    /// The whole unit as one spot: its longest message.
    pub(super) fn spot(&self, subject: &Subject<'_>, message_text: String) -> Spot {
        let len = |i: usize| subject.transcript.messages[i].text.len();
        let message = self.messages.iter().copied().rev().max_by_key(|&i| len(i)).unwrap_or(0);
        let decoded = Span::new(0, len(message));
        Spot { message, decoded, message_text, replacement: None }
    }

    /// One spot for each hit that `wanted` takes.
    pub(super) fn hit_spots(
        &self,
        facts: &[Arc<MessageFacts>],
        wanted: impl Fn(usize) -> bool,
        message_text: impl Fn(usize) -> String,
    ) -> Vec<Spot> {
        let hits = |&i: &usize| facts[i].hits.iter().map(move |hit| (i, hit));
        let wanted = self.messages.iter().flat_map(hits).filter(|(_, h)| wanted(h.which));
        wanted
            .map(|(message, hit)| Spot {
                message,
                decoded: hit.span,
                message_text: message_text(hit.which),
                replacement: hit.replacement.clone(),
            })
            .collect()
    }
}

/// A YES about a transcript in which there is nothing to measure.
pub(super) fn nothing(what: &str) -> CheckResult {
    CheckResult::of(format!("no {what} to measure"), Vec::new())
}

/// `part / whole`, and 0 of nothing.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `1 word`, `2 words`.
pub(super) fn counted(n: usize, what: &str) -> String {
    match (n, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        _ => format!("{n} {what}{}", if what.ends_with("ch") { "es" } else { "s" }),
    }
}

/// Two numbers of which the first is larger, with as many decimals as show it.
pub(super) fn over(found: f64, limit: f64) -> String {
    let (short, bound) = (said(found), said(limit));
    if short == bound {
        format!("{found:.5} over {bound}")
    } else {
        format!("{short} over {bound}")
    }
}

/// A number as people write it: at most two decimals.
pub(super) fn said(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", said((share * 1000.0).round() / 10.0))
}
