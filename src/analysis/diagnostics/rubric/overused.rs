//! Phrases that an audit found all over the replies, and that no list of the rubric has.
//!
//! Invariant: what a list has already, whatever the case, is not said again.
//! Deliberately absent: finding them (`audit`).

use crate::finding::{Finding, Fix, Safety, Severity};
use crate::rubric::{Parsed, avoid};
use crate::text::Span;

/// Phrases that one fix adds.
const TOGETHER: usize = 20;
/// Phrases that are named, and that have a fix of their own.
const NAMED: usize = 5;

/// What to say of the rubric file `text` when these phrases are over-used, the most
/// frequent first.
#[must_use]
pub fn findings(text: &str, parsed: &Parsed, overused: &[String]) -> Vec<Finding> {
    let Some(rubric) = parsed.rubric.as_ref() else { return Vec::new() };
    let lists = rubric.criteria.iter().filter_map(avoid::rule);
    let listed: Vec<String> =
        lists.flat_map(|rule| &rule.list).map(|phrase| phrase.text.to_lowercase()).collect();
    let is_new = |phrase: &&str| !listed.contains(&phrase.to_lowercase());
    let new: Vec<&str> = overused.iter().map(String::as_str).filter(is_new).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = new.iter().take(NAMED).map(|phrase| format!("“{phrase}”")).collect();
    let more = match new.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let said = format!("the last audit found {}{more} over-used in the replies", named.join(", "));
    let Some(criterion) = avoid::list(rubric) else {
        let place = root_key(parsed, "criteria").unwrap_or_default();
        let message =
            format!("{said}: add a criterion with `check: {{phrases: {{forbidden: […]}}}}`");
        return vec![Finding::new("overused", Severity::Info, place, message)];
    };
    let id = &rubric.criteria[criterion].id;
    let message = format!("{said}, and {id} does not list them: add what replies should avoid");
    let fix = |title: String, phrases: &[&str]| {
        let edit = avoid::insert(text, parsed, criterion, phrases)?;
        Some(Fix { title, edits: vec![edit], safety: Safety::Suggested })
    };
    let mut finding =
        Finding::new("overused", Severity::Info, rubric.criteria[criterion].source, message);
    let together = &new[..new.len().min(TOGETHER)];
    if together.len() > 1 {
        let title = format!("Add {} over-used phrases to {id}", together.len());
        finding.fixes.extend(fix(title, together));
    }
    for phrase in new.iter().take(NAMED) {
        finding.fixes.extend(fix(format!("Add “{phrase}” to {id}"), &[phrase]));
    }
    vec![finding]
}

fn root_key(parsed: &Parsed, name: &str) -> Option<Span> {
    let root = parsed.yaml.root()?;
    let mut entries = root.written_entries();
    entries.find(|(key, _)| key.text() == Some(name)).map(|(key, _)| key.span())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Edit;
    use crate::rubric::parse;

    #[track_caller]
    fn check(text: &str, overused: &[&str], expected: &[&str]) {
        let overused: Vec<String> = overused.iter().map(|one| (*one).to_owned()).collect();
        let found = findings(text, &parse(text), &overused);
        let mut shown: Vec<String> = Vec::new();
        for finding in &found {
            shown.push(format!("«{}» {}", finding.span.of(text), finding.message));
            for fix in &finding.fixes {
                let Edit { span, text: added } = &fix.edits[0];
                let at = &text[..span.start];
                shown.push(format!("{}: {:?} behind {:?}", fix.title, added, &at[at.len() - 5..]));
            }
        }
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_no_list_has_is_said_where_it_belongs() {
        let text = "criteria:\n  A: {check: {phrases: [I hear you]}}\n";
        check(text, &[], &[]);
        check(text, &["i Hear you"], &[]);
        check(
            text,
            &["Take a step", "I hear you", "and so on"],
            &[
                "«A» the last audit found “Take a step”, “and so on” over-used in the replies, and A does not list them: add what replies should avoid",
                "Add 2 over-used phrases to A: \", \\\"Take a step\\\", \\\"and so on\\\"\" behind \"r you\"",
                "Add “Take a step” to A: \", \\\"Take a step\\\"\" behind \"r you\"",
                "Add “and so on” to A: \", \\\"and so on\\\"\" behind \"r you\"",
            ],
        );
    }

    #[test]
    fn without_a_list_it_says_how_to_have_one() {
        check(
            "criteria:\n  A: So?\n",
            &["and so on"],
            &[
                "«criteria» the last audit found “and so on” over-used in the replies: add a criterion with `check: {phrases: {forbidden: […]}}`",
            ],
        );
    }
}
