//! Document symbols: transcripts, their exchanges; a rubric's categories and criteria.
//!
//! Invariant: a symbol's selection lies in its span, and children lie in their
//! parent, as the protocol demands.

use super::hints::counted;
use super::record::{Outline, OutlineExchange};
use crate::rubric::{Ask, Rubric};
use crate::text::Span;

/// A named part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// More about it.
    pub detail: String,
    /// What it is.
    pub kind: Kind,
    /// All of it.
    pub span: Span,
    /// Its name, or its first words.
    pub selection: Span,
    /// Its parts.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Kind {
    Transcript,
    Exchange,
    Category,
    Criterion,
    Gate,
}

/// A transcript with its exchanges. `record` is the span of the whole record.
#[must_use]
pub fn transcript(outline: &Outline, record: Span) -> Symbol {
    let start = Span::new(record.start, record.start);
    Symbol {
        name: outline.id.to_string(),
        detail: counted(outline.exchanges.len(), "exchange"),
        kind: Kind::Transcript,
        span: record,
        selection: outline.id_source.unwrap_or(start),
        children: outline.exchanges.iter().map(|e| exchange(outline, e)).collect(),
    }
}

fn exchange(outline: &Outline, exchange: &OutlineExchange) -> Symbol {
    let words = |n| counted(n, "word");
    let first = outline.messages.iter().find(|m| m.exchange == Some(exchange.number));
    let selection = first.map_or(exchange.source, |m| m.text_source);
    let inside = exchange.source.start <= selection.start && selection.end <= exchange.source.end;
    Symbol {
        name: format!("exchange {}", exchange.number),
        detail: format!(
            "user {}, reply {}",
            words(exchange.user_words),
            words(exchange.reply_words)
        ),
        kind: Kind::Exchange,
        span: exchange.source,
        selection: if inside { selection } else { exchange.source },
        children: Vec::new(),
    }
}

/// A rubric's categories and criteria, each at its key.
#[must_use]
pub fn rubric(rubric: &Rubric) -> Vec<Symbol> {
    let categories = rubric.categories.iter().map(|category| Symbol {
        name: category.id.clone(),
        detail: format!("weight {}", category.weight),
        kind: Kind::Category,
        span: category.source,
        selection: category.source,
        children: Vec::new(),
    });
    let criteria = rubric.criteria.iter().map(|criterion| Symbol {
        name: format!("{} {}", criterion.id, criterion.name),
        detail: match &criterion.ask {
            Ask::Question(question) => question.clone(),
            Ask::Check(_) => "computed check".into(),
        },
        kind: if criterion.gate { Kind::Gate } else { Kind::Criterion },
        span: criterion.source,
        selection: criterion.source,
        children: Vec::new(),
    });
    categories.chain(criteria).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::outline;
    use super::*;

    #[test]
    fn a_transcript_holds_its_exchanges() {
        let symbol = transcript(&outline(), Span::new(0, 100));
        assert_eq!((symbol.name.as_str(), symbol.detail.as_str()), ("t-1", "1 exchange"));
        assert_eq!(symbol.selection, Span::new(7, 12));
        let [exchange] = symbol.children.as_slice() else { panic!("one exchange") };
        assert_eq!(exchange.detail, "user 3 words, reply 6 words");
        assert!(exchange.span.start <= exchange.selection.start);
        assert!(exchange.selection.end <= exchange.span.end);
    }
}
