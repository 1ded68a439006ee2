//! An edit of the rubric that the server makes: in the open document, or in the file.
//!
//! Invariants: the edit is made for one version of the rubric's text; the editor
//! applies it, and is asked, never waited for.

use std::collections::HashMap;
use std::path::PathBuf;

use tower_lsp_server::gen_lsp_types::{
    DocumentChange, Edit, MessageType, OptionalVersionedTextDocumentIdentifier, Range,
    TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};

use crate::finding;
use crate::text::document::Document;

use super::capabilities::ClientFlags;
use super::convert;
use super::event::Event;
use super::outbox::Application;
use super::projects::Live;
use super::requests::execute_command::Accepted;
use super::session::Session;
use super::uri;

/// The rubric that is edited.
pub struct Rubric {
    uri: Uri,
    name: String,
    /// Its text and version; `None` when it is not open.
    open: Option<(Document, i32)>,
    path: PathBuf,
    client: ClientFlags,
}

/// An edit of a rubric's text.
pub struct Made {
    /// The edit.
    pub edit: finding::Edit,
    /// Said when the editor took it.
    pub done: String,
    /// Happens when the editor took it.
    pub then: Option<Event>,
}

impl Session {
    /// The rubric of a project, to be edited. `instead`: the command line that does the
    /// same where the editor takes no edits.
    pub(super) fn rubric_of(&self, live: &Live, instead: &str) -> Result<Rubric, String> {
        if !self.client.apply_edits {
            let why = "this editor takes no edits from the server";
            return Err(format!("{why}: `{instead}` does the same"));
        }
        let path = live.project.rubric_path().ok_or("the project has no rubric file")?;
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

    /// Has the editor apply what `make` makes of the rubric's text.
    pub(super) fn edit_rubric(
        &self,
        rubric: Rubric,
        make: impl FnOnce(&str) -> Result<Made, String> + Send + 'static,
    ) -> Result<Accepted, String> {
        if rubric.open.is_some() {
            self.outbox.apply(application(&rubric, make)?);
            return Ok(Accepted::yes());
        }
        let outbox = self.outbox.clone();
        self.runtime.spawn_blocking(move || match application(&rubric, make) {
            Ok(application) => outbox.apply(application),
            Err(why) => outbox.message(MessageType::Warning, why),
        });
        Ok(Accepted::yes())
    }
}

/// The edit, made for the text as it is.
fn application(
    rubric: &Rubric,
    make: impl FnOnce(&str) -> Result<Made, String>,
) -> Result<Application, String> {
    let text = match &rubric.open {
        Some((text, _)) => text.clone(),
        None => {
            let text = std::fs::read_to_string(&rubric.path);
            Document::new(&text.map_err(|e| format!("{} cannot be read: {e}", rubric.name))?)
        }
    };
    let Made { edit, done, then } =
        make(&text.text()).map_err(|why| format!("{}: {why}", rubric.name))?;
    let range = convert::range(text.span_to_range(edit.span, rubric.client.encoding));
    let version = rubric.open.as_ref().map(|(_, version)| *version);
    let edit = TextEdit { range, new_text: edit.text };
    let shown = Range { start: range.end, end: range.end };
    Ok(Application {
        edit: workspace_edit(rubric, version, edit),
        done,
        refused: format!("the editor did not take the edit of {}: try it again", rubric.name),
        show: rubric.client.show_document.then(|| (rubric.uri.clone(), shown)),
        then,
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
