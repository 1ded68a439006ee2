//! A criterion more, put at the end of a rubric's criteria.
//!
//! Invariants: the edit adds bytes at one place and takes none away, in the form of
//! the file: lines or brackets, by key or as a list. It is handed out only if the
//! text after it reads as the same rubric with that one criterion more, and has no
//! error more.

use std::fmt;

use crate::finding::{Edit, Severity};
use crate::text::Span;
use crate::text::yaml::{Kind, Node, write};

use super::parse::{self, Parsed, is_rule};
use super::{Ask, Rubric, digest, place};

/// Why a criterion cannot be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The text is no rubric, or has errors.
    Broken,
    /// It has no such category.
    NoCategory,
    /// There is no question.
    Empty,
    /// A criterion asks this already.
    Twice,
    /// It is written in a way that no edit fits (an alias, say).
    Form,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "the rubric has errors: mend them first",
            Self::NoCategory => "the rubric has no such category",
            Self::Empty => "a criterion asks something: write the question",
            Self::Twice => "the rubric asks this already",
            Self::Form => {
                "the criteria are written in a way that cannot be added to: add it by hand"
            }
        })
    }
}

/// A criterion to be put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The edit.
    pub edit: Edit,
    /// Its id.
    pub id: String,
    /// Its category; `None` in a rubric without any.
    pub category: Option<String>,
}

/// Longest name made of a question, in bytes.
const NAME: usize = 60;

/// The edit that adds a criterion that asks `question`, in `category` or else in the
/// last that has a weight.
///
/// # Errors
/// See [`Refused`].
pub fn insert(text: &str, question: &str, category: Option<&str>) -> Result<Addition, Refused> {
    let parsed = parse::parse(text);
    let rubric = parsed.rubric.as_ref().filter(|_| !parsed.is_damaged()).ok_or(Refused::Broken)?;
    let question = question.split_whitespace().collect::<Vec<_>>().join(" ");
    if question.is_empty() {
        return Err(Refused::Empty);
    }
    let asks = |ask: &Ask| matches!(ask, Ask::Question(other) if *other == question);
    if rubric.criteria.iter().any(|one| asks(&one.ask)) {
        return Err(Refused::Twice);
    }
    let index = match category {
        Some(id) => {
            Some(rubric.categories.iter().position(|c| c.id == id).ok_or(Refused::NoCategory)?)
        }
        None => {
            let weighted = rubric.categories.iter().rposition(|c| c.weight > 0.0);
            weighted.or_else(|| rubric.categories.len().checked_sub(1))
        }
    };
    let category = index.map(|index| rubric.categories[index].id.clone());
    let id = fresh(&parsed, rubric, index).ok_or(Refused::Form)?;
    let name = name_of(&question);
    let mut parts = vec![("name", name.as_str()), ("question", question.as_str())];
    parts.extend(category.as_deref().map(|category| ("category", category)));
    let criteria = parsed.yaml.root().and_then(|root| root.get("criteria"));
    let edit = criteria.and_then(|node| written(text, node, &id, &parts)).ok_or(Refused::Form)?;
    let mut after = text.to_owned();
    after.replace_range(edit.span.start..edit.span.end, &edit.text);
    let wanted = |rubric: &Rubric| {
        rubric.criteria.last().is_some_and(|one| {
            one.id == id && one.name == name && one.category == index && asks(&one.ask)
        })
    };
    let same = is_one_more(&parsed, rubric, &parse::parse(&after), wanted);
    same.then_some(Addition { edit, id, category }).ok_or(Refused::Form)
}

/// The category that a place or words in it name: the one that stands at `at`, or of
/// the criterion there, else the first whose id, or a criterion's, is a word of `says`.
#[must_use]
pub fn category_named(parsed: &Parsed, at: Option<Span>, says: &str) -> Option<String> {
    let rubric = parsed.rubric.as_ref()?;
    let holds = |block: Span| at.is_some_and(|at| block.start <= at.start && at.end <= block.end);
    let is_word = |id: &str| {
        let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'));
        says.split(ends).any(|word| word == id)
    };
    let criteria = || rubric.criteria.iter().zip(&parsed.criteria);
    let categories = || rubric.categories.iter().zip(&parsed.categories).enumerate();
    let index = categories()
        .find(|(_, (_, written))| holds(written.block))
        .map(|(index, _)| index)
        .or_else(|| criteria().find(|(_, written)| holds(written.block))?.0.category)
        .or_else(|| Some(categories().find(|(_, (one, _))| is_word(&one.id))?.0))
        .or_else(|| criteria().find(|(one, _)| is_word(&one.id))?.0.category)?;
    rubric.categories.get(index).map(|category| category.id.clone())
}

/// An id that nothing in the file names: the next number behind the last of the
/// category, else of the rubric.
fn fresh(parsed: &Parsed, rubric: &Rubric, category: Option<usize>) -> Option<String> {
    let numbered = |id: &str| {
        let stem = id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let digits = &id[stem.len()..];
        Some((stem, digits.len(), digits.parse::<u32>().ok()?))
    };
    let all = || rubric.criteria.iter().rev();
    let mut likely = all().filter(|one| one.category == category).chain(all());
    let model = likely.find_map(|one| numbered(&one.id));
    let (stem, width, last) = model.unwrap_or_else(|| ("NEW".to_owned(), 1, 0));
    let is_taken = |id: &str| {
        parsed.references.iter().any(|one| one.id.eq_ignore_ascii_case(id))
            || rubric.criteria.iter().any(|one| one.id.eq_ignore_ascii_case(id))
    };
    let ids = (1..2000).filter_map(|n| Some(format!("{stem}{:0width$}", last.checked_add(n)?)));
    ids.into_iter().find(|id| id.len() <= 64 && !is_rule(id) && !is_taken(id))
}

/// The beginning of a question, without its mark.
fn name_of(question: &str) -> String {
    let bare = question.trim_end_matches(['?', ' ']);
    let bare = if bare.is_empty() { question } else { bare };
    if bare.len() <= NAME {
        return bare.to_owned();
    }
    let end = (0..=NAME).rev().find(|at| bare.is_char_boundary(*at)).unwrap_or(0);
    let cut = bare[..end].rfind(' ').unwrap_or(end);
    format!("{} …", bare[..cut].trim_end())
}

fn written(text: &str, node: Node<'_>, id: &str, parts: &[(&str, &str)]) -> Option<Edit> {
    if node.is_alias() {
        return None;
    }
    let flow = |parts: &[(&str, &str)]| {
        let part = |(key, value): &(&str, &str)| format!("{key}: {}", write::inline(value, false));
        parts.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    let lines = |indent: &str| {
        let part = |(key, value): &(&str, &str)| {
            format!("\n{indent}{key}: {}", write::block(value, indent))
        };
        parts.iter().map(part).collect::<String>()
    };
    match (node.kind(), node.is_flow(text)) {
        (Kind::Mapping, true) => {
            place::in_brackets(text, node, &format!("{id}: {{{}}}", flow(parts)))
        }
        (Kind::Sequence, true) => {
            place::in_brackets(text, node, &format!("{{id: {id}, {}}}", flow(parts)))
        }
        (Kind::Mapping, false) => {
            let (key, value) = node.written_entries().last()?;
            let indent = place::indent_at(text, key.span().start)?;
            let end = if value.is_alias() { key.span().end } else { value.span().end };
            let lines = format!("{indent}{id}:{}", lines(&format!("{indent}  ")));
            Some(place::after_line(text, end.max(key.span().end), &lines))
        }
        (Kind::Sequence, false) => {
            let indent = place::indent_at(text, place::dash(text, node)?)?;
            let lines = format!("{indent}- id: {id}{}", lines(&format!("{indent}  ")));
            Some(place::after_line(text, node.items().last()?.span().end, &lines))
        }
        _ => None,
    }
}

/// True when `after` is `before` with one criterion more, the one that is wanted.
fn is_one_more(
    before: &Parsed,
    rubric: &Rubric,
    after: &Parsed,
    wanted: impl Fn(&Rubric) -> bool,
) -> bool {
    let errors = |parsed: &Parsed| {
        parsed.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    };
    let Some(read) = after.rubric.as_ref().filter(|_| !after.is_damaged()) else { return false };
    let mut rest = read.clone();
    rest.criteria.pop();
    wanted(read)
        && errors(after) <= errors(before)
        && rest.name == rubric.name
        && digest::rubric(&rest) == digest::rubric(rubric)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    const CATEGORIES: &str = "categories:\n  tone: {weight: 1.0}\n  gates: {weight: 0}\n";
    const CRITERIA: [&str; 9] = [
        "criteria:\n  Q1: Is it kind?  # really\n",
        "criteria:\n    Q1:\n        question: Is it kind?\n        category: tone\n    # more\n",
        "criteria:\n  Q1:\n    question: |\n      Is it\n      kind?\n\n",
        "criteria: {Q1: {question: Is it kind?}}\n",
        "criteria: {\n  Q1: {question: Is it kind?}, # why\n}\n",
        "criteria:\n- id: Q1\n  question: Is it kind?\n",
        "criteria:\n  - {id: Q1, question: Is it kind?}\n",
        "criteria: [{id: Q1, question: Is it kind?}]\n",
        "criteria:\n  Q0: &q {question: Is it kind?}\n  Q1:\n    question: So?\n    calibration_examples:\n    - {type: PASS, context: a, response: b, reasoning: c}",
    ];

    fn after(text: &str, added: &Addition) -> String {
        let mut after = text.to_owned();
        after.replace_range(added.edit.span.start..added.edit.span.end, &added.edit.text);
        after
    }

    proptest! {
        #[test]
        fn one_criterion_more_and_every_other_byte_as_it_was(
            criteria in prop::sample::select(CRITERIA.to_vec()),
            first in any::<bool>(),
            crlf in any::<bool>(),
            question in "x[ :#'\"{},é😀|?-]{0,80}|\\PC{1,90}|x[\\s\\S]{0,20}",
        ) {
            prop_assume!(!question.trim().is_empty());
            let text = match first {
                true => format!("{}\n{CATEGORIES}# the end\n", criteria.trim_end_matches('\n')),
                false => format!("# top\n{CATEGORIES}{criteria}"),
            };
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            let added = insert(&text, &question, None);
            let added = added.map_err(|why| TestCaseError::fail(format!("{why:?}: {text}")))?;
            prop_assert!(added.edit.span.is_empty());
            prop_assert_eq!((added.id.as_str(), added.category.as_deref()), ("Q2", Some("tone")));
            let after = after(&text, &added);
            prop_assert_eq!(after.matches('\n').count() - after.matches("\r\n").count(),
                if crlf { 0 } else { after.matches('\n').count() });
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let read = parse::parse(&after).rubric.unwrap();
            prop_assert_eq!(&read.criterion("Q2").unwrap().ask, &Ask::Question(words(&question)));
            prop_assert_eq!(insert(&after, &question, None), Err(Refused::Twice));
        }
    }

    #[test]
    fn it_is_written_as_its_neighbours_are() {
        let shown = |criteria: &str| {
            let text = format!("{CATEGORIES}{criteria}");
            let added = insert(&text, "Is it: safe?", Some("gates")).unwrap();
            after(&text, &added)[CATEGORIES.len()..].to_owned()
        };
        let all: Vec<String> = [1, 4, 5].iter().map(|n| shown(CRITERIA[*n])).collect();
        expect![[r#"
            criteria:
                Q1:
                    question: Is it kind?
                    category: tone
                Q2:
                  name: "Is it: safe"
                  question: "Is it: safe?"
                  category: gates
                # more
            criteria: {
              Q1: {question: Is it kind?}, Q2: {name: "Is it: safe", question: "Is it: safe?", category: "gates"} # why
            }
            criteria:
            - id: Q1
              question: Is it kind?
            - id: Q2
              name: "Is it: safe"
              question: "Is it: safe?"
              category: gates
        "#]]
        .assert_eq(&all.join(""));
    }

    #[test]
    fn an_id_is_fresh_and_no_structure_rule() {
        let id = |text: &str| insert(text, "Is it safe?", None).unwrap().id;
        assert_eq!(id("criteria: {T99: Is it so?}"), "T1000");
        assert_eq!(id("criteria: {KIND: Is it so?}"), "NEW1");
        assert_eq!(id("criteria: {CQ01: Is it so?}\nsafety_gates: [cq02]"), "CQ03");
        let text = "categories: {a: {weight: 1, criteria: [A7]}, b: {weight: 0, criteria: [B1]}}\ncriteria: {A7: x, B1: y}";
        assert_eq!(id(text), "A8");
    }

    #[test]
    fn what_cannot_be_added_to_is_left_alone() {
        let refused = |text: &str, category| insert(text, "Is it safe?", category).unwrap_err();
        assert_eq!(refused("criteria: {A: [}", None), Refused::Broken);
        assert_eq!(refused("criteria: {A: So?}", Some("tone")), Refused::NoCategory);
        assert_eq!(refused("criteria: {A: Is it safe?}", None), Refused::Twice);
        assert_eq!(refused("x: &c {A: So?}\ncriteria: *c\n", None), Refused::Form);
        assert_eq!(insert("criteria: {A: So?}", " \n", None), Err(Refused::Empty));
    }

    #[test]
    fn a_place_names_its_category_then_words_do() {
        let text = "categories: {tone: {weight: 1, criteria: [A]}, safety: {weight: 0}}\ncriteria: {A: So?}";
        let parsed = parse::parse(text);
        let at = |words: &str| text.find(words).map(|at| Span::new(at, at + words.len()));
        let named = |at, says| category_named(&parsed, at, says);
        assert_eq!(named(at("So?"), "about safety").as_deref(), Some("tone"));
        assert_eq!(named(at("safety"), "").as_deref(), Some("safety"));
        assert_eq!(named(None, "about safety.").as_deref(), Some("safety"));
        assert_eq!(named(None, "A is weak").as_deref(), Some("tone"));
        assert_eq!(named(None, "unsafe"), None);
    }
}
