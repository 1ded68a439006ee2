//! One file a request: what it answers from the session's memory. Pure conversion;
//! the content comes from `analysis`.
//!
//! Invariant: every request sees the state after all messages before it, and none
//! after it.

pub mod execute_command;

use serde_json::{Value, json};
use tower_lsp_server::gen_lsp_types::Uri;

use super::event::Request;
use super::session::Session;

/// Answers a request.
pub fn answer(session: &mut Session, request: Request) {
    match request {
        Request::Hover(_, reply) => reply.send(None),
        Request::CodeLens(_, reply) => reply.send(None),
        Request::InlayHint(_, reply) => reply.send(None),
        Request::DocumentSymbol(_, reply) => reply.send(None),
        Request::FoldingRange(_, reply) => reply.send(None),
        Request::CodeAction(_, reply) => reply.send(None),
        Request::ExecuteCommand(_, reply) => reply.send(None),
        Request::DebugText(uri, reply) => reply.send(debug_text(session, &uri)),
    }
}

fn debug_text(session: &Session, uri: &Uri) -> Value {
    session.documents.get(uri).map_or(Value::Null, |document| {
        json!({
            "version": document.version,
            "text": document.text.text(),
            "desynced": document.desynced,
        })
    })
}
