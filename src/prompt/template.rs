//! A prompt template: Markdown with a head, the sections `# System`,
//! `# Criteria`, `# Transcript` and `# Task`, and placeholders in double braces.
//! Which section goes into which role's text is [`super::Layout`]'s to say.
//!
//! Invariant: what is put in for a placeholder is never searched for
//! placeholders again. The digest covers the text and how values are written
//! into it, so an answer never outlives the question it was given to.

use std::fmt;

use sha2::{Digest as _, Sha256};

const BUILTIN: &str = include_str!("../../prompts/judge.md");

/// Raise it when the way criteria, facts or exchanges are written changes.
const RENDERING: u32 = 2;

const PLACEHOLDERS: [&str; 5] = ["criteria", "statistics", "boundary", "exchanges", "ids"];
/// A prompt without these would not ask about the conversation at all, or unfenced.
const REQUIRED: [(&str, Section); 3] = [
    ("criteria", Section::Criteria),
    ("boundary", Section::Transcript),
    ("exchanges", Section::Transcript),
];
/// The lines that begin the sections, in order.
const HEADINGS: [&str; 4] = ["# System", "# Criteria", "# Transcript", "# Task"];

/// A section of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    System,
    Criteria,
    Transcript,
    Task,
}

/// A template that can be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    sections: [Vec<Piece>; 4],
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
    /// No line reads so, or not after the sections before it.
    NoSection(&'static str),
    /// A placeholder nobody fills, and the line it is on (from 1).
    Unknown(String, usize),
    /// A placeholder that a section (named by its heading) cannot do without.
    Missing(&'static str, &'static str),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSection(heading) => {
                write!(f, "the prompt template has no line that reads `{heading}` in its place")
            }
            Self::Unknown(name, line) => {
                let known = PLACEHOLDERS.join(", ");
                write!(f, "line {line}: unknown placeholder `{name}`; there are {known}")
            }
            Self::Missing(name, heading) => {
                write!(f, "the prompt template never uses {{{{{name}}}}} under `{heading}`")
            }
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
    /// When a section or a required placeholder is missing, or a placeholder is unknown.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.replace("\r\n", "\n");
        let (_, mut rest) = part(&text, HEADINGS[0])?;
        let mut texts = [""; 4];
        for (section, next) in texts.iter_mut().zip(&HEADINGS[1..]) {
            (*section, rest) = part(rest, next)?;
        }
        texts[3] = rest;
        let mut sections = [const { Vec::new() }; 4];
        for (section, words) in sections.iter_mut().zip(texts) {
            *section = pieces(words, &text)?;
        }
        let parsed = Self { sections, digest: digest(&texts) };
        let lacks = |&&(name, section): &&(&str, Section)| {
            let uses = |p: &Piece| matches!(p, Piece::Placeholder(n) if *n == name);
            !parsed.sections[section as usize].iter().any(uses)
        };
        match REQUIRED.iter().find(lacks) {
            Some(&(name, section)) => Err(TemplateError::Missing(name, HEADINGS[section as usize])),
            None => Ok(parsed),
        }
    }

    /// SHA-256 over the sections and the rendering of values.
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// A section, filled.
    pub(super) fn filled(&self, section: Section, fill: &dyn Fn(&str) -> String) -> String {
        filled(&self.sections[section as usize], fill)
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
    Err(TemplateError::NoSection(heading))
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

fn digest(sections: &[&str; 4]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(RENDERING.to_le_bytes());
    for section in sections {
        hash.update((section.len() as u64).to_le_bytes());
        hash.update(section);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&Template::parse(text).map_or_else(|e| e.to_string(), |_| "ok".into()));
    }

    const SMALL: &str = "# System\nhi\n# Criteria\n{{criteria}}\n# Transcript\n{{boundary}}{{exchanges}}\n# Task\nGo: {{ids}}";

    #[test]
    fn a_template_says_what_it_lacks() {
        check(SMALL, expect!["ok"]);
        check(
            "{{criteria}}",
            expect!["the prompt template has no line that reads `# System` in its place"],
        );
        check(
            &SMALL.replace("# Criteria", "# Criterion"),
            expect!["the prompt template has no line that reads `# Criteria` in its place"],
        );
        check(
            "# Task\n# System\n# Criteria\n# Transcript",
            expect!["the prompt template has no line that reads `# Task` in its place"],
        );
        check(
            &SMALL.replace("{{boundary}}", ""),
            expect!["the prompt template never uses {{boundary}} under `# Transcript`"],
        );
        check(
            &SMALL
                .replace("hi\n", "{{criteria}}\n")
                .replace("Criteria\n{{criteria}}", "Criteria\n"),
            expect!["the prompt template never uses {{criteria}} under `# Criteria`"],
        );
        check(
            &SMALL.replace("hi", "{{criterion}}"),
            expect![
                "line 2: unknown placeholder `criterion`; there are criteria, statistics, boundary, exchanges, ids"
            ],
        );
    }

    #[test]
    fn the_digest_follows_the_words_and_not_the_head_or_line_ends() {
        let digest = |text: &str| Template::parse(text).unwrap().digest();
        assert_eq!(digest(SMALL), digest(&format!("---\nname: x\n---\n{SMALL}\n")));
        assert_eq!(digest(SMALL), digest(&SMALL.replace('\n', "\r\n")));
        assert_ne!(digest(SMALL), digest(&SMALL.replace("# Task\n", "# Task\nNow ")));
        let moved = SMALL.replace("hi\n", "").replace("# Task\n", "# Task\nhi\n");
        assert_ne!(digest(SMALL), digest(&moved));
        assert_ne!(Template::builtin().digest(), digest(SMALL));
    }
}
