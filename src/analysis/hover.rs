//! Hover: everything known about the words under the cursor, in markdown.
//!
//! Invariant: text that comes from transcripts, rubrics and judges is data: it is
//! escaped, so it can neither format nor link nor hide anything.

use super::hints::facts;
use super::lenses::{self, Standing};
use super::record::{Outline, OutlineMessage};
use super::reviews::Reviewed;
use crate::assessment::{JudgeOutcomes, Outcome};
use crate::finding::Finding;
use crate::rubric::{Ask, Criterion, Rubric};
use crate::text::Span;

/// What a hover can draw on.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The record's outline, when it is a transcript.
    pub outline: Option<&'a Outline>,
    /// Its findings, static and judged.
    pub findings: &'a [Finding],
    /// The rubric in force.
    pub rubric: Option<&'a Rubric>,
    /// What the judges said about the transcript.
    pub outcomes: &'a [JudgeOutcomes],
    /// How it stands.
    pub standing: Option<&'a Standing>,
    /// The token limit of the settings.
    pub limit: usize,
    /// What people said.
    pub reviewed: Option<Reviewed<'a>>,
}

/// A hover text and the words it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// Bytes of the record.
    pub span: Span,
    /// Markdown.
    pub text: String,
}

/// The hover at byte `at` of the record.
#[must_use]
pub fn hover(subject: Subject<'_>, at: usize) -> Option<Hover> {
    let mut sections = Vec::new();
    let here: Vec<&Finding> = subject.findings.iter().filter(|f| f.span.touches(at)).collect();
    sections.extend(here.iter().map(|finding| about_finding(subject, finding)));
    let message = subject.outline.and_then(|o| message_at(o, at));
    match (subject.outline, message) {
        (Some(outline), Some(message)) => sections.push(facts(outline, message)),
        (Some(outline), None) => sections.push(about_transcript(subject, outline)),
        (None, _) => {}
    }
    let narrowest = here.iter().map(|f| f.span).min_by_key(|s| s.end - s.start);
    let span = narrowest.or(message.map(|m| m.text_source)).unwrap_or(Span::new(at, at));
    (!sections.is_empty()).then(|| Hover { span, text: sections.join("\n\n---\n\n") })
}

fn message_at(outline: &Outline, at: usize) -> Option<&OutlineMessage> {
    outline.messages.iter().find(|m| m.source.touches(at))
}

fn about_transcript(subject: Subject<'_>, outline: &Outline) -> String {
    let summary = lenses::summary(outline, subject.standing, subject.limit);
    let mut text = format!("**{}**\n\n{}", escape(&outline.id), escape(&summary));
    if let Some((reviewed, digest)) = subject.reviewed.zip(outline.digest)
        && let Some(line) = reviewed.about(&outline.id, &digest.to_string())
    {
        text = format!("{text}\n\n{line}");
    }
    text
}

fn about_finding(subject: Subject<'_>, finding: &Finding) -> String {
    let mut text = format!(
        "**{}** {}: {}",
        escape(&finding.code),
        finding.severity.name(),
        escape(&finding.message)
    );
    if let Some(criterion) = subject.rubric.and_then(|r| r.criterion(&finding.code)) {
        text.push_str("\n\n");
        text.push_str(&about_criterion(criterion));
        for judge in subject.outcomes {
            if let Some(outcome) = judge.outcomes.get(&*finding.code) {
                text.push_str("\n\n");
                text.push_str(&voice(judge, outcome));
            }
        }
        let digest = subject.outline.and_then(|outline| Some((outline, outline.digest?)));
        if let Some((reviewed, (outline, digest))) = subject.reviewed.zip(digest) {
            for line in reviewed.marks(&outline.id, &digest.to_string(), &criterion.id) {
                text.push_str("\n\n");
                text.push_str(&line);
            }
        }
    }
    text
}

/// A criterion in two lines: its name and question, and what a failure means.
#[must_use]
pub fn about_criterion(criterion: &Criterion) -> String {
    let asks = match &criterion.ask {
        Ask::Question(question) => escape(question),
        Ask::Check(_) => "computed here, no judge is asked".into(),
    };
    let gate = if criterion.gate { " · safety gate" } else { "" };
    format!("*{}*{gate}: {asks}", escape(&criterion.name))
}

fn voice(judge: &JudgeOutcomes, outcome: &Outcome) -> String {
    let recorded = if judge.recorded { " (recorded)" } else { "" };
    let name = escape(&judge.judge);
    match outcome {
        Outcome::Answered(answer) => {
            let verdict = answer.verdict.name();
            format!("- {name}{recorded}: **{verdict}** {}", escape(&answer.reasoning))
        }
        Outcome::Unscored(why) => {
            format!("- {name}{recorded}: unscored, {}", escape(&why.detail))
        }
    }
}

/// Text as markdown that shows exactly that text.
///
/// Only what would mean something is escaped: some editors show the backslash.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = '\n';
    let mut rest = text.chars().peekable();
    while let Some(ch) = rest.next() {
        let next = rest.peek().copied().unwrap_or('\n');
        match ch {
            '\n' => out.push_str("  \n"),
            '\r' => {}
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            ch if ch.is_control() => out.push('\u{fffd}'),
            ch if means_something(before, ch, next) => out.extend(['\\', ch]),
            ch => out.push(ch),
        }
        before = ch;
    }
    out
}

/// True where markdown would read `ch`, between its neighbours, as more than itself.
fn means_something(before: char, ch: char, next: char) -> bool {
    match ch {
        '\\' | '`' | '*' | '[' | ']' => true,
        '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
        '~' => before == '~' || next == '~',
        // A bare address would become a link.
        ':' => next == '/',
        '#' | '+' | '-' | '=' | '|' => before == '\n',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::outline;
    use super::*;
    use crate::finding::Severity;

    fn at(offset: usize, findings: &[Finding]) -> Option<Hover> {
        let outline = outline();
        let subject = Subject {
            outline: Some(&outline),
            findings,
            rubric: None,
            outcomes: &[],
            standing: None,
            limit: 100,
            reviewed: None,
        };
        hover(subject, offset)
    }

    #[test]
    fn a_message_says_its_facts_and_the_record_its_standing() {
        let reply = at(75, &[]).unwrap();
        assert_eq!(
            (reply.text.as_str(), reply.span),
            ("exchange 1 · assistant · 6 words · 2.0x the user's words", Span::new(71, 79))
        );
        assert_eq!(at(2, &[]).unwrap().text, "**t-1**\n\nnot assessed · 1 exchange");
    }

    #[test]
    fn a_finding_comes_first_and_cannot_format() {
        let message = "say *this* <img src=x> [link](http://x)";
        let finding = Finding::new("W001", Severity::Warning, Span::new(72, 74), message);
        let hover = at(73, &[finding]).unwrap();
        assert_eq!(hover.span, Span::new(72, 74));
        assert!(hover.text.starts_with("**W001** warning: say \\*this\\* &lt;img src=x&gt; "));
        assert!(hover.text.contains("\\[link\\](http\\://x)"));
    }
}
