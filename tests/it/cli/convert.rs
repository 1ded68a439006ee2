//! `convert`: another shape, nothing lost unsaid, and a bad line costs itself alone.

use super::{Project, record};

#[test]
fn one_bad_line_loses_nothing_of_the_others() {
    let project = Project::empty();
    let mut lines: Vec<String> = (0..1000).map(|n| record(&format!("r{n}"))).collect();
    lines[500] = "{broken".into();
    project.write("a.jsonl", lines.join("\n") + "\n");
    let ran = project.run(&["convert", "--to", "sharegpt", "a.jsonl", "-o", "b.jsonl"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("a.jsonl:501: left out"), "{}", ran.err);
    let back = project.run(&["convert", "--to", "messages", "b.jsonl"]);
    assert_eq!(back.code, Some(0), "{}", back.err);
    lines.remove(500);
    assert!(back.out == lines.join("\n") + "\n", "the others come back byte for byte");
}

#[test]
fn what_is_lost_is_named_at_its_words() {
    let project = Project::empty();
    let system = r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}"#;
    project.write("a.jsonl", format!("{}\n{system}\n", record("good")));
    let ran = project.run(&["convert", "--to", "exchanges", "a.jsonl"]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(1), 2), "{}", ran.err);
    assert!(
        ran.err.contains("a.jsonl:2:14: this is lost: a message of role system"),
        "{}",
        ran.err
    );
}
