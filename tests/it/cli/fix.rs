//! `check --fix`: what it changes, and what it leaves alone.

use super::{Project, record};

fn mendable() -> String {
    let human = record("b").replace("\"user\"", "\"human\"");
    format!("\u{feff}{}\r\n\r\n{human}\r\n", record("a"))
}

fn mended() -> String {
    format!("{}\n{}\n", record("a"), record("b"))
}

#[test]
fn safe_fixes_are_written_and_nothing_else() {
    let project = Project::empty();
    project.write("a.jsonl", mendable());
    let ran = project.run(&["check", "--fix", "a.jsonl"]);
    assert_eq!(project.read("a.jsonl"), mended());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.out.contains("fixes applied"), "{}", ran.out);
}

#[test]
fn a_file_without_fixes_is_not_touched() {
    let project = Project::empty();
    project.write("a.jsonl", mended());
    let before = std::fs::metadata(project.path("a.jsonl")).unwrap().modified().unwrap();
    project.run(&["check", "--fix", "a.jsonl"]);
    assert_eq!(std::fs::metadata(project.path("a.jsonl")).unwrap().modified().unwrap(), before);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let project = Project::empty();
    project.write("real.jsonl", mendable());
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(project.path("real.jsonl"), mode).unwrap();
    symlink(project.path("real.jsonl"), project.path("link.jsonl")).unwrap();
    project.run(&["check", "--fix", "link.jsonl"]);
    assert_eq!(project.read("real.jsonl"), mended());
    assert!(project.path("link.jsonl").is_symlink());
    let mode = std::fs::metadata(project.path("real.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn standard_input_is_answered_with_the_mended_text() {
    let project = Project::empty();
    let arguments = ["check", "--fix", "--stdin-filename", "data/a.jsonl"];
    let ran = project.run_with_input(&arguments, mendable().as_bytes());
    assert_eq!(ran.out, mended());
    assert!(ran.err.contains("fixes applied"), "{}", ran.err);
    let ran = project.run_with_input(&["check", "-"], b"{\n");
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.starts_with("stdin.jsonl:1:"), "{}", ran.out);
}
