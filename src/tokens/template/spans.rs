//! Where a rendered record says what: the template's `generation` blocks, and the
//! texts of its messages.
//!
//! Invariant: spans are bytes of the rendered text without marks, in order and
//! not overlapping.

use memchr::memmem;

use super::input::RenderMessage;
use crate::text::Span;

/// The characters that stand for the two ends of a `generation` block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub opens: char,
    pub closes: char,
}

/// Unicode's noncharacters beyond the first plane: no message contains them.
const MARKS: [char; 6] =
    ['\u{1FFFE}', '\u{1FFFF}', '\u{2FFFE}', '\u{2FFFF}', '\u{3FFFE}', '\u{3FFFF}'];

/// Marks that occur in none of `texts`; `None` when all are taken.
pub(super) fn marks(texts: &[&str]) -> Option<Marks> {
    let mut free = MARKS.into_iter().filter(|mark| texts.iter().all(|t| !t.contains(*mark)));
    Some(Marks { opens: free.next()?, closes: free.next()? })
}

/// The text without marks, and the spans between them. Of blocks inside a block
/// the outer one counts.
pub(super) fn taken_out(marked: &str, marks: Marks) -> (String, Vec<Span>) {
    let mut text = String::with_capacity(marked.len());
    let mut spans = Vec::new();
    let (mut depth, mut start, mut copied) = (0_usize, 0, 0);
    for (at, mark) in marked.match_indices([marks.opens, marks.closes]) {
        text.push_str(&marked[copied..at]);
        copied = at + mark.len();
        if mark.starts_with(marks.opens) {
            if depth == 0 {
                start = text.len();
            }
            depth += 1;
        } else {
            depth = depth.saturating_sub(1);
            if depth == 0 && start < text.len() {
                spans.push(Span::new(start, text.len()));
            }
        }
    }
    text.push_str(&marked[copied..]);
    (text, spans)
}

/// Where a message's text stands in a rendered record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// What it says; `None` where that is missing. A message without text is nowhere
    /// and misses nothing.
    pub said: Option<Span>,
    /// Its reasoning was left out.
    pub lost_reasoning: bool,
    /// It has a text that was to be found.
    pub has_text: bool,
}

/// Where each message's text stands, looked for in order. Texts that templates
/// write as JSON are found as that.
#[must_use]
pub fn located(rendered: &str, messages: &[RenderMessage<'_>]) -> Vec<Located> {
    let mut at = 0;
    let one = |message: &RenderMessage<'_>| {
        let Some(text) = &message.text else { return Located::default() };
        let (reasoning, spoken) = parts(text);
        let found = find(rendered, at, spoken);
        let mut located = Located { said: found, has_text: true, ..Located::default() };
        if let Some(span) = found {
            let before = &rendered.as_bytes()[at.min(span.start)..span.end];
            located.lost_reasoning = memmem::find(before, reasoning.as_bytes()).is_none();
            at = span.end;
        }
        located
    };
    messages.iter().map(one).collect()
}

/// A text's reasoning and what it says; templates write the two anew.
fn parts(text: &str) -> (&str, &str) {
    let (reasoning, spoken) = text.rsplit_once("</think>").unwrap_or(("", text));
    (reasoning.rsplit("<think>").next().unwrap_or(reasoning).trim(), spoken.trim())
}

/// `text` in `rendered`, as it is or as JSON, looked for from `at` on, then before it.
fn find(rendered: &str, at: usize, text: &str) -> Option<Span> {
    let anywhere = |text: &str| {
        let (before, after) = rendered.as_bytes().split_at(at);
        let later = memmem::find(after, text.as_bytes()).map(|found| at + found);
        later.or_else(|| memmem::find(before, text.as_bytes()))
    };
    let span = |start: usize, length: usize| Span::new(start, start + length);
    if let Some(start) = anywhere(text) {
        return Some(span(start, text.len()));
    }
    let json = serde_json::to_string(text).ok()?;
    let inside = json.get(1..json.len() - 1)?;
    anywhere(inside).map(|start| span(start, inside.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_spans_and_marks_leave_no_trace() {
        let marks = marks(&["a\u{1FFFE}"]).unwrap();
        assert_eq!((marks.opens, marks.closes), ('\u{1FFFF}', '\u{2FFFE}'));
        let marked = "é[a[b]c]d[]".replace('[', "\u{1FFFF}").replace(']', "\u{2FFFE}");
        let (text, spans) = taken_out(&marked, marks);
        assert_eq!((text.as_str(), spans), ("éabcd", vec![Span::new(2, 5)]));
        assert!(super::marks(&[&MARKS.iter().collect::<String>()]).is_none());
    }

    #[test]
    fn texts_are_found_in_order_and_as_json() {
        let messages = ["hi", "<think>so</think>hi", "a \"b\"", "gone", ""];
        let messages = messages.map(|text| RenderMessage::new("user", text));
        let found = located(r#"hi|hi|{"x": "a \"b\""}"#, &messages);
        let spans: Vec<_> = found.iter().map(|l| l.said.map(|s| (s.start, s.end))).collect();
        assert_eq!(spans, [Some((0, 2)), Some((3, 5)), Some((13, 20)), None, Some((20, 20))]);
        assert_eq!(found.iter().filter(|l| l.lost_reasoning).count(), 1);
    }
}
