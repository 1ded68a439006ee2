//! The nearest of some known names to what was typed: "did you mean …?".
//!
//! Deliberately absent: anything about which names are known.

/// The known name that `typed` most likely meant; `None` when nothing is near.
///
/// Near means: at most a third of the letters differ (one letter in short
/// names), swaps of neighbours counting once; or one is the start of the other.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells a key with a novel; the distance is quadratic.
    if typed.is_empty() || typed.len() > 64 {
        return None;
    }
    let typed = typed.to_lowercase().replace('-', "_");
    let score = |name: &&str| {
        let plain = name.to_lowercase().replace('-', "_");
        let begins = typed.len() >= 3 && (plain.starts_with(&typed) || typed.starts_with(&plain));
        if begins { Some(1) } else { Some(distance(&typed, &plain)).filter(|d| *d <= most(&plain)) }
    };
    let scored = known.into_iter().filter_map(|name| score(&name).map(|s| (s, name)));
    scored.min_by_key(|(score, _)| *score).map(|(_, name)| name)
}

fn most(name: &str) -> usize {
    (name.chars().count() / 3).max(1)
}

/// Edits (insert, delete, replace, swap neighbours) from `a` to `b`.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = replace.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["transcripts", "rubric", "system_prompt", "limit", "on_save"];
        for (typed, meant) in [
            ("rubrik", Some("rubric")),
            ("transcript", Some("transcripts")),
            ("system-prompt", Some("system_prompt")),
            ("limti", Some("limit")),
            ("onsave", Some("on_save")),
            ("Limit", Some("limit")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }
}
