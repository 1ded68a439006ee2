//! The known word a misspelt one was meant to be.

/// Longer words are never compared.
const LONGEST: usize = 40;

/// The candidate at most two slips away (one for words of up to four letters), case ignored.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let letters = |text: &str| -> Vec<char> { text.to_lowercase().chars().collect() };
    if word.len() > LONGEST {
        return None;
    }
    let word = letters(word);
    let near = candidates.into_iter().filter(|c| c.len().abs_diff(word.len()) <= 2);
    let distances = near.map(|c| (distance(&word, &letters(c)), c));
    let (best, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let allowed = if candidate.len().min(word.len()) <= 4 { 1 } else { 2 };
    (best <= allowed).then_some(candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (last[j] + usize::from(l != r)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *r && right[j - 1] == *l {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
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
