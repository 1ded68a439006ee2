//! `review` and `gate` as they are typed: records, exit codes, what is asked back.

use expect_test::expect;
use serde_json::Value;

use super::{Project, record};

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  help: {weight: 1.0, criteria: [HP1]}
criteria:
  HP1:
    question: Does the reply help?
";
const SETTINGS: &str = "\
[project]
rubric = 'rubric.yaml'
transcripts = ['*.jsonl']
[[judge]]
name = 'one'
provider = 'recorded'
file = 'one.json.txt'
[[judge]]
name = 'two'
provider = 'recorded'
file = 'two.json.txt'
";

/// Transcripts with the answers of both judges.
pub fn project(answers: &[(&str, &str, &str)]) -> Project {
    let project = Project::with(SETTINGS);
    project.write("rubric.yaml", RUBRIC);
    let records: String = answers.iter().map(|(id, ..)| record(id) + "\n").collect();
    project.write("t.jsonl", records);
    for (judge, index) in [("one", 1), ("two", 2)] {
        let line = |(id, one, two): &(&str, &str, &str)| {
            let answer = if index == 1 { one } else { two };
            format!(
                "{{\"judge\":\"{judge}\",\"transcript\":\"{id}\",\"criterion\":\"HP1\",\"answer\":\"{answer}\"}}\n"
            )
        };
        project.write(&format!("{judge}.json.txt"), answers.iter().map(line).collect::<String>());
    }
    project
}

fn gates(project: &Project) -> (Option<i32>, Value) {
    let ran = project.run(&["gate", "--format", "json"]);
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

fn done(project: &Project, arguments: &[&str]) -> String {
    let ran = project.run(&[&["review", "--by", "Ada"], arguments].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
    ran.out
}

#[test]
fn the_gate_opens_once_everything_is_read_and_declared() {
    let project = project(&[("a", "YES", "YES"), ("b", "YES", "YES")]);
    let (code, all) = gates(&project);
    assert_eq!((code, &all[0]["decision"]), (Some(1), &"iterate".into()));
    assert_eq!(all[0]["missing"][0], "2 of 2 unreviewed: a, b");
    done(&project, &["accept", "a"]);
    done(&project, &["reject", "t.jsonl:2", "--note", "Too curt."]);
    done(&project, &["satisfactory", "t.jsonl"]);
    let ran = project.run(&["gate", "--format", "json"]);
    expect![[r#"
        exit 0
        --- err
        --- out
        [
          {
            "batch": "t.jsonl",
            "transcripts": 2,
            "passed": 2,
            "failed": 0,
            "gated": 0,
            "incomplete": 0,
            "too_short": 0,
            "pass_rate": 1.0,
            "reviewed": 2,
            "satisfactory": true,
            "decision": "scale",
            "missing": [],
            "warnings": [
              {
                "name": "perfect-scores",
                "says": "2 of 2 have a perfect score: read them; is the rubric strict enough?"
              },
              {
                "name": "no-calibration-examples",
                "says": "no calibration examples in HP1"
              }
            ]
          }
        ]
    "#]]
    .assert_eq(&ran.all());
    // The batch is the same one, wherever the command is typed.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = project.command(&["gate", project.path("").to_str().unwrap()]);
    let output = command.current_dir(elsewhere.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn an_edited_transcript_and_a_reworded_criterion_want_another_look() {
    let project = project(&[("a", "YES", "YES"), ("b", "YES", "YES")]);
    done(&project, &["accept", "a"]);
    done(&project, &["accept", "b"]);
    done(&project, &["satisfactory", "t.jsonl"]);
    let before = project.read("t.jsonl");
    project.write("t.jsonl", before.replace("the a button", "the big a button"));
    let missing = gates(&project).1[0]["missing"].to_string();
    expect![[r#"["1 of 2 changed since their review: a","declared satisfactory before the batch or the rubric changed"]"#]]
        .assert_eq(&missing);
    project.write("t.jsonl", before);
    assert_eq!(gates(&project).0, Some(0), "undo brings the review back");
    project.write("rubric.yaml", RUBRIC.replace("help?", "help much?"));
    assert_eq!(gates(&project).1[0]["reviewed"], 0);
}

#[test]
fn an_unanswered_question_is_incomplete() {
    let project = project(&[("a", "YES", "MAYBE")]);
    let (code, all) = gates(&project);
    assert_eq!((code, &all[0]["incomplete"]), (Some(3), &1.into()));
}

#[test]
fn what_is_ambiguous_is_asked_back_and_never_written() {
    let project = project(&[("a", "YES", "NO"), ("b", "NA", "NA")]);
    let refused = |arguments: &[&str]| {
        let ran = project.run(&[&["review"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        ran.err
    };
    let all = [
        refused(&["mark", "a", "HP1", "right"]),
        refused(&["mark", "b", "HP1", "wrong"]),
        refused(&["mark", "b", "HP1", "wrong", "--answer", "na"]),
        refused(&["mark", "a", "HP1", "right", "--judge", "three"]),
        refused(&["mark", "a", "HP2", "right"]),
        refused(&["accept", "aa"]),
        refused(&["satisfactory", "t.json"]),
    ];
    expect![[r#"
        error: a HP1: the judges differ: name one with --judge, or give the answer with --answer
        error: b HP1: wrong in favour of what? Give --answer YES or NO
        error: b HP1: that is what was answered, so it cannot be wrong
        error: there is no judge `three`: known are one, two
        error: the rubric has no criterion `HP2`; did you mean `HP1`?
        error: there is no transcript `aa` here; did you mean `a`?
        error: there is no batch `t.json`: did you mean `t.jsonl`?
    "#]]
    .assert_eq(&all.concat());
    assert!(!project.path("data/reviews.jsonl").exists());
}

#[test]
fn marks_say_what_the_answer_should_have_been() {
    let project = project(&[("a", "YES", "NO"), ("b", "NO", "NO")]);
    done(&project, &["mark", "a", "HP1", "right", "--judge", "two"]);
    done(&project, &["mark", "b", "HP1", "wrong", "--note", "It does help."]);
    done(&project, &["note", "Does it ask back?", "--transcript", "b"]);
    let records: Vec<Value> = project
        .read("data/reviews.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said: Vec<[&str; 4]> = records
        .iter()
        .map(|r| ["kind", "transcript", "human", "note"].map(|key| r[key].as_str().unwrap_or("-")))
        .collect();
    assert_eq!(
        said,
        [
            ["verdict", "a", "NO", "-"],
            ["verdict", "b", "YES", "It does help."],
            ["missing", "b", "-", "Does it ask back?"],
        ]
    );
    assert!(records.iter().all(|r| r["by"] == "Ada"));
}

#[test]
fn what_tells_most_is_read_next() {
    let project =
        project(&[("perfect", "YES", "YES"), ("bad", "NO", "NO"), ("split", "YES", "NO")]);
    let ran = project.run(&["review", "next"]);
    expect![[r#"
        exit 0
        --- err
        3 of 3 transcripts unreviewed
        --- out
        failed     0.00  split  the judges disagree (1.00 apart)  t.jsonl:3
        passed     1.00  perfect  a perfect score: is the rubric strict enough?  t.jsonl:1
        failed     0.00  bad  unreviewed  t.jsonl:2
    "#]]
    .assert_eq(&ran.all());
    done(&project, &["accept", "split"]);
    let ran = project.run(&["review", "next", "--count", "1", "--format", "jsonl"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["id"], "perfect");
}

#[test]
fn a_broken_line_costs_itself_and_is_named() {
    let project = project(&[("a", "YES", "YES")]);
    project.write("data/reviews.jsonl", "<<<<<<< ours\n");
    done_with_warning(&project);
    let (code, _) = gates(&project);
    assert_eq!(code, Some(1));
}

fn done_with_warning(project: &Project) {
    let ran = project.run(&["review", "accept", "a"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.starts_with("warning: data/reviews.jsonl:1: left out: "), "{}", ran.err);
}

#[test]
fn several_reviewers_at_once_lose_no_record() {
    let project = project(&[("a", "YES", "YES"), ("b", "YES", "YES")]);
    let mut running = Vec::new();
    for n in 0..6 {
        let note = format!("note {n}");
        let mut command = project.command(&["review", "accept", "a", "--note", &note]);
        running.push(command.stdout(std::process::Stdio::null()).spawn().unwrap());
    }
    assert!(running.iter_mut().all(|child| child.wait().unwrap().success()));
    assert_eq!(project.read("data/reviews.jsonl").lines().count(), 6);
}

#[test]
fn marks_tell_how_far_a_judge_can_be_trusted() {
    let ids: Vec<String> = (0..24).map(|n| format!("t{n}")).collect();
    // Judge one is right but for one false alarm; judge two always says YES.
    let truth = |n: usize| if n.is_multiple_of(2) { "NO" } else { "YES" };
    let one = |n: usize| if n == 1 { "NO" } else { truth(n) };
    let answers: Vec<(&str, &str, &str)> =
        ids.iter().enumerate().map(|(n, id)| (id.as_str(), one(n), "YES")).collect();
    let project = project(&answers);
    let trust = |project: &Project| {
        let ran = project.run(&["judges", "--format", "json"]);
        let all: Value = serde_json::from_str(&ran.out).unwrap();
        (all[0]["trust"].clone(), all[1]["trust"].clone())
    };
    let mark = |n: usize| {
        let arguments = ["mark", &ids[n], "HP1", "right", "--answer", truth(n), "--judge"];
        let judge = if truth(n) == one(n) { "one" } else { "two" };
        done(&project, &[&arguments[..], &[judge]].concat());
    };
    (0..19).for_each(mark);
    assert_eq!(
        (&trust(&project).0[0]["missing_marks"], &trust(&project).0[0]["kappa"]),
        (&1.into(), &Value::Null)
    );
    (19..24).for_each(mark);
    let (one, two) = trust(&project);
    expect![[r#"{"criterion":"HP1","marks":24,"missing_marks":0,"confusion":{"both_no":12,"judge_no":1,"human_no":0,"both_yes":11},"kappa":0.917,"tpr":1.0,"tnr":0.917,"corrected_pass_rate":{"value":0.5,"low":0.238,"high":0.792}}"#]]
        .assert_eq(&one[0].to_string());
    expect![[r#"{"criterion":"HP1","marks":24,"missing_marks":0,"confusion":{"both_no":0,"judge_no":0,"human_no":12,"both_yes":12},"kappa":0.0,"tpr":0.0,"tnr":1.0,"corrected_pass_rate":null}"#]]
        .assert_eq(&two[0].to_string());
    let shown = project.run(&["judges"]).out;
    assert!(
        shown.contains("HP1: 24 marks, kappa 0.92, finds 100 % of what people call NO"),
        "{shown}"
    );
}

#[test]
fn a_reply_becomes_an_example_and_nothing_else_in_the_rubric_changes() {
    let project = project(&[("a", "YES", "NO"), ("b", "NO", "NO")]);
    let rubric = RUBRIC.replace("    question", "    # asked of every reply\n    question");
    project.write("rubric.yaml", &rubric);
    done(&project, &["mark", "a", "HP1", "wrong", "--judge", "two", "--note", "It: helps."]);
    let out = done(&project, &["example", "a", "HP1", "pass"]);
    assert_eq!(
        out,
        "added a PASS example to HP1 in rubric.yaml; 4 answers become stale: `assess` asks again\n"
    );
    let after = project.read("rubric.yaml");
    let added = after.strip_prefix(&rubric).expect("it only grows");
    assert!(added.starts_with("    calibration_examples:\n      - type: PASS\n"), "{added}");
    assert!(added.contains("        reasoning: \"It: helps.\"\n"), "{added}");
    let again = project.run(&["review", "example", "a", "HP1", "PASS"]);
    assert_eq!(again.code, Some(2));
    assert_eq!(again.err, "error: rubric.yaml: the criterion has this example already\n");
    let other = project.run(&["review", "example", "a", "HP1", "FAIL", "--exchange", "9"]);
    assert_eq!(other.err, "error: there is no such exchange\n");
}

#[test]
fn warnings_and_what_is_open_are_named() {
    let project = project(&[("a", "YES", "YES"), ("b", "YES", "NO"), ("c", "NO", "NO")]);
    let settings = project.read("rubricator.toml") + "[target]\ntranscripts = 2\n";
    project.write("rubricator.toml", settings);
    done(&project, &["reject", "b"]);
    // Most replies of the batch were rewritten; one fixup was taken back.
    let fixup = |id: &str, transcript: &str, rest: &str| {
        format!(
            r#"{{"id":"{id}","at":"2026-11-24T10:00:00Z","transcript":"{transcript}","before_digest":"x","after_digest":"y","exchange":1,"before":"A","after":"B","criteria":["HP1"],"drafter":"one","judges":[]{rest}}}"#
        )
    };
    let log = [fixup("f1", "a", ""), fixup("f2", "c", ""), fixup("f3", "c", r#","reverts":"f2""#)];
    project.write("data/fixups.jsonl", log.join("\n"));
    let ran = project.run(&["gate"]);
    expect![[r#"
        exit 1
        --- err
        no stable pass rate yet: under 70 %: t.jsonl (1 of 3 passed)
        --- out
        revise   t.jsonl
            3 transcripts: 1 passed, 2 failed, 33 % passed (6 to 79 % at 95 % confidence); 1 reviewed
            missing: 1 of 3 passed (33 %), 70 % is wanted
            missing: 2 of 3 unreviewed: a, c
            missing: not declared satisfactory
            1 of 3 have a perfect score: read them; is the rubric strict enough?
            the judges agree on 67 % of the answers, under 80 %: add calibration examples where they split
            1 of 3 needed fixups, over 30 %: revise the generation prompts
            no calibration examples in HP1
    "#]].assert_eq(&ran.all());
    let names = |value: &Value| -> Vec<String> {
        let all = value[0]["warnings"].as_array().unwrap().iter();
        all.map(|w| w["name"].as_str().unwrap().to_owned()).collect()
    };
    let wanted = ["perfect-scores", "judges-disagree", "many-fixups", "no-calibration-examples"];
    assert_eq!(names(&gates(&project).1), wanted);

    let ran = project.run(&["status"]);
    let shown = ran.out.split_once("iterate ").or(ran.out.split_once("revise")).unwrap().1;
    expect![[r#"
           t.jsonl
            3 transcripts: 1 passed, 2 failed, 33 % passed (6 to 79 % at 95 % confidence); 1 reviewed
            missing: 1 of 3 passed (33 %), 70 % is wanted
            missing: 2 of 3 unreviewed: a, c
            missing: not declared satisfactory
            1 of 3 have a perfect score: read them; is the rubric strict enough?
            the judges agree on 67 % of the answers, under 80 %: add calibration examples where they split
            1 of 3 needed fixups, over 30 %: revise the generation prompts
            no calibration examples in HP1

        done when
            · open 1 of 2 transcripts passed and not rejected
            · open no stable pass rate yet: under 70 %: t.jsonl (1 of 3 passed)
            · open 1 of 1 batches not declared satisfactory: t.jsonl
            ✓ met  an audit flags nothing
            ✓ met  no file has errors
    "#]].assert_eq(shown);
    project.write("broken.jsonl", "{\n");
    let json: Value =
        serde_json::from_str(&project.run(&["status", "--format", "json"]).out).unwrap();
    assert_eq!(json["batches"][0]["decision"], "revise");
    let open: Vec<&Value> = json["done_when"].as_array().unwrap().iter().collect();
    let met = open.iter().filter(|goal| goal["met"] == true).count();
    assert_eq!(met, 1, "{open:?}");
    assert_eq!(open[4]["says"], "1 of 2 files with errors: broken.jsonl");
    assert_eq!(json["done"], false);
}

#[test]
fn status_shows_the_rest_when_the_rubric_is_broken() {
    let project = project(&[("a", "YES", "YES")]);
    project.write("rubric.yaml", "criteria: [");
    let ran = project.run(&["status"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.out.contains("batches      unknown: rubric.yaml has errors"), "{}", ran.out);
}

#[test]
fn history_tells_what_a_change_of_the_rubric_did() {
    let project = project(&[("a", "YES", "YES"), ("b", "NO", "NO")]);
    assert_eq!(project.run(&["rubric", "history"]).code, Some(0));
    project.run(&["assess"]);
    let again = project.run(&["assess"]);
    assert_eq!(again.code, Some(1), "{}", again.all());
    project.write(
        "rubric.yaml",
        RUBRIC.replace("help?", "help at all?") + "  HP2: {check: {ascii: {}}}\n",
    );
    let pending = project.run(&["rubric", "history"]).out;
    assert!(pending.contains("not assessed with yet\n    question of HP1: Does the reply help? → Does the reply help at all?\n    added HP2: "), "{pending}");
    let answers = project.read("one.json.txt").replace("\"NO\"", "\"YES\"");
    project.write("one.json.txt", &answers);
    project.write("two.json.txt", answers.replace("\"judge\":\"one\"", "\"judge\":\"two\""));
    project.run(&["assess"]);
    let rows: Value =
        serde_json::from_str(&project.run(&["rubric", "history", "--format", "json"]).out).unwrap();
    let brief: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {} {}", r["passed"], r["pass_rate"], r["change"]))
        .collect();
    assert_eq!(brief, ["1 0.5 null", "2 1.0 0.5"]);
    assert_eq!(rows[1]["changes"][0]["criterion"], "HP1");
    let shown = project.run(&["rubric", "history"]).out;
    assert!(shown.contains("100 % passed (2 of 2 transcripts)  +50 points"), "{shown}");
    assert!(!shown.contains("not assessed with yet"), "{shown}");
}
