//! `ascii`: nothing outside ASCII, for pipelines that need it, with the straight
//! character to put instead where there is one.

use std::sync::Arc;

use super::units::{self, counted};
use super::{Ascii, CheckResult, Hit, MessageFacts, Subject};
use crate::text::Span;

/// A hit for each run of characters outside ASCII that are mended the same way.
pub(super) fn facts(rule: &Ascii, text: &str) -> MessageFacts {
    let mut hits: Vec<Hit> = Vec::new();
    for (at, ch) in text.char_indices() {
        if ch.is_ascii() || rule.allow.contains(ch) {
            continue;
        }
        let end = at + ch.len_utf8();
        let beside = hits.last().is_some_and(|h| h.span.end == at && h.replacement.is_none());
        // Joiners inside an emoji or a word belong to it: without them it is another one.
        let joins = beside && matches!(ch, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
        let straight = straight(ch).filter(|_| !joins);
        match (hits.last_mut(), straight) {
            // Letters without a straight form are one run: a word, an emoji.
            (Some(last), None) if last.span.end == at && last.replacement.is_none() => {
                last.span.end = end;
            }
            (Some(Hit { span, replacement: Some(text), .. }), Some(more)) if span.end == at => {
                span.end = end;
                text.push_str(more);
            }
            _ => hits.push(Hit {
                span: Span::new(at, end),
                which: 0,
                replacement: straight.map(str::to_owned),
            }),
        }
    }
    MessageFacts { hits, ..MessageFacts::default() }
}

/// What a keyboard types for it.
const fn straight(ch: char) -> Option<&'static str> {
    Some(match ch {
        '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '…' => "...",
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => " ",
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => "",
        '•' | '·' | '‣' => "-",
        '→' => "->",
        '←' => "<-",
        '×' => "x",
        '½' => "1/2",
        '≤' => "<=",
        '≥' => ">=",
        _ => return None,
    })
}

pub(super) fn judge(
    rule: &Ascii,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, rule.role);
    let mut spots: Vec<_> =
        units.iter().flat_map(|unit| unit.hit_spots(facts, |_| true, |_| String::new())).collect();
    for spot in &mut spots {
        let found = spot.decoded.of(&subject.transcript.messages[spot.message].text);
        let codes = codes(found);
        spot.message_text = match spot.replacement.as_deref() {
            Some("") => format!("invisible character {codes}: remove it"),
            Some(straight) => format!("`{found}` ({codes}) is not ASCII: write `{straight}`"),
            None => format!("`{found}` ({codes}) is not ASCII: write it another way"),
        };
    }
    let (runs, messages) = (counted(spots.len(), "run"), counted(units.len(), "message"));
    let summary = format!("{runs} outside ASCII in {messages}");
    CheckResult::of(summary, spots)
}

/// `U+2014`, and of longer runs the first few.
fn codes(found: &str) -> String {
    let shown: Vec<String> =
        found.chars().take(3).map(|c| format!("U+{:04X}", u32::from(c))).collect();
    let more = if found.chars().nth(3).is_some() { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}
