//! What can be typed after `slice`.

use std::path::PathBuf;

use clap::Args;

use super::GateFormat;

/// `slice`
#[derive(Args, Debug)]
pub struct Slice {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// Show where each transcript would be cut; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Share of the personas (or transcripts) held back for validation, from 0 to 1
    #[arg(long, value_name = "SHARE")]
    pub validation: Option<f64>,
    /// Seed of the split
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The folder to write into; else `data/processed` of the project
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How to print; `json` is the manifest as an array
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
