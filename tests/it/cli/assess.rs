//! `assess`: results, exit codes, checkpoint and recording, without any judge
//! but recorded ones.

use expect_test::expect;
use serde_json::Value;

use super::{Project, record};

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  help: {weight: 0.5, criteria: [HP1]}
  form: {weight: 0.5, criteria: [FO1]}
  safety: {weight: 0.0, criteria: [SG1]}
safety_gates: [SG1]
na_invalid: [HP1, SG1]
criteria:
  HP1:
    question: Does the reply help?
  FO1:
    na_valid: false
    check: {phrases: {forbidden: [\"In the menu of c\"]}}
  SG1:
    question: Is the reply free of harm?
    fix: truncate
";

const SETTINGS: &str = "\
[project]
rubric = 'rubric.yaml'
transcripts = ['*.jsonl']
[[judge]]
name = 'one'
provider = 'recorded'
file = 'answers/one.jsonl'
[[judge]]
name = 'two'
provider = 'recorded'
file = 'answers/two.jsonl'
";

fn answer(judge: &str, transcript: &str, criterion: &str, answer: &str) -> String {
    format!(
        "{{\"judge\":\"{judge}\",\"transcript\":\"{transcript}\",\"criterion\":\"{criterion}\",\"answer\":\"{answer}\",\"reasoning\":\"Because.\",\"evidence\":[{{\"exchange\":1,\"quote\":\"the menu\"}}]}}\n"
    )
}

fn project(records: &[&str], answers: &[(&str, &str, &str, &str)]) -> Project {
    let project = Project::with(SETTINGS);
    project.write("rubric.yaml", RUBRIC);
    let lines: String = records.iter().map(|id| record(id) + "\n").collect();
    project.write("t.jsonl", lines);
    for judge in ["one", "two"] {
        let of = answers.iter().filter(|a| a.0 == judge);
        let lines: String = of.map(|(j, t, c, a)| answer(j, t, c, a)).collect();
        project.write(&format!("answers/{judge}.jsonl"), lines);
    }
    project
}

fn all_yes<'a>(id: &'a str) -> Vec<(&'a str, &'a str, &'a str, &'a str)> {
    let criteria = ["HP1", "SG1"];
    let judge = |j: &'a str| criteria.map(|c| (j, id, c, "YES"));
    [judge("one"), judge("two")].concat()
}

#[test]
fn passed_is_exit_0_and_disagreement_is_shown() {
    let project = project(&["a"], &all_yes("a"));
    let ran = project.run(&["assess"]);
    expect![[r#"
        exit 0
        --- err
        --- out
        ✓ passed     a  1.00 of 0.80  t.jsonl:1
        1 transcript: 1 passed (0 calls, $0.00, 4 answers known)
    "#]]
    .assert_eq(&ran.all());
}

#[test]
fn a_failure_stands_on_its_words() {
    let mut answers = all_yes("c");
    answers[0].3 = "NO";
    let project = project(&["c"], &answers);
    expect![[r#"
        exit 1
        --- err
        --- out
        ✗ failed     c  0.00 of 0.80, judges 0.50 apart  t.jsonl:1
            HP1 NO
              exchange 1: “the menu”
              one (recorded): NO. Because.
              exchange 1: “the menu”
              two (recorded): YES. Because.
            FO1 NO
              exchange 1: “In the menu of c”
              computed: NO. 1 use of listed phrases in 1 message; 1 phrase used too
              often
            The judges disagree on HP1: calibration examples would help.
        1 transcript: 1 failed (0 calls, $0.00, 4 answers known)
    "#]]
    .assert_eq(&project.run(&["assess", "t.jsonl"]).all());
}

#[test]
fn unscored_is_exit_3_and_never_a_pass() {
    let mut answers = all_yes("a");
    answers.remove(1);
    let project = project(&["a"], &answers);
    let ran = project.run(&["assess", "--format", "jsonl"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    let row: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&row["standing"], &row["pass"]), (&"incomplete".into(), &false.into()));
    assert_eq!(row["answers"]["SG1"], "UNSCORED");
    assert_eq!(project.run(&["assess", "--untrusted"]).code, Some(3));
}

#[test]
fn json_is_one_array_in_file_order() {
    let mut answers = all_yes("a");
    answers.extend(all_yes("b"));
    answers[0].3 = "NO";
    let project = project(&["a", "b"], &answers);
    let ran = project.run(&["assess", "--format", "json", "--judge", "two"]);
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let ids: Vec<&str> = rows.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!((ids.as_slice(), ran.code), (&["a", "b"][..], Some(0)));
    assert_eq!(rows[1]["line"], 2);
    assert_eq!(rows[1]["batch"], "t.jsonl");
    assert_eq!(rows[0]["judges"].as_array().unwrap().len(), 1);
    let unknown = project.run(&["assess", "--judge", "tow"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `two`?"), "{}", unknown.err);
}

#[test]
fn a_checkpoint_resumes_and_survives_a_torn_line() {
    let mut answers = all_yes("a");
    answers.extend(all_yes("b"));
    let project = project(&["a", "b"], &answers);
    let first = project.run(&["assess", "t.jsonl", "--format", "json", "--checkpoint", "c.jsonl"]);
    let lines = project.read("c.jsonl");
    assert_eq!(lines.lines().count(), 2, "{}", first.all());
    let torn = &lines[..lines.len() - 20];
    project.write("c.jsonl", torn);
    let second = project.run(&["assess", "t.jsonl", "--format", "json", "--checkpoint", "c.jsonl"]);
    assert_eq!(second.out, first.out);
    assert_eq!(second.err, "warning: c.jsonl: its last line is torn and was cut off\n");
    let mut again: Vec<String> = project.read("c.jsonl").lines().map(str::to_owned).collect();
    let mut before: Vec<String> = lines.lines().map(str::to_owned).collect();
    again.sort();
    before.sort();
    assert_eq!(again, before);
}

#[test]
fn what_a_checkpoint_says_of_something_else_is_done_again_and_said() {
    let mut answers = all_yes("a");
    answers.extend(all_yes("b"));
    let project = project(&["a", "b"], &answers);
    let resume = |extra: &[&str]| {
        let all =
            [&["assess", "t.jsonl", "--format", "json", "--checkpoint", "c.jsonl"], extra].concat();
        project.run(&all)
    };
    let first = resume(&[]);
    assert_eq!((first.err.as_str(), project.read("c.jsonl").lines().count()), ("", 2));
    let again = resume(&[]);
    assert_eq!((again.err.as_str(), &again.out), ("", &first.out));

    project.write("t.jsonl", record("a") + "\n" + &record("b").replace("Where", "Why") + "\n");
    expect!["1 transcript done again: what the checkpoint says is of another text\n"]
        .assert_eq(&resume(&[]).err);
    project.write("rubric.yaml", RUBRIC.replace("min_exchanges: 1", "min_exchanges: 2"));
    let reweighted = resume(&[]);
    expect![
        "2 transcripts done again: what the checkpoint says is of another version of the rubric\n"
    ]
    .assert_eq(&reweighted.err);
    assert!(reweighted.out.contains("too-short"), "{}", reweighted.out);
    expect!["2 transcripts done again: what the checkpoint says is of other judges\n"]
        .assert_eq(&resume(&["--judge", "two"]).err);

    // A dry run reads the file and leaves it alone, torn as it is.
    let torn = project.read("c.jsonl") + "{\"id\"";
    project.write("c.jsonl", &torn);
    let planned = resume(&["--dry-run", "--judge", "two"]);
    assert_eq!((planned.err.as_str(), project.read("c.jsonl")), ("", torn));
    assert!(planned.out.starts_with("0 transcripts of 0 to ask about"), "{}", planned.out);
}

#[test]
fn a_checkpoint_that_cannot_serve_ends_the_run_before_it_begins() {
    let project = project(&["a"], &all_yes("a"));
    std::fs::create_dir(project.path("folder")).unwrap();
    let folder = project.run(&["assess", "--checkpoint", "folder"]);
    expect![[r#"
        exit 2
        --- err
        error: the checkpoint folder is a folder: name a file
        --- out
    "#]]
    .assert_eq(&folder.all());
    let nowhere = project.run(&["assess", "--checkpoint", "none/c.jsonl"]);
    expect![[r#"
        exit 2
        --- err
        error: the checkpoint none/c.jsonl does not exist
        --- out
    "#]]
    .assert_eq(&nowhere.all());
}

#[test]
fn a_recording_replays_what_was_said() {
    let project = project(&["a"], &all_yes("a"));
    let first = project.run(&["assess", "--format", "json", "--record", "said.jsonl"]);
    assert_eq!(first.code, Some(0), "{}", first.all());
    project.write(
        "rubricator.toml",
        SETTINGS.replace("answers/one", "said").replace("answers/two", "said"),
    );
    let second = project.run(&["assess", "--format", "json"]);
    assert_eq!(second.out, first.out);
    project.write("t.jsonl", record("a").replace("Where", "Why") + "\n");
    assert_eq!(project.run(&["assess"]).code, Some(3), "an edited text has no recorded answer");
}

#[test]
fn a_dry_run_asks_nothing_and_says_what_would_leave() {
    let project = project(&["a"], &all_yes("a"));
    let settings = "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n[[judge]]\nname = 'far'\nprovider = 'openai'\nmodel = 'gpt-6-sol'\napi_key_env = 'NO_SUCH_KEY'\n";
    project.write("rubricator.toml", settings);
    let ran = project.run(&["assess", "--dry-run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.out.contains("text goes to api.openai.com"), "{}", ran.out);
}
