//! The tree of good text, and how little of bad text is lost.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{Kind, MAX_DEPTH, Node, Yaml, parse};
use crate::text::Span;

fn dump(text: &str, yaml: &Yaml) -> String {
    let mut out = String::new();
    match yaml.root() {
        Some(root) => dump_node(text, root, 0, &mut out),
        None => out.push_str("nothing\n"),
    }
    for problem in &yaml.problems {
        let line = text[..problem.span.start].matches('\n').count() + 1;
        let words = problem.span.of(text).replace("\r\n", "⏎").replace('\n', "⏎");
        let _ = writeln!(out, "line {line} {:?} «{words}» {}", problem.kind, problem.message);
    }
    out
}

fn dump_node(text: &str, node: Node<'_>, depth: usize, out: &mut String) {
    if depth > 8 {
        out.push_str("…\n");
        return;
    }
    let pad = "  ".repeat(depth);
    let words = node.span().of(text).replace("\r\n", "⏎").replace('\n', "⏎");
    match node.kind() {
        Kind::Null => {
            let _ = writeln!(out, "{pad}null «{words}»");
        }
        Kind::Scalar => {
            let _ = writeln!(out, "{pad}{:?} «{words}»", node.text().unwrap_or(""));
        }
        Kind::Sequence => {
            let _ = writeln!(out, "{pad}list «{words}»");
            node.items().for_each(|item| dump_node(text, item, depth + 1, out));
        }
        Kind::Mapping => {
            let _ = writeln!(out, "{pad}mapping «{words}»");
            for (key, value) in node.entries() {
                dump_node(text, key, depth + 1, out);
                dump_node(text, value, depth + 2, out);
            }
        }
    }
}

fn check(text: &str, expect: Expect) {
    expect.assert_eq(&dump(text, &parse(text)));
}

#[test]
fn spans_count_bytes_behind_any_characters() {
    check(
        "é: \"日本\" # ü\nb:\n  - 😀 x\n  - 'it''s'\nc: {d: [1, 2]}\n",
        expect![[r#"
            mapping «é: "日本" # ü⏎b:⏎  - 😀 x⏎  - 'it''s'⏎c: {d: [1, 2]}»
              "é" «é»
                "日本" «"日本"»
              "b" «b»
                list «- 😀 x⏎  - 'it''s'»
                  "😀 x" «😀 x»
                  "it's" «'it''s'»
              "c" «c»
                mapping «{d: [1, 2]}»
                  "d" «d»
                    list «[1, 2]»
                      "1" «1»
                      "2" «2»
        "#]],
    );
}

#[test]
fn empty_values_stand_behind_their_colon() {
    check(
        "a:\nb: ~\nc:\n  d:\ne: |\n  one\n  two\n\nf: ''\n",
        expect![[r#"
            mapping «a:⏎b: ~⏎c:⏎  d:⏎e: |⏎  one⏎  two⏎⏎f: ''»
              "a" «a»
                null «»
              "b" «b»
                null «~»
              "c" «c»
                mapping «d:»
                  "d" «d»
                    null «»
              "e" «e»
                "one\ntwo\n" «one⏎  two»
              "f" «f»
                "" «''»
        "#]],
    );
}

#[test]
fn a_byte_order_mark_and_crlf_shift_nothing() {
    check(
        "\u{feff}a: 1\r\nb:\r\n  c: x y\r\n",
        expect![[r#"
        mapping «a: 1⏎b:⏎  c: x y»
          "a" «a»
            "1" «1»
          "b" «b»
            mapping «c: x y»
              "c" «c»
                "x y" «x y»
    "#]],
    );
}

#[test]
fn an_unclosed_quote_costs_its_value() {
    check(
        "a: \"one\nb: two\nc:\n  d: three\n",
        expect![[r#"
        mapping «a: "one⏎b: two⏎c:⏎  d: three»
          "a" «a»
            null «»
          "b" «b»
            "two" «two»
          "c" «c»
            mapping «d: three»
              "d" «d»
                "three" «three»
        line 1 Syntax «"one» not valid YAML (invalid indentation in quoted scalar): this quote is never closed: add the closing quote
    "#]],
    );
    check(
        "a: \"one\nb: \"two\"\nc:\n  d: \"three\"\ne: 4\n",
        expect![[r#"
        mapping «a: "one⏎b: "two"⏎c:⏎  d: "three"⏎e: 4»
          "a" «a»
            null «»
          "b" «b»
            "two" «"two"»
          "c" «c»
            mapping «d: "three"»
              "d" «d»
                "three" «"three"»
          "e" «e»
            "4" «4»
        line 1 Syntax «"one» not valid YAML (invalid indentation in quoted scalar): this quote is never closed: add the closing quote
    "#]],
    );
}

#[test]
fn tabs_brackets_and_bad_indentation_cost_a_line() {
    check(
        "a: 1\n\tb: 2\nc: 3\n",
        expect![[r#"
            mapping «a: 1⏎	b: 2⏎c: 3»
              "a" «a»
                "1" «1»
              "c" «c»
                "3" «3»
            line 2 Syntax «b: 2» not valid YAML (while scanning a plain scalar, found a tab): YAML does not take tabs for indentation: use spaces
        "#]],
    );
    check(
        "a: 1\nb: [1, 2\nc: 3\n",
        expect![[r#"
            mapping «a: 1⏎b: [1, 2⏎c: 3»
              "a" «a»
                "1" «1»
              "b" «b»
                null «»
              "c" «c»
                "3" «3»
            line 2 Syntax «[1, 2» not valid YAML (illegal placement of ':' indicator): this bracket is never closed: close it
        "#]],
    );
    check(
        "a: 1\nb: 2: 3\nc: 3\n",
        expect![[r#"
        mapping «a: 1⏎b: 2: 3⏎c: 3»
          "a" «a»
            "1" «1»
          "b" «b»
            null «»
          "c" «c»
            "3" «3»
        line 2 Syntax «: 3» not valid YAML (mapping values are not allowed in this context): a value that contains `: ` must stand in quotes
    "#]],
    );
    check(
        "a:\n  b: 1\n   c: 2\n  d: 3\n",
        expect![[r#"
            mapping «a:⏎  b: 1⏎   c: 2⏎  d: 3»
              "a" «a»
                mapping «b: 1⏎   c: 2⏎  d: 3»
                  "b" «b»
                    "1" «1»
                  "d" «d»
                    "3" «3»
            line 3 Syntax «c: 2» not valid YAML (mapping values are not allowed in this context): indent this line like its neighbours
        "#]],
    );
    check(
        "a: 1\nwords alone\nc: 3\n",
        expect![[r#"
            mapping «a: 1⏎words alone⏎c: 3»
              "a" «a»
                "1" «1»
              "c" «c»
                "3" «3»
            line 2 Syntax «words alone» not valid YAML (simple key expect ':'): check quotes, brackets and indentation here
        "#]],
    );
    check(
        "a: @x\nb: `y\nc: 3\n",
        expect![[r#"
            mapping «a: @x⏎b: `y⏎c: 3»
              "a" «a»
                null «»
              "b" «b»
                null «»
              "c" «c»
                "3" «3»
            line 1 Syntax «@x» not valid YAML (unexpected character: `@'): a value that begins with `@` or a backtick must stand in quotes
            line 2 Syntax «`y» not valid YAML (unexpected character: ``'): a value that begins with `@` or a backtick must stand in quotes
        "#]],
    );
}

#[test]
fn places_among_blanked_words_are_between_characters() {
    let text = "|5-\n[`\r3*😀&{\r:\t{'é: 😀.#'{😀?>]\"~'*~,😀`,{ 5`\r*'*é:é\".a-` &@']😀]8";
    walk(text, &parse(text));
    let text = "a: '日本\nb: [日本 日\nc: {日: 本\n";
    walk(text, &parse(text));
}

#[test]
fn duplicate_keys_are_kept_and_reported() {
    check(
        "a: 1\nb: 2\na: 3\n",
        expect![[r#"
        mapping «a: 1⏎b: 2⏎a: 3»
          "a" «a»
            "1" «1»
          "b" «b»
            "2" «2»
        line 3 DuplicateKey(Span { start: 0, end: 1 }) «a» `a` is already here: remove or rename one of the two
    "#]],
    );
}

#[test]
fn aliases_and_merges_are_followed() {
    check(
        "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nlist: [*b]\n",
        expect![[r#"
            mapping «base: &b {x: 1, y: 2}⏎use:⏎  <<: *b⏎  y: 3⏎list: [*b]»
              "base" «base»
                mapping «{x: 1, y: 2}»
                  "x" «x»
                    "1" «1»
                  "y" «y»
                    "2" «2»
              "use" «use»
                mapping «<<: *b⏎  y: 3»
                  "y" «y»
                    "3" «3»
                  "x" «x»
                    "1" «1»
              "list" «list»
                list «[*b]»
                  mapping «*b»
                    "x" «x»
                      "1" «1»
                    "y" «y»
                      "2" «2»
        "#]],
    );
}

#[test]
fn aliases_that_never_end_are_cut() {
    check(
        "a: &a [*a, 1]\nb: &b {c: *b}\nd: *nobody\ne: 5\n",
        expect![[r#"
            mapping «a: &a [*a, 1]⏎b: &b {c: *b}⏎d: *nobody⏎e: 5»
              "a" «a»
                list «[*a, 1]»
                  null «*a»
                  "1" «1»
              "b" «b»
                mapping «{c: *b}»
                  "c" «c»
                    null «*b»
              "d" «d»
                null «»
              "e" «e»
                "5" «5»
            line 1 Alias «*a» this alias stands inside what it names, so it never ends: write out what is meant
            line 2 Alias «*b» this alias stands inside what it names, so it never ends: write out what is meant
            line 3 Syntax «*nobody» not valid YAML (while parsing node, found unknown anchor): there is no anchor of this name above: define it with `&name` first
        "#]],
    );
}

#[test]
fn aliases_that_blow_up_are_cut() {
    let mut text = String::from("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let item = format!("*l{}, ", level - 1).repeat(9);
        let _ = writeln!(text, "l{level}: &l{level} [{item}*l{}]", level - 1);
    }
    let yaml = parse(&text);
    assert!(yaml.problems.iter().any(|p| p.message.contains("larger than")));
    assert!(count(yaml.root().expect("a mapping")) <= super::MAX_EXPANDED + 1000);
}

#[test]
fn only_the_first_document_is_read() {
    check(
        "a: 1\n---\nb: 2\n---\nc: 3\n",
        expect![[r#"
        mapping «a: 1»
          "a" «a»
            "1" «1»
        line 2 Documents «---» only the first document of the file is read: remove `---` and what follows, or move it to a file of its own
    "#]],
    );
    check(
        "---\na: 1\n...\n",
        expect![[r#"
        mapping «a: 1»
          "a" «a»
            "1" «1»
    "#]],
    );
}

#[test]
fn nothing_is_nothing() {
    for text in ["", "\n\n", "# only words\n", "\u{feff}", "---\n"] {
        let yaml = parse(text);
        assert!(yaml.problems.is_empty(), "{text:?}: {:?}", yaml.problems);
        assert!(yaml.root().is_none_or(|root| root.kind() == Kind::Null), "{text:?}");
    }
}

#[test]
fn depth_is_bounded_and_quick() {
    let started = Instant::now();
    let blocks: String = (0..2000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    for text in [
        "[".repeat(100_000),
        "{".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(50_000),
        blocks,
    ] {
        let yaml = parse(&text);
        assert!(!yaml.problems.is_empty());
        assert!(yaml.root().is_none_or(|root| depth(root) <= MAX_DEPTH + 1));
    }
    let balanced = format!("a: {}{}\nb: 2\n", "[".repeat(150), "]".repeat(150));
    check_deep(&balanced);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

fn check_deep(text: &str) {
    let yaml = parse(text);
    let kinds: Vec<_> = yaml.problems.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [super::ProblemKind::Depth]);
    let root = yaml.root().expect("a mapping");
    assert_eq!(root.get("b").and_then(Node::number), Some(2.0));
}

#[test]
fn many_errors_end() {
    let text: String = (0..200).map(|n| format!("k{n}: \"x\nj{n}: [1\n")).collect();
    let yaml = parse(&text);
    assert!(yaml.problems.len() <= 25, "{}", yaml.problems.len());
}

fn count(node: Node<'_>) -> usize {
    let mut stack = vec![node];
    let mut nodes = 0;
    while let Some(node) = stack.pop() {
        nodes += 1;
        stack.extend(node.items());
        stack.extend(node.written_entries().flat_map(|(key, value)| [key, value]));
    }
    nodes
}

fn depth(node: Node<'_>) -> usize {
    let mut stack = vec![(node, 1)];
    let mut most = 0;
    while let Some((node, depth)) = stack.pop() {
        most = most.max(depth);
        stack.extend(node.items().map(|item| (item, depth + 1)));
        stack.extend(node.written_entries().map(|(_, value)| (value, depth + 1)));
    }
    most
}

/// Every span is sound, and walking ends.
fn walk(text: &str, yaml: &Yaml) {
    let sound =
        |span: Span| assert!(text.get(span.start..span.end).is_some(), "{span:?} in {text:?}");
    yaml.problems.iter().for_each(|p| sound(p.span));
    yaml.masked.iter().for_each(|m| sound(*m));
    let mut stack: Vec<Node<'_>> = yaml.root().into_iter().collect();
    while let Some(node) = stack.pop() {
        sound(node.span());
        stack.extend(node.items());
        stack.extend(node.entries().into_iter().flat_map(|(key, value)| [key, value]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_text_has_a_tree(text in r#"[ a\-:é😀"'\[\]{}#&*!|>%@`,?\n\t\r0-9~<.\\]{0,80}"#) {
        walk(&text, &parse(&text));
    }

    #[test]
    fn mutated_text_has_a_tree(
        at in 0_usize..400,
        cut in 0_usize..20,
        put in r#"[ \-:é"'\[\]{}&*|\n\t]{0,4}"#,
    ) {
        let good = "name: Coach é\ncategories:\n  a: {weight: 0.5, criteria: [Q1, \"Q2\"]}\n  b: &b\n    weight: 0.5\n\
                    criteria:\n  Q1:\n    question: |\n      Does it?\n      日本\n    na_valid: no\n  Q2: *b\n";
        let at = good.floor_char_boundary(at.min(good.len()));
        let end = good.floor_char_boundary((at + cut).min(good.len())).max(at);
        let text = format!("{}{put}{}", &good[..at], &good[end..]);
        walk(&text, &parse(&text));
    }
}
