//! A job made ready: equal texts told apart once, digests and keys at hand.
//!
//! Invariant: a text that occurs twice in a job is one subject, so it is asked
//! once; whatever is looked up, planned or asked goes by the same keys and the
//! same grouping.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::assessment::privacy::Sensitive;
use crate::assessment::{Outcome, asked, family};
use crate::config::{Judge, Provider};
use crate::prompt::{self, FenceKey, Layout, Prompt, Question};
use crate::rubric::{Criterion, Subjectivity, digest};
use crate::transcript::Transcript;
use crate::transcript::digest::TranscriptDigest;

use super::answer_key::{AnswerKey, KeyDigest};
use super::job::AssessJob;
use super::tally::Slot;
use super::withholding::Consent;

/// One text of the job, with every transcript id that says it.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) transcript: Arc<Transcript>,
    pub(super) digest: TranscriptDigest,
    pub(super) ids: Vec<String>,
    /// The outcomes of its computed criteria.
    pub(super) checks: Arc<BTreeMap<String, Outcome>>,
    /// The questions it is asked: indices into the rubric's criteria.
    pub(super) questions: Vec<usize>,
    /// What looks sensitive in it, once somebody wants to know.
    pub(super) sensitive: OnceLock<Vec<Sensitive>>,
}

/// A job with its texts told apart and its digests made.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) job: AssessJob,
    pub(super) subjects: Vec<Subject>,
    /// Criterion digests, by index.
    pub(super) criteria: Vec<[u8; 32]>,
    /// What the boundaries are made with.
    fence: FenceKey,
    /// The texts that may be sent whatever they hold.
    pub(super) consent: Consent,
}

impl Prepared {
    pub(super) fn new(job: AssessJob, fence: FenceKey, consent: Consent) -> Self {
        let criteria = job.rubric.criteria.iter().map(digest::criterion).collect();
        let mut subjects: Vec<Subject> = Vec::new();
        let mut seen = HashMap::new();
        for one in &job.transcripts {
            let next = subjects.len();
            let index = *seen.entry(one.digest).or_insert(next);
            if index == next {
                let transcript = Arc::clone(&one.transcript);
                let questions = questions(&job, &transcript);
                let (digest, ids, checks) = (one.digest, Vec::new(), Arc::clone(&one.checks));
                let sensitive = OnceLock::new();
                subjects.push(Subject { transcript, digest, ids, checks, questions, sensitive });
            }
            subjects[index].ids.push(one.transcript.id.clone());
        }
        Self { job, subjects, criteria, fence, consent }
    }

    /// The judges that are asked about text of their own family, and how much of it,
    /// as in `one (qwen wrote 3 of 9 transcripts)`.
    pub(super) fn own_text(&self) -> Vec<(&str, String)> {
        let all = self.job.transcripts.len();
        let told = |judge: &Judge| {
            let by = self.job.transcripts.iter().filter_map(|t| t.generator.as_deref());
            let own = by.filter(|generator| family::is_own(judge, generator)).count();
            let family = family::of_judge(judge).filter(|_| own > 0)?;
            Some(format!("{} ({family} wrote {own} of {all} transcripts)", judge.name))
        };
        let judges = self.job.judges.iter().filter(|j| j.provider != Provider::Recorded);
        judges.filter_map(|judge| Some((judge.name.as_str(), told(judge)?))).collect()
    }

    pub(super) fn criterion(&self, index: usize) -> &Criterion {
        &self.job.rubric.criteria[index]
    }

    pub(super) fn key(&self, slot: Slot, sample: u32) -> KeyDigest {
        let judge = &self.job.judges[slot.judge];
        let transcript = self.subjects[slot.transcript].digest;
        let template = self.job.template.digest();
        AnswerKey::new(judge, transcript, self.criteria[slot.criterion], template, sample).digest()
    }

    /// Splits what is missing into calls: sensitive criteria alone where that is
    /// asked for, the others by `criteria_per_call`, in the order of the seed.
    pub(super) fn grouped(&self, missing: &[usize], sample: u32) -> Vec<Vec<usize>> {
        let settings = &self.job.settings;
        let alone = |c: &Criterion| c.gate || c.subjectivity == Subjectivity::High;
        let isolated = |&&i: &&usize| settings.isolate_sensitive && alone(self.criterion(i));
        let (single, shared): (Vec<&usize>, Vec<&usize>) = missing.iter().partition(isolated);
        let seed = settings.seed.wrapping_add(u64::from(sample));
        let criteria = shared.iter().map(|&&index| self.criterion(index)).collect();
        let ordered: Vec<usize> = prompt::ordered(criteria, seed)
            .into_iter()
            .filter_map(|c| {
                self.job.rubric.criteria.iter().position(|other| std::ptr::eq(other, c))
            })
            .collect();
        let size = settings.criteria_per_call.unwrap_or(usize::MAX).max(1);
        let shared = ordered.chunks(size).map(<[usize]>::to_vec);
        single.into_iter().map(|&index| vec![index]).chain(shared).collect()
    }

    /// The prompt by which a judge is asked these criteria about this transcript.
    pub(super) fn prompt(&self, judge: usize, transcript: usize, criteria: &[usize]) -> Prompt {
        let subject = &self.subjects[transcript];
        let criteria: Vec<&Criterion> = criteria.iter().map(|i| self.criterion(*i)).collect();
        let question = Question {
            transcript: &subject.transcript,
            digest: &subject.digest.0,
            criteria: &criteria,
            fence: self.fence,
            layout: self.layout(judge, transcript),
        };
        prompt::judge(&self.job.template, &question)
    }

    /// A judge that is called several times about one transcript reads it first.
    /// It goes by what would be asked if nothing were known, so that what is
    /// known already does not change the prompt.
    fn layout(&self, judge: usize, transcript: usize) -> Layout {
        let calls = self.grouped(&self.subjects[transcript].questions, 0).len();
        if calls > 1 || samples(&self.job.judges[judge]) > 1 {
            Layout::TranscriptFirst
        } else {
            Layout::CriteriaFirst
        }
    }

    pub(super) fn project(&self) -> Option<&Path> {
        self.job.project_dir.as_deref()
    }
}

/// The questions that apply to a transcript, by index.
fn questions(job: &AssessJob, transcript: &Transcript) -> Vec<usize> {
    let exchanges = transcript.complete_exchanges();
    let applies: Vec<&str> = asked::asked(&job.rubric, exchanges)
        .filter(|c| c.is_question())
        .map(|c| c.id.as_str())
        .collect();
    let criteria = job.rubric.criteria.iter().enumerate();
    criteria.filter(|(_, c)| applies.contains(&c.id.as_str())).map(|(index, _)| index).collect()
}

/// How often a judge is asked each question.
pub(super) fn samples(judge: &Judge) -> u32 {
    if judge.provider == Provider::Recorded { 1 } else { judge.repeat.max(1) }
}
