//! What the models that play a user and an assistant are asked: the next message.
//!
//! Invariant: both see the whole conversation (WR24), inside a fence whose mark no
//! message holds; what is filled in is never searched for placeholders; the same
//! conversation makes the same prompt, byte for byte, on every machine.

use std::fmt;

use serde_json::{Value, json};

use crate::generate::{Bounds, Choice, Exchange, Persona, Speaker, TopicSeed, Turn};
use crate::transcript::words;

use super::exchanges::{self, FenceKey};
use super::fixup::filled;
use super::{Part, Prompt};

/// The prompt that plays a user, as it comes with the program.
pub const USER_SIM: &str = include_str!("../../prompts/user_sim.md");
/// The prompt that plays the assistant, as it comes with the program.
pub const ASSISTANT: &str = include_str!("../../prompts/assistant.md");

const SYSTEM: &str = "# System";
const USER: &str = "# User";
/// How to answer, where a prompt of one's own has no sections and leaves it unsaid.
const FORM: &str = "\n\nAnswer with the JSON object alone: `message` is the message.";

const OF_USER: [&str; 12] = [
    "persona", "topics", "number", "total", "stage", "guidance", "response", "flaws", "words",
    "boundary", "history", "again",
];
const OF_ASSISTANT: [&str; 9] = [
    "system_prompt",
    "number",
    "total",
    "user_words",
    "words",
    "boundary",
    "history",
    "message",
    "again",
];

/// A prompt that plays one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePrompt {
    system: String,
    user: String,
}

/// Why a text is no such prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePromptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what to do.
    pub why: String,
}

impl fmt::Display for RolePromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for RolePromptError {}

impl RolePrompt {
    /// Reads a prompt. A text without the heading `# System` is all system text; what
    /// is asked at the end is then ours.
    ///
    /// # Errors
    /// When it has a placeholder that nobody fills, or leaves out the conversation.
    pub fn parse(speaker: Speaker, text: &str) -> Result<Self, RolePromptError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        known_placeholders(speaker, &text)?;
        let body = without_head(&text);
        let Some((_, after)) = at_line(body, SYSTEM) else {
            let ours = match speaker {
                Speaker::User => USER_SIM,
                Speaker::Assistant => ASSISTANT,
            };
            let user = at_line(ours, USER).map_or("", |(_, user)| user);
            return Ok(Self {
                system: format!("{}{FORM}", body.trim()),
                user: user.trim().to_owned(),
            });
        };
        let line = text.lines().count().max(1);
        let Some((system, user)) = at_line(after, USER) else {
            let why = "no line reads `# User`: what is asked at the end stands under it".to_owned();
            return Err(RolePromptError { line, why });
        };
        for name in ["boundary", "history"] {
            if !placeholders(user).any(|(_, used)| used == name) {
                let why = format!(
                    "{{{{{name}}}}} is never used under `# User`: the conversation stands there"
                );
                return Err(RolePromptError { line, why });
            }
        }
        Ok(Self { system: system.trim().to_owned(), user: user.trim().to_owned() })
    }

    fn asking(&self, fill: &dyn Fn(&str) -> String) -> Prompt {
        let part = |template: &str, reused| {
            vec![Part { text: filled(template, fill).trim().to_owned(), reused }]
        };
        Prompt { system: part(&self.system, true), user: part(&self.user, false), schema: schema() }
    }
}

/// A message to be written.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// Who the user is.
    pub persona: &'a Persona,
    /// What was said before, exchange by exchange.
    pub history: &'a [Exchange],
    /// What the user's message is to be like.
    pub turn: &'a Turn,
    /// Words it is to have.
    pub words: Option<Bounds>,
    /// Words that a first attempt had.
    pub missed: Option<usize>,
    /// What the boundary is made with.
    pub fence: FenceKey,
}

/// The prompt that asks for the user's next message.
#[must_use]
pub fn user(prompt: &RolePrompt, next: &Next<'_>) -> Prompt {
    let boundary = boundary(next, None);
    let Next { persona, turn, .. } = *next;
    let topics: Vec<String> =
        persona.topics.iter().map(|topic| format!("- {}", TopicSeed::said(topic))).collect();
    let flaws: Vec<String> = turn.flaws.iter().map(Choice::said).collect();
    prompt.asking(&|name| match name {
        "persona" => persona.card(),
        "topics" => topics.join("\n"),
        "number" => turn.number.to_string(),
        "total" => persona.exchanges.to_string(),
        "stage" => turn.stage.name().to_owned(),
        "guidance" => turn.guidance.clone().unwrap_or_else(|| "whatever is on your mind".into()),
        "response" => match &turn.response {
            Some(response) => response.said(),
            None => "There is none yet: you open the conversation.".into(),
        },
        // WR28: the words for none are part of the rule.
        "flaws" if flaws.is_empty() => "None - communicate directly".into(),
        "flaws" => flaws.join("; "),
        "words" => length(next.words),
        "boundary" => boundary.clone(),
        "history" => history(next.history, &boundary),
        "again" => again(next),
        _ => String::new(),
    })
}

/// The prompt that asks for the reply to a message.
#[must_use]
pub fn assistant(
    prompt: &RolePrompt,
    system_prompt: &str,
    message: &str,
    next: &Next<'_>,
) -> Prompt {
    let boundary = boundary(next, Some(message));
    prompt.asking(&|name| match name {
        "system_prompt" => system_prompt.trim().to_owned(),
        "number" => next.turn.number.to_string(),
        "total" => next.persona.exchanges.to_string(),
        "user_words" => words::count(message).to_string(),
        "words" => length(next.words),
        "boundary" => boundary.clone(),
        "history" => history(next.history, &boundary),
        "message" => message.to_owned(),
        "again" => again(next),
        _ => String::new(),
    })
}

/// The message of a reply; `None` where the reply is not as asked.
#[must_use]
pub fn message(reply: &str) -> Option<String> {
    let value: Value = serde_json::from_str(reply.trim()).ok()?;
    let message = value.as_object()?.get("message")?.as_str()?.trim();
    (!message.is_empty()).then(|| message.to_owned())
}

fn boundary(next: &Next<'_>, message: Option<&str>) -> String {
    let persona = next.persona.rolls;
    let mut name = [0; 32];
    name[..8].copy_from_slice(&persona.seed.to_le_bytes());
    name[8..16].copy_from_slice(&persona.index.to_le_bytes());
    let said = |mark: &str| {
        let texts =
            next.history.iter().flat_map(|e| [e.user.text.as_str(), e.assistant.text.as_str()]);
        texts.chain(message).any(|text| text.contains(mark))
    };
    exchanges::mark(&name, next.fence, said)
}

fn history(exchanges: &[Exchange], boundary: &str) -> String {
    let mut text = String::new();
    for exchange in exchanges {
        for (who, said) in [("user", &exchange.user), ("assistant", &exchange.assistant)] {
            let number = exchange.turn.number;
            text.push_str(&format!("{boundary} exchange {number}, {who}\n{}\n\n", said.text));
        }
    }
    text
}

fn length(words: Option<Bounds>) -> String {
    match words {
        None => "as long as it takes.".into(),
        Some(Bounds { min: 0 | 1, max }) => format!("at most {max} words."),
        Some(Bounds { min, max }) => format!("{min} to {max} words."),
    }
}

fn again(next: &Next<'_>) -> String {
    next.missed.map_or_else(String::new, |had| {
        format!("\nYour last attempt had {had} words. Write it anew, {}", length(next.words))
    })
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}},
        "additionalProperties": false,
    })
}

/// The text without the head between two lines of dashes.
fn without_head(text: &str) -> &str {
    let rest = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    rest.map_or(text, |(_, body)| body)
}

/// What stands before and after the line that reads so.
fn at_line<'t>(text: &'t str, heading: &str) -> Option<(&'t str, &'t str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == heading {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

fn known_placeholders(speaker: Speaker, text: &str) -> Result<(), RolePromptError> {
    let known: &[&str] = match speaker {
        Speaker::User => &OF_USER,
        Speaker::Assistant => &OF_ASSISTANT,
    };
    match placeholders(text).find(|(_, name)| !known.contains(name)) {
        None => Ok(()),
        Some((at, name)) => {
            let line = text[..at].matches('\n').count() + 1;
            let short: String = name.chars().take(40).collect();
            let why = format!("unknown placeholder `{short}`; there are {}", known.join(", "));
            Err(RolePromptError { line, why })
        }
    }
}

/// Every placeholder, and where it stands.
fn placeholders(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("{{").filter_map(|(at, _)| {
        let (name, _) = text[at + 2..].split_once("}}")?;
        Some((at, name))
    })
}

#[cfg(test)]
mod tests;
