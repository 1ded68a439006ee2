//! What can be typed after `convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::convert::Target;

/// `convert`
#[derive(Args, Debug)]
pub struct Convert {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// The shape to write
    #[arg(long, value_enum, value_name = "SHAPE")]
    pub to: To,
    /// Write this file, as a whole or not at all; else standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Shapes that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    Messages,
    Sharegpt,
    Contents,
    Exchanges,
}

impl From<To> for Target {
    fn from(to: To) -> Self {
        match to {
            To::Messages => Self::Messages,
            To::Sharegpt => Self::ShareGpt,
            To::Contents => Self::Contents,
            To::Exchanges => Self::Exchanges,
        }
    }
}
