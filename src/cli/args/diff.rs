//! What can be typed after `diff`.

use std::path::PathBuf;

use clap::Args;

use super::GateFormat;

/// `diff`
#[derive(Args, Debug)]
pub struct Diff {
    /// Two runs: the id of a kept one or a beginning of it, `last`, `previous`, or a file
    /// that `assess --checkpoint` or `export --assessments` wrote; without any, lists what is kept
    #[arg(num_args = 0..=2, value_names = ["BEFORE", "AFTER"])]
    pub runs: Vec<String>,
    /// The project, or anything in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
