//! `[tokens]` of the settings into something that counts.
//!
//! Invariant: pure; files are read through the caller's `read`, so a project's
//! own rules about paths hold. Every error names the setting and what to write.
//!
//! A model folder is found from its `tokenizer.json`: the template and the
//! special tokens are in the `tokenizer_config.json` beside it, newer models keep
//! the template in a `chat_template.jinja` there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::counter::{CountError, Counter};
use super::hugging_face::HfTokenizer;
use super::memo::Memo;
use super::record::RecordCounter;
use super::template::{BUILT_IN, Specials, Template, TemplateError};
use crate::config::Tokens;

/// The bytes of a file, or why there are none, for people.
pub type ReadFile<'r> = dyn Fn(&Path) -> Result<Vec<u8>, String> + 'r;

/// Why the settings do not name a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// `tokenizer`
    Tokenizer(String),
    /// `chat_template`
    Template(String),
}

/// The counter that `settings` ask for. With an encoding and a built-in template
/// nothing is read and nothing is loaded before the first count.
///
/// # Errors
/// What is wrong with which setting.
pub fn counter(
    settings: &Tokens,
    memo: Arc<Memo>,
    read: &ReadFile<'_>,
) -> Result<RecordCounter, SettingsError> {
    let (counter, folder) = tokenizer(&settings.tokenizer, read)?;
    let template = match (settings.chat_template.as_deref(), folder) {
        (Some(name), folder) => named(name, folder.as_deref(), read)?,
        (None, None) => Template::OpenAi,
        (None, Some(folder)) => beside(&folder, read)?.ok_or_else(|| {
            let why = "the tokenizer's folder has no chat template (tokenizer_config.json, chat_template.jinja)";
            SettingsError::Template(format!("{why}: {}", advice()))
        })?,
    };
    Ok(RecordCounter::new(counter, Arc::new(template), memo))
}

/// The tokenizer, and the folder of its file when it is one.
fn tokenizer(name: &str, read: &ReadFile<'_>) -> Result<(Counter, Option<PathBuf>), SettingsError> {
    let wrong = |e: CountError| SettingsError::Tokenizer(e.to_string());
    if !is_path(name) {
        return Ok((Counter::from_encoding_name(name).map_err(wrong)?, None));
    }
    let path = match Path::new(name).extension() {
        Some(_) => PathBuf::from(name),
        None => Path::new(name).join("tokenizer.json"),
    };
    let bytes = read(&path).map_err(SettingsError::Tokenizer)?;
    let loaded = HfTokenizer::from_json(&bytes);
    let loaded =
        loaded.map_err(|e| SettingsError::Tokenizer(format!("{}: {e}", path.display())))?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok((Counter::HuggingFace(Arc::new(loaded)), Some(folder)))
}

fn named(
    name: &str,
    tokenizer_folder: Option<&Path>,
    read: &ReadFile<'_>,
) -> Result<Template, SettingsError> {
    if let Some(template) = Template::built_in(name) {
        return Ok(template);
    }
    if !is_path(name) {
        let why = format!("no chat template is called `{name}`: {}", advice());
        return Err(SettingsError::Template(why));
    }
    let wrong = |e: TemplateError| SettingsError::Template(format!("{name}: {e}"));
    let path = Path::new(name);
    let bytes = read(path).map_err(SettingsError::Template)?;
    if path.extension().is_some_and(|e| e == "json") {
        let template = Template::from_tokenizer_config(name, &bytes).map_err(wrong)?;
        return template.ok_or_else(|| {
            SettingsError::Template(format!("{name} has no `chat_template`: {}", advice()))
        });
    }
    let folder = tokenizer_folder.or(path.parent());
    let specials = folder.map(|f| specials(f, read)).unwrap_or_default();
    from_bytes(name, bytes, specials)
}

/// The template in a model's folder.
fn beside(folder: &Path, read: &ReadFile<'_>) -> Result<Option<Template>, SettingsError> {
    let jinja = folder.join("chat_template.jinja");
    if let Ok(bytes) = read(&jinja) {
        let name = jinja.display().to_string();
        return from_bytes(&name, bytes, specials(folder, read)).map(Some);
    }
    let config = folder.join("tokenizer_config.json");
    let Ok(bytes) = read(&config) else { return Ok(None) };
    let name = config.display().to_string();
    Template::from_tokenizer_config(&name, &bytes)
        .map_err(|e| SettingsError::Template(format!("{name}: {e}")))
}

fn from_bytes(name: &str, bytes: Vec<u8>, specials: Specials) -> Result<Template, SettingsError> {
    let source = String::from_utf8(bytes);
    let source =
        source.map_err(|_| SettingsError::Template(format!("{name}: it is not UTF-8 text")))?;
    Template::from_source(name, &source, specials)
        .map_err(|e| SettingsError::Template(format!("{name}: {e}")))
}

fn specials(folder: &Path, read: &ReadFile<'_>) -> Specials {
    let config = read(&folder.join("tokenizer_config.json")).ok();
    let config = config.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    config.map(|json| Specials::from_config(&json)).unwrap_or_default()
}

/// Names have neither separators nor a file's ending; versions have dots.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
        || [".json", ".jinja", ".j2", ".txt"].iter().any(|e| name.ends_with(e))
}

fn advice() -> String {
    format!(
        "use openai, {}, or the path of a .jinja file or tokenizer_config.json",
        BUILT_IN.join(", ")
    )
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokenizer(why) => write!(f, "[tokens] tokenizer: {why}"),
            Self::Template(why) => write!(f, "[tokens] chat_template: {why}"),
        }
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WORDS: &str = r#"{"version": "1.0", "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "hi": 1, "<s>": 2}, "unk_token": "[UNK]"}}"#;

    /// Counter and template names, or the error; `files` are those that can be read.
    fn chosen(tokenizer: &str, template: Option<&str>, files: &[(&str, &str)]) -> String {
        let settings = Tokens {
            tokenizer: tokenizer.to_owned(),
            chat_template: template.map(str::to_owned),
            limit: 100,
        };
        let read = |path: &Path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found
                .map(|(_, text)| text.as_bytes().to_vec())
                .ok_or(format!("{} is missing", path.display()))
        };
        match counter(&settings, Arc::default(), &read) {
            Ok(made) => format!(
                "{} {} {:?}",
                made.counter().label(),
                made.template().name(),
                made.message_tokens("hi hi there").ok()
            ),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn names_need_no_files() {
        assert_eq!(chosen("o200k_base", None, &[]), "o200k_base openai Some(3)");
        assert_eq!(chosen("cl100k_base", Some("Llama-3.1"), &[]), "cl100k_base llama3.1 Some(3)");
        let wrong = chosen("o200k", None, &[]);
        assert!(
            wrong.starts_with("[tokens] tokenizer: no encoding is called `o200k`: use "),
            "{wrong}"
        );
        let wrong = chosen("o200k_base", Some("qwen9.1"), &[]);
        assert!(
            wrong.starts_with(
                "[tokens] chat_template: no chat template is called `qwen9.1`: use openai, chatml, "
            ),
            "{wrong}"
        );
    }

    #[test]
    fn a_model_folder_brings_its_own_template() {
        let config = json!({"chat_template": "{{ bos_token }} {{ messages[0].content }}", "bos_token": "<s>"}).to_string();
        let bare = json!({"bos_token": "<s>"}).to_string();
        let model = ("m/tokenizer.json", WORDS);
        let with = |file| [model, file];
        assert_eq!(
            chosen("m/tokenizer.json", None, &with(("m/tokenizer_config.json", &config))),
            "tokenizer.json m/tokenizer_config.json Some(3)"
        );
        let newer = [
            model,
            ("m/tokenizer_config.json", &bare),
            ("m/chat_template.jinja", "{{ bos_token }}"),
        ];
        assert_eq!(chosen("m/", None, &newer), "tokenizer.json m/chat_template.jinja Some(3)");
        assert_eq!(chosen("m", None, &newer).split(':').nth(1), Some(" no encoding is called `m`"));
        let missing = "[tokens] chat_template: the tokenizer's folder has no chat template";
        assert!(chosen("m/tokenizer.json", None, &[model]).starts_with(missing));
        assert_eq!(
            chosen("m/tokenizer.json", Some("c.jinja"), &with(("c.jinja", "{% if %}")))
                .split(" (in")
                .next(),
            Some(
                "[tokens] chat_template: c.jinja: the chat template cannot be read: syntax error: unexpected end of block"
            )
        );
        assert_eq!(chosen("x.json", None, &[]), "[tokens] tokenizer: x.json is missing");
        assert_eq!(
            chosen("x.json", None, &[("x.json", "{}")]),
            "[tokens] tokenizer: x.json: not a usable tokenizer.json: it has no `model` object; \
             name the tokenizer.json of a Hugging Face model"
        );
    }
}
