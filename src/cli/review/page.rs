//! A transcript with its verdicts as lines for a terminal: exchanges, wrapped, the
//! failing words marked, and below each message what judges said of them.
//!
//! Invariant: nothing in a line can command a terminal, and no line is wider than
//! asked for. Pure: the terminal is elsewhere.

use crate::assessment::{Mark, Outcome, Scorecard, evidence};
use crate::cli::style::{plain, width, width_of, wrap};
use crate::review::log::Mark as Human;
use crate::rubric::{Criterion, Rubric};
use crate::text::Span;
use crate::transcript::{Role, Transcript};

/// Columns before a message's text.
const INDENT: usize = 11;
/// Columns a text is wrapped at, at most: wider lines are hard to read.
const READABLE: usize = 100;

/// How a piece of a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As text.
    Plain,
    /// Less.
    Dim,
    /// More.
    Bold,
    /// Words that a verdict is about; of which finding.
    Hit(usize),
    /// The edge of what is said of the current finding.
    Here,
    /// A verdict that fails.
    Bad,
    /// One that does not.
    Good,
}

/// One line, in pieces.
pub type Line = Vec<(Look, String)>;

/// A criterion that may be marked.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The criterion's id.
    pub criterion: String,
    /// The first line that is about it.
    pub line: usize,
    /// One past the last line of what was said of it.
    pub end: usize,
}

/// A transcript laid out.
#[derive(Debug, Default)]
pub struct Page {
    /// The lines.
    pub lines: Vec<Line>,
    /// What may be marked, from the top: what fails or splits, then the rest.
    pub findings: Vec<Finding>,
    /// How many of them fail, split or are unscored.
    pub failing: usize,
}

/// What a page is made of.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The transcript.
    pub transcript: &'a Transcript,
    /// What judges said of it.
    pub card: &'a Scorecard,
    /// What was asked.
    pub rubric: &'a Rubric,
    /// What people said.
    pub marks: &'a [Human<'a>],
}

/// Where a criterion's words are: message and range.
type Hits = Vec<(usize, Span)>;

/// Lays a transcript out in so many columns.
#[must_use]
pub fn page(subject: Subject<'_>, columns: usize) -> Page {
    let columns = columns.clamp(20, READABLE);
    let mut page = Page::default();
    let (failing, passing): (Vec<&Criterion>, Vec<&Criterion>) = subject
        .card
        .answers
        .iter()
        .filter_map(|(id, mark)| Some((subject.rubric.criterion(id)?, *mark)))
        .map(|(criterion, mark)| (criterion, fails(subject.card, criterion, mark)))
        .fold((Vec::new(), Vec::new()), |mut both, (criterion, fails)| {
            if fails {
                both.0.push(criterion)
            } else {
                both.1.push(criterion)
            }
            both
        });
    let mut placed: Vec<(&Criterion, Hits)> =
        failing.into_iter().map(|c| (c, hits(subject, c))).collect();
    placed.sort_by_key(|(_, hits)| hits.first().map_or(usize::MAX, |hit| hit.0));
    page.failing = placed.len();
    for (index, message) in subject.transcript.messages.iter().enumerate() {
        page.heading(subject.transcript, index, columns);
        page.message(index, message.role, &message.text, &placed, columns);
        for call in &message.tool_calls {
            let call = format!("calls {} {}", call.name, call.arguments);
            for text in wrap(&plain(&call), columns - INDENT) {
                page.lines.push(vec![(Look::Dim, format!("{:INDENT$}{text}", ""))]);
            }
        }
        let here = |hits: &Hits| hits.first().is_some_and(|hit| hit.0 == index);
        for (criterion, _) in placed.iter().filter(|(_, hits)| here(hits)) {
            page.verdict(subject, criterion, columns);
        }
    }
    for (criterion, hits) in &placed {
        if hits.is_empty() {
            page.verdict(subject, criterion, columns);
        }
    }
    if !passing.is_empty() {
        page.rule("not failing", columns);
        passing.iter().for_each(|criterion| page.verdict(subject, criterion, columns));
    }
    page
}

fn fails(card: &Scorecard, criterion: &Criterion, mark: Mark) -> bool {
    mark.fails(criterion) || mark == Mark::Unscored || card.splits.contains(&criterion.id)
}

/// The words that judges who failed a criterion cite; the last reply where none are.
fn hits(subject: Subject<'_>, criterion: &Criterion) -> Hits {
    let said = subject.card.judges.iter().filter_map(|j| j.said.outcomes.get(&criterion.id));
    let failing = said.filter(|outcome| Mark::of(Some(outcome)).fails(criterion));
    let cited = failing.filter_map(Outcome::answer).flat_map(|answer| &answer.evidence);
    let mut hits: Hits = cited
        .filter_map(|cited| evidence::locate(subject.transcript, cited))
        .map(|at| (at.message, if at.found { at.span } else { Span::new(0, 0) }))
        .collect();
    hits.sort_by_key(|(message, span)| (*message, span.start));
    hits.dedup();
    if hits.is_empty() {
        hits.extend(
            evidence::last_reply(subject.transcript).map(|at| (at.message, Span::new(0, 0))),
        );
    }
    hits
}

impl Page {
    fn rule(&mut self, title: &str, columns: usize) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        let rest = columns.saturating_sub(width_of(title) + 4);
        self.lines.push(vec![(Look::Dim, format!("── {title} {}", "─".repeat(rest)))]);
    }

    fn heading(&mut self, transcript: &Transcript, index: usize, columns: usize) {
        let first = |e: &&crate::transcript::Exchange| e.user.first() == Some(&index);
        if let Some(exchange) = transcript.exchanges.iter().find(first) {
            self.rule(&format!("exchange {}", exchange.number), columns);
        }
    }

    fn message(
        &mut self,
        index: usize,
        role: Role,
        text: &str,
        placed: &[(&Criterion, Hits)],
        columns: usize,
    ) {
        let mut marks: Vec<(Span, usize)> = Vec::new();
        for (number, (_, hits)) in placed.iter().enumerate() {
            let here = hits.iter().filter(|(message, span)| *message == index && !span.is_empty());
            marks.extend(here.map(|(_, span)| (*span, number)));
        }
        for (row, (start, end)) in rows(text, columns - INDENT).into_iter().enumerate() {
            let name = if row == 0 { role.name() } else { "" };
            let mut line = vec![(Look::Bold, format!("{name:<INDENT$}"))];
            line.extend(pieces(text, start, end, &marks));
            self.lines.push(line);
        }
    }

    /// What every judge said of a criterion.
    fn verdict(&mut self, subject: Subject<'_>, criterion: &Criterion, columns: usize) {
        let start = self.lines.len();
        let mark = subject.card.answers.iter().find(|(id, _)| *id == criterion.id);
        let mark = mark.map_or(Mark::Unscored, |(_, mark)| *mark);
        let name = if criterion.name == criterion.id { "" } else { &criterion.name };
        let gate = if criterion.gate { " (safety gate)" } else { "" };
        let look = if fails(subject.card, criterion, mark) { Look::Bad } else { Look::Good };
        let title =
            format!("{} {name}{gate}: ", criterion.id).replace("  ", " ").replace(" :", ":");
        let edge = || (Look::Dim, format!("{:width$}▌ ", "", width = INDENT - 2));
        let room = columns - INDENT;
        let mut rows = wrap(&plain(&format!("{title}{}", mark.name())), room).into_iter();
        self.lines.extend(rows.by_ref().map(|row| vec![edge(), (look, row)]));
        let judges = if criterion.is_question() {
            &subject.card.judges[..]
        } else {
            &subject.card.judges[..1]
        };
        for judge in judges {
            let Some(outcome) = judge.said.outcomes.get(&criterion.id) else { continue };
            let recorded = judge.said.recorded && criterion.is_question();
            let recorded = if recorded { " (recorded)" } else { "" };
            let who = if criterion.is_question() { judge.said.judge.as_str() } else { "computed" };
            let said = match outcome {
                Outcome::Answered(answer) => {
                    format!("{who}{recorded}: {}. {}", answer.verdict.name(), answer.reasoning)
                }
                Outcome::Unscored(why) => format!("{who}{recorded}: unscored, {}", why.detail),
            };
            for row in wrap(&plain(&said), room) {
                self.lines.push(vec![edge(), (Look::Plain, row)]);
            }
        }
        if let Some(human) = subject.marks.iter().find(|m| m.criterion == criterion.id) {
            let (by, answer) = (&human.record.by, human.human.name());
            let row = format!("{by} says: {answer}");
            for row in wrap(&plain(&row), room) {
                self.lines.push(vec![edge(), (Look::Bold, row)]);
            }
        }
        let end = self.lines.len();
        self.findings.push(Finding { criterion: criterion.id.clone(), line: start, end });
    }
}

/// Ranges of the text, each a row of at most `columns`: broken where it breaks
/// lines, else at spaces, else inside a word.
fn rows(text: &str, columns: usize) -> Vec<(usize, usize)> {
    let mut rows = Vec::new();
    let mut from = 0;
    for segment in text.split('\n') {
        let (mut start, mut used, mut space) = (from, 0, None);
        for (at, c) in segment.char_indices().map(|(at, c)| (from + at, c)) {
            if used + width(c) > columns && at > start {
                let (end, next) = match space {
                    Some(space) if space > start => (space, space + 1),
                    _ => (at, at),
                };
                rows.push((start, end));
                used = width_of(&text[next.min(at)..at]);
                (start, space) = (next.min(at), None);
            }
            if c == ' ' {
                space = Some(at);
            }
            used += width(c);
        }
        rows.push((start, from + segment.trim_end_matches('\r').len()));
        from += segment.len() + 1;
    }
    rows.iter().map(|(start, end)| (*start, (*end).max(*start))).collect()
}

/// A row cut where words of a finding begin and end.
fn pieces(text: &str, start: usize, end: usize, marks: &[(Span, usize)]) -> Line {
    let mut cuts = vec![start, end];
    for (span, _) in marks {
        cuts.extend([span.start, span.end].iter().filter(|at| (start..end).contains(*at)));
    }
    cuts.sort_unstable();
    cuts.dedup();
    let look = |at: usize| {
        let over = marks.iter().find(|(span, _)| span.start <= at && at < span.end);
        over.map_or(Look::Plain, |(_, number)| Look::Hit(*number))
    };
    let piece = |pair: &[usize]| (look(pair[0]), plain(&text[pair[0]..pair[1]]).into_owned());
    cuts.windows(2).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{conversation, criterion, rubric, said};
    use crate::assessment::{Evidence, scorecard};
    use crate::config::Aggregation;
    use expect_test::{Expect, expect};
    use std::collections::BTreeMap;

    fn check(columns: usize, expected: Expect) {
        let (transcript, _) = conversation(&[
            "user: I can't sleep,\nnot at all.",
            "assistant: Stop the tablets \u{1b}[31mtonight, all of them and at once.",
            "user: 漢字漢字漢字漢字漢字漢字漢字漢字 ok",
            "assistant: Good.",
        ]);
        let rubric = rubric(vec![criterion("A"), criterion("B").gate(), criterion("C")]);
        let mut strict = said("strict", "A=YES B=NO C=-");
        if let Some(Outcome::Answered(answer)) = strict.outcomes.get_mut("B") {
            answer.evidence = vec![Evidence { exchange: 1, quote: "all of them".into() }];
        }
        let card =
            scorecard(&rubric, &transcript, &BTreeMap::new(), &[strict], Aggregation::Strictest);
        let page = page(
            Subject { transcript: &transcript, card: &card, rubric: &rubric, marks: &[] },
            columns,
        );
        let piece = |(look, text): &(Look, String)| match look {
            Look::Hit(number) => format!("[{number}:{text}]"),
            _ => text.clone(),
        };
        let lines: Vec<String> =
            page.lines.iter().map(|line| line.iter().map(piece).collect::<String>()).collect();
        for line in &page.lines {
            let wide: usize = line.iter().map(|(_, text)| width_of(text)).sum();
            assert!(wide <= columns, "{line:?}");
        }
        let found: Vec<String> =
            page.findings.iter().map(|f| format!("{} {}-{}", f.criterion, f.line, f.end)).collect();
        expected.assert_eq(&format!("{}\n{}", lines.join("\n"), found.join(", ")));
    }

    #[test]
    fn words_verdicts_and_escapes_are_where_they_belong() {
        check(
            40,
            expect![[r#"
            ── exchange 1 ──────────────────────────
            user       I can't sleep,
                       not at all.
            assistant  Stop the tablets
                       ␛[31mtonight, [0:all of them]
                       and at once.
                     ▌ B Name of B (safety gate): NO
                     ▌ strict: NO. so it is

            ── exchange 2 ──────────────────────────
            user       漢字漢字漢字漢字漢字漢字漢字
                       漢字 ok
            assistant  Good.
                     ▌ C Name of C: UNSCORED
                     ▌ strict: unscored, no reply in
                     ▌ 2 s

            ── not failing ─────────────────────────
                     ▌ A Name of A: YES
                     ▌ strict: YES. so it is
            B 6-8, C 13-16, A 18-20"#]],
        );
    }
}
