//! What can be typed behind `review`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::DataFormat;
use crate::rubric::ExampleLabel;

/// `review`
#[derive(Args, Debug)]
pub struct Review {
    /// Where the transcripts are: files or folders
    #[arg(long = "in", global = true, value_name = "PATH", id = "in")]
    pub paths: Vec<PathBuf>,
    /// Who reviews; else the login name
    #[arg(long, global = true, value_name = "NAME")]
    pub by: Option<String>,
    /// What to say
    #[command(subcommand)]
    pub action: Option<ReviewAction>,
}

/// What can be said in a review.
#[derive(Debug, Subcommand)]
pub enum ReviewAction {
    /// List what to read next, the most telling first
    Next {
        /// How many at most
        #[arg(long, default_value_t = 5, value_name = "N")]
        count: usize,
        /// How to print
        #[arg(long, value_enum, default_value = "text")]
        format: DataFormat,
    },
    /// This transcript is good, whatever the judges say
    Accept {
        /// Its id, or FILE:LINE
        id: String,
        /// Why
        #[arg(long)]
        note: Option<String>,
    },
    /// This transcript is not good, whatever the judges say
    Reject {
        /// Its id, or FILE:LINE
        id: String,
        /// Why
        #[arg(long)]
        note: Option<String>,
    },
    /// The verdict on a criterion is right, or wrong
    Mark(Mark),
    /// Make a reply a calibration example of a criterion, in the rubric
    Example(Example),
    /// Note a criterion that the rubric lacks
    Note {
        /// What it should ask
        text: String,
        /// The transcript where it was missed
        #[arg(long, value_name = "ID")]
        transcript: Option<String>,
    },
    /// This batch is good enough to make more like it
    Satisfactory {
        /// The batch
        batch: String,
        /// Why
        #[arg(long)]
        note: Option<String>,
    },
}

/// `review mark`
#[derive(Args, Debug)]
pub struct Mark {
    /// The transcript's id, or FILE:LINE
    pub id: String,
    /// The criterion's id
    pub criterion: String,
    /// Whether the verdict is right
    pub is: RightOrWrong,
    /// What the answer should be, where that is not clear
    #[arg(long, value_enum, ignore_case = true)]
    pub answer: Option<Answer>,
    /// Whose verdict; else everybody's
    #[arg(long, value_name = "NAME")]
    pub judge: Option<String>,
    /// Why
    #[arg(long)]
    pub note: Option<String>,
}

/// Whether a verdict is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum RightOrWrong {
    Right,
    Wrong,
}

/// A human answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Answer {
    Yes,
    No,
    Na,
}

/// `review example`
#[derive(Args, Debug)]
pub struct Example {
    /// The transcript's id, or FILE:LINE
    pub id: String,
    /// The criterion's id
    pub criterion: String,
    /// What the reply is an example of
    #[arg(value_enum, ignore_case = true)]
    pub label: Label,
    /// The exchange; else the one that the judges cite, else the last
    #[arg(long, value_name = "N")]
    pub exchange: Option<u32>,
    /// Why
    #[arg(long)]
    pub note: Option<String>,
}

/// The labels of calibration examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Label {
    Pass,
    Fail,
    #[value(alias = "borderline-pass")]
    BorderlinePass,
    #[value(alias = "borderline-fail")]
    BorderlineFail,
}

impl Label {
    /// The label as rubrics have it.
    #[must_use]
    pub const fn of_rubric(self) -> ExampleLabel {
        match self {
            Self::Pass => ExampleLabel::Pass,
            Self::Fail => ExampleLabel::Fail,
            Self::BorderlinePass => ExampleLabel::BorderlinePass,
            Self::BorderlineFail => ExampleLabel::BorderlineFail,
        }
    }
}
