//! What can be typed after `fix`.

use std::path::PathBuf;

use clap::Args;

use super::GateFormat;

/// `fix`
#[derive(Args, Debug)]
pub struct Fix {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// Write proven rewrites into the transcripts
    #[arg(long, conflicts_with = "dry_run")]
    pub write: bool,
    /// Say what would be rewritten; ask nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Only for this criterion
    #[arg(long, value_name = "ID")]
    pub criterion: Option<String>,
    /// Only in this transcript
    #[arg(long, value_name = "ID")]
    pub transcript: Option<String>,
    /// The judge that drafts
    #[arg(long, value_name = "NAME")]
    pub drafter: Option<String>,
    /// What a draft should do, or do otherwise
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Take this applied fixup back
    #[arg(long, value_name = "FIXUP", conflicts_with_all = ["write", "dry_run", "criterion", "drafter", "note"])]
    pub revert: Option<String>,
    /// Cut this transcript off before an exchange
    #[arg(long, value_name = "ID", requires = "before", conflicts_with_all = ["transcript", "criterion", "drafter", "note", "revert"])]
    pub truncate: Option<String>,
    /// The first exchange that goes
    #[arg(long, value_name = "EXCHANGE", requires = "truncate")]
    pub before: Option<u32>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}
