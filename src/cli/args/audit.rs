//! What can be typed after `audit`.

use std::path::PathBuf;

use clap::Args;

use super::GateFormat;
use crate::cli::shard::Shard;

/// `audit`
#[derive(Args, Debug)]
pub struct Audit {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// Only the I-th of N parts, as in 2/8: for several machines (files in turn)
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
