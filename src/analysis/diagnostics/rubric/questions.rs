//! Questions: answerable by YES or NO, without a scale, and clear about NA and fixes.
//!
//! Whether a question is yes/no is told from English words; in other languages
//! nothing is claimed.

use std::sync::LazyLock;

use regex::Regex;

use super::{File, insert, warning};
use crate::finding::{Finding, Fix, Severity};
use crate::rubric::parse::WrittenCriterion;
use crate::rubric::{Ask, Criterion};
use crate::text::Span;

pub(super) fn check(file: &File<'_>, findings: &mut Vec<Finding>) {
    for (criterion, written) in file.criteria() {
        if let (Ask::Question(question), Some(span)) = (&criterion.ask, written.question) {
            check_question(file, question, span, findings);
            check_na(file, criterion, written, findings);
        }
        check_fix(file, criterion, written, findings);
    }
}

fn check_question(file: &File<'_>, question: &str, span: Span, findings: &mut Vec<Finding>) {
    if let Some(scale) = scale(question) {
        let at = span
            .of(file.text)
            .find(scale)
            .map_or(span, |at| Span::new(span.start + at, span.start + at + scale.len()));
        let message = format!(
            "\"{scale}\" asks for a scale, which judges use differently: ask one yes/no question"
        );
        findings.push(warning("numeric-scale", at, message));
    } else if let Some(why) = not_yes_no(question) {
        let message = format!(
            "this {why}, so YES and NO do not answer it: begin with Does, Is, Has … and make YES good"
        );
        findings.push(warning("question-not-yes-no", first_line(span, file.text), message));
    }
}

/// The words that ask for a scale.
fn scale(question: &str) -> Option<&str> {
    static SCALE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let range = r"\b[01]\s*(?:-|–|—|to|through|\.\.)\s*(?:5|7|10|100)\b";
        let words = r"\bon a scale\b|\b\d+[- ]point scale\b|\bout of (?:5|10|100)\b|\bhow many (?:stars|points)\b";
        let verbs = r"^\s*(?:rate|score|grade|rank)\b|\bscore (?:from|between)\b|\brate (?:it|this|the|how)\b";
        Regex::new(&format!("(?i){range}|{words}|{verbs}")).ok()
    });
    static COUNTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // "1 to 5 sentences" counts things, it does not rate them.
        Regex::new(r"(?i)^\s*(?:sentence|word|question|exchange|turn|item|paragraph|line|message|step|bullet|day|minute|hour|%)").ok()
    });
    let found = SCALE.as_ref()?.find(question)?;
    let digits = found.as_str().starts_with(|c: char| c.is_ascii_digit());
    let rest = &question[found.end()..];
    let counted = digits && COUNTED.as_ref().is_some_and(|counted| counted.is_match(rest));
    (!counted).then(|| found.as_str().trim())
}

const YES_NO: &[&str] = &[
    "is", "are", "was", "were", "am", "do", "does", "did", "has", "have", "had", "can", "could",
    "will", "would", "should", "shall", "may", "might", "must", "isn't", "aren't", "doesn't",
    "don't", "didn't", "hasn't", "haven't", "can't", "couldn't", "won't", "wouldn't",
];

const OPEN: &[&str] = &[
    "how", "what", "which", "who", "whom", "whose", "why", "describe", "list", "explain", "name",
    "identify", "evaluate", "assess",
];

const ENGLISH: &[&str] = &[
    "the",
    "a",
    "an",
    "of",
    "to",
    "and",
    "in",
    "assistant",
    "user",
    "user's",
    "reply",
    "replies",
    "response",
];

/// Why a question cannot be answered by YES or NO; `None` when it can, or nobody knows.
fn not_yes_no(question: &str) -> Option<&'static str> {
    let lower = question.to_lowercase().replace('’', "'");
    let words = |text: &str| -> Vec<String> {
        let edge = |c: char| !c.is_alphanumeric() && c != '\'';
        text.split_whitespace()
            .map(|w| w.trim_matches(edge).to_owned())
            .filter(|w| !w.is_empty())
            .collect()
    };
    let all = words(&lower);
    let knows = |list: &[&str], word: &String| list.contains(&word.as_str());
    if !all.iter().any(|w| knows(ENGLISH, w)) {
        return None;
    }
    let first = all.first()?;
    if knows(OPEN, first) {
        return Some("is an open question");
    }
    let clauses = lower.split([',', '.', '!', '?', ';', ':', '—', '–', '(', '\n']);
    let asks = clauses.into_iter().any(|clause| {
        let joined =
            |w: &&String| !matches!(w.as_str(), "and" | "or" | "but" | "then" | "so" | "if");
        words(clause).iter().find(joined).is_some_and(|w| knows(YES_NO, w))
    });
    if asks { None } else { Some("does not read as a yes/no question") }
}

fn check_na(
    file: &File<'_>,
    criterion: &Criterion,
    written: &WrittenCriterion,
    findings: &mut Vec<Finding>,
) {
    if written.na_declared {
        return;
    }
    let message = format!(
        "whether NA answers `{}` is not said (read as no): add `na_valid: true` or `na_valid: false`",
        criterion.id
    );
    let mut finding = Finding::new("na-undeclared", Severity::Info, criterion.source, message);
    for value in ["false", "true"] {
        let line = format!("na_valid: {value}");
        if let Some(edit) = insert::key(file.text, written.body, &line) {
            let title = format!("Declare `{line}`");
            finding.fixes.push(Fix::suggested(title, edit.span, edit.text));
        }
    }
    findings.push(finding);
}

/// Gates never rewrite: a failed gate is cut off or rejected.
fn check_fix(
    file: &File<'_>,
    criterion: &Criterion,
    written: &WrittenCriterion,
    findings: &mut Vec<Finding>,
) {
    let Some(span) = written.fix.filter(|_| criterion.gate) else { return };
    if !span.of(file.text).trim_matches(['"', '\'']).eq_ignore_ascii_case("rewrite") {
        return;
    }
    let message = format!(
        "`{}` is a safety gate, and gates never rewrite (read as truncate): use truncate or reject",
        criterion.id
    );
    let mut finding = warning("gate-rewrite", span, message);
    for policy in ["truncate", "reject"] {
        finding = finding.with_fix(Fix::suggested(format!("Change to `{policy}`"), span, policy));
    }
    findings.push(finding);
}

fn first_line(span: Span, text: &str) -> Span {
    let words = span.of(text);
    // A block scalar begins with its mark; the question is below.
    let skip =
        if words.starts_with(['|', '>']) { words.find('\n').map_or(0, |n| n + 1) } else { 0 };
    let rest = &words[skip..];
    let start = span.start + skip + (rest.len() - rest.trim_start().len());
    let line = rest.trim_start().lines().next().unwrap_or("").trim_end();
    Span::new(start, start + line.len())
}
