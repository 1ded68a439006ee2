//! Input that is not what it should be: a clear message, the right exit code,
//! no crash, no hang.

use expect_test::expect;

use super::{Project, record};

#[test]
fn files_that_are_no_transcripts() {
    let project = Project::empty();
    project
        .write("binary.jsonl", [0x7f, b'E', b'L', b'F', 0, 1, 2, 0, 0xff, 0xfe, 0, 0].repeat(400));
    project.write("utf16.jsonl", [0xff, 0xfe, b'{', 0, b'}', 0]);
    project.write("empty.jsonl", "");
    project.write("deep.jsonl", "[".repeat(100_000) + "\n");
    project.write("deep.json", "{\"a\":".repeat(100_000));
    project.write("bytes.jsonl", b"{\"messages\": \"\xff\"}\n");
    let mut all = String::new();
    for file in [
        "binary.jsonl",
        "utf16.jsonl",
        "empty.jsonl",
        "deep.jsonl",
        "deep.json",
        "bytes.jsonl",
        "none.jsonl",
    ] {
        let ran = project.run(&["check", "--format", "github", file]);
        all += &format!("{} {}{}", ran.code.unwrap(), ran.err, ran.out);
    }
    expect![[r#"
        2 error: binary.jsonl is a binary file, not a transcript
        2 error: utf16.jsonl is written in UTF-16: save it as UTF-8
        1 ::error file=empty.jsonl,line=1,endLine=1,col=1,endColumn=1,title=F004::the file is empty: there is no record to train on
        1 ::error file=deep.jsonl,line=1,endLine=1,col=129,endColumn=130,title=J001::nested too deep to be read
        1 ::error file=deep.json,line=1,endLine=1,col=641,endColumn=642,title=J001::nested too deep to be read
        1 ::error file=bytes.jsonl,line=1,endLine=1,col=15,endColumn=16,title=F001::this line is not UTF-8 at byte 14 of the file: save it as UTF-8
        2 error: none.jsonl does not exist
    "#]].assert_eq(&all);
}

#[test]
fn a_line_longer_than_the_limit_is_one_finding() {
    let project = Project::empty();
    let long = format!("{}\n\"{}\"\n{}\n", record("a"), "x".repeat(3 << 20), record("b"));
    project.write("long.jsonl", &long);
    let arguments = ["check", "--set", "limits.record_mb=1", "--format", "github"];
    let expected = expect![[r#"
        1 ::error file=long.jsonl,line=2,endLine=2,col=1,endColumn=2,title=F009::this line has 3145730 bytes, more than 1 MB: raise `limits.record_mb`
    "#]];
    let ran = project.run(&[&arguments[..], &["long.jsonl"]].concat());
    expected.assert_eq(&format!("{} {}{}", ran.code.unwrap(), ran.err, ran.out));
    let named = [&arguments[..], &["--stdin-filename", "long.jsonl", "-"]].concat();
    let ran = project.run_with_input(&named, long.as_bytes());
    expected.assert_eq(&format!("{} {}{}", ran.code.unwrap(), ran.err, ran.out));
    project.write("long.json", format!("[{}]", record(&"c".repeat(2 << 20))));
    let ran = project.run(&[&arguments[..], &["long.json"]].concat());
    expect![[r#"
        2 error: long.json is larger than 1 MB: raise `limits.record_mb`, or write one record a line in a .jsonl file
    "#]]
    .assert_eq(&format!("{} {}{}", ran.code.unwrap(), ran.err, ran.out));
}

#[test]
fn the_same_files_through_assess_and_tokens() {
    let project = rubric(
        "name: x\nmin_exchanges: 1\ncategories: {a: {weight: 1.0, criteria: [K]}}\n\
         criteria:\n  K: {check: {ascii: {}}}\n",
    );
    project.write("binary.jsonl", [0x7f, b'E', b'L', b'F', 0, 1, 2, 0].repeat(400));
    project.write("utf16.jsonl", [0xff, 0xfe, b'{', 0, b'}', 0]);
    project.write("empty.jsonl", "");
    project.write("deep.jsonl", "[".repeat(100_000) + "\n");
    for (file, code) in
        [("binary.jsonl", 2), ("utf16.jsonl", 2), ("none.jsonl", 2), ("deep.jsonl", 1)]
    {
        let ran = project.run(&["assess", file]);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
        assert!(ran.err.contains(file), "{}", ran.all());
    }
    for file in ["binary.jsonl", "utf16.jsonl", "none.jsonl"] {
        let ran = project.run(&["tokens", file]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
    }
    assert_eq!(project.run(&["assess", "empty.jsonl"]).code, Some(0));
    // Beside a sound file the sound one is assessed all the same.
    let ran = project.run(&["assess", "a.jsonl", "binary.jsonl"]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.out.contains("1 passed"), "{}", ran.all());
}

#[test]
fn an_unsaved_rubric_or_settings_from_standard_input() {
    let project = rubric("");
    let ran = project.run_with_input(
        &["check", "--format", "github", "--stdin-filename", "rubric.yaml", "-"],
        b"- a\n",
    );
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.out.starts_with("::error file=rubric.yaml,line=1"), "{}", ran.all());
    let ran = project.run_with_input(
        &["check", "--format", "github", "--stdin-filename", "rubricator.toml"],
        b"[projekt]\n",
    );
    assert!(ran.out.starts_with("::error file=rubricator.toml,line=1"), "{}", ran.all());
}

#[test]
fn a_folder_without_transcripts() {
    let project = Project::empty();
    project.write("folder/notes.txt", "");
    expect![[r#"
        exit 0
        --- err
        nothing to check: no transcripts, no rubric and no settings were found
        --- out
    "#]]
    .assert_eq(&project.run(&["check", "folder"]).all());
    expect![[r#"
        exit 0
        --- err
        warning: folder has no transcripts that the settings name
        --- out
    "#]]
    .assert_eq(&project.run(&["assess", "folder"]).all());
}

fn rubric(text: &str) -> Project {
    let project = Project::with("[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n");
    project.write("a.jsonl", record("a") + "\n");
    project.write("rubric.yaml", text);
    project
}

#[test]
fn rubrics_that_are_none() {
    let cyclic = "name: &a [*a]\ncriteria: &b {CQ1: *b}\n";
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\ncriteria: [*c,*c,*c]\n";
    let nan = "categories: {a: {weight: .nan, criteria: [CQ1]}}\ncriteria:\n  CQ1: {question: Is it good?}\n";
    let nested = "a: ".to_owned() + &"[".repeat(100_000);
    for text in ["- a\n- b\n", "", "just text", cyclic, bomb, nan, &nested, "a: [\n", "\t- x: {"] {
        let project = rubric(text);
        let short = &text[..text.len().min(30)];
        let checked = project.run(&["check", "."]);
        assert_eq!(checked.code, Some(1), "{short}: {}", checked.all());
        let assessed = project.run(&["assess", "."]);
        assert_eq!(assessed.code, Some(2), "{short}: {}", assessed.all());
        assert!(assessed.err.contains("rubric.yaml"), "{short}: {}", assessed.err);
    }
}

#[test]
fn a_rubric_that_is_missing() {
    let project = rubric("");
    std::fs::remove_file(project.path("rubric.yaml")).unwrap();
    expect![[r#"
        exit 2
        --- err
        --- out
        rubricator.toml:2:10: error[settings-file] the rubric `rubric.yaml` does not exist
           2 │ rubric = 'rubric.yaml'
             │          ^^^^^^^^^^^^^
        1 error (1 transcript in 2 files)
    "#]]
    .assert_eq(&project.run(&["check", "."]).all());
    expect![[r#"
        exit 2
        --- err
        error: rubricator.toml:2:10: the rubric `rubric.yaml` does not exist [settings-file]
        --- out
        no findings (1 transcript in 1 file)
    "#]]
    .assert_eq(&project.run(&["check", "a.jsonl"]).all());
    expect![[r#"
        exit 2
        --- err
        error: rubricator.toml:2:10: the rubric `rubric.yaml` does not exist [settings-file]
        error: the settings have errors, so nothing was assessed
        --- out
    "#]]
    .assert_eq(&project.run(&["assess", "."]).all());
}

#[test]
fn what_is_typed_wrongly() {
    let project = Project::empty();
    for arguments in [&["chek"][..], &["check", "--format", "xml"], &["assess", "--judge"], &[]] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}");
    }
    assert_eq!(project.run(&["--version"]).code, Some(0));
}

#[test]
fn terminal_escapes_in_texts_are_neutralised() {
    let project = Project::empty();
    project.write("a\u{1b}[31m.jsonl", "{\"id\": \"\u{1b}]0;x\u{7}\"\n");
    let ran = project.run(&["check", "."]);
    assert_eq!(ran.code, Some(1));
    assert!(!ran.all().contains('\u{1b}') && !ran.all().contains('\u{7}'), "{}", ran.all());
}

#[test]
fn a_broken_rubric_is_said_beside_the_transcripts() {
    let project = rubric("- a\n");
    expect![[r#"
        exit 1
        --- err
        error: rubric.yaml has errors, so checks may be missing: `rubricator check rubric.yaml` shows them
        --- out
        no findings (1 transcript in 1 file)
    "#]].assert_eq(&project.run(&["check", "a.jsonl"]).all());
    assert_eq!(project.run(&["check", "--only", "structure", "a.jsonl"]).code, Some(0));
}

/// C1 controls, DEL, marks that reorder text, ESC: in no format does any of them
/// reach a terminal, and JSON says the same text all the same.
#[test]
fn no_format_lets_a_terminal_obey_a_transcript() {
    let evil = "a\u{9b}31mb\u{202e}c\u{2066}d\u{7f}e\u{85}f\u{2028}g\u{1b}[2Jh\u{feff}";
    let project = Project::with("");
    let message = serde_json::json!({"role": evil, "content": evil});
    let record = serde_json::json!({"id": evil, "messages": [message], evil: 1});
    project.write("a.jsonl", format!("{record}\n"));
    let settings = format!("[assess]\n\"{}\" = 1\n", evil.replace(['\u{1b}', '\u{7f}'], ""));
    let bad = Project::with(&settings);
    let obeyed = |c: char| c != '\n' && rubricator::cli::style::is_unsafe(c);
    for format in ["text", "json", "jsonl", "github", "sarif", "junit"] {
        let ran = project.run(&["check", "a.jsonl", "--format", format]);
        assert!(!ran.out.is_empty(), "{format}");
        assert!(!ran.all().contains(obeyed), "{format}: {:?}", ran.all());
        assert!(!bad.run(&["check", "--format", format]).all().contains(obeyed), "{format}");
    }
    for command in [&["assess"][..], &["tokens"], &["assess", "--dry-run"], &["gate"]] {
        for format in ["text", "json"] {
            let arguments = [command, &["--format", format]].concat();
            let ran = project.run(&arguments);
            assert!(!ran.all().contains(obeyed), "{arguments:?}: {:?}", ran.all());
        }
    }
    let ran = project.run(&["check", "a.jsonl", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(rows.as_array().unwrap().iter().any(|row| row["transcript"] == evil), "{rows}");
}
