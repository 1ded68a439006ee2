//! The language server: a thread that reads, a thread that owns all state, and a
//! thread that writes.
//!
//! ```text
//! intake ─ edits ──────────▶ main_loop (owns Session) ─ diagnostics ─▶ writer
//!   └─ requests ─▶ endpoint ─▶  │    ▲        └─ all else ─▶ outbox ─▶   ▲
//!                     ▲         │    └── updates of jobs                 │
//!                     └─ Reply ─┘                 (engine, survey)       │
//!                     └────────────── responses ─────────────────────────┘
//! ```
//!
//! A keystroke crosses three threads and no task: `intake`, `main_loop`, `writer`.
//!
//! Invariants: only `main_loop` changes state; only `outbox` talks to the client
//! unasked; no handler waits for either a model or the client; nothing but LSP is
//! written to standard output.

mod accounts;
mod assessing;
mod auditing;
mod calibrating;
mod capabilities;
mod chores;
mod convert;
mod critiquing;
mod drafts;
mod elsewhere;
mod endpoint;
mod event;
mod explaining;
mod file_side;
mod fix_jobs;
mod fixing;
mod gates;
mod generating;
mod intake;
mod jobs;
mod judged;
mod judgements;
mod kind;
mod ledger;
mod lifecycle;
mod look;
mod main_loop;
mod next;
mod objection;
mod of_record;
mod open_document;
mod outbox;
mod panel;
mod projects;
mod publication;
mod registration;
mod relative;
mod reloading;
mod remarks;
mod requests;
mod reviewing;
mod reviews;
mod rubric_edit;
mod saves;
mod session;
mod shelf;
mod slicing;
mod snapshot;
mod source;
mod stdio;
mod subject;
mod sweep;
mod sweeping;
mod told;
mod transcripts;
mod uri;
mod wire;
mod work;
mod writer;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tower_lsp_server::LspService;
use tower_lsp_server::jsonrpc::Request;

use endpoint::Endpoint;
use event::EventSender;
use intake::Intake;
use lifecycle::Lifecycle;
use outbox::Outbox;
use session::Session;
use writer::Writer;

pub use stdio::run;

/// What the server is told from outside.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Static work only, whatever the client says.
    pub untrusted: bool,
    /// The user's own data folder: what is trusted, and the answers about files
    /// outside any project. `None`: nothing is stored.
    pub data_dir: Option<PathBuf>,
    /// The user's own price list.
    pub price_file: Option<PathBuf>,
}

/// How long a client that leaves may take to read our last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves one client until it leaves, input ends, or the process that started it
/// is gone. Returns the exit code of the process.
pub async fn serve<I, O>(input: I, output: O, options: Options) -> u8
where
    I: Read + Send + 'static,
    O: Write + Send + 'static,
{
    let lifecycle = Lifecycle::default();
    match start(input, output, options, &lifecycle) {
        Ok(Running { events, writer, left, ended }) => {
            tokio::select! {
                _ = left => {}
                () = lifecycle.orphaned() => {}
            }
            events.send(event::Event::Ended);
            // What a person said is on disk before we go.
            if let Some(ended) = ended {
                let _ = tokio::time::timeout(LAST_DEEDS, ended).await;
            }
            // A client that is gone, or reads nothing, does not keep us.
            let _ = tokio::time::timeout(LAST_WORDS, writer.finish()).await;
        }
        Err(error) => tracing::error!(%error, "the server could not start"),
    }
    lifecycle.exit_code()
}

/// How long the main loop may take to finish what it was told.
const LAST_DEEDS: Duration = Duration::from_secs(10);

/// A server that runs.
struct Running {
    events: EventSender,
    writer: Writer,
    /// Resolves when the client has left.
    left: oneshot::Receiver<()>,
    /// Resolves when the main loop has ended.
    ended: Option<oneshot::Receiver<()>>,
}

/// Starts the threads.
fn start<I, O>(
    input: I,
    output: O,
    options: Options,
    lifecycle: &Lifecycle,
) -> std::io::Result<Running>
where
    I: Read + Send + 'static,
    O: Write + Send + 'static,
{
    let writer = Writer::start(output)?;
    let (events, received) = EventSender::channel();
    let mut outbox = None;
    let (service, socket) = LspService::build(|client| {
        outbox = Some(Outbox::start(client, writer.clone(), events.clone()));
        Endpoint::new(events.clone(), lifecycle.clone())
    })
    .custom_method("window/workDoneProgress/cancel", Endpoint::cancel_progress)
    .custom_method("rubricator/debugText", Endpoint::debug_text)
    .finish();
    let session = outbox.map(|outbox| Session::new(outbox, events.clone(), options));
    let ended = session.map(|session| main_loop::start(session, received)).transpose()?;
    let (requests, answers) = socket.split();
    tokio::spawn(forward(requests, writer.clone()));
    let intake = Intake {
        service,
        answers,
        events: events.clone(),
        lifecycle: lifecycle.clone(),
        writer: writer.clone(),
        runtime: Handle::current(),
    };
    let (leaving, left) = oneshot::channel();
    std::thread::Builder::new().name("intake".into()).spawn(move || {
        intake.run(input);
        // Fails only when the server has ended already.
        let _ = leaving.send(());
    })?;
    Ok(Running { events, writer, left, ended })
}

/// Our own requests and notifications, on their way to the client.
async fn forward(mut requests: impl Stream<Item = Request> + Unpin, writer: Writer) {
    while let Some(request) = requests.next().await {
        writer.message(&request);
    }
}
