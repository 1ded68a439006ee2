//! What judges said about one record, as it is shown.
//!
//! Invariant: computed from the record's text, the project's panel and what was
//! said; its places count from the record's first byte like everything else.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::context::{Context, Memo};
use crate::analysis::diagnostics::verdict;
use crate::analysis::lenses::Standing;
use crate::analysis::record;
use crate::assessment::agree::{self, Scorecard};
use crate::assessment::{JudgeOutcomes, checked};
use crate::finding::Finding;
use crate::fixup::{Remedies, remedies};
use crate::review::next::Reason;
use crate::text::Span;
use crate::text::document::Encoding;
use crate::text::json;
use crate::transcript::{Transcript, TranscriptDigest, read};

use super::judgements::View;
use super::panel::Panel;
use super::relative::{self, Range};

/// The judged side of a record.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The transcript's id.
    pub id: Arc<str>,
    /// The text this is about.
    pub digest: TranscriptDigest,
    /// The text it was edited from, while findings of that are shown.
    pub before: Option<TranscriptDigest>,
    /// What judges found.
    pub findings: Vec<Finding>,
    /// Where, one a finding.
    pub ranges: Vec<Range>,
    /// How it stands.
    pub standing: Standing,
    /// What every judge said, for hovers.
    pub outcomes: Vec<JudgeOutcomes>,
    /// What can be done about what failed; nothing while it is re-checked.
    pub remedies: Remedies,
    /// Criteria of which some of it is of an earlier text or wording.
    pub earlier: BTreeSet<String>,
    /// Why a person should read it.
    pub reason: Reason,
}

impl Judged {
    /// True when what it says of a criterion is of this text and of the wording in
    /// force: an edit, or a new wording, is followed a little later.
    #[must_use]
    pub fn is_current(&self, digest: TranscriptDigest, criterion: &str) -> bool {
        self.digest == digest && !self.earlier.contains(criterion)
    }
}

/// What a record is shown with.
#[derive(Debug)]
pub struct Sight<'a> {
    /// Judges and criteria.
    pub panel: &'a Panel,
    /// For the computed criteria.
    pub context: &'a Context,
    /// Saves work.
    pub memo: &'a mut Memo,
    /// How columns are counted.
    pub encoding: Encoding,
}

impl Sight<'_> {
    /// The judged side of a record; `None` when it is no transcript.
    pub fn judged(
        &mut self,
        text: &str,
        digest: TranscriptDigest,
        before: Option<TranscriptDigest>,
        view: &View,
    ) -> Option<Judged> {
        let json = json::parse(text, self.context.depth_limit);
        let transcript = read::read(text, &json).transcript.ok()?;
        let findings = self.findings(text, &transcript, view);
        let spans: Vec<Span> = findings.iter().map(|f| f.span).collect();
        let outcomes = view.together();
        let card = self.scorecard(text, &transcript, &outcomes);
        let rechecking = view.is_rechecking();
        Some(Judged {
            id: Arc::from(transcript.id.as_str()),
            digest,
            before: before.filter(|_| rechecking),
            ranges: relative::ranges(text, &spans, self.encoding),
            findings,
            standing: standing(&card, &outcomes, rechecking),
            remedies: match rechecking {
                true => Remedies::default(),
                false => remedies(&card, &self.panel.rubric, &transcript),
            },
            outcomes,
            reason: Reason::of_card(&card),
            earlier: view.earlier.iter().flat_map(|j| j.outcomes.keys().cloned()).collect(),
        })
    }

    fn findings(&self, record: &str, transcript: &Transcript, view: &View) -> Vec<Finding> {
        let rubric = &*self.panel.rubric;
        let of = |judges: &[JudgeOutcomes], rechecking| {
            verdict::findings(&verdict::Judged { rubric, transcript, record, judges, rechecking })
        };
        let mut findings = of(&view.now, false);
        findings.extend(of(&view.earlier, true));
        findings.sort_by_key(|finding| finding.span);
        findings
    }

    fn scorecard(
        &mut self,
        record: &str,
        transcript: &Transcript,
        outcomes: &[JudgeOutcomes],
    ) -> Scorecard {
        let rubric = &*self.panel.rubric;
        let results = record::check_results(record, transcript, self.context, self.memo);
        let checks = checked::outcomes(rubric, transcript, &results);
        agree::scorecard(rubric, transcript, &checks, outcomes, self.panel.aggregation)
    }
}

fn standing(card: &Scorecard, outcomes: &[JudgeOutcomes], rechecking: bool) -> Standing {
    Standing {
        name: card.standing.name().to_owned(),
        score: card.score,
        judges: outcomes.iter().filter(|j| !j.outcomes.is_empty()).count(),
        disagreement: card.disagreement(),
        rechecking,
        recorded: outcomes.iter().any(|j| j.recorded),
    }
}
