//! The known word a misspelt one was meant to be. Stricter than the suggestions
//! settings get: here a near name makes a finding, there it only helps one.

use crate::text::nearest::distance;

/// Longer words are never compared.
const LONGEST: usize = 40;

/// The candidate at most two slips away (one for words of up to four letters), case ignored.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let near = candidates.into_iter().filter(|c| c.len().abs_diff(word.len()) <= 2);
    let distances = near.map(|c| (distance(&word, &c.to_lowercase()), c));
    let (best, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let allowed = if candidate.len().min(word.len()) <= 4 { 1 } else { 2 };
    (best <= allowed).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let cases = [
            ("rôle", Some("role")),
            ("Content", Some("content")),
            ("contents", Some("content")),
            ("cotnent", Some("content")),
            ("from", None),
            ("timestamp", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, ["role", "content", "name"]), expected, "{word}");
        }
    }
}
