//! `check`: what it prints in each format, and what it exits with.

use expect_test::expect;

use super::{Project, record};

fn broken() -> String {
    format!(
        "{}\n{{\"id\":\"é👍\",\"messages\":[{{\"role\":\"usr\",\"content\":\"hi\"}},{{\"role\":\"assistant\",\"content\":\"yo\"}}]}}\n",
        record("a")
    )
}

#[test]
fn a_sound_file_is_silent_about_itself() {
    let project = Project::empty();
    project.write("a.jsonl", record("a") + "\n");
    expect![[r#"
        exit 0
        --- err
        --- out
        no findings (1 transcript in 1 file)
    "#]]
    .assert_eq(&project.run(&["check", "a.jsonl"]).all());
}

#[test]
fn findings_stand_on_their_words() {
    let project = Project::empty();
    project.write("data/a.jsonl", broken());
    expect![[r#"
        exit 1
        --- err
        --- out
        data/a.jsonl:2:33: error[M003] role `usr` is unknown in messages: rename role to `user`
           2 │ {"id":"é👍","messages":[{"role":"usr","content":"hi"},{"role":"assistant…
             │                                  ^^^
        1 error (2 transcripts in 1 file)
    "#]]
    .assert_eq(&project.run(&["check", "data"]).all());
}

#[test]
fn json_has_the_published_fields() {
    let project = Project::empty();
    project.write("a.jsonl", format!("\u{feff}{}", broken()));
    let ran = project.run(&["check", "--format", "json", "a.jsonl"]);
    expect![[r#"
        exit 1
        --- err
        --- out
        [
          {"file":"a.jsonl","line":1,"column":1,"end_line":1,"end_column":1,"byte_start":0,"byte_end":3,"code":"F002","severity":"warning","message":"the file starts with a byte order mark: most readers take it for text","transcript":null,"exchange":null},
          {"file":"a.jsonl","line":2,"column":33,"end_line":2,"end_column":36,"byte_start":165,"byte_end":168,"code":"M003","severity":"error","message":"role `usr` is unknown in messages: rename role to `user`","transcript":"é👍","exchange":null}
        ]
    "#]].assert_eq(&ran.all());
    let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    let text = project.read("a.jsonl");
    let at = |i: usize, key: &str| rows[i][key].as_u64().unwrap() as usize;
    assert_eq!(&text[at(1, "byte_start")..at(1, "byte_end")], "usr");
    let none = project.run(&["check", "--format", "json", "--only", "checks", "a.jsonl"]);
    assert_eq!((none.out.as_str(), none.code), ("[]\n", Some(0)));
}

#[test]
fn every_format_is_well_formed() {
    let project = Project::empty();
    project.write("a.jsonl", broken());
    for (format, expect) in [
        (
            "jsonl",
            expect![[r#"
            {"file":"a.jsonl","line":2,"column":33,"end_line":2,"end_column":36,"byte_start":162,"byte_end":165,"code":"M003","severity":"error","message":"role `usr` is unknown in messages: rename role to `user`","transcript":"é👍","exchange":null}
        "#]],
        ),
        (
            "github",
            expect![[r#"
            ::error file=a.jsonl,line=2,endLine=2,col=33,endColumn=36,title=M003::role `usr` is unknown in messages: rename role to `user`
        "#]],
        ),
        (
            "sarif",
            expect![[r#"
            {"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"columnKind":"unicodeCodePoints","results":[
            {"ruleId":"M003","level":"error","message":{"text":"role `usr` is unknown in messages: rename role to `user`"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.jsonl"},"region":{"startLine":2,"startColumn":33,"endLine":2,"endColumn":36,"byteOffset":162,"byteLength":3}}}],"properties":{"transcript":"é👍","exchange":null}}
            ],"tool":{"driver":{"name":"rubricator","version":"0.1.0","rules":[{"id":"M003"}]}}}]}
        "#]],
        ),
        (
            "junit",
            expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="rubricator">
              <testsuite name="a.jsonl" tests="1" failures="1">
                <testcase classname="a.jsonl" name="M003 at 2:33" line="2"><failure type="error" message="role `usr` is unknown in messages: rename role to `user`">a.jsonl:2:33</failure></testcase>
              </testsuite>
            </testsuites>
        "#]],
        ),
    ] {
        let ran = project.run(&["check", "--format", format, "a.jsonl"]);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        if format == "sarif" {
            serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
        }
        expect.assert_eq(&ran.out);
    }
}

#[test]
fn the_exit_code_follows_fail_on() {
    let project = Project::empty();
    project.write("hint.jsonl", record("a") + "\r\n");
    project.write("error.jsonl", broken());
    for (arguments, code) in [
        (&["check", "hint.jsonl"][..], 0),
        (&["check", "--fail-on", "hint", "hint.jsonl"], 1),
        (&["check", "error.jsonl"], 1),
        (&["check", "--fail-on", "error", "error.jsonl"], 1),
        (&["check", "--fail-on", "never", "error.jsonl"], 0),
        (&["check", "missing.jsonl", "error.jsonl"], 2),
    ] {
        assert_eq!(project.run(arguments).code, Some(code), "{arguments:?}");
    }
}

#[test]
fn one_broken_line_costs_one_finding() {
    let project = Project::empty();
    let mut lines: Vec<String> = (0..10_000).map(|i| record(&format!("r{i}"))).collect();
    lines[7000].pop();
    project.write("a.jsonl", lines.join("\n") + "\n");
    let ran = project.run(&["check", "--format", "jsonl", "a.jsonl"]);
    let rows: Vec<serde_json::Value> =
        ran.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.len(), 1, "{}", ran.out);
    assert_eq!((&rows[0]["line"], &rows[0]["code"]), (&7001.into(), &"J001".into()));
}

#[test]
fn a_project_is_settings_rubric_and_transcripts() {
    let project = Project::empty();
    let made = project.run(&["init", "--judge", "anthropic"]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    expect![[r#"
        exit 1
        --- err
        --- out
        data/raw/example.jsonl:2:137: warning[ST2] No stock phrases: "I hope this helps" is a phrase to avoid: say it in other words
           2 │ …: "assistant", "content": "I hope this helps: uploads can be slow for m…
             │                             ^^^^^^^^^^^^^^^^^
        1 warning (2 transcripts in 3 files)
    "#]].assert_eq(&project.run(&["check"]).all());
    let again = project.run(&["init"]);
    assert!(!again.out.contains("created"), "nothing is overwritten: {}", again.out);
}

#[test]
fn ignored_findings_are_not_shown() {
    let settings = "[ignore]\nfindings = [{code = 'M003', reason = 'ours'}]\n";
    let project = Project::with(settings);
    project.write("a.jsonl", broken());
    let ran = project.run(&["check", "a.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Project::empty();
    let lines: String = (0..5000).map(|_| broken()).collect();
    project.write("a.jsonl", lines);
    let mut command = project.command(&["check", "--format", "jsonl", "a.jsonl"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!err.contains("panicked") && !err.contains("error"), "{err}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn explain_says_what_is_there() {
    let project = Project::empty();
    project.write("a.jsonl", broken());
    expect![[r#"
        exit 0
        --- err
        --- out
        a.jsonl:2:38
          transcript  é👍
          written as  messages: 2 messages, 0 exchanges
          here        message 1 (unknown), in no exchange: 1 word, 1 token
          project     none: there is no rubricator.toml here or above
          rubric      none: no criterion is checked or asked
          tokens      13 of 16,000, by o200k_base and template openai
          judges      none: questions stay unscored

        No finding at this place; the record has 1 finding elsewhere.
    "#]]
    .assert_eq(&project.run(&["explain", "a.jsonl:2:38"]).all());
    expect![[r#"
        exit 0
        --- err
        --- out
        a.jsonl:1
          transcript  a
          written as  messages: 2 messages, 1 exchange
          project     none: there is no rubricator.toml here or above
          rubric      none: no criterion is checked or asked
          tokens      23 of 16,000, by o200k_base and template openai
          judges      none: questions stay unscored

        No finding: the structure, token and check rules have nothing to say about this
        record.
    "#]]
    .assert_eq(&project.run(&["explain", "a.jsonl:1"]).all());
    assert_eq!(project.run(&["explain", "a.jsonl"]).code, Some(2));
}

#[test]
fn tokens_are_counted_per_message_and_as_rendered() {
    let project = Project::empty();
    project.write("a.jsonl", record("a") + "\n");
    expect![[r#"
        exit 0
        --- err
        --- out
        [
          {"file":"a.jsonl","line":1,"id":"a","tokens":23,"limit":16000,"messages":[6,6]}
        ]
    "#]]
    .assert_eq(&project.run(&["tokens", "--format", "json", "a.jsonl"]).all());
    expect![[r#"
        exit 0
        --- err
        --- out
        a.jsonl:1: a: 23 tokens, 0% of 16,000 (2 messages)
        23 tokens in 1 transcript, 23 on average
    "#]]
    .assert_eq(&project.run(&["tokens", "a.jsonl"]).all());
}
