//! What can be typed after `generate`.

use std::path::PathBuf;

use clap::Args;

use super::GateFormat;

/// `generate`
#[derive(Args, Debug)]
pub struct Generate {
    /// The project, or anything in it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How many transcripts there are to be; those that are there count
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Seed of everything that is sampled
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Exchanges of each, whatever the persona template says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub exchanges: Option<u32>,
    /// The file they are appended to, in the project; else `data/raw/generated-VERSION.jsonl`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Say who would be played by whom, and what would be sent where; ask nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Assess the file when it is done; standard output is then what `assess` prints
    #[arg(long, conflicts_with = "dry_run")]
    pub assess: bool,
    /// Also send prompts that seem to hold keys, e-mail addresses, phone or card numbers
    #[arg(long)]
    pub send_sensitive: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
