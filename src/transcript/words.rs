//! Words, ratios and questions, as SPEC section 1 counts them.
//!
//! Invariant: one pass over the text, no allocation; pure ASCII never leaves
//! the fast path. Tokens are not words and are counted elsewhere.

use unicode_segmentation::UnicodeSegmentation as _;

/// Words: whitespace-separated runs; text mostly in scripts that are written
/// without spaces counts Unicode word segments.
#[must_use]
pub fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        if any(bytes, may_lead_unspaced) && mostly_unspaced(text) {
            return text.unicode_words().count();
        }
        if has_wide_space(bytes) {
            return text.split_whitespace().count();
        }
    }
    runs(bytes)
}

/// Runs between ASCII white space; a vector's worth of bytes at a time.
fn runs(bytes: &[u8]) -> usize {
    // What `char::is_whitespace` says of ASCII.
    let space = |byte: u8| byte == b' ' || byte.wrapping_sub(0x09) <= 0x0d - 0x09;
    let Some(&first) = bytes.first() else { return 0 };
    let pairs = bytes.chunks(STEP).zip(bytes[1..].chunks(STEP));
    let starts = |(before, after): (&[u8], &[u8])| {
        let pairs = before.iter().zip(after);
        usize::from(pairs.fold(0, |n: u8, (a, b)| n + u8::from(space(*a) & !space(*b))))
    };
    usize::from(!space(first)) + pairs.map(starts).sum::<usize>()
}

/// As many as a byte can count, and a round number of vectors.
const STEP: usize = 192;

/// Like `Iterator::any`, in steps that compilers turn into vectors.
fn any(bytes: &[u8], is_one: impl Fn(u8) -> bool) -> bool {
    bytes.chunks(STEP).any(|chunk| chunk.iter().fold(false, |any, b| any | is_one(*b)))
}

/// True when there is white space outside ASCII.
fn has_wide_space(bytes: &[u8]) -> bool {
    let is_space = |at: usize| {
        let end = bytes.len().min(at + 4);
        let head = String::from_utf8_lossy(&bytes[at..end]);
        head.chars().next().is_some_and(char::is_whitespace)
    };
    // In text, most are typographic quotes and dashes: told apart without decoding.
    let may_be = |at: &usize| match bytes[*at..] {
        [0xe2, 0x80, last, ..] => matches!(last, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf),
        [0xe2, second, ..] => second == 0x81,
        _ => true,
    };
    memchr::memchr3_iter(0xc2, 0xe2, 0xe3, bytes).filter(may_be).any(is_space)
        || memchr::memchr_iter(0xe1, bytes).any(is_space)
}

/// The first bytes, in UTF-8, of the characters of [`is_unspaced`] (and of others).
/// Typographic quotes and dashes (0xE2) are not among them.
const fn may_lead_unspaced(byte: u8) -> bool {
    (byte & 0xfe == 0xe0)
        | (byte.wrapping_sub(0xe3) <= 0xe9 - 0xe3)
        | (byte == 0xef)
        | (byte == 0xf0)
}

/// More than half of the letters are of a script without spaces between words.
fn mostly_unspaced(text: &str) -> bool {
    let (mut letters, mut unspaced) = (0usize, 0usize);
    for ch in text.chars() {
        if is_unspaced(ch) {
            letters += 1;
            unspaced += 1;
        } else if ch.is_alphabetic() {
            letters += 1;
        }
    }
    unspaced * 2 > letters
}

/// Han, kana, Thai, Lao, Myanmar, Khmer, Tibetan: scripts without spaces between words.
fn is_unspaced(ch: char) -> bool {
    matches!(ch,
        '\u{0e00}'..='\u{0fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Reply words to user words; a user without words counts as one.
#[must_use]
pub fn ratio(reply_words: usize, user_words: usize) -> f64 {
    reply_words as f64 / user_words.max(1) as f64
}

/// Questions: runs of question marks (`?`, `？`, `؟`).
#[must_use]
pub fn questions(text: &str) -> usize {
    if text.is_ascii() {
        let bytes = text.as_bytes();
        let starts = |&at: &usize| at == 0 || bytes[at - 1] != b'?';
        return memchr::memchr_iter(b'?', bytes).filter(starts).count();
    }
    let mut runs = 0;
    let mut inside = false;
    for ch in text.chars() {
        runs += usize::from(is_question_mark(ch) && !inside);
        inside = is_question_mark(ch);
    }
    runs
}

/// True when the last thing said is a question; quotes, brackets and markup that
/// close behind the mark do not hide it.
#[must_use]
pub fn ends_with_question(text: &str) -> bool {
    let closes = |ch: char| {
        ch.is_whitespace()
            || matches!(
                ch,
                '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '*' | '_' | '」' | '』' | '）'
            )
    };
    text.trim_end_matches(closes).ends_with(is_question_mark)
}

const fn is_question_mark(ch: char) -> bool {
    matches!(ch, '?' | '？' | '؟')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_between_white_space() {
        let cases = [
            ("", 0),
            ("  \n", 0),
            ("one", 1),
            (" one  two\nthree\t", 3),
            ("don't — stop", 3),
            ("naïve café", 2),
            ("a\u{a0}b", 2),
        ];
        for (text, words) in cases {
            assert_eq!(count(text), words, "{text:?}");
        }
    }

    #[test]
    fn scripts_without_spaces_count_segments() {
        assert_eq!(count("我很好"), 3);
        assert_eq!(count("我很好 thanks, and how are you today?"), 7);
        assert_eq!(count("안녕하세요 반갑습니다"), 2);
    }

    #[test]
    fn the_ascii_path_agrees_with_the_other() {
        let text: String = (0u8..128).map(char::from).collect();
        assert_eq!(count(&text), text.split_whitespace().count());
        for space in ('\0'..char::MAX).filter(|c| c.is_whitespace()) {
            let wide = format!("“a” — b{space}é{space}{space}\u{200b}c ’\n").repeat(30);
            assert_eq!(count(&wide), wide.split_whitespace().count(), "{space:?}");
        }
        for width in 0..600 {
            let text = " a\tbc".chars().cycle().take(width).collect::<String>();
            assert_eq!(count(&text), text.split_whitespace().count());
        }
        let unspaced = ('\u{80}'..='\u{3ffff}').filter(|c| is_unspaced(*c));
        let mut leads = unspaced.map(|c| c.encode_utf8(&mut [0; 4]).as_bytes()[0]);
        assert!(leads.all(may_lead_unspaced));
        assert_eq!(questions("?? a? b?!? ?"), questions("?? a? b?!? ?é"));
    }

    #[test]
    fn questions_are_runs_of_marks() {
        let cases = [("", 0), ("a?", 1), ("a??? b?", 2), ("何？ いつ？?", 2), ("متى؟", 1)];
        for (text, runs) in cases {
            assert_eq!(questions(text), runs, "{text}");
        }
        assert!(ends_with_question("So, *what now?*  \n"));
        assert!(ends_with_question("何？"));
        assert!(!ends_with_question("What? Nothing."));
        assert!(!ends_with_question(""));
    }

    #[test]
    fn a_silent_user_counts_as_one_word() {
        assert!((ratio(3, 0) - 3.0).abs() < f64::EPSILON);
        assert!((ratio(3, 2) - 1.5).abs() < f64::EPSILON);
    }
}
