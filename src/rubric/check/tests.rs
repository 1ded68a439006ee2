//! Every check: kept, broken, and at its edges.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{Check, Subject};
use crate::rubric::{Ask, Verdict, parse};
use crate::testing;
use crate::transcript::Transcript;

fn made(check: &str) -> Check {
    let parsed = parse(&format!("criteria: {{Q: {{check: {check}}}}}\n"));
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    match parsed.rubric.map(|mut r| r.criteria.remove(0).ask) {
        Some(Ask::Check(check)) => check,
        _ => panic!("{check} is no check"),
    }
}

fn said(check: &str, subject: &Subject<'_>) -> String {
    let Some(result) = made(check).run(subject) else { return "not counted yet\n".into() };
    assert_eq!(result.verdict == Verdict::No, !result.spots.is_empty(), "a NO has spots");
    let mut out = format!("{}: {}\n", result.verdict.name(), result.summary);
    for spot in &result.spots {
        let text = &subject.transcript.messages[spot.message].text;
        let words = spot.decoded.of(text).replace('\n', "⏎").replace('\u{200b}', "<zero width>");
        let _ = write!(out, "  {} «{words}» {}", spot.message, spot.message_text);
        if let Some(replacement) = &spot.replacement {
            let _ = write!(out, " → «{replacement}»");
        }
        out.push('\n');
    }
    out
}

fn check(check: &str, fixture: &str, expect: Expect) {
    let (_, transcript) = testing::transcript(fixture);
    expect.assert_eq(&said(check, &Subject::new(&transcript)));
}

const TALK: &str = "
user: one two three four
assistant: a b c d e
user: one two
assistant: a b c d e f
user: one
assistant: a
";

#[test]
fn length_ratio() {
    check(
        "{length_ratio: {mean_max: 2}}",
        TALK,
        expect![[r#"
        YES: mean ratio 1.75; 1 of 3 replies over 2x
    "#]],
    );
    check(
        "{length_ratio: {mean_max: 1.5}}",
        TALK,
        expect![[r#"
        NO: mean ratio 1.75 over 1.5; 1 of 3 replies over 2x
          3 «a b c d e f» 6 words to the user's 2, ratio 3 over 1.5: shorten this reply
    "#]],
    );
    check(
        "{length_ratio: {share_over_max: 0.25}}",
        TALK,
        expect![[r#"
        NO: mean ratio 1.75; 1 of 3 replies over 2x (more than 25%)
          3 «a b c d e f» 6 words to the user's 2, ratio 3 over 2: shorten this reply
    "#]],
    );
    check(
        "{length_ratio: {share_over_max: 0.34}}",
        TALK,
        expect![[r#"
        YES: mean ratio 1.75; 1 of 3 replies over 2x
    "#]],
    );
    check(
        "{length_ratio: {mean_max: 1.5, over: 2, share_over_max: 0.25}}",
        TALK,
        expect![[r#"
        NO: mean ratio 1.75 over 1.5; 1 of 3 replies over 2x (more than 25%)
          3 «a b c d e f» 6 words to the user's 2, ratio 3 over 1.5: shorten this reply
    "#]],
    );
    // A user without words counts as one word.
    check(
        "{length_ratio: {mean_max: 1.5}}",
        "user: …\nassistant: a b",
        expect![[r#"
        NO: mean ratio 2 over 1.5; 0 of 1 replies over 2x
          1 «a b» 2 words to the user's 1, ratio 2 over 1.5: shorten this reply
    "#]],
    );
    check(
        "{length_ratio: {mean_max: 1.5}}",
        "user:\nassistant: a b",
        expect![[r#"
        NO: mean ratio 2 over 1.5; 0 of 1 replies over 2x
          1 «a b» 2 words to the user's 0, ratio 2 over 1.5: shorten this reply
    "#]],
    );
    // Scripts without spaces count segments, not one long word.
    check(
        "{length_ratio: {mean_max: 1.5}}",
        "user: 我很好\nassistant: 我很好我很好我很好",
        expect![[r#"
            NO: mean ratio 3 over 1.5; 1 of 1 replies over 2x
              1 «我很好我很好我很好» 9 words to the user's 3, ratio 3 over 1.5: shorten this reply
        "#]],
    );
}

#[test]
fn word_count() {
    check(
        "{word_count: {role: assistant, max: 5}}",
        TALK,
        expect![[r#"
            NO: 1 of 3 messages outside the word bounds
              3 «a b c d e f» 6 words, wanted at most 5: shorten this reply
        "#]],
    );
    check(
        "{word_count: {user: [2, 4], assistant: {min: 2}}}",
        TALK,
        expect![[r#"
            NO: 2 of 6 messages outside the word bounds
              4 «one» 1 word, wanted 2 to 4: lengthen this user message
              5 «a» 1 word, wanted at least 2: lengthen this reply
        "#]],
    );
    check(
        "{word_count: {user: [2, 4], share_outside_max: 0.4}}",
        TALK,
        expect![[r#"
        YES: 1 of 3 messages outside the word bounds
    "#]],
    );
    let (_, transcript) = testing::transcript(TALK);
    let styled = |style| Subject { style, ..Subject::new(&transcript) };
    let rule = "{word_count: {by_style: {terse: [1, 3], casual: [2, 9]}}}";
    expect![[r#"
        NO: 1 of 3 messages outside the word bounds
          0 «one two three four» 4 words, wanted 1 to 3: shorten this user message
    "#]]
    .assert_eq(&said(rule, &styled(Some("Terse"))));
    expect![[r#"
        NA: no bounds for the style `verbose`
    "#]]
    .assert_eq(&said(rule, &styled(Some("verbose"))));
    expect![[r#"
        NA: the record names no persona style
    "#]]
    .assert_eq(&said(rule, &styled(None)));
    let fallback = "{word_count: {user: {max: 9}, by_style: {terse: [1, 3]}}}";
    expect![[r#"
        YES: 0 of 3 messages outside the word bounds
    "#]]
    .assert_eq(&said(fallback, &styled(None)));
}

#[test]
fn questions() {
    let talk = "
user: hi
assistant: How are you? Version 3.5 is out. Is it good?? I do not know! Really?
user: fine
assistant: Good.
";
    check(
        "{questions: {max: 1}}",
        talk,
        expect![[r#"
            NO: 3 questions in 2 replies; 1 of them outside at most 1
              1 «Is it good??» 3 questions, wanted at most 1: drop this one
              1 «Really?» 3 questions, wanted at most 1: drop this one
        "#]],
    );
    check(
        "{questions: {max: 3}}",
        talk,
        expect![[r#"
            YES: 3 questions in 2 replies; 0 of them outside at most 3
        "#]],
    );
    check(
        "{questions: {min: 1}}",
        talk,
        expect![[r#"
            NO: 3 questions in 2 replies; 1 of them outside at least 1
              3 «Good.» 0 questions, wanted at least 1: ask something
        "#]],
    );
    check(
        "{questions: {max: 1, share_outside_max: 0.5}}",
        talk,
        expect![[r#"
            YES: 3 questions in 2 replies; 1 of them outside at most 1
        "#]],
    );
    check(
        "{questions: {max: 0}}",
        "user: x\nassistant: 元気ですか？はい。何？",
        expect![[r#"
            NO: 2 questions in 1 reply; 1 of them outside at most 0
              1 «元気ですか？» 2 questions, wanted at most 0: drop this one
              1 «何？» 2 questions, wanted at most 0: drop this one
        "#]],
    );
}

#[test]
fn question_endings() {
    let talk = "
user: hi
assistant: I see. What happened?
user: a
assistant: Did it? Yes.
user: b
assistant: (And *then what?*)
user: c
assistant: 😀
";
    check(
        "{question_endings: {share_max: 0.4}}",
        talk,
        expect![[r#"
        NO: 2 of 4 replies end with a question, more than 40%
          1 «What happened?» this reply ends with a question too: end with a statement or an offer
          5 «(And *then what?*)» this reply ends with a question too: end with a statement or an offer
    "#]],
    );
    check(
        "{question_endings: {share_max: 0.5}}",
        talk,
        expect![[r#"
        YES: 2 of 4 replies end with a question
    "#]],
    );
    check(
        "{question_endings: {share_min: 0.75}}",
        talk,
        expect![[r#"
        NO: 2 of 4 replies end with a question, less than 75%
          3 «Yes.» this reply ends without a question: end more replies with one
          7 «😀» this reply ends without a question: end more replies with one
    "#]],
    );
}

#[test]
fn phrases() {
    let talk = "
user: I hear you
assistant: I HEAR YOU. I hear young owls. That’s valid; delve deeper.
user: ok
assistant: Delve! delved. I hear
you. Él dijo: ÉL, él, élite.
";
    check(
        "{phrases: [I hear you, I hear, that's valid]}",
        talk,
        expect![[r#"
        NO: 4 uses of listed phrases in 2 messages; 3 phrases used too often
          1 «I HEAR YOU» "I hear you" is a phrase to avoid: say it in other words
          1 «I hear» "I hear" is a phrase to avoid: say it in other words
          1 «That’s valid» "that's valid" is a phrase to avoid: say it in other words
          3 «I hear» "I hear" is a phrase to avoid: say it in other words
    "#]],
    );
    check(
        "{phrases: {forbidden: [{phrase: delve, suggest: dig}]}}",
        talk,
        expect![[r#"
            NO: 2 uses of listed phrases in 2 messages; 1 phrase used too often
              1 «delve» "delve" is a phrase to avoid: say "dig" instead → «dig»
              3 «Delve» "delve" is a phrase to avoid: say "dig" instead → «Dig»
        "#]],
    );
    check(
        "{phrases: {forbidden: [él]}}",
        talk,
        expect![[r#"
            NO: 3 uses of listed phrases in 2 messages; 1 phrase used too often
              3 «Él» "él" is a phrase to avoid: say it in other words
              3 «ÉL» "él" is a phrase to avoid: say it in other words
              3 «él» "él" is a phrase to avoid: say it in other words
        "#]],
    );
    check(
        "{phrases: {list: [delve, owls], share_max: 0.5}}",
        talk,
        expect![[r#"
            NO: 3 uses of listed phrases in 2 messages; 1 phrase used too often
              1 «delve» "delve" is in 2 of 2 messages, more than 50%: say it in other words
              3 «Delve» "delve" is in 2 of 2 messages, more than 50%: say it in other words
        "#]],
    );
    check(
        "{phrases: {list: [delve, owls], share_max: 0.4}}",
        talk,
        expect![[r#"
        NO: 3 uses of listed phrases in 2 messages; 2 phrases used too often
          1 «owls» "owls" is in 1 of 2 messages, more than 40%: say it in other words
          1 «delve» "delve" is in 2 of 2 messages, more than 40%: say it in other words
          3 «Delve» "delve" is in 2 of 2 messages, more than 40%: say it in other words
    "#]],
    );
    check(
        "{phrases: {forbidden: [I hear you], role: user}}",
        talk,
        expect![[r#"
            NO: 1 use of listed phrases in 2 messages; 1 phrase used too often
              0 «I hear you» "I hear you" is a phrase to avoid: say it in other words
        "#]],
    );
    check(
        "{phrases: {forbidden: [never said], suggest: {delve: ''}}}",
        talk,
        expect![[r#"
            NO: 2 uses of listed phrases in 2 messages; 1 phrase used too often
              1 «delve» "delve" is a phrase to avoid: remove it → «»
              3 «Delve» "delve" is a phrase to avoid: remove it → «»
        "#]],
    );
    check(
        "{phrases: [大丈夫]}",
        "user: x\nassistant: もう大丈夫です",
        expect![[r#"
            NO: 1 use of listed phrases in 1 message; 1 phrase used too often
              1 «大丈夫» "大丈夫" is a phrase to avoid: say it in other words
        "#]],
    );
}

#[test]
fn openers() {
    let talk = "
user: a
assistant: That sounds hard.
user: b
assistant: **That sounds** good.
user: c
assistant: Well now.
user: d
assistant: that, sounds: odd
";
    check(
        "{openers: {share_max: 0.5}}",
        talk,
        expect![[r#"
        NO: 3 of 4 replies begin with "that sounds"
          3 «That sounds» 3 of 4 replies begin with "that sounds", more than 50%: begin another way
          7 «that, sounds» 3 of 4 replies begin with "that sounds", more than 50%: begin another way
    "#]],
    );
    check(
        "{openers: {share_max: 0.8}}",
        talk,
        expect![[r#"
        YES: 3 of 4 replies begin with "that sounds"
    "#]],
    );
    check(
        "{openers: {words: 1, share_max: 0.1}}",
        "user: a\nassistant: Hm.",
        expect![[r#"
        YES: 1 of 1 replies begin with "hm"
    "#]],
    );
    check(
        "openers",
        "user: a\nassistant: …",
        expect![[r#"
        YES: no replies to measure
    "#]],
    );
}

#[test]
fn patterns() {
    let talk = "
user: hi
assistant: As an AI, I cannot say. Email a@b.c
user: ok
assistant: Fine.
";
    check(
        "{pattern: {forbidden: 'as an? (\\w+),', suggest: 'being $1,'}}",
        talk,
        expect![[r#"
            NO: 1 match of the forbidden pattern
              1 «As an AI,» matches the forbidden pattern `as an? (\w+),`: replace it → «being AI,»
        "#]],
    );
    check(
        "{pattern: {forbidden: 'as an', case_sensitive: true}}",
        talk,
        expect![[r#"
        YES: 0 matches of the forbidden pattern
    "#]],
    );
    check(
        "{pattern: {required: '\\.$'}}",
        talk,
        expect![[r#"
        NO: 1 of 2 messages lack the required pattern
          1 «As an AI, I cannot say. Email a@b.c» does not match `\.$`, which every message must: add it
    "#]],
    );
    check(
        "{pattern: {required: '@'}}",
        talk,
        expect![[r#"
        NO: 1 of 2 messages lack the required pattern
          3 «Fine.» does not match `@`, which every message must: add it
    "#]],
    );
    check(
        "{pattern: {forbidden: 'x*'}}",
        talk,
        expect![[r#"
        YES: 0 matches of the forbidden pattern
    "#]],
    );
}

#[test]
fn structure() {
    let four = "**One:**\nx\n## Two\ny\n**Three**: z\n**Four:** w\nnot **bold** here";
    let same = format!("user: a\nassistant: {four}\nuser: b\nassistant: {four}");
    check(
        "structure",
        &same,
        expect![[r#"
        NO: all 2 replies have exactly 4 headers: vary the form
          1 «**One:**» all 2 replies have exactly 4 headers: vary the form
          3 «**One:**» all 2 replies have exactly 4 headers: vary the form
    "#]],
    );
    check(
        "{structure: {headers_over: 4}}",
        &same,
        expect![[r#"
        YES: 4 to 4 headers in 2 replies
    "#]],
    );
    check(
        "{structure: {replies_min: 3}}",
        &same,
        expect![[r#"
        YES: 4 to 4 headers in 2 replies
    "#]],
    );
    check(
        "structure",
        &format!("user: a\nassistant: {four}\nuser: b\nassistant: plain"),
        expect![[r#"
            YES: 0 to 4 headers in 2 replies
        "#]],
    );
}

#[test]
fn ascii() {
    let talk = "user: “fine”\nassistant: It’s “ok” — well… naïve 👩‍👩‍👧 café\u{200b}!";
    check(
        "ascii",
        talk,
        expect![[r#"
            NO: 9 runs outside ASCII in 1 message
              1 «’» `’` (U+2019) is not ASCII: write `'` → «'»
              1 «“» `“` (U+201C) is not ASCII: write `"` → «"»
              1 «”» `”` (U+201D) is not ASCII: write `"` → «"»
              1 «—» `—` (U+2014) is not ASCII: write `-` → «-»
              1 «…» `…` (U+2026) is not ASCII: write `...` → «...»
              1 «ï» `ï` (U+00EF) is not ASCII: write it another way
              1 «👩‍👩‍👧» `👩‍👩‍👧` (U+1F469 U+200D U+1F469 …) is not ASCII: write it another way
              1 «é» `é` (U+00E9) is not ASCII: write it another way
              1 «<zero width>» invisible character U+200B: remove it → «»
        "#]],
    );
    check(
        "{ascii: {role: user}}",
        talk,
        expect![[r#"
            NO: 2 runs outside ASCII in 1 message
              0 «“» `“` (U+201C) is not ASCII: write `"` → «"»
              0 «”» `”` (U+201D) is not ASCII: write `"` → «"»
        "#]],
    );
    check(
        "{ascii: {allow: 'ïé👩👧\u{200d}\u{200b}…—“”’'}}",
        talk,
        expect![[r#"
            YES: 0 runs outside ASCII in 1 message
        "#]],
    );
}

#[test]
fn tokens() {
    let (_, transcript) = testing::transcript(TALK);
    let bare = Subject::new(&transcript);
    let counts = [4, 5, 2, 60, 1, 1];
    let counted = Subject { record_tokens: Some(90), message_tokens: Some(&counts), ..bare };
    expect![[r#"
        not counted yet
    "#]]
    .assert_eq(&said("{tokens: {max: 50}}", &bare));
    expect![[r#"
        NO: 90 tokens, wanted at most 50
          3 «a b c d e f» 90 tokens, wanted at most 50: shorten it
    "#]]
    .assert_eq(&said("{tokens: {max: 50}}", &counted));
    expect![[r#"
        YES: 90 tokens, wanted at most 100
    "#]]
    .assert_eq(&said("{tokens: {max: 100}}", &counted));
    expect![[r#"
        NO: 90 tokens, wanted at least 100
          5 «a» 90 tokens, wanted at least 100: lengthen it
    "#]]
    .assert_eq(&said("{tokens: {min: 100}}", &counted));
    expect![[r#"
        NO: 1 of 3 messages outside at most 50 tokens; most 60
          3 «a b c d e f» 60 tokens, wanted at most 50: shorten it
    "#]]
    .assert_eq(&said("{tokens: {of: assistant, max: 50}}", &counted));
    expect![[r#"
        NO: 1 of 3 messages outside at least 2 tokens; most 4
          4 «one» 1 token, wanted at least 2: lengthen it
    "#]]
    .assert_eq(&said("{tokens: {of: user, min: 2}}", &counted));
}

/// All checks, at their strictest.
const ALL: [&str; 10] = [
    "{length_ratio: {mean_max: 0, over: 0, share_over_max: 0}}",
    "{word_count: {min: 1, max: 1, role: any}}",
    "{questions: {min: 1, max: 1}}",
    "{question_endings: {share_min: 1}}",
    "{phrases: [a, é, 我]}",
    "{openers: {words: 1, share_max: 0}}",
    "{pattern: {required: '^z'}}",
    "{structure: {headers_over: 0}}",
    "{ascii: {role: any}}",
    "{tokens: {of: assistant, max: 0}}",
];

fn run_all(transcript: &Transcript) {
    let counts = vec![1; transcript.messages.len()];
    let subject = Subject {
        record_tokens: Some(1),
        message_tokens: Some(&counts),
        ..Subject::new(transcript)
    };
    for check in ALL {
        let result = made(check).run(&subject).expect("everything is counted");
        assert_eq!(result.verdict == Verdict::No, !result.spots.is_empty(), "{check}");
        for spot in &result.spots {
            let text = &transcript.messages[spot.message].text;
            assert!(text.get(spot.decoded.start..spot.decoded.end).is_some(), "{check}");
        }
    }
}

#[test]
fn a_transcript_without_replies_has_nothing_to_object_to() {
    let (_, mut nothing) = testing::transcript("user: hi");
    nothing.messages.clear();
    nothing.exchanges.clear();
    run_all(&nothing);
    for fixture in ["system: x", "user: hi", "user: a\nuser: b", "assistant: hello"] {
        let (_, transcript) = testing::transcript(fixture);
        for check in ALL {
            let result = made(check).run(&Subject::new(&transcript));
            let no = result.is_some_and(|r| r.verdict == Verdict::No);
            let about_user = check.contains("role: any") && fixture.contains("user");
            assert!(!no || about_user, "{check} on {fixture:?}");
        }
    }
}

mod totality {
    use proptest::prelude::*;

    use super::{run_all, testing};
    use crate::text::escape::{Style, encode};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_spot_is_sound(texts in prop::collection::vec(r#"([aé我?？.!\n*#: “’—]|👩‍👧|[\PC]){0,30}"#, 1..7)) {
            let messages: Vec<String> = texts
                .iter()
                .enumerate()
                .map(|(i, text)| {
                    let role = ["user", "assistant", "assistant"][i % 3];
                    format!(r#"{{"role": "{role}", "content": "{}"}}"#, encode(text, Style::default()))
                })
                .collect();
            let record = format!(r#"{{"messages": [{}]}}"#, messages.join(", "));
            run_all(&testing::read(&record));
        }
    }
}
