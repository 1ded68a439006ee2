//! A prompt template: Markdown with a head, a `# System` and a `# User` part,
//! and placeholders in double braces.
//!
//! Invariant: what is put in for a placeholder is never searched for
//! placeholders again. The digest covers the text and how values are written
//! into it, so an answer never outlives the question it was given to.

use std::fmt;

use sha2::{Digest as _, Sha256};

const BUILTIN: &str = include_str!("../../prompts/judge.md");

/// Raise it when the way criteria, facts or exchanges are written changes.
const RENDERING: u32 = 1;

const PLACEHOLDERS: [&str; 4] = ["criteria", "statistics", "boundary", "exchanges"];
/// A prompt without these would not ask about the conversation at all, or unfenced.
const REQUIRED: [&str; 3] = ["criteria", "boundary", "exchanges"];

/// A template that can be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    system: Vec<Piece>,
    user: Vec<Piece>,
    digest: [u8; 32],
}

/// Text as it stands, or a placeholder's name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(&'static str),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// No line reads `# System`, or none reads `# User` after it.
    NoPart(&'static str),
    /// A placeholder nobody fills, and the line it is on (from 1).
    Unknown(String, usize),
    /// A placeholder that a prompt cannot do without.
    Missing(&'static str),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPart(part) => write!(f, "the prompt template has no line that reads `{part}`"),
            Self::Unknown(name, line) => {
                let known = PLACEHOLDERS.join(", ");
                write!(f, "line {line}: unknown placeholder `{name}`; there are {known}")
            }
            Self::Missing(name) => write!(f, "the prompt template never uses {{{{{name}}}}}"),
        }
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// The template that comes with the program (`prompts/judge.md`).
    ///
    /// # Panics
    /// Never: a test parses it.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in template parses")
    }

    /// Reads a template.
    ///
    /// # Errors
    /// When a part or a required placeholder is missing, or a placeholder is unknown.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.replace("\r\n", "\n");
        let (_, rest) = part(&text, "# System")?;
        let (system, user) = part(rest, "# User")?;
        let parsed = Self {
            system: pieces(system, &text)?,
            user: pieces(user, &text)?,
            digest: digest(system, user),
        };
        let used = |name: &str| {
            let pieces = || parsed.system.iter().chain(&parsed.user);
            pieces().any(|p| matches!(p, Piece::Placeholder(n) if *n == name))
        };
        match REQUIRED.into_iter().find(|name| !used(name)) {
            Some(name) => Err(TemplateError::Missing(name)),
            None => Ok(parsed),
        }
    }

    /// SHA-256 over the two parts and the rendering of values.
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The system part, filled.
    pub(super) fn system(&self, fill: &dyn Fn(&str) -> String) -> String {
        filled(&self.system, fill)
    }

    /// The user part, filled.
    pub(super) fn user(&self, fill: &dyn Fn(&str) -> String) -> String {
        filled(&self.user, fill)
    }
}

/// What stands before and after the line that reads `heading`.
fn part<'t>(text: &'t str, heading: &'static str) -> Result<(&'t str, &'t str), TemplateError> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == heading {
            return Ok((text[..at].trim(), text[at + line.len()..].trim()));
        }
        at += line.len();
    }
    Err(TemplateError::NoPart(heading))
}

fn pieces(part: &str, whole: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = part;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        let known = PLACEHOLDERS.into_iter().find(|known| *known == name.trim());
        let placeholder = known.ok_or_else(|| {
            let before = whole.find(&format!("{{{{{name}}}}}")).unwrap_or(0);
            let line = whole[..before].matches('\n').count() + 1;
            TemplateError::Unknown(name.trim().to_owned(), line)
        })?;
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Placeholder(placeholder));
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn filled(pieces: &[Piece], fill: &dyn Fn(&str) -> String) -> String {
    let written = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Placeholder(name) => fill(name),
    });
    written.collect()
}

fn digest(system: &str, user: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(RENDERING.to_le_bytes());
    hash.update((system.len() as u64).to_le_bytes());
    hash.update(system);
    hash.update(user);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&Template::parse(text).map_or_else(|e| e.to_string(), |_| "ok".into()));
    }

    #[test]
    fn a_template_says_what_it_lacks() {
        check("# System\n{{criteria}}\n# User\n{{boundary}}{{exchanges}}", expect!["ok"]);
        check("{{criteria}}", expect!["the prompt template has no line that reads `# System`"]);
        check(
            "# System\n{{criteria}}",
            expect!["the prompt template has no line that reads `# User`"],
        );
        check(
            "# System\n# User\n{{boundary}}{{exchanges}}",
            expect!["the prompt template never uses {{criteria}}"],
        );
        check(
            "# System\nhi\n{{criterion}}\n# User",
            expect![
                "line 3: unknown placeholder `criterion`; there are criteria, statistics, boundary, exchanges"
            ],
        );
    }

    #[test]
    fn the_digest_follows_the_words_and_not_the_head_or_line_ends() {
        let text = "# System\n{{criteria}}\n# User\n{{boundary}}{{exchanges}}";
        let digest = |text: &str| Template::parse(text).unwrap().digest();
        assert_eq!(digest(text), digest(&format!("---\nname: x\n---\n{text}\n")));
        assert_eq!(digest(text), digest(&text.replace('\n', "\r\n")));
        assert_ne!(digest(text), digest(&text.replace("# User\n", "# User\nNow ")));
        assert_ne!(Template::builtin().digest(), digest(text));
    }
}
