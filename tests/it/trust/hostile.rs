//! A hostile project on the command line.

use super::{RUBRIC, Trap, judge, project};
use crate::cli::{Project, Ran, record};

/// Runs with a trap for whatever goes beyond this machine.
fn run(project: &Project, trap: &Trap, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        command.env(name, trap.url());
    }
    command.env("OPENAI_API_KEY", "sk-the-users-own-key-1");
    Ran::of(command.output().unwrap())
}

#[test]
fn an_address_of_its_own_is_never_reached() {
    for url in [
        "http://evil.example/v1",
        "https://evil.example/v1",
        "http://localhost.evil.example/v1",
        "http://127.0.0.1.nip.io/v1",
        "http://127.0.0.1@evil.example/v1",
        "http://2130706433/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://localhost./v1",
        "file:///etc/passwd",
    ] {
        let trap = Trap::new();
        let project = project(&judge(
            "openai-compatible",
            &format!("base_url = '{url}'\napi_key_env = 'OPENAI_API_KEY'"),
        ));
        for more in [&["assess"][..], &["assess", "--untrusted"], &["assess", "--dry-run"]] {
            let ran = run(&project, &trap, more);
            assert_eq!(ran.code, Some(2), "{url} {}", ran.all());
            assert!(ran.err.contains("settings-"), "{url} {}", ran.all());
        }
        // Not even by a project that the user trusts.
        assert_eq!(run(&project, &trap, &["trust"]).code, Some(0));
        assert_eq!(run(&project, &trap, &["assess"]).code, Some(2));
        assert_eq!(trap.connections(), 0, "{url}");
    }
}

#[test]
fn untrusted_means_no_connection_even_on_this_machine() {
    let trap = Trap::new();
    let project = project(&judge("openai-compatible", &format!("base_url = '{}/v1'", trap.url())));
    for arguments in [
        &["--untrusted", "assess"][..],
        &["--untrusted", "assess", "--dry-run"],
        &["--untrusted", "check", "."],
        &["--untrusted", "status"],
        &["--untrusted", "tokens"],
    ] {
        let ran = run(&project, &trap, arguments);
        assert!(!ran.all().contains("panicked"), "{}", ran.all());
    }
    let ran = run(&project, &trap, &["--untrusted", "assess"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.err.contains("not trusted"), "{}", ran.all());
    assert_eq!(trap.connections(), 0);
}

#[cfg(unix)]
#[test]
fn a_command_of_its_own_is_never_run() {
    use std::os::unix::fs::PermissionsExt;
    let trap = Trap::new();
    let script = |project: &Project, name: &str| {
        let touched = project.path("touched").display().to_string();
        project.write(name, format!("#!/bin/sh\necho x > '{touched}'\n"));
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.path(name), mode).unwrap();
    };
    for provider in ["claude-cli", "openai-compatible", "recorded"] {
        let more = "command = ['./evil.sh']\nbase_url = 'http://127.0.0.1:9/v1'\nfile = 'x.jsonl'";
        let project = project(&judge(provider, more));
        script(&project, "evil.sh");
        let ran = run(&project, &trap, &["assess"]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.err.contains("settings-host"), "{}", ran.all());
        assert!(!project.path("touched").exists());
    }
    // A program of that name beside the project is not on the PATH, and untrusted
    // not even one that is.
    let project = project(&judge("claude-cli", ""));
    script(&project, "claude");
    let mut command = project.command(&["--untrusted", "assess"]);
    command.env("PATH", project.path(""));
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(!project.path("touched").exists());
}

#[test]
fn paths_of_its_own_stay_inside() {
    let trap = Trap::new();
    for path in ["../outside", "/etc/passwd", "a/../../outside", "~/.ssh/id", "C:\\x", "\\\\h\\x"] {
        for settings in [
            format!("[project]\nrubric = '{path}.yaml'\n"),
            format!("[project]\nsystem_prompt = '{path}'\n"),
            format!("[project]\ntranscripts = ['{path}/*.jsonl']\n"),
            format!("[tokens]\ntokenizer = '{path}.json'\n"),
            format!("[tokens]\nchat_template = '{path}.jinja'\n"),
            format!("[[judge]]\nname = 'j'\nprovider = 'recorded'\nfile = '{path}'\n"),
        ] {
            let ran = run(&project(&settings), &trap, &["assess"]);
            assert_eq!(ran.code, Some(2), "{settings}{}", ran.all());
            assert!(ran.err.contains("leads out of the project"), "{settings}{}", ran.all());
        }
    }
}

#[cfg(unix)]
#[test]
fn links_of_its_own_lead_nowhere() {
    let trap = Trap::new();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    std::fs::write(&secret, format!("TOPSECRET\n{}\n", record("TOPSECRET"))).unwrap();
    let settings = "[project]\nsystem_prompt = 'config/system.md'\n\
                    [tokens]\ntokenizer = 'config/tokenizer.json'\n\
                    [[judge]]\nname = 'j'\nprovider = 'recorded'\nfile = 'answers.jsonl'\n";
    let project = project(settings);
    for name in [
        "config/rubric.yaml",
        "config/system.md",
        "config/tokenizer.json",
        "answers.jsonl",
        "data/raw/b.jsonl",
    ] {
        // The rubric is there already.
        std::fs::remove_file(project.path(name)).unwrap_or_default();
        std::os::unix::fs::symlink(&secret, project.path(name)).unwrap();
    }
    for arguments in [&["check", "."][..], &["assess"], &["status"], &["tokens"]] {
        let ran = run(&project, &trap, arguments);
        assert!(!ran.all().contains("TOPSECRET"), "{arguments:?} {}", ran.all());
    }
    // A recording alone, with a rubric that is sound.
    std::fs::remove_file(project.path("config/rubric.yaml")).unwrap();
    project.write("config/rubric.yaml", RUBRIC);
    project.write(
        "rubricator.toml",
        "[[judge]]\nname = 'j'\nprovider = 'recorded'\nfile = 'answers.jsonl'\n",
    );
    let ran = run(&project, &trap, &["assess"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.err.contains("must stay inside the project"), "{}", ran.all());
}

#[test]
fn a_huge_prompt_or_rubric_is_borne_or_refused() {
    let trap = Trap::new();
    let project = project("");
    project.write("config/prompts/system.md", "x ".repeat(5 << 20));
    let ran = run(&project, &trap, &["--untrusted", "assess"]);
    assert!(ran.code != Some(101) && !ran.all().contains("panicked"), "{}", ran.err);
    project.write("config/rubric.yaml", format!("{RUBRIC}# {}", "x".repeat(17 << 20)));
    let ran = run(&project, &trap, &["--untrusted", "assess"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("larger than 16 MB"), "{}", ran.err);
}

#[test]
fn text_cannot_command_a_terminal() {
    let trap = Trap::new();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}x";
    let escaped = serde_json::Value::from(evil).to_string();
    let project = project("[[judge]]\nname = 'j'\nprovider = 'recorded'\nfile = 'answers.jsonl'\n");
    let line = format!(
        r#"{{"id":{escaped},"batch":{escaped},{escaped}:1,"messages":[{{"role":"user","content":{escaped}}},{{"role":"assistant","content":{escaped}}},{{"role":{escaped},"content":"x"}}]}}"#
    );
    let sound = line.replacen(&format!(",{{\"role\":{escaped},\"content\":\"x\"}}"), "", 1);
    project.write("data/raw/a.jsonl", format!("{line}\n{sound}\n{{\"a\u{1b}[2J\" 1}}\n"));
    project.write("data/raw/\u{1b}[2J.jsonl", format!("{sound}\n"));
    project.write("config/rubric.yaml", RUBRIC.replace("First", "\"\\e[2J\\a\""));
    let answer = |criterion: &str| {
        format!(
            r#"{{"judge":"j","transcript":{escaped},"criterion":"{criterion}","answer":"NO","reasoning":{escaped},"evidence":[{{"exchange":1,"quote":{escaped}}}]}}"#
        )
    };
    project.write("answers.jsonl", format!("{}\n{}\n", answer("A"), answer("B")));
    for arguments in [
        "check .",
        "check . --format json",
        "check . --format jsonl",
        "check . --format github",
        "check . --format sarif",
        "check . --format junit",
        "assess",
        "assess --format json",
        "assess --format jsonl",
        "assess --dry-run",
        "tokens",
        "tokens --format json",
        "status",
        "status --config",
        "explain data/raw/a.jsonl:1",
        "explain data/raw/a.jsonl:2:40",
        "store purge data/raw/a.jsonl:2",
        "trust --list",
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let ran = run(&project, &trap, &arguments);
        let all = ran.all();
        // JSON is for programs: what it must escape is escaped.
        let json = arguments.iter().any(|word| ["json", "jsonl", "sarif"].contains(word));
        let obeyed: &[char] =
            if json { &['\u{1b}', '\u{7}'] } else { &['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'] };
        assert!(!all.contains(obeyed), "{arguments:?}: {all:?}");
        assert_ne!(ran.code, Some(101), "{all}");
    }
}

#[test]
fn a_store_of_its_own_is_not_read() {
    let trap = Trap::new();
    // Somebody else's store: taking up a file makes one, even of a line that is refused.
    let theirs = project("");
    theirs.write("answers.jsonl", "{\"verdict\":\"YES\"}\n");
    let merged = theirs.run(&["store", "merge", "answers.jsonl"]);
    assert_eq!(merged.code, Some(1), "{}", merged.all());
    let store = std::fs::read(theirs.path(".rubricator/store.db")).unwrap();
    let here = format!("base_url = '{}/v1'", trap.url());
    let mine = project(&judge("openai-compatible", &here));
    mine.write(".rubricator/store.db", &store);
    for arguments in [
        &["store", "export", "-"][..],
        &["store", "purge", "--transcript", "a"],
        &["store", "merge", "rubricator.toml"],
    ] {
        let ran = run(&mine, &trap, arguments);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.err.contains("belongs to somebody else"), "{}", ran.all());
    }
    assert_eq!(std::fs::read(mine.path(".rubricator/store.db")).unwrap(), store);
    assert_eq!(trap.connections(), 0);
}
