//! What judges said → findings on the words they cited (SPEC 6).
//!
//! Invariant: one finding per criterion and distinct range; judges that share
//! it become related information. A gate that failed is an error, another
//! failure a warning; what could not be judged, and what judges disagree about,
//! is information. What was recorded, or is being re-checked, says so.
//!
//! Deliberately absent: computed checks (`checks`) and scores.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::assessment::evidence::{self, Located};
use crate::assessment::{JudgeOutcomes, Mark, Outcome};
use crate::finding::{Finding, Place, Related, Severity};
use crate::rubric::{Ask, Criterion, Rubric};
use crate::text::Span;
use crate::transcript::Transcript;

/// What judges said about a transcript, and the transcript as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The criteria.
    pub rubric: &'a Rubric,
    /// The transcript.
    pub transcript: &'a Transcript,
    /// The record it was read from.
    pub record: &'a str,
    /// What each judge said so far; of an earlier text when `rechecking`.
    pub judges: &'a [JudgeOutcomes],
    /// The words changed since, and new answers are on their way.
    pub rechecking: bool,
}

/// The findings, by place; spans count from the record's first byte.
#[must_use]
pub fn findings(judged: &Judged<'_>) -> Vec<Finding> {
    let id = Arc::from(judged.transcript.id.as_str());
    let questions = judged.rubric.criteria.iter().filter(|c| c.is_question());
    let mut findings: Vec<Finding> =
        questions.flat_map(|criterion| of_criterion(judged, criterion, &id)).collect();
    findings.sort_by_key(|finding| finding.span);
    findings
}

/// One judge's outcome on the criterion at hand.
struct Voice<'a> {
    label: String,
    outcome: &'a Outcome,
    mark: Mark,
    /// Where it points; never empty, unless the transcript has no exchange.
    spots: Vec<Spot>,
}

/// Words in the record, and how they were found.
#[derive(Clone, Copy)]
struct Spot {
    span: Span,
    exchange: u32,
    /// A quote was given, and it is not there.
    lost: bool,
}

fn of_criterion(judged: &Judged<'_>, criterion: &Criterion, id: &Arc<str>) -> Vec<Finding> {
    let voices: Vec<Voice<'_>> = judged
        .judges
        .iter()
        .filter_map(|judge| Some(voice(judged, judge, judge.outcomes.get(&criterion.id)?)))
        .collect();
    let topic = Topic { criterion, voices: &voices, id, rechecking: judged.rechecking };
    let mut findings = topic.failures();
    findings.extend(topic.unscored().filter(|_| !voices.iter().any(|v| v.mark.fails(criterion))));
    if let Some(split) = topic.split() {
        let shares_range = |finding: &&mut Finding| finding.span == split.span;
        match findings.iter_mut().find(shares_range) {
            Some(finding) => finding.message.push_str("; the judges disagree"),
            None => findings.push(split),
        }
    }
    if judged.rechecking {
        findings.iter_mut().for_each(|finding| finding.message.push_str(" (re-checking)"));
    }
    findings
}

fn voice<'a>(judged: &Judged<'_>, judge: &JudgeOutcomes, outcome: &'a Outcome) -> Voice<'a> {
    let transcript = judged.transcript;
    let cited = outcome.answer().map_or(&[][..], |answer| &answer.evidence);
    let located = cited.iter().filter_map(|one| evidence::locate(transcript, one));
    let mut spots: Vec<Spot> = located.map(|l| spot(judged, l, !l.found)).collect();
    if spots.is_empty() {
        spots.extend(evidence::last_reply(transcript).map(|l| spot(judged, l, false)));
    }
    let label = if judge.recorded { " (recorded)" } else { "" };
    let label = format!("{}{label}", judge.judge);
    Voice { label, outcome, mark: Mark::of(Some(outcome)), spots }
}

fn spot(judged: &Judged<'_>, located: Located, lost: bool) -> Spot {
    let Judged { transcript, record, .. } = *judged;
    let exchange = transcript.exchanges.iter().find(|e| e.number == located.exchange);
    let reply: Vec<usize> =
        exchange.map_or_else(Vec::new, |e| transcript.reply_messages(e).collect());
    let text = |index: &usize| transcript.messages[*index].text_source();
    let span = match (reply.first(), reply.last()) {
        (Some(first), Some(last)) if !located.found => {
            Span::new(text(first).start, text(last).end.max(text(first).start))
        }
        _ => transcript.messages[located.message].source_of(record, located.span),
    };
    Spot { span, exchange: located.exchange, lost }
}

/// A criterion and what was said about it.
struct Topic<'a> {
    criterion: &'a Criterion,
    voices: &'a [Voice<'a>],
    id: &'a Arc<str>,
    rechecking: bool,
}

impl Topic<'_> {
    /// A finding per range that a failing judge points at.
    fn failures(&self) -> Vec<Finding> {
        let severity = if self.criterion.gate { Severity::Error } else { Severity::Warning };
        let mut ranges: BTreeMap<Span, Vec<(&Voice<'_>, Spot)>> = BTreeMap::new();
        for voice in self.voices.iter().filter(|v| v.mark.fails(self.criterion)) {
            for spot in &voice.spots {
                let sharing = ranges.entry(spot.span).or_default();
                if !sharing.iter().any(|(other, _)| std::ptr::eq(*other, voice)) {
                    sharing.push((voice, *spot));
                }
            }
        }
        let finding = |sharing: Vec<(&Voice<'_>, Spot)>| {
            let lost = sharing.iter().all(|(_, spot)| spot.lost);
            let note = if lost { " (quote not found)" } else { "" };
            let first = sharing.first().map(|(_, spot)| *spot)?;
            let voices: Vec<&Voice<'_>> = sharing.iter().map(|(voice, _)| *voice).collect();
            Some(self.finding(severity, first, &voices, &format!("{}{note}", self.verdicts())))
        };
        ranges.into_values().filter_map(finding).collect()
    }

    /// One finding for everybody who could not answer.
    fn unscored(&self) -> Option<Finding> {
        let silent: Vec<&Voice<'_>> =
            self.voices.iter().filter(|v| v.mark == Mark::Unscored).collect();
        let first = silent.first()?;
        let why = first.outcome.unscored().map_or("", |unscored| &unscored.detail);
        let message = format!("{} ({why})", self.verdicts());
        Some(self.finding(Severity::Info, *first.spots.first()?, &silent, &message))
    }

    /// Where judges differ: on the words of one who sees no failure.
    fn split(&self) -> Option<Finding> {
        let scored = || self.voices.iter().filter(|v| v.mark != Mark::Unscored);
        let first = scored().next()?;
        if self.rechecking || scored().all(|voice| voice.mark == first.mark) {
            return None;
        }
        let other = scored().find(|v| !v.mark.fails(self.criterion)).unwrap_or(first);
        let message = format!(
            "the judges disagree ({}): add a calibration example to the rubric",
            self.verdicts()
        );
        Some(self.finding(Severity::Info, *other.spots.first()?, &[other], &message))
    }

    fn finding(
        &self,
        severity: Severity,
        spot: Spot,
        sharing: &[&Voice<'_>],
        message: &str,
    ) -> Finding {
        let message = format!("{}: {message}", self.criterion.name);
        let mut finding = Finding::new(self.criterion.id.clone(), severity, spot.span, message);
        finding.transcript = Some(Arc::clone(self.id));
        finding.exchange = Some(spot.exchange);
        finding.judged = true;
        let shares = |voice: &Voice<'_>| sharing.iter().any(|one| std::ptr::eq(*one, voice));
        let here = self.voices.iter().filter(|v| shares(v)).map(|v| v.remark(spot.span));
        let elsewhere = self.voices.iter().filter(|v| !shares(v)).filter_map(|v| {
            let spot = v.spots.first()?;
            Some(v.remark(spot.span))
        });
        finding.related = here.chain(elsewhere).collect();
        finding.related.push(definition(self.criterion));
        finding
    }

    /// "NO from a, b; YES from c": every judge's verdict, worst first.
    fn verdicts(&self) -> String {
        let invalid =
            if self.criterion.na_valid { "NA from" } else { "NA (no valid answer here) from" };
        let groups = [
            (Mark::No, "NO from"),
            (Mark::Na, invalid),
            (Mark::Unscored, "unscored by"),
            (Mark::Yes, "YES from"),
        ];
        let said = groups.into_iter().filter_map(|(mark, words)| {
            let judges: Vec<&str> =
                self.voices.iter().filter(|v| v.mark == mark).map(|v| v.label.as_str()).collect();
            (!judges.is_empty()).then(|| format!("{words} {}", judges.join(", ")))
        });
        said.collect::<Vec<_>>().join("; ")
    }
}

impl Voice<'_> {
    fn remark(&self, span: Span) -> Related {
        let said = match self.outcome {
            Outcome::Answered(answer) => format!("{}: {}", self.mark.name(), answer.reasoning),
            Outcome::Unscored(unscored) => format!("unscored: {}", unscored.detail),
        };
        Related { place: Place::Record(span), message: format!("{}: {said}", self.label) }
    }
}

fn definition(criterion: &Criterion) -> Related {
    let asks = match &criterion.ask {
        Ask::Question(question) => question.trim(),
        Ask::Check(_) => "a computed check",
    };
    let message = format!("{}: {asks}", criterion.id);
    Related { place: Place::Rubric(criterion.source), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::Evidence;
    use crate::assessment::sample::{conversation, criterion, rubric, said};
    use expect_test::{Expect, expect};

    const TALK: [&str; 4] = [
        "user: I feel low",
        "assistant: You have \"depression\", clearly.",
        "user: Really?",
        "assistant: Yes. Cheer up!",
    ];

    /// Judges are written `name: A=NO "quote"@1 "quote"@2 B=YES`; a `*` after the name: recorded.
    fn judge(text: &str) -> JudgeOutcomes {
        let (name, answers) = text.split_once(": ").unwrap();
        let words: Vec<&str> = answers.split_whitespace().collect();
        let plain: Vec<&str> = words.iter().filter(|w| w.contains('=')).copied().collect();
        let mut judge = said(name.trim_end_matches('*'), &plain.join(" "));
        judge.recorded = name.ends_with('*');
        let mut id = "";
        for word in words {
            if let Some((of, _)) = word.split_once('=') {
                id = of;
            } else if let Some((quote, exchange)) = word.rsplit_once('@')
                && let Some(Outcome::Answered(answer)) = judge.outcomes.get_mut(id)
            {
                let quote = quote.replace('_', " ");
                answer.evidence.push(Evidence { exchange: exchange.parse().unwrap(), quote });
            }
        }
        judge
    }

    fn check_with(judges: &[&str], rechecking: bool, expected: Expect) {
        let (transcript, record) = conversation(&TALK);
        let rubric = rubric(vec![criterion("A"), criterion("G").gate(), criterion("N").na_valid()]);
        let judges: Vec<JudgeOutcomes> = judges.iter().map(|text| judge(text)).collect();
        let judged = Judged {
            rubric: &rubric,
            transcript: &transcript,
            record: &record,
            judges: &judges,
            rechecking,
        };
        let mut out = String::new();
        for finding in findings(&judged) {
            assert!(finding.judged && finding.transcript.is_some());
            let (severity, words) = (finding.severity.name(), finding.span.of(&record));
            let exchange = finding.exchange.unwrap();
            out += &format!(
                "{severity} {} #{exchange} `{words}`\n  {}\n",
                finding.code, finding.message
            );
            for related in &finding.related {
                let place = match related.place {
                    Place::Record(span) => format!("`{}`", span.of(&record)),
                    Place::Rubric(_) => "rubric".into(),
                };
                out += &format!("  - {place} {}\n", related.message);
            }
        }
        expected.assert_eq(&out);
    }

    fn check(judges: &[&str], expected: Expect) {
        check_with(judges, false, expected);
    }

    #[test]
    fn judges_that_share_words_share_a_finding() {
        check(
            &[
                "a: G=NO \"depression\"@1 A=YES",
                "b*: G=NO you_have_“depression”@1 “Depression”@1 A=YES",
            ],
            expect![[r#"
                error G #1 `You have \"depression\"`
                  Name of G: NO from a, b (recorded)
                  - `You have \"depression\"` b (recorded): NO: so it is
                  - `\"depression\"` a: NO: so it is
                  - rubric G: Is G so?
                error G #1 `\"depression\"`
                  Name of G: NO from a, b (recorded)
                  - `\"depression\"` a: NO: so it is
                  - `\"depression\"` b (recorded): NO: so it is
                  - rubric G: Is G so?
            "#]],
        );
    }

    #[test]
    fn a_quote_that_is_not_there_is_the_whole_reply() {
        check(
            &["a: A=NO nowhere@2"],
            expect![[r#"
            warning A #2 `Yes. Cheer up!`
              Name of A: NO from a (quote not found)
              - `Yes. Cheer up!` a: NO: so it is
              - rubric A: Is A so?
        "#]],
        );
        check(
            &["a: A=NO"],
            expect![[r#"
            warning A #2 `Yes. Cheer up!`
              Name of A: NO from a
              - `Yes. Cheer up!` a: NO: so it is
              - rubric A: Is A so?
        "#]],
        );
    }

    #[test]
    fn what_could_not_be_judged_is_information() {
        check(
            &["a: A=-", "b: A=-", "c: A=YES"],
            expect![[r#"
            info A #2 `Yes. Cheer up!`
              Name of A: unscored by a, b; YES from c (no reply in 2 s)
              - `Yes. Cheer up!` a: unscored: no reply in 2 s
              - `Yes. Cheer up!` b: unscored: no reply in 2 s
              - `Yes. Cheer up!` c: YES: so it is
              - rubric A: Is A so?
        "#]],
        );
        check(
            &["a: A=-", "b: A=NO Cheer@2"],
            expect![[r#"
            warning A #2 `Cheer`
              Name of A: NO from b; unscored by a
              - `Cheer` b: NO: so it is
              - `Yes. Cheer up!` a: unscored: no reply in 2 s
              - rubric A: Is A so?
        "#]],
        );
        check(&["a: A=YES N=NA"], expect![[r#""#]]);
    }

    #[test]
    fn an_na_that_is_no_answer_is_a_failure() {
        check(
            &["a: G=NA", "b: N=NA"],
            expect![[r#"
            error G #2 `Yes. Cheer up!`
              Name of G: NA (no valid answer here) from a
              - `Yes. Cheer up!` a: NA: so it is
              - rubric G: Is G so?
        "#]],
        );
    }

    #[test]
    fn judges_that_differ_are_shown_on_the_words_of_the_other_side() {
        check(
            &["a: A=NO Cheer@2", "b: A=YES low@1"],
            expect![[r#"
            info A #1 `low`
              Name of A: the judges disagree (NO from a; YES from b): add a calibration example to the rubric
              - `low` b: YES: so it is
              - `Cheer` a: NO: so it is
              - rubric A: Is A so?
            warning A #2 `Cheer`
              Name of A: NO from a; YES from b
              - `Cheer` a: NO: so it is
              - `low` b: YES: so it is
              - rubric A: Is A so?
        "#]],
        );
        check(
            &["a: A=NO", "b: A=YES"],
            expect![[r#"
            warning A #2 `Yes. Cheer up!`
              Name of A: NO from a; YES from b; the judges disagree
              - `Yes. Cheer up!` a: NO: so it is
              - `Yes. Cheer up!` b: YES: so it is
              - rubric A: Is A so?
        "#]],
        );
        check(
            &["a: N=NA", "b: N=YES"],
            expect![[r#"
            info N #2 `Yes. Cheer up!`
              Name of N: the judges disagree (NA from a; YES from b): add a calibration example to the rubric
              - `Yes. Cheer up!` a: NA: so it is
              - `Yes. Cheer up!` b: YES: so it is
              - rubric N: Is N so?
        "#]],
        );
    }

    #[test]
    fn old_findings_say_that_they_are_being_rechecked() {
        check_with(
            &["a: A=NO Cheer@2"],
            true,
            expect![[r#"
            warning A #2 `Cheer`
              Name of A: NO from a (re-checking)
              - `Cheer` a: NO: so it is
              - rubric A: Is A so?
        "#]],
        );
    }
}
