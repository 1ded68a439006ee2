//! The language server: a thin shell that turns LSP messages into events, one
//! thread that owns all state, and one task that talks to the client.
//!
//! ```text
//! endpoint ─ Event ─▶ main_loop (owns Session) ─ Publication, … ─▶ outbox
//!     ▲                  │    ▲
//!     └──── Reply ───────┘    └── updates of jobs (engine, counting)
//! ```
//!
//! Invariants: only `main_loop` changes state; only `outbox` talks to the client
//! unasked; no handler waits for either a model or the client; nothing but LSP is
//! written to standard output.

mod assessing;
mod capabilities;
mod convert;
mod elsewhere;
mod endpoint;
mod event;
mod explaining;
mod file_side;
mod jobs;
mod judged;
mod judgements;
mod kind;
mod lifecycle;
mod look;
mod main_loop;
mod objection;
mod open_document;
mod outbox;
mod panel;
mod projects;
mod publication;
mod registration;
mod relative;
mod reloading;
mod requests;
mod saves;
mod session;
mod shelf;
mod snapshot;
mod source;
mod stdio;
mod sweep;
mod sweeping;
mod transcripts;
mod uri;
mod work;

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp_server::{LspService, Server};

use endpoint::Endpoint;
use event::EventSender;
use lifecycle::Lifecycle;
use outbox::Outbox;
use session::Session;

pub use stdio::run;

/// What the server is told from outside.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Static work only, whatever the client says.
    pub untrusted: bool,
    /// The user's own data folder: what is trusted, and the answers about files
    /// outside any project. `None`: nothing is stored.
    pub data_dir: Option<PathBuf>,
}

/// More requests than any editor has under way: a limit that is reached would
/// make typing and cancelling wait behind slow requests.
const CONCURRENCY: usize = 1 << 16;

/// Serves one client until it leaves, input ends, or the process that started it
/// is gone. Returns the exit code of the process.
pub async fn serve<I, O>(input: I, output: O, options: Options) -> u8
where
    I: AsyncRead + Unpin,
    O: AsyncWrite,
{
    let lifecycle = Lifecycle::default();
    let (events, received) = EventSender::channel();
    let mut received = Some(received);
    let (service, socket) = LspService::build(|client| {
        let outbox = Outbox::start(client, events.clone());
        let session = Session::new(outbox, events.clone(), options);
        let started = received.take().map(|received| main_loop::start(session, received));
        if let Some(Err(error)) = started {
            tracing::error!(%error, "the main loop could not start");
        }
        Endpoint::new(events.clone(), lifecycle.clone())
    })
    .custom_method("window/workDoneProgress/cancel", Endpoint::cancel_progress)
    .custom_method("rubricator/debugText", Endpoint::debug_text)
    .finish();
    let server = Server::new(input, output, socket).concurrency_level(CONCURRENCY);
    tokio::select! {
        () = server.serve(service) => {}
        () = lifecycle.orphaned() => {}
    }
    events.send(event::Event::Ended);
    lifecycle.exit_code()
}
