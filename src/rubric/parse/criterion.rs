//! One criterion and its calibration examples.

use super::ReferenceRole;
use super::WrittenCriterion;
use super::check;
use super::fields::Reader;
use crate::finding::Severity;
use crate::rubric::{
    Ask, CalibrationExample, Criterion, ExampleLabel, FixPolicy, Subjectivity, keys,
};
use crate::text::Span;
use crate::text::yaml::{Kind, Node};

/// One entry under `criteria`.
pub(super) struct Entry<'a> {
    pub(super) id: &'a str,
    pub(super) key: Node<'a>,
    pub(super) body: Node<'a>,
    /// From the key to the end of the value.
    pub(super) block: Span,
    /// Written as an item of a list, with an `id` of its own.
    pub(super) list: bool,
}

/// The criterion, where it is written, and the category it names. `None` when
/// there is nothing to ask.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    entry: &Entry<'a>,
) -> Option<(Criterion, WrittenCriterion, Option<String>)> {
    let Entry { id, key, body, block, .. } = *entry;
    // `CQ1: Does the assistant …?` is short for a question alone.
    if body.kind() == Kind::Scalar {
        let question = body.text()?.to_owned();
        let written = WrittenCriterion {
            block,
            body: body.span(),
            question: Some(body.span()),
            ..WrittenCriterion::default()
        };
        return Some((blank(id, key, Ask::Question(question)), written, None));
    }
    if body.kind() == Kind::Sequence {
        reader.wrong_type(body, "a criterion", "a mapping with `question` or `check`");
        return None;
    }
    let mut known = keys::CRITERION.to_vec();
    if entry.list {
        known.push(keys::Key { name: "id", about: "" });
    }
    let meant = reader.unknown_keys(body, "a criterion", &known);
    let mut written = WrittenCriterion { block, body: body.span(), ..WrittenCriterion::default() };
    let category = body.get("category").and_then(|node| {
        reader.refer(node, ReferenceRole::CategoryOf(key.span()));
        reader.string(node, "`category`")
    });
    let asks = meant.contains(&"question") || meant.contains(&"check");
    let ask = read_ask(reader, entry, asks, &mut written);
    // The rest is read even where there is nothing to ask, for its findings.
    let mut criterion = blank(id, key, ask.clone().unwrap_or(Ask::Question(String::new())));
    read_fields(reader, body, &mut criterion, &mut written);
    read_examples(reader, body, &mut criterion, &mut written);
    ask.map(|_| (criterion, written, category))
}

fn blank(id: &str, key: Node<'_>, ask: Ask) -> Criterion {
    Criterion {
        id: id.to_owned(),
        source: key.span(),
        name: id.to_owned(),
        ask,
        category: None,
        gate: false,
        guidance: None,
        na_valid: false,
        min_turns: 1,
        subjectivity: Subjectivity::default(),
        fix: FixPolicy::default(),
        statistics: Vec::new(),
        examples: Vec::new(),
    }
}

fn read_ask<'a>(
    reader: &mut Reader<'a>,
    entry: &Entry<'a>,
    misspelt: bool,
    written: &mut WrittenCriterion,
) -> Option<Ask> {
    let Entry { id, key, body, block, .. } = *entry;
    let question = body.get("question");
    let check = body.get("check");
    if let (Some(_), Some(check)) = (question, check) {
        let message = format!(
            "`{id}` has a question and a check: keep the check, or remove it and let judges answer"
        );
        let span = check.span();
        reader.error("question-and-check", super::fields::first_line(span, reader.text), message);
    }
    if let Some(node) = check {
        return check::read(reader, node).map(Ask::Check);
    }
    match question {
        Some(node) if node.kind() != Kind::Null => {
            let question = reader.string(node, "`question`")?;
            written.question = Some(node.span());
            if !question.trim().is_empty() {
                return Some(Ask::Question(question));
            }
            reader.error("missing-question", node.span(), "this question is empty: ask something");
        }
        _ if !reader.yaml.is_masked(block) && !misspelt => {
            let message =
                format!("criterion `{id}` asks nothing: add a `question` for judges or a `check`");
            reader.error("missing-question", key.span(), message);
        }
        _ => {}
    }
    None
}

fn read_fields<'a>(
    reader: &mut Reader<'a>,
    body: Node<'a>,
    criterion: &mut Criterion,
    written: &mut WrittenCriterion,
) {
    if let Some(name) = body.get("name").and_then(|node| reader.string(node, "`name`")) {
        criterion.name = name;
    }
    criterion.guidance = body.get("guidance").and_then(|node| reader.string(node, "`guidance`"));
    if let Some(node) = body.get("na_valid") {
        written.na_valid = Some(node.span());
        criterion.na_valid = reader.truth(node, "`na_valid`").unwrap_or(false);
    }
    if let Some(turns) = body.get("min_turns").and_then(|n| reader.whole(n, "`min_turns`", 0)) {
        criterion.min_turns = turns;
    }
    // A gate that cannot be read must not open.
    criterion.gate = body.get("gate").is_some_and(|n| reader.truth(n, "`gate`").unwrap_or(true));
    if let Some(node) = body.get("subjectivity") {
        written.subjectivity = Some(node.span());
        let choices = [
            ("low", Subjectivity::Low),
            ("medium", Subjectivity::Medium),
            ("high", Subjectivity::High),
        ];
        criterion.subjectivity = reader.choice(node, "subjectivity", &choices).unwrap_or_default();
    }
    if let Some(node) = body.get("fix") {
        written.fix = Some(node.span());
        let choices = [
            ("rewrite", FixPolicy::Rewrite),
            ("truncate", FixPolicy::Truncate),
            ("reject", FixPolicy::Reject),
        ];
        criterion.fix = reader.choice(node, "fix", &choices).unwrap_or_default();
    }
    if let Some(node) = body.get("statistics") {
        let known: Vec<&str> = keys::STATISTICS.iter().map(|k| k.name).collect();
        for name in reader.names(node, "`statistics`") {
            let text = name.text().unwrap_or("");
            if known.contains(&text) {
                criterion.statistics.push(text.to_owned());
                written.statistics.push(name.span());
            } else {
                reader.unknown("unknown-statistic", Severity::Warning, name, "statistic", &known);
            }
        }
    }
}

const LABELS: [(&str, ExampleLabel); 4] = [
    ("PASS", ExampleLabel::Pass),
    ("FAIL", ExampleLabel::Fail),
    ("BORDERLINE_PASS", ExampleLabel::BorderlinePass),
    ("BORDERLINE_FAIL", ExampleLabel::BorderlineFail),
];

fn read_examples<'a>(
    reader: &mut Reader<'a>,
    body: Node<'a>,
    criterion: &mut Criterion,
    written: &mut WrittenCriterion,
) {
    let Some(node) = body.get("calibration_examples") else { return };
    written.examples = Some(node.span());
    if !matches!(node.kind(), Kind::Sequence | Kind::Null) {
        reader.wrong_type(node, "`calibration_examples`", "a list");
    }
    for item in node.items() {
        if item.kind() != Kind::Mapping {
            let wanted = "a mapping with `type`, `context`, `response` and `reasoning`";
            reader.wrong_type(item, "a calibration example", wanted);
            continue;
        }
        let meant = reader.unknown_keys(item, "a calibration example", keys::EXAMPLE);
        let label = item.get("type").and_then(|n| reader.choice(n, "example type", &LABELS));
        let mut field = |name: &str| {
            let node = item.get(name).filter(|n| n.kind() != Kind::Null);
            let text = node.and_then(|n| reader.string(n, &format!("`{name}`")));
            text.filter(|text| !text.trim().is_empty())
        };
        let (context, response, reasoning) =
            (field("context"), field("response"), field("reasoning"));
        let missing: Vec<&str> = [
            ("type", item.get("type").is_none()),
            ("context", context.is_none()),
            ("response", response.is_none()),
            ("reasoning", reasoning.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, gone)| (gone && !meant.contains(&name)).then_some(name))
        .collect();
        if !missing.is_empty() && !reader.yaml.is_masked(item.span()) {
            let message =
                format!("this example lacks {}: add what judges learn from", missing.join(", "));
            let span = super::fields::first_line(item.span(), reader.text);
            reader.warn("example-incomplete", span, message);
        }
        // An example without a label or a reply teaches nothing.
        if let (Some(label), Some(response)) = (label, response) {
            criterion.examples.push(CalibrationExample {
                label,
                context: context.unwrap_or_default(),
                response,
                reasoning: reasoning.unwrap_or_default(),
            });
        }
    }
}
