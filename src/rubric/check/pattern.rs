//! `pattern`: a regular expression every reply must match, or none may.
//!
//! The `regex` crate is linear in the text; the size limits keep a hostile
//! expression from costing memory.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::units::{self, counted};
use super::{CheckResult, Hit, MessageFacts, Pattern, Subject};
use crate::text::Span;

/// Bytes a compiled expression, and its lazy automaton, may take.
const SIZE_LIMIT: usize = 1 << 20;

/// Matches of one message that are kept.
const MAX_HITS: usize = 1000;

pub(super) fn compile(rule: &Pattern) -> Result<Regex, String> {
    RegexBuilder::new(&rule.regex)
        .case_insensitive(!rule.case_sensitive)
        .multi_line(true)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "this regular expression is too large: use smaller repetitions".into()
            }
            error => {
                let text = error.to_string();
                let why = text.lines().last().unwrap_or("").trim_start_matches("error: ");
                format!("not a regular expression ({why}): correct it")
            }
        })
}

pub(super) fn facts(rule: &Pattern, regex: &Regex, text: &str) -> MessageFacts {
    if rule.required {
        return MessageFacts { holds: regex.is_match(text), ..MessageFacts::default() };
    }
    let hit = |captures: regex::Captures<'_>| {
        let whole = captures.get(0)?;
        let replacement = rule.suggest.as_ref().map(|suggest| {
            let mut expanded = String::new();
            captures.expand(suggest, &mut expanded);
            expanded
        });
        let span = Span::new(whole.start(), whole.end());
        // An empty match forbids nothing that could be pointed at.
        (!span.is_empty()).then_some(Hit { span, which: 0, replacement })
    };
    let hits = regex.captures_iter(text).filter_map(hit).take(MAX_HITS).collect();
    MessageFacts { hits, ..MessageFacts::default() }
}

pub(super) fn judge(
    rule: &Pattern,
    facts: &[Arc<MessageFacts>],
    subject: &Subject<'_>,
) -> CheckResult {
    let units = units::units(subject.transcript, rule.role);
    let regex = &rule.regex;
    if rule.required {
        let lacking = units.iter().filter(|u| !u.messages.iter().any(|&i| facts[i].holds));
        let text = format!("does not match `{regex}`, which every message must: add it");
        let spots: Vec<_> = lacking.map(|unit| unit.spot(subject, text.clone())).collect();
        let summary =
            format!("{} of {} messages lack the required pattern", spots.len(), units.len());
        return CheckResult::of(summary, spots);
    }
    let text = |_| match &rule.suggest {
        Some(_) => format!("matches the forbidden pattern `{regex}`: replace it"),
        None => format!("matches the forbidden pattern `{regex}`: reword it"),
    };
    let spots: Vec<_> =
        units.iter().flat_map(|unit| unit.hit_spots(facts, |_| true, text)).collect();
    let summary = format!("{} of the forbidden pattern", counted(spots.len(), "match"));
    CheckResult::of(summary, spots)
}
