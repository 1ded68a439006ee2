//! Failed checks → findings on the exact words, with the mechanical fix where
//! there is one.
//!
//! Invariant: the code is the criterion's id, and nothing here was said by a judge.
//! Deliberately absent: measuring (`rubric::check`) and scoring.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::{Edit, Finding, Fix, Place, Related, Safety, Severity};
use crate::rubric::check::{CheckResult, Rule, Spot};
use crate::rubric::{Ask, Criterion, Rubric, Verdict};
use crate::text::Span;
use crate::text::escape::{Style, encode};
use crate::transcript::Transcript;

/// The findings of `results` (from `rubric::check::run`) about the transcript
/// written in `record`, by place.
#[must_use]
pub fn findings(
    rubric: &Rubric,
    transcript: &Transcript,
    record: &str,
    results: &[(usize, CheckResult)],
) -> Vec<Finding> {
    let subject = Subject {
        transcript,
        record,
        style: Style::of(record),
        id: Arc::from(transcript.id.as_str()),
        exchange_of: exchanges_by_message(transcript),
    };
    let mut findings = Vec::new();
    for (index, result) in results {
        let Some(criterion) = rubric.criteria.get(*index) else { continue };
        match result.verdict {
            Verdict::No => {
                findings.extend(result.spots.iter().map(|s| subject.finding(criterion, result, s)));
            }
            Verdict::Na if !criterion.na_valid => {
                findings.push(subject.invalid_na(criterion, result))
            }
            _ => {}
        }
    }
    findings.sort_by_key(|finding| finding.span);
    findings
}

struct Subject<'a> {
    transcript: &'a Transcript,
    record: &'a str,
    style: Style,
    id: Arc<str>,
    exchange_of: BTreeMap<usize, u32>,
}

impl Subject<'_> {
    fn finding(&self, criterion: &Criterion, result: &CheckResult, spot: &Spot) -> Finding {
        let span = self.source_of(spot);
        let mut message = format!("{}: {}", criterion.name, spot.message_text);
        if adds_up(criterion) {
            message.push_str(&format!(" ({})", result.summary));
        }
        let mut finding = self.blank(criterion, span, message);
        finding.exchange = self.exchange_of.get(&spot.message).copied();
        finding.fixes.extend(self.fix(criterion, spot, span));
        finding
    }

    /// NA where the rubric does not take it is a failure; it has no words of its own.
    fn invalid_na(&self, criterion: &Criterion, result: &CheckResult) -> Finding {
        let last = self.transcript.messages.last();
        let span = last.map_or(Span::new(0, self.record.len()), |m| m.text_source());
        let message = format!(
            "{}: {}, and NA is no valid answer here: give the record what the check needs, or \
             declare `na_valid: true`",
            criterion.name, result.summary
        );
        let mut finding = self.blank(criterion, span, message);
        let index = self.transcript.messages.len().saturating_sub(1);
        finding.exchange = self.exchange_of.get(&index).copied();
        finding
    }

    fn blank(&self, criterion: &Criterion, span: Span, message: String) -> Finding {
        let severity = if criterion.gate { Severity::Error } else { Severity::Warning };
        let mut finding = Finding::new(criterion.id.clone(), severity, span, message);
        finding.transcript = Some(Arc::clone(&self.id));
        let related = Related {
            place: Place::Rubric(criterion.source),
            message: format!("{} is defined here", criterion.id),
        };
        finding.related.push(related);
        finding
    }

    fn source_of(&self, spot: &Spot) -> Span {
        let message = self.transcript.messages.get(spot.message);
        message.map_or(Span::new(0, self.record.len()), |m| m.source_of(self.record, spot.decoded))
    }

    /// The replacement, written the way the record is written. Safe only where the
    /// rubric's author gave it, word for word.
    fn fix(&self, criterion: &Criterion, spot: &Spot, span: Span) -> Option<Fix> {
        let replacement = spot.replacement.as_ref()?;
        let message = self.transcript.messages.get(spot.message)?;
        // Words that reach over two literals cannot be replaced by one edit.
        if !message.parts.iter().any(|part| part.source.covers(span)) {
            return None;
        }
        let given = matches!(&criterion.ask, Ask::Check(check)
            if matches!(check.rule(), Rule::Phrases(_) | Rule::Pattern(_)));
        let title = match replacement.as_str() {
            "" => "Replace phrase with nothing".to_owned(),
            text => format!("Replace phrase with \"{}\"", text.escape_debug()),
        };
        let edits = vec![Edit { span, text: encode(replacement, self.style) }];
        let safety = if given { Safety::Safe } else { Safety::Suggested };
        Some(Fix { title, edits, safety })
    }
}

/// True for checks whose spots say nothing without the sum over the transcript.
fn adds_up(criterion: &Criterion) -> bool {
    let Ask::Check(check) = &criterion.ask else { return false };
    matches!(check.rule(), Rule::LengthRatio(_) | Rule::QuestionEndings(_))
}

fn exchanges_by_message(transcript: &Transcript) -> BTreeMap<usize, u32> {
    let numbered = |e: &crate::transcript::Exchange| {
        let number = e.number;
        e.user.iter().chain(&e.rest).map(move |&i| (i, number)).collect::<Vec<_>>()
    };
    transcript.exchanges.iter().flat_map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Arc;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::rubric::check::{self, Subject};
    use crate::rubric::parse;
    use crate::testing;

    fn said(rubric: &str, record: &str) -> String {
        let rubric = parse(rubric).rubric.expect("a rubric");
        let transcript = testing::read(record);
        let subject = Subject::new(&transcript);
        let results = check::run(&rubric, &subject, |check, m| Arc::new(check.facts(m)));
        let mut out = String::new();
        for finding in findings(&rubric, &transcript, record, &results) {
            assert!(!finding.judged);
            let exchange = finding.exchange.map_or("-".into(), |n| n.to_string());
            let severity = finding.severity.name();
            let words = finding.span.of(record);
            let _ = writeln!(
                out,
                "{exchange} {severity}[{}] «{words}» {}",
                finding.code, finding.message
            );
            for fix in &finding.fixes {
                let _ =
                    writeln!(out, "    {:?}: {}: «{}»", fix.safety, fix.title, fix.edits[0].text);
            }
        }
        out
    }

    fn check(rubric: &str, record: &str, expect: Expect) {
        expect.assert_eq(&said(rubric, record));
    }

    #[test]
    fn findings_stand_on_the_words_through_escapes() {
        let record = r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "She said \"I hear you\" \u2014 ok\n\ud83d\ude00 I hear you"}]}"#;
        check(
            "criteria:\n  P1: {name: No echo, check: {phrases: {forbidden: [I hear you], suggest: {I hear you: 'that \"is\" – hard'}}}}\n  \
             G1: {name: Plain, gate: true, check: ascii}\n",
            record,
            expect![[r#"
                1 warning[P1] «I hear you» No echo: "I hear you" is a phrase to avoid: say "that "is" – hard" instead
                    Safe: Replace phrase with "that \"is\" – hard": «that \"is\" \u2013 hard»
                1 error[G1] «\u2014» Plain: `—` (U+2014) is not ASCII: write `-`
                    Suggested: Replace phrase with "-": «-»
                1 error[G1] «\ud83d\ude00» Plain: `😀` (U+1F600) is not ASCII: write it another way
                1 warning[P1] «I hear you» No echo: "I hear you" is a phrase to avoid: say "that "is" – hard" instead
                    Safe: Replace phrase with "that \"is\" – hard": «that \"is\" \u2013 hard»
            "#]],
        );
    }

    #[test]
    fn checks_wait_for_min_turns_and_gates_do_not() {
        let record = r#"{"exchanges": [{"user": "hi", "assistant": "x x x"}]}"#;
        let rubric = "criteria:\n  A: {min_turns: 2, check: {length_ratio: {mean_max: 1}}}\n  \
                      G: {gate: true, min_turns: 2, check: {length_ratio: {mean_max: 1}}}\n";
        check(
            rubric,
            record,
            expect![[r#"
            1 error[G] «x x x» G: 3 words to the user's 1, ratio 3 over 1: shorten this reply (mean ratio 3 over 1; 1 of 1 replies over 2x)
        "#]],
        );
    }

    #[test]
    fn na_is_a_failure_only_where_the_rubric_says_so() {
        let record = r#"{"exchanges": [{"user": "hi", "assistant": "ok"}]}"#;
        let by_style = "check: {word_count: {by_style: {terse: [30, 80]}}}";
        check(&format!("criteria: {{A: {{{by_style}}}}}"), record, expect![[""]]);
        check(
            &format!("criteria: {{A: {{na_valid: false, {by_style}}}}}"),
            record,
            expect![[r#"
            1 warning[A] «ok» A: the record names no persona style, and NA is no valid answer here: give the record what the check needs, or declare `na_valid: true`
        "#]],
        );
    }

    #[test]
    fn words_over_two_parts_are_shown_and_not_edited() {
        let record = r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}]}"#;
        check(
            "criteria: {A: {check: {pattern: {forbidden: 'one\\s+two', suggest: three}}}}",
            record,
            expect![[r#"
                1 warning[A] «one"}, {"type": "text", "text": "two» A: matches the forbidden pattern `one\s+two`: replace it
            "#]],
        );
    }
}
