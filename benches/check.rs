//! `check --only structure` of the built binary against the two floors a JSONL
//! tool cannot pass: serde_json reading the same bytes, and splitting them into
//! lines. Ratios in one run; grows with the bytes of the file.
//!
//! `cargo bench --bench check` (20 MB); `RUBRICATOR_BENCH_MB=200` for more.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod corpus;

use std::process::{Command, Stdio};

use corpus::{jsonl, median, timed};

fn main() {
    let megabytes: usize =
        std::env::var("RUBRICATOR_BENCH_MB").ok().and_then(|v| v.parse().ok()).unwrap_or(20);
    let text = jsonl(megabytes * 1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bench.jsonl");
    std::fs::write(&file, &text).expect("the corpus is written");
    let size = text.len() as f64 / 1e6;

    let lines = median(|| timed(|| memchr::memchr_iter(b'\n', text.as_bytes()).count()), 5);
    let parse = median(|| timed(|| text.lines().map(values).sum::<usize>()), 5);
    let check = |only: &str| {
        let run = || {
            let status = Command::new(env!("CARGO_BIN_EXE_rubricator"))
                .args(["check", "--only", only, "--format", "json"])
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("the binary runs");
            assert!(status.code().is_some_and(|c| c < 2), "check failed: {status}");
        };
        median(|| timed(run), 5)
    };
    println!("{size:.0} MB, {} records", text.lines().count());
    let report = |name: &str, seconds: f64| {
        println!(
            "{name:<28} {:>9.1} MB/s   {:>7.2}x serde_json   {:>8.3}x line split",
            size / seconds,
            parse / seconds,
            lines / seconds
        );
    };
    report("memchr line split", lines);
    report("serde_json::Value", parse);
    report("check --only structure", check("structure"));
    report("check --only tokens", check("tokens"));
}

fn values(line: &str) -> usize {
    serde_json::from_str::<serde_json::Value>(line)
        .map_or(0, |v| v.as_object().map_or(0, |o| o.len()))
}
