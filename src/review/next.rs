//! Which transcript to read next: the one whose reading tells most (SPEC 8).
//!
//! Disagreement first, then scores close to the threshold, then perfect ones
//! (suspicious: WR21), then whatever nobody has read.

use crate::assessment::{Scorecard, Standing};

use super::log::Review;

/// A score this close to the threshold could have gone either way.
const CLOSE: f64 = 0.05;

/// Why a transcript is worth reading now, most telling first.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Reason {
    /// The judges disagree; the spread of their scores.
    Disagreement(f64),
    /// The score is this far from the threshold.
    CloseToThreshold(f64),
    /// The score is 1.0.
    Perfect,
    /// It was read before it changed.
    Changed,
    /// Nobody has read it.
    Unread,
}

impl Reason {
    /// Why to read a transcript; `None` when it was read as it stands.
    #[must_use]
    pub fn of(card: &Scorecard, review: Review<'_>) -> Option<Self> {
        Self::of_card(card).given(review)
    }

    /// Why to read a transcript that nobody has read.
    #[must_use]
    pub fn of_card(card: &Scorecard) -> Self {
        let distance = card.score.map(|score| (score - card.threshold).abs());
        match distance {
            _ if card.disagreement() => Self::Disagreement(card.spread.unwrap_or(0.0)),
            Some(distance) if distance <= CLOSE + 1e-9 => Self::CloseToThreshold(distance),
            _ if is_perfect(card) => Self::Perfect,
            _ => Self::Unread,
        }
    }

    /// The same, given what people said of it; `None` when it was read as it stands.
    #[must_use]
    pub fn given(self, review: Review<'_>) -> Option<Self> {
        match (self, review) {
            (_, Review::Accepted(_) | Review::Rejected(_)) => None,
            (Self::Unread, Review::Stale(_)) => Some(Self::Changed),
            (reason, _) => Some(reason),
        }
    }

    /// Sorts the most telling first.
    #[must_use]
    pub fn order(self) -> (u8, f64) {
        match self {
            Self::Disagreement(spread) => (0, -spread),
            Self::CloseToThreshold(distance) => (1, distance),
            Self::Perfect => (2, 0.0),
            Self::Changed => (3, 0.0),
            Self::Unread => (4, 0.0),
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Disagreement(spread) => format!("the judges disagree ({spread:.2} apart)"),
            Self::CloseToThreshold(distance) => format!("{distance:.2} from the threshold"),
            Self::Perfect => "a perfect score: is the rubric strict enough?".into(),
            Self::Changed => "changed since its review".into(),
            Self::Unread => "unreviewed".into(),
        }
    }
}

/// A pass at 1.0 is a reason to look, not to cheer.
#[must_use]
pub fn is_perfect(card: &Scorecard) -> bool {
    card.standing == Standing::Passed && card.score.is_some_and(|score| score > 1.0 - 1e-9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::assessment::sample::{criterion, rubric, said, transcript};
    use crate::assessment::scorecard;
    use crate::config::Aggregation;

    fn reason(judges: &[&str]) -> Reason {
        let rubric = rubric(["A", "B", "C", "D", "E"].map(criterion).to_vec());
        let said: Vec<_> = judges.iter().map(|answers| said(answers, answers)).collect();
        let checks = BTreeMap::new();
        let card = scorecard(&rubric, &transcript(3), &checks, &said, Aggregation::Strictest);
        Reason::of(&card, Review::None).expect("nobody has read it")
    }

    #[test]
    fn the_most_telling_comes_first() {
        let all = [
            reason(&["A=YES B=YES C=YES D=YES E=NO", "A=YES B=YES C=YES D=YES E=YES"]),
            reason(&["A=YES B=YES C=YES D=YES E=NO"]),
            reason(&["A=YES B=YES C=YES D=YES E=YES"]),
            reason(&["A=NO B=NO C=NO D=NO E=NO"]),
        ];
        let words: Vec<String> = all.iter().map(|r| r.words()).collect();
        assert_eq!(
            words,
            [
                "the judges disagree (0.20 apart)",
                "0.00 from the threshold",
                "a perfect score: is the rubric strict enough?",
                "unreviewed",
            ]
        );
        assert!(all.windows(2).all(|pair| pair[0].order() < pair[1].order()));
    }
}
