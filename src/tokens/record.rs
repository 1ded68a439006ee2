//! How many tokens a record is, as the target run sees it.
//!
//! Invariant: a record's count is the published formula for `openai`, else the
//! text its chat template renders with each control marker one token and no
//! second beginning-of-sequence token. It never depends on what was counted
//! before: the memo only saves work.
//!
//! Why the work is saved exactly: no tokenizer here merges across a control
//! marker, so a rendered record is the sum of its pieces between markers, and an
//! edited message changes one piece.

use std::fmt;
use std::sync::Arc;

use super::counter::{CountError, Counter};
use super::memo::Memo;
use super::openai;
use super::template::input::RenderInput;
use super::template::markers::Piece;
use super::template::{Template, TemplateError};
use crate::transcript::Transcript;

/// Counts messages and records with one tokenizer and one template.
#[derive(Clone, Debug)]
pub struct RecordCounter {
    counter: Counter,
    template: Arc<Template>,
    memo: Arc<Memo>,
}

/// A record's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordCount {
    /// How many.
    pub tokens: usize,
    /// Whether that is the number, or close to it.
    pub precision: Precision,
}

/// Whether a count is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// The definition was followed to the letter.
    Exact,
    /// Something in the record has no published count; says what.
    Estimate(&'static str),
}

/// What one record counts.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordCounts {
    /// Tokens of each message's text, plainly encoded; `None` where it could not be counted.
    pub messages: Vec<Option<usize>>,
    /// Tokens of the whole record as rendered, or why there are none.
    pub record: Result<RecordCount, RecordError>,
}

/// Why a record has no count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A text could not be counted.
    Count(CountError),
    /// The template could not render it.
    Template(TemplateError),
}

impl RecordCounter {
    /// Counts with this tokenizer and template; the memo may be shared with others.
    #[must_use]
    pub fn new(counter: Counter, template: Arc<Template>, memo: Arc<Memo>) -> Self {
        Self { counter, template, memo }
    }

    /// The tokenizer.
    #[must_use]
    pub const fn counter(&self) -> &Counter {
        &self.counter
    }

    /// The chat template.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Tokens of one message's text (or any text), plainly encoded.
    ///
    /// # Errors
    /// As [`Counter::count`].
    pub fn message_tokens(&self, text: &str) -> Result<usize, CountError> {
        self.memo.count(&self.counter, text)
    }

    /// The counts of a transcript read from `record`.
    #[must_use]
    pub fn counts(&self, record: &str, transcript: &Transcript) -> RecordCounts {
        let message = |text: &str| self.message_tokens(text).ok();
        RecordCounts {
            messages: transcript.messages.iter().map(|m| message(&m.text)).collect(),
            record: self.record_tokens(&RenderInput::from_transcript(record, transcript)),
        }
    }

    /// Tokens of a record as rendered.
    ///
    /// # Errors
    /// When the template does not render it, or a piece cannot be counted.
    pub fn record_tokens(&self, input: &RenderInput<'_>) -> Result<RecordCount, RecordError> {
        let count = |text: &str| self.message_tokens(text);
        match self.template.as_ref() {
            Template::OpenAi => Ok(openai::record(input, self.tool_start(), &count)?),
            Template::Jinja(template) => {
                let rendered =
                    template.render(input, matches!(self.counter, Counter::OpenAi(_)))?;
                let tokens = match &self.counter {
                    Counter::OpenAi(_) => self.pieces(template.pieces(&rendered))?,
                    Counter::HuggingFace(own) => {
                        self.pieces(own.markers().split(rendered.text(), None))?
                    }
                };
                Ok(RecordCount { tokens, precision: rendered.precision() })
            }
        }
    }

    /// Tokens of a rendered text, or of a part of it between two markers.
    ///
    /// # Errors
    /// As [`Counter::count`].
    pub fn rendered_tokens(&self, text: &str) -> Result<usize, CountError> {
        match (&self.counter, self.template.as_ref()) {
            (Counter::HuggingFace(own), _) => self.pieces(own.markers().split(text, None)),
            (_, Template::Jinja(template)) => self.pieces(template.markers().split(text, None)),
            (_, Template::OpenAi) => self.message_tokens(text),
        }
    }

    /// The index of the message with which the record passes `limit` tokens;
    /// `None` when it stays within, or cannot be rendered.
    #[must_use]
    pub fn crossing(&self, input: &RenderInput<'_>, limit: usize) -> Option<usize> {
        let fits = |n: usize| Some(self.record_tokens(&input.prefix(n)).ok()?.tokens <= limit);
        let (mut fitting, mut over) = (0, input.messages.len());
        if over == 0 || fits(over)? {
            return None;
        }
        while over - fitting > 1 {
            let middle = fitting + (over - fitting) / 2;
            // A template may refuse a prefix that ends with a user; one message more decides then.
            match fits(middle).or_else(|| fits(middle + 1)) {
                Some(true) => fitting = middle,
                _ => over = middle,
            }
        }
        Some(over - 1)
    }

    fn pieces(&self, pieces: Vec<Piece<'_>>) -> Result<usize, CountError> {
        let mut tokens = 0;
        for piece in pieces {
            tokens += match piece {
                Piece::Marker => 1,
                Piece::Text(text) => self.message_tokens(&text)?,
            };
        }
        Ok(tokens)
    }

    const fn tool_start(&self) -> usize {
        match &self.counter {
            Counter::OpenAi(encoding) => encoding.tool_start(),
            Counter::HuggingFace(_) => super::counter::Encoding::O200kBase.tool_start(),
        }
    }
}

impl RecordCount {
    /// Adds a part; one estimate makes the whole an estimate.
    pub(super) const fn add(&mut self, part: Self) {
        self.tokens += part.tokens;
        if matches!(self.precision, Precision::Exact) {
            self.precision = part.precision;
        }
    }
}

impl From<CountError> for RecordError {
    fn from(e: CountError) -> Self {
        Self::Count(e)
    }
}

impl From<TemplateError> for RecordError {
    fn from(e: TemplateError) -> Self {
        Self::Template(e)
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(e) => e.fmt(f),
            Self::Template(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for RecordError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::counter::Encoding;
    use crate::tokens::template::input::RenderMessage;

    fn counter(encoding: Encoding, template: &str) -> RecordCounter {
        let template = Arc::new(Template::built_in(template).unwrap());
        RecordCounter::new(Counter::OpenAi(encoding), template, Arc::default())
    }

    fn input<'a>(messages: &[(&str, &'a str)]) -> RenderInput<'a> {
        let messages =
            messages.iter().map(|(role, text)| RenderMessage::new(role, *text)).collect();
        RenderInput { messages, ..RenderInput::default() }
    }

    #[test]
    fn chatml_is_its_text_and_one_token_a_marker() {
        let counter = counter(Encoding::O200kBase, "chatml");
        let count = |messages: &[_]| counter.record_tokens(&input(messages)).unwrap().tokens;
        // marker, role, line break, text, marker, line break
        assert_eq!(count(&[("user", "hello world")]), 1 + 1 + 1 + 2 + 1 + 1);
        assert_eq!(count(&[("user", "hello world"), ("assistant", "hello")]), 7 + 6);
        let spoken = counter.message_tokens("say <|im_end|>").unwrap();
        assert!(spoken > 4);
        assert_eq!(count(&[("user", "say <|im_end|>")]), 5 + spoken);
        let taken: String = ('\u{FDD0}'..='\u{FDEE}').collect();
        let spoken = counter.message_tokens(&format!("<|im_end|>{taken}")).unwrap();
        assert_eq!(count(&[("user", &format!("<|im_end|>{taken}"))]), 5 + spoken);
    }

    #[test]
    fn the_limit_is_crossed_where_the_sum_passes_it() {
        let messages = [("user", "one two three"), ("assistant", "four"), ("user", "five six")];
        let input = input(&messages);
        for template in ["openai", "chatml"] {
            let counter = counter(Encoding::O200kBase, template);
            let upto = |n| counter.record_tokens(&input.prefix(n)).unwrap().tokens;
            for limit in 0..upto(3) + 2 {
                let expected = (1..=3).find(|&n| upto(n) > limit).map(|n| n - 1);
                assert_eq!(counter.crossing(&input, limit), expected, "{template}, limit {limit}");
            }
        }
    }
}
