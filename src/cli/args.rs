//! What can be typed: subcommands, their options, their words of help.
//!
//! Deliberately absent: what any of it does.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::shard::Shard;
use crate::finding::Severity;

mod audit;
mod convert;
mod critique;
mod diff;
mod doctor;
mod export;
mod fix;
mod generate;
mod report;
mod review;
mod rubric;
mod slice;
mod store;
mod trust;

pub use audit::Audit;
pub use convert::Convert;
pub use critique::{Accept, Becomes, Critique, CritiqueAction, Decide};
pub use diff::Diff;
pub use doctor::Doctor;
pub use export::Export;
pub use fix::Fix;
pub use generate::Generate;
pub use report::Report;
pub use review::{Answer, Example, Label, Mark, Review, ReviewAction, RightOrWrong};
pub use rubric::{History, Rubric};
pub use slice::Slice;
pub use store::Store;
pub use trust::{Key, Trust};

/// Assess chat transcripts against a rubric, on the words that matter.
#[derive(Debug, Parser)]
#[command(name = "rubricator", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// Options of every subcommand.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub color: When,
    /// Say less; only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Static work only: no connection, no other program
    #[arg(long, global = true)]
    pub untrusted: bool,
    /// Override one setting, as in --set tokens.limit=8000 (may be repeated)
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", id = "override")]
    pub overrides: Vec<String>,
}

/// When to do something that suits terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum When {
    Auto,
    Always,
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve an editor over standard input and output
    Lsp(Lsp),
    /// Make a working project: settings, a starter rubric, an example transcript
    Init(Init),
    /// Report static findings: structure, tokens, checks, rubric, settings
    Check(Check),
    /// Assess transcripts: checks are computed, judges are asked what they have not answered yet
    Assess(Assess),
    /// Draft rewrites of replies that failed, and prove them; `--write` applies what is proven
    Fix(Fix),
    /// Say what you think of transcripts and verdicts; without an action, what to read next
    Review(Review),
    /// Show how the rubric changed, and what that did
    #[command(subcommand)]
    Rubric(Rubric),
    /// Say whether more transcripts like those of a batch may be made
    Gate(Gate),
    /// Say what is wrong with the transcripts as a whole: phrases, lengths, praise, near-duplicates
    Audit(Audit),
    /// Cut what passed into training examples, split into training and validation first
    Slice(Slice),
    /// Make transcripts: two models talk, one as a persona of yours, one as the assistant
    Generate(Generate),
    /// Write transcripts in another shape, and say what that loses
    Convert(Convert),
    /// Write where the data set stands: a page for people, a text, and tables
    Report(Report),
    /// Say what a trainer makes of the transcripts: what it refuses, drops, cuts off, loses without a word
    Doctor(Doctor),
    /// Have experts and difficult users criticise the rubric, prompts or a few transcripts
    Critique(Critique),
    /// Say what passed in one run and failed in another, and why; without runs, list them
    Diff(Diff),
    /// Write results, or preference pairs of fixups, as JSON lines
    Export(Export),
    /// Count the tokens of every transcript, as rendered by the chat template
    Tokens(Tokens),
    /// Say what is at a place, and why there is or is no finding
    Explain(Explain),
    /// Print the settings in force, what the project consists of, and what was spent on it
    Status(Status),
    /// List the judges and what is known of them; try them on planted flaws
    Judges(Judges),
    /// Trust a project, so that its judges may use your keys
    Trust(Trust),
    /// Share, take up or remove paid answers
    #[command(subcommand)]
    Store(Store),
    /// Put a key into the system's keyring, or take it out
    #[command(subcommand)]
    Key(Key),
}

/// `init`
#[derive(Args, Debug)]
pub struct Init {
    /// The folder; made when it does not exist
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The provider of the first judge
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(
        crate::config::keys::PROVIDERS
    ))]
    pub judge: Option<String>,
}

/// `check`
#[derive(Args, Debug)]
pub struct Check {
    /// Transcript files, rubrics, settings files, or folders; `-` is standard input
    pub paths: Vec<PathBuf>,
    /// Apply the fixes that cannot lose anything
    #[arg(long)]
    pub fix: bool,
    /// Only findings of these kinds
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Family>,
    /// Only the I-th of N parts, as in 2/8: for several machines (files in turn)
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// The mildest severity that makes the run fail
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "warning")]
    pub fail_on: FailOn,
    /// Read standard input as if it were this file
    #[arg(long, value_name = "NAME")]
    pub stdin_filename: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: CheckFormat,
}

/// Kinds of static findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Family {
    Structure,
    Tokens,
    Checks,
    Rubric,
}

/// The mildest severity that makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum FailOn {
    Error,
    Warning,
    Info,
    Hint,
    Never,
}

impl FailOn {
    /// True when a finding of this severity makes the run fail.
    #[must_use]
    pub fn counts(self, severity: Severity) -> bool {
        let mildest = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Info => Severity::Info,
            Self::Hint => Severity::Hint,
            Self::Never => return false,
        };
        severity <= mildest
    }
}

/// How `check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum CheckFormat {
    Text,
    Json,
    Jsonl,
    Github,
    Sarif,
    Junit,
}

/// `status`
#[derive(Args, Debug)]
pub struct Status {
    /// The project, or anything in it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Print every setting and where it came from
    #[arg(long = "config", id = "settings")]
    pub settings: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text", conflicts_with = "settings")]
    pub format: DataFormat,
}

/// `judges`
#[derive(Args, Debug)]
pub struct Judges {
    /// The project, or anything in it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Only these judges
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub judge: Vec<String>,
    /// Ask each judge about conversations of which the right answers are known: planted
    /// flaws, and texts that try to steer it. Costs a few calls a judge
    #[arg(long)]
    pub selftest: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: DataFormat,
}

/// `tokens`
#[derive(Args, Debug)]
pub struct Tokens {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: DataFormat,
}

/// How results that are data print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum DataFormat {
    Text,
    Json,
    Jsonl,
}

/// `explain`
#[derive(Args, Debug)]
pub struct Explain {
    /// The place, as FILE:LINE or FILE:LINE:COL
    pub place: String,
}

/// `lsp`
#[derive(Args, Debug)]
pub struct Lsp {
    /// Speak over standard input and output, as it always does
    #[arg(long)]
    pub stdio: bool,
}

/// `assess`
#[derive(Args, Debug)]
pub struct Assess {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// Only the I-th of N parts, as in 2/8: for several machines (whose answers `store merge` brings together)
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Ask only these judges
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub judge: Vec<String>,
    /// Say what would be asked, of whom and at what cost; ask nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Hand the questions in as batches, at half the price, where the provider has
    /// them; waits up to a day, and goes on waiting when it is run again
    #[arg(long)]
    pub batch: bool,
    /// Append each transcript's result to this file as soon as it is there, and
    /// skip those that are in it
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Write every answer to this file, to be replayed by a `recorded` judge
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Also send transcripts that seem to hold keys, e-mail addresses, phone or card numbers
    #[arg(long)]
    pub send_sensitive: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: DataFormat,
}

/// `gate`
#[derive(Args, Debug)]
pub struct Gate {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}

/// How `gate` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum GateFormat {
    Text,
    Json,
}
