//! A document as it was at one moment, for readers on any thread.
//!
//! Invariant: taking one costs a few reference counts; nothing in it changes.

use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::{Range, Uri};

use crate::analysis::judges::JudgeFacts;
use crate::assessment::statistics::Counted;
use crate::rubric::parse::Parsed;
use crate::rubric::{Criterion, digest};
use crate::text::Span;
use crate::text::document::Document;

use super::auditing::Outcome;
use super::capabilities::ClientFlags;
use super::drafts::Drafts;
use super::open_document::{Content, OpenDocument};
use super::projects::Live;
use super::remarks::Remark;
use super::reviews::Reviews;
use super::shelf::Shelf;
use super::sweeping::Census;
use super::{convert, uri};

/// One document at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its address.
    pub uri: Uri,
    /// The client's version.
    pub version: i32,
    /// Its text.
    pub text: Document,
    /// What is known of it.
    pub content: Known,
    /// The project it belongs to.
    pub live: Arc<Live>,
    /// What the client can do.
    pub client: ClientFlags,
    /// What is known of all transcripts of the project, as far as it was counted.
    pub census: Option<Arc<Census>>,
    /// What is known of the project's judges.
    pub judges: Vec<JudgeFacts>,
    /// Fixups, by the text they are for.
    pub drafts: Arc<Drafts>,
    /// What critics found in it.
    pub remarks: Arc<Vec<Remark>>,
    /// What the last audit of the project found.
    pub audited: Option<Arc<Outcome>>,
    /// What people said in the project, once it was read.
    pub reviews: Option<Reviews>,
}

/// What is known of a document.
#[derive(Clone, Debug)]
pub enum Known {
    /// Its records.
    Transcripts(Arc<Shelf>),
    /// The rubric it says.
    Rubric(Arc<Parsed>),
    /// Settings.
    Settings,
    /// Not one of ours.
    Other,
}

impl Snapshot {
    /// A document as it is now.
    #[must_use]
    pub fn of(document: &OpenDocument, client: ClientFlags) -> Self {
        let content = match &document.content {
            Content::Transcripts(transcripts) => {
                Known::Transcripts(Arc::clone(transcripts.shelf()))
            }
            Content::Rubric(parsed) => Known::Rubric(Arc::clone(parsed)),
            Content::Settings(_) => Known::Settings,
            Content::Other => Known::Other,
        };
        Self {
            uri: document.uri.clone(),
            version: document.version,
            text: document.text.clone(),
            content,
            live: Arc::clone(&document.live),
            client,
            census: None,
            judges: Vec::new(),
            drafts: Arc::default(),
            remarks: Arc::clone(document.remarks()),
            audited: document.audited.clone(),
            reviews: None,
        }
    }

    /// True when this is the rubric its project assesses with.
    #[must_use]
    pub fn is_rubric_in_force(&self) -> bool {
        let path = uri::to_path(&self.uri);
        path.is_some() && path == self.live.project.rubric_path()
    }

    /// What is known of a criterion, worded as it is here.
    #[must_use]
    pub fn counted(&self, criterion: &Criterion) -> Option<Counted> {
        let census = self.census.as_ref()?;
        census.counted.get(&digest::criterion(criterion)).copied()
    }

    /// The bytes of a range of the client's, clamped to the text.
    #[must_use]
    pub fn span(&self, range: Range) -> Span {
        let at = |p| self.text.offset(convert::place(p), self.client.encoding);
        let start = at(range.start);
        Span::new(start, at(range.end).max(start))
    }

    /// The range of a span of the document.
    #[must_use]
    pub fn range(&self, span: Span) -> Range {
        convert::range(self.text.span_to_range(span, self.client.encoding))
    }
}
