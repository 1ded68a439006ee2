//! Memory does not grow with the data: what a command holds at most for a file, and
//! for one several times as large. `cargo bench --bench scale` does it at gigabytes.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::process::{Child, Stdio};

use super::Project;

const RUBRIC: &str = "\
min_exchanges: 1
categories: {form: {weight: 1.0, criteria: [F]}}
criteria:
  F: {check: {phrases: {forbidden: [never]}}}
";

/// Transcripts of words that are all their own.
fn project(megabytes: usize) -> Project {
    let project = Project::with("[project]\nrubric = 'rubric.yaml'\n");
    project.write("rubric.yaml", RUBRIC);
    let (mut text, mut state, mut number) = (String::new(), 1_u64, 0);
    let mut words = |text: &mut String, count: usize| {
        for _ in 0..count {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            write!(text, "w{:05x} ", (state >> 40) & 0xf_ffff).unwrap();
        }
    };
    while text.len() < megabytes << 20 {
        write!(text, "{{\"id\":\"t{number}\",\"exchanges\":[").unwrap();
        for exchange in 0..6 {
            text.push_str(if exchange == 0 { "{\"user\":\"" } else { ",{\"user\":\"" });
            words(&mut text, 60);
            text.push_str("\",\"assistant\":\"");
            words(&mut text, 90);
            text.push_str("\"}");
        }
        text.push_str("]}\n");
        number += 1;
    }
    project.write("data/raw/a.jsonl", text);
    project
}

/// The most that a child holds, in bytes: the kernel keeps it until the child ends.
fn peak(mut child: Child) -> usize {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes =
            line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
        most = most.max(kilobytes.unwrap_or_default() << 10);
        std::thread::yield_now();
    }
    most
}

#[track_caller]
fn bounded(arguments: &[&str], small: usize, large: usize) {
    let hold = |megabytes: usize| {
        let project = project(megabytes);
        let mut command = project.command(arguments);
        peak(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let (one, other) = (hold(small), hold(large));
    assert!(one > 0, "the child was looked at");
    let grown = other.saturating_sub(one);
    let said = format!("{arguments:?}: {one} bytes for {small} MB, {other} for {large} MB");
    // Texts that are kept take their own size at the least.
    assert!(grown < (large - small) << 20, "{said}");
}

#[test]
fn check_holds_a_share() {
    bounded(&["check", "--only", "structure"], 4, 24);
}

#[test]
fn an_audit_holds_a_share() {
    bounded(&["audit"], 1, 5);
}

#[test]
fn slicing_holds_a_share() {
    bounded(&["slice"], 6, 18);
}

#[test]
fn results_are_exported_as_they_come() {
    bounded(&["export", "--assessments", "--out", "results.jsonl"], 6, 24);
}
