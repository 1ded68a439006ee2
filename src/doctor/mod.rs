//! The trainer doctor: what a trainer will make of a record, above all what it
//! loses without a word.
//!
//! Invariant: pure. A [`Diagnosis`] depends on the record and the [`Target`]
//! alone; its spans count from the record's first byte. What a trainer does with
//! a record that it renders on the user's machine is found by rendering it the
//! same way, not by rules about families of templates.
//!
//! Deliberately absent: the rules that hold whatever one trains with (they are
//! `analysis::diagnostics::structure`); [`settled`] makes one list of both.

mod content;
pub mod file;
mod input;
mod length;
mod pairs;
mod rendered;
mod roles;
mod settle;
mod shape;
pub mod show;
mod subject;
mod texts;
mod tools;
mod trainer;
pub mod view;
mod weights;

use std::borrow::Cow;

pub use settle::settled;
pub use trainer::{Loss, NAMES, OverLength, Trainer};
pub use view::{Count, View};

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::json::Json;
use crate::tokens::{RecordCounter, Template};
use crate::transcript::Transcript;
use subject::Subject;

/// What the data is for.
#[derive(Clone, Debug)]
pub struct Target {
    /// Who trains.
    pub trainer: Trainer,
    /// What is trained on.
    pub loss: Loss,
    /// Tokens kept of a record.
    pub max_length: Option<usize>,
    /// The limit is the trainer's own, nobody chose it.
    pub max_length_is_default: bool,
    /// Tokenizer and chat template.
    pub counter: RecordCounter,
    /// The chat template was named, or lies beside the model's tokenizer.
    pub template_is_known: bool,
}

/// What becomes of a record, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// All of it reaches the model.
    #[default]
    Whole,
    /// Something in it is lost or changed without a word.
    Changed,
    /// Its end is cut off.
    Cut,
    /// The trainer leaves it out.
    Dropped,
    /// The trainer, or its check, refuses it.
    Refused,
}

/// What a trainer makes of a record.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// What is wrong, by place.
    pub findings: Vec<Finding>,
    /// What becomes of the record.
    pub fate: Fate,
    /// Its tokens; `None` where it cannot be rendered or counted.
    pub count: Option<Count>,
}

impl Fate {
    /// `whole`, `changed`, `cut`, `dropped` or `refused`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Changed => "changed",
            Self::Cut => "cut",
            Self::Dropped => "dropped",
            Self::Refused => "refused",
        }
    }
}

impl Target {
    /// A target; what is not given is the trainer's own.
    ///
    /// # Errors
    /// When the trainer cannot be told to train on that; says what it can do.
    pub fn new(
        trainer: Trainer,
        loss: Option<Loss>,
        max_length: Option<usize>,
        counter: RecordCounter,
        template_is_known: bool,
    ) -> Result<Self, String> {
        let loss = loss.unwrap_or(trainer.default_loss());
        if !trainer.can_train(loss) {
            let can = [("all", Loss::All), ("replies", Loss::Replies), ("last", Loss::Last)];
            let can: Vec<&str> =
                can.iter().filter(|(_, l)| trainer.can_train(*l)).map(|(n, _)| *n).collect();
            return Err(format!("{} trains on: {}", trainer.name(), can.join(", ")));
        }
        Ok(Self {
            trainer,
            loss,
            max_length: max_length.or(trainer.default_max_length()),
            max_length_is_default: max_length.is_none(),
            counter,
            template_is_known,
        })
    }

    /// What is wrong with the target itself, whatever the records: findings about a
    /// file as a whole, at its start.
    #[must_use]
    pub fn faults(&self) -> Vec<Finding> {
        let mut faults = Vec::new();
        let Template::Jinja(template) = self.counter.template() else { return faults };
        let mut fault = |code: &'static str, severity, message: String| {
            faults.push(Finding::new(Cow::Borrowed(code), severity, Span::empty(0), message));
        };
        let (trainer, name) = (self.trainer.name(), self.counter.template().name());
        if !self.template_is_known {
            return faults;
        }
        if template.has_date() {
            fault(
                "C004",
                Severity::Hint,
                format!(
                    "the {name} template writes the day's date into every record: what is trained, and \
                     its length, change from day to day (counted here with one pinned date)"
                ),
            );
        }
        if self.trainer == Trainer::Trl && self.loss == Loss::Replies && !template.has_generation()
        {
            fault(
                "W003",
                Severity::Error,
                format!(
                    "the {name} template does not mark what the assistant says: with \
                     assistant_only_loss {trainer} stops; use a template with {{% generation %}} blocks"
                ),
            );
        }
        faults
    }
}

/// Looks at one record, of which `json` is the parse and `transcript` the reading.
#[must_use]
pub fn examine(record: &str, json: &Json, transcript: &Transcript, target: &Target) -> Diagnosis {
    let Some(mut subject) = Subject::new(record, json, transcript, target) else {
        return Diagnosis::default();
    };
    if shape::check(&mut subject) {
        roles::check(&mut subject);
        content::check(&mut subject);
        tools::check(&mut subject);
        weights::check(&mut subject);
        pairs::check(&mut subject);
        texts::check(&mut subject);
        let view = rendered::check(&mut subject);
        length::check(&mut subject, view.as_ref());
        return subject.diagnosis(view.and_then(|v| v.count));
    }
    subject.diagnosis(None)
}

/// The record as the trainer renders it, with what is trained marked.
///
/// # Errors
/// Why there is no such text, as a sentence.
pub fn view(
    record: &str,
    json: &Json,
    transcript: &Transcript,
    target: &Target,
) -> Result<View, String> {
    let subject = Subject::new(record, json, transcript, target);
    let subject = subject.ok_or_else(|| "the record is no conversation".to_owned())?;
    let handed = input::handed(&subject);
    view::of(&subject, &handed)
}

#[cfg(test)]
mod tests;
