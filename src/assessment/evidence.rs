//! A judge's quote → the words it points at (SPEC 5.4).
//!
//! Invariant: a range that is found has, normalised, exactly the characters of
//! the normalised quote; what is not found points at a whole reply and says so.
//!
//! Deliberately absent: fuzzy search. A quote that was reworded is not found.

use crate::text::Span;
use crate::transcript::{Exchange, Transcript};

use super::Evidence;

/// Where a piece of evidence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The exchange, from 1.
    pub exchange: u32,
    /// Index of the message.
    pub message: usize,
    /// The words, in the message's decoded text.
    pub span: Span,
    /// False: the quote was not found, and this is the whole message.
    pub found: bool,
}

/// Finds a quote in the exchange it cites: in the reply, then in the user's
/// text; exactly, then normalised; the first occurrence. A quote over several
/// messages is its part in the first. Not found, it is the last message of the
/// reply. `None` only for a transcript without exchanges.
#[must_use]
pub fn locate(transcript: &Transcript, evidence: &Evidence) -> Option<Located> {
    let cited = transcript.exchanges.iter().find(|e| e.number == evidence.exchange);
    let Some(exchange) = cited else {
        return last_reply(transcript);
    };
    let reply: Vec<usize> = transcript.reply_messages(exchange).collect();
    let found = locate_in(transcript, exchange, &reply, &evidence.quote)
        .or_else(|| locate_in(transcript, exchange, &exchange.user, &evidence.quote));
    found.or_else(|| whole(transcript, exchange))
}

/// True when the quote stands where it is said to stand.
#[must_use]
pub fn found(transcript: &Transcript, evidence: &Evidence) -> bool {
    locate(transcript, evidence).is_some_and(|located| located.found)
}

/// The last reply: where a verdict without evidence is shown.
#[must_use]
pub fn last_reply(transcript: &Transcript) -> Option<Located> {
    let has_reply = |e: &&Exchange| transcript.reply_messages(e).next().is_some();
    let exchange = transcript.exchanges.iter().rev().find(has_reply);
    whole(transcript, exchange.or_else(|| transcript.exchanges.last())?)
}

/// An exchange's reply as a whole; its user message where there is none.
fn whole(transcript: &Transcript, exchange: &Exchange) -> Option<Located> {
    let reply = transcript.reply_messages(exchange).last();
    let message = reply.or_else(|| exchange.user.last().copied())?;
    let span = Span::new(0, transcript.messages[message].text.len());
    Some(Located { exchange: exchange.number, message, span, found: false })
}

fn locate_in(
    transcript: &Transcript,
    exchange: &Exchange,
    messages: &[usize],
    quote: &str,
) -> Option<Located> {
    let (text, starts) = joined(transcript, messages);
    let span = find(&text, quote)?;
    let holds = |&&(start, message): &&(usize, usize)| {
        start < span.end && span.start < start + transcript.messages[message].text.len()
    };
    let &(start, message) = starts.iter().find(holds)?;
    let len = transcript.messages[message].text.len();
    let within = Span::new(span.start.saturating_sub(start), (span.end - start).min(len));
    Some(Located { exchange: exchange.number, message, span: within, found: true })
}

/// The texts joined by a blank line, and where each begins.
fn joined(transcript: &Transcript, messages: &[usize]) -> (String, Vec<(usize, usize)>) {
    let mut text = String::new();
    let mut starts = Vec::with_capacity(messages.len());
    for &message in messages {
        let part = &transcript.messages[message].text;
        if !text.is_empty() && !part.is_empty() {
            text.push_str("\n\n");
        }
        starts.push((text.len(), message));
        text.push_str(part);
    }
    (text, starts)
}

/// The first place where `text` says `quote`: exactly, else normalised, else
/// normalised without the quote's own quotation marks and ellipses.
#[must_use]
pub fn find(text: &str, quote: &str) -> Option<Span> {
    let quote = quote.trim();
    if quote.is_empty() {
        return None;
    }
    if let Some(start) = text.find(quote) {
        return Some(Span::new(start, start + quote.len()));
    }
    let text = Normalised::new(text);
    let needle = Normalised::new(quote).text;
    let bare = needle.trim_matches([QUOTE, ELLIPSIS, ' ']);
    text.find(&needle).or_else(|| text.find(bare))
}

const QUOTE: char = '\'';
const ELLIPSIS: char = '…';

/// A text in the form in which quotes are compared, with the way back: a run of
/// white space is one space, a quotation mark of any kind `'`, a run of dashes
/// `-`, an ellipsis or two and more dots `…`, and letters are lower case.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// The normalised text.
    pub text: String,
    /// Per character of it: where it starts, there and in the source.
    starts: Vec<(usize, usize)>,
    source_len: usize,
}

impl Normalised {
    /// Normalises a text.
    #[must_use]
    pub fn new(source: &str) -> Self {
        let mut normalised =
            Self { text: String::new(), starts: Vec::new(), source_len: source.len() };
        let mut chars = source.char_indices().peekable();
        while let Some((start, ch)) = chars.next() {
            let class = Class::of(ch);
            let mut run = 1;
            while class.runs() && chars.next_if(|(_, next)| Class::of(*next) == class).is_some() {
                run += 1;
            }
            normalised.starts.push((normalised.text.len(), start));
            normalised.text.push(class.written(ch, run));
        }
        normalised
    }

    /// The source range of the first occurrence of a normalised needle.
    #[must_use]
    pub fn find(&self, needle: &str) -> Option<Span> {
        if needle.is_empty() {
            return None;
        }
        let start = self.text.find(needle)?;
        Some(Span::new(self.source_at(start), self.source_at(start + needle.len())))
    }

    /// Where the character at this offset of the normalised text starts in the source.
    fn source_at(&self, at: usize) -> usize {
        match self.starts.binary_search_by_key(&at, |(normalised, _)| *normalised) {
            Ok(index) => self.starts[index].1,
            Err(_) => self.source_len,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Quote,
    Dash,
    Dots,
    Other,
}

impl Class {
    fn of(ch: char) -> Self {
        match ch {
            '\'' | '"' | '`' | '´' | '‘' | '’' | '‚' | '‛' | '“' | '”' | '„' | '‟' | '«' | '»'
            | '‹' | '›' | '′' | '″' | '＂' | '＇' => Self::Quote,
            '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '﹣' | '－' => {
                Self::Dash
            }
            '.' | ELLIPSIS => Self::Dots,
            ch if ch.is_whitespace() => Self::Space,
            _ => Self::Other,
        }
    }

    /// Whether a run of it is written as one character.
    fn runs(self) -> bool {
        matches!(self, Self::Space | Self::Dash | Self::Dots)
    }

    fn written(self, ch: char, run: usize) -> char {
        match self {
            Self::Space => ' ',
            Self::Quote => QUOTE,
            Self::Dash => '-',
            Self::Dots if run == 1 && ch == '.' => '.',
            Self::Dots => ELLIPSIS,
            Self::Other => lower(ch),
        }
    }
}

/// Lower case where that is one character: so every place has its way back.
fn lower(ch: char) -> char {
    let mut lower = ch.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => ch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::conversation;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn check(text: &str, quote: &str, expected: Expect) {
        expected.assert_eq(find(text, quote).map_or("not found", |span| span.of(text)));
    }

    #[test]
    fn a_quote_is_found_exactly_or_normalised() {
        check("You did well. You did well.", "You did well", expect!["You did well"]);
        check(
            "It’s “fine” — really…",
            "it's \"fine\" - REALLY...",
            expect!["It’s “fine” — really…"],
        );
        check("one\n\n two\tthree", "one two three", expect!["one\n\n two\tthree"]);
        check("Wait -- what?", "wait — what?", expect!["Wait -- what?"]);
        check("You should breathe slowly.", "“…breathe slowly…”", expect!["breathe slowly"]);
        check("nothing of the kind", "something else", expect!["not found"]);
        check("anything", "  ", expect!["not found"]);
        check("İstanbul is big", "İSTANBUL IS", expect!["İstanbul is"]);
        check("a.b", "a...b", expect!["not found"]);
    }

    fn place(lines: &[&str], exchange: u32, quote: &str, expected: Expect) {
        let (transcript, record) = conversation(lines);
        let located = locate(&transcript, &Evidence { exchange, quote: quote.into() });
        let shown = located.map_or("nowhere".to_owned(), |l| {
            let message = &transcript.messages[l.message];
            let source = message.source_of(&record, l.span);
            format!(
                "#{} message {} found {}: {}",
                l.exchange,
                l.message,
                l.found,
                source.of(&record)
            )
        });
        expected.assert_eq(&shown);
    }

    const TALK: [&str; 7] = [
        "user: I feel low. Tell me",
        "assistant: I hear you.\nIt is hard",
        "tool: {}",
        "assistant: Try a “walk”",
        "user: I feel better",
        "assistant: I feel glad",
        "user: bye",
    ];

    #[test]
    fn the_reply_comes_before_the_user() {
        place(&TALK, 2, "I feel", expect!["#2 message 5 found true: I feel"]);
        place(&TALK, 2, "better", expect!["#2 message 4 found true: better"]);
        place(&TALK, 1, "\"walk\"", expect!["#1 message 3 found true: “walk”"]);
    }

    #[test]
    fn a_quote_over_two_messages_is_its_part_in_the_first() {
        place(
            &TALK,
            1,
            "you. It is hard Try a walk",
            expect!["#1 message 3 found false: Try a “walk”"],
        );
        place(
            &TALK,
            1,
            "you. It is hard Try a \"walk\"",
            expect![[r#"#1 message 1 found true: you.\nIt is hard"#]],
        );
    }

    #[test]
    fn what_is_not_found_is_the_whole_reply() {
        place(&TALK, 1, "gone", expect!["#1 message 3 found false: Try a “walk”"]);
        place(&TALK, 3, "gone", expect!["#2 message 5 found false: I feel glad"]);
        place(&TALK, 9, "gone", expect!["#2 message 5 found false: I feel glad"]);
        place(&["system: Be kind."], 1, "gone", expect!["nowhere"]);
    }

    proptest! {
        #[test]
        fn a_found_range_normalises_to_the_needle(
            text in r#"[ab ."'“”—–…\-\n\tİßA😀é]{0,40}"#,
            from in 0_usize..40,
            len in 1_usize..12,
        ) {
            let normalised = Normalised::new(&text);
            let needle: String = normalised.text.chars().skip(from).take(len).collect();
            if !needle.is_empty() {
                let span = normalised.find(&needle).expect("it is there");
                prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
                prop_assert_eq!(Normalised::new(span.of(&text)).text, needle);
            }
        }

        #[test]
        fn any_quote_of_any_text_stays_inside(text in "\\PC{0,60}", quote in "\\PC{0,12}") {
            if let Some(span) = find(&text, &quote) {
                prop_assert!(text.get(span.start..span.end).is_some());
            }
        }
    }
}
