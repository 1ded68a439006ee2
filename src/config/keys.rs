//! The one table of settings: every key with its type, default and meaning.
//!
//! Invariant: what is not in [`KEYS`] cannot be set anywhere. Parsing, merging,
//! `status --config`, completion and the suggestion for a misspelt key all read
//! this table; the typed defaults in [`super::Settings`] say the same (tested).

use super::trainers::TRAINERS;
use crate::tokens::template;

/// One setting.
#[derive(Debug, PartialEq)]
pub struct Key {
    /// The table it stands in, without brackets.
    pub table: &'static str,
    /// Its name in the table.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// The default in TOML notation; empty when it has none.
    pub default: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// A path; in a project file it stays inside the project.
    Path,
    /// A tokenizer's or template's built-in name, or a path as in [`Kind::Path`].
    NameOrPath(&'static [&'static str]),
    /// A chat template: `openai`, a built-in name, or a path.
    Template,
    /// The name of an environment variable.
    Variable,
    /// An http(s) address.
    Url,
    /// The name of a program and its arguments.
    Command,
    /// A whole number in these bounds.
    Integer(i64, i64),
    /// A number in these bounds.
    Number(f64, f64),
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `"all"` or a whole number from 1.
    AllOrCount,
    /// A list of texts.
    Texts,
    /// A list of globs inside the project.
    Globs,
    /// The list of ignored findings.
    Ignored,
}

/// The tables, in the order they are documented.
pub const TABLES: &[&str] = &[
    "project", "tokens", "assess", "judge", "fixup", "target", "generate", "slice", "audit",
    "ignore", "limits",
];

/// The names of the tiktoken encodings.
pub const ENCODINGS: &[&str] =
    &["o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "p50k_edit", "r50k_base"];

/// The providers by name.
pub const PROVIDERS: &[&str] =
    &["anthropic", "openai", "gemini", "openai-compatible", "claude-cli", "recorded"];

const COUNT: Kind = Kind::Integer(1, 1_000_000_000);
/// USD; `inf` is no cap.
const MONEY: Kind = Kind::Number(0.0, f64::INFINITY);
const SHARE: Kind = Kind::Number(0.0, 1.0);
const SEED: Kind = Kind::Integer(0, i64::MAX);

const fn key(
    table: &'static str,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key { table, name, kind, default, doc }
}

/// Every setting there is.
pub static KEYS: &[Key] = &[
    key(
        "project",
        "transcripts",
        Kind::Globs,
        r#"["data/raw/**/*.jsonl", "data/raw/**/*.json"]"#,
        "Which files are transcripts, as globs from the project folder.",
    ),
    key("project", "rubric", Kind::Path, r#""config/rubric.yaml""#, "The rubric."),
    key(
        "project",
        "system_prompt",
        Kind::Path,
        r#""config/prompts/system.md""#,
        "The system prompt that slicing adds.",
    ),
    key(
        "tokens",
        "tokenizer",
        Kind::NameOrPath(ENCODINGS),
        r#""o200k_base""#,
        "A tiktoken encoding, or a path to a Hugging Face tokenizer.json.",
    ),
    key(
        "tokens",
        "chat_template",
        Kind::Template,
        "",
        "How a record is rendered: \"openai\", a built-in name (chatml, llama3, …) or a path; without it, the tokenizer's own.",
    ),
    key("tokens", "limit", COUNT, "16000", "Tokens a record may have."),
    key(
        "assess",
        "on_save",
        Kind::Choice(&["changed", "off"]),
        r#""changed""#,
        "Whether saving assesses the transcripts that lack answers.",
    ),
    key("assess", "max_per_save", COUNT, "25", "Transcripts one save may send."),
    key(
        "assess",
        "max_cost_per_save",
        MONEY,
        "0.5",
        "USD one save may cost; `inf` is no cap, and lets a model without a known price be asked.",
    ),
    key("assess", "max_cost_per_run", MONEY, "10.0", "USD one run may cost."),
    key(
        "assess",
        "debounce_ms",
        Kind::Integer(0, 600_000),
        "1500",
        "Milliseconds in which further saves become one run.",
    ),
    key("assess", "criteria_per_call", Kind::AllOrCount, r#""all""#, "Criteria asked in one call."),
    key(
        "assess",
        "isolate_sensitive",
        Kind::Bool,
        "false",
        "Ask safety gates and highly subjective criteria alone.",
    ),
    key(
        "assess",
        "aggregation",
        Kind::Choice(&["strictest", "majority"]),
        r#""strictest""#,
        "How several judges become one.",
    ),
    key(
        "assess",
        "sensitive_text",
        Kind::Choice(&["send", "ask", "block"]),
        r#""ask""#,
        "What happens before a transcript with what looks like keys, e-mail addresses, phone or card numbers is sent beyond this machine.",
    ),
    key("assess", "seed", SEED, "0", "Seed of the order in which criteria are asked."),
    key(
        "assess",
        "borderline",
        SHARE,
        "0.05",
        "How close to the threshold a score after the first answers is, for judges with `repeat` to be asked everything again.",
    ),
    key(
        "assess",
        "max_attempts",
        Kind::Integer(1, 100),
        "7",
        "How often one call is sent at most, when the server is busy or broken.",
    ),
    key(
        "assess",
        "max_wait_s",
        Kind::Integer(0, 86_400),
        "3600",
        "Seconds one call waits at most; a server that asks for more is out of quota.",
    ),
    key(
        "assess",
        "deadline_s",
        Kind::Integer(1, 31_536_000),
        "86400",
        "Seconds a run may take; what is not answered then is unscored.",
    ),
    key("judge", "name", Kind::Text, "", "The judge's name in results."),
    key("judge", "provider", Kind::Choice(PROVIDERS), "", "The API behind the judge."),
    key("judge", "model", Kind::Text, "", "The model's name at the provider."),
    key(
        "judge",
        "base_url",
        Kind::Url,
        "",
        "The server's address, in place of the vendor's own; beyond this machine only in your own settings file.",
    ),
    key(
        "judge",
        "api_key_env",
        Kind::Variable,
        "",
        "The environment variable that holds the API key; without it the vendor's usual one, for the vendor's own address alone.",
    ),
    key(
        "judge",
        "command",
        Kind::Command,
        "",
        "The program to run (claude-cli); only in your own settings file.",
    ),
    key("judge", "file", Kind::Path, "", "The recording to replay (recorded)."),
    key("judge", "max_concurrency", Kind::Integer(1, 1024), "8", "Calls under way at once."),
    key("judge", "timeout_s", Kind::Integer(1, 86_400), "120", "Seconds one call may take."),
    key(
        "judge",
        "max_tokens",
        Kind::Integer(1, 10_000_000),
        "",
        "Tokens a reply may have, thinking included; anthropic needs a number and gets 16000 without it.",
    ),
    key(
        "judge",
        "effort",
        Kind::Text,
        "",
        "Reasoning effort, when the model takes one; none turns thinking off where that can be done.",
    ),
    key(
        "judge",
        "temperature",
        Kind::Number(0.0, 2.0),
        "",
        "Sampling temperature; sent only when set, and only to a model that takes it.",
    ),
    key(
        "judge",
        "family",
        Kind::Text,
        "",
        "The model family, for the warning about a model judging its own text.",
    ),
    key("judge", "repeat", Kind::Integer(1, 100), "1", "How often each question is asked."),
    key(
        "fixup",
        "min_exchanges_kept",
        COUNT,
        "10",
        "Exchanges that must stay when a transcript is truncated.",
    ),
    key("fixup", "drafter", Kind::Text, "", "The judge that drafts rewrites."),
    key("target", "trainer", Kind::Choice(TRAINERS), r#""none""#, "The trainer the data is for."),
    key(
        "target",
        "transcripts",
        COUNT,
        "",
        "Transcripts the data set is to have, passed and not rejected; `status` counts them.",
    ),
    key(
        "target",
        "loss",
        Kind::Choice(&["all", "replies", "last"]),
        "",
        "What the trainer is told to train on; its own default where it is not said.",
    ),
    key("target", "max_length", COUNT, "", "Tokens the trainer keeps of an example."),
    key("generate", "user_model", Kind::Text, "", "Who plays the user: JUDGE or JUDGE/MODEL."),
    key("generate", "assistant_model", Kind::Text, "", "Who plays the assistant, likewise."),
    key("generate", "count", COUNT, "5", "Transcripts to generate."),
    key("generate", "exchanges", COUNT, "", "Exchanges a generated transcript has."),
    key("generate", "seed", SEED, "0", "Seed of everything that is sampled."),
    key("slice", "validation", SHARE, "0.1", "Share of transcripts held back for validation."),
    key("slice", "seed", SEED, "0", "Seed of the split."),
    key(
        "slice",
        "system_prompt",
        Kind::Choice(&["record", "project"]),
        r#""record""#,
        "Whose system message wins.",
    ),
    key("audit", "phrase_share", SHARE, "0.5", "Share of replies a phrase may be in."),
    key("audit", "mean_ratio", Kind::Number(0.0, 1e6), "2.0", "Mean words ratio that is too much."),
    key("audit", "over_ratio_share", SHARE, "0.5", "Share of replies over twice the user's words."),
    key(
        "audit",
        "overused_share",
        SHARE,
        "0.05",
        "Share of replies from which a phrase that users hardly say is too much.",
    ),
    key(
        "audit",
        "overused_times",
        Kind::Number(1.0, 1e6),
        "4.0",
        "How much more often than users that is.",
    ),
    key(
        "audit",
        "opener_share",
        SHARE,
        "0.25",
        "Share of replies that may begin, or end, with the same words.",
    ),
    key(
        "audit",
        "similarity",
        SHARE,
        "0.8",
        "Share of word runs in common from which two transcripts are near-duplicates.",
    ),
    key(
        "audit",
        "praise",
        Kind::Texts,
        r#"["great question", "good question", "great job", "good job", "well done", "good for you", "proud of you", "that's great", "that's wonderful", "that's amazing", "that's fantastic", "i love that", "you're doing great", "so impressive"]"#,
        "What counts as praise.",
    ),
    key("audit", "headers", COUNT, "3", "Headers in every reply that are too many."),
    key("audit", "late_praise", Kind::Number(0.0, 1e6), "2.0", "Late praise against early praise."),
    key("audit", "phrases", Kind::Texts, "[]", "Phrases to look for."),
    key(
        "ignore",
        "findings",
        Kind::Ignored,
        "[]",
        "Findings not to show: {code, transcript?, exchange?, reason}.",
    ),
    key("limits", "record_mb", Kind::Integer(1, 4095), "256", "Megabytes one record may have."),
    key("limits", "depth", Kind::Integer(8, 128), "128", "Levels JSON may nest."),
    key("limits", "findings_per_file", COUNT, "1000", "Findings shown for one file."),
];

/// The setting `table.name`.
#[must_use]
pub fn find(table: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.table == table && k.name == name)
}

/// The settings of one table.
pub fn of_table(table: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |k| k.table == table)
}

impl Kind {
    /// What is expected, for messages: "a whole number from 1 to 100".
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Path => "a path".into(),
            Self::NameOrPath(names) => format!("{} or a path", quoted(names)),
            Self::Template => format!("\"openai\", {} or a path", quoted(&template::BUILT_IN)),
            Self::Variable => "the name of an environment variable".into(),
            Self::Url => "an http or https address".into(),
            Self::Command => "a list of texts: the program and its arguments".into(),
            Self::Integer(low, high) if high >= 1_000_000_000 => {
                format!("a whole number from {low}")
            }
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::Number(low, high) if high >= 1e6 => format!("a number from {low}"),
            Self::Number(low, high) => format!("a number from {low} to {high}"),
            Self::Bool => "true or false".into(),
            Self::Choice(words) => quoted(words),
            Self::AllOrCount => "\"all\" or a whole number from 1".into(),
            Self::Texts => "a list of texts".into(),
            Self::Globs => "a list of globs".into(),
            Self::Ignored => "a list of {code, transcript?, exchange?, reason}".into(),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_known() {
        let mut names = crate::tokens::Encoding::ALL.map(crate::tokens::Encoding::name);
        let mut known = ENCODINGS.to_vec();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names.as_slice(), known);
    }

    #[test]
    fn every_key_stands_in_a_documented_table_once() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(TABLES.contains(&key.table), "{}", key.table);
            let twin = KEYS[i + 1..].iter().any(|k| (k.table, k.name) == (key.table, key.name));
            assert!(!twin, "{}.{} twice", key.table, key.name);
            assert!(key.doc.ends_with('.'), "{}.{}", key.table, key.name);
        }
    }
}
