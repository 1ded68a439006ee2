//! Settings on the command line: precedence, origins, errors, trust.

use expect_test::expect;

use super::{Project, record};

#[test]
fn every_value_says_where_it_came_from() {
    let project = Project::with("[tokens]\nlimit = 2\n[assess]\nseed = 2\nmax_per_save = 2\n");
    project.user_settings("[tokens]\nlimit = 1\ntokenizer = 'cl100k_base'\n");
    let mut command = project.command(&["status", "--config", "--set", "tokens.limit=4"]);
    command.env("RUBRICATOR_TOKENS_LIMIT", "3").env("RUBRICATOR_ASSESS_SEED", "3");
    let ran = super::Ran::of(command.output().unwrap());
    let wanted = [
        "tokens.limit",
        "tokens.tokenizer",
        "assess.seed",
        "assess.max_per_save",
        "assess.debounce_ms",
    ];
    let shown: Vec<&str> = ran
        .out
        .lines()
        .filter(|l| wanted.iter().any(|w| l.starts_with(&format!("{w} "))))
        .collect();
    expect![[r#"
        tokens.tokenizer = "cl100k_base"                     # user file
        tokens.limit = 4                                     # command line
        assess.max_per_save = 2                              # project file
        assess.debounce_ms = 1500                            # default
        assess.seed = 3                                      # environment
    "#]]
    .assert_eq(&(shown.join("\n") + "\n"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn a_wrong_setting_is_an_error_at_its_line() {
    let project = Project::with("[tokens]\nlimti = 3\nlimit = 'many'\n");
    project.write("a.jsonl", record("a") + "\n");
    expect![[r#"
        exit 2
        --- err
        --- out
        rubricator.toml:2:1: error[settings-unknown] unknown key `limti` in [tokens]; did you mean `limit`?
           2 │ limti = 3
             │ ^^^^^
        rubricator.toml:3:9: error[settings-type] `limit` must be a whole number from 1, this is text
           3 │ limit = 'many'
             │         ^^^^^^
        2 errors (1 file)
    "#]].assert_eq(&project.run(&["check", "rubricator.toml"]).all());
    expect![[r#"
        exit 2
        --- err
        error: rubricator.toml:2:1: unknown key `limti` in [tokens]; did you mean `limit`? [settings-unknown]
        error: rubricator.toml:3:9: `limit` must be a whole number from 1, this is text [settings-type]
        --- out
        no findings (1 transcript in 1 file)
    "#]].assert_eq(&project.run(&["check", "a.jsonl"]).all());
    let ran = project.run(&["check", "--set", "tokens.limt=4", "a.jsonl"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("from the command line"), "{}", ran.err);
    assert_eq!(project.run(&["check", "--set", "limit", "a.jsonl"]).code, Some(2));
}

#[test]
fn a_key_is_never_echoed() {
    let key = "sk-ant-0123456789abcdef";
    let project = Project::with(&format!("[[judge]]\nname = 'a'\napi_key = '{key}'\n"));
    for format in ["text", "json", "sarif", "github", "junit"] {
        let ran = project.run(&["check", "--format", format, "."]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.out.contains("settings-secret"), "{}", ran.all());
        assert!(!ran.all().contains("0123456789"), "{format}");
    }
    let status = project.run(&["status", "--config"]);
    assert!(!status.all().contains("0123456789"));
}

#[test]
fn the_project_is_found_from_the_file() {
    let project = Project::empty();
    project.write("deep/rubricator.toml", "[ignore]\nfindings = [{code = 'J001', reason = 'x'}]\n");
    project.write("deep/data/a.jsonl", "{\n");
    project.write("b.jsonl", "{\n");
    assert_eq!(project.run(&["check", "deep/data/a.jsonl"]).code, Some(0));
    assert_eq!(project.run(&["check", "b.jsonl"]).code, Some(1));
}

#[test]
fn trust_is_remembered_outside_the_project() {
    let project = Project::with("");
    assert!(project.run(&["status"]).out.contains("trusted      no"));
    let ran = project.run(&["trust"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(project.run(&["status"]).out.contains("trusted      yes"));
    let root = project.path("").canonicalize().unwrap();
    assert_eq!(project.run(&["trust", "--list"]).out.trim(), root.to_str().unwrap());
    assert!(project.run(&["trust", "--revoke"]).out.contains("no longer trusted"));
    assert!(project.run(&["trust", "--revoke"]).out.contains("was not trusted"));
    assert_eq!(project.run(&["trust", "--list"]).out, "");
    assert!(project.run(&["status"]).out.contains("trusted      no"));
    assert_eq!(Project::empty().run(&["trust"]).code, Some(2));
}
