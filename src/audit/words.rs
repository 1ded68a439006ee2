//! Words as hashes: what is compared when case and punctuation do not matter.
//!
//! A word is a run of letters, digits and apostrophes, in lower case, typographic
//! apostrophes made plain. A sentence ends at `.`, `!`, `?` and their like, and at
//! a line break.

use xxhash_rust::xxh3::xxh3_64;

use crate::text::Span;

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The hash of what it says.
    pub hash: u64,
    /// Where it stands.
    pub span: Span,
    /// A sentence ends between it and the word before.
    pub begins: bool,
}

/// The words of a text, in order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(text.len() / 5);
    let (mut begins, mut start) = (true, None);
    let mut folded = String::new();
    let mut push = |start: usize, end: usize, begins: bool| {
        folded.clear();
        fold(&text[start..end], &mut folded);
        let hash = xxh3_64(folded.as_bytes());
        words.push(Word { hash, span: Span::new(start, end), begins });
    };
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() || (start.is_some() && is_apostrophe(c)) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            push(from, end_of(text, from, at), begins);
            begins = false;
        }
        begins |= matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '\n' | '\r');
    }
    if let Some(from) = start {
        push(from, end_of(text, from, text.len()), begins);
    }
    words
}

/// What a word or a phrase says: its words in lower case, a space between them.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in words(text) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        fold(word.span.of(text), &mut folded);
    }
    folded
}

/// The hash of a run of words.
#[must_use]
pub fn run(words: &[Word]) -> u64 {
    words.iter().fold(words.len() as u64, |hash, word| mix(hash.rotate_left(5) ^ word.hash))
}

/// Spreads the bits of a hash.
#[must_use]
pub const fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ')
}

/// A word does not end with an apostrophe.
fn end_of(text: &str, from: usize, to: usize) -> usize {
    from + text[from..to].trim_end_matches(is_apostrophe).len()
}

fn fold(word: &str, folded: &mut String) {
    if word.is_ascii() {
        let start = folded.len();
        folded.push_str(word);
        folded[start..].make_ascii_lowercase();
        return;
    }
    let plain = |c: char| if is_apostrophe(c) { '\'' } else { c };
    folded.extend(word.chars().map(plain).flat_map(char::to_lowercase));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_do_not_matter() {
        let hashes = |text: &str| words(text).iter().map(|w| w.hash).collect::<Vec<_>>();
        assert_eq!(hashes("I hear you, it's hard."), hashes("“i HEAR you” — it’s hard"));
        assert_ne!(hashes("its hard"), hashes("it's hard"));
        assert_eq!(folded("  It’s  a 'dogs' life… "), "it's a dogs life");
    }

    #[test]
    fn words_stand_where_they_are_and_sentences_begin() {
        let text = "Élan! Ok\nyes, no";
        let all: Vec<(&str, bool)> =
            words(text).iter().map(|w| (w.span.of(text), w.begins)).collect();
        assert_eq!(all, [("Élan", true), ("Ok", true), ("yes", true), ("no", false)]);
    }
}
