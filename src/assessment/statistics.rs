//! Answers over many transcripts, counted per criterion: how often it fails, and
//! how often the judges agree.
//!
//! Invariant: an unscored outcome counts nowhere: it is neither a failure nor a
//! pass, and nobody agrees or disagrees with it.

use crate::rubric::Criterion;

use super::Mark;

/// What became of one criterion over many transcripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Transcripts with an answer.
    pub answered: usize,
    /// Of these, transcripts that fail it, by any judge.
    pub failed: usize,
    /// Transcripts that two judges or more have answered.
    pub compared: usize,
    /// Of these, transcripts about which all who answered say the same.
    pub agreed: usize,
}

impl Counted {
    /// Counts one more transcript, by what each judge said of it.
    pub fn note(&mut self, criterion: &Criterion, marks: impl IntoIterator<Item = Mark>) {
        let marks = marks.into_iter().filter(|mark| *mark != Mark::Unscored);
        let marks: Vec<Mark> = marks.collect();
        let Some(first) = marks.first() else { return };
        self.answered += 1;
        self.failed += usize::from(marks.iter().any(|mark| mark.fails(criterion)));
        self.compared += usize::from(marks.len() > 1);
        let same = marks.len() > 1 && marks.iter().all(|mark| mark == first);
        self.agreed += usize::from(same);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::criterion;
    use super::*;

    #[test]
    fn unscored_counts_nowhere() {
        let question = criterion("A");
        let mut counted = Counted::default();
        for marks in [
            &[][..],
            &[Mark::Unscored, Mark::Unscored],
            &[Mark::Unscored, Mark::No],
            &[Mark::Yes, Mark::Yes, Mark::Unscored],
            &[Mark::Yes, Mark::No],
        ] {
            counted.note(&question, marks.iter().copied());
        }
        assert_eq!(counted, Counted { answered: 3, failed: 2, compared: 2, agreed: 1 });
    }
}
