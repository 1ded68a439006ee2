//! Words, ratios and questions, as SPEC section 1 counts them.
//!
//! Invariant: one pass over the text, no allocation; pure ASCII never leaves
//! the fast path. Tokens are not words and are counted elsewhere.

use unicode_segmentation::UnicodeSegmentation as _;

/// Words: whitespace-separated runs; text mostly in scripts that are written
/// without spaces counts Unicode word segments.
#[must_use]
pub fn count(text: &str) -> usize {
    if text.is_ascii() {
        return ascii_runs(text.as_bytes());
    }
    if text.bytes().any(may_lead_unspaced) && mostly_unspaced(text) {
        return text.unicode_words().count();
    }
    runs(text)
}

/// What `split_whitespace().count()` says, with ASCII read by the byte.
fn runs(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut words, mut inside) = (0, 0, false);
    while at < bytes.len() {
        let (space, len) = match bytes[at] {
            byte @ 0..0x80 => (matches!(byte, b' ' | 0x09..=0x0d), 1),
            _ => {
                text[at..].chars().next().map_or((false, 1), |c| (c.is_whitespace(), c.len_utf8()))
            }
        };
        words += usize::from(inside && space);
        inside = !space;
        at += len;
    }
    words + usize::from(inside)
}

/// The first bytes, in UTF-8, of the characters of [`is_unspaced`] (and of others).
/// Typographic quotes and dashes (0xE2) are not among them.
const fn may_lead_unspaced(byte: u8) -> bool {
    matches!(byte, 0xe0 | 0xe1 | 0xe3..=0xe9 | 0xef | 0xf0)
}

fn ascii_runs(bytes: &[u8]) -> usize {
    let mut words = 0;
    let mut inside = false;
    for byte in bytes {
        // What `char::is_whitespace` says of ASCII.
        let space = matches!(byte, b' ' | 0x09..=0x0d);
        words += usize::from(inside && space);
        inside = !space;
    }
    words + usize::from(inside)
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
        let wide = "a\u{85}b\u{2003}“c” — d\u{3000}é\u{200b}f\n";
        assert_eq!(runs(wide), wide.split_whitespace().count());
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
