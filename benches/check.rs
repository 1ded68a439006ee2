//! `check` of the built binary against the two floors a JSONL tool cannot pass:
//! serde_json reading the same bytes, and splitting them into lines. Ratios in one
//! run; grows with the bytes of the file. What is measured is the whole process.
//!
//! `cargo bench --bench check` (20 and 200 MB); `RUBRICATOR_BENCH_MB=20` for one size.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod corpus;

use std::path::Path;
use std::process::{Command, Stdio};

use corpus::{jsonl, median, timed};

const SETTINGS: &str =
    "[project]\nrubric = \"rubric.yaml\"\n\n[tokens]\ntokenizer = \"o200k_base\"\n";

/// Criteria that are computed: what is looked for beside structure and tokens.
const RUBRIC: &str = r#"
name: Bench
pass_threshold: 0.8
categories:
  form: {weight: 1.0, criteria: [F1, F2, F3]}
criteria:
  F1: {name: Length, check: {length_ratio: {mean_max: 1.5, over: 2.0, share_over_max: 0.25}}}
  F2: {name: Phrases, check: {phrases: {forbidden: [{phrase: "I hear you"}, {phrase: "at the end of the day"}]}}}
  F3: {name: Questions, check: {questions: {max: 40}}}
"#;

fn main() {
    let one = std::env::var("RUBRICATOR_BENCH_MB").ok().and_then(|v| v.parse().ok());
    one.map_or(vec![20, 200], |one| vec![one]).into_iter().for_each(report);
}

fn report(megabytes: usize) {
    let text = jsonl(megabytes * 1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("the file is written");
    };
    write("bench.jsonl", &text);
    write("one.jsonl", text.lines().next().unwrap_or_default());
    write("rubricator.toml", SETTINGS);
    write("rubric.yaml", RUBRIC);
    let size = text.len() as f64 / 1e6;
    let lines = median(|| timed(|| memchr::memchr_iter(b'\n', text.as_bytes()).count()), 5);
    let parse = median(|| timed(|| text.lines().map(values).sum::<usize>()), 5);
    println!("{size:.0} MB, {} records", text.lines().count());
    let show = |name: &str, seconds: f64| {
        println!(
            "{name:<24} {:>8.1} ms {:>9.1} MB/s   {:>6.2}x serde_json   {:>7.3}x line split",
            seconds * 1e3,
            size / seconds,
            parse / seconds,
            lines / seconds
        );
    };
    show("memchr line split", lines);
    show("serde_json::Value", parse);
    for only in ["structure", "tokens", "checks", "structure,tokens,checks"] {
        show(only, median(|| timed(|| check(folder.path(), "bench.jsonl", only)), 5));
    }
    let start = median(|| timed(|| check(folder.path(), "one.jsonl", "structure")), 5);
    println!("{:<24} {:>8.1} ms\n", "structure of one record", start * 1e3);
}

fn check(folder: &Path, file: &str, only: &str) {
    let status = Command::new(env!("CARGO_BIN_EXE_rubricator"))
        .args(["check", "--only", only, "--format", "json", file])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the binary runs");
    assert!(status.code().is_some_and(|c| c < 2), "check failed: {status}");
}

fn values(line: &str) -> usize {
    serde_json::from_str::<serde_json::Value>(line)
        .map_or(0, |v| v.as_object().map_or(0, |o| o.len()))
}
