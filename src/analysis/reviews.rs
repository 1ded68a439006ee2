//! What people said, as it is shown: a word in a lens, lines in a hover.
//!
//! Invariant: what was said of another text, wording or rubric is shown as stale and
//! never as if it held. Notes are data: escaped like everything people wrote.

use super::hover::escape;
use crate::review::{Bound, Log, Record, Review};
use crate::rubric::{Rubric, digest};

/// What people said in a project, and the rubric in force.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed<'a> {
    /// All records.
    pub log: &'a Log,
    /// The criteria.
    pub rubric: &'a Rubric,
    /// The digest of the rubric, in hex.
    pub rubric_digest: &'a str,
}

impl<'a> Reviewed<'a> {
    /// What was said of a transcript.
    #[must_use]
    pub fn of(&self, transcript: &str, digest: &str) -> Review<'a> {
        self.log.review(Bound { transcript, digest, rubric: self.rubric_digest })
    }

    /// A line for the hover of a transcript; nothing where nobody has read it.
    #[must_use]
    pub fn about(&self, transcript: &str, digest: &str) -> Option<String> {
        let (word, record) = match self.of(transcript, digest) {
            Review::None => return None,
            Review::Accepted(record) => ("accepted", record),
            Review::Rejected(record) => ("rejected", record),
            Review::Stale(record) => {
                let word = record.kind.name();
                let text = signed(&format!("{word}ed"), record);
                return Some(format!("{text} *(stale: the text or the rubric has changed)*"));
            }
        };
        Some(signed(word, record))
    }

    /// Lines for the hover of a finding: what people said the answer is.
    #[must_use]
    pub fn marks(&self, transcript: &str, digest: &str, criterion: &str) -> Vec<String> {
        let wording = |id: &str| Some(digest::hex(&digest::criterion(self.rubric.criterion(id)?)));
        let now = Bound { transcript, digest, rubric: self.rubric_digest };
        let said = self.log.remarks(now, criterion, &wording);
        let line = |(record, holds): (&Record, bool)| {
            let word = match record.human {
                Some(human) => format!("the answer is {}", human.name()),
                None => "noted".to_owned(),
            };
            let stale = if holds { "" } else { " *(stale: of an earlier text or wording)*" };
            format!("- {}{stale}", signed(&word, record))
        };
        said.into_iter().map(line).collect()
    }
}

/// The word for a lens; nothing where nobody has read it.
#[must_use]
pub const fn word(review: Review<'_>) -> Option<&'static str> {
    match review {
        Review::None => None,
        Review::Stale(_) => Some("review stale"),
        Review::Accepted(_) => Some("accepted"),
        Review::Rejected(_) => Some("rejected"),
    }
}

/// `accepted by Ada on 2026-11-24: It is kind.`
fn signed(word: &str, record: &Record) -> String {
    let day = record.at.get(..10).unwrap_or(&record.at);
    let note = record.note.as_deref().filter(|note| !note.trim().is_empty());
    let note = note.map_or_else(String::new, |note| format!(": {}", escape(note)));
    format!("{word} by {} on {}{note}", escape(&record.by), escape(day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse;
    use expect_test::expect;

    const RUBRIC: &str =
        "categories:\n  a: {weight: 1.0, criteria: [A]}\ncriteria:\n  A: {question: Is it kind?}\n";

    #[test]
    fn what_holds_and_what_is_stale_are_told_apart() {
        let line = |id: &str, rest: &str| {
            format!(
                r#"{{"id":"{id}","at":"2026-11-24T10:00:0{id}Z","by":"*Ada*","transcript":"t","rubric_digest":"R",{rest}}}"#
            )
        };
        let lines = [
            line("1", r#""kind":"accept","transcript_digest":"D","note":"[x](http://y)""#),
            line("2", r#""kind":"verdict","criterion":"A","transcript_digest":"D","human":"NO""#),
            line("3", r#""kind":"verdict","criterion":"A","transcript_digest":"E","note":"why?""#),
        ];
        let log = Log::read(&lines.join("\n"));
        let rubric = parse::parse(RUBRIC).rubric.unwrap();
        let reviewed = Reviewed { log: &log, rubric: &rubric, rubric_digest: "R" };
        let mut all = vec![reviewed.about("t", "D").unwrap(), reviewed.about("t", "E").unwrap()];
        all.extend(reviewed.marks("t", "D", "A"));
        expect![[r"
            accepted by \*Ada\* on 2026-11-24: \[x\](http\://y)
            accepted by \*Ada\* on 2026-11-24: \[x\](http\://y) *(stale: the text or the rubric has changed)*
            - the answer is NO by \*Ada\* on 2026-11-24
            - noted by \*Ada\* on 2026-11-24: why? *(stale: of an earlier text or wording)*"]]
        .assert_eq(&all.join("\n"));
        assert_eq!(word(reviewed.of("t", "D")), Some("accepted"));
        assert_eq!(word(reviewed.of("t", "E")), Some("review stale"));
        assert_eq!((word(reviewed.of("u", "E")), reviewed.about("u", "E")), (None, None));
    }
}
