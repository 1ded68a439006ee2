//! Fixes put into a text: what `check --fix` writes, and what tests apply.
//!
//! Invariant: edits of one fix go in together or not at all, and never into
//! bytes another fix of the same round has changed. Pure: reading and writing
//! files, and checking anew between rounds, is the caller's.

use crate::finding::{Edit, Finding, Fix, Safety};

/// Rounds after which `check --fix` stops, should fixes not settle: some fixes
/// make room for others, none for many.
pub const ROUNDS: usize = 8;

/// `text` with `edits` done; `None` when they overlap or do not fit.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|e| (e.span.start, e.span.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in sorted {
        out.push_str(text.get(at..edit.span.start)?);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// The text with every safe fix done that fits beside the ones before it, and how
/// many were done. Spans of `findings` count from the start of `text`.
///
/// Fixes that share bytes with an earlier one wait for the next round: check the
/// result again and call again, at most [`ROUNDS`] times, until the count is 0.
#[must_use]
pub fn apply_safe(text: &str, findings: &[Finding]) -> (String, usize) {
    let mut fixes: Vec<&Fix> = findings.iter().filter_map(safe_fix).collect();
    fixes.sort_by_key(|f| f.edits.iter().map(|e| e.span).min());
    let mut chosen: Vec<Edit> = Vec::new();
    let mut taken = Taken::default();
    let mut applied = 0;
    for fix in fixes {
        if taken.take(&fix.edits) {
            chosen.extend(fix.edits.iter().cloned());
            applied += 1;
        }
    }
    match apply(text, &chosen) {
        Some(changed) => (changed, applied),
        None => (text.to_owned(), 0),
    }
}

fn safe_fix(finding: &Finding) -> Option<&Fix> {
    finding.fixes.first().filter(|f| f.safety == Safety::Safe && !f.edits.is_empty())
}

/// The bytes that are spoken for, as start → end.
#[derive(Default)]
struct Taken {
    spans: std::collections::BTreeMap<usize, usize>,
}

impl Taken {
    /// Takes the bytes of all edits, or of none. Touching counts as sharing: two
    /// insertions at one place have no order.
    fn take(&mut self, edits: &[Edit]) -> bool {
        let is_free = |e: &Edit| {
            let before = self.spans.range(..=e.span.end).next_back();
            before.is_none_or(|(_, &end)| end < e.span.start)
        };
        let free = edits.iter().all(is_free);
        if free {
            self.spans.extend(edits.iter().map(|e| (e.span.start, e.span.end)));
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::text::Span;

    fn finding(edits: &[(usize, usize, &str)], safety: Safety) -> Finding {
        let edits = edits
            .iter()
            .map(|&(start, end, text)| Edit { span: Span::new(start, end), text: text.into() })
            .collect();
        Finding::new("M004", Severity::Error, Span::empty(0), "x").with_fix(Fix {
            title: "x".into(),
            edits,
            safety,
        })
    }

    #[test]
    fn safe_fixes_that_do_not_meet_go_in_together() {
        let findings = [
            finding(&[(6, 7, "G")], Safety::Safe),
            finding(&[(0, 1, "A"), (3, 4, "D")], Safety::Safe),
            finding(&[(3, 5, "-")], Safety::Safe),
            finding(&[(5, 6, "F")], Safety::Suggested),
        ];
        assert_eq!(apply_safe("abcdefgh", &findings), ("AbcDefGh".to_owned(), 2));
    }

    #[test]
    fn edits_that_overlap_or_do_not_fit_are_refused() {
        let edit = |start, end| Edit { span: Span::new(start, end), text: String::new() };
        assert_eq!(apply("abc", &[edit(0, 2), edit(1, 3)]), None);
        assert_eq!(apply("abc", &[edit(2, 9)]), None);
        assert_eq!(apply("é", &[edit(1, 2)]), None);
        assert_eq!(apply("abc", &[edit(2, 3), edit(0, 1)]).as_deref(), Some("b"));
    }
}
