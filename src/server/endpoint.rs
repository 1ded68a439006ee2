//! The thin end towards `tower-lsp-server`: every handler turns its message into
//! an [`Event`] and, for requests, waits for the reply. Opening and editing come
//! straight from the intake.
//!
//! Invariant: the first act of every handler is to send its event, before any
//! await, so the main loop sees messages in the order they were written. Nothing
//! here computes, blocks, or asks the client anything.

use serde_json::{Value, json};
use tower_lsp_server::LanguageServer;
use tower_lsp_server::gen_lsp_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, CompletionParams,
    CompletionResponse, DefinitionParams, DefinitionResponse, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidSaveTextDocumentParams, DocumentSymbolParams,
    DocumentSymbolResponse, ExecuteCommandParams, FoldingRange, FoldingRangeParams, Hover,
    HoverParams, InitializeParams, InitializeResult, InitializedParams, InlayHint, InlayHintParams,
    Location, ProgressToken, ReferenceParams, TextDocumentContentChangeEvent,
    TextDocumentIdentifier, Uri, WorkDoneProgressCancelParams, WorkspaceFolders,
};
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Result};

use crate::text::document::Change;

use super::capabilities::{self, ClientFlags};
use super::convert;
use super::event::{Event, EventSender, Introduction, Reply, Request};
use super::lifecycle::Lifecycle;

/// The language server as `tower-lsp-server` sees it.
#[derive(Debug)]
pub struct Endpoint {
    events: EventSender,
    lifecycle: Lifecycle,
}

impl Endpoint {
    /// An endpoint in front of the main loop that receives `events`.
    #[must_use]
    pub fn new(events: EventSender, lifecycle: Lifecycle) -> Self {
        Self { events, lifecycle }
    }

    /// `window/workDoneProgress/cancel`
    pub async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        let token = match params.token {
            ProgressToken::String(token) => token,
            ProgressToken::Int(number) => number.to_string(),
        };
        self.events.send(Event::ProgressCancelled(token));
    }

    /// `rubricator/debugText`
    ///
    /// # Errors
    /// When the main loop could not answer.
    pub async fn debug_text(&self, params: TextDocumentIdentifier) -> Result<Value> {
        self.ask(|reply| Request::DebugText(params.uri, reply)).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T> {
        let (reply, answer) = Reply::channel();
        self.events.send(Event::Asked(request(reply)));
        answer.await.unwrap_or_else(|_| {
            Err(Error {
                code: ErrorCode::InternalError,
                message: "rubricator could not answer this; its log says why".into(),
                data: None,
            })
        })
    }
}

impl LanguageServer for Endpoint {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        self.lifecycle.watch_parent(params.process_id);
        self.lifecycle.begin();
        let flags = ClientFlags::of(&params);
        let result = capabilities::offer(&flags);
        self.events.send(Event::Introduced(Box::new(introduction(params, flags))));
        Ok(result)
    }

    async fn initialized(&self, _: InitializedParams) {
        self.events.send(Event::Ready);
    }

    async fn shutdown(&self) -> Result<()> {
        self.events.send(Event::ShuttingDown);
        self.lifecycle.shut_down();
        Ok(())
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.events.send(Event::Saved(params.text_document.uri));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.events.send(Event::Closed(params.text_document.uri));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.events.send(Event::Configured(params.settings));
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let files = params.changes.into_iter().map(|change| change.uri).collect();
        self.events.send(Event::FilesChanged(files));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let uris = |folders: Vec<_>| folders.into_iter().map(folder_uri).collect();
        self.events.send(Event::FoldersChanged {
            added: uris(params.event.added),
            removed: uris(params.event.removed),
        });
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.ask(|reply| Request::Hover(params, reply)).await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let at = params.text_document_position_params;
        self.ask(|reply| Request::Completion(at, reply)).await
    }

    async fn goto_definition(
        &self,
        params: DefinitionParams,
    ) -> Result<Option<DefinitionResponse>> {
        let at = params.text_document_position_params;
        self.ask(|reply| Request::Definition(at, reply)).await
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let at = params.text_document_position_params;
        let with_definition = params.context.include_declaration;
        self.ask(|reply| Request::References(at, with_definition, reply)).await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(|reply| Request::CodeLens(params.text_document.uri, reply)).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask(|reply| Request::InlayHint(params, reply)).await
    }

    async fn document_symbol(
        &self,
        params: DocumentSymbolParams,
    ) -> Result<Option<DocumentSymbolResponse>> {
        self.ask(|reply| Request::DocumentSymbol(params.text_document.uri, reply)).await
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask(|reply| Request::FoldingRange(params.text_document.uri, reply)).await
    }

    async fn code_action(
        &self,
        params: CodeActionParams,
    ) -> Result<Option<Vec<CodeActionResponse>>> {
        self.ask(|reply| Request::CodeAction(Box::new(params), reply)).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        self.ask(|reply| Request::ExecuteCommand(params, reply)).await
    }
}

#[expect(deprecated, reason = "older clients name their folder by rootUri alone")]
fn introduction(params: InitializeParams, flags: ClientFlags) -> Introduction {
    let options = params.initialization_options.unwrap_or_default();
    let trusted = options.get("trusted").and_then(Value::as_bool);
    let settings = options.get("settings").cloned().unwrap_or_else(|| json!(null));
    let folders = match params.workspace_folders_initialize_params.workspace_folders {
        Some(WorkspaceFolders::WorkspaceFolderList(list)) => {
            list.into_iter().map(folder_uri).collect()
        }
        _ => params.root_uri.into_iter().collect(),
    };
    Introduction { flags, folders, trusted, settings }
}

fn folder_uri(folder: tower_lsp_server::gen_lsp_types::WorkspaceFolder) -> Uri {
    folder.uri
}

/// The event of `textDocument/didChange`.
#[must_use]
pub fn changed(params: DidChangeTextDocumentParams) -> Event {
    Event::Changed {
        uri: params.text_document.text_document_identifier.uri,
        version: params.text_document.version,
        changes: params.content_changes.into_iter().map(change).collect(),
    }
}

fn change(event: TextDocumentContentChangeEvent) -> Change {
    match event {
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(partial) => {
            let range = partial.range;
            let ends = (convert::place(range.start), convert::place(range.end));
            Change { range: Some(ends), text: partial.text }
        }
        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
            Change { range: None, text: whole.text }
        }
    }
}
