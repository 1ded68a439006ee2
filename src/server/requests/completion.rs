//! `textDocument/completion`: what may be written at a place of a rubric.
//!
//! Invariant: answered from memory; an item replaces the word at the cursor and
//! nothing else.

use tower_lsp_server::gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTextEdit, CompletionResponse, Documentation,
    Position, Range, TextEdit,
};

use crate::analysis::completion::{self, Item, Kind};

use super::super::snapshot::{Known, Snapshot};

/// What may be written there.
#[must_use]
pub fn answer(snapshot: &Snapshot, position: Position) -> Option<CompletionResponse> {
    let Known::Rubric(parsed) = &snapshot.content else { return None };
    let at = snapshot.span(Range { start: position, end: position }).start;
    let items = completion::rubric(&snapshot.text.text(), at, parsed);
    let item = |(index, item): (usize, Item)| CompletionItem {
        kind: Some(kind(item.kind)),
        documentation: (!item.about.is_empty()).then(|| Documentation::String(item.about.clone())),
        sort_text: Some(format!("{index:03}")),
        text_edit: Some(CompletionItemTextEdit::TextEdit(TextEdit {
            range: snapshot.range(item.span),
            new_text: item.text,
        })),
        label: item.label,
        ..CompletionItem::default()
    };
    let items: Vec<CompletionItem> = items.into_iter().enumerate().map(item).collect();
    Some(items.into())
}

const fn kind(kind: Kind) -> CompletionItemKind {
    match kind {
        Kind::Key => CompletionItemKind::Property,
        Kind::Value => CompletionItemKind::EnumMember,
        Kind::Criterion => CompletionItemKind::Reference,
        Kind::Category => CompletionItemKind::Module,
    }
}
