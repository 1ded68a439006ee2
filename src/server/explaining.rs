//! `rubricator.explain`: what is known about a place, and why there is no finding.
//!
//! Invariant: everything said here is a fact of this moment; nothing is looked up
//! on disk and nobody is asked.

use tower_lsp_server::gen_lsp_types::{MessageType, Uri};

use crate::analysis::{lenses, rubric_lenses};

use super::open_document::{Content, OpenDocument};
use super::requests::execute_command::{Accepted, Target};
use super::session::Session;
use super::shelf::Record;
use super::snapshot::{Known, Snapshot};

impl Session {
    /// Shows what is known about the target as a message.
    pub(super) fn explain(&mut self, target: &Target) -> Accepted {
        let uri = Uri(target.uri.clone());
        let Some(document) = self.documents.get_mut(&uri) else {
            return Accepted::no("this file is not open in the editor");
        };
        document.catch_up();
        let census = self.sweeps.census(&document.live.project.root);
        let snapshot = Snapshot { census, ..Snapshot::of(document, self.client.clone()) };
        let mut text = explanation(document, target.transcript.as_deref());
        if let Some(criterion) =
            target.criterion.as_deref().and_then(|id| of_criterion(&snapshot, id))
        {
            text = format!("{text}\n{criterion}");
        }
        self.outbox.message(MessageType::Info, text);
        Accepted::yes()
    }
}

fn explanation(document: &OpenDocument, id: Option<&str>) -> String {
    let mut lines = vec![project(document)];
    if document.desynced {
        lines.push("The text is out of step with the editor's: close the file and open it.".into());
    }
    match &document.content {
        Content::Transcripts(transcripts) => {
            if transcripts.has_unread() {
                lines.push("The file is still being read.".into());
            }
            let named = |r: &Record<'_>| {
                id.is_none_or(|id| r.outline().is_some_and(|outline| *outline.id == *id))
            };
            let limit = document.live.settings().tokens.limit;
            let all = transcripts.shelf().records().filter(named);
            lines.extend(all.take(MOST).map(|record| of_record(&record, limit)));
        }
        Content::Rubric(_) => lines.push("This is a rubric.".into()),
        Content::Settings(_) => lines.push("This is a settings file.".into()),
        Content::Other => lines.push(
            "This file is not looked at: it has neither a transcript's name nor a rubric's keys."
                .into(),
        ),
    }
    lines.join("\n")
}

/// Records explained in one message.
const MOST: usize = 5;

fn project(document: &OpenDocument) -> String {
    let live = &document.live;
    let root = live.project.root.as_ref();
    let root = root.map_or_else(|| "no project".to_owned(), |root| root.display().to_string());
    let rubric = match (&live.rules, live.rubric()) {
        (None, _) => "rubric not read yet".to_owned(),
        (Some(_), None) => "no rubric".to_owned(),
        (Some(_), Some(rubric)) => {
            format!("rubric {} with {} criteria", rubric.name, rubric.criteria.len())
        }
    };
    let judges: Vec<&str> = live.settings().judges.iter().map(|j| j.name.as_str()).collect();
    let judges = if judges.is_empty() { "none".to_owned() } else { judges.join(", ") };
    format!("Project: {root} · {rubric} · judges: {judges}")
}

/// What became of a criterion over the project.
fn of_criterion(snapshot: &Snapshot, id: &str) -> Option<String> {
    let Known::Rubric(parsed) = &snapshot.content else { return None };
    let criterion = parsed.rubric.as_ref()?.criterion(id)?;
    let facts = rubric_lenses::criterion(criterion, snapshot.counted(criterion));
    Some(format!("{id}, {}: {facts}", criterion.name))
}

fn of_record(record: &Record<'_>, limit: usize) -> String {
    let line = record.line() + 1;
    let findings = record.known.analysis.findings.len();
    let Some(outline) = record.outline() else {
        return format!("Line {line}: no transcript; {findings} findings");
    };
    let judged = record.judged;
    let said = judged.map_or(0, |judged| judged.findings.len());
    let summary = lenses::summary(outline, judged.map(|j| &j.standing), limit);
    let quick = if record.known.quick { "; only its structure was looked at so far" } else { "" };
    format!(
        "Line {line}, {}: {summary}; {findings} static findings, {said} from judges{quick}",
        outline.id
    )
}
