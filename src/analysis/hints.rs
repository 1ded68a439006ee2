//! Inlay hints: what a message is and what it costs, before its first word.
//!
//! Invariant: pure over an [`Outline`]; every fact here is also in the hover,
//! because some editors show no hints. Absent: where hints are on screen, and
//! slice points, which belong to slicing.

use super::record::{Outline, OutlineMessage};
use crate::transcript::Role;

/// A short text shown inside a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Byte of the record it stands before.
    pub at: usize,
    /// The text.
    pub label: String,
    /// The same in words.
    pub tooltip: String,
}

/// A hint for every message, in order.
#[must_use]
pub fn hints(outline: &Outline) -> Vec<Hint> {
    outline.messages.iter().map(|message| hint(outline, message)).collect()
}

fn hint(outline: &Outline, message: &OutlineMessage) -> Hint {
    let mut label = Vec::new();
    label.extend(message.exchange.map(|n| format!("#{n}")));
    label.push(message.role.name().to_owned());
    label.extend(ratio(outline, message).map(|r| format!("{r:.1}x")));
    label.extend(message.tokens.map(|n| format!("{n} tok")));
    Hint { at: message.text_source.start, label: label.join(" "), tooltip: facts(outline, message) }
}

/// One line of facts about a message, for tooltips and hovers.
#[must_use]
pub fn facts(outline: &Outline, message: &OutlineMessage) -> String {
    let mut facts = Vec::new();
    facts.extend(message.exchange.map(|n| format!("exchange {n}")));
    facts.push(message.role.name().to_owned());
    facts.push(counted(message.words, "word"));
    facts.extend(ratio(outline, message).map(|r| format!("{r:.1}x the user's words")));
    facts.extend(message.tokens.map(|n| counted(n, "token")));
    facts.join(" · ")
}

/// Reply words over user words, for the messages of a reply.
fn ratio(outline: &Outline, message: &OutlineMessage) -> Option<f64> {
    let number = message.exchange.filter(|_| message.role == Role::Assistant)?;
    let exchange = outline.exchanges.iter().find(|e| e.number == number)?;
    Some(exchange.reply_words as f64 / exchange.user_words.max(1) as f64)
}

/// `1 word`, `2 words`.
#[must_use]
pub fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::super::samples::outline;
    use super::*;

    #[test]
    fn a_reply_shows_its_ratio_and_tokens_once_counted() {
        let mut outline = outline();
        let labels = |o: &Outline| hints(o).into_iter().map(|h| h.label).collect::<Vec<_>>();
        assert_eq!(labels(&outline), ["system", "#1 user", "#1 assistant 2.0x"]);
        outline.messages[2].tokens = Some(9);
        assert_eq!(labels(&outline)[2], "#1 assistant 2.0x 9 tok");
        assert_eq!(
            hints(&outline)[2].tooltip,
            "exchange 1 · assistant · 6 words · 2.0x the user's words · 9 tokens"
        );
    }
}
