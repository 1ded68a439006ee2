//! `init`: a project that works at once.
//!
//! Invariant: nothing that exists is overwritten; running it twice changes nothing.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::args::Init;
use super::output::Output;
use super::{Ending, Failure};
use crate::engine::workspace::plain;
use crate::prompt::generate::{ASSISTANT, USER_SIM};

const UNION_MERGE: &str = "data/reviews.jsonl merge=union";

/// Makes the project.
pub fn run(args: &Init, out: &mut Output) -> Result<Ending, Failure> {
    let settings =
        format!("{}{}", include_str!("init/rubricator.toml"), judge(args.judge.as_deref()));
    let files = [
        ("rubricator.toml", settings.as_str()),
        ("config/rubric.yaml", include_str!("init/rubric.yaml")),
        ("config/persona-template.yaml", include_str!("init/persona-template.yaml")),
        ("config/input-taxonomy.yaml", include_str!("init/input-taxonomy.yaml")),
        ("config/prompts/system.md", include_str!("init/system.md")),
        ("config/prompts/user_sim.md", USER_SIM),
        ("config/prompts/assistant.md", ASSISTANT),
        ("data/raw/example.jsonl", include_str!("init/example.jsonl")),
    ];
    for (path, text) in files {
        let made = create(&args.dir.join(path), text)?;
        report(out, path, if made { "created" } else { "kept" });
    }
    let merged = add_line(&args.dir.join(".gitattributes"), UNION_MERGE)?;
    report(out, ".gitattributes", if merged { "created" } else { "kept" });
    let dir = args.dir.display();
    out.note(&format!(
        "\nNext: `rubricator check {dir}` for static findings, `rubricator assess {dir}` to ask the judges."
    ));
    Ok(Ending::Good)
}

fn report(out: &mut Output, path: &str, what: &str) {
    out.line(&format!("{what:>8} {path}"));
}

fn create(path: &Path, text: &str) -> Result<bool, Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("{} {}", path.display(), unwritable(&e)));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(failed),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(failed(e)),
    }
}

/// Adds a line to a file that may exist; false when it is there.
fn add_line(path: &Path, line: &str) -> Result<bool, Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("{} {}", path.display(), unwritable(&e)));
    let text = fs::read_to_string(path).unwrap_or_default();
    if text.lines().any(|l| l.trim() == line) {
        return Ok(false);
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(format!("{gap}{line}\n").as_bytes()).map_err(failed)?;
    Ok(true)
}

fn unwritable(error: &std::io::Error) -> String {
    plain(error).replace("cannot be read", "cannot be written").replace("opened", "written")
}

/// The `[[judge]]` of a provider, or how to add one.
fn judge(provider: Option<&str>) -> String {
    let (name, lines) = match provider {
        Some("anthropic") => {
            ("claude", "model = \"claude-sonnet-5-5\"\napi_key_env = \"ANTHROPIC_API_KEY\"\n")
        }
        Some("openai") => ("gpt", "model = \"gpt-6-sol\"\napi_key_env = \"OPENAI_API_KEY\"\n"),
        Some("gemini") => {
            ("gemini", "model = \"gemini-3.8-flash\"  # key: GOOGLE_API_KEY or GEMINI_API_KEY\n")
        }
        Some("claude-cli") => ("claude", "model = \"claude-sonnet-5-5\"\n"),
        Some("recorded") => ("recorded", "file = \"data/recorded.jsonl\"\n"),
        _ => ("local", "base_url = \"http://localhost:11434/v1\"\nmodel = \"qwen3:8b\"\n"),
    };
    let text = format!(
        "[[judge]]\nname = \"{name}\"\nprovider = \"{}\"\n{lines}",
        provider.unwrap_or("openai-compatible")
    );
    if provider.is_some() {
        return text;
    }
    let commented: String = text.lines().map(|l| format!("# {l}\n")).collect();
    format!(
        "# A judge answers the rubric's questions. A model server on this machine needs no key:\n{commented}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Origin, keys};

    #[test]
    fn what_personas_are_made_from_is_sound() {
        let template = include_str!("init/persona-template.yaml");
        let read = crate::generate::read(template, include_str!("init/input-taxonomy.yaml"));
        assert_eq!((read.template, read.taxonomy), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_provider_has_a_working_judge() {
        for provider in keys::PROVIDERS {
            let layer = config::parse(&judge(Some(provider)), Origin::ProjectFile);
            let resolved = config::resolve(&[layer]);
            assert_eq!((resolved.findings, resolved.settings.judges.len()), (Vec::new(), 1));
        }
        let none = config::parse(&judge(None), Origin::ProjectFile);
        assert_eq!((none.findings, none.judges.len()), (Vec::new(), 0));
    }
}
