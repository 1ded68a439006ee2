//! Results of computed checks, as outcomes like any judge's.
//!
//! Invariant: a check that could not run yet (it waits for token counts) has no
//! outcome, so it scores as unscored, never as a YES.

use std::collections::BTreeMap;

use crate::rubric::Rubric;
use crate::rubric::check::{CheckResult, Spot};
use crate::transcript::Transcript;

use super::{Answer, Evidence, Outcome};

/// The outcomes of `results` (from `rubric::check::run`), by criterion id.
#[must_use]
pub fn outcomes(
    rubric: &Rubric,
    transcript: &Transcript,
    results: &[(usize, CheckResult)],
) -> BTreeMap<String, Outcome> {
    let named = results.iter().filter_map(|(index, result)| {
        let criterion = rubric.criteria.get(*index)?;
        Some((criterion.id.clone(), Outcome::Answered(answer(transcript, result))))
    });
    named.collect()
}

fn answer(transcript: &Transcript, result: &CheckResult) -> Answer {
    let evidence = result.spots.iter().filter_map(|spot| evidence(transcript, spot)).collect();
    Answer { verdict: result.verdict, reasoning: result.summary.clone(), evidence }
}

fn evidence(transcript: &Transcript, spot: &Spot) -> Option<Evidence> {
    let exchange = transcript.exchange_of(spot.message)?;
    let text = &transcript.messages.get(spot.message)?.text;
    Some(Evidence { exchange, quote: spot.decoded.of(text).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{conversation, criterion, rubric};
    use crate::rubric::Verdict;
    use crate::text::Span;

    #[test]
    fn a_failed_check_cites_its_words() {
        let (transcript, _) = conversation(&["user: Hi", "assistant: Hello you"]);
        let rubric = rubric(vec![criterion("A"), criterion("K").computed()]);
        let spot = Spot {
            message: 1,
            decoded: Span::new(6, 9),
            message_text: "too long".into(),
            replacement: None,
        };
        let result =
            CheckResult { verdict: Verdict::No, summary: "mean 2.0".into(), spots: vec![spot] };
        let outcomes = outcomes(&rubric, &transcript, &[(1, result)]);
        let answer = outcomes["K"].answer().unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!((answer.verdict, answer.reasoning.as_str()), (Verdict::No, "mean 2.0"));
        assert_eq!(answer.evidence, [Evidence { exchange: 1, quote: "you".into() }]);
    }
}
