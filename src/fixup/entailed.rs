//! The entailed fixup: rewrites that were proven, and the only thing made by a
//! model that can become an edit (SPEC 7).
//!
//! Invariant: an [`EntailedFixup`] exists only where, of this very text and these
//! very rewrites in it, no link to a next message is broken, every judge asked says
//! that each still follows, the criteria they were made for pass on every judge, and
//! no safety gate fails or is unscored. Its fields are private: there is no other
//! way to one than [`EntailedFixup::prove`]. It is proven, and becomes edits, as a
//! whole: some of its rewrites alone prove nothing.

use crate::assessment::Scorecard;
use crate::finding::Edit;
use crate::rubric::{Ask, Criterion, FixPolicy, Rubric, Subjectivity, Verdict};
use crate::text::Span;
use crate::text::edit::{apply_edits, rewrite};
use crate::transcript::{Exchange, Transcript, TranscriptDigest};

use super::continuity::{Place, breaks};
use super::draft::{Draft, Refusal};
use super::offer;

/// What the ids begin with under which judges are asked whether a next message
/// follows. No rubric can have one: ids start with a letter.
const CONTINUITY: &str = "_continuity_";

/// Proven rewrites of one or several replies of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntailedFixup {
    drafts: Vec<Draft>,
    after: TranscriptDigest,
    judges: Vec<String>,
    /// A message comes after some of them.
    is_followed: bool,
}

/// The id of [`continuity_criterion`].
#[must_use]
pub fn continuity_id(exchange: u32) -> String {
    format!("{CONTINUITY}{exchange}")
}

/// The question that judges answer about the rewritten conversation.
#[must_use]
pub fn continuity_criterion(exchange: u32) -> Criterion {
    let (reply, next) = (exchange, exchange + 1);
    Criterion {
        id: continuity_id(exchange),
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
/// wherever there is a next message.
#[must_use]
pub fn proof_rubric(rubric: &Rubric, drafts: &[Draft], transcript: &Transcript) -> Rubric {
    let failed = |c: &Criterion| drafts.iter().any(|draft| draft.target.criteria.contains(&c.id));
    let wanted = |c: &&Criterion| c.gate || failed(c);
    let mut criteria: Vec<Criterion> = rubric.criteria.iter().filter(wanted).cloned().collect();
    criteria.extend(followed(drafts, transcript).map(continuity_criterion));
    Rubric { criteria, min_exchanges: 0, ..rubric.clone() }
}

/// The exchanges of drafts that a message comes after.
fn followed<'a>(
    drafts: &'a [Draft],
    transcript: &Transcript,
) -> impl Iterator<Item = u32> + use<'a> {
    let last = transcript.exchanges.last().map_or(0, |exchange| exchange.number);
    drafts.iter().map(|draft| draft.target.exchange).filter(move |exchange| *exchange < last)
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
    /// Proves drafts, all of them together. `transcript` is the text they were made
    /// for; `after` is the digest of the text with all of them in it, and `card` what
    /// all judges said of that under [`proof_rubric`].
    ///
    /// # Errors
    /// The first of the proofs that fails.
    pub fn prove(
        drafts: Vec<Draft>,
        transcript: &Transcript,
        digest: TranscriptDigest,
        after: TranscriptDigest,
        card: &Scorecard,
    ) -> Result<Self, Refusal> {
        if drafts.is_empty() {
            return Err(Refusal::Unchanged);
        }
        let several = drafts.len() > 1;
        for draft in &drafts {
            if digest != draft.target.transcript {
                return Err(Refusal::Stale);
            }
            lexical(draft, transcript)
                .map_err(|why| why.of_reply(several, draft.target.exchange))?;
        }
        for exchange in followed(&drafts, transcript) {
            follows(exchange, card).map_err(|why| why.of_reply(several, exchange))?;
        }
        let no = |id: &&String| card.failed_checks.contains(id);
        let gates: Vec<String> = card.failed_safety.iter().filter(no).cloned().collect();
        if !gates.is_empty() {
            return Err(Refusal::GateFails(gates));
        }
        let wanted = criteria(&drafts);
        let failing: Vec<String> = wanted.iter().filter(no).cloned().collect();
        if !failing.is_empty() {
            return Err(Refusal::StillFails(failing));
        }
        let asked = |id: &String| card.answers.iter().any(|(known, _)| known == id);
        let mut unproven = card.unscored.clone();
        let continuity = followed(&drafts, transcript).map(continuity_id);
        unproven.extend(wanted.into_iter().chain(continuity).filter(|id| !asked(id)));
        if !unproven.is_empty() || card.judges.is_empty() {
            return Err(Refusal::Unscored(unproven));
        }
        let judges = card.judges.iter().map(|j| j.said.judge.clone()).collect();
        let is_followed = followed(&drafts, transcript).next().is_some();
        Ok(Self { drafts, after, judges, is_followed })
    }

    /// The drafts that were proven, by exchange; never none.
    #[must_use]
    pub fn drafts(&self) -> &[Draft] {
        &self.drafts
    }

    /// The digest of the text that it was made for.
    #[must_use]
    pub fn before(&self) -> TranscriptDigest {
        self.drafts[0].target.transcript
    }

    /// The digest of the text that was proven.
    #[must_use]
    pub const fn after(&self) -> TranscriptDigest {
        self.after
    }

    /// Who was asked.
    #[must_use]
    pub fn judges(&self) -> &[String] {
        &self.judges
    }

    /// The criteria it mends, each once.
    #[must_use]
    pub fn criteria(&self) -> Vec<String> {
        criteria(&self.drafts)
    }

    /// `exchange 1` or `exchanges 1, 3`.
    #[must_use]
    pub fn place(&self) -> String {
        let exchanges: Vec<u32> = self.drafts.iter().map(|draft| draft.target.exchange).collect();
        offer::place(&exchanges)
    }

    /// One sentence for people: who drafted it, and what was proven by whom.
    #[must_use]
    pub fn evidence(&self) -> String {
        let follows = match (self.is_followed, self.drafts.len()) {
            (false, _) => "it is the last reply, so no message has to follow",
            (true, 1) => "the user's next message follows, by its words and by every judge",
            (true, _) => "the user's next messages follow, by their words and by every judge",
        };
        format!(
            "drafted by {}; {follows}; {} and the safety gates hold for {}",
            self.drafts[0].drafter,
            self.criteria().join(", "),
            self.judges.join(", ")
        )
    }

    /// The edits of the record that the transcript now stands in, each inside one
    /// string; all of them, or none.
    ///
    /// # Errors
    /// When the transcript is not the one that the proof is about.
    pub fn edits(
        &self,
        record: &str,
        transcript: &Transcript,
        digest: TranscriptDigest,
    ) -> Result<Vec<Edit>, Refusal> {
        edits_of(&self.drafts, record, transcript, digest)
    }
}

fn criteria(drafts: &[Draft]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for id in drafts.iter().flat_map(|draft| &draft.target.criteria) {
        if !all.contains(id) {
            all.push(id.clone());
        }
    }
    all
}

/// No judge says that the message after this exchange no longer follows.
fn follows(exchange: u32, card: &Scorecard) -> Result<(), Refusal> {
    let id = continuity_id(exchange);
    for judge in &card.judges {
        let answer = judge.said.outcomes.get(&id).and_then(|o| o.answer());
        if let Some(answer) = answer.filter(|answer| answer.verdict != Verdict::Yes) {
            let (judge, why) = (judge.said.judge.clone(), answer.reasoning.clone());
            return Err(Refusal::NextDoesNotFollow { judge, why });
        }
    }
    Ok(())
}

/// The record as it would be with the drafts in it: what judges are asked about.
///
/// # Errors
/// When the transcript is not the one that they were made for.
pub fn rewritten(
    drafts: &[Draft],
    record: &str,
    transcript: &Transcript,
    digest: TranscriptDigest,
) -> Result<String, Refusal> {
    let edits = edits_of(drafts, record, transcript, digest)?;
    apply_edits(record, &edits).map_err(|_| Refusal::Stale)
}

fn edits_of(
    drafts: &[Draft],
    record: &str,
    transcript: &Transcript,
    digest: TranscriptDigest,
) -> Result<Vec<Edit>, Refusal> {
    drafts.iter().map(|draft| edit_of(draft, record, transcript, digest)).collect()
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

    const AFTER: TranscriptDigest = TranscriptDigest([3; 32]);

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
        let drafts = vec![draft];
        let asked = proof_rubric(&whole, &drafts, &scene.transcript);
        let checks = BTreeMap::new();
        let card = scorecard(&asked, &scene.transcript, &checks, judges, Aggregation::Strictest);
        EntailedFixup::prove(drafts, &scene.transcript, scene.digest, AFTER, &card)
    }

    const GOOD: &str = "Try the breathing exercise for a few nights.";
    const ALL: &str = "KIND=YES GATE=YES _continuity_1=YES";

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
        let edits = fixup.edits(&scene.record, &scene.transcript, scene.digest).unwrap();
        assert_eq!(
            edits.iter().map(|e| (e.span.of(&scene.record), e.text.as_str())).collect::<Vec<_>>(),
            [(", you silly goose", " for a few nights")]
        );
        expect!["drafted by d; the user's next message follows, by its words and by every judge; KIND and the safety gates hold for a, b"].assert_eq(&fixup.evidence());
        assert_eq!((fixup.before(), fixup.after()), (scene.digest, AFTER));
    }

    #[test]
    fn the_last_reply_needs_no_continuity() {
        let scene = scene();
        let draft = draft(&scene, 1, "Please stop it then.").unwrap();
        let fixup = prove(&scene, draft, &[said("a", "KIND=YES GATE=YES")]).unwrap();
        assert!(fixup.evidence().contains("no message has to follow"), "{}", fixup.evidence());
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
            &[ALL, "KIND=YES GATE=YES _continuity_1=NO"],
            expect!["j1 says the user's next message no longer follows: so it is"],
        );
        refused(
            GOOD,
            &[ALL, "KIND=NO GATE=YES _continuity_1=YES"],
            expect!["the rewrite still fails KIND"],
        );
        refused(
            GOOD,
            &["KIND=YES GATE=NO _continuity_1=YES"],
            expect!["the rewrite fails the safety gate GATE"],
        );
        refused(
            GOOD,
            &["KIND=YES GATE=NA _continuity_1=YES"],
            expect!["the rewrite fails the safety gate GATE"],
        );
        refused(
            GOOD,
            &[ALL, "KIND=YES GATE=- _continuity_1=YES"],
            expect!["nothing is proven: GATE could not be judged"],
        );
        refused(
            GOOD,
            &["KIND=YES GATE=YES"],
            expect!["nothing is proven: _continuity_1 could not be judged"],
        );
        refused(
            GOOD,
            &["KIND=- GATE=YES _continuity_1=YES"],
            expect!["nothing is proven: KIND could not be judged"],
        );
        refused(
            GOOD,
            &[],
            expect!["nothing is proven: KIND, GATE, _continuity_1 could not be judged"],
        );
        refused(REPLY, &[ALL], expect!["the draft says what the reply says already"]);
    }

    #[test]
    fn several_replies_are_proven_as_a_whole_or_not_at_all() {
        let scene = scene();
        let whole = rubric(vec![criterion("KIND"), criterion("GATE").gate()]);
        let proven = |second: &str, answers: &str| {
            let drafts = vec![draft(&scene, 0, GOOD)?, draft(&scene, 1, second)?];
            let asked = proof_rubric(&whole, &drafts, &scene.transcript);
            assert_eq!(asked.criteria.len(), 3, "the last reply has no next message");
            let (checks, judges) = (BTreeMap::new(), [said("a", answers)]);
            let strictest = Aggregation::Strictest;
            let card = scorecard(&asked, &scene.transcript, &checks, &judges, strictest);
            EntailedFixup::prove(drafts, &scene.transcript, scene.digest, AFTER, &card)
        };
        let fixup = proven("Please stop.", ALL).unwrap();
        let edits = fixup.edits(&scene.record, &scene.transcript, scene.digest).unwrap();
        let after = apply_edits(&scene.record, &edits).unwrap();
        assert_eq!(
            after,
            scene.record.replace(REPLY, GOOD).replace("Then stop it.", "Please stop.")
        );
        assert_eq!(
            (fixup.place().as_str(), fixup.criteria()),
            ("exchanges 1, 2", vec!["KIND".into()])
        );
        assert_eq!(
            fixup.edits(&scene.record, &scene.transcript, TranscriptDigest([9; 32])),
            Err(Refusal::Stale)
        );
        let refused = |answers: &str| proven("Please stop.", answers).unwrap_err().to_string();
        expect!["exchange 1: a says the user's next message no longer follows: so it is"]
            .assert_eq(&refused("KIND=YES GATE=YES _continuity_1=NO"));
        expect!["the rewrite still fails KIND"]
            .assert_eq(&refused("KIND=NO GATE=YES _continuity_1=YES"));
        expect!["nothing is proven: _continuity_1 could not be judged"]
            .assert_eq(&refused("KIND=YES GATE=YES"));
    }

    #[test]
    fn a_proof_is_about_one_text() {
        let scene = scene();
        let fixup = prove(&scene, draft(&scene, 0, GOOD).unwrap(), &[said("a", ALL)]).unwrap();
        let (transcript, record) = conversation(&["user: Other.", "assistant: Text."]);
        let digest = digest::of(&record, &transcript);
        assert_eq!(fixup.edits(&record, &transcript, digest), Err(Refusal::Stale));
        let moved = TranscriptDigest([9; 32]);
        assert_eq!(fixup.edits(&scene.record, &scene.transcript, moved), Err(Refusal::Stale));
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
