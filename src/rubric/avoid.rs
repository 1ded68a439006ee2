//! Phrases put at the end of the list of a `phrases` check.
//!
//! Invariants: the edit adds bytes at one place and takes none away, in the form of
//! the list: lines or brackets, bare phrases or `{phrase: …}`. It is handed out only
//! if the text after it reads as the same rubric with those phrases more.

use crate::finding::{Edit, Severity};
use crate::text::yaml::{Kind, Node, write};

use super::check::{Phrase, Phrases, Rule, Who};
use super::parse::{self, Parsed};
use super::place::{self, dash, node_at};
use super::{Ask, Criterion, Rubric, digest};

/// What a criterion has replies avoid; `None` where it is about something else.
#[must_use]
pub fn rule(criterion: &Criterion) -> Option<&Phrases> {
    match &criterion.ask {
        Ask::Check(check) => match check.rule() {
            Rule::Phrases(rule) if rule.role != Who::User => Some(rule),
            _ => None,
        },
        Ask::Question(_) => None,
    }
}

/// The criterion whose list further phrases belong into: the first that forbids them
/// altogether, else the first that allows them a share.
#[must_use]
pub fn list(rubric: &Rubric) -> Option<usize> {
    let has = |wanted: fn(&Phrases) -> bool| {
        rubric.criteria.iter().position(|one| rule(one).is_some_and(wanted))
    };
    has(|rule| rule.share_max.is_none()).or_else(|| has(|_| true))
}

/// The edit that adds `phrases` to the list of a criterion; `None` where it is written
/// in a way that no edit fits (an alias, say), or the rubric has errors.
#[must_use]
pub fn insert(text: &str, parsed: &Parsed, criterion: usize, phrases: &[&str]) -> Option<Edit> {
    let rubric = parsed.rubric.as_ref().filter(|_| !parsed.is_damaged())?;
    let body = node_at(parsed.yaml.root()?, parsed.criteria.get(criterion)?.body)?;
    let edit = written(text, sequence(body)?, phrases)?;
    let mut after = text.to_owned();
    after.replace_range(edit.span.start..edit.span.end, &edit.text);
    let read = parse::parse(&after);
    is_so_many_more(parsed, rubric, &read, criterion, phrases).then_some(edit)
}

/// The list inside a criterion.
fn sequence(body: Node<'_>) -> Option<Node<'_>> {
    let phrases = own(own(body, "check")?, "phrases")?;
    let lists = [Some(phrases), own(phrases, "forbidden"), own(phrases, "list")];
    lists.into_iter().flatten().find(|node| node.kind() == Kind::Sequence)
}

fn own<'a>(node: Node<'a>, name: &str) -> Option<Node<'a>> {
    let mut entries = node.written_entries();
    let found = entries.find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value);
    found.filter(|value| !value.is_alias())
}

fn written(text: &str, list: Node<'_>, phrases: &[&str]) -> Option<Edit> {
    let last = list.items().last();
    let in_braces = last.is_some_and(|item| item.kind() == Kind::Mapping);
    if list.is_flow(text) {
        let item = |phrase: &&str| match (write::inline(phrase, false), in_braces) {
            (phrase, true) => format!("{{phrase: {phrase}}}"),
            (phrase, false) => phrase,
        };
        let items: Vec<String> = phrases.iter().map(item).collect();
        return place::in_brackets(text, list, &items.join(", "));
    }
    let indent = place::indent_at(text, dash(text, list)?)?;
    let item = |phrase: &&str| match in_braces {
        true => format!("{indent}- {{phrase: {}}}", write::inline(phrase, false)),
        false => format!("{indent}- {}", write::inline(phrase, true)),
    };
    let lines: Vec<String> = phrases.iter().map(item).collect();
    Some(place::after_line(text, last?.span().end, &lines.join("\n")))
}

/// True when `after` is `before` with the phrases at the end of that one list.
fn is_so_many_more(
    before: &Parsed,
    rubric: &Rubric,
    after: &Parsed,
    criterion: usize,
    phrases: &[&str],
) -> bool {
    let errors = |parsed: &Parsed| {
        parsed.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    };
    let Some(read) = after.rubric.as_ref().filter(|_| !after.is_damaged()) else { return false };
    let (Some(old), Some(new)) = (rubric.criteria.get(criterion), read.criteria.get(criterion))
    else {
        return false;
    };
    let (Some(old), Some(now)) = (rule(old), rule(new)) else { return false };
    let is_added = |phrase: &Phrase| phrases.contains(&&*phrase.text) && phrase.suggest.is_none();
    let added: Vec<&Phrase> = now.list.iter().filter(|phrase| !old.list.contains(phrase)).collect();
    let mut same = rubric.clone();
    same.criteria[criterion].ask = new.ask.clone();
    errors(after) <= errors(before)
        && (now.role, now.share_max) == (old.role, old.share_max)
        && now.list.len() == old.list.len() + phrases.len()
        && old.list.iter().all(|phrase| now.list.contains(phrase))
        && added.into_iter().all(is_added)
        && same.name == read.name
        && digest::rubric(&same) == digest::rubric(read)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str =
        "# top\ncategories: {all: {weight: 1.0, criteria: [A, B]}}\ncriteria:\n  B: Is it so?\n";
    const LISTS: [&str; 6] = [
        "  A: {check: {phrases: [I hear you, at last]}} # why\n",
        "  A:\n    check:\n      phrases:\n        - I hear you # really\n        # more\n",
        "  A:\n    check:\n      phrases:\n        forbidden:\n        - {phrase: \"I hear you\", suggest: I see}\n    name: x\n",
        "  A:\n    check: {phrases: {list: [{phrase: I hear you},], share_max: 0.5}}\n",
        "  A:\n    check:\n      phrases:\n        forbidden: [\n          I hear you, # so\n        ]\n",
        "  A:\n    check:\n      phrases:\n        forbidden: [I hear you]\n        suggest: {delve: dig}\n",
    ];

    fn after(text: &str, phrases: &[&str]) -> Option<String> {
        let parsed = parse::parse(text);
        let edit = insert(text, &parsed, list(parsed.rubric.as_ref()?)?, phrases)?;
        assert!(edit.span.is_empty(), "nothing goes");
        let mut after = text.to_owned();
        after.replace_range(edit.span.start..edit.span.end, &edit.text);
        Some(after)
    }

    proptest! {
        #[test]
        fn phrases_more_and_every_other_byte_as_it_was(
            list in prop::sample::select(LISTS.to_vec()),
            crlf in any::<bool>(),
            phrase in "[a-z][ :#'\",{}é😀|?-]{0,12}[a-z]|yes|null|[a-z]\\PC{0,20}[a-z]",
        ) {
            prop_assume!(!phrase.contains("I hear you"));
            let text = format!("{HEAD}{list}# the end\n");
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            let after = after(&text, &[&phrase, "and so on"]);
            let after = after.ok_or_else(|| TestCaseError::fail(format!("refused: {text}")))?;
            let rubric = parse::parse(&after).rubric.unwrap();
            let rule = rule(rubric.criterion("A").unwrap()).unwrap();
            prop_assert!(rule.list.iter().any(|one| one.text == phrase));
        }
    }

    fn check(list: &str, expected: Expect) {
        let text = format!("{HEAD}{list}");
        let after = after(&text, &["so: it is", "yes"]);
        let shown = |after: String| format!("criteria:\n{}", &after[HEAD.len()..]);
        expected.assert_eq(&after.map_or("refused".to_owned(), shown));
    }

    #[test]
    fn the_form_is_the_lists_own() {
        check(
            LISTS[0],
            expect![[r#"
                criteria:
                  A: {check: {phrases: [I hear you, at last, "so: it is", "yes"]}} # why
            "#]],
        );
        check(
            LISTS[1],
            expect![[r#"
                criteria:
                  A:
                    check:
                      phrases:
                        - I hear you # really
                        - "so: it is"
                        - "yes"
                        # more
            "#]],
        );
        check(
            LISTS[2],
            expect![[r#"
                criteria:
                  A:
                    check:
                      phrases:
                        forbidden:
                        - {phrase: "I hear you", suggest: I see}
                        - {phrase: "so: it is"}
                        - {phrase: "yes"}
                    name: x
            "#]],
        );
    }

    #[test]
    fn what_cannot_be_added_to_is_left_alone() {
        check(
            "  A: {check: {phrases: &p [a b]}}\n  C: {check: {phrases: *p}}\n",
            expect!["refused"],
        );
        check("  A: {check: {ascii: {}}}\n", expect!["refused"]);
        check("  A: {check: {phrases: [a}}\n", expect!["refused"]);
    }
}
