//! A scorecard for people, in 80 columns: standing, score, and for each criterion
//! that failed the words and each judge's reasoning.

use super::entries::Entry;
use crate::assessment::{JudgeScorecard, Mark, Outcome, Scorecard, Standing};
use crate::cli::style::{Style, plain, wrap};
use crate::rubric::{Criterion, Rubric};

/// The transcript's lines.
pub fn scorecard(
    card: &Scorecard,
    entry: &Entry,
    rubric: &Rubric,
    style: Style,
    columns: usize,
) -> String {
    let mut out = heading(card, entry, style);
    for (id, mark) in &card.answers {
        let Some(criterion) = rubric.criterion(id) else { continue };
        let split = card.splits.contains(id);
        if mark.fails(criterion) || split {
            out.push_str(&failure(card, criterion, *mark, split, style, columns));
        }
    }
    for judge in &card.judges {
        out.push_str(&silences(judge, rubric, style, columns));
    }
    if !card.splits.is_empty() {
        let splits = card.splits.join(", ");
        out.push_str(&indented(
            &format!("The judges disagree on {splits}: calibration examples would help."),
            4,
            columns,
        ));
    }
    out
}

fn heading(card: &Scorecard, entry: &Entry, style: Style) -> String {
    let name = format!("{:<10}", card.standing.name());
    let standing = match card.standing {
        Standing::Passed => style.good(&format!("✓ {name}")),
        Standing::Failed | Standing::Gated => style.bad(&format!("✗ {name}")),
        Standing::TooShort | Standing::Incomplete => style.bold(&format!("? {name}")),
    };
    let score = match card.score {
        Some(score) => format!("{score:.2} of {:.2}", card.threshold),
        None => "no score".to_owned(),
    };
    let spread = card.spread.filter(|s| *s > 0.0 && card.judges.len() > 1);
    let spread = spread.map_or_else(String::new, |s| format!(", judges {s:.2} apart"));
    let place = plain(&format!("{}:{}", entry.file, entry.line)).into_owned();
    let id = plain(&entry.transcript.id).into_owned();
    format!("{standing} {}  {score}{spread}  {}\n", style.bold(&id), style.dim(&place))
}

fn failure(
    card: &Scorecard,
    criterion: &Criterion,
    mark: Mark,
    split: bool,
    style: Style,
    columns: usize,
) -> String {
    let kind = if criterion.gate { " (safety gate)" } else { "" };
    let mark = mark.name();
    let named = criterion.name != criterion.id;
    let name = if named { format!(" {}", plain(&criterion.name)) } else { String::new() };
    let title = format!("{}{name}{kind}", criterion.id);
    let mut out = format!("    {} {}\n", style.bold(&title), style.bad(mark));
    // A computed check says the same in every judge's answers.
    let judges = if criterion.is_question() { &card.judges[..] } else { &card.judges[..1] };
    for judge in judges {
        let Some(outcome) = judge.said.outcomes.get(&criterion.id) else { continue };
        let failing = Mark::of(Some(outcome)).fails(criterion);
        if failing || split {
            out.push_str(&voice(judge, criterion, outcome, style, columns));
        }
    }
    out
}

/// The questions that a judge has no answer to, by the reason.
fn silences(judge: &JudgeScorecard, rubric: &Rubric, style: Style, columns: usize) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    let unscored = judge.unscored.iter().filter_map(|id| rubric.criterion(id));
    for criterion in unscored.filter(|c| c.is_question()) {
        let outcome = judge.said.outcomes.get(&criterion.id);
        let why = match outcome.and_then(Outcome::unscored) {
            Some(unscored) => format!("{}: {}", unscored.reason.name(), unscored.detail),
            None => "no judge was asked".to_owned(),
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => ids.push(&criterion.id),
            None => reasons.push((why, vec![&criterion.id])),
        }
    }
    let mut out = String::new();
    for (why, ids) in reasons {
        let line = format!("{} has no answer to {} ({why})", judge.said.judge, ids.join(", "));
        out.push_str(&painted(&plain(&line), 4, columns, |line| style.dim(line)));
    }
    out
}

/// One judge's quotes and reasoning.
fn voice(
    judge: &JudgeScorecard,
    criterion: &Criterion,
    outcome: &Outcome,
    style: Style,
    columns: usize,
) -> String {
    let who = if criterion.is_question() { judge.said.judge.as_str() } else { "computed" };
    let recorded = if judge.said.recorded && criterion.is_question() { " (recorded)" } else { "" };
    let who = plain(&format!("{who}{recorded}")).into_owned();
    match outcome {
        Outcome::Unscored(unscored) => {
            let why = format!("{who}: unscored ({}): {}", unscored.reason.name(), unscored.detail);
            indented(&plain(&why), 6, columns)
        }
        Outcome::Answered(answer) => {
            let mut out = String::new();
            for evidence in answer.evidence.iter().take(QUOTES) {
                let quote = shortened(&plain(&evidence.quote));
                let line = format!("exchange {}: “{quote}”", evidence.exchange);
                out.push_str(&painted(&line, 6, columns, |l| style.dim(l)));
            }
            let more = answer.evidence.len().saturating_sub(QUOTES);
            if more > 0 {
                out.push_str(&painted(&format!("and {more} more"), 6, columns, |l| style.dim(l)));
            }
            let said = format!("{who}: {}. {}", answer.verdict.name(), answer.reasoning);
            out + &indented(&plain(&said), 6, columns)
        }
    }
}

/// Quotes shown of one answer.
const QUOTES: usize = 3;
/// Characters shown of one quote.
const QUOTE: usize = 160;

fn shortened(quote: &str) -> String {
    if quote.chars().count() <= QUOTE {
        return quote.to_owned();
    }
    quote.chars().take(QUOTE).chain(std::iter::once('…')).collect()
}

fn indented(text: &str, by: usize, columns: usize) -> String {
    painted(text, by, columns, str::to_owned)
}

fn painted(text: &str, by: usize, columns: usize, paint: impl Fn(&str) -> String) -> String {
    let lines = wrap(text, columns.saturating_sub(by));
    lines.iter().map(|line| format!("{}{}\n", " ".repeat(by), paint(line))).collect()
}
