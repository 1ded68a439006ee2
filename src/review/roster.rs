//! All transcripts of a project as review sees them: small enough to keep, enough
//! to answer the gate, how far judges can be trusted, and what to read next
//! without reading a transcript again.
//!
//! Invariant: what people said is laid over it when it is asked, so a new record
//! shows at once; only a mark on the text and the wording that a judge answered
//! counts for or against the judge.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::assessment::trust::Confusion;
use crate::assessment::{JudgeOutcomes, Scorecard, Standing};
use crate::fixup::preference::Lineage;
use crate::rubric::{Rubric, Verdict, digest};
use crate::transcript::TranscriptDigest;

use super::census::{Beside, Census, Facts};
use super::log::{Bound, Log};
use super::next::Reason;
use super::warnings::Sample;

/// The transcripts of a project.
#[derive(Debug, Default)]
pub struct Roster {
    /// The digest of the rubric in force, in hex.
    pub rubric_digest: String,
    judges: Vec<String>,
    /// Ids and wordings of the questions, in rubric order.
    questions: Vec<(String, String)>,
    /// The transcripts, in the order of the files.
    pub entries: Vec<Entry>,
}

/// One transcript.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: Arc<str>,
    /// Its batch.
    pub batch: Arc<str>,
    /// The digest of its text.
    pub digest: TranscriptDigest,
    /// How it stands.
    pub standing: Standing,
    /// What warnings are told by.
    pub sample: Sample,
    /// Why to read it.
    pub reason: Reason,
    /// Which file it is in.
    pub file: usize,
    /// The line its record starts on, from 1.
    pub line: usize,
    /// What each judge said of each question.
    answers: Box<[Option<Verdict>]>,
}

/// People's marks beside one judge's answers to one criterion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// The criterion.
    pub criterion: String,
    /// The judge.
    pub judge: String,
    /// How often judge and human said what.
    pub confusion: Confusion,
    /// Answers of the judge that are YES.
    pub passed: usize,
    /// Answers that are YES or NO.
    pub judged: usize,
}

/// What a transcript is, beside what was said of it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its id.
    pub id: &'a str,
    /// The batch that its record names.
    pub batch: Option<&'a str>,
    /// The digest of its text.
    pub digest: TranscriptDigest,
    /// Which file it is in.
    pub file: usize,
    /// The line its record starts on, from 1.
    pub line: usize,
}

impl Roster {
    /// Nothing yet, of a project with these judges.
    #[must_use]
    pub fn new(rubric: &Rubric, judges: impl IntoIterator<Item = String>) -> Self {
        let questions = rubric.criteria.iter().filter(|c| c.is_question());
        let wording = |c: &crate::rubric::Criterion| digest::hex(&digest::criterion(c));
        Self {
            rubric_digest: digest::hex(&digest::rubric(rubric)),
            judges: judges.into_iter().collect(),
            questions: questions.map(|c| (c.id.clone(), wording(c))).collect(),
            entries: Vec::new(),
        }
    }

    /// Adds a transcript and what the judges said of it.
    pub fn add(&mut self, about: About<'_>, card: &Scorecard, said: &[JudgeOutcomes]) {
        let of = |judge: &String| said.iter().find(|one| one.judge == *judge);
        let answer =
            |judge: &String, id: &String| Some(of(judge)?.outcomes.get(id)?.answer()?.verdict);
        let Self { judges, questions, .. } = &*self;
        let answers = judges
            .iter()
            .flat_map(|judge| questions.iter().map(move |(id, _)| answer(judge, id)))
            .collect();
        self.entries.push(Entry {
            id: about.id.into(),
            batch: about.batch.unwrap_or_default().into(),
            digest: about.digest,
            standing: card.standing,
            sample: Sample::of(card),
            reason: Reason::of_card(card),
            file: about.file,
            line: about.line,
            answers,
        });
    }

    /// Names the batches of transcripts that name none; `name` is told the file and
    /// how many transcripts it has.
    pub fn name_batches(&mut self, name: impl Fn(usize, usize) -> Option<String>) {
        let mut sizes: HashMap<usize, usize> = HashMap::new();
        for entry in &self.entries {
            *sizes.entry(entry.file).or_default() += 1;
        }
        let names: HashMap<usize, Arc<str>> = sizes
            .into_iter()
            .map(|(file, size)| (file, name(file, size).unwrap_or_default().into()))
            .collect();
        for entry in self.entries.iter_mut().filter(|entry| entry.batch.is_empty()) {
            if let Some(name) = names.get(&entry.file) {
                entry.batch = Arc::clone(name);
            }
        }
    }

    /// The gates of all batches, each with what is worth knowing beside it.
    #[must_use]
    pub fn census(&self, log: &Log, rubric: &Rubric, lineage: &Lineage<'_>) -> Census {
        let facts = self.entries.iter().map(|entry| Facts {
            id: &entry.id,
            batch: &entry.batch,
            digest: entry.digest,
            standing: entry.standing,
            sample: entry.sample,
        });
        Census::of(facts, Beside { log, rubric, rubric_digest: &self.rubric_digest, lineage })
    }

    /// What people's marks say of every judge, criterion by criterion in rubric
    /// order; what nobody marked is left out.
    #[must_use]
    pub fn marked(&self, log: &Log) -> Vec<Marked> {
        let mut pairs: HashMap<(usize, usize), Vec<(Verdict, Verdict)>> = HashMap::new();
        for entry in &self.entries {
            let digest = entry.digest.to_string();
            for mark in log.marks(self.bound(entry, &digest), &|id| self.wording(id)) {
                let Some(question) = self.questions.iter().position(|q| q.0 == mark.criterion)
                else {
                    continue;
                };
                for judge in 0..self.judges.len() {
                    if let Some(said) = self.said(entry, judge, question) {
                        pairs.entry((question, judge)).or_default().push((said, mark.human));
                    }
                }
            }
        }
        let each = (0..self.questions.len())
            .flat_map(|question| (0..self.judges.len()).map(move |judge| (question, judge)));
        each.filter_map(|key| pairs.remove(&key).map(|pairs| self.beside(key, pairs))).collect()
    }

    /// By criterion: transcripts about which people answered it, when the text or the
    /// wording was another one.
    #[must_use]
    pub fn stale_marks(&self, log: &Log) -> BTreeMap<String, usize> {
        let mut stale = BTreeMap::new();
        for entry in &self.entries {
            let digest = entry.digest.to_string();
            for id in log.stale_marks(self.bound(entry, &digest), &|id| self.wording(id)) {
                *stale.entry(id.to_owned()).or_default() += 1;
            }
        }
        stale
    }

    /// The digest of a question as it is worded now, in hex.
    fn wording(&self, id: &str) -> Option<String> {
        self.questions.iter().find(|(own, _)| own == id).map(|(_, wording)| wording.clone())
    }

    /// How many answers judges gave to a criterion as it is worded.
    #[must_use]
    pub fn answers(&self, criterion: &str) -> usize {
        let Some(question) = self.questions.iter().position(|q| q.0 == criterion) else { return 0 };
        let of = |entry: &Entry| {
            (0..self.judges.len())
                .filter(|&judge| self.said(entry, judge, question).is_some())
                .count()
        };
        self.entries.iter().map(of).sum()
    }

    fn beside(&self, (question, judge): (usize, usize), pairs: Vec<(Verdict, Verdict)>) -> Marked {
        let said = || self.entries.iter().filter_map(|entry| self.said(entry, judge, question));
        Marked {
            criterion: self.questions[question].0.clone(),
            judge: self.judges[judge].clone(),
            confusion: Confusion::of(pairs),
            passed: said().filter(|verdict| *verdict == Verdict::Yes).count(),
            judged: said().filter(|verdict| *verdict != Verdict::Na).count(),
        }
    }

    fn said(&self, entry: &Entry, judge: usize, question: usize) -> Option<Verdict> {
        *entry.answers.get(judge * self.questions.len() + question)?
    }

    fn bound<'a>(&'a self, entry: &'a Entry, digest: &'a str) -> Bound<'a> {
        Bound { transcript: &entry.id, digest, rubric: &self.rubric_digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{criterion, rubric, said, transcript};
    use crate::assessment::scorecard;
    use crate::config::Aggregation;
    use crate::review::{Decision, batch};

    /// Transcripts of one batch; what the judges `one` and `two` say of each.
    fn roster(answers: &[[&str; 2]]) -> (Rubric, Roster) {
        let rubric = rubric(["A", "B"].map(criterion).to_vec());
        let mut roster = Roster::new(&rubric, ["one".to_owned(), "two".to_owned()]);
        for (number, [one, two]) in answers.iter().enumerate() {
            let said = [said("one", one), said("two", two)];
            let checks = BTreeMap::new();
            let card = scorecard(&rubric, &transcript(3), &checks, &said, Aggregation::Strictest);
            let byte = u8::try_from(number).unwrap();
            let id = format!("t{number}");
            let digest = TranscriptDigest([byte; 32]);
            roster.add(About { id: &id, batch: None, digest, file: 0, line: 1 }, &card, &said);
        }
        roster.name_batches(|_, _| Some("b".into()));
        (rubric, roster)
    }

    fn record(roster: &Roster, entry: usize, rest: &str) -> String {
        let Entry { id, digest, .. } = &roster.entries[entry];
        let rubric = &roster.rubric_digest;
        format!(
            r#"{{"id":"{entry}{}","at":"2026-11-24T10:00:00Z","by":"A","transcript":"{id}","transcript_digest":"{digest}","rubric_digest":"{rubric}",{rest}}}"#,
            rest.len()
        )
    }

    #[test]
    fn a_record_opens_the_gate_without_reading_anything_again() {
        let yes = "A=YES B=YES";
        let (rubric_in_force, roster) = roster(&[[yes, yes], [yes, yes]]);
        let mut lines = vec![record(&roster, 0, r#""kind":"accept""#)];
        let gates = |lines: &[String]| {
            let log = Log::read(&lines.join("\n"));
            roster.census(&log, &rubric_in_force, &Lineage::of(&[])).gates
        };
        assert_eq!(
            gates(&lines)[0].0.missing,
            ["1 of 2 unreviewed: t1", "not declared satisfactory"]
        );
        lines.push(record(&roster, 1, r#""kind":"reject""#));
        let digest = batch::digest(roster.entries.iter().map(|e| e.digest));
        let rubric = &roster.rubric_digest;
        lines.push(format!(
            r#"{{"id":"s","at":"2026-11-24T10:00:00Z","by":"A","kind":"satisfactory","batch":"b","transcript_digest":"{digest}","rubric_digest":"{rubric}"}}"#
        ));
        assert_eq!(gates(&lines)[0].0.decision, Decision::Scale);
    }

    #[test]
    fn marks_stand_beside_the_answers_they_are_about() {
        let (_, roster) = roster(&[
            ["A=NO B=YES", "A=YES B=YES"],
            ["A=YES B=YES", "A=YES B=NO"],
            ["A=NA B=YES", "B=YES"],
        ]);
        let mark = |entry, human: &str| {
            record(
                &roster,
                entry,
                &format!(r#""kind":"verdict","criterion":"A","human":"{human}""#),
            )
        };
        let log = Log::read(&[mark(0, "NO"), mark(1, "NO"), mark(2, "YES")].join("\n"));
        let counts = |both_no, judge_no, human_no, both_yes| Confusion {
            both_no,
            judge_no,
            human_no,
            both_yes,
        };
        let of = |judge: &str, confusion, passed, judged| Marked {
            criterion: "A".into(),
            judge: judge.into(),
            confusion,
            passed,
            judged,
        };
        assert_eq!(
            roster.marked(&log),
            [of("one", counts(1, 0, 1, 0), 1, 2), of("two", counts(0, 0, 2, 0), 2, 2)]
        );
        assert_eq!((roster.answers("A"), roster.answers("B"), roster.answers("C")), (5, 6, 0));
    }
}
