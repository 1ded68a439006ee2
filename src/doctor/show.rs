//! A rendered record as text for people, with what is trained marked.
//!
//! Invariant: taking the marks out gives the rendered text back, with control
//! characters made visible and nothing else changed.

use super::View;
use crate::text::Span;

/// A run of rendered text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'v> {
    /// What is written.
    pub text: &'v str,
    /// The loss is taken on it.
    pub trained: bool,
    /// The trainer keeps it.
    pub kept: bool,
}

/// The text in runs, in order.
#[must_use]
pub fn runs(view: &View) -> Vec<Run<'_>> {
    let spans = view.trained.iter().flat_map(|s| [s.start, s.end]);
    let mut borders: Vec<usize> = spans.chain([0, view.kept, view.text.len()]).collect();
    borders.sort_unstable();
    borders.dedup();
    let run = |pair: &[usize]| {
        let span = Span::new(pair[0], pair[1]);
        let trained = view.trained.iter().any(|t| t.covers(span));
        Run { text: span.of(&view.text), trained, kept: span.end <= view.kept }
    };
    borders.windows(2).map(run).collect()
}

/// The text with `⟦` and `⟧` around what is trained and `✂` where it is cut off, at
/// most `most` characters of it.
#[must_use]
pub fn marked(view: &View, most: usize) -> String {
    let mut text = String::new();
    let mut was_kept = true;
    for run in runs(view) {
        if was_kept && !run.kept {
            text.push('✂');
        }
        was_kept = run.kept;
        let (opens, closes) = if run.trained && run.kept { ("⟦", "⟧") } else { ("", "") };
        text.extend([opens, run.text, closes]);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
