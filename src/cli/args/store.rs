//! What can be typed after `store`.

use std::path::PathBuf;

use clap::Subcommand;

/// `store`
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Write the project's paid answers to a file that others can merge; `-` is standard output
    Export {
        /// The file to make
        file: PathBuf,
        /// The project, or anything in it
        #[arg(long, value_name = "DIR", default_value = ".")]
        project: PathBuf,
    },
    /// Take up the answers of exported files; what is there already stays
    Merge {
        /// Files that `store export` made
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The project, or anything in it
        #[arg(long, value_name = "DIR", default_value = ".")]
        project: PathBuf,
    },
    /// Remove every answer about a transcript, so that its bytes are gone
    Purge {
        /// Transcripts by place, as FILE:LINE
        places: Vec<String>,
        /// Transcripts by id, or by the 64 digits of their digest (may be repeated)
        #[arg(long = "transcript", value_name = "ID")]
        transcripts: Vec<String>,
        /// Also remove answers from older versions that do not say what they are about
        #[arg(long)]
        unknown: bool,
        /// The project, or anything in it
        #[arg(long, value_name = "DIR", default_value = ".")]
        project: PathBuf,
    },
}
