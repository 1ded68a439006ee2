//! What may be written at a place of a rubric: keys, ids, names and values, each with
//! what it means.
//!
//! Invariants: total, and useful while the file is broken: the place is told by
//! indentation and the brackets of one line, never by a parse. Keys that are there
//! already are not offered again.
//!
//! Deliberately absent: brackets that run over several lines, and text in blocks.

mod place;

use place::{Place, Slot};

use crate::rubric::keys::{self, Key};
use crate::rubric::parse::{Parsed, ReferenceRole};
use crate::rubric::{Ask, ExampleLabel};
use crate::text::Span;

/// Something that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As it is offered.
    pub label: String,
    /// What it means; plain text.
    pub about: String,
    /// What it is.
    pub kind: Kind,
    /// What is replaced: the word at the cursor.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// What an [`Item`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Kind {
    Key,
    Value,
    Criterion,
    Category,
}

/// What may be written at byte `at` of a rubric. `parsed` is what could be read of it.
#[must_use]
pub fn rubric(text: &str, at: usize, parsed: &Parsed) -> Vec<Item> {
    let Some(place) = Place::of(text, at) else { return Vec::new() };
    let path: Vec<&str> = place.path.iter().map(String::as_str).collect();
    let mut items = match (&path[..], &place.slot) {
        ([], Slot::Key) => keys_of(&place, keys::ROOT),
        (["categories", _], Slot::Key) => keys_of(&place, keys::CATEGORY),
        (["criteria", name], Slot::Key) => {
            let mut offered = keys_of(&place, keys::CRITERION);
            if *name == place::ITEM {
                offered.extend(keys_of(&place, ID));
            }
            offered
        }
        (["criteria", _, "check"], Slot::Key) => keys_of(&place, keys::CHECKS),
        (["criteria", _, "check", check], Slot::Key) => parameters(&place, check),
        (["criteria", _, "calibration_examples", place::ITEM], Slot::Key) => {
            keys_of(&place, keys::EXAMPLE)
        }
        (["criteria", _], Slot::Value(key)) => values(&place, key, parsed),
        (["criteria", _, "calibration_examples", place::ITEM], Slot::Value(key))
            if key == "type" =>
        {
            named(&place, ExampleLabel::ALL.map(|label| (label.name(), "")))
        }
        (["criteria", _, "statistics"], Slot::Item) => {
            named(&place, keys::STATISTICS.iter().map(|key| (key.name, key.about)))
        }
        (["safety_gates"], Slot::Item) => ids(&place, parsed, |role| role == ReferenceRole::Gate),
        (["na_invalid"], Slot::Item) => {
            ids(&place, parsed, |role| role == ReferenceRole::NaInvalid)
        }
        (["categories", _, "criteria"], Slot::Item) => {
            ids(&place, parsed, |role| matches!(role, ReferenceRole::Member(_)))
        }
        _ => Vec::new(),
    };
    items.retain(|item| !place.siblings.contains(&item.label));
    items
}

/// Of criteria that are written as a list.
const ID: &[Key] = &[Key { name: "id", about: "The criterion's id, used by everything else." }];

fn keys_of(place: &Place, all: &[Key]) -> Vec<Item> {
    let item = |key: &Key| {
        let text = if place.has_colon { key.name.to_owned() } else { format!("{}: ", key.name) };
        Item { text, kind: Kind::Key, ..plain(place, key.name, key.about) }
    };
    all.iter().map(item).collect()
}

fn parameters(place: &Place, check: &str) -> Vec<Item> {
    let names = keys::PARAMETERS.iter().find(|(name, _)| *name == check).map(|(_, names)| *names);
    let about = keys::CHECKS.iter().find(|key| key.name == check).map_or("", |key| key.about);
    let of = |name: &&'static str| Key { name, about };
    let all: Vec<Key> = names.unwrap_or_default().iter().map(of).collect();
    keys_of(place, &all)
}

/// Values of a criterion's keys.
fn values(place: &Place, key: &str, parsed: &Parsed) -> Vec<Item> {
    match key {
        "subjectivity" => named(
            place,
            [
                ("low", "2-3 calibration examples are expected."),
                ("medium", "4-5 calibration examples are expected."),
                ("high", "6-8 calibration examples are expected, borderline ones among them."),
            ],
        ),
        "fix" => named(
            place,
            [
                ("rewrite", "The reply may be rewritten, once the rewrite is proven."),
                ("truncate", "The transcript may be cut off before the reply."),
                ("reject", "The transcript is of no use."),
            ],
        ),
        "na_valid" | "gate" => named(place, [("true", ""), ("false", "")]),
        "check" => named(place, keys::CHECKS.iter().map(|key| (key.name, key.about))),
        "category" => {
            let defined = parsed.references.iter().filter(|r| r.role == ReferenceRole::Category);
            let item = |id: &str| Item { kind: Kind::Category, ..plain(place, id, "") };
            defined.map(|reference| item(&reference.id)).collect()
        }
        _ => Vec::new(),
    }
}

/// The ids of all criteria but those that a list with this role names already.
fn ids(place: &Place, parsed: &Parsed, is_listed: impl Fn(ReferenceRole) -> bool) -> Vec<Item> {
    let at_cursor = |span: Span| span.touches(place.span.start);
    let listed = |id: &str| {
        let here = |r: &&crate::rubric::parse::Reference| r.id == id && is_listed(r.role);
        parsed.references.iter().filter(here).any(|r| !at_cursor(r.span))
    };
    let defined = parsed.references.iter().filter(|r| r.role == ReferenceRole::Criterion);
    let about = |id: &str| {
        let criterion = parsed.rubric.as_ref().and_then(|rubric| rubric.criterion(id));
        criterion.map_or(String::new(), |criterion| match &criterion.ask {
            Ask::Question(question) => format!("{}: {question}", criterion.name),
            Ask::Check(_) => format!("{} (computed)", criterion.name),
        })
    };
    let free = defined.filter(|reference| !listed(&reference.id));
    free.map(|r| Item { kind: Kind::Criterion, ..plain(place, &r.id, &about(&r.id)) }).collect()
}

fn named<'n>(place: &Place, all: impl IntoIterator<Item = (&'n str, &'n str)>) -> Vec<Item> {
    all.into_iter().map(|(name, about)| plain(place, name, about)).collect()
}

fn plain(place: &Place, name: &str, about: &str) -> Item {
    Item {
        label: name.to_owned(),
        about: about.to_owned(),
        kind: Kind::Value,
        span: place.span,
        text: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse::parse;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    const RUBRIC: &str = "\
name: Small
categories:
  tone: {weight: 1.0, criteria: [A]}
safety_gates: [B]
criteria:
  A:
    question: Is it kind?
  B: {name: Second, question: Is it safe?}
";

    /// What is offered where `|` stands, appended to [`RUBRIC`] or in place of a line of it.
    fn check(text: &str, expected: Expect) {
        let at = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let items = rubric(&text, at, &parse(&text));
        let shown = |item: &Item| format!("{}>{}", item.span.of(&text), item.text);
        let all: Vec<String> = items.iter().map(shown).collect();
        expected.assert_eq(&all.join(" "));
    }

    fn with(line: &str) -> String {
        format!("{RUBRIC}{line}")
    }

    #[test]
    fn keys_are_offered_where_they_belong_and_not_twice() {
        check(
            &with("|"),
            expect![[
                r#">description:  >version:  >pass_threshold:  >min_exchanges:  >na_invalid: "#
            ]],
        );
        check(
            &with("na|_inv: []"),
            expect![
                "na_inv>description na_inv>version na_inv>pass_threshold na_inv>min_exchanges na_inv>na_invalid"
            ],
        );
        check(
            &with("  C:\n    question: Is it\n    subj|"),
            expect![
                "subj>name:  subj>description:  subj>category:  subj>check:  subj>guidance:  subj>na_valid:  subj>min_turns:  subj>gate:  subj>subjectivity:  subj>fix:  subj>statistics:  subj>calibration_examples: "
            ],
        );
        check(
            &with("  C: {name: x, fi|}"),
            expect![
                "fi>description:  fi>category:  fi>question:  fi>check:  fi>guidance:  fi>na_valid:  fi>min_turns:  fi>gate:  fi>subjectivity:  fi>fix:  fi>statistics:  fi>calibration_examples: "
            ],
        );
        check(
            &with("  C:\n    calibration_examples:\n      - type: PASS\n        re|"),
            expect!["re>context:  re>response:  re>reasoning: "],
        );
        check(
            "categories:\n  tone:\n    |",
            expect![">name:  >description:  >weight:  >criteria: "],
        );
    }

    #[test]
    fn values_and_ids_are_offered_also_in_brackets() {
        check(&with("  C:\n    fix: |"), expect![">rewrite >truncate >reject"]);
        check(&with("  C:\n    category: t|"), expect!["t>tone"]);
        check(
            &with("  C:\n    calibration_examples:\n      - type: |"),
            expect![">PASS >FAIL >BORDERLINE_PASS >BORDERLINE_FAIL"],
        );
        check(&with("  C: {statistics: [length, |]}"), expect![">length >questions >endings"]);
        check(&with("na_invalid: [|"), expect![">A >B"]);
        check(&RUBRIC.replace("[B]", "[B, |]"), expect![">A"]);
        check(&RUBRIC.replace("[A]}", "[A, B|]}"), expect!["B>B"]);
        check(&with("na_invalid:\n  - A\n  - |"), expect![">B"]);
    }

    #[test]
    fn checks_come_with_their_parameters() {
        check(
            &with("  C:\n    check: que|"),
            expect![
                "que>length_ratio que>word_count que>questions que>question_endings que>phrases que>openers que>pattern que>structure que>ascii que>tokens"
            ],
        );
        check(
            &with("  C:\n    check:\n      openers:\n        |"),
            expect![">words:  >share_max: "],
        );
        check(&with("  C:\n    check: {openers: {words: 2, |}}"), expect![">share_max: "]);
    }

    #[test]
    fn nothing_is_offered_in_text() {
        check(&with("  C:\n    guidance: >\n      n|"), expect![""]);
        check(&with("  C:\n    question: Is |"), expect![""]);
        check(&with("# a |"), expect![""]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[a-c:\\-\\[\\]{}, \"'#|>\n\té]{0,60}", at in 0..80usize) {
            let at = text.floor_char_boundary(at.min(text.len()));
            for item in rubric(&text, at, &parse(&text)) {
                prop_assert!(item.span.end <= text.len() && text.is_char_boundary(item.span.start));
            }
        }
    }
}
