//! Recorded answers (SPEC 9): written by `assess --record`, replayed by judges
//! with `provider = "recorded"`.
//!
//! Invariant: a line that names a digest answers for that text only; what was
//! recorded for an earlier text is unscored, never passed on. Recorded answers
//! are labelled wherever they show and never reach the store.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::assessment::{Answer, Evidence, Outcome, Unscored, UnscoredReason};
use crate::config::{Judge, Origin};
use crate::rubric::Verdict;
use crate::transcript::digest::TranscriptDigest;

use super::prepared::Prepared;
use super::tally::Slot;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    judge: String,
    transcript: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transcript_digest: Option<String>,
    criterion: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    criterion_digest: Option<String>,
    answer: String,
    #[serde(default)]
    reasoning: String,
    #[serde(default)]
    evidence: Vec<Evidence>,
}

/// What an answer is looked up, or written, for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The judge's name.
    pub judge: &'a str,
    /// The transcript's id.
    pub transcript: &'a str,
    /// Its digest.
    pub transcript_digest: TranscriptDigest,
    /// The criterion's id.
    pub criterion: &'a str,
    /// Its digest.
    pub criterion_digest: [u8; 32],
}

/// A recording that was read.
#[derive(Debug, Default)]
pub(super) struct Recording {
    lines: HashMap<(String, String, String), Vec<Line>>,
    /// What was wrong with it, by line.
    pub(super) problems: Vec<String>,
}

impl Recording {
    /// Reads a recording; a line that is none is a problem and costs only itself.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut recording = Self::default();
        for (index, text) in BufReader::new(File::open(path)?).lines().enumerate() {
            let text = text?;
            let text = text.trim_start_matches('\u{feff}').trim();
            if text.is_empty() {
                continue;
            }
            match serde_json::from_str::<Line>(text) {
                Ok(line) if Verdict::from_name(&line.answer).is_some() => {
                    let id = (line.judge.clone(), line.transcript.clone(), line.criterion.clone());
                    recording.lines.entry(id).or_default().push(line);
                }
                Ok(_) => recording.problem(path, index, "`answer` is none of YES, NO and NA"),
                Err(e) => recording.problem(path, index, &e.to_string()),
            }
        }
        Ok(recording)
    }

    fn problem(&mut self, path: &Path, index: usize, what: &str) {
        let line = index + 1;
        self.problems.push(format!("{}:{line}: no recorded answer: {what}", path.display()));
    }

    /// What is recorded for a text, under any id that it goes by.
    pub(super) fn answer(&self, prepared: &Prepared, slot: Slot) -> Outcome {
        let text = &prepared.subjects[slot.transcript];
        let outcomes = text.ids.iter().map(|id| {
            self.outcome(&Subject {
                judge: &prepared.job.judges[slot.judge].name,
                transcript: id,
                transcript_digest: text.digest,
                criterion: &prepared.criterion(slot.criterion).id,
                criterion_digest: prepared.criteria[slot.criterion],
            })
        });
        let rank = |outcome: &Outcome| match outcome.unscored().map(|u| u.reason) {
            None => 2,
            Some(UnscoredReason::Stale) => 1,
            Some(_) => 0,
        };
        outcomes.max_by_key(rank).unwrap_or_else(not_recorded)
    }

    /// What is recorded: of several lines that fit, the last.
    pub(super) fn outcome(&self, subject: &Subject<'_>) -> Outcome {
        let Subject { judge, transcript, criterion, .. } = *subject;
        let id = (judge.to_owned(), transcript.to_owned(), criterion.to_owned());
        let Some(lines) = self.lines.get(&id) else {
            return not_recorded();
        };
        match lines.iter().rev().find(|line| line.fits(subject)) {
            Some(line) => line.outcome(),
            None => Unscored::new(UnscoredReason::Stale, "recorded for an earlier text").into(),
        }
    }
}

fn not_recorded() -> Outcome {
    Unscored::new(UnscoredReason::NotRecorded, "the recording has no answer to it").into()
}

impl Line {
    fn fits(&self, subject: &Subject<'_>) -> bool {
        let same = |written: &Option<String>, hex: String| {
            written.as_ref().is_none_or(|written| written.eq_ignore_ascii_case(&hex))
        };
        same(&self.transcript_digest, subject.transcript_digest.to_string())
            && same(&self.criterion_digest, hex(&subject.criterion_digest))
    }

    fn outcome(&self) -> Outcome {
        match Verdict::from_name(&self.answer) {
            Some(verdict) => Outcome::Answered(Answer {
                verdict,
                reasoning: self.reasoning.clone(),
                evidence: self.evidence.clone(),
            }),
            None => Unscored::new(UnscoredReason::Malformed, "the recorded answer is none").into(),
        }
    }
}

/// Where a judge's recording is.
///
/// # Errors
/// When none is named, or a project's file names one outside the project.
pub(super) fn path(judge: &Judge, project: Option<&Path>) -> Result<PathBuf, String> {
    let Some(file) = &judge.file else {
        return Err(format!("judge {}: `file` is missing", judge.name));
    };
    let from_repository = matches!(judge.origin, Origin::ProjectFile | Origin::Editor);
    let leaves = |path: &Path| {
        use std::path::Component::{CurDir, Normal};
        !path.components().all(|part| matches!(part, CurDir | Normal(_)))
    };
    if from_repository && leaves(file) {
        return Err(format!("judge {}: `file` must stay inside the project", judge.name));
    }
    let path = project.map_or_else(|| file.clone(), |project| project.join(file));
    // A link inside the project may lead out of it.
    let inside = |project: &Path| match (project.canonicalize(), path.canonicalize()) {
        (Ok(project), Ok(real)) => real.starts_with(project),
        _ => true,
    };
    if from_repository && !project.is_none_or(inside) {
        return Err(format!("judge {}: `file` must stay inside the project", judge.name));
    }
    Ok(path)
}

/// Writes a recording: one line an answer, on its way to disk at once.
#[derive(Debug)]
pub struct RecordingWriter {
    file: File,
}

impl RecordingWriter {
    /// Starts a new recording; what was in the file goes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)? })
    }

    /// Adds an answer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, subject: &Subject<'_>, answer: &Answer) -> io::Result<()> {
        let line = Line {
            judge: subject.judge.to_owned(),
            transcript: subject.transcript.to_owned(),
            transcript_digest: Some(subject.transcript_digest.to_string()),
            criterion: subject.criterion.to_owned(),
            criterion_digest: Some(hex(&subject.criterion_digest)),
            answer: answer.verdict.name().to_owned(),
            reasoning: answer.reasoning.clone(),
            evidence: answer.evidence.clone(),
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())
    }
}

fn hex(bytes: &[u8]) -> String {
    TranscriptDigest(bytes.try_into().unwrap_or_default()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trust::tests::judge;

    fn subject<'a>(transcript: &'a str, digest: u8) -> Subject<'a> {
        Subject {
            judge: "claude",
            transcript,
            transcript_digest: TranscriptDigest([digest; 32]),
            criterion: "A",
            criterion_digest: [7; 32],
        }
    }

    fn reason(outcome: &Outcome) -> Option<UnscoredReason> {
        outcome.unscored().map(|u| u.reason)
    }

    #[test]
    fn what_is_written_comes_back_for_the_same_text_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.jsonl");
        let evidence = vec![Evidence { exchange: 1, quote: "\"é\"".into() }];
        let answer = Answer { verdict: Verdict::No, reasoning: "why".into(), evidence };
        RecordingWriter::create(&path).unwrap().write(&subject("t1", 1), &answer).unwrap();
        let recording = Recording::read(&path).unwrap();
        assert_eq!(recording.outcome(&subject("t1", 1)), Outcome::Answered(answer));
        assert_eq!(reason(&recording.outcome(&subject("t1", 2))), Some(UnscoredReason::Stale));
        assert_eq!(
            reason(&recording.outcome(&subject("t2", 1))),
            Some(UnscoredReason::NotRecorded)
        );
    }

    #[test]
    fn lines_by_hand_match_by_id_and_broken_ones_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.jsonl");
        let lines = [
            r#"{"judge":"claude","transcript":"t1","criterion":"A","answer":"NO"}"#,
            "",
            r#"{"judge":"claude","transcript":"t1","criterion":"A","answer":"YES","reasoning":"r"}"#,
            r#"{"judge":"claude","transcript":"t1","criterion":"B","answer":"MAYBE"}"#,
            r#"{"judge":"claude""#,
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let recording = Recording::read(&path).unwrap();
        let verdict = recording.outcome(&subject("t1", 9)).answer().map(|a| a.verdict);
        assert_eq!(verdict, Some(Verdict::Yes));
        let named: Vec<bool> =
            recording.problems.iter().zip([":4:", ":5:"]).map(|(p, n)| p.contains(n)).collect();
        assert_eq!(named, [true, true]);
    }

    #[test]
    fn a_project_names_files_of_its_own() {
        let at = |file: &str, origin| {
            let judge = Judge { file: Some(file.into()), origin, ..judge(None) };
            path(&judge, Some(Path::new("/p"))).ok()
        };
        assert_eq!(at("a/b.jsonl", Origin::ProjectFile), Some("/p/a/b.jsonl".into()));
        assert_eq!(at("../b.jsonl", Origin::ProjectFile), None);
        assert_eq!(at("/etc/passwd", Origin::ProjectFile), None);
        assert_eq!(at("/x/b.jsonl", Origin::UserFile), Some("/x/b.jsonl".into()));
    }
}
