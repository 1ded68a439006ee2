//! `doctor` of the built binary against a plain read of the same bytes: megabytes a
//! second and the ratio, in one run. What is measured is the whole process.
//!
//! `cargo bench --bench doctor` (20 MB); `RUBRICATOR_BENCH_MB=200` for another size.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod corpus;

use std::process::{Command, Stdio};

use corpus::{jsonl, median, timed};

fn main() {
    let megabytes = std::env::var("RUBRICATOR_BENCH_MB").ok().and_then(|v| v.parse().ok());
    let text = jsonl(megabytes.unwrap_or(20) * 1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bench.jsonl");
    std::fs::write(&path, &text).expect("the file is written");
    let size = text.len() as f64 / 1e6;
    let read = median(|| timed(|| std::fs::read(&path).map_or(0, |bytes| bytes.len())), 5);
    println!("{size:.0} MB, {} records", text.lines().count());
    println!("plain read               {:>9.1} MB/s", size / read);
    let runs = [
        ("trl, chatml", ["--target", "trl", "--template", "chatml", "--loss", "all"]),
        ("trl, qwen3, replies", ["--target", "trl", "--template", "qwen3", "--loss", "replies"]),
        ("openai", ["--target", "openai", "--template", "openai", "--loss", "replies"]),
    ];
    for (name, arguments) in runs {
        let run = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rubricator"));
            command.arg("doctor").arg(&path).args(arguments).args(["--format", "json"]);
            let command =
                command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
            usize::from(command.status().is_ok())
        };
        let seconds = median(|| timed(run), 3);
        println!(
            "{name:<24} {:>9.1} MB/s   {:>7.4}x the plain read",
            size / seconds,
            read / seconds
        );
    }
}
