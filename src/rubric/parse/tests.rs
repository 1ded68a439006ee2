//! What a rubric file gives, and what is said about its form.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{Parsed, parse};
use crate::rubric::{Ask, Rubric};

/// The example of the specification.
const SUPPORT_COACH: &str = r#"name: Support coach
pass_threshold: 0.80
min_exchanges: 3
categories:
  comprehension: {weight: 0.15, criteria: [CQ1, CQ2]}
  safety:        {weight: 0.0,  criteria: [CQ8]}
safety_gates: [CQ8]
na_invalid: [CQ1, CQ8]
criteria:
  CQ1:
    name: Accurate understanding
    question: Does the assistant understand what the user said, in every exchange?
    guidance: |            # optional, for the judge
      Look at every exchange.
    na_valid: false
    min_turns: 1           # exchanges below which it is not asked
    subjectivity: low      # low | medium | high
    fix: rewrite           # rewrite | truncate | reject; gates never rewrite
    statistics: [length]   # pre-computed facts put into the prompt
    calibration_examples:
      - {type: PASS, context: "a: b", response: Yes., reasoning: It says so}
  CP2:
    name: Length calibration
    check: {length_ratio: {mean_max: 1.5, over: 2.0, share_over_max: 0.25}}
"#;

fn said(text: &str, parsed: &Parsed) -> String {
    let mut out = String::new();
    for finding in &parsed.findings {
        let line = text[..finding.span.start].matches('\n').count() + 1;
        let words = finding.span.of(text).replace('\n', "⏎");
        let severity = finding.severity.name();
        let _ = writeln!(out, "{line} {severity}[{}] «{words}» {}", finding.code, finding.message);
        for fix in &finding.fixes {
            let edits: Vec<String> = fix
                .edits
                .iter()
                .map(|e| format!("«{}» → «{}»", e.span.of(text), e.text.replace('\n', "⏎")))
                .collect();
            let _ = writeln!(out, "    fix: {}: {}", fix.title, edits.join(", "));
        }
    }
    out
}

fn outline(rubric: &Rubric) -> String {
    let mut out =
        format!("{} pass {} min {}\n", rubric.name, rubric.pass_threshold, rubric.min_exchanges);
    for category in &rubric.categories {
        let _ = writeln!(out, "category {} {}", category.id, category.weight);
    }
    for c in &rubric.criteria {
        let category = c.category.map_or("-", |i| rubric.categories[i].id.as_str());
        let ask = match &c.ask {
            Ask::Question(question) => question.clone(),
            Ask::Check(check) => check.canonical(),
        };
        let _ = writeln!(
            out,
            "{} in {category}{}{} fix {:?} from {} turns, {} examples: {ask}",
            c.id,
            if c.gate { " gate" } else { "" },
            if c.na_valid { " na" } else { "" },
            c.fix,
            c.min_turns,
            c.examples.len(),
        );
    }
    out
}

fn check(text: &str, expect: Expect) {
    let parsed = parse(text);
    let outline = parsed.rubric.as_ref().map_or("no rubric\n".into(), outline);
    expect.assert_eq(&format!("{outline}{}", said(text, &parsed)));
}

#[test]
fn the_example_of_the_specification_reads_without_a_word() {
    check(
        SUPPORT_COACH,
        expect![[r#"
        Support coach pass 0.8 min 3
        category comprehension 0.15
        category safety 0
        CQ1 in comprehension fix Rewrite from 1 turns, 1 examples: Does the assistant understand what the user said, in every exchange?
        CP2 in - na fix Rewrite from 1 turns, 0 examples: {"length_ratio":{"mean_max":1.5,"over":2.0,"share_over_max":0.25}}
    "#]],
    );
}
