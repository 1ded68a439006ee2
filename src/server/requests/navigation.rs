//! `textDocument/definition` and `textDocument/references`: from a failure to its
//! criterion, from a criterion to every place that names it and every open transcript
//! that fails it.
//!
//! Invariant: answered from memory; of the open documents the text in the editor
//! counts, else what was read from disk.

use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::{Location, Position, Uri};

use crate::analysis::navigation::Named;
use crate::rubric::parse::Parsed;
use crate::text::document::{Document, Encoding};

use super::super::open_document::{Content, OpenDocument};
use super::super::projects::Live;
use super::super::session::Session;
use super::super::{convert, uri};

/// A rubric and its text.
struct Rubric<'a> {
    uri: Uri,
    text: Document,
    parsed: &'a Parsed,
}

impl Rubric<'_> {
    fn location(&self, span: crate::text::Span, encoding: Encoding) -> Location {
        let range = convert::range(self.text.span_to_range(span, encoding));
        Location { uri: self.uri.clone(), range }
    }
}

/// Where what is named at a place is defined.
pub fn definition(session: &mut Session, uri: &Uri, position: Position) -> Option<Location> {
    let (named, live) = named_at(session, uri, position)?;
    let rubric = rubric_of(session, uri, &live)?;
    Some(rubric.location(named.definition(rubric.parsed)?, session.encoding()))
}

/// Every place that names it: in the rubric, and the words that fail it in the open
/// transcripts of the project.
pub fn references(
    session: &mut Session,
    uri: &Uri,
    position: Position,
    with_definition: bool,
) -> Option<Vec<Location>> {
    let (named, live) = named_at(session, uri, position)?;
    let encoding = session.encoding();
    let rubric = rubric_of(session, uri, &live)?;
    let mentions = named.mentions(rubric.parsed);
    let wanted = mentions.filter(|(_, defines)| with_definition || !defines);
    let mut all: Vec<Location> = wanted.map(|(span, _)| rubric.location(span, encoding)).collect();
    let same = |d: &&OpenDocument| d.live.project.root == live.project.root;
    let mut open: Vec<&OpenDocument> = session.documents.values().filter(same).collect();
    open.sort_by(|a, b| a.uri.0.cmp(&b.uri.0));
    for document in open.into_iter().filter(|_| !named.is_category) {
        all.extend(failures(document, &named.id, encoding));
    }
    Some(all)
}

/// The words of a document that fail a criterion.
fn failures(document: &OpenDocument, id: &str, encoding: Encoding) -> Vec<Location> {
    let Some(transcripts) = document.transcripts() else { return Vec::new() };
    let mut all = Vec::new();
    for record in transcripts.shelf().records() {
        let judged = record.judged.iter().flat_map(|judged| &judged.findings);
        let found = judged.chain(&record.known.analysis.findings).filter(|f| f.code == id);
        all.extend(found.map(|finding| {
            let span = finding.span.shifted(record.span().start);
            let range = convert::range(document.text.span_to_range(span, encoding));
            Location { uri: document.uri.clone(), range }
        }));
    }
    all
}

/// What a place names: an id in a rubric, or the criterion that fails there.
fn named_at(session: &mut Session, uri: &Uri, position: Position) -> Option<(Named, Arc<Live>)> {
    let encoding = session.encoding();
    let document = session.documents.get_mut(uri)?;
    document.catch_up();
    let at = document.text.offset(convert::place(position), encoding);
    let live = Arc::clone(&document.live);
    let named = match &document.content {
        Content::Rubric(parsed) => Named::at(parsed, at)?,
        Content::Transcripts(transcripts) => {
            let record = transcripts.shelf().at(at)?;
            let by = record.span().start;
            let judged = record.judged.iter().flat_map(|judged| &judged.findings);
            let all = judged.chain(&record.known.analysis.findings);
            let rubric = live.rubric()?;
            let here = all
                .filter(|f| f.span.shifted(by).touches(at) && rubric.criterion(&f.code).is_some());
            Named::criterion(&here.min_by_key(|f| f.span.end - f.span.start)?.code)
        }
        Content::Settings(_) | Content::Other => return None,
    };
    Some((named, live))
}

/// The rubric that a document is, or that its project assesses with.
fn rubric_of<'a>(session: &'a Session, uri: &Uri, live: &'a Live) -> Option<Rubric<'a>> {
    let path = live.project.rubric_path();
    let own = session.documents.get(uri).filter(|d| matches!(d.content, Content::Rubric(_)));
    let in_force = || session.documents.values().find(|d| d.path.is_some() && d.path == path);
    if let Some(document) = own.or_else(in_force)
        && let Content::Rubric(parsed) = &document.content
    {
        return Some(Rubric { uri: document.uri.clone(), text: document.text.clone(), parsed });
    }
    let file = live.rules.as_ref()?.files.rubric.as_ref()?;
    let text = Document::new(&file.text);
    Some(Rubric { uri: uri::from_path(&file.path), text, parsed: &file.parsed })
}
