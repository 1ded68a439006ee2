//! The transcript that a person says something of, as it is in the editor.
//!
//! Invariant: it is the text that was on the screen, where that is said; what could be
//! one of several is refused.

use std::path::PathBuf;
use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::Uri;

use crate::assessment::JudgeOutcomes;
use crate::engine::reviews;
use crate::review::{Kind, Record};
use crate::rubric::{Verdict, digest};
use crate::text::Span;
use crate::text::nearest::nearest;
use crate::transcript::TranscriptDigest;

use super::panel::Panel;
use super::projects::Live;
use super::requests::execute_command::Target;
use super::reviews::batch_of;
use super::session::Session;
use super::shelf::Record as Shelved;

/// The transcript that something is said of.
pub(super) struct Subject {
    pub(super) uri: Uri,
    pub(super) live: Arc<Live>,
    pub(super) panel: Arc<Panel>,
    pub(super) root: PathBuf,
    pub(super) id: Arc<str>,
    pub(super) digest: TranscriptDigest,
    /// Where it stands in the document.
    pub(super) span: Span,
    /// What every judge said of this text.
    pub(super) outcomes: Vec<JudgeOutcomes>,
    pub(super) batch: Option<String>,
    /// The different verdicts on the criterion at hand, by the judge where one is named.
    pub(super) said: Vec<Verdict>,
    /// How it stands, in a few words.
    pub(super) standing: String,
}

impl Session {
    /// The transcript that a target names, as it is in the editor.
    pub(super) fn subject(&mut self, target: &Target) -> Result<Subject, String> {
        let uri = Uri(target.uri.clone());
        let document = self.documents.get_mut(&uri).ok_or("open the transcript file first")?;
        document.catch_up();
        let live = Arc::clone(&document.live);
        let root = live.project.root.clone();
        let root = root.ok_or("this file is in no project: `rubricator init` makes one")?;
        let panel = live.panel().ok_or("this file belongs to no project with a rubric")?;
        let named = |record: &Shelved<'_>| {
            let is = |id: &String| record.outline().is_some_and(|o| *o.id == **id);
            target.transcript.as_ref().is_none_or(is)
        };
        document.look_closely(named);
        let transcripts = document.transcripts().ok_or("this is no transcript file")?;
        let shelf = transcripts.shelf();
        let hits: Vec<Shelved<'_>> =
            shelf.records().filter(|r| named(r) && r.digest().is_some()).collect();
        let record = one(&hits, target)?;
        let (Some(outline), Some(digest)) = (record.outline(), record.digest()) else {
            return Err("this is no transcript".into());
        };
        let standing = record.judged.map(|judged| &judged.standing);
        let limit = live.settings().tokens.limit;
        Ok(Subject {
            said: said(record, target),
            span: record.span(),
            outcomes: outcomes(record),
            id: Arc::clone(&outline.id),
            digest,
            batch: batch_of(&live, &uri, shelf, outline),
            standing: crate::analysis::lenses::summary(outline, standing, limit),
            panel: Arc::clone(panel),
            root,
            live: Arc::clone(&live),
            uri,
        })
    }
}

impl Subject {
    /// A record about the transcript.
    pub(super) fn record(&self, kind: Kind) -> Result<Record, String> {
        let by = reviews::reviewer();
        let record = reviews::record(kind, &by, &self.panel.rubric_digest);
        let record = record.map_err(|e| format!("no record id: {e}"))?;
        Ok(Record {
            transcript: Some(self.id.to_string()),
            transcript_digest: Some(self.digest.to_string()),
            batch: self.batch.clone(),
            ..record
        })
    }

    /// A record about a verdict on it.
    pub(super) fn on_criterion(&self, target: &Target) -> Result<Record, String> {
        let wanted = target.criterion.as_deref().ok_or("name the criterion")?;
        let rubric = &self.panel.rubric;
        let Some(criterion) = rubric.criterion(wanted) else {
            let ids = rubric.criteria.iter().map(|c| c.id.as_str());
            let advice = nearest(wanted, ids)
                .map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
            return Err(format!("the rubric has no criterion `{wanted}`{advice}"));
        };
        Ok(Record {
            criterion: Some(criterion.id.clone()),
            criterion_digest: Some(digest::hex(&digest::criterion(criterion))),
            judge: target.judge.clone(),
            batch: None,
            ..self.record(Kind::Verdict)?
        })
    }
}

/// The one record that is meant: the text that was on the screen, where that is said.
fn one<'r, 'a>(hits: &'r [Shelved<'a>], target: &Target) -> Result<&'r Shelved<'a>, String> {
    let name = target.transcript.as_deref();
    let digest = |record: &Shelved<'_>| record.digest().map(|digest| digest.to_string());
    if let Some(wanted) = &target.digest {
        let same = |record: &&Shelved<'_>| digest(record).as_ref() == Some(wanted);
        return hits.iter().find(same).ok_or_else(|| match name {
            Some(name) => format!("`{name}` has changed since: look at it again"),
            None => "the transcript has changed since: look at it again".to_owned(),
        });
    }
    match (hits, name) {
        ([], Some(name)) => Err(format!("there is no transcript `{name}` in this file")),
        ([], None) => Err("there is no transcript in this file".into()),
        // The same text twice is one transcript.
        ([first, rest @ ..], _) if rest.iter().all(|hit| hit.digest() == first.digest()) => {
            Ok(first)
        }
        (_, Some(name)) => Err(format!(
            "`{name}` is the id of several transcripts in this file: give them ids of their own"
        )),
        (_, None) => Err("name the transcript".into()),
    }
}

/// What judges said of this very text.
fn outcomes(record: &Shelved<'_>) -> Vec<JudgeOutcomes> {
    let Some((judged, digest)) = record.judged.zip(record.digest()) else { return Vec::new() };
    let mut outcomes = judged.outcomes.clone();
    for judge in &mut outcomes {
        judge.outcomes.retain(|id, _| judged.is_current(digest, id));
    }
    outcomes
}

/// The different verdicts on the criterion; none that are of an earlier text.
fn said(record: &Shelved<'_>, target: &Target) -> Vec<Verdict> {
    let (Some(judged), Some(criterion)) = (record.judged, &target.criterion) else {
        return Vec::new();
    };
    if !record.digest().is_some_and(|digest| judged.is_current(digest, criterion)) {
        return Vec::new();
    }
    let wanted = |name: &str| target.judge.as_deref().is_none_or(|judge| judge == name);
    let judges = judged.outcomes.iter().filter(|judge| wanted(&judge.judge));
    let mut said: Vec<Verdict> =
        judges.filter_map(|judge| Some(judge.outcomes.get(criterion)?.answer()?.verdict)).collect();
    said.sort_by_key(|verdict| verdict.name());
    said.dedup();
    said
}
