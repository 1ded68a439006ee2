//! Control markers (`<|im_start|>`, `[INST]`, …): where a rendered record is cut.
//!
//! Invariant: a marker that the template wrote is one token; the same characters
//! inside a message's own text are ordinary text. To keep the two apart through
//! any template, look-alikes are *defused* before rendering: a character that no
//! message contains is put after their first one, and taken out of the pieces
//! afterwards. Text without look-alikes, so nearly all of it, is not touched.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;

use crate::text::Span;

/// Unicode's noncharacters: valid in a string, meaningless in a message.
const FUSES: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

/// Markers by their looks: `<|…|>` and its full-width sister.
static BARRED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"<\|[^|<>\s{}']{1,48}\|>|<｜[^｜<>\s{}']{1,48}｜>").ok());

/// Markers that have no look of their own.
const KNOWN: [&str; 19] = [
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CONTENT]",
    "[CALL_ID]",
    "[ARGS]",
];

/// Tags that models read and write themselves and whose tokenizers give them one
/// token wherever they stand, so in a message's text too.
const TAGS: [&str; 6] =
    ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"];

/// A set of markers to cut at.
#[derive(Clone, Debug, Default)]
pub struct Markers {
    finder: Option<AhoCorasick>,
    /// By pattern: may stand in a message's text as itself.
    is_tag: Vec<bool>,
}

/// A part of a rendered record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'p> {
    /// A control marker.
    Marker,
    /// Text to encode by itself.
    Text(Cow<'p, str>),
}

impl Markers {
    /// Exactly these, none of them allowed in a message's text.
    #[must_use]
    pub fn of(words: &[String]) -> Self {
        Self::build(words.to_vec(), &[])
    }

    /// The markers a template's source writes, and its special tokens.
    #[must_use]
    pub fn in_source<'s>(source: &'s str, specials: impl Iterator<Item = &'s str>) -> Self {
        let known = KNOWN.into_iter().filter(|k| source.contains(k));
        let barred = BARRED.iter().flat_map(|r| r.find_iter(source)).map(|m| m.as_str());
        let specials = specials.filter(|s| s.chars().count() > 1);
        let mut words: Vec<String> =
            known.chain(barred).chain(specials).map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        let tags: Vec<&str> = TAGS.into_iter().filter(|t| source.contains(t)).collect();
        words.retain(|w| !tags.contains(&w.as_str()));
        Self::build(words, &tags)
    }

    fn build(mut words: Vec<String>, tags: &[&str]) -> Self {
        let mut is_tag = vec![false; words.len()];
        words.extend(tags.iter().map(|t| (*t).to_owned()));
        is_tag.resize(words.len(), true);
        let longest = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&words);
        Self { finder: longest.ok().filter(|_| !words.is_empty()), is_tag }
    }

    /// Where the first control marker of `text` stands.
    #[must_use]
    pub fn first_control(&self, text: &str) -> Option<Span> {
        let finder = self.finder.as_ref()?;
        let mut found = finder.find_iter(text).filter(|m| !self.is_tag[m.pattern().as_usize()]);
        found.next().map(|m| Span::new(m.start(), m.end()))
    }

    /// Where the markers of `text` stand, in order.
    pub fn spans(&self, text: &str) -> Vec<Span> {
        let found = self.finder.iter().flat_map(|f| f.find_iter(text));
        found.map(|m| Span::new(m.start(), m.end())).collect()
    }

    /// A character for [`Self::defuse`] that occurs in none of `texts`; `None`
    /// when nothing needs defusing (or every such character is taken).
    pub fn fuse<'t>(&self, texts: impl Iterator<Item = &'t str> + Clone) -> Option<char> {
        let finder = self.finder.as_ref()?;
        let controls = |t: &str| finder.find_iter(t).any(|m| !self.is_tag[m.pattern().as_usize()]);
        if !texts.clone().any(controls) {
            return None;
        }
        FUSES.into_iter().find(|&fuse| texts.clone().all(|t| !t.contains(fuse)))
    }

    /// `text` with `fuse` inside everything that looks like a control marker.
    #[must_use]
    pub fn defuse<'t>(&self, text: &'t str, fuse: char) -> Cow<'t, str> {
        let Some(finder) = &self.finder else { return Cow::Borrowed(text) };
        let mut out = String::new();
        let mut copied = 0;
        for found in finder.find_iter(text) {
            if !self.is_tag[found.pattern().as_usize()] {
                let first = text[found.start()..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&text[copied..found.start() + first]);
                out.push(fuse);
                copied = found.start() + first;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }

    /// The pieces of `rendered`, in order; `fuse` is taken out of their text.
    #[must_use]
    pub fn split<'p>(&self, rendered: &'p str, fuse: Option<char>) -> Vec<Piece<'p>> {
        let mut pieces = Vec::new();
        let mut at = 0;
        let text = |pieces: &mut Vec<Piece<'p>>, piece: &'p str| match fuse {
            _ if piece.is_empty() => {}
            Some(fuse) if piece.contains(fuse) => {
                pieces.push(Piece::Text(Cow::Owned(piece.replace(fuse, ""))));
            }
            _ => pieces.push(Piece::Text(Cow::Borrowed(piece))),
        };
        for found in self.finder.iter().flat_map(|f| f.find_iter(rendered)) {
            text(&mut pieces, &rendered[at..found.start()]);
            pieces.push(Piece::Marker);
            at = found.end();
        }
        text(&mut pieces, &rendered[at..]);
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_in_text_are_text() {
        let source = "{{ '<|im_start|>' + role }}<think>{{ bos_token }}";
        let markers = Markers::in_source(source, ["<s>", "x"].into_iter());
        let text = "say <|im_start|>, <s> and <think>\u{FDD0}";
        let fuse = markers.fuse([text, "plain"].into_iter());
        assert_eq!(fuse, Some('\u{FDD1}'), "the first one is in use");
        let defused = markers.defuse(text, '\u{FDD1}');
        let rendered = format!("<|im_start|>{defused}<s>x");
        let text_piece = |t: &str| Piece::Text(Cow::<str>::Owned(t.to_owned()));
        assert_eq!(
            markers.split(&rendered, fuse),
            [
                Piece::Marker,
                text_piece("say <|im_start|>, <s> and "),
                Piece::Marker,
                text_piece("\u{FDD0}"),
                Piece::Marker,
                text_piece("x"),
            ]
        );
        assert_eq!(markers.fuse(["<think> and < s >"].into_iter()), None);
    }
}
