//! *Use as calibration example*: a reply becomes an example in the rubric, as an edit
//! of the open document or of the file.
//!
//! Invariants: the edit is made for one version of the rubric's text and only adds to
//! it ([`example::insert`]); the editor applies it, and is asked, never waited for.

use std::collections::HashMap;
use std::path::PathBuf;

use tower_lsp_server::gen_lsp_types::{
    DocumentChange, Edit, OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit,
    TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};

use crate::analysis::hints::counted;
use crate::review::calibration;
use crate::rubric::{CalibrationExample, ExampleLabel, digest, example};
use crate::text::document::Document;
use crate::text::json;
use crate::transcript::{Transcript, read};

use super::capabilities::ClientFlags;
use super::convert;
use super::outbox::Application;
use super::requests::execute_command::{Accepted, Target};
use super::reviewing::Subject;
use super::session::Session;
use super::uri;

/// The rubric an example is put into.
struct Rubric {
    uri: Uri,
    name: String,
    /// Its text and version; `None` when it is not open.
    open: Option<(Document, i32)>,
    path: PathBuf,
    client: ClientFlags,
}

impl Session {
    pub(super) fn calibrate(&mut self, target: &Target) -> Result<Accepted, String> {
        if !self.client.apply_edits {
            return Err("this editor takes no edits from the server: \
                        `rubricator review example` does the same"
                .into());
        }
        let subject = self.subject(target)?;
        let criterion = target.criterion.clone().ok_or("name the criterion")?;
        let label = label(target.label.as_deref())?;
        let example = self.example(&subject, &criterion, label, target)?;
        let stale = self.stale_answers(&subject, &criterion);
        let rubric = self.rubric_of(&subject)?;
        let done = format!(
            "{criterion} has a {} example more. {stale} Save the rubric to keep it.",
            label.name()
        );
        if rubric.open.is_some() {
            let application = application(&rubric, &criterion, &example, done)?;
            self.outbox.apply(application);
            return Ok(Accepted::yes());
        }
        let outbox = self.outbox.clone();
        self.runtime.spawn_blocking(move || {
            match application(&rubric, &criterion, &example, done) {
                Ok(application) => outbox.apply(application),
                Err(why) => {
                    outbox.message(tower_lsp_server::gen_lsp_types::MessageType::Warning, why);
                }
            }
        });
        Ok(Accepted::yes())
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

    fn transcript_of(&self, subject: &Subject) -> Option<Transcript> {
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

    fn rubric_of(&self, subject: &Subject) -> Result<Rubric, String> {
        let path = subject.live.project.rubric_path().ok_or("the project has no rubric file")?;
        let open = self.documents.values().find(|d| d.path.as_ref() == Some(&path));
        if open.is_some_and(|document| document.desynced) {
            return Err("the rubric is out of step with the editor: close it and open it".into());
        }
        Ok(Rubric {
            uri: open.map_or_else(|| uri::from_path(&path), |document| document.uri.clone()),
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            open: open.map(|document| (document.text.clone(), document.version)),
            path,
            client: self.client.clone(),
        })
    }
}

fn label(name: Option<&str>) -> Result<ExampleLabel, String> {
    let names = ExampleLabel::ALL.map(ExampleLabel::name).join(", ");
    let name = name.ok_or_else(|| format!("give the `label`: {names}"))?;
    let found = ExampleLabel::ALL.into_iter().find(|l| l.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| format!("`label` is one of {names}, not `{name}`"))
}

/// The edit, made for the text as it is.
fn application(
    rubric: &Rubric,
    criterion: &str,
    example: &CalibrationExample,
    done: String,
) -> Result<Application, String> {
    let text = match &rubric.open {
        Some((text, _)) => text.clone(),
        None => {
            let text = std::fs::read_to_string(&rubric.path);
            Document::new(&text.map_err(|e| format!("{} cannot be read: {e}", rubric.name))?)
        }
    };
    let edit = example::insert(&text.text(), criterion, example);
    let edit = edit.map_err(|why| format!("{}: {why}", rubric.name))?;
    let range = convert::range(text.span_to_range(edit.span, rubric.client.encoding));
    let version = rubric.open.as_ref().map(|(_, version)| *version);
    let edit = TextEdit { range, new_text: edit.text };
    let shown = Range { start: range.end, end: range.end };
    Ok(Application {
        edit: workspace_edit(rubric, version, edit),
        done,
        refused: format!("the editor did not take the edit of {}: try it again", rubric.name),
        show: rubric.client.show_document.then(|| (rubric.uri.clone(), shown)),
    })
}

fn workspace_edit(rubric: &Rubric, version: Option<i32>, edit: TextEdit) -> WorkspaceEdit {
    if !rubric.client.versioned_edits {
        let changes = HashMap::from([(rubric.uri.clone(), vec![edit])]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let text_document = OptionalVersionedTextDocumentIdentifier {
        version,
        text_document_identifier: TextDocumentIdentifier { uri: rubric.uri.clone() },
    };
    let edits = vec![Edit::TextEdit(edit)];
    let change = DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits });
    WorkspaceEdit { document_changes: Some(vec![change]), ..WorkspaceEdit::default() }
}
