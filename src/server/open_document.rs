//! One open document: its text as the client has it, and what is known about it.
//!
//! Invariant: `text` is the client's text, or the document is `desynced` and says
//! nothing until the client sends the whole text again. Analysis lags behind the
//! text only until [`OpenDocument::catch_up`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::Uri;
use xxhash_rust::xxh3::xxh3_128;

use crate::finding::Finding;
use crate::review::critique;
use crate::rubric::parse::{self, Parsed};
use crate::text::Span;
use crate::text::document::{BadChange, Change, Document, Encoding, Replaced};
use crate::transcript::records::Layout;

use super::auditing::Outcome;
use super::drafts::{Arrival, Drafts};
use super::judgements::Judgements;
use super::look::Survey;
use super::projects::Live;
use super::remarks::{Remark, Remarks};
use super::shelf::Record;
use super::transcripts::Transcripts;
use super::{kind, publication, uri};

/// How often the client is told more of a document that is being read.
const BETWEEN: Duration = Duration::from_millis(100);

/// One open document.
#[derive(Debug)]
pub struct OpenDocument {
    /// Its address.
    pub uri: Uri,
    /// Its file.
    pub path: Option<PathBuf>,
    /// The client's version of it.
    pub version: i32,
    /// Its text.
    pub text: Document,
    /// What it is.
    pub content: Content,
    /// The project it belongs to.
    pub live: Arc<Live>,
    /// An edit could not be applied: our text is not the client's.
    pub desynced: bool,
    /// How columns are counted.
    pub encoding: Encoding,
    /// Its text is the file's, as far as we know.
    pub is_saved: bool,
    /// It was saved, and its transcripts are assessed as soon as it is read.
    pub wants_assessment: bool,
    /// The generation of the project for which known answers were looked up.
    pub recalled: Option<u64>,
    /// That is under way.
    pub recalling: bool,
    /// What critics found in it.
    remarks: Remarks,
    /// What the last audit of its project found.
    pub(super) audited: Option<Arc<Outcome>>,
    /// Edits that the analysis has not seen.
    pending: Vec<Replaced>,
    /// When the client was last told, while the document is read.
    told: Option<Instant>,
    /// A hash of the diagnostics the client shows.
    published: Option<u128>,
    /// There may be something to publish.
    dirty: bool,
}

/// What a document is.
#[derive(Debug)]
pub enum Content {
    /// A transcript file.
    Transcripts(Box<Transcripts>),
    /// A rubric.
    Rubric(Arc<Parsed>),
    /// A settings file, with what is wrong with it.
    Settings(Arc<Vec<Finding>>),
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
    pub fn new(
        uri: Uri,
        version: i32,
        text: Document,
        live: Arc<Live>,
        encoding: Encoding,
    ) -> Self {
        let path = uri::to_path(&uri);
        let mut document = Self {
            uri,
            path,
            version,
            text,
            content: Content::Other,
            live,
            desynced: false,
            encoding,
            is_saved: true,
            wants_assessment: false,
            recalled: None,
            recalling: false,
            remarks: Remarks::default(),
            audited: None,
            pending: Vec::new(),
            told: None,
            published: Some(xxh3_128(publication::NOTHING)),
            dirty: true,
        };
        document.content = document.recognise();
        document
    }

    fn recognise(&self) -> Content {
        let name = uri::file_name(&self.uri);
        if let Some(layout) = Layout::of_name(&name) {
            let head = self.text.slice(Span::new(0, kind::HEAD));
            return if kind::is_transcript_file(layout, &head) {
                Content::Transcripts(Box::new(Transcripts::new(layout, &self.live, self.encoding)))
            } else {
                Content::Other
            };
        }
        let named = self.path.is_some() && self.path == self.live.project.rubric_path();
        if named || kind::may_be_rubric(&name) {
            let text = self.text.text();
            if named || kind::is_rubric(&text) {
                return Content::Rubric(Arc::new(parse::parse(&text)));
            }
        }
        if kind::is_settings_file(&name) {
            return Content::Settings(Arc::new(kind::settings_findings(&self.text.text())));
        }
        Content::Other
    }

    /// Applies a batch of edits: all of it, or nothing.
    pub fn edit(&mut self, version: i32, mut changes: Vec<Change>) -> Edited {
        self.version = version;
        self.dirty = true;
        self.is_saved = false;
        if self.desynced {
            // Only the whole text brings us back; edits before it are about a text we lost.
            let Some(whole) = changes.iter().rposition(|c| c.range.is_none()) else {
                return Edited::Quietly;
            };
            changes.drain(..whole);
        }
        match self.text.apply(&changes, self.encoding) {
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

    /// The document belongs to another project now, or to the same one as it is now.
    pub fn belong(&mut self, live: Arc<Live>) {
        if let Content::Transcripts(transcripts) = &mut self.content {
            transcripts.change(&live);
        }
        self.live = live;
        self.dirty = true;
    }

    /// True while there is analysis or publishing to do.
    #[must_use]
    pub fn has_work(&self, now: Instant) -> bool {
        let unread = |t: &Transcripts| t.has_unread() || t.has_due() || t.file().is_due(now);
        self.dirty || self.transcripts().is_some_and(unread)
    }

    /// Something shown may have changed though the text has not.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// True when all of it is read and looked at, and the project's rubric too.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let read = self.transcripts().is_some_and(|t| !t.has_unread() && t.is_thorough());
        read && self.pending.is_empty() && self.live.rules.is_some()
    }

    /// True when it is the rubric its project assesses with.
    #[must_use]
    pub fn is_rubric_in_force(&self) -> bool {
        self.path.is_some() && self.path == self.live.project.rubric_path()
    }

    /// The transcripts, when it is a transcript file.
    #[must_use]
    pub fn transcripts(&self) -> Option<&Transcripts> {
        match &self.content {
            Content::Transcripts(transcripts) => Some(transcripts),
            _ => None,
        }
    }

    /// The same, to be changed; something shown may change with it.
    pub fn transcripts_mut(&mut self) -> Option<&mut Transcripts> {
        match &mut self.content {
            Content::Transcripts(transcripts) => {
                self.dirty = true;
                Some(transcripts)
            }
            _ => None,
        }
    }

    /// A survey of the records, when one is due.
    pub fn start_survey(&mut self) -> Option<Survey> {
        match &mut self.content {
            Content::Transcripts(transcripts) if transcripts.survey_is_due() => {
                transcripts.survey(&self.text)
            }
            _ => None,
        }
    }

    /// Looks thoroughly, now, at the wanted records.
    pub fn look_closely(&mut self, wanted: impl Fn(&Record<'_>) -> bool) {
        let Self { text, content, dirty, .. } = self;
        if let Content::Transcripts(transcripts) = content {
            transcripts.look_closely(text, wanted);
            *dirty = true;
        }
    }

    /// Brings the analysis up to date with the edits. Cheap when there are none.
    pub fn catch_up(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let replaced = std::mem::take(&mut self.pending);
        match &mut self.content {
            Content::Transcripts(transcripts) => {
                transcripts.edited(&self.text, &replaced);
            }
            Content::Rubric(_) | Content::Settings(_) | Content::Other => {
                self.content = self.recognise();
            }
        }
    }

    /// Reads a further slice of a big document.
    pub fn read_on(&mut self) {
        let Self { text, content, dirty, .. } = self;
        if let Content::Transcripts(transcripts) = content
            && transcripts.has_unread()
        {
            transcripts.read_on(text);
            *dirty = true;
        }
    }

    /// Looks at the judged side of some records again; the fixups that arrived with
    /// what they say now.
    pub fn judge(&mut self, judgements: &Judgements, drafts: &Drafts) -> Vec<Arrival> {
        let Self { text, content, dirty, live, uri, recalled, .. } = self;
        let Content::Transcripts(transcripts) = content else { return Vec::new() };
        if !transcripts.has_due() {
            return Vec::new();
        }
        *dirty = true;
        let panel = live.panel().map(|panel| &**panel);
        let arrived = transcripts.judge(text, judgements, panel, (uri, drafts));
        if !arrived.is_empty() {
            // What judges said for the proof is known of the text now.
            *recalled = None;
        }
        arrived
    }

    /// What critics found in it and nobody has decided about.
    pub fn take_remarks(&mut self, open: Vec<critique::Finding>) {
        self.dirty |= self.remarks.take(open);
    }

    /// Places what critics found in the text as it is.
    pub fn place_remarks(&mut self) {
        let depth = self.live.settings().limits.depth;
        self.remarks.place(&self.text, &self.content, depth);
    }

    /// What critics found, at the words where it was placed last.
    #[must_use]
    pub const fn remarks(&self) -> &Arc<Vec<Remark>> {
        self.remarks.placed()
    }

    /// Looks at the file as a whole again, when that is due.
    pub fn look_at_file(&mut self) {
        let Self { text, content, dirty, .. } = self;
        if let Content::Transcripts(transcripts) = content {
            *dirty |= transcripts.look_at_file(text);
        }
    }

    /// Reads all of it and looks at everything judges said: for a file that is shown
    /// without being open.
    pub fn finish(&mut self, judgements: &Judgements) {
        while self.transcripts().is_some_and(|t| t.has_unread() || t.has_due()) {
            self.read_on();
            self.look_closely(|_| true);
            self.judge(judgements, &Drafts::default());
        }
    }

    /// While a big document is read, the growing list is not told with every slice.
    fn is_told_enough(&mut self) -> bool {
        let now = Instant::now();
        let recent = self.told.is_some_and(|told| now - told < BETWEEN);
        let enough = recent && self.transcripts().is_some_and(Transcripts::has_unread);
        if !enough {
            self.told = Some(now);
        }
        enough
    }

    /// What the client shows is not known: it is told in any case.
    pub fn forget_published(&mut self) {
        self.published = None;
    }

    /// Its project was audited.
    pub fn audited(&mut self, outcome: &Arc<Outcome>) {
        self.audited = Some(Arc::clone(outcome));
        if let Some(transcripts) = self.transcripts_mut() {
            transcripts.ledger().1.forget_all();
        }
        self.dirty = true;
    }

    /// The client shows these (a JSON array) already.
    pub fn is_shown_with(&mut self, list: &[u8]) {
        self.published = Some(xxh3_128(list));
    }

    /// The diagnostics to publish (a JSON array), if they are others than those the
    /// client shows.
    pub fn publishable(&mut self) -> Option<Vec<u8>> {
        if !self.dirty || self.is_told_enough() {
            return None;
        }
        self.dirty = false;
        let list = match self.desynced {
            true => publication::NOTHING.to_vec(),
            false => publication::diagnostics(self),
        };
        let hash = Some(xxh3_128(&list));
        (std::mem::replace(&mut self.published, hash) != hash).then_some(list)
    }
}
