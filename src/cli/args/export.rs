//! What can be typed after `export`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// `export`
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct Export {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// Results from the answers there are, as `assess --checkpoint` writes them; asks nobody
    #[arg(long, group = "what")]
    pub assessments: bool,
    /// Applied fixups as preference pairs (prompt, chosen, rejected), as TRL reads them
    #[arg(long, group = "what")]
    pub dpo: bool,
    /// Write this file, as a whole or not at all; else standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
