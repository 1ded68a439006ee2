//! Whole runs over gigabytes: how fast beside a plain read of the same bytes, and what
//! is held at most, at a small and at a large size. The transcripts are made on the fly
//! into one file, which goes when the run is over.
//!
//! `cargo bench --bench scale` (0.3 and 3 GB; slices 0.1 and 1 GB, whose output is some
//! four times as large); `RUBRICATOR_SCALE_GB=0.3` for the large size, and
//! `RUBRICATOR_SCALE_DIR` for another folder than the system's temporary one.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod corpus;

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use corpus::{Random, prose};

const SETTINGS: &str = "[project]\nrubric = \"rubric.yaml\"\n";

/// A check that all of them pass, so that all are sliced.
const RUBRIC: &str = "\
name: Scale
pass_threshold: 0.5
min_exchanges: 1
categories:
  form: {weight: 1.0, criteria: [F]}
criteria:
  F: {name: Words, check: {phrases: {forbidden: [never in this corpus]}}}
";

/// How often a child's memory is looked at: the kernel keeps the most there was.
const BETWEEN: Duration = Duration::from_millis(10);

fn main() {
    let large = std::env::var("RUBRICATOR_SCALE_GB").ok().and_then(|v| v.parse().ok());
    let large: f64 = large.unwrap_or(3.0);
    let folder = match std::env::var_os("RUBRICATOR_SCALE_DIR") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("the file is written");
    };
    write("rubricator.toml", SETTINGS);
    write("rubric.yaml", RUBRIC);
    std::fs::create_dir_all(folder.path().join("data/raw")).expect("a folder");
    let mut growing = Growing::new(&folder.path().join("data/raw/scale.jsonl"));
    let commands: [(&str, &[&str]); 5] = [
        ("check --only structure", &["check", "--only", "structure", "--format", "json"]),
        ("check", &["check", "--format", "json"]),
        ("audit", &["audit", "--format", "json"]),
        ("slice", &["slice"]),
        ("export", &["export", "--assessments", "--out", "results.jsonl"]),
    ];
    let mut before: Vec<Option<(f64, f64)>> = vec![None; commands.len()];
    for (part, is_sliced) in [(30.0, true), (10.0, false), (3.0, true), (1.0, false)] {
        growing.grow_to(large / part);
        for ((name, arguments), before) in commands.iter().zip(&mut before) {
            let of_slices = matches!(*name, "slice" | "export");
            if of_slices == is_sliced {
                let here = measure(folder.path(), name, arguments, &growing);
                if let Some((size, peak)) = before.replace(here) {
                    println!("{name:<24} {:>8.1} MB more a GB", (here.1 - peak) / (here.0 - size));
                }
            }
        }
    }
}

/// A file that grows between runs.
struct Growing {
    file: BufWriter<File>,
    path: std::path::PathBuf,
    random: Random,
    bytes: usize,
    records: usize,
}

impl Growing {
    fn new(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path).expect("a file");
        let (file, path) = (BufWriter::with_capacity(1 << 20, file), path.to_owned());
        Self { file, path, random: Random::new(42), bytes: 0, records: 0 }
    }

    /// Some 100,000 transcripts of 3 to 18 exchanges in 3 GB.
    fn grow_to(&mut self, gigabytes: f64) {
        while (self.bytes as f64) < gigabytes * 1e9 {
            let exchanges = 3 + self.random.below(16);
            let mut record = format!("{{\"id\":\"scale-{:06}\",\"messages\":[", self.records);
            for index in 0..exchanges * 2 {
                let size = 300 + self.random.below(1900);
                let text = prose(&mut self.random, size);
                let role = if index % 2 == 0 { "user" } else { "assistant" };
                let comma = if index == 0 { "" } else { "," };
                record += &format!("{comma}{{\"role\":\"{role}\",\"content\":\"{text}\"}}");
            }
            record += "]}\n";
            self.file.write_all(record.as_bytes()).expect("written");
            self.bytes += record.len();
            self.records += 1;
        }
        self.file.flush().expect("written");
    }

    /// Reads it plainly; seconds.
    fn read(&self) -> f64 {
        let mut file = File::open(&self.path).expect("the file");
        let mut block = vec![0; 256 << 10];
        let began = Instant::now();
        let mut lines = 0;
        loop {
            match file.read(&mut block).expect("read") {
                0 => break,
                n => lines += memchr::memchr_iter(b'\n', &block[..n]).count(),
            }
        }
        assert_eq!(lines, self.records);
        began.elapsed().as_secs_f64()
    }
}

/// Runs a command over all of it; its size in GB and the most it held, in MB.
fn measure(folder: &Path, name: &str, arguments: &[&str], growing: &Growing) -> (f64, f64) {
    let plain = growing.read();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rubricator"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_DATA_HOME", folder.join("user"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    let code = loop {
        if let Some(code) = child.try_wait().expect("a child") {
            break code;
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        peak = peak.max(kilobytes.unwrap_or_default() * 1024.0 / 1e6);
        std::thread::sleep(BETWEEN);
    };
    let seconds = began.elapsed().as_secs_f64();
    assert!(code.code().is_some_and(|code| code < 2), "{name}: {code}");
    for made in ["data/processed", "results.jsonl"] {
        let made = folder.join(made);
        let _ = if made.is_dir() {
            std::fs::remove_dir_all(&made)
        } else {
            std::fs::remove_file(&made)
        };
    }
    let size = growing.bytes as f64 / 1e9;
    println!(
        "{name:<24} {size:>5.2} GB {:>7} records {seconds:>8.1} s {:>8.1} MB/s {:>7.4}x plain read ({:.0} MB/s) {peak:>8.0} MB held at most",
        growing.records,
        size * 1e3 / seconds,
        plain / seconds,
        size * 1e3 / plain
    );
    (size, peak)
}
