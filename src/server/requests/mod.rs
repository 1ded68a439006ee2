//! One file a request: what it answers from the session's memory. Pure conversion;
//! the content comes from `analysis`.
//!
//! Invariant: every request sees the state after all messages before it, and none
//! after it. What grows with the file is answered by a worker from a snapshot,
//! behind its own panic boundary.

pub mod code_action;
pub mod code_lens;
pub mod completion;
pub mod critique_action;
pub mod document_symbol;
pub mod execute_command;
pub mod fixup_action;
pub mod folding_range;
pub mod hover;
pub mod inlay_hint;
pub mod navigation;
pub mod review_action;

use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp_server::gen_lsp_types::{Definition, Uri};

use super::event::{Reply, Request};
use super::session::Session;
use super::snapshot::Snapshot;

/// Answers a request.
pub fn answer(session: &mut Session, request: Request) {
    match request {
        Request::Hover(params, reply) => {
            let params = params.text_document_position_params;
            let snapshot = snapshot(session, &params.text_document.uri);
            reply.send(snapshot.and_then(|s| hover::answer(&s, params.position)));
        }
        Request::Completion(at, reply) => {
            let snapshot = snapshot(session, &at.text_document.uri);
            reply.send(snapshot.and_then(|s| completion::answer(&s, at.position)));
        }
        Request::Definition(at, reply) => {
            let found = navigation::definition(session, &at.text_document.uri, at.position);
            reply.send(found.map(|location| Definition::from(location).into()));
        }
        Request::References(at, with_definition, reply) => {
            let uri = &at.text_document.uri;
            reply.send(navigation::references(session, uri, at.position, with_definition));
        }
        Request::InlayHint(params, reply) => {
            let snapshot = snapshot(session, &params.text_document.uri);
            reply.send(snapshot.and_then(|s| inlay_hint::answer(&s, params.range)));
        }
        Request::CodeAction(params, reply) => {
            let snapshot = snapshot(session, &params.text_document.uri);
            reply.send(snapshot.and_then(|s| code_action::answer(&s, &params)));
        }
        Request::CodeLens(uri, reply) => {
            session.count_for(&uri);
            work(session, &uri, reply, code_lens::answer);
        }
        Request::DocumentSymbol(uri, reply) => work(session, &uri, reply, document_symbol::answer),
        Request::FoldingRange(uri, reply) => work(session, &uri, reply, folding_range::answer),
        Request::ExecuteCommand(params, reply) => {
            reply.send(Some(execute_command::answer(session, params).to_json()));
        }
        Request::DebugText(uri, reply) => reply.send(debug_text(session, &uri)),
    }
}

/// A document as it is after all messages so far.
fn snapshot(session: &mut Session, uri: &Uri) -> Option<Snapshot> {
    let client = session.client.clone();
    let document = session.documents.get_mut(uri)?;
    document.catch_up();
    // All of a usual file, the beginning of a huge one: better than nothing yet.
    document.read_on();
    document.place_remarks();
    let census = session.sweeps.census(&document.live.project.root);
    let spend = session.jobs.spend(document.live.project.root.as_deref());
    let judges = session.accounts.judges(&document.live, &spend);
    let drafts = Arc::clone(&session.drafts);
    let snapshot = Snapshot { census, judges, drafts, ..Snapshot::of(document, client) };
    let desynced = document.desynced;
    let reviews = session.reviews(&snapshot.live);
    (!desynced).then_some(Snapshot { reviews, ..snapshot })
}

/// Answers on a worker's thread.
fn work<T: Send + 'static>(
    session: &mut Session,
    uri: &Uri,
    reply: Reply<Option<T>>,
    answer: impl FnOnce(&Snapshot) -> Option<T> + Send + 'static,
) {
    let Some(snapshot) = snapshot(session, uri) else {
        reply.send(None);
        return;
    };
    // A panic ends this task alone; the reply is dropped and the client told.
    session.runtime.spawn_blocking(move || {
        if !reply.is_cancelled() {
            reply.send(answer(&snapshot));
        }
    });
}

fn debug_text(session: &mut Session, uri: &Uri) -> Value {
    session.documents.get(uri).map_or(Value::Null, |document| {
        json!({
            "version": document.version,
            "text": document.text.text(),
            "desynced": document.desynced,
        })
    })
}
