//! What the reader says of good and broken JSON, against `serde_json`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Shows the problems and the value as it was understood.
fn check(text: &str, expect: Expect) {
    let json = parse(text, 8);
    let mut out = String::new();
    for problem in json.problems() {
        let Span { start, end } = problem.span;
        _ = writeln!(out, "{start}..{end} {:?} {:?}", problem.kind, problem.span.of(text));
    }
    match json.root(text) {
        Some(root) => write_value(&mut out, root),
        None => out += "nothing",
    }
    expect.assert_eq(&out);
}

fn write_value(out: &mut String, value: Value<'_>) {
    match value.kind() {
        Kind::Object => {
            out.push('{');
            for (i, member) in value.members().enumerate() {
                _ = write!(out, "{}{:?}: ", if i > 0 { ", " } else { "" }, member.key.decode());
                write_value(out, member.value);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (i, item) in value.items().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_value(out, item);
            }
            out.push(']');
        }
        Kind::String => _ = write!(out, "{:?}", value.str().unwrap()),
        Kind::Error => _ = write!(out, "error {:?}", value.raw()),
        _ => out.push_str(value.raw()),
    }
}

#[test]
fn good_json_has_no_problems() {
    check(
        r#" {"a": [1, -2.5e+3, true, null], "b\n": "\u00e9\/"} "#,
        expect![[r#"{"a": [1, -2.5e+3, true, null], "b\n": "é/"}"#]],
    );
    check("[]", expect!["[]"]);
    check("0", expect!["0"]);
}

#[test]
fn commas_and_colons() {
    check(
        "[1, 2,]",
        expect![[r#"
        5..6 TrailingComma ","
        [1, 2]"#]],
    );
    check(
        "[1 2]",
        expect![[r#"
        3..3 ExpectedComma ""
        [1, 2]"#]],
    );
    check(
        "[,1,,2]",
        expect![[r#"
        1..2 ExpectedValue ","
        4..5 ExpectedValue ","
        [1, 2]"#]],
    );
    check(
        r#"{"a" 1, "b":, "c": 2,}"#,
        expect![[r#"
        5..5 ExpectedColon ""
        12..12 ExpectedValue ""
        20..21 TrailingComma ","
        {"a": 1, "c": 2}"#]],
    );
    check(
        r#"{"a": 1 "b": 2}"#,
        expect![[r#"
        8..8 ExpectedComma ""
        {"a": 1, "b": 2}"#]],
    );
    check(
        r#"{, "a": 1}"#,
        expect![[r#"
        1..2 ExpectedKey ","
        {"a": 1}"#]],
    );
}

#[test]
fn other_languages() {
    check(
        r#"{'a': None, b: True, "c": NaN, "d": -Infinity}"#,
        expect![[r#"
        1..4 SingleQuoted "'a'"
        6..10 PythonWord "None"
        12..13 UnquotedKey "b"
        15..19 PythonWord "True"
        26..29 NotFinite "NaN"
        36..45 NotFinite "-Infinity"
        {"a": None, "b": True, "c": NaN, "d": -Infinity}"#]],
    );
    check(
        "[1, // one\n 2 /* two */, # three\n 3]",
        expect![[r##"
        4..10 Comment "// one"
        14..23 Comment "/* two */"
        25..32 Comment "# three"
        [1, 2, 3]"##]],
    );
    check(
        "[01, 1., .5, +1, 1e, -, 0x1]",
        expect![[r#"
        1..3 BadNumber "01"
        5..7 BadNumber "1."
        9..11 BadNumber ".5"
        13..15 BadNumber "+1"
        17..19 BadNumber "1e"
        21..22 BadNumber "-"
        25..25 ExpectedComma ""
        25..27 ExpectedValue "x1"
        [01, 1., .5, +1, 1e, -, 0, error "x1"]"#]],
    );
    check(
        "undefined",
        expect![[r#"
        0..9 ExpectedValue "undefined"
        error "undefined""#]],
    );
}

#[test]
fn strings() {
    check(
        r#"["\x", "\u12", "a"]"#,
        expect![[r#"
        2..4 BadEscape "\\x"
        8..10 BadEscape "\\u"
        ["x", "u12", "a"]"#]],
    );
    check(
        "[\"a\tb\"]",
        expect![[r#"
        3..4 ControlCharacter "\t"
        ["a\tb"]"#]],
    );
    check(
        r#"["\ud83d", "\ude00\ud83d", "\ud83d\u0041"]"#,
        expect![[r#"
        2..8 LoneSurrogate "\\ud83d"
        12..18 LoneSurrogate "\\ude00"
        18..24 LoneSurrogate "\\ud83d"
        28..34 LoneSurrogate "\\ud83d"
        ["�", "��", "�A"]"#]],
    );
    check(
        r#"{"a": "b, "c": 1}"#,
        expect![[r#"
        11..11 ExpectedComma ""
        11..12 UnquotedKey "c"
        12..12 ExpectedColon ""
        12..17 UnclosedString "\": 1}"
        {"a": "b, ", "c": ": 1}"}"#]],
    );
    check(
        r#"{"a": "b"#,
        expect![[r#"
        6..8 UnclosedString "\"b"
        {"a": "b"}"#]],
    );
    check(
        r#"["b\""#,
        expect![[r#"
        1..5 UnclosedString "\"b\\\""
        ["b\""]"#]],
    );
    check(
        "{\"a\": \"b,\n  \"c\": \"two\nlines\"}",
        expect![[r#"
        6..9 UnclosedString "\"b,"
        12..12 ExpectedComma ""
        21..22 ControlCharacter "\n"
        {"a": "b,", "c": "two\nlines"}"#]],
    );
    check(
        "['it\\'s', 'x",
        expect![[r#"
        1..8 SingleQuoted "'it\\'s'"
        10..12 UnclosedString "'x"
        ["it's", "x"]"#]],
    );
}

#[test]
fn brackets() {
    check(
        r#"{"a": [1, {"b": 2"#,
        expect![[r#"
        0..1 UnclosedBracket "{"
        6..7 UnclosedBracket "["
        10..11 UnclosedBracket "{"
        {"a": [1, {"b": 2}]}"#]],
    );
    check(
        r#"{"a": [1, 2}"#,
        expect![[r#"
        6..7 UnclosedBracket "["
        {"a": [1, 2]}"#]],
    );
    check(
        "[1, 2}]",
        expect![[r#"
        5..6 StrayBracket "}"
        [1, 2]"#]],
    );
    check(
        "[]]",
        expect![[r#"
        2..3 ExtraData "]"
        []"#]],
    );
    check(
        r#"{"a": 1} {"b": 2}"#,
        expect![[r#"
        9..17 ExtraData "{\"b\": 2}"
        {"a": 1}"#]],
    );
    check(
        "[[[[[[[[[1]]]]]]]]]",
        expect![[r#"
        8..9 TooDeep "["
        [[[[[[[[]]]]]]]]"#]],
    );
    check(
        "",
        expect![[r#"
        0..0 Empty ""
        nothing"#]],
    );
    check(
        " \n",
        expect![[r#"
        0..2 Empty " \n"
        nothing"#]],
    );
    check(
        "\u{feff}{}",
        expect![[r#"
        0..3 ExpectedValue "\u{feff}"
        3..5 ExtraData "{}"
        error "\u{feff}""#]],
    );
    check(
        "}",
        expect![[r#"
        0..0 ExpectedValue ""
        0..1 ExtraData "}"
        error """#]],
    );
}

#[test]
fn keys() {
    check(
        r#"{"a": 1, "\u0061": 2, "b": 3}"#,
        expect![[r#"
        9..17 DuplicateKey "\"\\u0061\""
        {"a": 1, "a": 2, "b": 3}"#]],
    );
    check(
        r#"{1: 2, "a"}"#,
        expect![[r#"
        1..2 UnquotedKey "1"
        10..10 ExpectedColon ""
        10..10 ExpectedValue ""
        {"1": 2}"#]],
    );
    let many: Vec<String> = (0..40).map(|i| format!("\"k{i}\": 0")).collect();
    let json = parse(&format!("{{{}, \"k33\": 1}}", many.join(", ")), 8).problems().to_vec();
    assert_eq!(json.iter().map(|p| p.kind).collect::<Vec<_>>(), [ProblemKind::DuplicateKey]);
}

#[test]
fn the_last_of_two_members_counts() {
    let text = r#"{"a": 1, "a": 2}"#;
    let json = parse(text, 8);
    let root = json.root(text).unwrap();
    assert_eq!(root.get("a").and_then(Value::integer), Some(2));
    assert_eq!(root.get("b").map(Value::raw), None);
}

/// A text of about a megabyte is read in time linear in its length. The bound is
/// a hundred times what an unoptimised build takes, and far below what a
/// quadratic one does.
#[test]
fn hostile_texts_are_read_in_linear_time() {
    let million = 1 << 20;
    let texts = [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "[,".repeat(million / 2),
        format!("[{}", "{[}".repeat(million / 3)),
        "[1 ".repeat(million / 3),
        format!("[{}", "1 ".repeat(million / 2)),
        format!("\"{}", "\\".repeat(million)),
        format!("\"{}\"", "\\u12".repeat(million / 4)),
        format!("[{}]", "'a',".repeat(million / 4)),
        "/*".repeat(million / 2),
        "#\n".repeat(million / 2),
        "]".repeat(million),
        format!("{{{}", "\"a\":1,".repeat(million / 6)),
        (0..60_000).fold("{".to_owned(), |all, i| all + &format!("\"key{i}\":1,")),
        format!("\"{}\"", "é".repeat(million / 2)),
    ];
    for text in texts {
        let begun = Instant::now();
        let json = parse(&text, DEPTH_LIMIT);
        let problems = json.problems().len();
        let taken = begun.elapsed();
        let head: String = text.chars().take(12).collect();
        assert!(problems <= 2 * text.len() && taken < Duration::from_secs(10), "{head}: {taken:?}");
    }
}

fn to_serde(value: Value<'_>) -> serde_json::Value {
    match value.kind() {
        Kind::Object => value
            .members()
            .map(|m| (m.key.decode().into_owned(), to_serde(m.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Kind::Array => value.items().map(to_serde).collect(),
        Kind::String => value.str().unwrap().into_owned().into(),
        _ => serde_json::from_str(value.raw()).unwrap(),
    }
}

/// Compares with `serde_json`, the listed differences aside.
fn agrees(text: &str) {
    // `serde_json` refuses the 128th level.
    let json = parse(text, DEPTH_LIMIT - 1);
    let ours = json.problems().iter().find(|p| p.kind != ProblemKind::DuplicateKey);
    for problem in json.problems() {
        assert!(problem.span.end <= text.len() && text.is_char_boundary(problem.span.start));
    }
    match (serde_json::from_str::<serde_json::Value>(text), ours) {
        (Ok(theirs), None) => assert_eq!(to_serde(json.root(text).unwrap()), theirs, "{text}"),
        (Err(_), Some(ours)) => first_problem_is_first(text, ours),
        (Err(error), None) if error.to_string().contains("number out of range") => {}
        (theirs, ours) => panic!("{text:?}: serde_json says {theirs:?}, we say {ours:?}"),
    }
}

/// `serde_json` finds nothing wrong with what stands before our first problem,
/// but that it ends there.
fn first_problem_is_first(text: &str, ours: &Problem) {
    if matches!(ours.kind, ProblemKind::UnclosedBracket | ProblemKind::UnclosedString) {
        // These stand where the thing begins, and are known where it should have ended.
        return;
    }
    let before = &text[..ours.span.start];
    match serde_json::from_str::<serde_json::Value>(before) {
        Ok(_) => {}
        Err(error) if error.is_eof() || error.to_string().contains("number out of range") => {}
        Err(error) => panic!("{text:?}: {ours:?}, but serde_json met {error} before"),
    }
}

fn literal() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => "[a-z ]{1,4}", 1 => Just("é".to_owned()), 1 => Just("😀".to_owned()),
        1 => "\\\\[\"\\\\/bfnrt]", 1 => "\\\\u[0-9a-fA-F]{4}", 1 => Just("\\ud83d\\ude00".to_owned()),
        1 => any::<char>().prop_filter("plain", |c| !c.is_control() && !"\"\\".contains(*c)).prop_map(String::from),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn json_text() -> impl Strategy<Value = String> {
    let space = prop_oneof![6 => Just(""), 2 => Just(" "), 1 => Just("\n"), 1 => Just("\t\r")];
    let leaf = prop_oneof![
        4 => literal(),
        1 => Just("true".to_owned()), 1 => Just("null".to_owned()),
        1 => "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        1 => Just("1e400".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let item =
            (space.clone(), inner, space.clone()).prop_map(|(a, v, b)| a.to_owned() + &v + b);
        let member = (literal(), item.clone()).prop_map(|(k, v)| format!("{k}:{v}"));
        prop_oneof![
            prop::collection::vec(item, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|m| format!("{{{}}}", m.join(","))),
        ]
    })
}

#[derive(Clone, Debug)]
enum Mutation {
    Truncate(prop::sample::Index),
    Insert(prop::sample::Index, String),
    Delete(prop::sample::Index, usize),
    Swap(prop::sample::Index, prop::sample::Index),
}

impl Mutation {
    fn apply(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let at = |i: &prop::sample::Index| i.index(chars.len() + 1);
        let join = |parts: &[&[char]]| parts.concat().iter().collect::<String>();
        match self {
            Self::Truncate(i) => join(&[&chars[..at(i)]]),
            Self::Insert(i, s) => {
                let new: Vec<char> = s.chars().collect();
                join(&[&chars[..at(i)], &new, &chars[at(i)..]])
            }
            Self::Delete(i, n) => join(&[&chars[..at(i)], chars.get(at(i) + n..).unwrap_or(&[])]),
            Self::Swap(i, j) => {
                let mut chars = chars.clone();
                if let (Some(i), Some(j)) = (at(i).checked_sub(1), at(j).checked_sub(1)) {
                    chars.swap(i, j);
                }
                chars.iter().collect()
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    let token = prop_oneof![
        "[\\[\\]{},:\"'\\\\/#*0-9eE+.-]{1,2}",
        Just("\u{1}".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\\u".to_owned()),
        Just("\\ud83d".to_owned()),
        Just("NaN".to_owned()),
        Just("None".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\n".to_owned()),
        Just("// x\n".to_owned()),
    ];
    prop_oneof![
        1 => index().prop_map(Mutation::Truncate),
        4 => (index(), token).prop_map(|(i, s)| Mutation::Insert(i, s)),
        3 => (index(), 1..4usize).prop_map(|(i, n)| Mutation::Delete(i, n)),
        2 => (index(), index()).prop_map(|(i, j)| Mutation::Swap(i, j)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn good_and_broken_json_is_what_serde_json_says(
        text in json_text(), mutations in prop::collection::vec(mutation(), 0..4),
    ) {
        agrees(&mutations.iter().fold(text, |text, mutation| mutation.apply(&text)));
    }

    #[test]
    fn any_text_is_what_serde_json_says(
        text in "[\\[\\]{},:\"'\\\\/#*utrnfalse0-9E+. \n\u{1}é-]{0,24}",
    ) {
        agrees(&text);
    }
}

#[test]
fn depth_is_what_serde_json_says() {
    for depth in [1, 126, 127, 128, 200, 100_000] {
        agrees(&("[".repeat(depth) + &"]".repeat(depth)));
        agrees(&("{\"a\":".repeat(depth) + "1" + &"}".repeat(depth)));
    }
}

/// Every record of the examples, and of the folder named by `RUBRICATOR_CORPUS`.
#[test]
fn whole_files_are_what_serde_json_says() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &mut files);
    assert!(!files.is_empty());
    if let Some(corpus) = std::env::var_os("RUBRICATOR_CORPUS") {
        collect(Path::new(&corpus), &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        if file.extension().is_some_and(|e| e == "json") {
            agrees(&text);
        } else {
            text.lines().for_each(agrees);
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        if path.is_dir() {
            collect(&path, files);
        } else if matches!(extension, "json" | "jsonl") {
            files.push(path);
        }
    }
}
