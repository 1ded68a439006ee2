//! Every rule about a rubric as a whole.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::findings;
use crate::finding::Fix;
use crate::rubric::parse;

fn said(text: &str) -> String {
    let mut out = String::new();
    for finding in findings(text, &parse(text)) {
        let line = text[..finding.span.start].matches('\n').count() + 1;
        let words = finding.span.of(text).replace('\n', "⏎");
        let severity = finding.severity.name();
        let _ = writeln!(out, "{line} {severity}[{}] «{words}» {}", finding.code, finding.message);
        for fix in &finding.fixes {
            let _ = writeln!(out, "    fix: {}", fix.title);
            let after = applied(text, fix);
            let wrong = parse(&after).findings.iter().any(|f| f.code.starts_with("yaml"));
            assert!(!wrong, "{} breaks the file:\n{after}", fix.title);
        }
    }
    out
}

fn applied(text: &str, fix: &Fix) -> String {
    let mut out = text.to_owned();
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    for edit in edits {
        out.replace_range(edit.span.start..edit.span.end, &edit.text);
    }
    out
}

/// The text after the first fix whose title begins so.
fn fixed(text: &str, title: &str) -> String {
    let all = findings(text, &parse(text));
    let fix = all.iter().flat_map(|f| &f.fixes).find(|fix| fix.title.starts_with(title));
    fix.map_or_else(|| panic!("no fix {title}:\n{}", said(text)), |fix| applied(text, fix))
}

fn check(text: &str, expect: Expect) {
    expect.assert_eq(&said(text));
}

const CLEAN: &str = "\
categories: {a: {weight: 1.0, criteria: [Q1]}}
na_invalid: [Q1]
criteria:
  Q1:
    question: Does the assistant listen?
    calibration_examples:
      - {type: PASS, context: a, response: b, reasoning: c}
      - {type: FAIL, context: a, response: b, reasoning: c}
";

/// `CLEAN` with another question.
fn asking(question: &str) -> String {
    CLEAN.replace("Does the assistant listen?", question)
}

#[test]
fn a_sound_rubric_is_left_alone() {
    check(CLEAN, expect![[""]]);
    // Thirds are fine.
    check(
        "categories: {a: {weight: 0.333, criteria: [A]}, b: {weight: 0.333, criteria: [B]}, c: {weight: 0.333, criteria: [C]}}\n\
         criteria: {A: {check: ascii}, B: {check: ascii}, C: {check: ascii}}\n",
        expect![[""]],
    );
}

#[test]
fn weights_sum_to_one() {
    let text = "categories:\n  a: {weight: 0.5, criteria: [A]}  # half\n  b:\n    weight: 0.75 # more\n    criteria: [B]\n  \
                c: {weight: 0.0, criteria: [G]}\nsafety_gates: [G]\ncriteria: {A: {check: ascii}, B: {check: ascii}, G: {check: ascii}}\n";
    check(
        text,
        expect![[r#"
        1 warning[weights-sum] «categories» the weights sum to 1.25: make them sum to 1.0
            fix: Rebalance weights to 1.0
    "#]],
    );
    expect![[r#"
        categories:
          a: {weight: 0.40, criteria: [A]}  # half
          b:
            weight: 0.60 # more
            criteria: [B]
          c: {weight: 0.0, criteria: [G]}
        safety_gates: [G]
        criteria: {A: {check: ascii}, B: {check: ascii}, G: {check: ascii}}
    "#]]
    .assert_eq(&fixed(text, "Rebalance"));
    let tiny = "categories: {a: {weight: 0.001, criteria: [A]}, b: {weight: 0.5, criteria: [B]}}\ncriteria: {A: {check: ascii}, B: {check: ascii}}\n";
    expect![[r#"
        categories: {a: {weight: 0.0020, criteria: [A]}, b: {weight: 0.9980, criteria: [B]}}
        criteria: {A: {check: ascii}, B: {check: ascii}}
    "#]]
    .assert_eq(&fixed(tiny, "Rebalance"));
    for text in [text, tiny] {
        assert!(!said(&fixed(text, "Rebalance")).contains("weights-sum"));
    }
    check(
        "categories: {a: {weight: 0, criteria: [A]}}\ncriteria: {A: {check: ascii}}\n",
        expect![[r#"
            1 warning[weights-sum] «categories» no category has a weight, so there is no score: give weights that sum to 1.0
            1 info[weightless-criterion] «a» category `a` weighs 0, so `A` counts for nothing: give the category a weight, or make the criterion a safety gate
        "#]],
    );
    check(
        "criteria: {A: {check: ascii}}\n",
        expect![[r#"
        1 warning[missing-categories] «criteria» no `categories`, so there is no score: add at least one with a weight and list these criteria in it
    "#]],
    );
    check(
        "categories: {a: {weight: 1}}\nsafety_gates: [A]\ncriteria: {A: {check: ascii}}\n",
        expect![[r#"
            1 warning[empty-category] «a» category `a` has a weight and no criteria: list some, or remove it
        "#]],
    );
}

#[test]
fn lists_name_what_exists_once() {
    let text = "categories:\n  comprehension: {weight: 0.5, criteria: [CQ1, CQ7, CQ1]}\n  tone:\n    weight: 0.5\n    criteria:\n      - CQ2\n      - CQ1\n      - nothing_like_it\n\
                safety_gates: [CQ8, CQ2, CQ2]\nna_invalid: [cq1, CQ1, CQ2, CQ3, CQ4]\ncriteria:\n  CQ1: {check: ascii, category: tone}\n  CQ2: {check: ascii}\n  \
                CQ3: {check: ascii}\n  CQ4: {check: ascii, category: tonne}\n";
    check(
        text,
        expect![[r#"
        2 error[unknown-id] «CQ7» `CQ7` is no criterion: did you mean `CQ1`?
            fix: Change to `CQ1`
            fix: Remove `CQ7`
        2 warning[duplicate-member] «CQ1» `CQ1` is in this list already: remove it here
            fix: Remove `CQ1`
        7 warning[duplicate-member] «CQ1» `CQ1` is in another category already, which counts: remove it from `tone` or there
            fix: Remove `CQ1`
        8 error[unknown-id] «nothing_like_it» `nothing_like_it` is no criterion: define it, or remove it here
            fix: Remove `nothing_like_it`
        9 error[unknown-gate] «CQ8» `CQ8` is no criterion, so this gate protects nothing: did you mean `CQ1`?
            fix: Change to `CQ1`
            fix: Remove `CQ8`
        9 warning[duplicate-member] «CQ2» `CQ2` is in this list already: remove it here
            fix: Remove `CQ2`
        10 error[unknown-na] «cq1» `cq1` is no criterion: did you mean `CQ1`?
            fix: Change to `CQ1`
            fix: Remove `cq1`
        12 warning[duplicate-member] «tone» `CQ1` is listed in category `comprehension`, which counts: change this, or remove it there
            fix: Change to `comprehension`
        14 warning[orphan-criterion] «CQ3» `CQ3` is in no category, so it counts for nothing: list it in one, or make it a safety gate
        15 error[unknown-category] «tonne» `tonne` is no category: did you mean `tone`?
            fix: Change to `tone`
    "#]],
    );
    let removed = fixed(text, "Remove `nothing_like_it`");
    assert!(removed.contains("      - CQ1\nsafety_gates"), "{removed}");
    let removed = fixed(text, "Remove `CQ7`");
    assert!(removed.contains("[CQ1, CQ1]"), "{removed}");
    let removed = fixed(text, "Remove `CQ2`");
    assert!(removed.contains("[CQ8, CQ2]"), "{removed}");
}

#[test]
fn questions_are_yes_no() {
    for good in [
        "Does the assistant listen?",
        "In every exchange, does the assistant listen?",
        "When the user is upset, is the reply calm?",
        "Is the reply free of lists, and does it end well?",
        "If a crisis is mentioned: has the assistant given a number?",
        "Versteht der Assistent das?",
        "アシスタントは聞いていますか？",
        "Does the reply keep to 1-5 sentences?",
        "Doesn’t the assistant judge the user?",
    ] {
        assert_eq!(said(&asking(&format!("'{good}'"))), "", "{good}");
    }
    let bad = [
        "How well does the assistant listen?",
        "The assistant listens to the user.",
        "Rate the reply for warmth",
        "Is the reply warm, on a scale of 1 to 5?",
        "Is the empathy of the reply 0-10?",
        "\"Does the reply score from 1 to 5?\"",
        "|\n      What does the assistant\n      think of the user?",
    ];
    expect![[r#"
        5 warning[question-not-yes-no] «How well does the assistant listen?» this is an open question, so YES and NO do not answer it: begin with Does, Is, Has … and make YES good
        5 warning[question-not-yes-no] «The assistant listens to the user.» this does not read as a yes/no question, so YES and NO do not answer it: begin with Does, Is, Has … and make YES good
        5 warning[numeric-scale] «Rate» "Rate" asks for a scale, which judges use differently: ask one yes/no question
        5 warning[numeric-scale] «on a scale» "on a scale" asks for a scale, which judges use differently: ask one yes/no question
        5 warning[numeric-scale] «0-10» "0-10" asks for a scale, which judges use differently: ask one yes/no question
        5 warning[numeric-scale] «score from» "score from" asks for a scale, which judges use differently: ask one yes/no question
        6 warning[question-not-yes-no] «What does the assistant» this is an open question, so YES and NO do not answer it: begin with Does, Is, Has … and make YES good
    "#]].assert_eq(&bad.iter().map(|q| said(&asking(q))).collect::<String>());
}

#[test]
fn examples_are_enough_for_the_subjectivity() {
    let none = CLEAN.split("    calibration").next().unwrap_or("");
    check(
        none,
        expect![[r#"
        4 info[examples-few] «Q1» `Q1` has 0 calibration examples, 2 to 3 are expected for subjectivity low: add 2 more
            fix: Add a PASS example to fill in
    "#]],
    );
    expect![[r#"
        categories: {a: {weight: 1.0, criteria: [Q1]}}
        na_invalid: [Q1]
        criteria:
          Q1:
            question: Does the assistant listen?
            calibration_examples:
              - type: PASS
                context: ""
                response: ""
                reasoning: ""
    "#]]
    .assert_eq(&fixed(none, "Add a PASS"));
    let high = CLEAN.replace("    calibration", "    subjectivity: high # hard\n    calibration");
    check(
        &high,
        expect![[r#"
        4 warning[examples-few] «Q1» `Q1` has 2 calibration examples, 6 to 8 are expected for subjectivity high: add 4 more
            fix: Add a BORDERLINE_PASS example to fill in
        4 warning[examples-borderline] «Q1» `Q1` is highly subjective and has no borderline example: add BORDERLINE_PASS and BORDERLINE_FAIL, they show judges where the line is
            fix: Add a BORDERLINE_PASS example to fill in
    "#]],
    );
    expect![[r#"
        categories: {a: {weight: 1.0, criteria: [Q1]}}
        na_invalid: [Q1]
        criteria:
          Q1:
            question: Does the assistant listen?
            subjectivity: high # hard
            calibration_examples:
              - {type: PASS, context: a, response: b, reasoning: c}
              - {type: FAIL, context: a, response: b, reasoning: c}
              - type: BORDERLINE_PASS
                context: ""
                response: ""
                reasoning: ""
    "#]]
    .assert_eq(&fixed(&high, "Add a BORDERLINE_PASS"));
    let flow = "categories: {a: {weight: 1, criteria: [Q1, Q2]}}\nna_invalid: [Q1]\ncriteria:\n  Q1: {question: Is it so?}\n  \
                Q2: {question: Is it so?, calibration_examples: []}\n";
    expect![[r#"
        categories: {a: {weight: 1, criteria: [Q1, Q2]}}
        na_invalid: [Q1]
        criteria:
          Q1: {question: Is it so?, calibration_examples: [{type: PASS, context: "", response: "", reasoning: ""}]}
          Q2: {question: Is it so?, calibration_examples: []}
    "#]].assert_eq(&fixed(flow, "Add a PASS"));
    let crlf = none.replace('\n', "\r\n");
    assert!(fixed(&crlf, "Add a PASS").ends_with("        reasoning: \"\"\r\n"));
    // A skeleton that is not filled in does not count.
    assert!(said(&fixed(none, "Add a PASS")).contains("examples-few"));
}

#[test]
fn na_validity_is_said() {
    let text = CLEAN.replace("na_invalid: [Q1]\n", "");
    check(
        &text,
        expect![[r#"
        3 info[na-undeclared] «Q1» whether NA answers `Q1` is not said (read as no): add `na_valid: true` or `na_valid: false`
            fix: Declare `na_valid: false`
            fix: Declare `na_valid: true`
    "#]],
    );
    let declared = fixed(&text, "Declare `na_valid: false`");
    expect![[r#"
        categories: {a: {weight: 1.0, criteria: [Q1]}}
        criteria:
          Q1:
            question: Does the assistant listen?
            calibration_examples:
              - {type: PASS, context: a, response: b, reasoning: c}
              - {type: FAIL, context: a, response: b, reasoning: c}
            na_valid: false
    "#]]
    .assert_eq(&declared);
    assert_eq!(said(&declared), "");
}

#[test]
fn gates_never_rewrite() {
    let text =
        CLEAN.replace("    calibration", "    gate: true\n    fix: rewrite\n    calibration");
    check(
        &text,
        expect![[r#"
        7 warning[gate-rewrite] «rewrite» `Q1` is a safety gate, and gates never rewrite (read as truncate): use truncate or reject
            fix: Change to `truncate`
            fix: Change to `reject`
    "#]],
    );
    assert!(fixed(&text, "Change to `reject`").contains("    fix: reject\n"));
}

#[test]
fn a_damaged_file_is_not_said_to_lack_anything() {
    let text = CLEAN
        .replace("criteria: [Q1]", "criteria: [Q1, \"Q2]")
        .replace("na_invalid: [Q1]", "na_invalid: [Q9]");
    check(
        &text,
        expect![[r#"
        1 error[yaml-syntax] «"Q2]}}» not valid YAML (while scanning a quoted scalar, found unexpected end of stream): this quote is never closed: add the closing quote
    "#]],
    );
}
