//! From a written value to a checked one: types, bounds, paths that stay inside
//! the project, hosts a project may name.
//!
//! Invariant: a [`Value`] made here is possible for its key and allowed at its
//! origin; a refused one is never echoed when it may be a key.

use super::Origin;
use super::host;
use super::keys::{Key, Kind};
use super::layer::{HOST, SECRET, TYPE, VALUE};
use super::secret;
use super::source::{Node, Raw};
use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::nearest::nearest;
use crate::tokens::Template;
use crate::tokens::template::BUILT_IN;

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, a path, an address, a chosen word.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A list of texts.
    Texts(Vec<String>),
    /// `"all"`.
    All,
}

impl std::fmt::Display for Value {
    /// TOML notation.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", toml::Value::from(text.as_str())),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Texts(texts) => write!(f, "{}", toml::Value::from(texts.clone())),
            Self::All => f.write_str("\"all\""),
        }
    }
}

/// True where the user wrote it, not a repository.
#[must_use]
pub const fn is_users_own(origin: Origin) -> bool {
    !matches!(origin, Origin::ProjectFile | Origin::Editor)
}

/// Checks a written value against its key.
///
/// # Errors
/// The finding that says what is wrong, boxed: it is the rare case.
pub(super) fn check(key: &Key, node: &Node, origin: Origin) -> Result<Value, Box<Finding>> {
    if matches!(&node.raw, Raw::Text(text) if secret::looks_like_key(text)) {
        return Err(Box::new(secret_finding(node.span)));
    }
    match key.kind {
        Kind::Bool => match node.raw {
            Raw::Bool(flag) => Ok(Value::Bool(flag)),
            _ => Err(wrong_type(key, node)),
        },
        Kind::Integer(low, high) => integer(key, node, low, high),
        Kind::Number(low, high) => number(key, node, low, high),
        Kind::AllOrCount => match &node.raw {
            Raw::Text(text) if text == "all" => Ok(Value::All),
            _ => integer(key, node, 1, 100_000),
        },
        Kind::Texts | Kind::Globs | Kind::Command => texts(key, node, origin),
        Kind::Ignored => Err(wrong_type(key, node)),
        _ => match &node.raw {
            Raw::Text(text) => worded(key, text, node.span, origin).map(Value::Text),
            _ => Err(wrong_type(key, node)),
        },
    }
}

/// The error for a key written into a settings file.
pub(super) fn secret_finding(span: Span) -> Finding {
    Finding::new(
        SECRET,
        Severity::Error,
        span,
        "this looks like an API key: keys never go into a settings file. Put it into an environment \
         variable, name that with `api_key_env`, and revoke this key if the file was ever shared",
    )
}

fn integer(key: &Key, node: &Node, low: i64, high: i64) -> Result<Value, Box<Finding>> {
    match node.raw {
        Raw::Integer(n) if (low..=high).contains(&n) => Ok(Value::Integer(n)),
        Raw::Integer(_) => Err(impossible(key, node.span)),
        _ => Err(wrong_type(key, node)),
    }
}

fn number(key: &Key, node: &Node, low: f64, high: f64) -> Result<Value, Box<Finding>> {
    let n = match node.raw {
        Raw::Integer(n) => n as f64,
        Raw::Number(n) => n,
        _ => return Err(wrong_type(key, node)),
    };
    // NaN is in no range.
    if (low..=high).contains(&n) { Ok(Value::Number(n)) } else { Err(impossible(key, node.span)) }
}

fn texts(key: &Key, node: &Node, origin: Origin) -> Result<Value, Box<Finding>> {
    if key.kind == Kind::Command && !is_users_own(origin) {
        return Err(users_file_only(key, node.span, "commands"));
    }
    let Raw::List(items) = &node.raw else { return Err(wrong_type(key, node)) };
    let one = |item: &Node| match &item.raw {
        Raw::Text(text) if secret::looks_like_key(text) => Err(Box::new(secret_finding(item.span))),
        Raw::Text(text) => worded(key, text, item.span, origin),
        _ => Err(wrong_type(key, item)),
    };
    items.iter().map(one).collect::<Result<Vec<_>, _>>().map(Value::Texts)
}

/// Checks a text by what it names.
fn worded(key: &Key, text: &str, span: Span, origin: Origin) -> Result<String, Box<Finding>> {
    if text.trim().is_empty() {
        return Err(refuse(VALUE, span, format!("`{}` is empty", key.name)));
    }
    match key.kind {
        Kind::Choice(words) => choice(key, words, text, span)?,
        Kind::Path => path(key, text, span, origin)?,
        Kind::NameOrPath(names) => name_or_path(key, names, text, span, origin)?,
        Kind::Template => template(key, text, span, origin)?,
        Kind::Globs => glob(text, span, origin)?,
        Kind::Variable => variable(key, text, span)?,
        Kind::Url => url(key, text, span, origin)?,
        _ => {}
    }
    Ok(text.to_owned())
}

fn choice(key: &Key, words: &[&str], text: &str, span: Span) -> Result<(), Box<Finding>> {
    if words.contains(&text) {
        return Ok(());
    }
    let message = format!("`{}` must be {}", key.name, key.kind.expected());
    let mut finding = Finding::new(VALUE, Severity::Error, span, message);
    if let Some(meant) = nearest(text, words.iter().copied()) {
        let title = format!("Change to \"{meant}\"");
        finding = finding.with_fix(Fix::suggested(title, span, format!("\"{meant}\"")));
    }
    Err(Box::new(finding))
}

fn path(key: &Key, text: &str, span: Span, origin: Origin) -> Result<(), Box<Finding>> {
    if is_users_own(origin) || stays_inside(text) {
        return Ok(());
    }
    let message = format!(
        "`{}` leads out of the project: give a path inside the project folder, relative to it",
        key.name
    );
    Err(refuse(VALUE, span, message))
}

fn name_or_path(
    key: &Key,
    names: &[&str],
    text: &str,
    span: Span,
    origin: Origin,
) -> Result<(), Box<Finding>> {
    if names.contains(&text) {
        return Ok(());
    }
    if text.contains(['/', '\\']) || text.ends_with(".json") {
        return path(key, text, span, origin);
    }
    choice(key, names, text, span)
}

/// Built-in templates go by several spellings; the list shows one of each.
fn template(key: &Key, text: &str, span: Span, origin: Origin) -> Result<(), Box<Finding>> {
    if text.contains(['/', '\\']) || text.ends_with(".jinja") || text.ends_with(".json") {
        return path(key, text, span, origin);
    }
    if Template::built_in(text).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = std::iter::once("openai").chain(BUILT_IN).collect();
    choice(key, &names, text, span)
}

fn glob(text: &str, span: Span, origin: Origin) -> Result<(), Box<Finding>> {
    if let Err(error) = globset::Glob::new(text) {
        return Err(refuse(VALUE, span, format!("not a glob: {}", error.kind())));
    }
    if is_users_own(origin) || stays_inside(text) {
        return Ok(());
    }
    let message = "this glob leads out of the project: write it from the project folder";
    Err(refuse(VALUE, span, message))
}

fn variable(key: &Key, text: &str, span: Span) -> Result<(), Box<Finding>> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if text.bytes().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    // The text is not repeated: it may be the key itself.
    let message = format!(
        "`{}` must be the name of an environment variable, such as \"OPENAI_API_KEY\", never the key itself",
        key.name
    );
    Err(refuse(SECRET, span, message))
}

fn url(key: &Key, text: &str, span: Span, origin: Origin) -> Result<(), Box<Finding>> {
    match host::host(text) {
        Err(why) => Err(refuse(VALUE, span, format!("`{}` is not usable: {why}", key.name))),
        Ok(host) if host.loopback || is_users_own(origin) => Ok(()),
        Ok(_) => Err(users_file_only(key, span, "addresses beyond this machine")),
    }
}

/// The user-file rule: a repository must not send a user's keys or text anywhere.
fn users_file_only(key: &Key, span: Span, what: &str) -> Box<Finding> {
    let message = format!(
        "`{}` is not allowed here: {what} may only be named in your own settings \
         (rubricator/config.toml in your configuration folder), in a [[judge]] of the same name, so \
         that a repository can never send your keys or text to a place of its choice",
        key.name
    );
    refuse(HOST, span, message)
}

fn wrong_type(key: &Key, node: &Node) -> Box<Finding> {
    let message =
        format!("`{}` must be {}, this is {}", key.name, key.kind.expected(), node.what());
    let mut finding = Finding::new(TYPE, Severity::Error, node.span, message);
    if let Some(text) = mended(key.kind, &node.raw) {
        finding = finding.with_fix(Fix::suggested(format!("Change to {text}"), node.span, text));
    }
    Box::new(finding)
}

/// The value in its right notation, when only the notation was wrong.
fn mended(kind: Kind, raw: &Raw) -> Option<String> {
    match (kind, raw) {
        (Kind::Integer(..) | Kind::AllOrCount, Raw::Text(text)) => {
            text.trim().parse::<i64>().ok().map(|n| n.to_string())
        }
        (Kind::Number(..), Raw::Text(text)) => {
            text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| format!("{n:?}"))
        }
        (Kind::Bool, Raw::Text(text)) => {
            text.trim().to_lowercase().parse::<bool>().ok().map(|b| b.to_string())
        }
        (Kind::Texts | Kind::Globs, Raw::Text(text)) => {
            Some(Value::Texts(vec![text.clone()]).to_string())
        }
        _ => None,
    }
}

fn impossible(key: &Key, span: Span) -> Box<Finding> {
    refuse(VALUE, span, format!("`{}` must be {}", key.name, key.kind.expected()))
}

fn refuse(code: &'static str, span: Span, message: impl Into<String>) -> Box<Finding> {
    Box::new(Finding::new(code, Severity::Error, span, message))
}

/// True for a relative path that never climbs out of the folder it starts from.
#[must_use]
pub fn stays_inside(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    if drive || path.starts_with(['/', '\\', '~']) {
        return false;
    }
    let mut depth = 0_usize;
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return false,
            },
            // `**` may match no folder at all, so nothing below it can be climbed back.
            "**" => depth = 0,
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_paths_that_leave() {
        for path in ["a/b.yaml", "./a", "a/../b", "data/**/*.jsonl", "a//b"] {
            assert!(stays_inside(path), "{path}");
        }
        for path in ["/etc/x", "../x", "a/../../x", "~/x", "C:\\x", "\\\\host\\x", "a/**/../../x"] {
            assert!(!stays_inside(path), "{path}");
        }
    }
}
