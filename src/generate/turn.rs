//! What one message of the user is to be like.
//!
//! Invariant: flaws are rolled for each message, so that a persona with flaws shows
//! them in some messages and not in others (WR28); the first message answers nothing,
//! so no way of answering is rolled for it.

use super::persona::{Level, Persona};
use super::recipe::{Choice, Recipe};

/// Where a conversation is (WR27).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a quarter of the exchanges.
    Early,
    /// Before three quarters of them.
    Middle,
    /// The rest.
    Late,
}

/// What a message is to be like.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The exchange, from 1.
    pub number: usize,
    /// Where the conversation is.
    pub stage: Stage,
    /// What the message may be about.
    pub guidance: Option<String>,
    /// How it takes up the last reply.
    pub response: Option<Choice>,
    /// The flaws that show in it.
    pub flaws: Vec<Choice>,
}

impl Stage {
    /// The name in records and prompts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Middle => "middle",
            Self::Late => "late",
        }
    }

    fn of(number: usize, exchanges: usize) -> Self {
        let before = number.saturating_sub(1) * 4;
        if before < exchanges {
            Self::Early
        } else if before < exchanges * 3 {
            Self::Middle
        } else {
            Self::Late
        }
    }
}

/// The turn of an exchange, from 1.
#[must_use]
pub fn turn(recipe: &Recipe, persona: &Persona, number: usize) -> Turn {
    let rolls = persona.rolls;
    let stage = Stage::of(number, persona.exchanges);
    let pool = match stage {
        Stage::Early => &recipe.stages.early,
        Stage::Middle => &recipe.stages.middle,
        Stage::Late => &recipe.stages.late,
    };
    let shows = |(level, flaw): &&(Level, Choice)| {
        let share = match level {
            Level::Primary => recipe.flaws.primary,
            Level::Secondary => recipe.flaws.secondary,
        };
        rolls.chance(&format!("exchange {number} flaw {}", flaw.name), share)
    };
    let response =
        || rolls.pick(&format!("exchange {number} response"), &recipe.responses, |r| r.weight);
    Turn {
        number,
        stage,
        guidance: rolls.pick(&format!("exchange {number} guidance"), pool, |_| 1.0).cloned(),
        response: if number > 1 { response().cloned() } else { None },
        flaws: persona.flaws.iter().filter(shows).map(|(_, flaw)| flaw.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_quarter_is_early_and_a_quarter_is_late() {
        let stages = |n: usize| -> String {
            (1..=n).map(|i| &Stage::of(i, n).name()[..1]).collect::<Vec<_>>().concat()
        };
        let all: Vec<String> = [1, 2, 3, 4, 5, 8, 15].into_iter().map(stages).collect();
        expect!["e em emm emml eemml eemmmmll eeeemmmmmmmmlll"].assert_eq(&all.join(" "));
    }
}
