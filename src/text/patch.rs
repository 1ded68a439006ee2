//! Several edits seen as one step: which parts of the old text became which
//! parts of the new, everything else being the same.
//!
//! Invariant: patches are in order and do not touch; the text outside their
//! `old` spans equals the text outside their `new` spans.

use super::document::Replaced;
use super::span::Span;

/// `old` in the text before became `new` in the text after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// What went, in the old text.
    pub old: Span,
    /// What came, in the new text.
    pub new: Span,
}

impl Patch {
    /// Where `at`, which lies behind this patch and before the next, is now.
    #[must_use]
    pub const fn moved(&self, at: usize) -> usize {
        at + self.new.end - self.old.end
    }

    /// Where `span`, which lies behind this patch and before the next, is now.
    #[must_use]
    pub const fn moved_span(&self, span: Span) -> Span {
        Span { start: self.moved(span.start), end: self.moved(span.end) }
    }

    /// Where `at`, which lies behind this patch and before the next, was.
    #[must_use]
    pub const fn before(&self, at: usize) -> usize {
        at + self.old.end - self.new.end
    }
}

const NOTHING: Patch = Patch { old: Span::empty(0), new: Span::empty(0) };

/// The whole of a sequence of edits, each of which is in coordinates of the
/// text the ones before it left.
#[must_use]
pub fn compose(replaced: &[Replaced]) -> Vec<Patch> {
    let mut patches: Vec<Patch> = Vec::new();
    for edit in replaced {
        let first = patches.partition_point(|p| p.new.end < edit.old.start);
        let last = patches.partition_point(|p| p.new.start <= edit.old.end);
        let met = &patches[first..last];
        let left = before_index(&patches, first);
        let right = before_index(&patches, last);
        let start = met.first().map_or(edit.old.start, |p| p.new.start.min(edit.old.start));
        let end = met.last().map_or(edit.old.end, |p| p.new.end.max(edit.old.end));
        let merged = Patch {
            old: Span::new(left.before(start), right.before(end)),
            new: Span::new(start, end - edit.old.len() + edit.new_len),
        };
        for later in &mut patches[last..] {
            let by = |at: usize| at - edit.old.len() + edit.new_len;
            later.new = Span::new(by(later.new.start), by(later.new.end));
        }
        patches.splice(first..last, [merged]);
    }
    patches
}

/// The patches widened to whole pieces of the new text, and joined where these meet:
/// `start_of` and `end_of` name the start of the piece that holds an offset and the
/// end of the piece that an offset lies in or begins.
pub(crate) fn regions(
    patches: &[Patch],
    start_of: impl Fn(usize) -> usize,
    end_of: impl Fn(usize) -> usize,
) -> Vec<Patch> {
    let mut regions: Vec<Patch> = Vec::new();
    let mut rest = patches;
    while let [first, ..] = rest {
        let left = before_index(patches, patches.len() - rest.len());
        let start = start_of(first.new.start);
        let mut last = first;
        let mut end = end_of(first.new.end);
        rest = &rest[1..];
        while let Some(next) = rest.first().filter(|next| start_of(next.new.start) < end) {
            last = next;
            end = end.max(end_of(next.new.end));
            rest = &rest[1..];
        }
        regions.push(Patch {
            old: Span::new(left.before(start), last.before(end)),
            new: Span::new(start, end),
        });
    }
    regions
}

/// Where `span` of the new text was in the old; `None` if any patch touches it.
pub(crate) fn before(patches: &[Patch], span: Span) -> Option<Span> {
    let first = patches.partition_point(|p| p.new.end < span.start);
    if patches.get(first).is_some_and(|p| p.new.meets(span)) {
        return None;
    }
    let patch = before_index(patches, first);
    Some(Span::new(patch.before(span.start), patch.before(span.end)))
}

/// Where byte `at` of the old text is now; inside a patch, its start.
pub(crate) fn after(patches: &[Patch], at: usize) -> usize {
    let after = patches.partition_point(|p| p.old.start < at);
    match after.checked_sub(1).map(|i| patches[i]) {
        None => at,
        Some(patch) if at < patch.old.end => patch.new.start,
        Some(patch) => patch.moved(at),
    }
}

fn before_index(patches: &[Patch], index: usize) -> Patch {
    index.checked_sub(1).map_or(NOTHING, |i| patches[i])
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(edits: &[(usize, usize, usize)], expect: Expect) {
        let replaced: Vec<Replaced> = edits
            .iter()
            .map(|&(start, end, new_len)| Replaced { old: Span::new(start, end), new_len })
            .collect();
        let show =
            |p: &Patch| format!("{}..{} -> {}..{}", p.old.start, p.old.end, p.new.start, p.new.end);
        let shown: Vec<String> = compose(&replaced).iter().map(show).collect();
        expect.assert_eq(&shown.join(", "));
    }

    #[test]
    fn edits_become_patches() {
        check(&[(3, 4, 0)], expect!["3..4 -> 3..3"]);
        check(&[(10, 12, 5), (2, 3, 0)], expect!["2..3 -> 2..2, 10..12 -> 9..14"]);
        check(&[(2, 3, 0), (10, 12, 5)], expect!["2..3 -> 2..2, 11..13 -> 10..15"]);
        check(&[(5, 5, 3), (6, 7, 0)], expect!["5..5 -> 5..7"]);
        check(&[(5, 5, 1), (9, 9, 1), (4, 11, 2)], expect!["4..9 -> 4..6"]);
        check(&[(0, 9, 4), (4, 4, 1)], expect!["0..9 -> 0..5"]);
    }
}
