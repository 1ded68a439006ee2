//! What can be typed after `doctor`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::GateFormat;
use crate::doctor::NAMES;

/// `doctor`
#[derive(Args, Debug)]
pub struct Doctor {
    /// Transcript files or folders
    pub paths: Vec<PathBuf>,
    /// The trainer; else `target.trainer` of the settings
    #[arg(long, value_name = "TRAINER", value_parser = PossibleValuesParser::new(NAMES.map(|n| n.0)))]
    pub target: Option<String>,
    /// The chat template: a built-in name, or a model's chat_template.jinja or tokenizer_config.json
    #[arg(long, value_name = "NAME|FILE")]
    pub template: Option<String>,
    /// The tokenizer: an OpenAI encoding, or a model's tokenizer.json
    #[arg(long, value_name = "NAME|FILE")]
    pub tokenizer: Option<String>,
    /// Tokens the trainer keeps of a record; else its own default
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// What the trainer is told to train on; else its own default
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(["all", "replies", "last"]))]
    pub loss: Option<String>,
    /// Print record N (from 1) as the trainer sees it, with what is trained marked
    #[arg(long, value_name = "N")]
    pub show: Option<usize>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: GateFormat,
}

impl Doctor {
    /// The settings that were typed, as `--set` takes them.
    #[must_use]
    pub fn overrides(&self) -> Vec<String> {
        let max_length = self.max_length.map(|n| n.to_string());
        let typed = [
            ("target.trainer", &self.target),
            ("target.loss", &self.loss),
            ("target.max_length", &max_length),
            ("tokens.chat_template", &self.template),
            ("tokens.tokenizer", &self.tokenizer),
        ];
        let pair =
            |(key, value): (&str, &Option<String>)| Some(format!("{key}={}", value.as_ref()?));
        typed.into_iter().filter_map(pair).collect()
    }
}
