//! Everything static that is known of one record: what the editor shows beside
//! it and what `check` prints. Judged findings are laid over it elsewhere.
//!
//! Invariant: a [`RecordAnalysis`] depends on the record's text and the
//! [`Context`] alone, and all its spans count from the record's first byte; so
//! it stays true while the record moves, and is shared by editor and command line.

use std::sync::Arc;

use crate::finding::Finding;
use crate::text::Span;
use crate::transcript::{Role, Shape};

/// What one record is and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct RecordAnalysis {
    /// Structure, token and check findings, by place.
    pub findings: Vec<Finding>,
    /// The conversation in outline; `None` when the record is none.
    pub outline: Option<Outline>,
}

/// A transcript without its text: what lenses, hints, symbols and folds need.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The transcript's id.
    pub id: Arc<str>,
    /// Where the id is written.
    pub id_source: Option<Span>,
    /// How it is written.
    pub shape: Shape,
    /// The transcript digest: what answers hang on.
    pub digest: [u8; 32],
    /// The record's own batch.
    pub batch: Option<String>,
    /// Tokens of the record as rendered; `None` until counted.
    pub tokens: Option<usize>,
    /// Its messages.
    pub messages: Vec<OutlineMessage>,
    /// Its exchanges.
    pub exchanges: Vec<OutlineExchange>,
}

/// One message in outline.
#[derive(Clone, Debug)]
pub struct OutlineMessage {
    /// Who speaks.
    pub role: Role,
    /// The exchange it belongs to.
    pub exchange: Option<u32>,
    /// The whole message.
    pub source: Span,
    /// Its words, without the quotes.
    pub text_source: Span,
    /// Words in it.
    pub words: usize,
    /// Tokens of its text; `None` until counted.
    pub tokens: Option<usize>,
}

/// One exchange in outline.
#[derive(Clone, Debug)]
pub struct OutlineExchange {
    /// From 1.
    pub number: u32,
    /// From its first message to its last.
    pub source: Span,
    /// Words the user wrote.
    pub user_words: usize,
    /// Words of the reply.
    pub reply_words: usize,
}
