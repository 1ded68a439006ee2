//! `export` and `diff`: what is known, without asking anybody.

use expect_test::expect;
use serde_json::Value;

use super::review::project;

#[test]
fn exported_results_are_a_checkpoint() {
    let project = project(&[("a", "YES", "YES"), ("b", "NO", "YES"), ("c", "YES", "MAYBE")]);
    let ran = project.run(&["export", "--assessments", "--out", "out/../c.jsonl"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(!project.path("c.jsonl").exists());
    let ran = project.run(&["export", "--assessments", "--out", "c.jsonl"]);
    let said = "exported 3 results; 1 incomplete: `rubricator assess` asks what is open\n";
    assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (Some(0), said, ""));
    let exported = project.read("c.jsonl");
    let printed = project.run(&["export", "--assessments", "-q"]);
    assert_eq!(printed.out, exported);

    project.run(&["assess", "--checkpoint", "own.jsonl", "-q"]);
    let parsed = |text: &str| -> Vec<Value> {
        let mut lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.sort_by_key(|line| line["id"].as_str().map(str::to_owned));
        lines
    };
    let keys = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let own = parsed(&project.read("own.jsonl"));
    for (one, other) in parsed(&exported).iter().zip(&own) {
        assert_eq!((keys(one), &one["answers"]), (keys(other), &other["answers"]));
        assert_eq!(one["transcript_digest"], other["transcript_digest"]);
    }
    let resumed = project.run(&["assess", "--checkpoint", "c.jsonl"]);
    assert_eq!(resumed.out.matches("from the checkpoint").count(), 2, "{}", resumed.all());
}

#[test]
fn two_runs_are_compared_with_the_reasons() {
    let project = project(&[("a", "YES", "YES"), ("b", "NO", "YES")]);
    assert_eq!(
        project.run(&["diff"]).err,
        "no run is kept here yet: `rubricator assess` keeps them\n"
    );
    project.run(&["assess", "-q"]);
    project.run(&["assess", "-q"]);
    let kept = |project: &super::Project| -> Vec<Value> {
        serde_json::from_str(&project.run(&["diff", "--format", "json"]).out).unwrap()
    };
    assert_eq!(kept(&project).len(), 1, "the second came out as the first");
    project.run(&["export", "--assessments", "--out", "before.jsonl", "-q"]);
    let said = |answer: &str, why: &str| {
        format!(
            r#"{{"judge":"one","transcript":"ID","criterion":"HP1","answer":"{answer}","reasoning":"{why}"}}"#
        )
    };
    let answers = [
        said("NO", "It \\u001b[31mleaves them alone.").replace("ID", "a"),
        said("YES", "It does now.").replace("ID", "b"),
    ];
    project.write("one.json.txt", answers.join("\n"));
    project.run(&["assess", "-q"]);
    let ran = project.run(&["diff", "previous", "last"]);
    expect![[r#"
        exit 1
        --- err
        --- out
        pass → fail  a HP1  t.jsonl:1
            one, before: YES.
            one, now: NO. It ␛[31mleaves them alone.
        fail → pass  b HP1  t.jsonl:2
            one, before: NO.
            one, now: YES. It does now.
        a: passed, now failed
        b: failed, now passed
        1 pass → fail, 1 fail → pass in 2 transcripts of both runs
        passed: 50 % (1 of 2), then 50 % (1 of 2)
    "#]]
    .assert_eq(&ran.all());
    let by_file = project.run(&["diff", "before.jsonl", "last"]);
    assert_eq!((by_file.code, by_file.out), (Some(1), ran.out));
    let id = kept(&project)[0]["id"].as_str().unwrap().to_owned();
    let json: Value =
        serde_json::from_str(&project.run(&["diff", "last", &id[..8], "--format", "json"]).out)
            .unwrap();
    assert_eq!(
        (&json["flips"][0]["transcript"], &json["flips"][0]["change"]),
        (&"b".into(), &"pass to fail".into())
    );
    assert_eq!(json["flips"][0]["said"][0]["before"]["reasoning"], "It does now.");
    assert_eq!(json["before"]["pass_rate"], 0.5);

    // A purged transcript is in no run any more.
    let ran = project.run(&["store", "purge", "--transcript", "a"]);
    assert!(ran.out.contains("removed 2 results from kept runs"), "{}", ran.all());
    let wrong =
        [&["diff", "last"][..], &["diff", "last", "nothing"], &["diff", "nowhere.jsonl", "last"]];
    let wrong: String = wrong.iter().map(|arguments| project.run(arguments).err).collect();
    expect![[r#"
        error: name two runs: `rubricator diff previous last`
        error: `nothing` is neither a file nor a run: `rubricator diff` lists the runs there are
        error: `nowhere.jsonl` is neither a file nor a run: `rubricator diff` lists the runs there are
    "#]].assert_eq(&wrong);
}
