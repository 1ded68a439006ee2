//! A calibration example put into a rubric where its criterion is written.
//!
//! Invariants: the edit adds bytes at one place (a criterion written as a bare
//! question is also given its key) and takes none away, so comments and formatting
//! stay; the style is the file's own. An edit is handed out only if the text after
//! it reads as the same rubric with that one example more.

use std::fmt;

use crate::finding::Edit;
use crate::text::Span;
use crate::text::yaml::{Kind, Node, write};

use super::parse::{self, Parsed};
use super::place::{self, column, dash, node_at};
use super::{CalibrationExample, Rubric, digest};

/// Why an example cannot be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The text is no rubric, or has errors.
    Broken,
    /// It has no such criterion.
    NoCriterion,
    /// Judges do not answer it.
    Check,
    /// It already has this example, for whatever reason.
    Twice,
    /// It is written in a way that no edit fits (an alias, say).
    Form,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "the rubric has errors: mend them first",
            Self::NoCriterion => "the rubric has no such criterion",
            Self::Check => "no judge answers this criterion, so it needs no examples",
            Self::Twice => "the criterion has this example already",
            Self::Form => {
                "the criterion is written in a way that cannot be added to: add it by hand"
            }
        })
    }
}

/// The edit that adds `example` at the end of the examples of a criterion.
///
/// # Errors
/// See [`Refused`].
pub fn insert(text: &str, criterion: &str, example: &CalibrationExample) -> Result<Edit, Refused> {
    let example = &trimmed(example);
    let parsed = parse::parse(text);
    let rubric = parsed.rubric.as_ref().filter(|_| !parsed.is_damaged()).ok_or(Refused::Broken)?;
    let index = rubric.criteria.iter().position(|c| c.id == criterion);
    let index = index.ok_or(Refused::NoCriterion)?;
    if !rubric.criteria[index].is_question() {
        return Err(Refused::Check);
    }
    let same = |other: &CalibrationExample| {
        let reasoning = other.reasoning.clone();
        *other == CalibrationExample { reasoning, ..example.clone() }
    };
    if rubric.criteria[index].examples.iter().any(same) {
        return Err(Refused::Twice);
    }
    let root = parsed.yaml.root().ok_or(Refused::Broken)?;
    let body = node_at(root, parsed.criteria[index].body).ok_or(Refused::Form)?;
    let place = Place { text, body, style: Style::of(text, &parsed, root) };
    let edit = place.edit(example).ok_or(Refused::Form)?;
    let mut after = text.to_owned();
    after.replace_range(edit.span.start..edit.span.end, &edit.text);
    let reads = parse::parse(&after);
    let same = !reads.is_damaged()
        && reads.rubric.is_some_and(|after| is_one_more(rubric, &after, index, example));
    same.then_some(edit).ok_or(Refused::Form)
}

/// Blanks at the end of a text are no part of it in a rubric.
fn trimmed(example: &CalibrationExample) -> CalibrationExample {
    let trimmed = |text: &str| text.trim_end().to_owned();
    let CalibrationExample { label, context, response, reasoning } = example;
    CalibrationExample {
        label: *label,
        context: trimmed(context),
        response: trimmed(response),
        reasoning: trimmed(reasoning),
    }
}

/// True when `after` is `before` with the example added to the criterion `index`.
fn is_one_more(
    before: &Rubric,
    after: &Rubric,
    index: usize,
    example: &CalibrationExample,
) -> bool {
    let mut wanted = before.clone();
    wanted.criteria[index].examples.push(example.clone());
    digest::rubric(&wanted) == digest::rubric(after) && wanted.name == after.name
}

/// How the file writes its examples.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// `- {type: …}` rather than a line a key.
    flow_items: bool,
    /// Blanks of a list under its key.
    indent: usize,
}

impl Style {
    /// As the last list of examples in the file is written, else lines, indented by two.
    fn of(text: &str, parsed: &Parsed, root: Node<'_>) -> Self {
        let lists = parsed.criteria.iter().rev().filter_map(|written| {
            let body = node_at(root, written.body)?;
            let (key, list) = examples_of(body)?;
            let last = list.items().last().filter(|_| !list.is_flow(text))?;
            let dash = dash(text, list)?;
            let indent = column(text, dash).checked_sub(column(text, key.span().start))?;
            Some(Self { flow_items: last.is_flow(text), indent })
        });
        lists.into_iter().next().unwrap_or(Self { flow_items: false, indent: 2 })
    }
}

fn examples_of(body: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    let mut entries = body.written_entries();
    entries.find(|(key, _)| key.text() == Some("calibration_examples"))
}

/// Where the example goes.
struct Place<'a> {
    text: &'a str,
    body: Node<'a>,
    style: Style,
}

impl Place<'_> {
    fn edit(&self, example: &CalibrationExample) -> Option<Edit> {
        if self.body.is_alias() {
            return None;
        }
        match self.body.kind() {
            Kind::Scalar => self.as_mapping(example),
            Kind::Mapping if self.body.is_flow(self.text) => self.in_flow(example),
            Kind::Mapping => self.in_block(example),
            _ => None,
        }
    }

    /// `A: Is it kind?` becomes a mapping with that question.
    fn as_mapping(&self, example: &CalibrationExample) -> Option<Edit> {
        let span = self.body.span();
        let question = span.of(self.text);
        let line_start = self.text[..span.start].rfind('\n').map_or(0, |n| n + 1);
        let head = &self.text[line_start..span.start];
        let outer = head.len() - head.trim_start_matches(' ').len();
        if question.contains('\n') || !head.trim_end().ends_with(':') || head.contains('{') {
            return None;
        }
        let indent = " ".repeat(outer + 2);
        let list = self.list(&indent, example);
        let blanks = head.len() - head.trim_end().len();
        // A comment stays on the line of its question.
        let rest = self.text[span.end..].lines().next().unwrap_or("");
        let text = format!("\n{indent}question: {question}{rest}\n{indent}{list}");
        let span = Span::new(span.start - blanks, span.end + rest.len());
        Some(Edit { span, text: place::lines(self.text, &text) })
    }

    fn in_flow(&self, example: &CalibrationExample) -> Option<Edit> {
        let (parent, item) = match examples_of(self.body) {
            Some((_, list)) if list.is_alias() || !list.is_flow(self.text) => return None,
            Some((_, list)) => (list, flow(example)),
            None => (self.body, format!("calibration_examples: [{}]", flow(example))),
        };
        place::in_brackets(self.text, parent, &item)
    }

    fn in_block(&self, example: &CalibrationExample) -> Option<Edit> {
        let indent = place::indent_at(self.text, self.body.span().start)?;
        match examples_of(self.body) {
            Some((_, list)) if list.is_alias() => None,
            Some((_, list)) if list.is_flow(self.text) => {
                place::in_brackets(self.text, list, &flow(example))
            }
            Some((_, list)) if list.kind() == Kind::Sequence => {
                let indent = place::indent_at(self.text, dash(self.text, list)?)?;
                let item = item(&indent, example, self.style_of(list).flow_items);
                Some(place::after_line(self.text, list.span().end, &format!("{indent}{item}")))
            }
            // `calibration_examples:` with nothing behind it.
            Some((key, list)) if list.kind() == Kind::Null && list.span().is_empty() => {
                let list = self.list(&indent, example);
                let lines = list.split_once('\n').map(|(_, lines)| lines)?;
                Some(place::after_line(self.text, key.span().end, lines))
            }
            Some(_) => None,
            None => {
                let list = self.list(&indent, example);
                Some(place::after_line(self.text, self.body.span().end, &format!("{indent}{list}")))
            }
        }
    }

    /// As the last item of this very list is written.
    fn style_of(&self, list: Node<'_>) -> Style {
        let last = list.items().last();
        Style { flow_items: last.is_some_and(|item| item.is_flow(self.text)), ..self.style }
    }

    /// The key and a list of the one example.
    fn list(&self, indent: &str, example: &CalibrationExample) -> String {
        let inner = format!("{indent}{}", " ".repeat(self.style.indent));
        let item = item(&inner, example, self.style.flow_items);
        format!("calibration_examples:\n{inner}{item}")
    }
}

fn parts(example: &CalibrationExample) -> [(&'static str, &str); 3] {
    let CalibrationExample { context, response, reasoning, .. } = example;
    [("context", context), ("response", response), ("reasoning", reasoning)]
}

/// An item behind its indentation.
fn item(indent: &str, example: &CalibrationExample, is_flow: bool) -> String {
    if is_flow {
        return format!("- {}", flow(example));
    }
    let keys = format!("{indent}  ");
    let mut text = format!("- type: {}", example.label.name());
    for (key, value) in parts(example) {
        text += &format!("\n{keys}{key}: {}", write::block(value, &keys));
    }
    text
}

fn flow(example: &CalibrationExample) -> String {
    let [context, response, reasoning] =
        parts(example).map(|(key, value)| format!("{key}: {}", write::inline(value, false)));
    format!("{{type: {}, {context}, {response}, {reasoning}}}", example.label.name())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::rubric::ExampleLabel;

    fn example(context: &str, response: &str, reasoning: &str) -> CalibrationExample {
        CalibrationExample {
            label: ExampleLabel::BorderlineFail,
            context: context.into(),
            response: response.into(),
            reasoning: reasoning.into(),
        }
    }

    fn after(text: &str, example: &CalibrationExample) -> Result<String, Refused> {
        let edit = insert(text, "A", example)?;
        let mut after = text.to_owned();
        after.replace_range(edit.span.start..edit.span.end, &edit.text);
        Ok(after)
    }

    const CATEGORIES: &str = "categories:\n  c: {weight: 1.0, criteria: [A, B]}\n";
    const BODIES: [&str; 10] = [
        "  A: Is it kind?  # really\n",
        "  A: {question: Is it kind?}\n",
        "  A: {\n    question: Is it kind?, # why\n  }\n",
        "  A: {question: Is it kind?, calibration_examples: []}\n",
        "  A:\n    question: Is it kind? # here\n    # at the end\n",
        "  A:\n    question: |\n      Is it\n      kind?\n",
        "  A:\n    calibration_examples:  # none yet\n    question: Is it kind?\n",
        "  A:\n    question: Is it kind?\n    calibration_examples:\n    - {type: PASS, context: a, response: b, reasoning: c} # good\n    # more\n    name: x\n",
        "  A:\n    question: Is it kind?\n    calibration_examples:\n      - type: PASS\n        context: a\n        response: >-\n          b\n          b\n        reasoning: c\n\n",
        "  A:\n    question: Is it kind?\n    calibration_examples: [{type: PASS, context: a, response: b, reasoning: c},]\n",
    ];
    const OTHERS: [&str; 3] = [
        "  B: Is it short?\n",
        "  B:\n    question: Is it short?\n    calibration_examples:\n    - {type: FAIL, context: x, response: y, reasoning: z}\n",
        "",
    ];

    fn text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "I see", ": ", " #", "\n", "\n\n", " ", "\"", "'", "\\", "{", "}", "[", ",", "- ",
            "é😀", "\r", "\t", "|", "yes",
        ]);
        let text = prop::collection::vec(pieces, 0..6).prop_map(|all| format!("x{}", all.concat()));
        prop_oneof![text, any::<String>().prop_map(|text| format!("y{text}"))]
    }

    proptest! {
        #[test]
        fn one_example_more_and_every_other_byte_as_it_was(
            body in prop::sample::select(BODIES.to_vec()),
            other in prop::sample::select(OTHERS.to_vec()),
            first in any::<bool>(),
            crlf in any::<bool>(),
            (context, response, reasoning) in (text(), text(), text()),
        ) {
            let criteria = if first { format!("{body}{other}") } else { format!("{other}{body}") };
            let mut text = format!("# top\n{CATEGORIES}criteria:\n{criteria}# the end\n");
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            let example = trimmed(&example(&context, &response, &reasoning));
            let edit = insert(&text, "A", &example);
            let edit = edit.map_err(|why| TestCaseError::fail(format!("{why:?}: {text}")))?;
            let mut after = text.clone();
            after.replace_range(edit.span.start..edit.span.end, &edit.text);
            let read = parse::parse(&after);
            let rubric = read.rubric.unwrap();
            prop_assert_eq!(rubric.criterion("A").unwrap().examples.last(), Some(&example));
            let before = parse::parse(&text).rubric.unwrap();
            prop_assert!(is_one_more(&before, &rubric, before.criteria.iter().position(|c| c.id == "A").unwrap(), &example));
            // Nothing goes but, of a bare question, the blank before it.
            let gone = edit.span.of(&text).trim();
            prop_assert!(edit.text.contains(gone));
            // As often as one likes.
            prop_assert_eq!(insert(&after, "A", &example), Err(Refused::Twice));
        }
    }

    fn check(body: &str, expected: Expect) {
        let text = format!("{CATEGORIES}criteria:\n{body}");
        let example = example("I lost it: all", "Cheer up!\nNow.", "No \"I hear you\".");
        let shown = match after(&text, &example) {
            Ok(after) => after[CATEGORIES.len()..].to_owned(),
            Err(why) => why.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn the_style_is_the_files_own() {
        check(
            BODIES[4],
            expect![[r#"
            criteria:
              A:
                question: Is it kind? # here
                calibration_examples:
                  - type: BORDERLINE_FAIL
                    context: "I lost it: all"
                    response: |-
                      Cheer up!
                      Now.
                    reasoning: No "I hear you".
                # at the end
        "#]],
        );
        check(
            BODIES[7],
            expect![[r#"
            criteria:
              A:
                question: Is it kind?
                calibration_examples:
                - {type: PASS, context: a, response: b, reasoning: c} # good
                - {type: BORDERLINE_FAIL, context: "I lost it: all", response: "Cheer up!\nNow.", reasoning: "No \"I hear you\"."}
                # more
                name: x
        "#]],
        );
        check(
            BODIES[0],
            expect![[r#"
            criteria:
              A:
                question: Is it kind?  # really
                calibration_examples:
                  - type: BORDERLINE_FAIL
                    context: "I lost it: all"
                    response: |-
                      Cheer up!
                      Now.
                    reasoning: No "I hear you".
        "#]],
        );
        check(
            BODIES[2],
            expect![[r#"
            criteria:
              A: {
                question: Is it kind?, calibration_examples: [{type: BORDERLINE_FAIL, context: "I lost it: all", response: "Cheer up!\nNow.", reasoning: "No \"I hear you\"."}] # why
              }
        "#]],
        );
    }

    #[test]
    fn what_cannot_be_added_to_is_left_alone() {
        check(
            "  A: {check: {ascii: {}}}\n",
            expect!["no judge answers this criterion, so it needs no examples"],
        );
        check("  B: {question: Is it kind?}\n", expect!["the rubric has no such criterion"]);
        check("  A: {question: [}\n", expect!["the rubric has errors: mend them first"]);
        let alias = "  B: &b {question: Is it kind?}\n  A: *b\n";
        check(
            alias,
            expect!["the criterion is written in a way that cannot be added to: add it by hand"],
        );
    }
}
