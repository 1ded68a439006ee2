//! Two runs side by side: what passed in one and failed in the other, and why.
//!
//! A run is the entries of `assess --format json`, a line each, as checkpoints and
//! exports hold them. Invariant: unscored is neither a pass nor a failure, so it
//! is never one side of a flip; it is counted apart.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

/// One run's results.
#[derive(Debug, Default)]
pub struct RunResults {
    results: Vec<Value>,
    places: HashMap<String, usize>,
    ids: HashMap<String, Vec<usize>>,
    /// Lines that are no results, from 1.
    pub unreadable: Vec<usize>,
}

/// A criterion's change on a transcript, or a transcript's as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It passed, and fails.
    Broken,
    /// It failed, and passes.
    Mended,
}

impl Change {
    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Broken => "pass → fail",
            Self::Mended => "fail → pass",
        }
    }

    fn of(before: Option<bool>, after: Option<bool>) -> Option<Self> {
        match (before?, after?) {
            (true, false) => Some(Self::Broken),
            (false, true) => Some(Self::Mended),
            _ => None,
        }
    }
}

/// What judges said before and after; judges that said the same share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// Their names.
    pub judges: Vec<String>,
    /// The answer and the reason before; `None` when not asked.
    pub before: Option<(String, String)>,
    /// The answer and the reason after.
    pub after: Option<(String, String)>,
}

/// One criterion that flipped on one transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The transcript's id.
    pub transcript: String,
    /// Where it stands now, as `FILE:LINE`.
    pub place: String,
    /// The criterion's id.
    pub criterion: String,
    /// Which way.
    pub change: Change,
    /// The transcript says something else than before.
    pub edited: bool,
    /// What was said.
    pub voices: Vec<Voice>,
}

/// What one run comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    /// Transcripts.
    pub transcripts: usize,
    /// Of them passed.
    pub passed: usize,
    /// Of them not too short.
    pub counted: usize,
    /// The rubric's digest; `None` when lines do not agree or do not say.
    pub rubric: Option<String>,
}

/// Two runs compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The first run.
    pub before: Sum,
    /// The second.
    pub after: Sum,
    /// Criteria that flipped, pass → fail first.
    pub flips: Vec<Flip>,
    /// Transcripts whose standing changed: id, before, after.
    pub standings: Vec<(String, String, String)>,
    /// Transcripts in both.
    pub shared: usize,
    /// Ids of those in the first alone.
    pub only_before: Vec<String>,
    /// Ids of those in the second alone.
    pub only_after: Vec<String>,
    /// Criteria in the first run alone.
    pub dropped: Vec<String>,
    /// Criteria in the second run alone.
    pub added: Vec<String>,
    /// Answers that were scored and are not any more.
    pub unscored: usize,
}

impl RunResults {
    /// Reads the lines of a run. Of two about one transcript the later counts.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut run = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() {
                continue;
            }
            match serde_json::from_str::<Value>(line).ok().filter(is_result) {
                Some(result) => run.add(result),
                None => run.unreadable.push(index + 1),
            }
        }
        run
    }

    fn add(&mut self, result: Value) {
        let key = key(&result);
        match self.places.get(&key) {
            Some(&place) => self.results[place] = result,
            None => {
                self.places.insert(key, self.results.len());
                self.ids.entry(id(&result).to_owned()).or_default().push(self.results.len());
                self.results.push(result);
            }
        }
    }

    /// Transcripts in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// The result of the same transcript: of this file and id, else of this id alone.
    fn same(&self, other: &Value) -> Option<&Value> {
        let only = || match self.ids.get(id(other)).map(Vec::as_slice) {
            Some([one]) => Some(*one),
            _ => None,
        };
        let place = self.places.get(&key(other)).copied().or_else(only);
        place.map(|place| &self.results[place])
    }

    fn sum(&self) -> Sum {
        let standing =
            |wanted: &str| self.results.iter().filter(|r| word(r, "standing") == wanted).count();
        let mut rubrics: Vec<Option<&str>> =
            self.results.iter().map(|r| r["rubric_digest"].as_str()).collect();
        rubrics.dedup();
        Sum {
            transcripts: self.results.len(),
            passed: standing("passed"),
            counted: self.results.len() - standing("too-short"),
            rubric: rubrics
                .first()
                .filter(|_| rubrics.len() == 1)
                .and_then(|r| r.map(str::to_owned)),
        }
    }

    /// Criteria it has answers to, in order of first appearance.
    fn criteria(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        let answers = self.results.iter().filter_map(|r| r["answers"].as_object());
        answers.flat_map(Map::keys).map(String::as_str).filter(|id| seen.insert(*id)).collect()
    }
}

impl Sum {
    /// Passed over all but too short.
    #[must_use]
    pub fn pass_rate(&self) -> Option<f64> {
        (self.counted > 0).then(|| self.passed as f64 / self.counted as f64)
    }
}

/// Compares two runs.
#[must_use]
pub fn compare(before: &RunResults, after: &RunResults) -> Comparison {
    let mut found = Comparison {
        before: before.sum(),
        after: after.sum(),
        flips: Vec::new(),
        standings: Vec::new(),
        shared: 0,
        only_before: Vec::new(),
        only_after: Vec::new(),
        dropped: lacking(before, after),
        added: lacking(after, before),
        unscored: 0,
    };
    for new in &after.results {
        let Some(old) = before.same(new) else {
            found.only_after.push(id(new).to_owned());
            continue;
        };
        found.shared += 1;
        let [was, is] = [old, new].map(|r| word(r, "standing"));
        if was != is {
            found.standings.push((id(new).to_owned(), was.to_owned(), is.to_owned()));
        }
        found.flips_of(old, new);
    }
    let gone = before.results.iter().filter(|old| after.same(old).is_none());
    found.only_before = gone.map(|old| id(old).to_owned()).collect();
    found.flips.sort_by_key(|flip| flip.change);
    found
}

impl Comparison {
    fn flips_of(&mut self, old: &Value, new: &Value) {
        let empty = Map::new();
        let edited = matches!(
            (old["transcript_digest"].as_str(), new["transcript_digest"].as_str()),
            (Some(old), Some(new)) if old != new
        );
        for criterion in new["answers"].as_object().unwrap_or(&empty).keys() {
            let [was, is] = [old, new].map(|r| passes(r, criterion));
            self.unscored +=
                usize::from(was.is_some() && word(&new["answers"], criterion) == "UNSCORED");
            let Some(change) = Change::of(was, is) else { continue };
            self.flips.push(Flip {
                transcript: id(new).to_owned(),
                place: format!("{}:{}", word(new, "file"), new["line"]),
                criterion: criterion.clone(),
                change,
                edited,
                voices: voices(old, new, criterion),
            });
        }
    }

    /// Flips this way.
    #[must_use]
    pub fn count(&self, change: Change) -> usize {
        self.flips.iter().filter(|flip| flip.change == change).count()
    }

    /// As `diff --format json` prints it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let sum = |sum: &Sum| {
            json!({"transcripts": sum.transcripts, "passed": sum.passed,
                "pass_rate": super::output::rounded(sum.pass_rate()), "rubric_digest": sum.rubric})
        };
        let said = |said: &Option<(String, String)>| {
            said.as_ref().map(|(answer, why)| json!({"answer": answer, "reasoning": why}))
        };
        let voice = |v: &Voice| json!({"judges": v.judges, "before": said(&v.before), "after": said(&v.after)});
        let flip = |f: &Flip| {
            let voices: Vec<Value> = f.voices.iter().map(voice).collect();
            json!({"transcript": f.transcript, "place": f.place, "criterion": f.criterion,
                "change": f.change.words().replace('→', "to"), "edited": f.edited, "said": voices})
        };
        let standing = |(id, before, after): &(String, String, String)| json!({"transcript": id, "before": before, "after": after});
        json!({
            "before": sum(&self.before),
            "after": sum(&self.after),
            "shared": self.shared,
            "flips": self.flips.iter().map(flip).collect::<Vec<_>>(),
            "standings": self.standings.iter().map(standing).collect::<Vec<_>>(),
            "only_before": self.only_before,
            "only_after": self.only_after,
            "criteria_dropped": self.dropped,
            "criteria_added": self.added,
            "unscored": self.unscored,
        })
    }
}

fn is_result(value: &Value) -> bool {
    !id(value).is_empty() && value["standing"].is_string() && value["answers"].is_object()
}

fn id(result: &Value) -> &str {
    result["id"].as_str().or_else(|| result["conversation_id"].as_str()).unwrap_or("")
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

fn key(result: &Value) -> String {
    format!("{}\u{0}{}", word(result, "file"), id(result))
}

/// Criteria of one run that the other does not know at all.
fn lacking(one: &RunResults, other: &RunResults) -> Vec<String> {
    let known = other.criteria();
    one.criteria().into_iter().filter(|id| !known.contains(id)).map(str::to_owned).collect()
}

/// Whether a criterion passed; `None` when it was not asked or not scored.
fn passes(result: &Value, criterion: &str) -> Option<bool> {
    let failed =
        |key: &str| result[key].as_array().is_some_and(|ids| ids.iter().any(|id| id == criterion));
    match word(&result["answers"], criterion) {
        "YES" => Some(true),
        "NA" => Some(!failed("failed_checks")),
        "NO" => Some(false),
        _ => None,
    }
}

/// What each judge said before and after, where that differs.
fn voices(old: &Value, new: &Value, criterion: &str) -> Vec<Voice> {
    let said = |result: &Value| -> BTreeMap<String, (String, String)> {
        let judges = result["judges"].as_array().into_iter().flatten();
        let one = |judge: &Value| {
            let answer = judge["answers"][criterion].as_str()?;
            let why = word(&judge["reasonings"], criterion);
            Some((word(judge, "judge").to_owned(), (answer.to_owned(), why.to_owned())))
        };
        judges.filter_map(one).collect()
    };
    let (mut before, after) = (said(old), said(new));
    let mut voices: Vec<Voice> = Vec::new();
    let mut add = |judge: String, before, after| {
        let same = |v: &&mut Voice| v.before == before && v.after == after;
        match voices.iter_mut().find(same) {
            Some(voice) => voice.judges.push(judge),
            None => voices.push(Voice { judges: vec![judge], before, after }),
        }
    };
    for (judge, now) in after {
        let was = before.remove(&judge);
        add(judge, was, Some(now));
    }
    for (judge, was) in before {
        add(judge, Some(was), None);
    }
    let answer = |said: &Option<(String, String)>| said.as_ref().map(|(answer, _)| answer.clone());
    // The strictest judge decides: one that did not change its mind explains nothing.
    voices.retain(|voice| answer(&voice.before) != answer(&voice.after));
    voices
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// `A=YES B=NO` of one judge, or several with `|`.
    fn line(id: &str, digest: &str, standing: &str, judges: &[&str]) -> String {
        let answers = |text: &str| -> Map<String, Value> {
            text.split(' ')
                .map(|p| p.split_once('=').unwrap())
                .map(|(a, b)| (a.into(), b.into()))
                .collect()
        };
        let mut worst = answers(judges[0]);
        for judge in judges {
            for (id, answer) in answers(judge) {
                if answer == "NO" || answer == "UNSCORED" {
                    worst.insert(id, answer);
                }
            }
        }
        let said = |(n, text): (usize, &&str)| {
            let reasons: Map<String, Value> = answers(text)
                .into_iter()
                .map(|(id, a)| (id.clone(), format!("{id} is {}", a.as_str().unwrap()).into()))
                .collect();
            json!({"judge": format!("j{n}"), "answers": answers(text), "reasonings": reasons})
        };
        let judges: Vec<Value> = judges.iter().enumerate().map(said).collect();
        json!({"id": id, "file": "a.jsonl", "line": 1, "standing": standing, "answers": worst,
            "failed_checks": [], "judges": judges, "rubric_digest": "r", "transcript_digest": digest})
        .to_string()
    }

    fn check(before: &[String], after: &[String], expected: Expect) {
        let [before, after] = [before, after].map(|lines| RunResults::read(&lines.join("\n")));
        let found = compare(&before, &after);
        let mut text = String::new();
        for flip in &found.flips {
            let edited = if flip.edited { ", edited" } else { "" };
            text += &format!(
                "{} {} {}{edited}\n",
                flip.change.words(),
                flip.transcript,
                flip.criterion
            );
            for voice in &flip.voices {
                let said = |s: &Option<(String, String)>| {
                    s.as_ref().map_or("-".to_owned(), |(a, why)| format!("{a} ({why})"))
                };
                let judges = voice.judges.join(", ");
                text += &format!("  {judges}: {} to {}\n", said(&voice.before), said(&voice.after));
            }
        }
        for (id, was, is) in &found.standings {
            text += &format!("{id}: {was} to {is}\n");
        }
        text += &format!(
            "{} shared, only {:?} and {:?}, criteria {:?} and {:?}, {} unscored",
            found.shared,
            found.only_before,
            found.only_after,
            found.dropped,
            found.added,
            found.unscored
        );
        expected.assert_eq(&text);
    }

    #[test]
    fn flips_are_told_with_both_reasons_and_the_bad_ones_first() {
        check(
            &[
                line("a", "1", "failed", &["A=NO B=YES", "A=YES B=YES"]),
                line("b", "1", "passed", &["A=YES B=YES", "A=YES B=YES"]),
            ],
            &[
                line("a", "2", "passed", &["A=YES B=YES", "A=YES B=YES"]),
                line("b", "1", "failed", &["A=YES B=NO", "A=YES B=NO"]),
            ],
            expect![[r#"
                pass → fail b B
                  j0, j1: YES (B is YES) to NO (B is NO)
                fail → pass a A, edited
                  j0: NO (A is NO) to YES (A is YES)
                a: failed to passed
                b: passed to failed
                2 shared, only [] and [], criteria [] and [], 0 unscored"#]],
        );
    }

    #[test]
    fn unscored_is_neither_side_of_a_flip() {
        check(
            &[line("a", "1", "failed", &["A=YES B=NO"]), line("gone", "1", "failed", &["C=NO"])],
            &[
                line("a", "1", "incomplete", &["A=UNSCORED B=UNSCORED"]),
                line("new", "1", "failed", &["D=NO"]),
            ],
            expect![[r#"
                a: failed to incomplete
                1 shared, only ["gone"] and ["new"], criteria ["C"] and ["D"], 2 unscored"#]],
        );
    }

    #[test]
    fn the_later_line_counts_and_a_moved_file_is_the_same_transcript() {
        let moved = line("a", "1", "passed", &["A=YES"]).replace("a.jsonl", "b.jsonl");
        let before =
            [line("a", "1", "passed", &["A=YES"]), line("a", "1", "failed", &["A=NO"]), "{".into()];
        let [before, after] =
            [&before[..], &[moved]].map(|lines| RunResults::read(&lines.join("\n")));
        assert_eq!((before.len(), &before.unreadable[..]), (1, &[3][..]));
        let found = compare(&before, &after);
        assert_eq!((found.count(Change::Mended), found.shared), (1, 1));
        assert_eq!((found.before.pass_rate(), found.after.pass_rate()), (Some(0.0), Some(1.0)));
        assert_eq!(found.to_json()["flips"][0]["change"], "fail to pass");
    }
}
