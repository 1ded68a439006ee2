//! Calibration examples: enough for the subjectivity, and borderline ones where
//! judges would drift apart.

use super::{File, insert};
use crate::finding::{Finding, Fix, Severity};
use crate::rubric::parse::WrittenCriterion;
use crate::rubric::{Criterion, ExampleLabel, Subjectivity};

pub(super) fn check(file: &File<'_>, findings: &mut Vec<Finding>) {
    for (criterion, written) in file.criteria().filter(|(c, _)| c.is_question()) {
        // Who declares the subjectivity has asked for the examples.
        let declared = written.subjectivity.is_some();
        let severity = if declared { Severity::Warning } else { Severity::Info };
        let present = criterion.examples.len();
        let (least, most) = criterion.subjectivity.examples();
        let name = criterion.subjectivity.name();
        if present < least {
            let message = format!(
                "`{}` has {present} calibration examples, {least} to {most} are expected for \
                 subjectivity {name}: add {} more",
                criterion.id,
                least - present
            );
            let mut finding = Finding::new("examples-few", severity, criterion.source, message);
            finding.fixes.extend(skeleton(file, criterion, written, &Label::ALL));
            findings.push(finding);
        }
        let borderline = |e: &crate::rubric::CalibrationExample| {
            matches!(e.label, ExampleLabel::BorderlinePass | ExampleLabel::BorderlineFail)
        };
        let high = criterion.subjectivity == Subjectivity::High;
        if high && !criterion.examples.iter().any(borderline) {
            let message = format!(
                "`{}` is highly subjective and has no borderline example: add BORDERLINE_PASS and \
                 BORDERLINE_FAIL, they show judges where the line is",
                criterion.id
            );
            let code = "examples-borderline";
            let mut finding = Finding::new(code, severity, criterion.source, message);
            finding.fixes.extend(skeleton(file, criterion, written, &Label::ALL[2..]));
            findings.push(finding);
        }
    }
}

struct Label;

impl Label {
    const ALL: [(&'static str, ExampleLabel); 4] = [
        ("PASS", ExampleLabel::Pass),
        ("FAIL", ExampleLabel::Fail),
        ("BORDERLINE_PASS", ExampleLabel::BorderlinePass),
        ("BORDERLINE_FAIL", ExampleLabel::BorderlineFail),
    ];
}

/// Adds an empty example of the label that is rarest so far.
fn skeleton(
    file: &File<'_>,
    criterion: &Criterion,
    written: &WrittenCriterion,
    labels: &[(&str, ExampleLabel)],
) -> Option<Fix> {
    let count = |label| criterion.examples.iter().filter(|e| e.label == label).count();
    let (name, _) = *labels.iter().min_by_key(|(_, label)| count(*label))?;
    let edit = match written.examples {
        Some(span) => insert::example_item(file.text, span, name)?,
        None => insert::examples_key(file.text, written.body, name)?,
    };
    Some(Fix::suggested(format!("Add a {name} example to fill in"), edit.span, edit.text))
}
