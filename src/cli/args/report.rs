//! What can be typed after `report`.

use std::path::PathBuf;

use clap::Args;

/// `report`
#[derive(Args, Debug)]
pub struct Report {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// The folder to write into; else the project's
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
