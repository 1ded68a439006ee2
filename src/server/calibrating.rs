//! *Use as calibration example*: a reply becomes an example in the rubric.
//!
//! Invariant: the edit only adds to the rubric ([`example::insert`]), and it is said
//! which answers it makes stale.

use crate::analysis::hints::counted;
use crate::review::calibration;
use crate::rubric::{CalibrationExample, ExampleLabel, digest, example};
use crate::text::json;
use crate::transcript::{Transcript, read};

use super::requests::execute_command::{Accepted, Target};
use super::rubric_edit::Made;
use super::session::Session;
use super::subject::Subject;

impl Session {
    pub(super) fn calibrate(&mut self, target: &Target) -> Result<Accepted, String> {
        let subject = self.subject(target)?;
        let criterion = target.criterion.clone().ok_or("name the criterion")?;
        let label = label(target.label.as_deref())?;
        let example = self.example(&subject, &criterion, label, target)?;
        let stale = self.stale_answers(&subject, &criterion);
        let rubric = self.rubric_of(&subject.live, "rubricator review example")?;
        let done = format!(
            "{criterion} has a {} example more. {stale} Save the rubric to keep it.",
            label.name()
        );
        self.edit_rubric(rubric, move |text| {
            let edit =
                example::insert(text, &criterion, &example).map_err(|why| why.to_string())?;
            Ok(Made { edit, done, then: None })
        })
    }

    fn example(
        &self,
        subject: &Subject,
        criterion: &str,
        label: ExampleLabel,
        target: &Target,
    ) -> Result<CalibrationExample, String> {
        let transcript = self.transcript_of(subject).ok_or("this is no transcript")?;
        let own = target.note.as_deref().filter(|note| !note.trim().is_empty());
        let reviews = self.reviews(&subject.live);
        let digest = subject.digest.to_string();
        let noted = reviews.iter().flat_map(|reviews| {
            let wording = |id: &str| reviews.panel.criterion_key(id).map(|key| digest::hex(&key));
            let said =
                reviews.log.remarks(reviews.bound(&subject.id, &digest), criterion, &wording);
            let noted = said.into_iter().filter(|(_, holds)| *holds);
            noted.filter_map(|(record, _)| record.note.as_deref()).collect::<Vec<_>>()
        });
        let notes: Vec<&str> = own.into_iter().chain(noted).collect();
        let made = calibration::example(
            &transcript,
            target.exchange,
            label,
            criterion,
            &subject.outcomes,
            &notes,
        );
        made.ok_or_else(|| "there is no such exchange".to_owned())
    }

    pub(super) fn transcript_of(&self, subject: &Subject) -> Option<Transcript> {
        let document = self.documents.get(&subject.uri)?;
        let record = document.text.slice(subject.span);
        let json = json::parse(&record, subject.live.settings().limits.depth);
        read::read(&record, &json).transcript.ok()
    }

    /// What an edit of a criterion costs: its answers are about another wording then.
    fn stale_answers(&self, subject: &Subject, criterion: &str) -> String {
        match self.sweeps.census(&subject.live.project.root) {
            None => "The answers to it become stale.".to_owned(),
            Some(census) => match census.roster.answers(criterion) {
                0 => "No answer becomes stale.".to_owned(),
                n => format!(
                    "{} to it {} stale: judges are asked again when it is assessed.",
                    counted(n, "answer"),
                    if n == 1 { "becomes" } else { "become" }
                ),
            },
        }
    }
}

/// The label with this name.
pub(super) fn label(name: Option<&str>) -> Result<ExampleLabel, String> {
    let names = ExampleLabel::ALL.map(ExampleLabel::name).join(", ");
    let name = name.ok_or_else(|| format!("give the `label`: {names}"))?;
    let found = ExampleLabel::ALL.into_iter().find(|l| l.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| format!("`label` is one of {names}, not `{name}`"))
}
