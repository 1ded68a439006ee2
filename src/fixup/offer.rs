//! Which replies of a transcript may be rewritten, and for which criteria (SPEC 7.1).
//!
//! Invariant: a safety gate is never rewritten, nor a criterion whose `fix` says
//! otherwise. Failures of one reply are drafted together; replies that fail the
//! same criterion are one offer, because it is met only when all of them are mended.

use std::collections::BTreeMap;

use crate::assessment::{Answer, JudgeScorecard, Scorecard, evidence};
use crate::rubric::{Criterion, FixPolicy, Rubric, Verdict};
use crate::transcript::Transcript;

/// Replies that may be rewritten, and have to be together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The replies, by exchange; never empty.
    pub replies: Vec<FailedReply>,
}

/// One reply that may be rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedReply {
    /// The exchange, from 1.
    pub exchange: u32,
    /// The criteria it failed, in rubric order.
    pub criteria: Vec<String>,
    /// What was said of that, a line a judge and criterion.
    pub failures: Vec<String>,
}

impl Offer {
    /// The exchanges, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<u32> {
        self.replies.iter().map(|reply| reply.exchange).collect()
    }

    /// The criteria, each once.
    #[must_use]
    pub fn criteria(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for id in self.replies.iter().flat_map(|reply| &reply.criteria) {
            if !all.contains(id) {
                all.push(id.clone());
            }
        }
        all
    }

    /// `exchange 1` or `exchanges 1, 3`.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.exchanges())
    }

    /// The part of it that is about one criterion.
    #[must_use]
    pub fn only(&self, criterion: &str) -> Option<Self> {
        let line = format!("- {criterion} (");
        let part = |reply: &FailedReply| FailedReply {
            exchange: reply.exchange,
            criteria: vec![criterion.to_owned()],
            failures: reply.failures.iter().filter(|f| f.starts_with(&line)).cloned().collect(),
        };
        let fails = |reply: &&FailedReply| reply.criteria.iter().any(|id| id == criterion);
        let replies: Vec<FailedReply> = self.replies.iter().filter(fails).map(part).collect();
        (!replies.is_empty()).then_some(Self { replies })
    }

    fn shares(&self, reply: &FailedReply) -> bool {
        self.replies.iter().any(|own| own.criteria.iter().any(|id| reply.criteria.contains(id)))
    }
}

/// `exchange 1` or `exchanges 1, 3`.
#[must_use]
pub fn place(exchanges: &[u32]) -> String {
    let numbers: Vec<String> = exchanges.iter().map(u32::to_string).collect();
    let word = if numbers.len() == 1 { "exchange" } else { "exchanges" };
    format!("{word} {}", numbers.join(", "))
}

/// Everything that may be rewritten, by its first exchange.
#[must_use]
pub fn offers(card: &Scorecard, rubric: &Rubric, transcript: &Transcript) -> Vec<Offer> {
    let may = |c: &Criterion| !c.gate && c.fix == FixPolicy::Rewrite;
    together(failed_replies(card, rubric, transcript, may))
}

/// The replies that failed the criteria that are `wanted`, by exchange.
fn failed_replies(
    card: &Scorecard,
    rubric: &Rubric,
    transcript: &Transcript,
    wanted: impl Fn(&Criterion) -> bool,
) -> Vec<FailedReply> {
    let mut by_exchange: BTreeMap<u32, FailedReply> = BTreeMap::new();
    let failed = |c: &&Criterion| wanted(c) && card.failed_checks.contains(&c.id);
    for criterion in rubric.criteria.iter().filter(failed) {
        for judge in &card.judges {
            let Some(answer) = failing(judge, criterion) else { continue };
            for exchange in exchanges(answer, transcript) {
                let reply = by_exchange.entry(exchange).or_insert_with(|| FailedReply {
                    exchange,
                    criteria: Vec::new(),
                    failures: Vec::new(),
                });
                if !reply.criteria.contains(&criterion.id) {
                    reply.criteria.push(criterion.id.clone());
                }
                let said = failure(criterion, judge, answer, exchange);
                if !reply.failures.contains(&said) {
                    reply.failures.push(said);
                }
            }
        }
    }
    by_exchange.into_values().collect()
}

/// Replies that share a criterion, directly or through others, become one offer.
fn together(replies: Vec<FailedReply>) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for reply in replies {
        let (met, apart): (Vec<Offer>, Vec<Offer>) =
            offers.into_iter().partition(|offer| offer.shares(&reply));
        let mut joined: Vec<FailedReply> =
            met.into_iter().flat_map(|offer| offer.replies).collect();
        joined.push(reply);
        joined.sort_by_key(|reply| reply.exchange);
        offers = apart;
        offers.push(Offer { replies: joined });
    }
    offers.sort_by_key(|offer| offer.replies.first().map(|reply| reply.exchange));
    offers
}

/// The judge's answer to a criterion, when it is a failure.
pub(super) fn failing<'a>(judge: &'a JudgeScorecard, criterion: &Criterion) -> Option<&'a Answer> {
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
    fn what_fails_together_is_one_offer_and_gates_are_none() {
        let mut rejected = criterion("R");
        rejected.fix = FixPolicy::Reject;
        let all = [criterion("A"), criterion("B"), criterion("C"), criterion("G").gate(), rejected];
        let rubric = rubric(all.to_vec());
        let mut judge = said("j", "A=NO B=NO C=NO G=NO R=NO");
        let cite = |judge: &mut crate::assessment::JudgeOutcomes, id: &str, exchange| {
            if let Some(Outcome::Answered(answer)) = judge.outcomes.get_mut(id) {
                let quote = "Answer".to_owned();
                answer.evidence.push(Evidence { exchange, quote });
            }
        };
        for (id, exchange) in [("A", 1), ("A", 4), ("B", 4), ("B", 3), ("C", 2), ("G", 2), ("R", 2)]
        {
            cite(&mut judge, id, exchange);
        }
        let transcript = transcript(4);
        let card =
            scorecard(&rubric, &transcript, &BTreeMap::new(), &[judge], Aggregation::Strictest);
        let all = offers(&card, &rubric, &transcript);
        let of_reply = |r: &FailedReply| format!("{} {}", r.exchange, r.criteria.join(" "));
        let line = |o: &Offer| o.replies.iter().map(of_reply).collect::<Vec<_>>().join(", ");
        assert_eq!(all.iter().map(line).collect::<Vec<_>>(), ["1 A, 3 B, 4 A B", "2 C"]);
        assert_eq!(all[0].replies[0].failures[0], "- A (j) on “Answer”: so it is");
        assert_eq!(
            (all[0].place().as_str(), all[1].place().as_str()),
            ("exchanges 1, 3, 4", "exchange 2")
        );
        assert_eq!(all[0].criteria(), ["A", "B"]);
        let part = all[0].only("B").unwrap();
        assert_eq!((part.exchanges(), part.criteria()), (vec![3, 4], vec!["B".to_owned()]));
        assert_eq!(part.replies[1].failures, ["- B (j) on “Answer”: so it is"]);
        assert_eq!(all[0].only("C"), None);
    }
}
