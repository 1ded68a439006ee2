//! `phrases`: a list that may not be used, or not too often.
//!
//! One aho-corasick pass a message, ASCII case folded by the automaton; other
//! letters and curly apostrophes by patterns of their own. Matches count on word
//! boundaries only, where the script has any.

use std::collections::BTreeSet;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::units::{self, counted, percent, share};
use super::{CheckResult, Hit, MessageFacts, Phrase, Phrases, Subject};
use crate::text::Span;

/// Bytes all phrases of one check may have together: keeps the automaton small.
const MAX_BYTES: usize = 1 << 20;

/// The compiled list.
#[derive(Debug)]
pub(super) struct Finder {
    automaton: AhoCorasick,
    /// Pattern → phrase.
    phrase_of: Vec<usize>,
}

impl Finder {
    pub(super) fn new(list: &[Phrase]) -> Result<Self, String> {
        if list.iter().map(|p| p.text.len()).sum::<usize>() > MAX_BYTES {
            return Err(format!("more than {MAX_BYTES} bytes of phrases: use fewer"));
        }
        let mut patterns = Vec::new();
        let mut phrase_of = Vec::new();
        for (index, phrase) in list.iter().enumerate() {
            for spelling in spellings(&phrase.text) {
                patterns.push(spelling);
                phrase_of.push(index);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .map_err(|error| format!("the phrases cannot be searched for: {error}"))?;
        Ok(Self { automaton, phrase_of })
    }

    /// Matches on word boundaries, leftmost, of equals the longest, not overlapping.
    fn find(&self, text: &str) -> Vec<(usize, Span)> {
        let mut found: Vec<(usize, Span)> = Vec::new();
        for hit in self.automaton.find_overlapping_iter(text) {
            let span = Span::new(hit.start(), hit.end());
            if on_boundaries(text, span) {
                found.push((self.phrase_of[hit.pattern().as_usize()], span));
            }
        }
        found.sort_by_key(|(which, span)| (span.start, std::cmp::Reverse(span.end), *which));
        let mut end = 0;
        found.retain(|(_, span)| {
            let free = span.start >= end;
            if free {
                end = span.end;
            }
            free
        });
        found
    }
}

/// The ways one phrase may be written that the automaton does not fold itself.
fn spellings(phrase: &str) -> BTreeSet<String> {
    let mut cases = BTreeSet::from([phrase.to_owned()]);
    if !phrase.is_ascii() {
        let mut chars = phrase.chars();
        let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
        cases.insert(phrase.to_lowercase());
        cases.insert(phrase.to_uppercase());
        cases.insert(first + &chars.as_str().to_lowercase());
    }
    let curly = |text: &String| [text.replace('\'', "’"), text.replace('’', "'")];
    let more: Vec<String> = cases.iter().flat_map(curly).collect();
    cases.extend(more);
    cases
}

fn on_boundaries(text: &str, span: Span) -> bool {
    let words = span.of(text);
    let glued = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(joins) && outside.is_some_and(joins)
    };
    !glued(words.chars().next(), text[..span.start].chars().next_back())
        && !glued(words.chars().next_back(), text[span.end..].chars().next())
}

/// True for letters and digits of scripts that put blanks between words.
fn joins(ch: char) -> bool {
    let unspaced = matches!(ch,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}');
    (ch.is_alphanumeric() || ch == '_') && !unspaced
}

pub(super) fn facts(rule: &Phrases, finder: &Finder, text: &str) -> MessageFacts {
    let hit = |(which, span): (usize, Span)| {
        let suggest = rule.list[which].suggest.as_deref();
        let replacement = suggest.map(|s| in_case_of(span.of(text), &rule.list[which].text, s));
        Hit { span, which, replacement }
    };
    let hits = finder.find(text).into_iter().map(hit).collect();
    MessageFacts { hits, ..MessageFacts::default() }
}

/// The suggestion, with a capital where the found words have one that the list has not.
fn in_case_of(found: &str, listed: &str, suggest: &str) -> String {
    let upper = |text: &str| text.chars().next().is_some_and(char::is_uppercase);
    let capital = upper(found) && !upper(listed);
    let mut rest = suggest.chars();
    match rest.next() {
        Some(first) if capital => first.to_uppercase().collect::<String>() + rest.as_str(),
        _ => suggest.to_owned(),
    }
}

pub(super) fn judge(
    rule: &Phrases,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, rule.role);
    // Messages in which each phrase occurs.
    let mut used = vec![0_usize; rule.list.len()];
    let mut total = 0;
    for unit in &units {
        let mut here = BTreeSet::new();
        for hit in unit.messages.iter().flat_map(|&i| &facts[i].hits) {
            total += 1;
            here.insert(hit.which);
        }
        for which in here {
            used[which] += 1;
        }
    }
    let fails = |which: usize| match rule.share_max {
        None => used[which] > 0,
        Some(max) => share(used[which], units.len()) > max,
    };
    let text = |which: usize| {
        let phrase = &rule.list[which];
        let measured = match rule.share_max {
            None => "is a phrase to avoid".into(),
            Some(max) => format!(
                "is in {} of {} messages, more than {}",
                used[which],
                units.len(),
                percent(max)
            ),
        };
        let todo = match &phrase.suggest {
            Some(suggest) if suggest.is_empty() => "remove it".into(),
            Some(suggest) => format!("say \"{suggest}\" instead"),
            None => "say it in other words".into(),
        };
        format!("\"{}\" {measured}: {todo}", phrase.text)
    };
    let spots = units.iter().flat_map(|unit| unit.hit_spots(facts, fails, text)).collect();
    let failing = (0..used.len()).filter(|&which| fails(which)).count();
    let summary = format!(
        "{} of listed phrases in {}; {} used too often",
        counted(total, "use"),
        counted(units.len(), "message"),
        counted(failing, "phrase")
    );
    CheckResult::of(summary, spots)
}
