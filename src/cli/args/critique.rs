//! What can be typed after `critique`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{GateFormat, Label};

/// `critique`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Critique {
    /// `rubric`, `prompts`, `persona`, `taxonomy`, or a file; of transcripts the first five
    #[arg(default_value = "rubric")]
    pub what: String,
    /// The judge that is asked; else the first that is no recording
    #[arg(long, value_name = "NAME")]
    pub judge: Option<String>,
    /// Say what would be sent where; ask nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Also send text that seems to hold keys, e-mail addresses, phone or card numbers
    #[arg(long)]
    pub send_sensitive: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
    /// What to do with a finding
    #[command(subcommand)]
    pub action: Option<CritiqueAction>,
}

/// What can be done with a finding.
#[derive(Debug, Subcommand)]
pub enum CritiqueAction {
    /// Put it into the rubric: its question as a criterion, or its quote as an example
    Accept(Accept),
    /// Say that nothing is to be made of it
    Dismiss(Decide),
}

/// `critique accept`
#[derive(Args, Debug)]
pub struct Accept {
    /// The finding, and who decides
    #[command(flatten)]
    pub decide: Decide,
    /// What it becomes
    #[arg(long = "as", value_enum, default_value = "criterion")]
    pub becomes: Becomes,
    /// The new criterion's category; else the one that the finding is about, else the last that has a weight
    #[arg(long, value_name = "NAME", conflicts_with_all = ["criterion", "label"])]
    pub category: Option<String>,
    /// The criterion that the quoted exchange is an example of
    #[arg(long, value_name = "ID", required_if_eq("becomes", "example"))]
    pub criterion: Option<String>,
    /// What the quoted reply is an example of
    #[arg(long, value_enum, ignore_case = true, required_if_eq("becomes", "example"))]
    pub label: Option<Label>,
}

/// What an accepted finding becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Becomes {
    /// A criterion that asks its question
    Criterion,
    /// A calibration example, of the transcript that it quotes
    Example,
}

/// `critique dismiss`, and what `critique accept` shares with it
#[derive(Args, Debug)]
pub struct Decide {
    /// The finding
    pub id: String,
    /// Why; of one that becomes a criterion, the question in your words
    #[arg(long)]
    pub note: Option<String>,
    /// Who decides; else the login name
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The project, or anything in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
}
