//! A transcript as it is written down.
//!
//! Invariant: a record follows from what made it and what was said; only `created_at`
//! is of the moment. It is one line, in the `exchanges` shape.

use serde_json::{Value, json};

use super::persona::Persona;
use super::recipe::Bounds;
use super::turn::Turn;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The simulated user.
    User,
    /// The assistant.
    Assistant,
}

/// A message that came with another number of words than asked, twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Who wrote it.
    pub who: Speaker,
    /// Words it has.
    pub words: usize,
    /// Words it was to have.
    pub asked: Bounds,
}

/// A message, and what was wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// Too few or too many of them.
    pub violation: Option<Violation>,
}

/// An exchange that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What the user's message was to be like.
    pub turn: Turn,
    /// What the user wrote.
    pub user: Said,
    /// What the assistant wrote.
    pub assistant: Said,
}

/// What a transcript is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    /// The model that plays the user.
    pub user_model: String,
    /// The model that plays the assistant.
    pub assistant_model: String,
    /// The version of all prompts together.
    pub version: String,
    /// The version of each, by name.
    pub versions: Vec<(&'static str, String)>,
    /// The version of the prompts and everything else that changes a transcript.
    pub setup: String,
}

impl Speaker {
    /// The role's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// The id of the transcript that a persona has with these makers.
#[must_use]
pub fn id(persona: &Persona, maker: &Maker) -> String {
    let setup = maker.setup.get(..8).unwrap_or(&maker.setup);
    format!("g{}-{:04}-{setup}", persona.rolls.seed, persona.rolls.index)
}

/// The batch of a version of the prompts: each has a pass rate and a gate of its own,
/// whatever file its transcripts are in.
#[must_use]
pub fn batch(version: &str) -> String {
    format!("generated-{}", version.get(..8).unwrap_or(version))
}

/// The record, without a line end. `at` is when it was made.
#[must_use]
pub fn record(persona: &Persona, maker: &Maker, exchanges: &[Exchange], at: &str) -> String {
    let versions =
        maker.versions.iter().map(|(name, version)| ((*name).to_owned(), json!(version)));
    json!({
        "id": id(persona, maker),
        "persona": persona.to_json(),
        "exchanges": exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "target_exchanges": persona.exchanges,
        "batch": batch(&maker.version),
        "created_at": at,
        "generator_version": concat!("rubricator ", env!("CARGO_PKG_VERSION")),
        "prompt_version": maker.version,
        "prompt_versions": Value::Object(versions.collect()),
        "generation": {
            "seed": persona.rolls.seed,
            "index": persona.rolls.index,
            "user_model": maker.user_model,
            "assistant_model": maker.assistant_model,
        },
    })
    .to_string()
}

fn exchange(exchange: &Exchange) -> Value {
    let Exchange { turn, user, assistant } = exchange;
    let flaws: Vec<&str> = turn.flaws.iter().map(|flaw| flaw.name.as_str()).collect();
    let mut value = json!({
        "exchange_number": turn.number,
        "user": user.text,
        "assistant": assistant.text,
        "stage": turn.stage.name(),
        "guidance": turn.guidance,
        "response_type": turn.response.as_ref().map(|response| response.name.as_str()),
        "flaws": flaws,
    });
    let violations: Vec<Value> =
        [user, assistant].into_iter().filter_map(|said| said.violation).map(violated).collect();
    if !violations.is_empty() {
        value["violations"] = violations.into();
    }
    value
}

fn violated(violation: Violation) -> Value {
    let Violation { who, words, asked } = violation;
    json!({"who": who.name(), "words": words, "min": asked.min, "max": asked.max})
}
