//! Words as SPEC section 1 counts them.

use unicode_segmentation::UnicodeSegmentation as _;

/// Words: whitespace-separated runs; text mostly in scripts without spaces
/// counts Unicode word segments.
pub(super) fn count(text: &str) -> usize {
    let (mut letters, mut unspaced) = (0_usize, 0_usize);
    if !text.is_ascii() {
        for ch in text.chars().filter(|ch| ch.is_alphabetic()) {
            letters += 1;
            unspaced += usize::from(matches!(ch,
                '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
                | '\u{3005}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'));
        }
    }
    if unspaced * 2 > letters {
        text.unicode_words().count()
    } else {
        text.split_whitespace().count()
    }
}
