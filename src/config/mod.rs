//! Settings: what `rubricator.toml`, the user file, the environment, the editor
//! and the command line can say (SPEC section 9), as plain values with defaults.

use std::path::PathBuf;

mod audit;
pub mod generate;
pub mod host;
pub mod keys;
pub mod layer;
pub mod price_list;
pub mod resolve;
pub mod secret;
mod source;
mod trainers;
pub mod value;

pub use audit::{Audit, PRAISE};
pub use generate::Generate;
pub use layer::{Layer, from_editor, parse};
pub use resolve::{Resolved, resolve};

/// All settings of one project, after precedence was applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// `[project]`
    pub project: Project,
    /// `[tokens]`
    pub tokens: Tokens,
    /// `[assess]`
    pub assess: Assess,
    /// `[[judge]]`, in file order.
    pub judges: Vec<Judge>,
    /// `[fixup]`
    pub fixup: Fixup,
    /// `[target]`
    pub target: Target,
    /// `[generate]`
    pub generate: Generate,
    /// `[slice]`
    pub slice: Slice,
    /// `[audit]`
    pub audit: Audit,
    /// `[limits]`
    pub limits: Limits,
    /// `[ignore]`
    pub ignore: Vec<Ignore>,
}

/// `[project]`: which files are what. Paths are relative to the project folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// Globs of transcript files.
    pub transcripts: Vec<String>,
    /// The rubric.
    pub rubric: PathBuf,
    /// The system prompt that slicing adds.
    pub system_prompt: PathBuf,
}

/// `[tokens]`
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// A tiktoken encoding, or a path to a `tokenizer.json`.
    pub tokenizer: String,
    /// `openai`, a built-in name, or a path; `None` picks the tokenizer's default.
    pub chat_template: Option<String>,
    /// Tokens a record may have.
    pub limit: usize,
}

/// `[assess]`
#[derive(Clone, Debug, PartialEq)]
pub struct Assess {
    /// What a save does.
    pub on_save: OnSave,
    /// Transcripts one save may send.
    pub max_per_save: usize,
    /// Money one save may cost, in USD.
    pub max_cost_per_save: f64,
    /// Money one run may cost, in USD.
    pub max_cost_per_run: f64,
    /// How long further saves coalesce, in milliseconds.
    pub debounce_ms: u64,
    /// Criteria in one call; `None` is all.
    pub criteria_per_call: Option<usize>,
    /// Gates and highly subjective criteria go alone.
    pub isolate_sensitive: bool,
    /// How several judges become one.
    pub aggregation: Aggregation,
    /// What happens to text that looks like it holds secrets or personal data.
    pub sensitive_text: SensitiveText,
    /// Seed of the criteria order.
    pub seed: u64,
    /// A score this close to the threshold after the first answers is asked for again.
    pub borderline: f64,
    /// How often one call is sent at most.
    pub max_attempts: u32,
    /// How long one call waits at most between attempts, in seconds.
    pub max_wait_s: u64,
    /// How long a run may take, in seconds.
    pub deadline_s: u64,
}

/// `assess.on_save`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSave {
    /// Assess the transcripts that lack answers.
    Changed,
    /// Never.
    Off,
}

/// `assess.sensitive_text`: a transcript that seems to hold secrets or personal data,
/// and a judge beyond this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensitiveText {
    /// It is sent like any other.
    Send,
    /// It is sent once the user has said so.
    Ask,
    /// It is not sent.
    Block,
}

/// `assess.aggregation`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregation {
    /// The worst judge decides.
    Strictest,
    /// Most judges decide, a tie is NO; gates stay strictest.
    Majority,
}

/// One `[[judge]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    /// Its name in output.
    pub name: String,
    /// The API behind it.
    pub provider: Provider,
    /// The model; empty for `recorded`.
    pub model: String,
    /// The server's base URL, ending in `/v1` for `openai-compatible`.
    pub base_url: Option<String>,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// The program and its arguments (`claude-cli`); only the user's own file may name one.
    pub command: Option<Vec<String>>,
    /// The recording (`recorded`), relative to the project folder.
    pub file: Option<PathBuf>,
    /// Calls under way at once.
    pub max_concurrency: usize,
    /// Seconds one call may take.
    pub timeout_s: u64,
    /// Tokens a reply may have; `None` is the provider's own choice.
    pub max_tokens: Option<u32>,
    /// Reasoning effort, when the model takes one.
    pub effort: Option<String>,
    /// Sampling temperature; sent only when set.
    pub temperature: Option<f64>,
    /// The model family, for warnings about judging one's own text.
    pub family: Option<String>,
    /// How often each question is asked.
    pub repeat: u32,
    /// Where this judge is declared: only the user's own file may name hosts beyond loopback.
    pub origin: Origin,
}

/// `judge.provider`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Provider {
    Anthropic,
    OpenAi,
    Gemini,
    OpenAiCompatible,
    ClaudeCli,
    Recorded,
}

/// Where a setting comes from, weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Origin {
    #[default]
    Default,
    UserFile,
    ProjectFile,
    Editor,
    Environment,
    CommandLine,
}

/// `[fixup]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixup {
    /// Exchanges that must stay when a transcript is truncated.
    pub min_exchanges_kept: usize,
    /// The judge that drafts rewrites; `None` is the first that is no recording.
    pub drafter: Option<String>,
}

/// `[target]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Transcripts the data set is to have.
    pub transcripts: Option<usize>,
    /// Tokens the trainer keeps of an example; `None` where it is not said.
    pub max_length: Option<usize>,
    /// The trainer, by name; `None` is none.
    pub trainer: Option<String>,
    /// What is trained on, by name; `None` is the trainer's own choice.
    pub loss: Option<String>,
}

/// `[slice]`
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Share of the groups held back for validation.
    pub validation: f64,
    /// Seed of the split.
    pub seed: u64,
    /// Whose system message wins.
    pub system_prompt: SystemPrompt,
}

/// `slice.system_prompt`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemPrompt {
    /// The record's own; the project's where it has none.
    Record,
    /// The project's.
    Project,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Megabytes (2^20 bytes) one record may have.
    pub record_mb: usize,
    /// Levels JSON may nest.
    pub depth: usize,
    /// Findings shown for one file.
    pub findings_per_file: usize,
}

/// One entry of `[ignore] findings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The rule or criterion.
    pub code: String,
    /// Only in this transcript.
    pub transcript: Option<String>,
    /// Only in this exchange.
    pub exchange: Option<u32>,
    /// Why.
    pub reason: String,
}

impl Provider {
    /// The name in settings and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::OpenAiCompatible => "openai-compatible",
            Self::ClaudeCli => "claude-cli",
            Self::Recorded => "recorded",
        }
    }
}

impl Settings {
    /// True when `[ignore]` hides the finding.
    #[must_use]
    pub fn ignores(&self, finding: &crate::finding::Finding) -> bool {
        let matches = |ignore: &Ignore| {
            let transcript = ignore.transcript.as_deref();
            ignore.code == finding.code
                && transcript.is_none_or(|t| finding.transcript.as_deref() == Some(t))
                && ignore.exchange.is_none_or(|e| finding.exchange == Some(e))
        };
        self.ignore.iter().any(matches)
    }
}

impl Default for Project {
    fn default() -> Self {
        Self {
            transcripts: vec!["data/raw/**/*.jsonl".into(), "data/raw/**/*.json".into()],
            rubric: "config/rubric.yaml".into(),
            system_prompt: "config/prompts/system.md".into(),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { tokenizer: "o200k_base".into(), chat_template: None, limit: 16_000 }
    }
}

impl Default for Assess {
    fn default() -> Self {
        Self {
            on_save: OnSave::Changed,
            max_per_save: 25,
            max_cost_per_save: 0.50,
            max_cost_per_run: 10.0,
            debounce_ms: 1500,
            criteria_per_call: None,
            isolate_sensitive: false,
            aggregation: Aggregation::Strictest,
            sensitive_text: SensitiveText::Ask,
            seed: 0,
            borderline: 0.05,
            max_attempts: 7,
            max_wait_s: 3600,
            deadline_s: 86_400,
        }
    }
}

impl Default for Slice {
    fn default() -> Self {
        Self { validation: 0.1, seed: 0, system_prompt: SystemPrompt::Record }
    }
}

impl Default for Fixup {
    fn default() -> Self {
        Self { min_exchanges_kept: 10, drafter: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_mb: 256, depth: 128, findings_per_file: 1000 }
    }
}
