//! What can be typed after `critique`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::GateFormat;

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
    /// Note its question as a criterion that the rubric lacks
    Accept(Decide),
    /// Say that nothing is to be made of it
    Dismiss(Decide),
}

/// `critique accept`, `critique dismiss`
#[derive(Args, Debug)]
pub struct Decide {
    /// The finding
    pub id: String,
    /// Why; of one that is accepted, the question in your words
    #[arg(long)]
    pub note: Option<String>,
    /// Who decides; else the login name
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The project, or anything in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
}
