//! Every record rule, on a record that breaks it and on records that do not; each
//! fix is applied and must leave neither its finding nor a new fault.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::record as check_record;
use crate::analysis::fixes;
use crate::finding::{Finding, Fix, Safety};
use crate::text::json::{self, DEPTH_LIMIT};
use crate::transcript;

fn findings(record: &str) -> Vec<Finding> {
    let json = json::parse(record, DEPTH_LIMIT);
    check_record(record, &json, &transcript::read(record, &json))
}

/// Shows findings and fixes, and proves every fix.
fn check(record: &str, expect: Expect) {
    let found = findings(record);
    let mut out = String::new();
    for finding in &found {
        let (start, end) = (place(record, finding.span.start), place(record, finding.span.end));
        let (severity, code) = (finding.severity.name(), &finding.code);
        writeln!(out, "{start}..{end} {severity}[{code}] {}", finding.message).unwrap();
        for fix in &finding.fixes {
            let kind = if fix.safety == Safety::Safe { "safe" } else { "suggested" };
            writeln!(out, "    {kind}: {}", fix.title).unwrap();
            writeln!(out, "    {}", prove(record, &found, finding, fix)).unwrap();
        }
    }
    expect.assert_eq(&out);
}

/// `line:column`, both from 1.
fn place(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("{line}:{column}")
}

/// The record after `fix`: the finding is gone, and it is no worse JSON than before.
fn prove(record: &str, before: &[Finding], finding: &Finding, fix: &Fix) -> String {
    let after = fixes::apply(record, &fix.edits).expect("the edits fit");
    if finding.code == "J005" {
        let halves: Vec<&str> = after.split('\n').collect();
        assert!(halves.iter().all(|h| json::parse(h, DEPTH_LIMIT).syntax_problem().is_none()));
        return halves.join(" ⏎ ");
    }
    let syntax = |text: &str| json::parse(text, DEPTH_LIMIT).syntax_problem().is_some();
    assert!(!syntax(&after), "not JSON after the fix: {after}");
    let same = |f: &&Finding| f.code == finding.code && f.message == finding.message;
    let left = findings(&after).iter().filter(same).count();
    assert!(left < before.iter().filter(same).count(), "still there: {after}");
    after.replace('\n', "⏎")
}

#[test]
fn syntax_problems_are_one_j001() {
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},],}"##,
        expect![[r#"
            1:97..1:98 error[J001] a comma before a closing bracket: delete it
                safe: Delete trailing commas
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{'id': 'i', 'messages': [{'role': 'user', 'content': 'it\'s "a"', 'x': None, 'train': True}]}"##,
        expect![[r#"
            1:2..1:6 error[J001] single quotes: JSON strings stand in double quotes
                suggested: Rewrite as JSON
                {"id": "i", "messages": [{"role": "user", "content": "it's \"a\"", "x": null, "train": true}]}
        "#]],
    );
    check(
        r##"{"id": "i" "messages": 3}"##,
        expect![[r#"
        1:12..1:12 error[J001] `,` is missing here, or a quote inside the text before it is not escaped as `\"`
            suggested: Insert the missing comma
            {"id": "i", "messages": 3}
    "#]],
    );
    check(
        r##"{id: "i", // note
 "a": NaN}"##,
        expect![[r#"
            1:2..1:4 error[J001] key `id` stands without double quotes
                suggested: Rewrite as JSON
                {"id": "i", ⏎ "a": null}
        "#]],
    );
    check(
        r##"{"id": "C:\dir"}"##,
        expect![[r#"
        1:11..1:13 error[J001] `\d` is no JSON escape: write a backslash as `\\`
            suggested: Escape the backslash
            {"id": "C:\\dir"}
    "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "cut off"##,
        expect![[r#"
            1:61..1:62 error[J001] the record ends inside a text: its closing `"` is missing, or the record is cut off
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}"##,
        expect![[r#"
            1:57..1:58 error[J001] the record is cut off here, before its brackets are closed: complete or delete it
                suggested: Close the record
                {"id": "i", "messages": [{"role": "user", "content": "a"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user","##,
        expect![[r#"
            1:41..1:42 error[J001] the record is cut off here, before its brackets are closed: complete or delete it
        "#]],
    );
    check(
        r##"[1, {"a": 2]"##,
        expect![[r#"
            1:5..1:6 error[J001] this bracket is never closed
        "#]],
    );
    check(
        r##"{"a": 01}"##,
        expect![[r#"
        1:7..1:9 error[J001] `01` is no JSON number
    "#]],
    );
    check(
        r##"not json"##,
        expect![[r#"
        1:1..1:4 error[J001] `not` is no JSON value
    "#]],
    );
    check(
        r##"{"a": "b" "c"}"##,
        expect![[r#"
        1:11..1:11 error[J001] `,` is missing here, or a quote inside the text before it is not escaped as `\"`
    "#]],
    );
}

#[test]
fn two_records_on_a_line_are_split() {
    check(
        r##"{"id": "i", "exchanges": [{"user": "a", "assistant": "b"}]} {"id": "j"}"##,
        expect![[r#"
            1:61..1:62 error[J005] a second record on this line: put each on a line of its own
                safe: Split the line
                {"id": "i", "exchanges": [{"user": "a", "assistant": "b"}]} ⏎ {"id": "j"}
        "#]],
    );
    check(
        r##"{"id": "i", "exchanges": [{"user": "a", "assistant": "b"}]} # done"##,
        expect![[r#"
        1:61..1:67 error[J001] JSON has no comments: delete it
            suggested: Delete comments
            {"id": "i", "exchanges": [{"user": "a", "assistant": "b"}]} 
    "#]],
    );
    check(
        r##"{"id": "i"} trailing"##,
        expect![[r#"
        1:13..1:14 error[J005] text after the record: delete it, or put it inside
    "#]],
    );
}

#[test]
fn sound_json_that_readers_take_differently() {
    check(
        r##"{"id": "i", "exchanges": [{"user": "a", "user": "b", "assistant": "c\ud83d", "assistant": "d"}]}"##,
        expect![[r#"
            1:41..1:47 error[J003] key `user` is here twice: readers keep the last
                suggested: Keep the last
                {"id": "i", "exchanges": [{"user": "b", "assistant": "c\ud83d", "assistant": "d"}]}
            1:69..1:75 error[J004] `\ud83d` is half of a character: Python reads it, tokenizers crash on it
                suggested: Replace by U+FFFD
                {"id": "i", "exchanges": [{"user": "a", "user": "b", "assistant": "c\ufffd", "assistant": "d"}]}
            1:78..1:89 error[J003] key `assistant` is here twice: readers keep the last
                suggested: Keep the last
                {"id": "i", "exchanges": [{"user": "a", "user": "b", "assistant": "d"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "exchanges": [{"user": "a	b", "assistant": "c"}]}"##,
        expect![[r#"
        1:38..1:39 error[J004] a raw control character (U+0009) in a string: write `\t`
            suggested: Escape as `\t`
            {"id": "i", "exchanges": [{"user": "a\tb", "assistant": "c"}]}
    "#]],
    );
}

#[test]
fn a_record_without_a_conversation() {
    check(
        r##"3"##,
        expect![[r#"
        1:1..1:2 error[J002] the record is a number: write an object `{…}`
    "#]],
    );
    check(
        r##"[{"a": 1}]"##,
        expect![[r#"
        1:1..1:2 error[J002] the record is a list: write an object `{…}`
    "#]],
    );
    check(
        r##"{"id": "i"}"##,
        expect![[r#"
        1:1..1:2 error[R001] no conversation here: one of `messages`, `conversations`, `exchanges`, `turns`, `contents` is missing
    "#]],
    );
    check(
        r##"{"id": "i", "mesages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"##,
        expect![[r#"
            1:13..1:22 error[R001] no conversation here: did you mean `messages`?
                suggested: Rename key to `messages`
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{"messages": null}"##,
        expect![[r#"
        1:14..1:18 error[R001] `messages` is null: it must be a list
    "#]],
    );
    check(
        r##"{"messages": []}"##,
        expect![[r#"
        1:14..1:16 error[R001] the conversation is empty
    "#]],
    );
    check(
        r##"{"conversations": {"from": "human"}}"##,
        expect![[r#"
        1:19..1:36 error[R001] `conversations` is an object: it must be a list
    "#]],
    );
    check(
        r##"{"instruction": "a", "output": "b"}"##,
        expect![[r#"
        1:1..1:2 error[R001] this is an instruction record (`instruction`, `output`), not a conversation: rewrite it with `messages`
    "#]],
    );
    check(
        r##"{"text": "a"}"##,
        expect![[r#"
        1:1..1:2 error[R001] this is a plain text record (`text`), not a conversation: rewrite it with `messages`
    "#]],
    );
}

#[test]
fn items_that_are_no_messages_and_two_formats() {
    check(
        r##"{"id": "i", "messages": ["a", {"role": "user", "content": "a"}, null, {"role": "assistant", "content": "b"}]}"##,
        expect![[r#"
            1:26..1:29 error[R002] a string in the conversation: a message is an object with a role and its text
            1:65..1:69 error[R002] null in the conversation: a message is an object with a role and its text
        "#]],
    );
    check(
        r##"{"id": "i", "exchanges": [{"user": "a", "assistant": "b"}, "c"]}"##,
        expect![[r#"
        1:60..1:63 error[R002] a string in the conversation: an exchange is an object with `user` and `assistant`
    "#]],
    );
    check(
        r##"[["a", "b"], ["c", "d", "e"], 3]"##,
        expect![[r#"
        1:25..1:28 error[R002] a string in the conversation: a pair is a list of two texts
        1:31..1:32 error[R002] a number in the conversation: a pair is a list of two texts
    "#]],
    );
    check(
        r##"{"id": "i", "text": "a b", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"##,
        expect![[r#"
            1:13..1:19 warning[F010] two formats in one record: `messages` is read, `text` is not; keep one
                suggested: Delete `text`
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}], "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}"##,
        expect![[r#"
            1:13..1:23 warning[F010] two formats in one record: `conversations` is read, `messages` is not; keep one
                suggested: Delete `messages`
                {"id": "i", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
        "#]],
    );
}

#[test]
fn a_record_without_an_id_can_be_given_one() {
    check(
        r##"{"exchanges": [{"user": "a", "assistant": "b"}], "x": 1}"##,
        expect![[r#"
            1:1..1:2 hint[R005] no `id`: it goes by `t-17f3f50d5985` until its text changes
                suggested: Add id `t-17f3f50d5985`
                {"id": "t-17f3f50d5985", "exchanges": [{"user": "a", "assistant": "b"}], "x": 1}
        "#]],
    );
    check(
        r##"{"exchanges":[{"user":"a","assistant":"b"}]}"##,
        expect![[r#"
            1:1..1:2 hint[R005] no `id`: it goes by `t-17f3f50d5985` until its text changes
                suggested: Add id `t-17f3f50d5985`
                {"id":"t-17f3f50d5985","exchanges":[{"user":"a","assistant":"b"}]}
        "#]],
    );
    check(
        r##"{"id": null, "exchanges": [{"user": "a", "assistant": "b"}]}"##,
        expect![[r#"
            1:1..1:2 hint[R005] no `id`: it goes by `t-17f3f50d5985` until its text changes
                suggested: Add id `t-17f3f50d5985`
                {"id": "t-17f3f50d5985", "exchanges": [{"user": "a", "assistant": "b"}]}
        "#]],
    );
    check(
        r##"{
  "exchanges": [{"user": "a", "assistant": "b"}]
}"##,
        expect![[r#"
            1:1..1:2 hint[R005] no `id`: it goes by `t-17f3f50d5985` until its text changes
                suggested: Add id `t-17f3f50d5985`
                {⏎  "id": "t-17f3f50d5985",⏎  "exchanges": [{"user": "a", "assistant": "b"}]⏎}
        "#]],
    );
    check(
        r##"{"id": {"odd": 1}, "exchanges": [{"user": "a", "assistant": "b"}]}"##,
        expect![[r#"
            1:1..1:2 hint[R005] no `id`: it goes by `t-17f3f50d5985` until its text changes
        "#]],
    );
    check(
        r##"{"transcript_id": 7, "exchanges": [{"user": "a", "assistant": "b"}]}"##,
        expect![[""]],
    );
}

#[test]
fn roles() {
    check(
        r##"{"id": "i", "messages": [{"content": "a"}, {"role": "human", "content": "a"}, {"role": "Assistant ", "content": "b"}]}"##,
        expect![[r#"
            1:26..1:27 error[M001] the message has no `role`: say who speaks
            1:54..1:59 error[M003] role `human` is unknown in messages: rename role to `user`
                safe: Rename role to `user`
                {"id": "i", "messages": [{"content": "a"}, {"role": "user", "content": "a"}, {"role": "Assistant ", "content": "b"}]}
            1:89..1:99 error[M004] role `Assistant ` must be written `assistant`
                safe: Rename role to `assistant`
                {"id": "i", "messages": [{"content": "a"}, {"role": "human", "content": "a"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "Chatbot", "content": "b"}, {"role": "asistant", "content": "b"}, {"role": "narrator", "content": "b"}, {"role": 3, "content": "b"}, {"role": "", "content": "b"}]}"##,
        expect![[r#"
            1:70..1:77 error[M003] role `Chatbot` is unknown in messages: rename role to `assistant`
                safe: Rename role to `assistant`
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "asistant", "content": "b"}, {"role": "narrator", "content": "b"}, {"role": 3, "content": "b"}, {"role": "", "content": "b"}]}
            1:107..1:115 error[M003] role `asistant` is unknown in messages: rename role to `assistant`
                suggested: Rename role to `assistant`
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "Chatbot", "content": "b"}, {"role": "assistant", "content": "b"}, {"role": "narrator", "content": "b"}, {"role": 3, "content": "b"}, {"role": "", "content": "b"}]}
            1:145..1:153 error[M003] role `narrator` is unknown in messages: use one of system, user, assistant, tool, developer, function
            1:182..1:183 error[M005] the role is a number: it must be a string
            1:211..1:213 error[M003] role `` is unknown in messages: use one of system, user, assistant, tool, developer, function
        "#]],
    );
    check(
        r##"{"id": "i", "conversations": [{"from": "human", "value": "a"}, {"from": "bot", "value": "b"}]}"##,
        expect![[r#"
            1:74..1:77 error[M003] role `bot` is unknown in conversations: rename role to `gpt`
                safe: Rename role to `gpt`
                {"id": "i", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "conversations": [{"from": "user", "value": "a"}, {"from": "bot", "value": "b"}]}"##,
        expect![[r#"
            1:73..1:76 error[M003] role `bot` is unknown in conversations: rename role to `assistant`
                safe: Rename role to `assistant`
                {"id": "i", "conversations": [{"from": "user", "value": "a"}, {"from": "assistant", "value": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "assistant", "parts": [{"text": "b"}]}, {"role": "system", "parts": [{"text": "b"}]}]}"##,
        expect![[r#"
            1:80..1:89 error[M003] role `assistant` is unknown in contents: rename role to `model`
                safe: Rename role to `model`
                {"id": "i", "contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}, {"role": "system", "parts": [{"text": "b"}]}]}
            1:129..1:135 error[M003] role `system` is unknown in contents: move the text to `systemInstruction`
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"##,
        expect![[""]],
    );
    check(
        r##"{"id": "i", "conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}"##,
        expect![[""]],
    );
}

#[test]
fn unknown_keys() {
    check(
        r##"{"id": "i", "messages": [{"r\u00f4le": "user", "content": "a"}, {"role": "assistant", "contents": "b", "mood": 1}, {"role": "user", "content": "c", "mood": 2}, {"role": "assistant", "text": "d"}]}"##,
        expect![[r#"
            1:26..1:27 error[M001] the message has no `role`: say who speaks
            1:27..1:38 warning[M002] key `rôle` is unknown in messages: did you mean `role`?
                suggested: Rename key to `role`
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "contents": "b", "mood": 1}, {"role": "user", "content": "c", "mood": 2}, {"role": "assistant", "text": "d"}]}
            1:74..1:85 error[M001] the message has no `content`: write what is said, or delete the message
            1:87..1:97 warning[M002] key `contents` is unknown in messages: did you mean `content`?
                suggested: Rename key to `content`
                {"id": "i", "messages": [{"r\u00f4le": "user", "content": "a"}, {"role": "assistant", "content": "b", "mood": 1}, {"role": "user", "content": "c", "mood": 2}, {"role": "assistant", "text": "d"}]}
            1:104..1:110 warning[M002] key `mood` is unknown in messages: trainers ignore or refuse it; delete it (in 2 messages)
                suggested: Delete key `mood`
                {"id": "i", "messages": [{"r\u00f4le": "user", "content": "a"}, {"role": "assistant", "contents": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "text": "d"}]}
            1:170..1:181 error[M001] the message has no `content`: write what is said, or delete the message
            1:183..1:189 warning[M002] key `text` is unknown in messages: did you mean `content`?
                suggested: Rename key to `content`
                {"id": "i", "messages": [{"r\u00f4le": "user", "content": "a"}, {"role": "assistant", "contents": "b", "mood": 1}, {"role": "user", "content": "c", "mood": 2}, {"role": "assistant", "content": "d"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "conversations": [{"from": "human", "value": "a", "vale": "x"}, {"from": "gpt", "vale": "b"}]}"##,
        expect![[r#"
            1:63..1:69 warning[M002] key `vale` is unknown in conversations: trainers ignore or refuse it; delete it
                suggested: Delete key `vale`
                {"id": "i", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "vale": "b"}]}
            1:86..1:91 error[M001] the message has no `value`: write what is said, or delete the message
            1:93..1:99 warning[M002] key `vale` is unknown in conversations: did you mean `value`?
                suggested: Rename key to `value`
                {"id": "i", "conversations": [{"from": "human", "value": "a", "vale": "x"}, {"from": "gpt", "value": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a", "name": "Kim"}, {"role": "assistant", "content": "b", "reasoning_content": "r"}]}"##,
        expect![[""]],
    );
}

#[test]
fn content_that_is_missing_or_empty() {
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": ""}, {"role": "assistant"}, {"role": "user", "content": " \n"}, {"role": "assistant", "content": null}]}"##,
        expect![[r#"
            1:54..1:56 error[M006] the user's text is empty: write what is said, or delete the message
            1:68..1:79 error[M001] the message has no `content`: write what is said, or delete the message
            1:111..1:114 error[M006] the user's text is only white space: write what is said, or delete the message
            1:151..1:155 error[M006] the reply is null: write what is said, or delete the message
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": []}, {"role": "assistant", "content": [{"type": "text", "text": ""}]}]}"##,
        expect![[r#"
            1:54..1:56 error[M006] the user's text is empty: write what is said, or delete the message
            1:92..1:122 error[M006] the reply is empty: write what is said, or delete the message
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "refusal": "no"}]}"##,
        expect![[""]],
    );
    check(
        r##"{"id": "i", "contents": [{"role": "user"}, {"role": "model", "parts": []}]}"##,
        expect![[r#"
            1:35..1:41 error[M001] the message has no `parts`: write what is said, or delete the message
            1:71..1:73 error[M006] the reply is empty: write what is said, or delete the message
        "#]],
    );
}

#[test]
fn content_of_the_wrong_kind() {
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": 3}, {"role": "assistant", "content": {"type": "text", "text": "b"}}]}"##,
        expect![[r#"
            1:54..1:55 error[M007] the text is a number: put it in quotes
                suggested: Put it in quotes
                {"id": "i", "messages": [{"role": "user", "content": "3"}, {"role": "assistant", "content": {"type": "text", "text": "b"}}]}
            1:67..1:78 error[M007] the content is an object: it must be a string or a list of parts
                suggested: Wrap in a list
                {"id": "i", "messages": [{"role": "user", "content": 3}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": ["a", "b"]}, {"role": "assistant", "content": [{"text": "b"}, null]}]}"##,
        expect![[r#"
            1:56..1:57 error[M007] a bare string in a list of parts: wrap it as a text part
                suggested: Wrap as a text part
                {"id": "i", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"role": "assistant", "content": [{"text": "b"}, null]}]}
            1:101..1:102 error[M007] the part has no `type`: say `text`, `image_url`, …
                suggested: Add `"type": "text"`
                {"id": "i", "messages": [{"role": "user", "content": ["a", "b"]}, {"role": "assistant", "content": [{"type": "text", "text": "b"}, null]}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": [{"type": "text", "value": "a"}]}, {"role": "assistant", "content": [{"type": "text"}]}]}"##,
        expect![[r#"
            1:72..1:79 error[M007] a text part keeps its text in `text`, not `value`
                suggested: Rename key to `text`
                {"id": "i", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, {"role": "assistant", "content": [{"type": "text"}]}]}
            1:123..1:124 error[M007] the text part has no `text`
        "#]],
    );
    check(
        r##"{"id": "i", "contents": [{"role": "user", "parts": "a"}, {"role": "model", "parts": ["b"]}]}"##,
        expect![[r#"
            1:53..1:54 error[M007] `parts` is a string: it must be a list
                suggested: Wrap as a part
                {"id": "i", "contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": ["b"]}]}
            1:87..1:88 error[M007] a bare string in a list of parts: wrap it as a text part
                suggested: Wrap as a text part
                {"id": "i", "contents": [{"role": "user", "parts": "a"}, {"role": "model", "parts": [{"text": "b"}]}]}
        "#]],
    );
    check(
        r##"{"schemaVersion": "bedrock-conversation-2024", "id": "i", "system": [{"text": "s"}], "messages": [{"role": "user", "content": [{"text": "a"}]}, {"role": "assistant", "content": [{"text": "b"}]}]}"##,
        expect![[""]],
    );
}

#[test]
fn exchanges_and_pairs() {
    check(
        r##"{"id": "i", "exchanges": [{"user": "a"}, {"user": "c", "asistant": "d"}, {"assistant": "e"}, {"user": null, "assistant": "x"}, {"user": "g", "assistant": null}]}"##,
        expect![[r#"
            1:27..1:28 error[M001] the exchange has no `assistant`: write what is said
            1:42..1:43 error[M001] the exchange has no `assistant`: write what is said
            1:56..1:66 warning[M002] key `asistant` is unknown: did you mean `assistant`?
                suggested: Rename key to `assistant`
                {"id": "i", "exchanges": [{"user": "a"}, {"user": "c", "assistant": "d"}, {"assistant": "e"}, {"user": null, "assistant": "x"}, {"user": "g", "assistant": null}]}
            1:74..1:75 error[M001] the exchange has no `user`: write what is said
            1:103..1:107 error[M006] `user` is null: write what is said
            1:137..1:140 warning[T002] the last message has no reply: no trainer learns from it, and it counts as no exchange
                safe: Delete what follows the last reply
                {"id": "i", "exchanges": [{"user": "a"}, {"user": "c", "asistant": "d"}, {"assistant": "e"}, {"user": null, "assistant": "x"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "exchanges": [{"user": "a", "assistant": "b"}, {"user": "c"}]}"##,
        expect![[r#"
            1:69..1:72 warning[T002] the last message has no reply: no trainer learns from it, and it counts as no exchange
                safe: Delete what follows the last reply
                {"id": "i", "exchanges": [{"user": "a", "assistant": "b"}]}
        "#]],
    );
    check(
        r##"[["a"], [null, "b"], ["c", "d"], ["e"]]"##,
        expect![[r#"
        1:2..1:3 error[M001] the pair has no assistant text
        1:10..1:14 error[M006] `user` is null: write what is said
        1:35..1:38 warning[T002] the last message has no reply: no trainer learns from it, and it counts as no exchange
            safe: Delete what follows the last reply
            [["a"], [null, "b"], ["c", "d"]]
    "#]],
    );
}

#[test]
fn exchanges_are_numbered() {
    check(
        r##"{"id": "i", "target_exchanges": 2, "exchanges": [{"exchange_number": 1, "user": "a", "assistant": "b"}, {"exchange_number": 3, "user": "c", "assistant": "d"}, {"exchange_number": "3", "user": "e", "assistant": "f"}]}"##,
        expect![[r#"
            1:33..1:34 warning[S001] 2 exchanges were planned, 3 are here: go on with it, or correct the number
            1:125..1:126 warning[S001] this is exchange 2: exchanges are numbered 1, 2, 3, …
                safe: Renumber the exchanges
                {"id": "i", "target_exchanges": 2, "exchanges": [{"exchange_number": 1, "user": "a", "assistant": "b"}, {"exchange_number": 2, "user": "c", "assistant": "d"}, {"exchange_number": 3, "user": "e", "assistant": "f"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "target_exchanges": 20, "truncated_from": 20, "exchanges": [{"exchange_number": 1, "user": "a", "assistant": "b"}]}"##,
        expect![[""]],
    );
}

#[test]
fn turns() {
    check(
        r##"{"id": "i", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]}"##,
        expect![[r#"
            1:13..1:23 error[T001] no assistant message: there is nothing to train on
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}"##,
        expect![[r#"
            1:108..1:114 warning[T002] the last message has no reply: no trainer learns from it, and it counts as no exchange
                safe: Delete what follows the last reply
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}, {"role": "user", "content": "c\n"}, {"role": "assistant", "content": "d"}, {"role": "assistant", "content": "e"}]}"##,
        expect![[r#"
            1:35..1:46 warning[T004] the first message is from assistant: messages before the first user belong to no exchange
            1:108..1:114 warning[T003] two user messages in a row: many templates refuse this; merge them
                suggested: Merge with the message before
                {"id": "i", "messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b\n\nc\n"}, {"role": "assistant", "content": "d"}, {"role": "assistant", "content": "e"}]}
            1:183..1:194 warning[T003] two assistant messages in a row: many templates refuse this; merge them
                suggested: Merge with the message before
                {"id": "i", "messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}, {"role": "user", "content": "c\n"}, {"role": "assistant", "content": "d\n\ne"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "s"}, {"role": "assistant", "content": "b"}, {"role": "system", "content": "t"}]}"##,
        expect![[r#"
            1:69..1:77 warning[T005] the system message is not the first: many templates refuse it; move it
                suggested: Move to the front
                {"id": "i", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "system", "content": "t"}]}
            1:144..1:152 warning[T005] a second system message: many templates refuse it; merge the two
                suggested: Merge with the first system message
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "s\n\nt"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "system": "s", "messages": [{"role": "system", "content": "t"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"##,
        expect![[r#"
            1:50..1:58 warning[T005] a second system message: many templates refuse it; merge the two
                suggested: Merge with the first system message
                {"id": "i", "system": "s\n\nt", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
    check(
        r##"{"id": "i", "prompt": "a", "completion": [{"role": "user", "content": "c"}]}"##,
        expect![[r#"
            1:28..1:40 error[T001] no assistant message: there is nothing to train on
            1:52..1:58 warning[T003] two user messages in a row: many templates refuse this; merge them
        "#]],
    );
}

#[test]
fn tool_calls() {
    check(
        r##"{"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}, {"type": "function", "function": {"name": "f"}}, {"id": "c3", "type": "function", "function": {"name": "f", "arguments": "{a: 1}"}}, {"id": "c4", "type": "function", "function": {"name": "f", "arguments": "\"{\\\"a\\\": 1}\""}}, "x"]}]}"##,
        expect![[r#"
            1:269..1:270 error[K001] the tool call has no `type`
                safe: Add the type
                {"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"type": "function", "id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}, {"type": "function", "function": {"name": "f"}}, {"id": "c3", "type": "function", "function": {"name": "f", "arguments": "{a: 1}"}}, {"id": "c4", "type": "function", "function": {"name": "f", "arguments": "\"{\\\"a\\\": 1}\""}}, "x"]}]}
            1:321..1:322 error[K001] the arguments are an object: write them as a JSON string
                safe: Write the arguments as a JSON string
                {"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{\"a\": 1}"}}, {"type": "function", "function": {"name": "f"}}, {"id": "c3", "type": "function", "function": {"name": "f", "arguments": "{a: 1}"}}, {"id": "c4", "type": "function", "function": {"name": "f", "arguments": "\"{\\\"a\\\": 1}\""}}, "x"]}]}
            1:333..1:334 error[K001] the tool call has no `id`, no `function.arguments`
            1:455..1:461 error[K002] the arguments are not JSON: write an object, such as `{}`
            1:539..1:557 error[K002] the arguments are encoded twice: a JSON string inside a string
                suggested: Decode once
                {"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}, {"type": "function", "function": {"name": "f"}}, {"id": "c3", "type": "function", "function": {"name": "f", "arguments": "{a: 1}"}}, {"id": "c4", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}, "x"]}]}
            1:562..1:565 error[K001] a tool call is a string: it must be an object
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": {"id": "c1"}}]}"##,
        expect![[r#"
            1:113..1:114 error[K001] `tool_calls` is an object: it must be a list
        "#]],
    );
    check(
        r##"{"id": "i", "tools": "[]", "conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "f(1)"}, {"from": "observation", "value": "1"}, {"from": "function_call", "value": "{\"arguments\": {}}"}]}"##,
        expect![[r#"
            1:115..1:119 error[K002] the function call is not JSON: write `{"name": …, "arguments": {…}}`
            1:132..1:145 warning[K007] a tool result without a call before it
            1:198..1:217 error[K001] the function call has no `name`
        "#]],
    );
}

#[test]
fn tool_arguments() {
    check(
        r##"{"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": ["x", "y"]}, "c": {"type": "array", "items": {"type": "string"}}}, "required": ["a"], "additionalProperties": false}}}], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b", "tool_calls": [{"id": "c0", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1, \"b\": \"x\", \"c\": [\"s\"]}"}}, {"id": "c1", "type": "function", "function": {"name": "g", "arguments": "{}"}}, {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{\"a\": \"1\"}"}}, {"id": "c3", "type": "function", "function": {"name": "f", "arguments": "{}"}}, {"id": "c4", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1, \"b\": \"z\"}"}}, {"id": "c5", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1, \"c\": [\"s\", 2]}"}}, {"id": "c6", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1, \"d\": 2}"}}]}]}"##,
        expect![[r#"
            1:552..1:553 warning[K003] tool `g` is not declared: use f
            1:650..1:664 warning[K003] the arguments do not fit `f`: `a` is a string, not integer
            1:742..1:744 warning[K003] the arguments do not fit `f`: `a` is missing
            1:822..1:846 warning[K003] the arguments do not fit `f`: `b` is "z", which is not allowed
            1:924..1:953 warning[K003] the arguments do not fit `f`: `c.[]` is a number, not string
            1:1031..1:1051 warning[K003] the arguments do not fit `f`: `d` is not declared
        "#]],
    );
}

#[test]
fn tool_results() {
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}, {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c2", "content": ""}, {"role": "tool", "tool_call_id": "c9", "content": "r"}, {"role": "assistant", "content": "b"}], "tools": [{"type": "function", "function": {"name": "f"}}]}"##,
        expect![[r#"
            1:114..1:115 warning[K007] the call has no result before the next message: add a tool message
            1:340..1:346 warning[K007] no call before this result has the id `c9`
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "tools": [{"type": "function", "function": {"name": "f"}}]}"##,
        expect![[r#"
            1:100..1:107 hint[K009] tools are declared, and none is called
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}}, {"type": "tool_use", "id": "t2", "name": "f", "input": {}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "r"}, {"type": "tool_result", "tool_use_id": "t2", "content": "r"}]}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}]}"##,
        expect![[r#"
            1:122..1:123 hint[K009] a tool is called, and no `tools` are declared: templates cannot show them
        "#]],
    );
}

#[test]
fn legacy_calls() {
    check(
        r##"{"id": "i", "functions": [{"name": "f", "parameters": {}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}}, {"role": "function", "name": "f", "content": "r"}, {"role": "assistant", "content": "b"}]}"##,
        expect![[r#"
            1:13..1:24 warning[K010] `functions` is legacy: declare `tools`
                safe: Migrate to `tools` and `tool_calls`
                {"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "call_1", "name": "f", "content": "r"}, {"role": "assistant", "content": "b"}]}
            1:147..1:162 warning[K010] `function_call` is legacy: write `tool_calls`
                safe: Migrate to `tools` and `tool_calls`
                {"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "call_1", "name": "f", "content": "r"}, {"role": "assistant", "content": "b"}]}
            1:209..1:217 warning[K010] role `function` is legacy: write `tool`
                safe: Migrate to `tools` and `tool_calls`
                {"id": "i", "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "call_1", "name": "f", "content": "r"}, {"role": "assistant", "content": "b"}]}
        "#]],
    );
}

#[test]
fn weights() {
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a", "weight": 0}, {"role": "assistant", "content": "b", "weight": 1.0}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0.5}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": true, "train": 1}]}"##,
        expect![[r#"
            1:59..1:67 warning[W002] a weight on a user message: only assistant messages are trained
                suggested: Delete the weight
                {"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 1.0}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0.5}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": true, "train": 1}]}
            1:121..1:124 error[W001] weight 1.0 must be the integer 0 or 1
                safe: Write 1
                {"id": "i", "messages": [{"role": "user", "content": "a", "weight": 0}, {"role": "assistant", "content": "b", "weight": 1}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0.5}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": true, "train": 1}]}
            1:209..1:212 error[W001] weight 0.5 must be the integer 0 or 1
            1:297..1:301 error[W001] weight true must be the integer 0 or 1
                suggested: Write 1
                {"id": "i", "messages": [{"role": "user", "content": "a", "weight": 0}, {"role": "assistant", "content": "b", "weight": 1.0}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0.5}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 1, "train": 1}]}
            1:312..1:313 error[W001] 1 must be true or false
                suggested: Write true
                {"id": "i", "messages": [{"role": "user", "content": "a", "weight": 0}, {"role": "assistant", "content": "b", "weight": 1.0}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0.5}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": true, "train": true}]}
        "#]],
    );
    check(
        r##"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}"##,
        expect![[r#"
            1:13..1:23 error[W003] no reply is trained on: every assistant message is switched off
        "#]],
    );
    check(
        r##"{"id": "i", "conversations": [{"from": "human", "value": "a", "weight": 0}, {"from": "gpt", "value": "b", "train": false}]}"##,
        expect![[r#"
            1:13..1:28 error[W003] no reply is trained on: every assistant message is switched off
        "#]],
    );
}

#[test]
fn sound_records_are_silent() {
    check(
        r##"{"id": "i", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 1}]}"##,
        expect![[""]],
    );
    check(
        r##"{"id": "i", "exchanges": [{"exchange_number": 1, "user": "a", "assistant": "b"}], "target_exchanges": 1}"##,
        expect![[""]],
    );
    check(r##"[["a", "b"]]"##, expect![[""]]);
    check(
        r##"{"id": "i", "contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}]}"##,
        expect![[""]],
    );
    check(r##"{"id": "i", "prompt": "a", "chosen": "b", "rejected": "c"}"##, expect![[""]]);
    check(r##"{"id": "i", "prompt": "a", "completion": "b"}"##, expect![[""]]);
    check(
        r##"{"id": "i", "input": {"messages": [{"role": "user", "content": "a"}]}, "preferred_output": [{"role": "assistant", "content": "b"}], "non_preferred_output": [{"role": "assistant", "content": "c"}]}"##,
        expect![[""]],
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        prop_assert!(findings(&text).iter().all(|f| f.span.end <= text.len()));
    }

    #[test]
    fn no_record_panics_and_no_safe_fix_breaks_one(record in records()) {
        let mut text = record;
        for _ in 0..fixes::ROUNDS {
            let found = findings(&text);
            prop_assert!(found.iter().all(|f| text.get(f.span.start..f.span.end).is_some()));
            let sound = json::parse(&text, DEPTH_LIMIT).syntax_problem().is_none();
            for fix in found.iter().flat_map(|f| &f.fixes) {
                let after = fixes::apply(&text, &fix.edits);
                prop_assert!(after.is_some(), "edits do not fit: {fix:?} in {text}");
                let after = after.unwrap();
                let broken = json::parse(&after, DEPTH_LIMIT).syntax_problem().is_some();
                prop_assert!(!(sound && broken), "{fix:?} broke {text}");
            }
            let (after, applied) = fixes::apply_safe(&text, &found);
            if applied == 0 {
                break;
            }
            text = after;
        }
        let json = json::parse(&text, DEPTH_LIMIT);
        let left = findings(&text).iter().any(|f| f.fixes.first().is_some_and(|x| x.safety == Safety::Safe));
        prop_assert!(!left || json.syntax_problem().is_some(), "safe fixes do not settle: {text}");
    }
}

/// Any JSON value of the words that rules look at, in any place.
fn records() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "messages",
        "conversations",
        "exchanges",
        "turns",
        "contents",
        "prompt",
        "completion",
        "chosen",
        "rejected",
        "input",
        "preferred_output",
        "system",
        "id",
        "role",
        "from",
        "value",
        "content",
        "parts",
        "text",
        "type",
        "user",
        "assistant",
        "human",
        "gpt",
        "model",
        "tool",
        "function",
        "User ",
        "tool_calls",
        "function_call",
        "functions",
        "tools",
        "name",
        "arguments",
        "tool_call_id",
        "weight",
        "train",
        "exchange_number",
        "target_exchanges",
        "{}",
        "",
        " ",
        "é\\n",
    ]);
    let string = word.prop_map(|w| format!("\"{w}\""));
    let leaf = prop_oneof![
        6 => string.clone(),
        1 => prop::sample::select(vec!["null", "true", "0", "1.0", "-3e5"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        let object = prop::collection::vec((string.clone(), inner), 0..6);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(", "))),
            object.prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}
