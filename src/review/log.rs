//! All review records of a project, and what holds now.
//!
//! Invariant: of several records about one thing the one with the latest time
//! counts, wherever it stands in the file (a merge shuffles lines), and of equal
//! times the later line. A line that is none is a problem and costs only itself.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use crate::rubric::Verdict;

use super::record::{Kind, Record};

/// The records of a file, earliest first.
#[derive(Clone, Debug, Default)]
pub struct Log {
    records: Vec<Record>,
    /// Records by the transcript's id, and by the digest of its text, in order.
    by_id: HashMap<String, Vec<usize>>,
    by_digest: HashMap<String, Vec<usize>>,
    /// Lines that are no records, from 1, and why.
    pub problems: Vec<(usize, String)>,
}

/// What a transcript is bound to now.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// Its id.
    pub transcript: &'a str,
    /// The digest of its text, in hex.
    pub digest: &'a str,
    /// The digest of the rubric, in hex.
    pub rubric: &'a str,
}

/// What people said of a transcript.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Review<'a> {
    /// Nobody has read it.
    None,
    /// It was read, and the text or the rubric has changed since.
    Stale(&'a Record),
    /// It is good.
    Accepted(&'a Record),
    /// It is not.
    Rejected(&'a Record),
}

impl Review<'_> {
    /// True when it was read as it stands.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Rejected(_))
    }

    /// The word for it in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "unreviewed",
            Self::Stale(_) => "stale",
            Self::Accepted(_) => "accepted",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// A human answer to a criterion about a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark<'a> {
    /// The criterion.
    pub criterion: &'a str,
    /// What the answer should be.
    pub human: Verdict,
    /// The record that says so.
    pub record: &'a Record,
}

/// Whether a batch was declared satisfactory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Satisfaction {
    /// No.
    Undeclared,
    /// It was, and the batch or the rubric has changed since.
    Stale,
    /// Yes.
    Declared,
}

impl Log {
    /// Reads the text of a reviews file.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut log = Self::default();
        let mut dated: Vec<(Timestamp, Record)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (index, line) in text.split('\n').enumerate() {
            let line = line.trim_matches(['\u{feff}', '\r', ' ', '\t']);
            if line.is_empty() {
                continue;
            }
            match dated_record(line) {
                Ok(one) => match places.get(&one.1.id) {
                    // A merge may leave one record on two lines.
                    Some(&place) => dated[place] = one,
                    None => {
                        places.insert(one.1.id.clone(), dated.len());
                        dated.push(one);
                    }
                },
                Err(why) => log.problems.push((index + 1, why)),
            }
        }
        dated.sort_by_key(|(at, _)| *at);
        let withdrawn: HashSet<String> =
            dated.iter().filter_map(|(_, record)| record.withdraws.clone()).collect();
        dated.retain(|(_, one)| one.kind != Kind::Withdraw && !withdrawn.contains(&one.id));
        log.records = dated.into_iter().map(|(_, record)| record).collect();
        for (index, record) in log.records.iter().enumerate() {
            for (name, places) in [
                (&record.transcript, &mut log.by_id),
                (&record.transcript_digest, &mut log.by_digest),
            ] {
                if let Some(name) = name {
                    places.entry(name.clone()).or_default().push(index);
                }
            }
        }
        log
    }

    /// The records about a text, or about its id, earliest first.
    fn about(&self, now: Bound<'_>) -> impl DoubleEndedIterator<Item = &Record> {
        let known = |places: &HashMap<String, Vec<usize>>, name| {
            places.get(name).cloned().unwrap_or_default()
        };
        let mut all = known(&self.by_digest, now.digest);
        all.extend(known(&self.by_id, now.transcript));
        all.sort_unstable();
        all.dedup();
        all.into_iter().map(|index| &self.records[index])
    }

    /// All records, earliest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// What was said of a transcript: of its text under any id, else of its id.
    #[must_use]
    pub fn review(&self, now: Bound<'_>) -> Review<'_> {
        let decides = |r: &&Record| matches!(r.kind, Kind::Accept | Kind::Reject);
        let fits = |r: &&&Record| {
            is(r.transcript_digest.as_ref(), now.digest) && r.rubric_digest == now.rubric
        };
        let all: Vec<&Record> = self.about(now).filter(decides).collect();
        match (all.iter().rfind(fits), all.last()) {
            (Some(record), _) if record.kind == Kind::Accept => Review::Accepted(record),
            (Some(record), _) => Review::Rejected(record),
            (None, Some(record)) => Review::Stale(record),
            (None, None) => Review::None,
        }
    }

    /// The human answers that hold for a text, one a criterion. `wording` gives the
    /// digest, in hex, of a criterion as it is worded now.
    #[must_use]
    pub fn marks<'a>(
        &'a self,
        now: Bound<'_>,
        wording: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Mark<'a>> {
        let mut marks: Vec<Mark<'a>> = Vec::new();
        for record in self.verdicts(now) {
            let (Some(criterion), Some(human)) = (record.criterion.as_deref(), record.human) else {
                continue;
            };
            if !Self::holds(record, now, wording) {
                continue;
            }
            marks.retain(|mark| mark.criterion != criterion);
            marks.push(Mark { criterion, human, record });
        }
        marks
    }

    /// The criteria that people gave an answer to about this transcript, of which none
    /// holds any more: the text or the wording has changed since.
    #[must_use]
    pub fn stale_marks<'a>(
        &'a self,
        now: Bound<'_>,
        wording: &dyn Fn(&str) -> Option<String>,
    ) -> BTreeSet<&'a str> {
        let (mut held, mut stale) = (BTreeSet::new(), BTreeSet::new());
        for record in self.verdicts(now).filter(|record| record.human.is_some()) {
            let Some(criterion) = record.criterion.as_deref() else { continue };
            let side = if Self::holds(record, now, wording) { &mut held } else { &mut stale };
            side.insert(criterion);
        }
        stale.difference(&held).copied().collect()
    }

    /// What people said of the verdicts on a criterion about a transcript, also of an
    /// earlier text or wording of it, earliest first; true where it still holds.
    #[must_use]
    pub fn remarks<'a>(
        &'a self,
        now: Bound<'_>,
        criterion: &str,
        wording: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<(&'a Record, bool)> {
        let of = |r: &&Record| is(r.criterion.as_ref(), criterion);
        self.verdicts(now).filter(of).map(|r| (r, Self::holds(r, now, wording))).collect()
    }

    fn verdicts(&self, now: Bound<'_>) -> impl Iterator<Item = &Record> {
        self.about(now).filter(|r| r.kind == Kind::Verdict)
    }

    /// True when a record about a verdict is of this text and of the criterion as it
    /// is worded now.
    fn holds(record: &Record, now: Bound<'_>, wording: &dyn Fn(&str) -> Option<String>) -> bool {
        let worded = match (&record.criterion_digest, &record.criterion) {
            (Some(digest), Some(criterion)) => wording(criterion).as_ref() == Some(digest),
            _ => record.rubric_digest == now.rubric,
        };
        worded && is(record.transcript_digest.as_ref(), now.digest)
    }

    /// Whether this batch was declared satisfactory as it is.
    #[must_use]
    pub fn satisfaction(&self, batch: &str, digest: &str, rubric: &str) -> Satisfaction {
        let of_batch = |r: &&Record| r.kind == Kind::Satisfactory && is(r.batch.as_ref(), batch);
        let fits =
            |r: &Record| is(r.transcript_digest.as_ref(), digest) && r.rubric_digest == rubric;
        match self.records.iter().rfind(of_batch) {
            None => Satisfaction::Undeclared,
            Some(_) if self.records.iter().filter(of_batch).any(fits) => Satisfaction::Declared,
            Some(_) => Satisfaction::Stale,
        }
    }

    /// Criteria that people missed, earliest first.
    pub fn missing(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|r| r.kind == Kind::Missing)
    }
}

fn is(found: Option<&String>, wanted: &str) -> bool {
    found.is_some_and(|found| found == wanted)
}

fn dated_record(line: &str) -> Result<(Timestamp, Record), String> {
    let record = Record::parse(line).map_err(|e| e.to_string())?;
    let at = record
        .at
        .parse::<Timestamp>()
        .map_err(|_| format!("`at` is `{}`, not a time as in 2026-11-24T10:00:00Z", record.at))?;
    Ok((at, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, at: &str, kind: &str, rest: &str) -> String {
        format!(
            r#"{{"id":"{id}","at":"2026-11-24T{at}","by":"A","kind":"{kind}","rubric_digest":"R",{rest}}}"#
        )
    }

    const T1: &str = r#""transcript":"t1","transcript_digest":"D1""#;
    const NOW: Bound<'_> = Bound { transcript: "t1", digest: "D1", rubric: "R" };

    fn read(lines: &[String]) -> Log {
        Log::read(&lines.join("\n"))
    }

    #[test]
    fn the_latest_time_wins_wherever_its_line_stands() {
        let early = line("a", "10:00:00.5Z", "accept", T1);
        let late = line("b", "12:30:00+02:00", "reject", T1);
        for lines in [[early.clone(), late.clone()], [late, early]] {
            assert_eq!(read(&lines).review(NOW).name(), "rejected");
        }
        let same = [line("a", "10:00:00Z", "accept", T1), line("b", "10:00:00Z", "reject", T1)];
        assert_eq!(read(&same).review(NOW).name(), "rejected", "of equal times the later line");
    }

    #[test]
    fn another_text_or_rubric_makes_it_stale_and_undo_brings_it_back() {
        let log = read(&[line("a", "10:00:00Z", "accept", T1)]);
        assert_eq!(log.review(NOW).name(), "accepted");
        assert_eq!(log.review(Bound { digest: "D2", ..NOW }).name(), "stale");
        assert_eq!(log.review(Bound { rubric: "R2", ..NOW }).name(), "stale");
        assert_eq!(log.review(Bound { transcript: "renamed", ..NOW }).name(), "accepted");
        let other = Bound { transcript: "t2", digest: "D9", rubric: "R" };
        assert_eq!(log.review(other).name(), "unreviewed");
        let newer =
            line("b", "11:00:00Z", "reject", r#""transcript":"t1","transcript_digest":"D2""#);
        let log = read(&[line("a", "10:00:00Z", "accept", T1), newer]);
        assert_eq!(log.review(NOW).name(), "accepted", "what was said of this very text");
    }

    #[test]
    fn a_merge_that_doubles_or_breaks_lines_costs_nothing_else() {
        let text = [
            line("a", "10:00:00Z", "accept", T1),
            "<<<<<<< ours".to_owned(),
            line("a", "10:00:00Z", "accept", T1),
            line("b", "yesterday", "reject", T1),
        ];
        let log = Log::read(&format!("\u{feff}{}\r\n\n", text.join("\r\n")));
        assert_eq!(log.records().len(), 1);
        let lines: Vec<usize> = log.problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 4]);
        assert!(log.problems[1].1.contains("yesterday"), "{:?}", log.problems);
    }

    #[test]
    fn a_mark_stays_while_its_criterion_is_worded_so() {
        let mark = |id: &str, at: &str, human: &str| {
            let rest = format!(r#"{T1},"criterion":"A","criterion_digest":"w1","human":"{human}""#);
            line(id, at, "verdict", &rest)
        };
        let log = read(&[mark("a", "10:00:00Z", "YES"), mark("b", "11:00:00Z", "NO")]);
        let wording = |_: &str| Some("w1".to_owned());
        let elsewhere = Bound { rubric: "R2", ..NOW };
        let marks = log.marks(elsewhere, &wording);
        assert_eq!(
            marks.iter().map(|m| (m.criterion, m.human)).collect::<Vec<_>>(),
            [("A", Verdict::No)]
        );
        assert!(log.marks(NOW, &|_| Some("w2".to_owned())).is_empty(), "reworded");
        assert!(log.marks(Bound { digest: "D2", ..NOW }, &wording).is_empty(), "edited");
    }

    #[test]
    fn what_was_withdrawn_was_never_said() {
        let accept = line("a", "10:00:00Z", "accept", T1);
        let reject = line("b", "11:00:00Z", "reject", T1);
        let undo = line("c", "12:00:00Z", "withdraw", r#""withdraws":"b""#);
        let log = read(&[undo.clone(), accept, reject.clone()]);
        assert_eq!((log.review(NOW).name(), log.records().len()), ("accepted", 1));
        assert_eq!(read(&[reject, undo]).review(NOW).name(), "unreviewed");
        let aimless = line("d", "12:00:00Z", "withdraw", r#""note":"x""#);
        assert!(read(&[aimless]).problems[0].1.contains("needs `withdraws`"));
    }

    #[test]
    fn a_batch_is_satisfactory_as_it_was_declared() {
        let rest = r#""batch":"b1","transcript_digest":"B""#;
        let log = read(&[line("a", "10:00:00Z", "satisfactory", rest)]);
        assert_eq!(log.satisfaction("b1", "B", "R"), Satisfaction::Declared);
        assert_eq!(log.satisfaction("b1", "B2", "R"), Satisfaction::Stale);
        assert_eq!(log.satisfaction("b2", "B", "R"), Satisfaction::Undeclared);
    }
}
