//! What the client can do, resolved once at `initialize` into plain flags, and
//! what the server offers in return.
//!
//! Invariant: nothing else in the server looks at `ClientCapabilities`. A
//! missing or null capability is "no", except where real clients are known to
//! support what they do not announce (versioned edits in Neovim).

use tower_lsp_server::gen_lsp_types::{
    ChangeNotifications, ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProvider,
    CodeActionTag, CodeLensOptions, CompletionOptions, DefinitionProvider, DocumentSymbolProvider,
    ExecuteCommandOptions, FoldingRangeProvider, HoverProvider, InitializeParams, InitializeResult,
    InlayHintProvider, MarkupKind, PositionEncodingKind, ReferencesProvider, Save, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentClientCapabilities, TextDocumentSync,
    TextDocumentSyncKind, TextDocumentSyncOptions, WindowClientCapabilities,
    WorkspaceClientCapabilities, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};

use crate::text::document::Encoding;

use super::requests::execute_command::Command;
use super::requests::review_action;

/// What the client said it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFlags {
    /// How columns are counted.
    pub encoding: Encoding,
    /// Edits may carry the document's version.
    pub versioned_edits: bool,
    /// Edits of code actions may carry what they are, and ask before they are made.
    pub annotated_edits: bool,
    /// Code actions may be more than commands.
    pub action_literals: bool,
    /// Code actions that are not possible may say why.
    pub disabled_actions: bool,
    /// Code actions may say that a model made them.
    pub model_tags: bool,
    /// Diagnostics may carry related information.
    pub related_information: bool,
    /// Symbols may nest.
    pub nested_symbols: bool,
    /// Folds are whole lines.
    pub line_folding_only: bool,
    /// Hovers may be markdown.
    pub markdown: bool,
    /// Progress may be created by the server.
    pub progress: bool,
    /// The server may have a place shown.
    pub show_document: bool,
    /// The server may have edits applied.
    pub apply_edits: bool,
    /// Code lenses can be asked to refresh.
    pub refresh_lenses: bool,
    /// Inlay hints can be asked to refresh.
    pub refresh_hints: bool,
    /// Watched files can be registered.
    pub register_watchers: bool,
    /// Configuration changes can be registered.
    pub register_configuration: bool,
}

impl Default for ClientFlags {
    /// A client that said nothing.
    fn default() -> Self {
        Self::of(&InitializeParams::default())
    }
}

impl ClientFlags {
    /// Reads the flags off an `initialize` request.
    #[must_use]
    pub fn of(params: &InitializeParams) -> Self {
        let all = &params.capabilities;
        let none = (
            TextDocumentClientCapabilities::default(),
            WorkspaceClientCapabilities::default(),
            WindowClientCapabilities::default(),
        );
        let document = all.text_document.as_ref().unwrap_or(&none.0);
        let workspace = all.workspace.as_ref().unwrap_or(&none.1);
        let window = all.window.as_ref().unwrap_or(&none.2);
        let name = params.client_info.as_ref().map_or("", |c| c.name.as_str());
        Self {
            encoding: encoding(all),
            versioned_edits: versioned_edits(workspace, name),
            annotated_edits: annotated_edits(workspace, document),
            progress: window.work_done_progress == Some(true),
            apply_edits: workspace.apply_edit == Some(true),
            show_document: window.show_document.is_some_and(|show| show.support),
            refresh_lenses: workspace.code_lens.as_ref().and_then(|c| c.refresh_support)
                == Some(true),
            refresh_hints: workspace.inlay_hint.as_ref().and_then(|c| c.refresh_support)
                == Some(true),
            register_watchers: workspace
                .did_change_watched_files
                .as_ref()
                .and_then(|c| c.dynamic_registration)
                == Some(true),
            register_configuration: workspace
                .did_change_configuration
                .as_ref()
                .and_then(|c| c.dynamic_registration)
                == Some(true),
            ..Self::of_documents(document)
        }
    }

    fn of_documents(document: &TextDocumentClientCapabilities) -> Self {
        let formats = document.hover.as_ref().and_then(|h| h.content_format.as_ref());
        Self {
            action_literals: document
                .code_action
                .as_ref()
                .is_some_and(|c| c.code_action_literal_support.is_some()),
            disabled_actions: document.code_action.as_ref().and_then(|c| c.disabled_support)
                == Some(true),
            model_tags: document
                .code_action
                .as_ref()
                .and_then(|c| c.tag_support.as_ref())
                .is_some_and(|tags| tags.value_set.contains(&CodeActionTag::LLMGenerated)),
            related_information: document
                .publish_diagnostics
                .as_ref()
                .and_then(|p| p.diagnostics_capabilities.related_information)
                == Some(true),
            nested_symbols: document
                .document_symbol
                .as_ref()
                .and_then(|s| s.hierarchical_document_symbol_support)
                == Some(true),
            line_folding_only: document.folding_range.as_ref().and_then(|f| f.line_folding_only)
                == Some(true),
            markdown: formats.is_none_or(|f| f.contains(&MarkupKind::Markdown)),
            encoding: Encoding::Utf16,
            versioned_edits: false,
            annotated_edits: false,
            progress: false,
            show_document: false,
            apply_edits: false,
            refresh_lenses: false,
            refresh_hints: false,
            register_watchers: false,
            register_configuration: false,
        }
    }
}

/// UTF-8 wherever the client offers it, because documents are stored so.
fn encoding(client: &ClientCapabilities) -> Encoding {
    let offered = client.general.as_ref().and_then(|g| g.position_encodings.as_ref());
    let utf8 = offered.is_some_and(|o| o.contains(&PositionEncodingKind::UTF8));
    if utf8 { Encoding::Utf8 } else { Encoding::Utf16 }
}

/// Neovim applies and checks versioned edits but announces only resource operations.
fn versioned_edits(workspace: &WorkspaceClientCapabilities, client: &str) -> bool {
    let announced = workspace.workspace_edit.as_ref().is_some_and(|edit| {
        edit.document_changes == Some(true) || edit.resource_operations.is_some()
    });
    announced || client == "Neovim"
}

/// Annotations are of use only where the client looks at those of code actions.
fn annotated_edits(
    workspace: &WorkspaceClientCapabilities,
    document: &TextDocumentClientCapabilities,
) -> bool {
    let edits = workspace.workspace_edit.as_ref();
    edits.is_some_and(|edit| edit.change_annotation_support.is_some())
        && document.code_action.as_ref().and_then(|c| c.honors_change_annotations) == Some(true)
}

/// The answer to `initialize`.
#[must_use]
pub fn offer(flags: &ClientFlags) -> InitializeResult {
    InitializeResult {
        capabilities: server_capabilities(flags),
        server_info: Some(ServerInfo {
            name: "rubricator".into(),
            version: Some(env!("CARGO_PKG_VERSION").into()),
        }),
    }
}

fn server_capabilities(flags: &ClientFlags) -> ServerCapabilities {
    let position_encoding = match flags.encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
        Encoding::Utf32 => PositionEncodingKind::UTF32,
    };
    ServerCapabilities {
        position_encoding: Some(position_encoding),
        text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            save: Some(Save::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..Default::default()
        })),
        hover_provider: Some(HoverProvider::Bool(true)),
        definition_provider: Some(DefinitionProvider::Bool(true)),
        references_provider: Some(ReferencesProvider::Bool(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([":", " ", "[", "{", ",", "-"].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        code_lens_provider: Some(CodeLensOptions::default()),
        inlay_hint_provider: Some(InlayHintProvider::Bool(true)),
        document_symbol_provider: Some(DocumentSymbolProvider::Bool(true)),
        folding_range_provider: Some(FoldingRangeProvider::Bool(true)),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QuickFix,
                CodeActionKind::RefactorRewrite,
                CodeActionKind::Source,
                review_action::KIND,
            ]),
            ..Default::default()
        })),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: Command::ALL.iter().map(|c| c.name().to_owned()).collect(),
            ..Default::default()
        }),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(ChangeNotifications::Bool(true)),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn flags(capabilities: Value, client: &str) -> ClientFlags {
        let params = json!({
            "processId": null, "rootUri": null, "capabilities": capabilities,
            "clientInfo": {"name": client},
        });
        ClientFlags::of(&serde_json::from_value(params).unwrap())
    }

    #[test]
    fn a_client_that_says_nothing_gets_the_oldest_protocol() {
        let flags = flags(json!({}), "nobody");
        assert_eq!(flags.encoding, Encoding::Utf16);
        assert!(!flags.versioned_edits && !flags.progress && !flags.register_watchers);
        assert!(!flags.nested_symbols && !flags.refresh_lenses);
    }

    #[test]
    fn utf8_is_taken_wherever_it_is_offered() {
        let offer = |list: Value| flags(json!({"general": {"positionEncodings": list}}), "x");
        assert_eq!(offer(json!(["utf-16"])).encoding, Encoding::Utf16);
        assert_eq!(offer(json!(["utf-32"])).encoding, Encoding::Utf16);
        assert_eq!(offer(json!(["utf-16", "utf-8"])).encoding, Encoding::Utf8);
    }

    #[test]
    fn neovim_gets_versioned_edits_though_it_does_not_announce_them() {
        let plain = json!({"workspace": {"workspaceEdit": {}}});
        assert!(!flags(plain.clone(), "x").versioned_edits);
        assert!(flags(plain, "Neovim").versioned_edits);
        let operations =
            json!({"workspace": {"workspaceEdit": {"resourceOperations": ["create"]}}});
        assert!(flags(operations, "x").versioned_edits);
        let changes = json!({"workspace": {"workspaceEdit": {"documentChanges": true}}});
        assert!(flags(changes, "x").versioned_edits);
    }
}
