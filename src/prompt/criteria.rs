//! How criteria are written for a judge: question, guidance, whether NA is an
//! answer, and labelled examples.
//!
//! Deliberately absent: weights, categories, gates and thresholds. A judge that
//! knew them could aim at a score.

use std::fmt::Write as _;

use crate::rubric::{Ask, CalibrationExample, Criterion, ExampleLabel};

/// Every criterion that judges answer, one section each.
pub(super) fn written(criteria: &[&Criterion]) -> String {
    let sections: Vec<String> = criteria.iter().filter_map(|c| section(c)).collect();
    sections.join("\n\n")
}

fn section(criterion: &Criterion) -> Option<String> {
    let Ask::Question(question) = &criterion.ask else { return None };
    let mut out = format!("## {}: {}\n{}", criterion.id, criterion.name, question.trim());
    out.push_str(if criterion.na_valid {
        "\nNA is a valid answer when it does not apply."
    } else {
        "\nNA is not a valid answer here: it would count as a failure."
    });
    if !criterion.statistics.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(out, "\nMeasured facts to use: {}.", criterion.statistics.join(", "));
    }
    if let Some(guidance) = &criterion.guidance {
        let _ = write!(out, "\nGuidance:\n{}", guidance.trim());
    }
    for example in &criterion.examples {
        push_example(&mut out, example);
    }
    Some(out)
}

fn push_example(out: &mut String, example: &CalibrationExample) {
    let _ = write!(out, "\nExample ({}):", label(example.label));
    let parts =
        [("context", &example.context), ("reply", &example.response), ("why", &example.reasoning)];
    for (name, text) in parts.into_iter().filter(|(_, text)| !text.trim().is_empty()) {
        let _ = write!(out, "\n- {name}: {}", text.trim().replace('\n', "\n  "));
    }
}

const fn label(label: ExampleLabel) -> &'static str {
    match label {
        ExampleLabel::Pass => "YES, clearly",
        ExampleLabel::Fail => "NO, clearly",
        ExampleLabel::BorderlinePass => "YES, barely",
        ExampleLabel::BorderlineFail => "NO, barely",
    }
}
