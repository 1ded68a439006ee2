//! `report`: its files say the same, whole or not at all, and hold no markup of others.

use super::Project;

const RUBRIC: &str = "\
name: Coach
pass_threshold: 0.5
min_exchanges: 1
categories:
  words: {weight: 1.0, criteria: [NEVER]}
criteria:
  NEVER:
    name: No never
    check: {phrases: {forbidden: [never]}}
";

fn record(id: &str, reply: &str, version: &str) -> String {
    let turn = |n: usize| serde_json::json!({"user": format!("{id} asks {n}"), "assistant": format!("{reply} {n}")});
    let exchanges: Vec<_> = (1..=4).map(turn).collect();
    serde_json::json!({"id": id, "prompt_version": version, "exchanges": exchanges}).to_string()
}

fn project() -> Project {
    let project = Project::with("");
    project.write("config/rubric.yaml", RUBRIC);
    let hostile = "<script>alert(1)</script>";
    let first = [record("a", "It may", "v1"), record("b", "It never", "v1")];
    let second = [record(hostile, "It can", hostile), record("=1+1", "It does", "v2")];
    project.write("data/raw/one.jsonl", first.join("\n") + "\n");
    project.write("data/raw/two.jsonl", second.join("\n") + "\n{broken\n");
    project
}

/// What a CSV file of the report says, line by line.
fn table(project: &Project, name: &str) -> Vec<String> {
    project.read(&format!("report/{name}.csv")).lines().map(str::to_owned).collect()
}

#[test]
fn the_page_the_text_and_the_tables_say_the_same() {
    let project = project();
    let ran = project.run(&["report"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("two.jsonl:3"), "the broken line is named: {}", ran.err);
    assert_eq!(
        table(&project, "funnel")[1..],
        [
            "transcripts,4,1.0000,0,",
            "long enough to score,4,1.0000,0,",
            "scored by every judge,4,1.0000,0,",
            "passed,3,0.7500,1,failed or gated",
            "not rejected by a person,3,0.7500,0,",
            "cut into slices,3,0.7500,0,",
        ]
    );
    let versions = table(&project, "prompt_versions");
    assert!(versions[1].starts_with("v1,2,1,0.5000,"), "{versions:?}");
    let rows = table(&project, "transcripts");
    assert!(
        rows[2].starts_with("b,data/raw/one.jsonl:2,data/raw/one.jsonl,failed,0.000,,no,unread,4,")
    );
    assert!(rows[4].starts_with("'=1+1,"), "no formula: {}", rows[4]);
    let text = project.read("generation_stats.md");
    assert!(text.contains("- **75 %** passed: 3 of 4"), "{text}");
    let page = project.read("report.html");
    assert!(page.contains("<strong>75 %</strong>") && page.contains("default-src 'none'"));
    for shown in [&text, &page] {
        assert!(!shown.contains("<script>alert"), "text from transcripts is no markup");
    }
    let root = project.path("").to_string_lossy().into_owned();
    assert!(!page.contains(root.trim_end_matches('/')), "no path of this machine");
}

#[test]
fn a_report_goes_where_it_is_told_and_links_back() {
    let project = project();
    let ran = project.run(&["report", "--out", "shared/week"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let rows = project.read("shared/week/report/transcripts.csv");
    assert!(rows.contains("a,../../data/raw/one.jsonl:1,"), "{rows}");
    assert!(!project.path("report.html").exists());
}

#[test]
fn what_cannot_be_replaced_keeps_the_page_as_it_was() {
    let project = project();
    project.write("report.html", "before");
    std::fs::create_dir_all(project.path("generation_stats.md")).unwrap();
    let ran = project.run(&["report"]);
    assert_eq!((ran.code, project.read("report.html")), (Some(2), "before".to_owned()));
    let names: Vec<_> = std::fs::read_dir(project.path("report")).unwrap().collect();
    assert!(names.is_empty(), "{names:?}");
}
