//! Everything that can happen to the server, as one enum, in the order it happened.
//!
//! Invariant: the main loop learns of the world through [`Event`]s alone; a
//! request carries its [`Reply`], and every reply is answered exactly once:
//! by the loop, by a worker, or, when it is dropped, by the endpoint.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

use serde_json::Value;
use tokio::sync::oneshot;
use tower_lsp_server::gen_lsp_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CompletionResponse, DefinitionResponse,
    DocumentSymbolResponse, ExecuteCommandParams, FoldingRange, Hover, HoverParams, InlayHint,
    InlayHintParams, Location, TextDocumentPositionParams, Uri,
};
use tower_lsp_server::jsonrpc;

use crate::engine::AssessUpdate;
use crate::engine::review_desk::Told;
use crate::engine::rules::Rules;
use crate::review::critique::Decision;
use crate::text::document::{Change, Document};
use crate::transcript::TranscriptDigest;

use super::auditing::AuditEnded;
use super::capabilities::ClientFlags;
use super::fix_jobs::Fixed;
use super::gates::Reckoned;
use super::generating::Generated;
use super::jobs::Planned;
use super::look::Found;
use super::requests::execute_command::{Command, Target};
use super::slicing::SliceEnded;
use super::sweep::{Sweep, Swept};

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// `initialize`: what the client is.
    Introduced(Box<Introduction>),
    /// `initialized`: the client may be sent requests now.
    Ready,
    /// A document was opened, or opened again.
    Opened {
        /// Its address.
        uri: Uri,
        /// The client's first version.
        version: i32,
        /// Its text.
        text: Document,
    },
    /// A document was edited.
    Changed {
        /// Its address.
        uri: Uri,
        /// The version after the edit.
        version: i32,
        /// The edits, each in the text as those before it left it.
        changes: Vec<Change>,
    },
    /// A document was saved.
    Saved(Uri),
    /// A document was closed.
    Closed(Uri),
    /// The editor's settings changed.
    Configured(Value),
    /// Files changed on disk.
    FilesChanged(Vec<Uri>),
    /// Workspace folders came and went.
    FoldersChanged {
        /// New folders.
        added: Vec<Uri>,
        /// Folders that are gone.
        removed: Vec<Uri>,
    },
    /// The client asks something.
    Asked(Request),
    /// The rubric and tokenizer of a project were read.
    RulesRead {
        /// The project's generation.
        generation: u64,
        /// What was read.
        rules: Box<Rules>,
    },
    /// A survey has looked at some records.
    Surveyed {
        /// The document.
        uri: Uri,
        /// The survey.
        survey: Arc<AtomicBool>,
        /// What is known of them.
        found: Box<Found>,
    },
    /// A survey is over.
    SurveyEnded {
        /// The document.
        uri: Uri,
        /// The survey.
        survey: Arc<AtomicBool>,
    },
    /// A project was passed over.
    Swept {
        /// The pass.
        sweep: Arc<Sweep>,
        /// What it found; `None` when it was cancelled.
        swept: Option<Box<Swept>>,
    },
    /// A job was read and planned.
    Planned(Box<Planned>),
    /// Known answers were looked up.
    Recalled {
        /// The number of the run.
        number: u64,
        /// What is known.
        updates: Vec<AssessUpdate>,
    },
    /// Something happened in a run.
    Assess(AssessUpdate),
    /// A run is over.
    RunEnded(u64),
    /// The user pressed the button of an offer.
    Accepted(Box<Offer>),
    /// A fixup was proven or refused.
    Fixed(Box<Fixed>),
    /// A reviews file was read, or could not be.
    Reviewed(Told),
    /// The editor took the edit that was decided about a critique's finding.
    Decided(PathBuf, Box<Decision>),
    /// What follows from the reviews of a project.
    Reckoned {
        /// Its folder.
        root: PathBuf,
        /// The number of the reckoning.
        number: u64,
        /// What follows.
        reckoned: Arc<Reckoned>,
    },
    /// Transcripts were generated, or not.
    Generated(Box<Generated>),
    /// An audit is over.
    Audited(Box<AuditEnded>),
    /// Slicing is over.
    Sliced(Box<SliceEnded>),
    /// The user cancelled a job in the progress view.
    ProgressCancelled(String),
    /// The client is about to leave.
    ShuttingDown,
    /// The client is gone: the loop ends.
    Ended,
}

impl Event {
    /// For the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Introduced(_) => "initialize",
            Self::Ready => "initialized",
            Self::Opened { .. } => "open",
            Self::Changed { .. } => "change",
            Self::Saved(_) => "save",
            Self::Closed(_) => "close",
            Self::Configured(_) => "configuration",
            Self::FilesChanged(_) => "files",
            Self::FoldersChanged { .. } => "folders",
            Self::Asked(_) => "request",
            Self::RulesRead { .. } => "rules",
            Self::Surveyed { .. } => "survey",
            Self::SurveyEnded { .. } => "survey's end",
            Self::Swept { .. } => "swept",
            Self::Planned(_) => "planned",
            Self::Recalled { .. } => "recalled",
            Self::Assess(_) => "assess",
            Self::RunEnded(_) => "run's end",
            Self::Accepted(_) => "accepted offer",
            Self::Fixed(_) => "fixup",
            Self::Reviewed(_) => "reviews",
            Self::Decided(..) => "decided",
            Self::Reckoned { .. } => "reckoning",
            Self::Generated(_) => "generated",
            Self::Audited(_) => "audit",
            Self::Sliced(_) => "slices",
            Self::ProgressCancelled(_) => "cancelled progress",
            Self::ShuttingDown => "shutdown",
            Self::Ended => "end",
        }
    }

    /// The document this event is about: the one to quarantine if handling it panics.
    #[must_use]
    pub fn uri(&self) -> Option<&Uri> {
        match self {
            Self::Opened { uri, .. }
            | Self::Changed { uri, .. }
            | Self::Saved(uri)
            | Self::Closed(uri) => Some(uri),
            Self::Asked(request) => request.uri(),
            _ => None,
        }
    }
}

/// What the client says of itself.
#[derive(Debug)]
pub struct Introduction {
    /// What it can do.
    pub flags: ClientFlags,
    /// Its workspace folders.
    pub folders: Vec<Uri>,
    /// `initializationOptions.trusted`: false is static work only, `None` is no signal.
    pub trusted: Option<bool>,
    /// `initializationOptions.settings`: the editor's settings.
    pub settings: Value,
}

/// A question of the client, with the way to answer it.
#[derive(Debug)]
pub enum Request {
    Hover(HoverParams, Reply<Option<Hover>>),
    Completion(TextDocumentPositionParams, Reply<Option<CompletionResponse>>),
    Definition(TextDocumentPositionParams, Reply<Option<DefinitionResponse>>),
    /// Also where it is defined, when that is true.
    References(TextDocumentPositionParams, bool, Reply<Option<Vec<Location>>>),
    CodeLens(Uri, Reply<Option<Vec<CodeLens>>>),
    InlayHint(InlayHintParams, Reply<Option<Vec<InlayHint>>>),
    DocumentSymbol(Uri, Reply<Option<DocumentSymbolResponse>>),
    FoldingRange(Uri, Reply<Option<Vec<FoldingRange>>>),
    CodeAction(Box<CodeActionParams>, Reply<Option<Vec<CodeActionResponse>>>),
    ExecuteCommand(ExecuteCommandParams, Reply<Option<Value>>),
    /// `rubricator/debugText`: the text as the server has it, for tests and bug reports.
    DebugText(Uri, Reply<Value>),
}

impl Request {
    fn uri(&self) -> Option<&Uri> {
        match self {
            Self::Hover(p, _) => Some(&p.text_document_position_params.text_document.uri),
            Self::Completion(at, _) | Self::Definition(at, _) | Self::References(at, ..) => {
                Some(&at.text_document.uri)
            }
            Self::CodeLens(uri, _)
            | Self::DocumentSymbol(uri, _)
            | Self::FoldingRange(uri, _)
            | Self::DebugText(uri, _) => Some(uri),
            Self::InlayHint(p, _) => Some(&p.text_document.uri),
            Self::CodeAction(p, _) => Some(&p.text_document.uri),
            Self::ExecuteCommand(..) => None,
        }
    }
}

/// Where an answer goes.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<jsonrpc::Result<T>>);

impl<T> Reply<T> {
    /// A reply and where it arrives.
    #[must_use]
    pub fn channel() -> (Self, oneshot::Receiver<jsonrpc::Result<T>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// Answers.
    pub fn send(self, answer: T) {
        // Fails only when the request was cancelled; then it is answered already.
        let _ = self.0.send(Ok(answer));
    }

    /// True when nobody waits for the answer any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_closed()
    }
}

/// Something the user is asked to agree to.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What the button says.
    pub button: String,
    /// What happens when it is pressed.
    pub command: Command,
    /// What it is about.
    pub target: Target,
    /// Texts that may then be sent although they seem to hold personal data.
    pub consent: Vec<TranscriptDigest>,
}

/// The way into the main loop.
#[derive(Clone, Debug)]
pub struct EventSender(mpsc::Sender<Event>);

impl EventSender {
    /// A sender and the main loop's end.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Tells the main loop. Never blocks.
    pub fn send(&self, event: Event) {
        // Fails only when the loop has ended; then nothing matters any more.
        let _ = self.0.send(event);
    }
}
