//! The one thread that reads what the client says, in the order it was said.
//!
//! Edits are what a client says most and waits for most: they become events right
//! here. Everything else goes through the routes of `tower-lsp-server`, whose
//! handlers begin on this thread too, so nothing overtakes anything.
//!
//! Invariants: by the time the next message is read, the event of this one is with
//! the main loop; nothing here waits for a handler; the text of a document that is
//! opened is copied once, from the message into the document.

use std::borrow::Cow;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::Sink;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tower_lsp_server::gen_lsp_types::{DidChangeTextDocumentParams, Uri};
use tower_lsp_server::jsonrpc::{Error, Id, Request, Response};
use tower_lsp_server::{ClientSocket, Loopback, LspService};
use tower_service::Service;

use crate::text::document::{Builder, Document};
use crate::text::escape;

use super::endpoint::{self, Endpoint};
use super::event::{Event, EventSender};
use super::lifecycle::Lifecycle;
use super::wire::{Frame, Reader};
use super::writer::Writer;

/// Bytes of an opened text that are unescaped at once.
const PIECE: usize = 1 << 12;

/// The longest escape, `\ud83d\ude00`.
const ESCAPE: usize = 12;

type Answers = <ClientSocket as Loopback>::ResponseSink;

/// What is behind the client's messages.
pub struct Intake {
    pub service: LspService<Endpoint>,
    /// The client's answers to our own requests.
    pub answers: Answers,
    pub events: EventSender,
    pub lifecycle: Lifecycle,
    pub writer: Writer,
    pub runtime: Handle,
}

/// What a message is, before what it says is looked at.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Opening<'a> {
    #[serde(borrow, rename = "textDocument")]
    document: OpenedDocument<'a>,
}

#[derive(Deserialize)]
struct OpenedDocument<'a> {
    uri: Uri,
    version: i32,
    #[serde(borrow)]
    text: &'a RawValue,
}

impl Intake {
    /// Takes in everything until the client says `exit` or its output ends.
    pub fn run(mut self, input: impl Read) {
        let mut reader = Reader::new(input);
        loop {
            match reader.receive() {
                Ok(Some(Frame::Message(body))) => {
                    if self.message(&body).is_break() {
                        return;
                    }
                }
                Ok(Some(Frame::Unreadable)) => self.refuse(Error::parse_error()),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "the client cannot be read");
                    return;
                }
            }
        }
    }

    fn message(&mut self, body: &[u8]) -> std::ops::ControlFlow<()> {
        let envelope: Envelope<'_> = match serde_json::from_slice(body) {
            Ok(envelope) => envelope,
            Err(error) => {
                tracing::error!(%error, "a message that cannot be read");
                let is_json = error.is_data();
                self.refuse(if is_json { Error::invalid_request() } else { Error::parse_error() });
                return std::ops::ControlFlow::Continue(());
            }
        };
        let method = envelope.method.as_deref();
        if self.lifecycle.is_running()
            && let Some(event) = method.and_then(|method| edit(method, envelope.params))
        {
            self.events.send(event);
            return std::ops::ControlFlow::Continue(());
        }
        let is_last = method == Some("exit");
        let taken = match method {
            Some(_) => serde_json::from_slice(body).map(|request| self.call(request)),
            None => serde_json::from_slice(body).map(|answer| self.answered(answer)),
        };
        if let Err(error) = taken {
            tracing::error!(%error, "a message that is no request and no answer");
            self.refuse(Error::invalid_request());
        }
        match is_last {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue(()),
        }
    }

    /// Begins to handle a request or notification; it goes on elsewhere if it has to wait.
    fn call(&mut self, request: Request) {
        let mut handling = self.service.call(request);
        let writer = self.writer.clone();
        match handling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => respond(&writer, response.ok().flatten()),
            Poll::Pending => {
                self.runtime.spawn(async move { respond(&writer, handling.await.ok().flatten()) });
            }
        }
    }

    fn answered(&mut self, answer: Response) {
        // Fails only when the server has ended.
        let _ = Pin::new(&mut self.answers).start_send(answer);
    }

    fn refuse(&self, error: Error) {
        self.writer.message(&Response::from_error(Id::Null, error));
    }
}

fn respond(writer: &Writer, response: Option<Response>) {
    if let Some(response) = response {
        writer.message(&response);
    }
}

/// The event of a notification that opens or edits a document. One that cannot be
/// understood goes the common way, where it is refused.
fn edit(method: &str, params: Option<&RawValue>) -> Option<Event> {
    let params = params?.get();
    match method {
        "textDocument/didOpen" => {
            let Opening { document } = serde_json::from_str(params).ok()?;
            let text = text_of(document.text)?;
            Some(Event::Opened { uri: document.uri, version: document.version, text })
        }
        "textDocument/didChange" => {
            let params: DidChangeTextDocumentParams = serde_json::from_str(params).ok()?;
            Some(endpoint::changed(params))
        }
        _ => None,
    }
}

/// The document a JSON string says. It is never held as a string of its own.
fn text_of(literal: &RawValue) -> Option<Document> {
    let mut raw = literal.get().strip_prefix('"')?.strip_suffix('"')?;
    let mut document = Builder::default();
    while !raw.is_empty() {
        let (piece, rest) = raw.split_at(between_escapes(raw));
        document.push(&escape::decode(piece));
        raw = rest;
    }
    Some(document.finish())
}

/// A place about a piece from the start of `raw` that is in no escape, nor in a character.
fn between_escapes(raw: &str) -> usize {
    let mut at = PIECE;
    while at < raw.len() {
        // Behind so many bytes without a backslash no escape is open.
        match memchr::memrchr(b'\\', &raw.as_bytes()[at - ESCAPE..at]) {
            None => return raw.floor_char_boundary(at),
            Some(_) => at += 1,
        }
    }
    raw.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn says(text: &str) -> Option<String> {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        text_of(raw).map(|document| document.text())
    }

    #[test]
    fn half_a_surrogate_pair_is_one_unit_as_in_the_editor() {
        assert_eq!(says(r#""a\ud83db\ude00c""#).unwrap(), "a\u{fffd}b\u{fffd}c");
        assert_eq!(says("1"), None);
    }

    proptest! {
        #[test]
        fn an_opened_text_is_what_the_message_says(
            pieces in prop::collection::vec("[a😀\"\\\\\n\u{1}é]{0,6}|[b ]{8,40}", 0..24), repeat in 1..60usize,
        ) {
            let text = pieces.concat().repeat(repeat);
            let plain = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(says(&plain).unwrap(), text.as_str());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(says(&format!("\"{escaped}\"")).unwrap(), text.as_str());
        }
    }
}
