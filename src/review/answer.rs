//! Which human answer "the judge is right" or "wrong" stands for.
//!
//! Invariant: what is ambiguous is asked back, never guessed: a record always says
//! what the answer should have been.

use crate::rubric::Verdict;

/// Why a mark does not say what the answer should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// The named answer is what was answered, so it cannot be wrong.
    Same,
    /// No judge gave the named answer, so it cannot be right.
    Unsaid,
    /// No judge has answered.
    Unanswered,
    /// NA is wrong in favour of YES or of NO.
    Instead,
    /// The judges differ.
    Differ,
}

/// The human answer that a mark stands for. `said` are the different verdicts that
/// were given, `answer` is what the human names, where they name it.
///
/// # Errors
/// When several answers may be meant, or none can be.
pub fn human(said: &[Verdict], right: bool, answer: Option<Verdict>) -> Result<Verdict, Unclear> {
    match (said, right, answer) {
        (_, false, Some(answer)) if said == [answer] => Err(Unclear::Same),
        (_, true, Some(answer)) if !said.contains(&answer) && !said.is_empty() => {
            Err(Unclear::Unsaid)
        }
        (_, _, Some(answer)) => Ok(answer),
        ([], ..) => Err(Unclear::Unanswered),
        ([one], true, None) => Ok(*one),
        ([Verdict::Yes], false, None) => Ok(Verdict::No),
        ([Verdict::No], false, None) => Ok(Verdict::Yes),
        ([_], false, None) => Err(Unclear::Instead),
        _ => Err(Unclear::Differ),
    }
}
