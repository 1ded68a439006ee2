//! A judge's reply text → an outcome per asked criterion (SPEC 5.3).
//!
//! Invariant: there is exactly one outcome per asked criterion and none for any
//! other; answered only where the reply says so once, completely, in the asked
//! form. What is wrong about one criterion costs that criterion alone.
//!
//! | the reply | its criterion is unscored as |
//! |---|---|
//! | is not one JSON object | malformed, all of them |
//! | has no property, or the property lacks a field | missing |
//! | has the property twice, or a field twice with one value | duplicate |
//! | has `answer` twice with two values, or cites an exchange that is not there | contradictory |
//! | has a field nobody asked for | extra |
//! | has a field of the wrong type, or another answer than YES, NO, NA | malformed |
//! | gives no reason: an empty one, a lone sign, a bare "Thought process:" | malformed |
//!
//! A property for a criterion that was not asked hurts no other. Deliberately
//! absent: reading answers out of prose.

use std::collections::BTreeMap;

use crate::rubric::Verdict;
use crate::text::json::{self, Kind, Member, Value};

use super::{Answer, Evidence, Outcome, Unscored, UnscoredReason};

/// The fields of an answer, in the order in which they are asked for.
pub const FIELDS: [&str; 3] = ["reasoning", "evidence", "answer"];
const EVIDENCE_FIELDS: [&str; 2] = ["exchange", "quote"];

/// Reads a reply. `exchanges` is how many the transcript has; `fenced` allows
/// one code fence around the object (`openai-compatible` servers).
#[must_use]
pub fn read(
    text: &str,
    asked: &[&str],
    exchanges: usize,
    fenced: bool,
) -> BTreeMap<String, Outcome> {
    let text = if fenced { unfenced(text) } else { text };
    let json = json::parse(text, json::DEPTH_LIMIT);
    let syntax = json.syntax_problem().is_some();
    let Some(root) = json.root(text).filter(|root| !syntax && root.kind() == Kind::Object) else {
        let outcome: Outcome = malformed("the reply is not one JSON object").into();
        return asked.iter().map(|id| ((*id).to_owned(), outcome.clone())).collect();
    };
    let mut by_id: BTreeMap<String, Vec<Value<'_>>> =
        asked.iter().map(|id| ((*id).to_owned(), Vec::new())).collect();
    for member in root.members() {
        if let Some(values) = by_id.get_mut(member.key.decode().as_ref()) {
            values.push(member.value);
        }
    }
    by_id.into_iter().map(|(id, values)| (id, outcome(&values, exchanges))).collect()
}

/// What is inside a code fence, when the whole text is one.
#[must_use]
pub fn unfenced(text: &str) -> &str {
    let inside = || {
        let body = text.trim().strip_prefix("```")?.strip_suffix("```")?;
        let (language, body) = body.split_once('\n')?;
        let language = language.trim();
        (language.is_empty() || language.eq_ignore_ascii_case("json")).then_some(body)
    };
    inside().unwrap_or(text)
}

fn outcome(values: &[Value<'_>], exchanges: usize) -> Outcome {
    let read = match values {
        [] => Err(Unscored::new(UnscoredReason::Missing, "the reply does not answer it")),
        [value] => answer(*value, exchanges),
        _ => Err(Unscored::new(UnscoredReason::Duplicate, "the reply answers it twice")),
    };
    read.map_or_else(Outcome::Unscored, Outcome::Answered)
}

fn answer(value: Value<'_>, exchanges: usize) -> Result<Answer, Unscored> {
    let [reasoning, evidence, verdict] = fields(value, FIELDS)?;
    let reasoning = reasoning.str().ok_or_else(|| wrong_type("reasoning", "a string"))?;
    if says_nothing(&reasoning) {
        return Err(malformed("its `reasoning` says nothing"));
    }
    let word = verdict.str().ok_or_else(|| wrong_type("answer", "a string"))?;
    let verdict =
        Verdict::from_name(&word).ok_or_else(|| malformed("`answer` is none of YES, NO and NA"))?;
    if evidence.kind() != Kind::Array {
        return Err(wrong_type("evidence", "a list"));
    }
    let evidence = evidence.items().map(|item| cited(item, exchanges)).collect::<Result<_, _>>()?;
    Ok(Answer { verdict, reasoning: reasoning.into_owned(), evidence })
}

/// Openings that announce a reason. A model that stops there has judged nothing,
/// and its answer is known to lean to YES.
const OPENINGS: [&str; 6] =
    ["thought process", "thinking", "reasoning", "reason", "solution", "let's think step by step"];

/// True for a text without a letter or digit, and for a bare opening.
#[must_use]
pub fn says_nothing(text: &str) -> bool {
    let words = text.trim_matches(|c: char| !c.is_alphanumeric());
    words.is_empty() || OPENINGS.iter().any(|opening| words.eq_ignore_ascii_case(opening))
}

fn cited(item: Value<'_>, exchanges: usize) -> Result<Evidence, Unscored> {
    let [exchange, quote] = fields(item, EVIDENCE_FIELDS)?;
    let number = exchange.integer().ok_or_else(|| wrong_type("exchange", "an integer"))?;
    let quote = quote.str().ok_or_else(|| wrong_type("quote", "a string"))?;
    let there = u32::try_from(number).ok().filter(|n| (1..=exchanges).contains(&(*n as usize)));
    let exchange = there.ok_or_else(|| {
        let detail = format!("it cites exchange {number} of {exchanges}");
        Unscored::new(UnscoredReason::Contradictory, detail)
    })?;
    Ok(Evidence { exchange, quote: quote.into_owned() })
}

/// The values of exactly these fields, each once.
fn fields<'a, const N: usize>(
    value: Value<'a>,
    names: [&'static str; N],
) -> Result<[Value<'a>; N], Unscored> {
    if value.kind() != Kind::Object {
        let detail = format!("{} where an object was asked for", value.kind().with_article());
        return Err(malformed(&detail));
    }
    if value.members().any(|m| !names.contains(&m.key.decode().as_ref())) {
        let detail = format!("it has other fields than {}", names.join(", "));
        return Err(Unscored::new(UnscoredReason::Extra, detail));
    }
    let mut found: [Option<Value<'a>>; N] = [None; N];
    for (slot, name) in found.iter_mut().zip(names) {
        *slot = Some(only(value.members().filter(|m| m.key.decode() == name), name)?);
    }
    let missing = || Unscored::new(UnscoredReason::Missing, "a field is missing");
    let values: Vec<Value<'a>> = found.into_iter().flatten().collect();
    values.try_into().map_err(|_| missing())
}

fn only<'a>(
    mut members: impl Iterator<Item = Member<'a>>,
    name: &str,
) -> Result<Value<'a>, Unscored> {
    let Some(first) = members.next() else {
        let detail = format!("its `{name}` is missing");
        return Err(Unscored::new(UnscoredReason::Missing, detail));
    };
    let Some(second) = members.next() else {
        return Ok(first.value);
    };
    let differs = first.value.raw() != second.value.raw();
    Err(if name == "answer" && differs {
        Unscored::new(UnscoredReason::Contradictory, "its `answer` is given twice, differently")
    } else {
        Unscored::new(UnscoredReason::Duplicate, format!("its `{name}` is given twice"))
    })
}

fn malformed(detail: &str) -> Unscored {
    Unscored::new(UnscoredReason::Malformed, detail)
}

fn wrong_type(field: &str, wanted: &str) -> Unscored {
    malformed(&format!("its `{field}` is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    const GOOD: &str = r#"{"reasoning":"r","evidence":[],"answer":"YES"}"#;

    fn check(text: &str, expected: Expect) {
        let lines: Vec<String> = read(text, &["A", "B"], 3, true)
            .iter()
            .map(|(id, outcome)| match outcome {
                Outcome::Answered(a) => format!("{id} {} {:?}", a.verdict.name(), a.evidence),
                Outcome::Unscored(u) => format!("{id} {:?}: {}", u.reason, u.detail),
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    fn check_b(b: &str, expected: Expect) {
        check(&format!(r#"{{"A":{GOOD},{b}}}"#), expected);
    }

    #[test]
    fn a_complete_reply_answers_everything() {
        check_b(
            r#""B":{"reasoning":"r","evidence":[{"exchange":3,"quote":"q\u00e9"}],"answer":"NO"}"#,
            expect![[r#"
            A YES []
            B NO [Evidence { exchange: 3, quote: "qé" }]"#]],
        );
        check_b(
            r#""B":{"answer":"NA","evidence":[],"reasoning":"n"}, "Z": 1"#,
            expect![[r#"
            A YES []
            B NA []"#]],
        );
    }

    #[test]
    fn what_is_wrong_costs_that_criterion_alone() {
        let other = |b: &str, expected: Expect| {
            check_b(b, expected);
        };
        other(
            r#""C":1"#,
            expect![[r#"
            A YES []
            B Missing: the reply does not answer it"#]],
        );
        other(
            &format!(r#""B":{GOOD},"\u0042":{GOOD}"#),
            expect![[r#"
            A YES []
            B Duplicate: the reply answers it twice"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[]}"#,
            expect![[r#"
            A YES []
            B Missing: its `answer` is missing"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[],"answer":"YES","score":1}"#,
            expect![[r#"
            A YES []
            B Extra: it has other fields than reasoning, evidence, answer"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[],"answer":"YES","answer":"NO"}"#,
            expect![[r#"
            A YES []
            B Contradictory: its `answer` is given twice, differently"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[],"answer":"YES","answer":"YES"}"#,
            expect![[r#"
            A YES []
            B Duplicate: its `answer` is given twice"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[{"exchange":4,"quote":"q"}],"answer":"NO"}"#,
            expect![[r#"
            A YES []
            B Contradictory: it cites exchange 4 of 3"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[],"answer":"Yes"}"#,
            expect![[r#"
            A YES []
            B Malformed: `answer` is none of YES, NO and NA"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":null,"answer":"YES"}"#,
            expect![[r#"
            A YES []
            B Malformed: its `evidence` is not a list"#]],
        );
        other(
            r#""B":{"reasoning":"r","evidence":[{"exchange":1.0,"quote":"q"}],"answer":"NO"}"#,
            expect![[r#"
            A YES []
            B Malformed: its `exchange` is not an integer"#]],
        );
        other(
            r#""B":"YES""#,
            expect![[r#"
            A YES []
            B Malformed: a string where an object was asked for"#]],
        );
    }

    #[test]
    fn an_answer_without_a_reason_is_none() {
        for reasoning in
            ["", " ", ":", "…", "\\n**:**", "Thought process:", "REASONING", "Solution"]
        {
            let reply = format!(
                r#"{{"A":{GOOD},"B":{{"reasoning":"{reasoning}","evidence":[],"answer":"YES"}}}}"#
            );
            let outcomes = read(&reply, &["A", "B"], 1, false);
            let reason = outcomes["B"].unscored().map(|u| u.reason);
            assert_eq!(reason, Some(UnscoredReason::Malformed), "{reasoning}");
            assert!(outcomes["A"].answer().is_some());
        }
        for reasoning in ["r", "好", "Reasoning: it is short.", "1"] {
            assert!(!says_nothing(reasoning), "{reasoning}");
        }
    }

    #[test]
    fn one_code_fence_is_read_through_and_prose_is_not() {
        let both = format!(r#"{{"A":{GOOD},"B":{GOOD}}}"#);
        check(
            &format!("```json\n{both}\n```"),
            expect![[r#"
            A YES []
            B YES []"#]],
        );
        for text in [
            format!("Here it is:\n{both}"),
            format!("{both}\n{both}"),
            format!("[{both}]"),
            "I cannot say.".to_owned(),
            String::new(),
            format!("```json\n{both}"),
            both[..both.len() - 1].to_owned(),
        ] {
            let outcomes = read(&text, &["A"], 3, true);
            let reason = outcomes["A"].unscored().map(|u| u.reason);
            assert_eq!(reason, Some(UnscoredReason::Malformed), "{text}");
        }
        let strict = read(&format!("```\n{both}\n```"), &["A"], 1, false);
        assert!(strict["A"].unscored().is_some());
    }

    fn piece() -> impl Strategy<Value = String> {
        let fragment = prop_oneof![
            Just(r#""A":"#.to_owned()),
            Just(r#""B":"#.to_owned()),
            Just(GOOD.to_owned()),
            Just(r#"{"reasoning":"#.to_owned()),
            Just(r#""answer":"YES""#.to_owned()),
            Just(r#""answer":"MAYBE""#.to_owned()),
            Just(r#""evidence":[{"exchange":2,"quote":"#.to_owned()),
            "[{}\\[\\],:\"0-9a-z`\\n ]{0,6}",
        ];
        prop::collection::vec(fragment, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_asked_criterion_has_one_outcome_and_no_other(text in prop_oneof![piece(), "\\PC{0,80}"]) {
            let outcomes = read(&text, &["A", "B"], 3, true);
            prop_assert_eq!(outcomes.keys().map(String::as_str).collect::<Vec<_>>(), ["A", "B"]);
            let answered = outcomes.values().filter(|o| o.answer().is_some()).count();
            let said = text.matches("YES").count() + text.matches("NO").count() + text.matches("NA").count();
            prop_assert!(answered <= said);
        }
    }
}
