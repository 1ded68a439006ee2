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

fn check_said(text: &str, expect: Expect) {
    expect.assert_eq(&said(text, &parse(text)));
}

/// A rubric around one criterion's body.
fn one(body: &str) -> String {
    format!("categories: {{a: {{weight: 1, criteria: [Q1]}}}}\ncriteria:\n  Q1: {body}\n")
}

#[test]
fn what_is_no_rubric_gets_one_clear_error() {
    for text in ["", "# nothing\n", "---\n", "- a\n- b\n", "words\n", "[]\n", "42"] {
        let parsed = parse(text);
        assert!(parsed.rubric.is_none(), "{text:?}");
        let codes: Vec<&str> = parsed.findings.iter().map(|f| f.code.as_ref()).collect();
        assert_eq!(codes, ["rubric-shape"], "{text:?}");
    }
    check(
        "- a\n- b\n",
        expect![[r#"
        no rubric
        1 error[rubric-shape] «- a» this file is a list: a rubric is a mapping with `name`, `categories` and `criteria`
    "#]],
    );
    check(
        "",
        expect![[r#"
        no rubric
        1 error[rubric-shape] «» this file is empty: a rubric is a mapping with `name`, `categories` and `criteria`
    "#]],
    );
    check(
        "{}",
        expect![[r#"
        rubric pass 0.8 min 3
        1 error[missing-criteria] «{}» this rubric has no `criteria`: add at least one
    "#]],
    );
    check(
        "name: x\n",
        expect![[r#"
        x pass 0.8 min 3
        1 error[missing-criteria] «name: x» this rubric has no `criteria`: add at least one
    "#]],
    );
    check(
        "criteria:\n",
        expect![[r#"
            rubric pass 0.8 min 3
            1 error[wrong-type] «criteria:» `criteria` must be a mapping by id, this is empty
        "#]],
    );
}

#[test]
fn numbers_out_of_range_get_safe_values() {
    check(
        "pass_threshold: 80\nmin_exchanges: -1\ncategories:\n  a: {weight: .nan, criteria: [Q1]}\n  \
         b: {weight: -0.5}\n  c: {weight: .inf}\n  d: {weight: half}\n  e: {}\n  f: 0.5\ncriteria:\n  \
         Q1: {question: Is it so?, min_turns: 1.5, na_valid: perhaps, gate: perhaps}\n",
        expect![[r#"
            rubric pass 0.8 min 3
            category a 0
            category b 0
            category c 0
            category d 0
            category e 0
            category f 0.5
            Q1 in a gate fix Truncate from 1 turns, 0 examples: Is it so?
            1 error[out-of-range] «80» `pass_threshold` must be from 0 to 1, this is 80
                fix: Change to 0.8: «80» → «0.8»
            2 error[out-of-range] «-1» `min_exchanges` must be a whole number from 0 upwards, this is -1
            4 error[out-of-range] «.nan» `weight` must be from 0 to 1, this is .nan
            5 error[out-of-range] «-0.5» `weight` must be from 0 to 1, this is -0.5
            6 error[out-of-range] «.inf» `weight` must be from 0 to 1, this is .inf
            7 error[wrong-type] «half» `weight` must be a number, this is `half`
            8 error[missing-weight] «e» category `e` has no `weight`: give it one, 0 if it only gates
            11 error[out-of-range] «1.5» `min_turns` must be a whole number from 0 upwards, this is 1.5
            11 error[wrong-type] «perhaps» `na_valid` must be true or false, this is `perhaps`
            11 error[wrong-type] «perhaps» `gate` must be true or false, this is `perhaps`
        "#]],
    );
}

#[test]
fn what_the_field_writes_is_read_alike() {
    let a = "categories: {a: {weight: 1, criteria: [Q1, Q2]}}\nsafety_gates: [Q2]\nna_invalid: [Q1]\n\
             criteria:\n  Q1: {question: Is it so?}\n  Q2: {question: Is it so?}\n";
    let b = "categories: {a: {weight: 1}}\ncriteria:\n  Q1: {question: Is it so?, na_valid: false, category: a}\n  \
             Q2: {question: Is it so?, na_valid: true, gate: yes, category: a}\n";
    let c = "categories: [{id: a, weight: '1'}]\ncriteria:\n  - {id: Q1, question: Is it so?, na_valid: false, category: a}\n  \
             - {id: Q2, question: Is it so?, na_valid: true, gate: true, category: a}\n";
    let outlines = [a, b, c].map(|text| {
        let parsed = parse(text);
        assert_eq!(said(text, &parsed), "", "{text}");
        parsed.rubric.as_ref().map(outline)
    });
    assert_eq!(outlines[0], outlines[1]);
    assert_eq!(outlines[0], outlines[2]);
    check(
        a,
        expect![[r#"
        rubric pass 0.8 min 3
        category a 1
        Q1 in a fix Rewrite from 1 turns, 0 examples: Is it so?
        Q2 in a gate na fix Truncate from 1 turns, 0 examples: Is it so?
    "#]],
    );
}

#[test]
fn unknown_keys_come_with_the_nearest() {
    check_said(
        "nmae: x\npass_treshold: 0.8\ncategories: {a: {wieght: 1, criteria: [Q1]}}\nzzz: 1\ncriteria:\n  Q1:\n    \
         qestion: Is it so?\n    na_vaild: true\n    question: Is it so?\n    calibration_examples:\n      \
         - {typ: PASS, context: a, response: b, reasoning: c}\n",
        expect![[r#"
            1 warning[unknown-key] «nmae» unknown key of a rubric `nmae`: did you mean `name`?
                fix: Change to `name`: «nmae» → «name»
            2 warning[unknown-key] «pass_treshold» unknown key of a rubric `pass_treshold`: did you mean `pass_threshold`?
                fix: Change to `pass_threshold`: «pass_treshold» → «pass_threshold»
            3 warning[unknown-key] «wieght» unknown key of a category `wieght`: did you mean `weight`?
                fix: Change to `weight`: «wieght» → «weight»
            4 warning[unknown-key] «zzz» unknown key of a rubric `zzz`: known are name, description, version, pass_threshold, min_exchanges, categories, safety_gates, na_invalid, criteria
            7 warning[unknown-key] «qestion» unknown key of a criterion `qestion`: did you mean `question`?
                fix: Change to `question`: «qestion» → «question»
            8 warning[unknown-key] «na_vaild» unknown key of a criterion `na_vaild`: did you mean `na_valid`?
                fix: Change to `na_valid`: «na_vaild» → «na_valid»
            11 warning[unknown-key] «typ» unknown key of a calibration example `typ`: did you mean `type`?
                fix: Change to `type`: «typ» → «type»
        "#]],
    );
}

#[test]
fn ids_are_formed_and_unlike_structure_rules() {
    check_said(
        "criteria:\n  M003: {question: Is it so?}\n  1Q: {question: Is it so?}\n  \"a b\": {question: Is it so?}\n  \
         Q1: {question: Is it so?}\n  Q1: {question: Is it not so?}\n  M03: {question: Is it so?}\n",
        expect![[r#"
            2 error[bad-id] «M003» `M003` looks like a structure rule: choose another id, as `M003x`
            3 error[bad-id] «1Q» `1Q` cannot be an id: start with a letter, then letters, digits, `_` and `-`, at most 64
            4 error[bad-id] «"a b"» `a b` cannot be an id: start with a letter, then letters, digits, `_` and `-`, at most 64
            6 error[duplicate-id] «Q1» `Q1` is already here: remove or rename one of the two
        "#]],
    );
    check_said(
        "criteria:\n  - {id: A, question: Is it?}\n  - {id: A, question: Is it?}\n  - {question: Is it?}\n",
        expect![[r#"
            3 error[duplicate-id] «A» `A` is already defined: remove or rename one of the two
            4 error[wrong-type] «{question: Is it?}» an item of `criteria` must be a mapping with `id`, this is a mapping
        "#]],
    );
}

#[test]
fn a_criterion_asks_exactly_one_thing() {
    check_said(
        &one("{name: x}"),
        expect![[r#"
        3 error[missing-question] «Q1» criterion `Q1` asks nothing: add a `question` for judges or a `check`
    "#]],
    );
    check_said(
        &one("{question: ''}"),
        expect![[r#"
        3 error[missing-question] «''» this question is empty: ask something
    "#]],
    );
    check_said(
        &one("{question: [a, b]}"),
        expect![[r#"
        3 error[wrong-type] «[a, b]» `question` must be text, this is a list
    "#]],
    );
    check_said(
        &one("{question: Is it so?, check: ascii}"),
        expect![[r#"
        3 error[question-and-check] «ascii» `Q1` has a question and a check: keep the check, or remove it and let judges answer
    "#]],
    );
    check_said(
        &one("[a, b]"),
        expect![[r#"
        3 error[wrong-type] «[a, b]» a criterion must be a mapping with `question` or `check`, this is a list
    "#]],
    );
    check_said(
        &one(""),
        expect![[r#"
        3 error[missing-question] «Q1» criterion `Q1` asks nothing: add a `question` for judges or a `check`
    "#]],
    );
    check(
        &one("Is it so?"),
        expect![[r#"
        rubric pass 0.8 min 3
        category a 1
        Q1 in a fix Rewrite from 1 turns, 0 examples: Is it so?
    "#]],
    );
}

#[test]
fn enums_and_examples() {
    check_said(
        "criteria:\n  Q1:\n    question: Is it so?\n    subjectivity: hihg\n    fix: rewrit\n    statistics: [lenght, length]\n    \
         calibration_examples:\n      - {type: PAS, context: a, response: b, reasoning: c}\n      - {type: FAIL, context: '', response: b}\n      \
         - words\n      - {type: borderline_pass, context: a, response: b, reasoning: c}\n",
        expect![[r#"
            4 error[unknown-value] «hihg» unknown subjectivity `hihg`: did you mean `high`?
                fix: Change to `high`: «hihg» → «high»
            5 error[unknown-value] «rewrit» unknown fix `rewrit`: did you mean `rewrite`?
                fix: Change to `rewrite`: «rewrit» → «rewrite»
            6 warning[unknown-statistic] «lenght» unknown statistic `lenght`: did you mean `length`?
                fix: Change to `length`: «lenght» → «length»
            8 error[unknown-value] «PAS» unknown example type `PAS`: did you mean `PASS`?
                fix: Change to `PASS`: «PAS» → «PASS»
            9 warning[example-incomplete] «{type: FAIL, context: '', response: b}» this example lacks context, reasoning: add what judges learn from
            10 error[wrong-type] «words» a calibration example must be a mapping with `type`, `context`, `response` and `reasoning`, this is `words`
        "#]],
    );
}

#[test]
fn na_both_ways_is_a_conflict() {
    check(
        "na_invalid: Q1\ncriteria:\n  Q1: {question: Is it so?, na_valid: true}\n",
        expect![[r#"
            rubric pass 0.8 min 3
            Q1 in - fix Rewrite from 1 turns, 0 examples: Is it so?
            3 warning[na-conflict] «true» NA is valid here and invalid by `na_invalid`: remove one of the two (read as invalid for `Q1`)
        "#]],
    );
}

#[test]
fn unknown_checks_and_parameters_come_with_the_nearest() {
    for body in [
        "{check: {lenght_ratio: {mean_max: 1.5}}}",
        "{check: {length_ratio: {mean_mx: 1.5}}}",
        "{check: {length_ratio: {}}}",
        "{check: {length_ratio: {mean_max: -1}}}",
        "{check: {length_ratio: [1.5]}}",
        "{check: {length_ratio: {mean_max: 1.5}, ascii: {}}}",
        "{check: [ascii]}",
        "{check: }",
        "{check: {word_count: {role: usr, min: 1}}}",
        "{check: {word_count: {min: 9, max: 3}}}",
        "{check: {questions: {max: 1.5}}}",
        "{check: {question_endings: {share_max: 40}}}",
        "{check: {phrases: {forbidden: []}}}",
        "{check: {phrases: {forbidden: ['', [x]]}}}",
        "{check: {pattern: {forbidden: '(unclosed'}}}",
        "{check: {pattern: {required: '(?:a{1000}){1000}'}}}",
        "{check: {pattern: {required: a, forbidden: b}}}",
        "{check: {pattern: a}}",
        "{check: {structure: {replies_min: 1}}}",
        "{check: {tokens: {of: everything, max: 9}}}",
        "{check: tokens}",
    ] {
        let text = one(body);
        let parsed = parse(&text);
        assert!(parsed.has_errors(), "{body}");
        assert!(parsed.rubric.is_some_and(|r| r.criteria.is_empty()), "{body}");
    }
    let all: Vec<String> = [
        "{check: {lenght_ratio: {mean_max: 1.5}}}",
        "{check: {length_ratio: {mean_mx: 1.5}}}",
        "{check: {pattern: {forbidden: '(unclosed'}}}",
        "{check: {pattern: {required: '(?:a{1000}){1000}'}}}",
        "{check: {word_count: {min: 9, max: 3}}}",
        "{check: {phrases: {forbidden: []}}}",
        "{check: {length_ratio: [1.5]}}",
    ]
    .iter()
    .map(|body| said(&one(body), &parse(&one(body))))
    .collect();
    expect![[r#"
        3 error[unknown-check] «lenght_ratio» unknown check `lenght_ratio`: did you mean `length_ratio`?
            fix: Change to `length_ratio`: «lenght_ratio» → «length_ratio»
        3 error[unknown-parameter] «mean_mx» unknown parameter of `length_ratio` `mean_mx`: did you mean `mean_max`?
            fix: Change to `mean_max`: «mean_mx» → «mean_max»
        3 error[bad-parameter] «'(unclosed'» not a regular expression (unclosed group): correct it
        3 error[bad-parameter] «'(?:a{1000}){1000}'» this regular expression is too large: use smaller repetitions
        3 error[bad-parameter] «{min: 9, max: 3}» at least 9 and at most 3 never both hold: swap them
        3 error[missing-parameter] «phrases» `phrases` needs `forbidden`, or `list` with `share_max`: a list of phrases
        3 error[wrong-type] «[1.5]» `length_ratio` must be a mapping with mean_max, over, share_over_max, this is a list
    "#]].assert_eq(&all.concat());
}

#[test]
fn every_form_of_a_check_is_read() {
    let mut out = String::new();
    for body in [
        "{check: {length_ratio: {share_over_max: 0.25}}}",
        "{check: {word_count: {role: user, min: 30, max: 80}}}",
        "{check: {word_count: {user: [30, 80], assistant: {max: 200}, share_outside_max: 0.1}}}",
        "{check: {word_count: {by_style: {terse: {min: 30, max: 80}, casual: [80, 180]}}}}",
        "{check: {questions: {max: 1}}}",
        "{check: {question_endings: {share_max: 0.4}}}",
        "{check: {phrases: [I hear you, 'it''s valid']}}",
        "{check: {phrases: {list: [{phrase: delve, suggest: dig}], share_max: 0.5, suggest: {utilize: use}}}}",
        "{check: {openers: {words: 1, share_max: 0.2}}}",
        "{check: openers}",
        "{check: {pattern: {forbidden: 'as an ai', role: any, case_sensitive: true, suggest: ''}}}",
        "{check: {structure: {headers_over: 2}}}",
        "{check: {ascii: {allow: 'éü'}}}",
        "{check: {ascii: true}}",
        "{check: {tokens: {max: 16000}}}",
        "{check: {tokens: {of: assistant, max: 400}}}",
    ] {
        let text = one(body);
        let parsed = parse(&text);
        assert_eq!(said(&text, &parsed), "", "{body}");
        let rubric = parsed.rubric.expect("a rubric");
        match &rubric.criteria[0].ask {
            Ask::Check(check) => {
                let _ = writeln!(out, "{}", check.canonical());
            }
            Ask::Question(_) => panic!("{body}"),
        }
    }
    expect![[r#"
        {"length_ratio":{"mean_max":null,"over":2.0,"share_over_max":0.25}}
        {"word_count":{"user":{"min":30,"max":80},"assistant":null,"by_style":[],"share_outside_max":0.0}}
        {"word_count":{"user":{"min":30,"max":80},"assistant":{"min":null,"max":200},"by_style":[],"share_outside_max":0.1}}
        {"word_count":{"user":null,"assistant":null,"by_style":[["terse",{"min":30,"max":80}],["casual",{"min":80,"max":180}]],"share_outside_max":0.0}}
        {"questions":{"role":"assistant","bounds":{"min":null,"max":1},"share_outside_max":0.0}}
        {"question_endings":{"share_min":null,"share_max":0.4}}
        {"phrases":{"role":"assistant","list":[{"text":"I hear you","suggest":null},{"text":"it's valid","suggest":null}],"share_max":null}}
        {"phrases":{"role":"assistant","list":[{"text":"delve","suggest":"dig"},{"text":"utilize","suggest":"use"}],"share_max":0.5}}
        {"openers":{"words":1,"share_max":0.2}}
        {"openers":{"words":2,"share_max":0.3}}
        {"pattern":{"role":"any","regex":"as an ai","required":false,"case_sensitive":true,"suggest":""}}
        {"structure":{"headers_over":2,"replies_min":2}}
        {"ascii":{"role":"assistant","allow":"éü"}}
        {"ascii":{"role":"assistant","allow":""}}
        {"tokens":{"of":"record","bounds":{"min":null,"max":16000}}}
        {"tokens":{"of":"assistant","bounds":{"min":null,"max":400}}}
    "#]].assert_eq(&out);
}

#[test]
fn one_broken_line_costs_one_finding_and_its_words() {
    let broken =
        SUPPORT_COACH.replace("name: Accurate understanding", "name: \"Accurate understanding");
    check(
        &broken,
        expect![[r#"
            Support coach pass 0.8 min 3
            category comprehension 0.15
            category safety 0
            CQ1 in comprehension fix Rewrite from 1 turns, 1 examples: Does the assistant understand what the user said, in every exchange?
            CP2 in - na fix Rewrite from 1 turns, 0 examples: {"length_ratio":{"mean_max":1.5,"over":2.0,"share_over_max":0.25}}
            11 error[yaml-syntax] «"Accurate understanding» not valid YAML (invalid indentation in quoted scalar): this quote is never closed: add the closing quote
        "#]],
    );
    let broken = SUPPORT_COACH.replace("question: Does", "question: \"Does");
    check_said(
        &broken,
        expect![[r#"
        12 error[yaml-syntax] «"Does the assistant understand what the user said, in every exchange?» not valid YAML (invalid indentation in quoted scalar): this quote is never closed: add the closing quote
    "#]],
    );
    let broken = SUPPORT_COACH.replace("[CQ1, CQ2]}", "[CQ1, CQ2}");
    check_said(
        &broken,
        expect![[r#"
            5 error[yaml-syntax] «}» not valid YAML (while parsing a flow sequence, expected ',' or ']'): check quotes, brackets and indentation here
        "#]],
    );
    let broken = SUPPORT_COACH.replace("    min_turns", "\tmin_turns");
    check_said(
        &broken,
        expect![[r#"
        16 error[yaml-syntax] «min_turns: 1           # exchanges below which it is not asked» not valid YAML (while scanning a plain scalar, found a tab): YAML does not take tabs for indentation: use spaces
    "#]],
    );
}

#[test]
fn cyclic_anchors_and_deep_nesting_are_findings() {
    check(
        "criteria: &c\n  Q1: {question: Is it so?, calibration_examples: [*c]}\n  Q2: *c\n",
        expect![[r#"
            rubric pass 0.8 min 3
            Q1 in - fix Rewrite from 1 turns, 0 examples: Is it so?
            2 error[yaml-alias] «*c» this alias stands inside what it names, so it never ends: write out what is meant
            3 error[yaml-alias] «*c» this alias stands inside what it names, so it never ends: write out what is meant
        "#]],
    );
    let deep = format!("criteria: {}", "[".repeat(100_000));
    assert!(parse(&deep).has_errors());
}

#[test]
fn anchors_and_merges_share_fields() {
    check(
        "defaults: &d {na_valid: true, min_turns: 2}\ncriteria:\n  Q1: {<<: *d, question: Is it so?}\n  Q2: {<<: *d, question: Is it so?, min_turns: 5}\n",
        expect![[r#"
            rubric pass 0.8 min 3
            Q1 in - na fix Rewrite from 2 turns, 0 examples: Is it so?
            Q2 in - na fix Rewrite from 5 turns, 0 examples: Is it so?
            1 warning[unknown-key] «defaults» unknown key of a rubric `defaults`: known are name, description, version, pass_threshold, min_exchanges, categories, safety_gates, na_invalid, criteria
        "#]],
    );
}

mod totality {
    use proptest::prelude::*;

    use super::{SUPPORT_COACH, parse};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn any_mutation_is_read(
            edits in prop::collection::vec(
                (0_usize..1200, 0_usize..40, r#"[ a1.\-:é"'\[\]{}&*|#~\n\t]{0,6}"#),
                1..4,
            ),
        ) {
            let mut text = SUPPORT_COACH.to_owned();
            for (at, cut, put) in edits {
                let at = text.floor_char_boundary(at.min(text.len()));
                let end = text.floor_char_boundary((at + cut).min(text.len())).max(at);
                text.replace_range(at..end, &put);
            }
            let parsed = parse(&text);
            for finding in &parsed.findings {
                prop_assert!(text.get(finding.span.start..finding.span.end).is_some());
                for edit in finding.fixes.iter().flat_map(|f| &f.edits) {
                    prop_assert!(text.get(edit.span.start..edit.span.end).is_some());
                }
            }
            if let Some(rubric) = &parsed.rubric {
                prop_assert_eq!(rubric.criteria.len(), parsed.criteria.len());
                prop_assert_eq!(rubric.categories.len(), parsed.categories.len());
                prop_assert!((0.0..=1.0).contains(&rubric.pass_threshold));
                prop_assert!(rubric.categories.iter().all(|c| (0.0..=1.0).contains(&c.weight)));
            }
        }

        #[test]
        fn any_text_is_read(text in r#"(criteria|categories|[ a\-:é😀"'\[\]{}#&*!|>%@?\n\t]){0,60}"#) {
            let parsed = parse(&text);
            prop_assert!(parsed.findings.iter().all(|f| text.get(f.span.start..f.span.end).is_some()));
        }
    }
}
