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
        let message = format!("{}: {} ({})", criterion.name, spot.message_text, result.summary);
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
            "" => "Remove these words".to_owned(),
            text => format!("Replace by \"{}\"", text.escape_debug()),
        };
        let edits = vec![Edit { span, text: encode(replacement, self.style) }];
        let safety = if given { Safety::Safe } else { Safety::Suggested };
        Some(Fix { title, edits, safety })
    }
}

fn exchanges_by_message(transcript: &Transcript) -> BTreeMap<usize, u32> {
    let numbered = |e: &crate::transcript::Exchange| {
        let number = e.number;
        e.user.iter().chain(&e.rest).map(move |&i| (i, number)).collect::<Vec<_>>()
    };
    transcript.exchanges.iter().flat_map(numbered).collect()
}
