//! What can be typed after `audit`.

use std::path::PathBuf;

use clap::Args;

use super::GateFormat;

/// `audit`
#[derive(Args, Debug)]
pub struct Audit {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
