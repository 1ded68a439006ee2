//! What can be typed behind `rubric`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::GateFormat;

/// `rubric`
#[derive(Debug, Subcommand)]
pub enum Rubric {
    /// Show how the criteria changed from run to run, and what that did to the pass rate
    History(History),
}

/// `rubric history`
#[derive(Args, Debug)]
pub struct History {
    /// The project, or anything in it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
