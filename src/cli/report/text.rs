//! A finding for people: place, message, and the words with a line under them.

use super::super::place::{Excerpt, Placed};
use super::super::style::{Style, plain, width, width_of};

/// The finding as lines of at most about `columns`.
pub fn finding(file: &str, placed: &Placed, style: Style, columns: usize) -> String {
    let finding = &placed.finding;
    let place = format!("{file}:{}:{}:", placed.from.0, placed.from.1);
    let label = format!("{}[{}]", finding.severity.name(), plain(&finding.code));
    let mut out = format!(
        "{} {} {}\n",
        style.bold(&plain(&place)),
        style.severity(finding.severity, &label),
        plain(&finding.message),
    );
    if let Some(excerpt) = placed.excerpt.as_ref().filter(|e| !is_blank(e)) {
        out.push_str(&excerpt_lines(excerpt, placed, style, columns));
    }
    out
}

fn is_blank(excerpt: &Excerpt) -> bool {
    [&excerpt.before, &excerpt.words, &excerpt.after].iter().all(|t| t.trim().is_empty())
}

fn excerpt_lines(excerpt: &Excerpt, placed: &Placed, style: Style, columns: usize) -> String {
    let number = placed.from.0.to_string();
    let gutter = number.len().max(4);
    let room = columns.saturating_sub(gutter + 3).max(20);
    let window = Window::new(excerpt, room);
    let rule = style.dim("│");
    let carets = "^".repeat(width_of(&window.words).max(1));
    let severity = placed.finding.severity;
    format!(
        "{} {rule} {}{}{}\n{} {rule} {}{}\n",
        style.dim(&format!("{number:>gutter$}")),
        window.before,
        style.severity(severity, &window.words),
        window.after,
        " ".repeat(gutter),
        " ".repeat(width_of(&window.before)),
        style.severity(severity, &carets),
    )
}

/// Columns kept before words that are too long to be shown whole.
const CONTEXT: usize = 20;

/// The part of a line that fits: the words first, then what stands around them.
struct Window {
    before: String,
    words: String,
    after: String,
}

impl Window {
    fn new(excerpt: &Excerpt, room: usize) -> Self {
        let (before, words, after) =
            (plain(&excerpt.before), plain(&excerpt.words), plain(&excerpt.after));
        let before = before.trim_start();
        let context = width_of(before).min(CONTEXT.min(room / 3));
        let words_room = room - context;
        if width_of(&words) > words_room {
            // What follows the end of the words says nothing where that end is not seen.
            let before = tail(before, context, excerpt.cut_before);
            return Self { before, words: head(&words, words_room, true), after: String::new() };
        }
        let rest = room - width_of(&words);
        let share = (rest / 2).max(rest.saturating_sub(width_of(&after)));
        let before = tail(before, share, excerpt.cut_before);
        let rest = rest.saturating_sub(width_of(&before));
        let after = head(after.trim_end(), rest, excerpt.cut_after);
        Self { before, words: words.into_owned(), after }
    }
}

/// The beginning of `text` in at most `room` columns, with `…` where it was cut.
fn head(text: &str, room: usize, cut: bool) -> String {
    if width_of(text) <= room && !cut {
        return text.to_owned();
    }
    let room = room.saturating_sub(1);
    let mut used = 0;
    let fits = |c: &char| {
        used += width(*c);
        used <= room
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.push('…');
    kept
}

/// The end of `text` in at most `room` columns, with `…` where it was cut.
fn tail(text: &str, room: usize, cut: bool) -> String {
    if width_of(text) <= room && !cut {
        return text.to_owned();
    }
    let room = room.saturating_sub(1);
    let mut used = 0;
    let fits = |c: &char| {
        used += width(*c);
        used <= room
    };
    let kept: Vec<char> = text.chars().rev().take_while(fits).collect();
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::super::place::{Start, place};
    use super::*;
    use crate::finding::{Finding, Severity};
    use crate::text::Span;

    fn check(text: &str, words: &str, columns: usize, expect: Expect) {
        let at = text.find(words).unwrap();
        let span = Span::new(at, at + words.len());
        let made = Finding::new("R004", Severity::Warning, span, "two user messages in a row");
        let placed = place(text, Start::of_file(0), vec![made]).remove(0);
        expect.assert_eq(&finding("a.jsonl", &placed, Style::new(false), columns));
    }

    #[test]
    fn short_lines_are_shown_whole() {
        check(
            "{\"role\": \"usr\"}",
            "\"usr\"",
            80,
            expect![[r#"
            a.jsonl:1:10: warning[R004] two user messages in a row
               1 │ {"role": "usr"}
                 │          ^^^^^
        "#]],
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_words() {
        let text = format!("{} here {}", "before ".repeat(50), "after ".repeat(50));
        check(
            &text,
            "here",
            60,
            expect![[r#"
                a.jsonl:1:352: warning[R004] two user messages in a row
                   1 │ … before before before  here after after after after…
                     │                         ^^^^
            "#]],
        );
        let text = format!("say {}", "漢字".repeat(50));
        check(
            &text,
            &"漢字".repeat(50),
            40,
            expect![[r#"
                a.jsonl:1:5: warning[R004] two user messages in a row
                   1 │ say 漢字漢字漢字漢字漢字漢字漢字…
                     │     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            "#]],
        );
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        check(
            "x \u{1b}[2J y",
            "y",
            80,
            expect![[r#"
            a.jsonl:1:8: warning[R004] two user messages in a row
               1 │ x ␛[2J y
                 │        ^
        "#]],
        );
    }
}
