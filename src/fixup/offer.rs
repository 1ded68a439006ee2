//! Which replies of a transcript may be rewritten, and for which criteria (SPEC 7.1).
//!
//! Invariant: a safety gate is never rewritten, nor a criterion whose `fix` says
//! otherwise; failures of one reply are one offer, so one draft mends them together.

use std::collections::BTreeMap;

use crate::assessment::{Answer, JudgeScorecard, Scorecard, evidence};
use crate::rubric::{Criterion, FixPolicy, Rubric, Verdict};
use crate::transcript::Transcript;

/// One reply that may be rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The exchange, from 1.
    pub exchange: u32,
    /// The criteria it failed, in rubric order.
    pub criteria: Vec<String>,
    /// What was said of that, a line a judge and criterion.
    pub failures: Vec<String>,
}

/// Every reply that may be rewritten, by exchange.
#[must_use]
pub fn offers(card: &Scorecard, rubric: &Rubric, transcript: &Transcript) -> Vec<Offer> {
    let mut by_exchange: BTreeMap<u32, Offer> = BTreeMap::new();
    let may = |c: &&Criterion| {
        !c.gate && c.fix == FixPolicy::Rewrite && card.failed_checks.contains(&c.id)
    };
    for criterion in rubric.criteria.iter().filter(may) {
        for judge in &card.judges {
            let Some(answer) = failing(judge, criterion) else { continue };
            for exchange in exchanges(answer, transcript) {
                let offer = by_exchange.entry(exchange).or_insert_with(|| Offer {
                    exchange,
                    criteria: Vec::new(),
                    failures: Vec::new(),
                });
                if !offer.criteria.contains(&criterion.id) {
                    offer.criteria.push(criterion.id.clone());
                }
                let said = failure(criterion, judge, answer, exchange);
                if !offer.failures.contains(&said) {
                    offer.failures.push(said);
                }
            }
        }
    }
    by_exchange.into_values().collect()
}

/// The judge's answer to a criterion, when it is a failure.
fn failing<'a>(judge: &'a JudgeScorecard, criterion: &Criterion) -> Option<&'a Answer> {
    let answer = judge.said.outcomes.get(&criterion.id)?.answer()?;
    match answer.verdict {
        Verdict::No => Some(answer),
        Verdict::Na if !criterion.na_valid => Some(answer),
        Verdict::Na | Verdict::Yes => None,
    }
}

/// The exchanges an answer points at; the last reply where it points at none.
fn exchanges(answer: &Answer, transcript: &Transcript) -> Vec<u32> {
    let mut all: Vec<u32> = answer
        .evidence
        .iter()
        .filter_map(|cited| evidence::locate(transcript, cited))
        .map(|located| located.exchange)
        .collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        all.extend(evidence::last_reply(transcript).map(|located| located.exchange));
    }
    all
}

fn failure(
    criterion: &Criterion,
    judge: &JudgeScorecard,
    answer: &Answer,
    exchange: u32,
) -> String {
    let here = answer.evidence.iter().filter(|e| e.exchange == exchange);
    let quotes: Vec<String> = here.map(|e| format!("“{}”", e.quote)).collect();
    let words =
        if quotes.is_empty() { String::new() } else { format!(" on {}", quotes.join(", ")) };
    let who = if criterion.is_question() { judge.said.judge.as_str() } else { "computed" };
    format!("- {} ({who}){words}: {}", criterion.id, answer.reasoning.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{criterion, rubric, said, transcript};
    use crate::assessment::{Evidence, Outcome, scorecard};
    use crate::config::Aggregation;

    #[test]
    fn failures_of_one_reply_are_one_offer_and_gates_are_none() {
        let mut rejected = criterion("R");
        rejected.fix = FixPolicy::Reject;
        let rubric = rubric(vec![criterion("A"), criterion("B"), criterion("G").gate(), rejected]);
        let mut judge = said("j", "A=NO B=NO G=NO R=NO");
        let cite = |judge: &mut crate::assessment::JudgeOutcomes, id: &str, exchange| {
            if let Some(Outcome::Answered(answer)) = judge.outcomes.get_mut(id) {
                let quote = "Answer".to_owned();
                answer.evidence.push(Evidence { exchange, quote });
            }
        };
        for (id, exchange) in [("A", 1), ("A", 2), ("B", 1), ("G", 2), ("R", 2)] {
            cite(&mut judge, id, exchange);
        }
        let transcript = transcript(3);
        let card =
            scorecard(&rubric, &transcript, &BTreeMap::new(), &[judge], Aggregation::Strictest);
        let all = offers(&card, &rubric, &transcript);
        let lines: Vec<String> =
            all.iter().map(|o| format!("{} {}", o.exchange, o.criteria.join(" "))).collect();
        assert_eq!(lines, ["1 A B", "2 A"]);
        assert_eq!(all[0].failures[0], "- A (j) on “Answer”: so it is");
    }
}
