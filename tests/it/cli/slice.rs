//! `slice`: the published cuts, the split before them, and nothing half-written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Project;

/// A rubric that the computer answers: replies that say "never" fail.
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

/// A transcript of that many exchanges; `word` is in every text of it.
fn record(id: &str, word: &str, exchanges: usize, persona: Option<&str>) -> String {
    let exchange = |n: usize| {
        [
            json!({"role": "user", "content": format!("{word} asks {n}")}),
            json!({"role": "assistant", "content": format!("{word} answers {n}")}),
        ]
    };
    let messages: Vec<Value> = (1..=exchanges).flat_map(exchange).collect();
    let mut record = json!({"id": id, "messages": messages});
    if let Some(persona) = persona {
        record["persona"] = json!({"id": persona});
    }
    record.to_string()
}

fn project(settings: &str, records: &[String]) -> Project {
    let project = Project::with(settings);
    project.write("config/rubric.yaml", RUBRIC);
    project.write("data/raw/a.jsonl", records.join("\n") + "\n");
    project
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The manifest's slice points by transcript and side.
fn points(project: &Project) -> BTreeMap<(String, String), Vec<u64>> {
    let mut points: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for row in lines(&project.read("data/processed/slices.jsonl")) {
        let key = |name: &str| row[name].as_str().unwrap().to_owned();
        points
            .entry((key("id"), key("split")))
            .or_default()
            .push(row["slice_point"].as_u64().unwrap());
    }
    points
}

#[test]
fn what_passed_is_cut_and_the_rest_is_counted() {
    let records = [
        record("t1", "pear", 15, None),
        record("short", "fig", 2, None),
        record("bad", "never", 4, None),
        record("rejected", "plum", 4, None),
    ];
    let project = project("[slice]\nvalidation = 0.0\n", &records);
    project.write("config/prompts/system.md", "\u{feff}Be kind.\n");
    assert_eq!(project.run(&["review", "reject", "rejected"]).code, Some(0));
    let dry = project.run(&["slice", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.all());
    assert!(dry.out.starts_with("train      t1  3 6 8 13 15\n"), "{}", dry.out);
    assert!(!project.path("data/processed").exists(), "a dry run writes nothing");

    let ran = project.run(&["slice"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    for said in [
        "5 slices to train on from 1 transcript, 0 slices to validate on from 0 transcripts",
        "left out: 1 failed, 1 rejected by a person, 1 with under 3 exchanges",
        "wrote data/processed/training_data.jsonl",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    let examples = lines(&project.read("data/processed/training_data.jsonl"));
    let counts: Vec<usize> =
        examples.iter().map(|e| e["messages"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [7, 13, 17, 27, 31], "a system message, and two for each exchange");
    assert_eq!(examples[0]["messages"][0], json!({"role": "system", "content": "Be kind."}));
    assert_eq!(examples[4]["messages"][30]["content"], "pear answers 15");
    assert_eq!(project.read("data/processed/validation_data.jsonl"), "");

    // The manifest's tokens are those of the examples, as `tokens` counts them.
    let counted =
        project.run(&["tokens", "--format", "jsonl", "data/processed/training_data.jsonl"]);
    let of = |rows: &[Value]| rows.iter().map(|r| r["tokens"].clone()).collect::<Vec<_>>();
    let manifest = lines(&project.read("data/processed/slices.jsonl"));
    assert_eq!(of(&manifest), of(&lines(&counted.out)));
    assert_eq!(manifest[0]["file"], "data/raw/a.jsonl");
    assert_eq!(manifest[0]["line"], 1);
}

#[test]
fn no_persona_is_on_both_sides() {
    let words = ["ash", "oak", "elm", "yew", "fir"];
    let records: Vec<String> = (0..60)
        .map(|n| {
            let word = format!("{}{n}", words[n % 5]);
            record(&format!("t{n}"), &word, 5, Some(&format!("p{}", n % 20)))
        })
        .collect();
    let project = project("", &records);
    let ran = project.run(&["slice", "--validation", "0.3"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let mut sides: HashMap<usize, HashSet<String>> = HashMap::new();
    for (id, side) in points(&project).into_keys() {
        let number: usize = id[1..].parse().unwrap();
        sides.entry(number % 20).or_default().insert(side);
    }
    assert_eq!(sides.len(), 20);
    assert!(sides.values().all(|s| s.len() == 1), "{sides:?}");
    let held = sides.values().filter(|s| s.contains("validation")).count();
    assert!((1..20).contains(&held), "{held}");
}

#[test]
fn the_same_words_under_two_ids_are_refused() {
    // One begins as the other does, in another shape; ids until the two are apart.
    let of = |id: &str| {
        let pairs: Vec<[String; 2]> =
            (1..=9).map(|n| [format!("pear asks {n}"), format!("pear answers {n}")]).collect();
        let exchanges: Vec<Value> =
            pairs.iter().map(|[u, a]| json!({"user": u, "assistant": a})).collect();
        json!({"id": id, "exchanges": exchanges}).to_string()
    };
    let mut refused = 0;
    for n in 0..6 {
        let records = [record("t0", "pear", 5, None), of(&format!("copy{n}"))];
        let project = project("[slice]\nvalidation = 0.5\n", &records);
        let ran = project.run(&["slice"]);
        let apart = ran.code == Some(1);
        refused += usize::from(apart);
        assert_eq!(project.path("data/processed/slices.jsonl").exists(), !apart, "{}", ran.all());
        assert_eq!(apart, ran.err.contains("say the same in exchanges 1 to 3"), "{}", ran.all());
        assert_eq!(apart, ran.err.contains("t0 (data/raw/a.jsonl:1)"), "{}", ran.all());
        if apart {
            let left = std::fs::read_dir(project.path("data/processed")).unwrap().count();
            assert_eq!(left, 0, "nothing is left beside");
        }
    }
    assert!((1..6).contains(&refused), "{refused} of 6 fell on two sides");
}

#[test]
fn no_slice_is_over_the_limit() {
    let project = project("[tokens]\nlimit = 90\n", &[record("t1", "pear", 15, None)]);
    let ran = project.run(&["slice", "--validation", "0", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let tokens: Vec<u64> = rows.iter().map(|r| r["tokens"].as_u64().unwrap()).collect();
    assert!(!tokens.is_empty() && tokens.iter().all(|t| *t <= 90), "{tokens:?}");
    let dropped = 5 - rows.len();
    assert!(dropped > 0 && ran.err.contains(&format!("{dropped} slices over the limit dropped")));
    let dry = project.run(&["slice", "--dry-run"]);
    assert!(dry.out.contains("15 (over: "), "{}", dry.out);
}

#[test]
fn what_is_asked_for_wrongly_is_said() {
    let project = project("", &[record("t1", "never", 5, None)]);
    let ran = project.run(&["slice", "--validation", "2"]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    let ran = project.run(&["slice", "-"]);
    assert!(ran.code == Some(2) && ran.err.contains("name a file"), "{}", ran.all());
    let ran = project.run(&["slice"]);
    assert!(ran.code == Some(1) && ran.err.contains("left out: 1 failed"), "{}", ran.all());
}

#[test]
fn killed_in_the_middle_nothing_is_half_written() {
    let records: Vec<String> =
        (0..400).map(|n| record(&format!("t{n}"), &format!("word{n}"), 25, None)).collect();
    let project = project("", &records);
    let folder = project.path("data/processed");
    let begun = || std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    let mut child =
        project.command(&["slice"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    let finished = child.wait().unwrap().success();
    let names = ["training_data.jsonl", "validation_data.jsonl", "slices.jsonl"];
    for name in names.map(|name| folder.join(name)).iter().filter(|name| name.exists()) {
        let text = std::fs::read_to_string(name).unwrap();
        assert!(text.ends_with('\n') && lines(&text).len() > 300, "{}", name.display());
    }
    assert!(!finished || names.iter().all(|name| folder.join(name).exists()));
    assert_eq!(project.run(&["slice"]).code, Some(0), "and the next run is not in its way");
}

/// The published rule, in the language it was published in.
const RULE: &str = r#"
import hashlib, json, random, sys
for line in sys.stdin:
    name, count = json.loads(line)
    draw = random.Random(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
    cuts, at = [], 3
    while at <= count:
        cuts.append(at)
        at += draw.randint(2, 5)
    if cuts and cuts[-1] != count:
        cuts.append(count)
    print(json.dumps(cuts))
"#;

#[test]
fn ten_thousand_cuts_are_those_of_python() {
    let python = Command::new("python3")
        .args(["-c", RULE])
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        writeln!(std::io::stderr(), "not compared: there is no python3 here").unwrap();
        return;
    };
    // Ids and lengths from a hash, so that every run compares the same ones.
    let case = |n: u64| {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ n;
        let id = match n % 4 {
            0 => format!("transcript_{mixed}"),
            1 => format!("é-{mixed:x}"),
            2 => format!("{mixed:x}/\u{1f642}"),
            _ => format!("t{n}"),
        };
        (id, (mixed >> 7) as usize % 121)
    };
    let cases: Vec<(String, usize)> = (0..10_000).map(case).collect();
    let mut input = python.stdin.take().unwrap();
    let asked: String = cases.iter().map(|(id, n)| format!("{}\n", json!([id, n]))).collect();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    let expected = lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(expected.len(), cases.len());
    for ((id, exchanges), expected) in cases.iter().zip(expected) {
        assert_eq!(json!(rubricator::slice::points(id, *exchanges)), expected, "{id} {exchanges}");
    }
}
