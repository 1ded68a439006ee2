//! One open document: its text as the client has it, and what is known about it.
//!
//! Invariant: `text` is the client's text, or the document is `desynced` and says
//! nothing until the client sends the whole text again. Analysis lags behind the
//! text only while `is_stale`.

use tower_lsp_server::gen_lsp_types::{Diagnostic, Uri};

use crate::text::document::{BadChange, Change, Document, Encoding, Replaced};
use crate::transcript::records::Layout;

use super::transcripts::Transcripts;
use super::uri;

/// One open document.
#[derive(Debug)]
pub struct OpenDocument {
    /// Its address.
    pub uri: Uri,
    /// The client's version of it.
    pub version: i32,
    /// Its text.
    pub text: Document,
    /// What it is.
    pub content: Content,
    /// An edit could not be applied: our text is not the client's.
    pub desynced: bool,
    /// Edits that the analysis has not seen.
    pending: Vec<Replaced>,
    /// The diagnostics the client shows.
    published: Vec<Diagnostic>,
    /// There may be something to publish.
    dirty: bool,
}

/// What a document is.
#[derive(Debug)]
pub enum Content {
    /// A transcript file.
    Transcripts(Box<Transcripts>),
    /// Not one of ours: kept in sync, says nothing.
    Other,
}

/// What became of a batch of edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// Applied, or ignored because the document was out of sync already.
    Quietly,
    /// Refused: out of sync from now on.
    Desynced(BadChange),
}

impl OpenDocument {
    /// A document as it was opened.
    #[must_use]
    pub fn new(uri: Uri, version: i32, text: &str, encoding: Encoding) -> Self {
        let text = Document::new(text);
        let content = Content::of(&uri, encoding);
        Self {
            uri,
            version,
            text,
            content,
            desynced: false,
            pending: Vec::new(),
            published: Vec::new(),
            dirty: true,
        }
    }

    /// Applies a batch of edits: all of it, or nothing.
    pub fn edit(&mut self, version: i32, mut changes: Vec<Change>, encoding: Encoding) -> Edited {
        self.version = version;
        self.dirty = true;
        if self.desynced {
            // Only the whole text brings us back; edits before it are about a text we lost.
            let Some(whole) = changes.iter().rposition(|c| c.range.is_none()) else {
                return Edited::Quietly;
            };
            changes.drain(..whole);
        }
        match self.text.apply(&changes, encoding) {
            Ok(replaced) => {
                self.desynced = false;
                self.pending.extend(replaced);
                Edited::Quietly
            }
            Err(_) if self.desynced => Edited::Quietly,
            Err(bad) => {
                self.desynced = true;
                Edited::Desynced(bad)
            }
        }
    }

    /// True while there is analysis or publishing to do.
    #[must_use]
    pub fn has_work(&self) -> bool {
        let unread = match &self.content {
            Content::Transcripts(transcripts) => transcripts.has_unread(),
            Content::Other => false,
        };
        self.dirty || unread
    }

    /// Something shown may have changed though the text has not.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// Brings the analysis up to date with the edits. Cheap when there are none.
    pub fn catch_up(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let replaced = std::mem::take(&mut self.pending);
        if let Content::Transcripts(transcripts) = &mut self.content {
            transcripts.edited(&self.text, &replaced);
        }
    }

    /// Reads a further slice of a big document.
    pub fn read_on(&mut self) {
        if let Content::Transcripts(transcripts) = &mut self.content {
            if transcripts.has_unread() {
                transcripts.read_on(&self.text);
                self.dirty = true;
            }
        }
    }

    /// The diagnostics to publish, if they are others than those the client shows.
    pub fn to_publish(&mut self) -> Option<Vec<Diagnostic>> {
        if !std::mem::take(&mut self.dirty) {
            return None;
        }
        let diagnostics = match &self.content {
            Content::Transcripts(transcripts) if !self.desynced => {
                transcripts.diagnostics(&self.text)
            }
            _ => Vec::new(),
        };
        if diagnostics == self.published {
            return None;
        }
        self.published.clone_from(&diagnostics);
        Some(diagnostics)
    }
}

impl Content {
    fn of(address: &Uri, encoding: Encoding) -> Self {
        let name = uri::file_name(address);
        match Layout::of_name(&name) {
            Some(layout) => Self::Transcripts(Box::new(Transcripts::new(layout, encoding))),
            None => Self::Other,
        }
    }
}
