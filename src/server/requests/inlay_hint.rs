//! `textDocument/inlayHint`: the messages in the visible range.

use tower_lsp_server::gen_lsp_types::{InlayHint, InlayHintKind, Label, Range, Tooltip};

use crate::analysis::hints;

use super::super::snapshot::{Known, Snapshot};

/// The hints inside a range.
#[must_use]
pub fn answer(snapshot: &Snapshot, range: Range) -> Option<Vec<InlayHint>> {
    let Known::Transcripts(shelf) = &snapshot.content else { return None };
    let visible = snapshot.span(range);
    let mut all = Vec::new();
    for record in shelf.meeting(visible) {
        let Some(outline) = record.outline() else { continue };
        let start = record.span().start;
        let hints = hints::hints(outline).into_iter();
        let inside = hints.filter(|hint| visible.touches(start + hint.at));
        all.extend(inside.map(|hint| InlayHint {
            position: snapshot.range(crate::text::Span::empty(start + hint.at)).start,
            label: Label::String(hint.label),
            kind: Some(InlayHintKind::Parameter),
            text_edits: None,
            tooltip: Some(Tooltip::String(hint.tooltip)),
            padding_left: Some(false),
            padding_right: Some(true),
            data: None,
        }));
    }
    Some(all)
}
