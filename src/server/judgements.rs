//! What judges have said in this session, by the digest of the transcript.
//!
//! Invariant: an outcome hangs on the text, the wording of the criterion and the
//! judge, never on a place; so it comes back with undo, and follows its words.
//! Bounded: the transcripts heard of longest ago are forgotten first.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::assessment::{JudgeOutcomes, Outcome};
use crate::engine::AssessUpdate;
use crate::transcript::TranscriptDigest;

use super::panel::Panel;

/// Transcripts remembered at most.
const KEPT: usize = 200_000;

/// Everything said.
#[derive(Debug, Default)]
pub struct Judgements {
    said: HashMap<TranscriptDigest, Vec<Said>>,
    order: VecDeque<TranscriptDigest>,
}

/// One judge's outcome on one wording of a criterion.
#[derive(Clone, Debug)]
pub struct Said {
    /// The judge's name.
    pub judge: Arc<str>,
    /// The judge's key.
    pub judge_key: u64,
    /// The criterion's id.
    pub criterion: Arc<str>,
    /// The key of its wording.
    pub criterion_key: [u8; 32],
    /// What came of it.
    pub outcome: Outcome,
    /// No call was made for it.
    pub cached: bool,
    /// It was replayed from a recording.
    pub recorded: bool,
}

/// What is to be shown of one transcript.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// What was said of this text, these wordings, by these judges.
    pub now: Vec<JudgeOutcomes>,
    /// What was said earlier where nothing is said now.
    pub earlier: Vec<JudgeOutcomes>,
}

impl View {
    /// True when nobody said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let silent = |judges: &[JudgeOutcomes]| judges.iter().all(|j| j.outcomes.is_empty());
        silent(&self.now) && silent(&self.earlier)
    }

    /// True when something shown is of an earlier text or wording.
    #[must_use]
    pub fn is_rechecking(&self) -> bool {
        self.earlier.iter().any(|j| !j.outcomes.is_empty())
    }

    /// Both together: a judge's newest word on each criterion.
    #[must_use]
    pub fn together(&self) -> Vec<JudgeOutcomes> {
        let mut all = self.now.clone();
        for (judge, earlier) in all.iter_mut().zip(&self.earlier) {
            let outcomes = earlier.outcomes.iter().map(|(id, o)| (id.clone(), o.clone()));
            judge.outcomes.extend(outcomes);
            judge.recorded |= earlier.recorded;
        }
        all
    }
}

impl Judgements {
    /// Notes one outcome, in place of an earlier one to the same question. An
    /// outcome that is no answer never takes an answer's place.
    pub fn note(&mut self, transcript: TranscriptDigest, said: Said) {
        if !self.said.contains_key(&transcript) {
            self.order.push_back(transcript);
            self.forget();
        }
        let all = self.said.entry(transcript).or_default();
        let same = |other: &&mut Said| {
            other.judge == said.judge
                && other.judge_key == said.judge_key
                && other.criterion == said.criterion
                && other.criterion_key == said.criterion_key
        };
        match all.iter_mut().find(same) {
            Some(other) if other.outcome.answer().is_some() && said.outcome.answer().is_none() => {}
            Some(other) => *other = said,
            None => all.push(said),
        }
    }

    /// What to show of the text `now`; `before` is the text it was edited from, when
    /// findings of that are still shown.
    #[must_use]
    pub fn view(
        &self,
        now: TranscriptDigest,
        before: Option<TranscriptDigest>,
        panel: &Panel,
    ) -> View {
        let mut view = View::default();
        for (judge, key) in panel.named_judges() {
            let mine = self.of(now, judge);
            let current = |s: &&Said| {
                s.judge_key == key && panel.criterion_key(&s.criterion) == Some(s.criterion_key)
            };
            let current: Vec<&Said> = mine.iter().copied().filter(current).collect();
            let answered = |s: &&&Said| !current.iter().any(|c| c.criterion == s.criterion);
            let old = before.map(|before| self.of(before, judge)).unwrap_or_default();
            let earlier = old.iter().chain(&mine).filter(answered).copied();
            view.earlier.push(outcomes(judge, earlier));
            view.now.push(outcomes(judge, current.iter().copied()));
        }
        view
    }

    /// True when some judge has not answered some question about this text.
    #[must_use]
    pub fn lacks(&self, now: TranscriptDigest, exchanges: usize, panel: &Panel) -> bool {
        panel.named_judges().any(|(judge, key)| {
            let mine = self.of(now, judge);
            panel.questions(exchanges).any(|id| {
                let wording = panel.criterion_key(id);
                let answers = |s: &&Said| {
                    &*s.criterion == id
                        && s.judge_key == key
                        && Some(s.criterion_key) == wording
                        && s.outcome.answer().is_some()
                };
                !mine.iter().any(answers)
            })
        })
    }

    /// Takes over what another knows about a text.
    pub fn take_over(&mut self, other: &Self, transcript: TranscriptDigest) {
        for said in other.said.get(&transcript).into_iter().flatten() {
            self.note(transcript, said.clone());
        }
    }

    /// True when anything was said about this text.
    #[must_use]
    pub fn knows(&self, transcript: TranscriptDigest) -> bool {
        self.said.contains_key(&transcript)
    }

    fn of(&self, transcript: TranscriptDigest, judge: &str) -> Vec<&Said> {
        let all = self.said.get(&transcript).into_iter().flatten();
        all.filter(|s| &*s.judge == judge).collect()
    }

    fn forget(&mut self) {
        while self.order.len() > KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.said.remove(&oldest);
            }
        }
    }
}

/// What outcomes say, by this panel's keys; other updates, and outcomes of judges
/// or criteria it does not know, say nothing.
pub fn said(
    updates: impl IntoIterator<Item = AssessUpdate>,
    panel: &Panel,
) -> impl Iterator<Item = (TranscriptDigest, Said)> {
    updates.into_iter().filter_map(|update| {
        let AssessUpdate::Outcome {
            transcript, judge, criterion, outcome, cached, recorded, ..
        } = update
        else {
            return None;
        };
        let judge_key = panel.judge_key(&judge)?;
        let criterion_key = panel.criterion_key(&criterion)?;
        let said = Said { judge, judge_key, criterion, criterion_key, outcome, cached, recorded };
        Some((transcript, said))
    })
}

fn outcomes<'a>(judge: &str, said: impl Iterator<Item = &'a Said>) -> JudgeOutcomes {
    let mut all = JudgeOutcomes { judge: judge.to_owned(), cached: true, ..Default::default() };
    let mut outcomes = BTreeMap::new();
    for one in said {
        all.cached &= one.cached;
        all.recorded |= one.recorded;
        outcomes.insert(one.criterion.to_string(), one.outcome.clone());
    }
    all.cached &= !outcomes.is_empty();
    all.outcomes = outcomes;
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{Answer, Unscored, UnscoredReason};
    use crate::config::{Judge, Origin, Provider, Settings};
    use crate::rubric::{Verdict, parse};

    const RUBRIC: &str = "name: x\nmin_exchanges: 1\ncategories:\n  a: {weight: 1.0, criteria: [A, B]}\n\
        criteria:\n  A: {name: a, question: Is it kind?}\n  B: {name: b, question: Is it short?}\n";

    fn panel(rubric: &str) -> Panel {
        let judge = Judge {
            name: "j".into(),
            provider: Provider::Recorded,
            model: String::new(),
            base_url: None,
            api_key_env: None,
            command: None,
            file: None,
            max_concurrency: 1,
            timeout_s: 1,
            max_tokens: None,
            effort: None,
            temperature: None,
            family: None,
            repeat: 1,
            origin: Origin::ProjectFile,
        };
        let settings = Settings { judges: vec![judge], ..Settings::default() };
        Panel::new(Arc::new(parse::parse(rubric).rubric.unwrap()), &settings)
    }

    fn says(panel: &Panel, criterion: &str, outcome: Outcome) -> Said {
        Said {
            judge: "j".into(),
            judge_key: panel.judge_key("j").unwrap(),
            criterion: criterion.into(),
            criterion_key: panel.criterion_key(criterion).unwrap(),
            outcome,
            cached: false,
            recorded: false,
        }
    }

    fn no() -> Outcome {
        let (reasoning, evidence) = (String::new(), Vec::new());
        Outcome::Answered(Answer { verdict: Verdict::No, reasoning, evidence })
    }

    fn shown(judges: &[JudgeOutcomes]) -> Vec<&str> {
        judges.iter().flat_map(|j| j.outcomes.keys()).map(String::as_str).collect()
    }

    const OLD: TranscriptDigest = TranscriptDigest([1; 32]);
    const NEW: TranscriptDigest = TranscriptDigest([2; 32]);

    #[test]
    fn answers_of_an_edited_text_stay_until_replaced_one_by_one() {
        let panel = panel(RUBRIC);
        let mut all = Judgements::default();
        assert!(all.lacks(OLD, 2, &panel));
        all.note(OLD, says(&panel, "A", no()));
        all.note(OLD, says(&panel, "B", no()));
        assert!(!all.lacks(OLD, 2, &panel));
        let view = all.view(NEW, Some(OLD), &panel);
        assert_eq!((shown(&view.now), shown(&view.earlier)), (vec![], vec!["A", "B"]));
        all.note(NEW, says(&panel, "A", no()));
        let view = all.view(NEW, Some(OLD), &panel);
        assert_eq!((shown(&view.now), shown(&view.earlier)), (vec!["A"], vec!["B"]));
        assert!(view.is_rechecking() && all.lacks(NEW, 2, &panel));
        // Undo.
        let view = all.view(OLD, None, &panel);
        assert_eq!((shown(&view.now), shown(&view.earlier)), (vec!["A", "B"], vec![]));
    }

    #[test]
    fn a_reworded_criterion_alone_is_asked_again() {
        let before = panel(RUBRIC);
        let after = panel(&RUBRIC.replace("short?", "brief?"));
        let mut all = Judgements::default();
        all.note(OLD, says(&before, "A", no()));
        all.note(OLD, says(&before, "B", no()));
        assert!(all.lacks(OLD, 2, &after));
        let view = all.view(OLD, None, &after);
        assert_eq!((shown(&view.now), shown(&view.earlier)), (vec!["A"], vec!["B"]));
    }

    #[test]
    fn unscored_is_shown_but_still_lacking_and_replaces_no_answer() {
        let panel = panel(RUBRIC);
        let mut all = Judgements::default();
        let unscored = || Outcome::from(Unscored::new(UnscoredReason::TimedOut, "too slow"));
        all.note(OLD, says(&panel, "A", unscored()));
        all.note(OLD, says(&panel, "B", no()));
        all.note(OLD, says(&panel, "B", unscored()));
        assert!(all.lacks(OLD, 2, &panel));
        let view = all.view(OLD, None, &panel);
        assert!(view.now[0].outcomes["A"].unscored().is_some());
        assert!(view.now[0].outcomes["B"].answer().is_some());
    }
}
