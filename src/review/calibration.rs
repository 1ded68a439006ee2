//! A reply that a person read, made a calibration example of a criterion.
//!
//! Invariant: nothing is invented: the context is what the user wrote, the response
//! is the reply, the reasoning is what the person and the judges that agree with the
//! label said; where nobody said why, the example asks for it.

use crate::assessment::JudgeOutcomes;
use crate::rubric::{CalibrationExample, ExampleLabel, Verdict};
use crate::transcript::Transcript;

/// The example that an exchange makes: the one named, else the one that the judges
/// cite, else the last. `None` where there is no such exchange.
#[must_use]
pub fn example(
    transcript: &Transcript,
    exchange: Option<u32>,
    label: ExampleLabel,
    criterion: &str,
    said: &[JudgeOutcomes],
    notes: &[&str],
) -> Option<CalibrationExample> {
    let cited = || said.iter().filter_map(|judge| judge.outcomes.get(criterion)?.answer());
    let evidence = || cited().flat_map(|answer| &answer.evidence).map(|one| one.exchange).next();
    let wanted = exchange.or_else(evidence);
    let is_wanted = |number: u32| wanted.is_none_or(|wanted| wanted == number);
    let mut exchanges = transcript.exchanges.iter().rev();
    let found = exchanges.find(|one| is_wanted(one.number)).or_else(|| {
        // A judge may cite an exchange that is not there.
        transcript.exchanges.last().filter(|_| exchange.is_none())
    })?;
    Some(CalibrationExample {
        label,
        context: transcript.user_text(found),
        response: transcript.reply(found),
        reasoning: reasoning(label, criterion, said, notes),
    })
}

fn reasoning(
    label: ExampleLabel,
    criterion: &str,
    said: &[JudgeOutcomes],
    notes: &[&str],
) -> String {
    let passes = matches!(label, ExampleLabel::Pass | ExampleLabel::BorderlinePass);
    let agrees = if passes { Verdict::Yes } else { Verdict::No };
    let mut why: Vec<String> = Vec::new();
    let mut against: Vec<String> = Vec::new();
    why.extend(notes.iter().map(|note| note.trim().to_owned()));
    for judge in said {
        let Some(answer) = judge.outcomes.get(criterion).and_then(|o| o.answer()) else { continue };
        let text = answer.reasoning.trim().to_owned();
        if answer.verdict == agrees {
            why.push(text);
        } else {
            against.push(format!("{} said {}: {text}", judge.judge, answer.verdict.name()));
        }
    }
    why.retain(|text| !text.is_empty());
    why.dedup();
    if why.is_empty() {
        let word = if passes { "passes" } else { "fails" };
        why.push(format!("TODO: say why this {word}."));
        why.extend(against);
    }
    why.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::sample::{conversation, said};

    #[test]
    fn the_reasons_are_those_that_agree_with_the_label() {
        let talk = ["user: One?", "assistant: Yes.", "user: Two?", "assistant: No."];
        let (transcript, _) = conversation(&talk);
        let judges = [said("a", "A=NO"), said("b", "A=YES")];
        let of = |exchange, label, notes: &[&str]| {
            example(&transcript, exchange, label, "A", &judges, notes).unwrap()
        };
        let fail = of(Some(1), ExampleLabel::Fail, &["It is curt."]);
        assert_eq!((fail.context.as_str(), fail.response.as_str()), ("One?", "Yes."));
        assert!(fail.reasoning.starts_with("It is curt.\n"), "{}", fail.reasoning);
        assert_eq!(of(None, ExampleLabel::Pass, &[]).context, "Two?");
        let alone = [said("a", "A=NO")];
        let pass = example(&transcript, None, ExampleLabel::BorderlinePass, "A", &alone, &[]);
        let reasoning = pass.unwrap().reasoning;
        assert!(reasoning.starts_with("TODO: say why this passes.\na said NO: "), "{reasoning}");
        assert_eq!(example(&transcript, Some(9), ExampleLabel::Pass, "A", &judges, &[]), None);
    }
}
