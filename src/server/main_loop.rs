//! The one writer: a thread that owns the [`Session`] and takes events in order.
//!
//! Invariants: an event is handled completely before the next; background work
//! (analysis, parsing the rest of a big file) happens in short turns between
//! events and never delays one by more than a turn; a panic while handling an
//! event costs that document, not the server.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tower_lsp_server::gen_lsp_types::Uri;

use super::event::Event;
use super::session::Session;

/// A turn that takes longer is logged.
const SLOW_TURN: Duration = Duration::from_millis(100);

/// How long a stream of events may keep background work from having a turn.
const WORK_PATIENCE: Duration = Duration::from_millis(15);

/// Runs the loop on its own thread until [`Event::Ended`]; what it returns resolves then.
///
/// # Errors
/// When the operating system gives us no thread.
pub fn start(session: Session, events: Receiver<Event>) -> std::io::Result<oneshot::Receiver<()>> {
    let (ending, ended) = oneshot::channel();
    std::thread::Builder::new().name("main loop".into()).spawn(move || {
        run(session, &events);
        // Fails only when nobody waits for the end.
        let _ = ending.send(());
    })?;
    Ok(ended)
}

fn run(mut session: Session, events: &Receiver<Event>) {
    let mut worked = Instant::now();
    loop {
        let overdue = session.has_work() && worked.elapsed() > WORK_PATIENCE;
        match if overdue { Next::Nothing } else { next(&session, events) } {
            Next::Event(event) => {
                let is_last = matches!(event, Event::Ended);
                handle(&mut session, event);
                if is_last {
                    return;
                }
            }
            Next::Nothing => {
                work(&mut session);
                worked = Instant::now();
            }
            Next::End => return,
        }
        if !session.has_work() {
            worked = Instant::now();
        }
    }
}

enum Next {
    Event(Event),
    /// Nothing is waiting, or a deadline has come.
    Nothing,
    End,
}

fn next(session: &Session, events: &Receiver<Event>) -> Next {
    if session.has_work() {
        return match events.try_recv() {
            Ok(event) => Next::Event(event),
            Err(TryRecvError::Empty) => Next::Nothing,
            Err(TryRecvError::Disconnected) => Next::End,
        };
    }
    let Some(deadline) = session.deadline() else {
        return events.recv().map_or(Next::End, Next::Event);
    };
    match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(event) => Next::Event(event),
        Err(RecvTimeoutError::Timeout) => Next::Nothing,
        Err(RecvTimeoutError::Disconnected) => Next::End,
    }
}

fn handle(session: &mut Session, event: Event) {
    let uri = event.uri().cloned();
    let name = event.name();
    guarded(session, name, uri, |session| session.handle(event));
}

fn work(session: &mut Session) {
    let uri = session.next_work();
    guarded(session, "background work", uri, Session::work);
}

/// The panic boundary: whatever the document was, it is set aside.
fn guarded(session: &mut Session, name: &str, uri: Option<Uri>, act: impl FnOnce(&mut Session)) {
    let began = Instant::now();
    if catch_unwind(AssertUnwindSafe(|| act(session))).is_err() {
        session.quarantine(uri);
    }
    let took = began.elapsed();
    if took > SLOW_TURN {
        tracing::info!(name, ms = took.as_millis(), "slow turn");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, PipeReader, Read};

    use serde_json::Value;
    use tower_lsp_server::LspService;

    use super::*;
    use crate::server::Options;
    use crate::server::endpoint::Endpoint;
    use crate::server::event::EventSender;
    use crate::server::lifecycle::Lifecycle;
    use crate::server::outbox::Outbox;
    use crate::server::writer::Writer;
    use crate::text::document::Document;

    /// The next message to the client.
    fn receive(output: &mut BufReader<PipeReader>) -> Value {
        let (mut header, mut empty) = (String::new(), String::new());
        output.read_line(&mut header).unwrap();
        output.read_line(&mut empty).unwrap();
        let length = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn open(session: &mut Session, name: &str) -> Uri {
        let uri = Uri(format!("file:///{name}"));
        let text = Document::new("{\"a\" 1}\n");
        handle(session, Event::Opened { uri: uri.clone(), version: 1, text });
        while session.has_work() {
            work(session);
        }
        uri
    }

    #[tokio::test]
    async fn a_panic_costs_its_document_and_nothing_else() {
        let (output, written) = std::io::pipe().unwrap();
        let mut output = BufReader::new(output);
        let writer = Writer::start(written).unwrap();
        let (events, _received) = EventSender::channel();
        let mut outbox = None;
        let (_service, _socket) = LspService::new(|client| {
            outbox = Some(Outbox::start(client, writer.clone(), events.clone()));
            Endpoint::new(events.clone(), Lifecycle::default())
        });
        let mut session = Session::new(outbox.unwrap(), events, Options::default());
        let uri = open(&mut session, "bad.jsonl");
        let mut shown = || {
            let message = receive(&mut output);
            let params = &message["params"];
            let found = params["diagnostics"].as_array().is_some_and(|list| !list.is_empty());
            (params["uri"].as_str().unwrap_or_default().to_owned(), found)
        };
        assert_eq!(shown(), ("file:///bad.jsonl".to_owned(), true));

        guarded(&mut session, "change", Some(uri.clone()), |_| panic!("a bug"));
        assert_eq!(shown(), ("file:///bad.jsonl".to_owned(), false));
        assert!(!session.documents.contains_key(&uri));
        // Edits of what is set aside are ignored; others are served; opening it again mends it.
        handle(&mut session, Event::Changed { uri, version: 2, changes: Vec::new() });
        open(&mut session, "good.jsonl");
        assert_eq!(shown(), ("file:///good.jsonl".to_owned(), true));
        open(&mut session, "bad.jsonl");
        assert_eq!(shown(), ("file:///bad.jsonl".to_owned(), true));
    }
}
