//! The shape of the code, checked: layering, file heads, budgets, banned shortcuts.
//! ARCHITECTURE's arrows and house rules are the source; a failure names file and line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Layers from left to right; a module may use those at its own level or further left.
const LAYERS: &[&[&str]] = &[
    &["text", "finding"],
    &["transcript", "rubric", "tokens", "config"],
    &["assessment", "fixup", "review", "slice", "audit", "convert", "doctor", "generate", "report"],
    &["prompt", "analysis"],
    &["engine"],
    &["server", "cli"],
];
/// Crates and modules that only some layers may name.
const RESERVED: &[(&str, &[&str])] = &[
    ("tokio::", &["engine", "server", "cli"]),
    ("tokio_util::", &["engine", "server", "cli"]),
    ("reqwest::", &["engine", "server", "cli"]),
    ("rusqlite::", &["engine"]),
    ("std::fs", &["engine", "server", "cli"]),
    ("std::env", &["engine", "server", "cli"]),
    ("std::process", &["engine", "server", "cli"]),
    ("SystemTime", &["engine", "server", "cli"]),
    ("Instant::now", &["engine", "server", "cli"]),
    ("tower_lsp_server", &["server"]),
    ("clap::", &["cli"]),
    ("async fn", &["engine", "server", "cli"]),
];
const BANNED: &[&str] =
    &["#[allow(", "#![allow(", "#[ignore", "should_panic", "todo!(", "unimplemented!(", "dbg!("];
const FILE_BUDGET: usize = 400;
const FUNCTION_BUDGET: usize = 60;

struct Source {
    path: String,
    module: String,
    /// Lines before the first `#[cfg(test)]`.
    production: Vec<String>,
    whole: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 10, "the walk found the sources");
    files.into_iter().map(|file| read(&root, &file)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

fn read(root: &Path, file: &Path) -> Source {
    let path = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
    let module = path.split(['/', '.']).next().unwrap_or("").to_owned();
    let whole = std::fs::read_to_string(file).unwrap();
    let is_test_file =
        path.ends_with("tests.rs") || path.contains("/tests/") || path == "testing.rs";
    let production = whole
        .lines()
        .take_while(|l| !is_test_file && l.trim() != "#[cfg(test)]")
        .map(str::to_owned)
        .collect();
    Source { path, module, production, whole }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&module))
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Runs `rule` on every production line that is no comment and fails with all it says.
fn every_line(rule: impl Fn(&Source, &str) -> Option<String>) {
    let mut faults = String::new();
    for source in sources() {
        for (number, line) in source.production.iter().enumerate().filter(|(_, l)| !is_comment(l)) {
            if let Some(fault) = rule(&source, line) {
                let _ = writeln!(faults, "src/{}:{}: {fault}", source.path, number + 1);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in sources() {
        assert!(source.whole.starts_with("//!"), "src/{}: no `//!` at the top", source.path);
    }
}

#[test]
fn imports_follow_the_arrows() {
    every_line(|source, line| {
        let own = layer(&source.module)?;
        let used = line.split("crate::").skip(1).filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            Some((&rest[..end], layer(&rest[..end])?))
        });
        let wrong = used.into_iter().find(|(_, theirs)| *theirs > own)?;
        Some(format!("`{}` may not use `{}`, which is to its right", source.module, wrong.0))
    });
}

#[test]
fn the_world_is_only_reached_from_the_right() {
    every_line(|source, line| {
        let (what, _) = RESERVED.iter().find(|(what, homes)| {
            let known = layer(&source.module).is_some();
            known && line.contains(what) && !homes.contains(&source.module.as_str())
        })?;
        Some(format!("`{what}` does not belong in `{}`", source.module))
    });
}

#[test]
fn no_shortcuts() {
    every_line(|_, line| {
        let banned = BANNED.iter().find(|b| line.contains(**b))?;
        Some(format!("`{banned}` is not used here"))
    });
}

#[test]
fn files_and_functions_keep_their_budget() {
    let mut faults = String::new();
    for source in sources() {
        let lines = source.production.len();
        if lines > FILE_BUDGET {
            let _ = writeln!(faults, "src/{}: {lines} lines, budget {FILE_BUDGET}", source.path);
        }
        for (name, at, length) in functions(&source.production) {
            if length > FUNCTION_BUDGET {
                let _ = writeln!(
                    faults,
                    "src/{}:{at}: `{name}` has {length} lines, budget {FUNCTION_BUDGET}",
                    source.path
                );
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// Functions as (name, first line, length), by rustfmt's indentation: a body
/// ends at the first `}` that stands as deep as its `fn`.
fn functions(lines: &[String]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start();
        let Some(at) = words.find("fn ").filter(|&at| is_function_head(&words[..at])) else {
            continue;
        };
        let name = words[at + 3..].split(['(', '<']).next().unwrap_or("").to_owned();
        let closing = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|l| *l == closing) {
            found.push((name, start + 1, length + 1));
        }
    }
    found
}

fn is_function_head(before: &str) -> bool {
    before.split_whitespace().all(|w| {
        matches!(w, "pub" | "const" | "async" | "pub(crate)" | "pub(super)")
            || w.starts_with("pub(in")
    })
}

#[test]
fn the_budget_check_sees_functions() {
    let text = "impl A {\n    pub fn b() {\n        c();\n    }\n}\n\nfn d() {\n}\n";
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let expected = vec![("b".to_owned(), 2, 3), ("d".to_owned(), 7, 2)];
    assert_eq!(functions(&lines), expected);
}

#[test]
fn the_map_names_every_module() {
    let map = sources().into_iter().find(|s| s.path == "lib.rs").unwrap().whole;
    for line in map.lines() {
        let module =
            line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|l| l.strip_suffix(';'));
        if let Some(module) = module.filter(|m| *m != "testing") {
            let named =
                map.lines().any(|l| l.starts_with("//!") && l.contains(&format!("`{module}")));
            assert!(named, "src/lib.rs: the map does not name `{module}`");
        }
    }
}
