//! `textDocument/documentSymbol`: transcripts and their exchanges, categories and
//! criteria; flat for clients that know no nesting.

use tower_lsp_server::gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolResponse, Location, Range,
    SymbolInformation, SymbolKind,
};

use crate::analysis::symbols::{self, Kind, Symbol};
use crate::text::Span;

use super::super::convert;
use super::super::relative;
use super::super::shelf::Record;
use super::super::snapshot::{Known, Snapshot};

/// The symbols of the document.
#[must_use]
pub fn answer(snapshot: &Snapshot) -> Option<DocumentSymbolResponse> {
    let nested: Vec<DocumentSymbol> = match &snapshot.content {
        Known::Transcripts(shelf) => {
            shelf.records().filter_map(|record| of_record(snapshot, &record)).collect()
        }
        Known::Rubric(parsed) => {
            let symbols = symbols::rubric(parsed.rubric.as_ref()?);
            let range = |span: Span| snapshot.range(span);
            symbols.into_iter().map(|symbol| converted(symbol, &range)).collect()
        }
        Known::Settings | Known::Other => return None,
    };
    Some(if snapshot.client.nested_symbols {
        DocumentSymbolResponse::DocumentSymbolList(nested)
    } else {
        let mut flat = Vec::new();
        flatten(snapshot, nested, None, &mut flat);
        DocumentSymbolResponse::SymbolInformationList(flat)
    })
}

/// One pass over the record's text places all of its symbols.
fn of_record(snapshot: &Snapshot, record: &Record<'_>) -> Option<DocumentSymbol> {
    let span = record.span();
    let symbol = symbols::transcript(record.outline()?, Span::new(0, span.len()));
    let mut spans = Vec::new();
    collect(&symbol, &mut spans);
    let text = snapshot.text.slice(span);
    let ranges = relative::ranges(&text, &spans, snapshot.client.encoding);
    let start = record.start(&snapshot.text, snapshot.client.encoding);
    let place = |wanted: Span| {
        let found = spans.iter().position(|s| *s == wanted).map(|index| ranges[index]);
        found.map_or_else(Range::default, |range| convert::range(range.from(start)))
    };
    Some(converted(symbol, &place))
}

fn collect(symbol: &Symbol, spans: &mut Vec<Span>) {
    spans.extend([symbol.span, symbol.selection]);
    symbol.children.iter().for_each(|child| collect(child, spans));
}

#[expect(deprecated, reason = "the protocol's struct still has the field")]
fn converted(symbol: Symbol, range: &dyn Fn(Span) -> Range) -> DocumentSymbol {
    let children: Vec<_> =
        symbol.children.into_iter().map(|child| converted(child, range)).collect();
    DocumentSymbol {
        name: symbol.name,
        detail: Some(symbol.detail),
        kind: kind(symbol.kind),
        tags: None,
        deprecated: None,
        range: range(symbol.span),
        selection_range: range(symbol.selection),
        children: (!children.is_empty()).then_some(children),
    }
}

const fn kind(kind: Kind) -> SymbolKind {
    match kind {
        Kind::Transcript => SymbolKind::Object,
        Kind::Exchange => SymbolKind::Array,
        Kind::Category => SymbolKind::Namespace,
        Kind::Criterion => SymbolKind::Property,
        Kind::Gate => SymbolKind::Event,
    }
}

#[expect(deprecated, reason = "the protocol's struct still has the field")]
fn flatten(
    snapshot: &Snapshot,
    nested: Vec<DocumentSymbol>,
    container: Option<&str>,
    flat: &mut Vec<SymbolInformation>,
) {
    for symbol in nested {
        let base_symbol_information = BaseSymbolInformation {
            name: symbol.name.clone(),
            kind: symbol.kind,
            tags: None,
            container_name: container.map(str::to_owned),
        };
        flat.push(SymbolInformation {
            deprecated: None,
            location: Location { uri: snapshot.uri.clone(), range: symbol.range },
            base_symbol_information,
        });
        flatten(snapshot, symbol.children.unwrap_or_default(), Some(&symbol.name), flat);
    }
}
