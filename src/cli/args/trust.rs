//! What can be typed after `trust` and `key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `trust`
#[derive(Args, Debug)]
pub struct Trust {
    /// The project folder, or anything in it
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Take the trust back
    #[arg(long, conflicts_with = "list")]
    pub revoke: bool,
    /// Print every project you trust
    #[arg(long)]
    pub list: bool,
}

/// `key`
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Read a key from standard input and keep it under this name
    Set {
        /// What `api_key_env` names, as in OPENAI_API_KEY
        name: String,
    },
    /// Take the key of this name out
    Forget {
        /// What `api_key_env` names
        name: String,
    },
}
