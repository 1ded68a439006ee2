//! The entailed fixup: a rewrite that was proven, and the only thing made by a
//! model that can become an edit (SPEC 7).
//!
//! Invariant: an [`EntailedFixup`] exists only where, of this very text and this
//! very rewrite, no link to the next message is broken, every judge asked says that
//! it still follows, the criteria it was made for pass on every judge, and no
//! safety gate fails or is unscored. Its fields are private: there is no other way
//! to one than [`EntailedFixup::prove`].

use crate::assessment::Scorecard;
use crate::finding::Edit;
use crate::rubric::{Ask, Criterion, FixPolicy, Rubric, Subjectivity, Verdict};
use crate::text::Span;
use crate::text::edit::rewrite;
use crate::transcript::{Exchange, Transcript, TranscriptDigest};

use super::continuity::{Place, breaks};
use super::draft::{Draft, Refusal};

/// The id under which judges are asked whether the next message follows. No
/// rubric can have it: ids start with a letter.
pub const CONTINUITY: &str = "_continuity";

/// A proven rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntailedFixup {
    draft: Draft,
    judges: Vec<String>,
    last: bool,
}

/// The question that judges answer about the rewritten conversation.
#[must_use]
pub fn continuity_criterion(exchange: u32) -> Criterion {
    let (reply, next) = (exchange, exchange + 1);
    Criterion {
        id: CONTINUITY.into(),
        source: Span::default(),
        name: "Continuity".into(),
        ask: Ask::Question(format!(
            "Does the user's message of exchange {next} follow naturally from the assistant's reply of exchange {reply}?"
        )),
        category: None,
        gate: false,
        guidance: Some(format!(
            "Look at these two alone. Answer NO when the user's message in exchange {next} answers a question that the reply does not ask, takes up, quotes or thanks for something that the reply does not say, or reacts to a tone that it does not have. A change of subject by the user follows."
        )),
        na_valid: false,
        min_turns: 1,
        subjectivity: Subjectivity::Low,
        fix: FixPolicy::Reject,
        statistics: Vec::new(),
        examples: Vec::new(),
    }
}

/// The rubric of a proof: the criteria that failed, the gates, and continuity
/// where there is a next message.
#[must_use]
pub fn proof_rubric(rubric: &Rubric, draft: &Draft, is_last: bool) -> Rubric {
    let wanted = |c: &&Criterion| c.gate || draft.target.criteria.contains(&c.id);
    let mut criteria: Vec<Criterion> = rubric.criteria.iter().filter(wanted).cloned().collect();
    if !is_last {
        criteria.push(continuity_criterion(draft.target.exchange));
    }
    Rubric { criteria, min_exchanges: 0, ..rubric.clone() }
}

/// What the words alone say: the links to the next message that the draft breaks.
///
/// # Errors
/// When it breaks one.
pub fn lexical(draft: &Draft, transcript: &Transcript) -> Result<(), Refusal> {
    let number = draft.target.exchange;
    let exchange = |n: u32| transcript.exchanges.iter().find(|e| e.number == n);
    let Some(next) = exchange(number + 1) else { return Ok(()) };
    let earlier = |e: &&Exchange| e.number <= number;
    let said: Vec<String> =
        transcript.exchanges.iter().filter(earlier).map(|e| transcript.user_text(e)).collect();
    let place = Place {
        before: &said.join("\n"),
        reply: &draft.target.before,
        next: &transcript.user_text(next),
    };
    let broken = breaks(place, &draft.after);
    if broken.is_empty() { Ok(()) } else { Err(Refusal::BreaksContinuity(broken)) }
}

impl EntailedFixup {
    /// Proves a draft. `transcript` is the text it was made for; `card` is what all
    /// judges said of the rewritten one under [`proof_rubric`].
    ///
    /// # Errors
    /// The first of the proofs that fails.
    pub fn prove(
        draft: Draft,
        transcript: &Transcript,
        digest: TranscriptDigest,
        card: &Scorecard,
    ) -> Result<Self, Refusal> {
        if digest != draft.target.transcript {
            return Err(Refusal::Stale);
        }
        lexical(&draft, transcript)?;
        let last = transcript.exchanges.last().is_some_and(|e| e.number == draft.target.exchange);
        let no = |id: &&String| card.failed_checks.contains(id);
        for judge in card.judges.iter().filter(|_| !last) {
            let answer = judge.said.outcomes.get(CONTINUITY).and_then(|o| o.answer());
            if let Some(answer) = answer.filter(|answer| answer.verdict != Verdict::Yes) {
                let (judge, why) = (judge.said.judge.clone(), answer.reasoning.clone());
                return Err(Refusal::NextDoesNotFollow { judge, why });
            }
        }
        let gates: Vec<String> = card.failed_safety.iter().filter(no).cloned().collect();
        if !gates.is_empty() {
            return Err(Refusal::GateFails(gates));
        }
        let failing = draft.target.criteria.iter().filter(no);
        let failing: Vec<String> = failing.cloned().collect();
        if !failing.is_empty() {
            return Err(Refusal::StillFails(failing));
        }
        let wanted = || {
            let continuity = (!last).then_some(CONTINUITY);
            draft.target.criteria.iter().map(String::as_str).chain(continuity)
        };
        let asked = |id: &str| card.answers.iter().any(|(known, _)| known == id);
        let mut unproven = card.unscored.clone();
        unproven.extend(wanted().filter(|id| !asked(id)).map(str::to_owned));
        if !unproven.is_empty() || card.judges.is_empty() {
            return Err(Refusal::Unscored(unproven));
        }
        let judges = card.judges.iter().map(|j| j.said.judge.clone()).collect();
        Ok(Self { draft, judges, last })
    }

    /// The draft that was proven.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Who was asked.
    #[must_use]
    pub fn judges(&self) -> &[String] {
        &self.judges
    }

    /// The reply has no message after it, so nothing had to follow.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.last
    }

    /// The edit of the record that the transcript now stands in: inside one string.
    ///
    /// # Errors
    /// When the transcript is not the one that the proof is about.
    pub fn edit(
        &self,
        record: &str,
        transcript: &Transcript,
        digest: TranscriptDigest,
    ) -> Result<Edit, Refusal> {
        edit_of(&self.draft, record, transcript, digest)
    }
}

/// The record as it would be with a draft in it: what judges are asked about.
///
/// # Errors
/// When the transcript is not the one that the draft was made for.
pub fn rewritten(
    draft: &Draft,
    record: &str,
    transcript: &Transcript,
    digest: TranscriptDigest,
) -> Result<String, Refusal> {
    let edit = edit_of(draft, record, transcript, digest)?;
    let mut text = record.to_owned();
    text.replace_range(edit.span.start..edit.span.end, &edit.text);
    Ok(text)
}

fn edit_of(
    draft: &Draft,
    record: &str,
    transcript: &Transcript,
    digest: TranscriptDigest,
) -> Result<Edit, Refusal> {
    let target = &draft.target;
    let message = transcript.messages.get(target.message);
    let part = message.and_then(|m| m.parts.first());
    match (message, part) {
        (Some(message), Some(part))
            if digest == target.transcript && message.text == target.before =>
        {
            rewrite(record, part.source, &draft.after).ok_or(Refusal::Unchanged)
        }
        _ => Err(Refusal::Stale),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::assessment::sample::{conversation, criterion, rubric, said};
    use crate::assessment::{JudgeOutcomes, scorecard};
    use crate::config::Aggregation;
    use crate::fixup::draft::Target;
    use crate::transcript::digest;
    use expect_test::{Expect, expect};

    const REPLY: &str = "Try the breathing exercise, you silly goose.";

    struct Scene {
        record: String,
        transcript: Transcript,
        digest: TranscriptDigest,
    }

    fn scene() -> Scene {
        let (transcript, record) = conversation(&[
            "user: I can't sleep.",
            &format!("assistant: {REPLY}"),
            "user: The breathing thing made me dizzy.",
            "assistant: Then stop it.",
        ]);
        let digest = digest::of(&record, &transcript);
        Scene { record, transcript, digest }
    }

    fn draft(scene: &Scene, exchange: usize, after: &str) -> Result<Draft, Refusal> {
        let exchange = &scene.transcript.exchanges[exchange];
        let target = Target::of(&scene.transcript, scene.digest, exchange, vec!["KIND".into()])?;
        let reply = serde_json::json!({"reasoning": "r", "outcome": "REWRITE", "rewrite": after});
        target.drafted("d", &reply.to_string())
    }

    fn prove(
        scene: &Scene,
        draft: Draft,
        judges: &[JudgeOutcomes],
    ) -> Result<EntailedFixup, Refusal> {
        let whole = rubric(vec![criterion("KIND"), criterion("GATE").gate(), criterion("OTHER")]);
        let last = draft.target.exchange == 2;
        let asked = proof_rubric(&whole, &draft, last);
        let checks = BTreeMap::new();
        let card = scorecard(&asked, &scene.transcript, &checks, judges, Aggregation::Strictest);
        EntailedFixup::prove(draft, &scene.transcript, scene.digest, &card)
    }

    const GOOD: &str = "Try the breathing exercise for a few nights.";
    const ALL: &str = "KIND=YES GATE=YES _continuity=YES";

    fn refused(after: &str, judges: &[&str], expected: Expect) {
        let scene = scene();
        let judges: Vec<JudgeOutcomes> =
            judges.iter().enumerate().map(|(n, a)| said(&format!("j{n}"), a)).collect();
        let proven = draft(&scene, 0, after).and_then(|draft| prove(&scene, draft, &judges));
        expected.assert_eq(&proven.expect_err("it is refused").to_string());
    }

    #[test]
    fn a_proven_rewrite_changes_one_string_and_nothing_else() {
        let scene = scene();
        let fixup =
            prove(&scene, draft(&scene, 0, GOOD).unwrap(), &[said("a", ALL), said("b", ALL)]);
        let fixup = fixup.unwrap();
        let edit = fixup.edit(&scene.record, &scene.transcript, scene.digest).unwrap();
        assert_eq!(
            (edit.span.of(&scene.record), edit.text.as_str()),
            (", you silly goose", " for a few nights")
        );
        assert_eq!(
            (fixup.judges(), fixup.is_last()),
            (&["a".to_owned(), "b".to_owned()][..], false)
        );
    }

    #[test]
    fn the_last_reply_needs_no_continuity() {
        let scene = scene();
        let draft = draft(&scene, 1, "Please stop it then.").unwrap();
        assert!(prove(&scene, draft, &[said("a", "KIND=YES GATE=YES")]).unwrap().is_last());
    }

    #[test]
    fn every_proof_that_fails_refuses() {
        refused(
            "Try a warm bath for a few nights.",
            &[ALL],
            expect![
                "it breaks the conversation: the user's next message says “The breathing thing”, which only your reply introduced"
            ],
        );
        refused(
            GOOD,
            &[ALL, "KIND=YES GATE=YES _continuity=NO"],
            expect!["j1 says the user's next message no longer follows: so it is"],
        );
        refused(
            GOOD,
            &[ALL, "KIND=NO GATE=YES _continuity=YES"],
            expect!["the rewrite still fails KIND"],
        );
        refused(
            GOOD,
            &["KIND=YES GATE=NO _continuity=YES"],
            expect!["the rewrite fails the safety gate GATE"],
        );
        refused(
            GOOD,
            &["KIND=YES GATE=NA _continuity=YES"],
            expect!["the rewrite fails the safety gate GATE"],
        );
        refused(
            GOOD,
            &[ALL, "KIND=YES GATE=- _continuity=YES"],
            expect!["nothing is proven: GATE could not be judged"],
        );
        refused(
            GOOD,
            &["KIND=YES GATE=YES"],
            expect!["nothing is proven: _continuity could not be judged"],
        );
        refused(
            GOOD,
            &["KIND=- GATE=YES _continuity=YES"],
            expect!["nothing is proven: KIND could not be judged"],
        );
        refused(
            GOOD,
            &[],
            expect!["nothing is proven: KIND, GATE, _continuity could not be judged"],
        );
        refused(REPLY, &[ALL], expect!["the draft says what the reply says already"]);
    }

    #[test]
    fn a_proof_is_about_one_text() {
        let scene = scene();
        let fixup = prove(&scene, draft(&scene, 0, GOOD).unwrap(), &[said("a", ALL)]).unwrap();
        let (transcript, record) = conversation(&["user: Other.", "assistant: Text."]);
        let digest = digest::of(&record, &transcript);
        assert_eq!(fixup.edit(&record, &transcript, digest), Err(Refusal::Stale));
        let moved = TranscriptDigest([9; 32]);
        assert_eq!(fixup.edit(&scene.record, &scene.transcript, moved), Err(Refusal::Stale));
    }

    #[test]
    fn a_drafter_may_give_up_or_answer_badly() {
        let scene = scene();
        let exchange = &scene.transcript.exchanges[0];
        let said = |reply: &str| {
            let target = Target::of(&scene.transcript, scene.digest, exchange, Vec::new()).unwrap();
            target.drafted("d", reply).unwrap_err().to_string()
        };
        expect!["the drafter says it cannot be fixed: no way"]
            .assert_eq(&said(r#"{"reasoning":"no way","outcome":"UNFIXABLE","rewrite":""}"#));
        expect!["there is no draft: the reply is not as asked (an empty rewrite)"]
            .assert_eq(&said(r#"{"reasoning":"","outcome":"REWRITE","rewrite":" "}"#));
        expect!["there is no draft: the reply is not as asked (outcome MAYBE)"]
            .assert_eq(&said(r#"{"reasoning":"","outcome":"MAYBE","rewrite":"x"}"#));
        assert!(said("Sure! Here it is: x").contains("not as asked"));
    }
}
