//! A record's JSON into a transcript, or the reason why it is none.
//!
//! Invariant: reading is total; a broken record yields what could be read of
//! it. Messages and the slots of the record's [`Draft`] correspond one to one,
//! so structure rules can name a message by its index in either.

use std::cell::OnceCell;

use crate::text::Span;
use crate::text::json::{Json, Kind, Member, Value};

use super::exchange::exchanges;
use super::message::message;
use super::shape::{self, Absence, Draft};
use super::{Message, Shape, Transcript, digest};

/// What was read from one record.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How the record is written, as far as its keys tell, even when it holds no conversation.
    pub shape: Option<Shape>,
    /// The conversation, or why there is none.
    pub transcript: Result<Transcript, Absence>,
}

/// Reads a record. `json` must be the parse of `record`.
#[must_use]
pub fn read(record: &str, json: &Json) -> Reading {
    let Some(root) = json.root(record) else {
        return Reading { shape: None, transcript: Err(Absence::Nothing) };
    };
    match shape::draft(root) {
        Ok(draft) => {
            Reading { shape: Some(draft.shape), transcript: Ok(transcript(record, root, &draft)) }
        }
        Err((shape, why)) => Reading { shape, transcript: Err(why) },
    }
}

fn transcript(record: &str, root: Value<'_>, draft: &Draft<'_>) -> Transcript {
    let messages: Vec<Message> = draft.slots.iter().map(message).collect();
    let names = Names::of(root);
    let mut transcript = Transcript {
        shape: draft.shape,
        id: names.id.unwrap_or_default(),
        id_source: names.id_source,
        batch: names.batch,
        rejected: draft.rejected.iter().map(message).collect(),
        exchanges: exchanges(&messages),
        messages,
    };
    if transcript.id_source.is_none() {
        transcript.id = digest::of(record, &transcript).derived_id();
    }
    transcript
}

/// The keys a record may carry its id under, the strongest first.
pub const ID_KEYS: [&str; 3] = ["id", "conversation_id", "transcript_id"];

/// What a record goes by: the id it names, else one derived from what it says,
/// which costs reading all of it and is put off until it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    id: OnceCell<String>,
    /// Where the id is written.
    pub source: Option<Span>,
}

impl Name {
    /// A name that is known already.
    pub(crate) fn known(id: &str, source: Option<Span>) -> Self {
        Self { id: OnceCell::from(id.to_owned()), source }
    }

    /// The name written in the record.
    pub(crate) fn written(root: Value<'_>) -> Self {
        let Names { id, id_source: source, .. } = Names::of(root);
        Self { id: id.map(OnceCell::from).unwrap_or_default(), source }
    }

    /// The name, when it is a written one.
    pub(crate) fn as_written(&self) -> Option<&str> {
        self.source.and_then(|_| self.id.get().map(String::as_str))
    }

    /// The name of the record, whose `draft` it is.
    pub(crate) fn of(&self, record: &str, root: Value<'_>, draft: &Draft<'_>) -> &str {
        self.id.get_or_init(|| transcript(record, root, draft).id)
    }
}

/// What the record calls itself.
#[derive(Default)]
struct Names {
    id: Option<String>,
    id_source: Option<Span>,
    batch: Option<String>,
}

impl Names {
    fn of(root: Value<'_>) -> Self {
        let mut names = Self::default();
        let mut best = ID_KEYS.len();
        for Member { key, value } in root.members() {
            let key = key.decode();
            let rank = ID_KEYS.iter().position(|k| *k == key);
            if let (Some(rank), Some(name)) = (rank, name_of(value)) {
                if rank <= best {
                    best = rank;
                    names.id = Some(name);
                    names.id_source = Some(value.span());
                }
            } else if key == "batch" {
                names.batch = name_of(value);
            }
        }
        names
    }
}

/// A string that says something, or a number as written.
fn name_of(value: Value<'_>) -> Option<String> {
    match value.kind() {
        Kind::String => value.str().map(Into::into).filter(|s: &String| !s.trim().is_empty()),
        Kind::Number => Some(value.raw().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::text::json::{self, DEPTH_LIMIT};

    fn check(record: &str, expect: Expect) {
        expect.assert_eq(&show(record));
    }

    fn show(record: &str) -> String {
        let json = json::parse(record, DEPTH_LIMIT);
        let transcript = match read(record, &json) {
            Reading { shape, transcript: Err(why) } => return format!("{shape:?}: {why:?}\n"),
            Reading { transcript: Ok(transcript), .. } => transcript,
        };
        let mut out = format!(
            "{:?} id={} exchanges={}\n",
            transcript.shape,
            transcript.id,
            transcript.exchanges.len()
        );
        let sides = [("", &transcript.messages), ("rejected ", &transcript.rejected)];
        for (side, message) in sides.iter().flat_map(|(s, ms)| ms.iter().map(move |m| (s, m))) {
            out += &format!("{side}{} {:?}", message.role.name(), message.text);
            for call in &message.tool_calls {
                out += &format!(" calls {}({})", call.name, call.arguments);
            }
            for part in &message.other_parts {
                out += &format!(" part {}", part.of(record));
            }
            if let Some(id) = &message.tool_call_id {
                out += &format!(" for {id}");
            }
            out += if message.untrained { " untrained\n" } else { "\n" };
            for part in &message.parts {
                let source = crate::text::escape::decode(part.source.of(record));
                assert_eq!(source, part.decoded.of(&message.text));
            }
        }
        out
    }

    #[test]
    fn messages_with_tools_parts_and_weights() {
        check(
            r#"{"id": 7, "messages": [
                {"role": "developer", "content": "s"},
                {"role": "user", "content": [{"type": "text", "text": "a\n"}, {"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "b"}]},
                {"role": "assistant", "content": null, "weight": 0, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "ok"},
                {"role": "assistant", "content": "done"}]}"#,
            expect![[r#"
                Messages id=7 exchanges=1
                system "s"
                user "a\n\nb" part {"type": "image_url", "image_url": {"url": "x"}}
                assistant "" calls f({"a": 1}) untrained
                tool "ok" for c1
                assistant "done"
            "#]],
        );
    }

    #[test]
    fn sharegpt_and_its_variants() {
        check(
            r#"{"conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"}, {"from": "observation", "value": "o"}, {"from": "gpt", "value": "b", "train": false}], "system": "s", "id": "i"}"#,
            expect![[r#"
                ShareGpt id=i exchanges=1
                system "s"
                user "a"
                assistant "" calls f({"x": 1})
                tool "o"
                assistant "b" untrained
            "#]],
        );
        check(
            r#"{"id": "i", "conversations": [{"role": "user", "content": "a"}], "chosen": {"from": "gpt", "value": "b"}, "rejected": {"from": "gpt", "value": "c"}}"#,
            expect![[r#"
                ShareGpt id=i exchanges=1
                user "a"
                assistant "b"
                rejected assistant "c"
            "#]],
        );
    }

    #[test]
    fn exchanges_turns_and_pairs() {
        check(
            r#"{"id": "i", "exchanges": [{"exchange_number": 1, "user": "a", "assistant": "b"}, {"user": "c", "assistant": null}]}"#,
            expect![[r#"
                Exchanges id=i exchanges=1
                user "a"
                assistant "b"
                user "c"
            "#]],
        );
        check(
            r#"{"turns": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "batch": "b1"}"#,
            expect![[r#"
                Turns id=t-17f3f50d5985 exchanges=1
                user "a"
                assistant "b"
            "#]],
        );
        check(
            r#"[["a", "b"], ["c", null]]"#,
            expect![[r#"
                Pairs id=t-e1a3bd1f9041 exchanges=1
                user "a"
                assistant "b"
                user "c"
            "#]],
        );
        check(
            r#"{"conversation_id": "i", "conversation": [["a", "b"]]}"#,
            expect![[r#"
            Pairs id=i exchanges=1
            user "a"
            assistant "b"
        "#]],
        );
    }

    #[test]
    fn gemini_contents() {
        check(
            r#"{"id": "i", "systemInstruction": {"parts": [{"text": "s"}]}, "contents": [{"role": "user", "parts": [{"text": "a"}, {"fileData": {"fileUri": "u"}}]}, {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]}, {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}, {"role": "model", "parts": [{"text": "b"}]}]}"#,
            expect![[r#"
                Gemini id=i exchanges=1
                system "s"
                user "a" part {"fileData": {"fileUri": "u"}}
                assistant "" calls f({"x": 1})
                tool "" part {"functionResponse": {"name": "f"}}
                assistant "b"
            "#]],
        );
    }

    #[test]
    fn anthropic_and_bedrock() {
        check(
            r#"{"id": "i", "system": [{"text": "s"}], "messages": [{"role": "user", "content": [{"text": "a"}]}, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "r"}]}]}]}"#,
            expect![[r#"
                Messages id=i exchanges=1
                system "s"
                user "a"
                assistant "" calls f({"x": 1})
                tool "r" for t1
            "#]],
        );
    }

    #[test]
    fn prompts_and_preferences() {
        check(
            r#"{"id": "i", "prompt": "a", "completion": "b"}"#,
            expect![[r#"
            PromptCompletion id=i exchanges=1
            user "a"
            assistant "b"
        "#]],
        );
        check(
            r#"{"id": "i", "prompt": [{"role": "user", "content": "a"}], "chosen": [{"role": "assistant", "content": "b"}], "rejected": [{"role": "assistant", "content": "c"}]}"#,
            expect![[r#"
                Preference id=i exchanges=1
                user "a"
                assistant "b"
                rejected assistant "c"
            "#]],
        );
        check(
            r#"{"id": "i", "prompt": "a", "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]}"#,
            expect![[r#"
                Preference id=i exchanges=1
                user "a"
                assistant "b"
                rejected assistant "c"
            "#]],
        );
        check(
            r#"{"id": "i", "input": {"messages": [{"role": "user", "content": "a"}]}, "preferred_output": [{"role": "assistant", "content": "b"}], "non_preferred_output": [{"role": "assistant", "content": "c"}]}"#,
            expect![[r#"
                OpenAiPreference id=i exchanges=1
                user "a"
                assistant "b"
                rejected assistant "c"
            "#]],
        );
    }

    #[test]
    fn what_is_no_transcript_says_why() {
        check(
            "",
            expect![[r#"
            None: Nothing
        "#]],
        );
        check(
            "3",
            expect![[r#"
            None: NotObject(Number)
        "#]],
        );
        check(
            r#"{"a": 1}"#,
            expect![[r#"
            None: NoMessages
        "#]],
        );
        check(
            r#"{"messages": null}"#,
            expect![[r#"
            Some(Messages): NotAList { key: "messages", kind: Null, span: Span { start: 13, end: 17 } }
        "#]],
        );
        check(
            r#"{"messages": []}"#,
            expect![[r#"
            Some(Messages): EmptyList { span: Span { start: 13, end: 15 } }
        "#]],
        );
        check(
            r#"{"instruction": "a", "output": "b"}"#,
            expect![[r#"
            None: Other("an instruction record (`instruction`, `output`)")
        "#]],
        );
        check(
            r#"{"exchanges": 3, "messages": [{"role": "user", "content": "a"}]}"#,
            expect![[r#"
                Messages id=t-f8dbb89868c1 exchanges=0
                user "a"
            "#]],
        );
    }

    #[test]
    fn a_broken_record_yields_what_could_be_read() {
        check(
            r#"{"id": "i", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"#,
            expect![[r#"
                Messages id=i exchanges=1
                user "a"
                assistant "b"
            "#]],
        );
    }

    #[test]
    fn one_conversation_has_one_digest_in_every_shape() {
        let same = [
            r#"{"messages":[{"role":"user","content":"é\n"},{"role":"assistant","content":"b"}]}"#,
            r#"{"id":"x","system":"s","messages":[{"role":"user","content":"\u00e9\u000a"},{"content":[{"type":"text","text":"b"}],"role":"assistant"}]}"#,
            r#"{"conversations":[{"from":"system","value":"s"},{"from":"human","value":"é\n"},{"from":"gpt","value":"b"}]}"#,
            r#"{"exchanges":[{"user":"é\n","assistant":"b"}]}"#,
            r#"{"turns":[{"user":"é\n","assistant":"b"}]}"#,
            r#"[["é\n","b"]]"#,
            r#"{"contents":[{"parts":[{"text":"é\n"}]},{"role":"model","parts":[{"text":"b"}]}]}"#,
            r#"{"prompt":"é\n","completion":"b"}"#,
            r#"{"prompt":"é\n","chosen":"b","rejected":"c"}"#,
        ];
        let other = [
            r#"{"messages":[{"role":"user","content":"é"},{"role":"assistant","content":"\nb"}]}"#,
            r#"{"messages":[{"role":"assistant","content":"é\n"},{"role":"user","content":"b"}]}"#,
            r#"{"messages":[{"role":"user","content":"é\n"}]}"#,
        ];
        let digest = |record: &str| {
            let transcript = crate::testing::read(record);
            (digest::of(record, &transcript), digest::normalised(&transcript))
        };
        let expected = digest(same[0]);
        for record in same {
            assert_eq!(digest(record), expected, "{record}");
        }
        for record in other {
            assert_ne!(digest(record), expected, "{record}");
        }
        assert_eq!(expected.0.to_string().len(), 64);
        assert_eq!(expected.0.derived_id(), format!("t-{}", &expected.0.to_string()[..12]));
    }

    #[test]
    fn calls_have_one_digest_however_their_arguments_are_written() {
        let records = [
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"a\": [1, \"\\u00e9\"]}"}}]}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"a":[1,"é"]}}}]}]}"#,
            r#"{"conversations":[{"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{\"a\":[1,\"é\"]}}"}]}"#,
        ];
        let digests: Vec<_> =
            records.iter().map(|r| digest::of(r, &crate::testing::read(r))).collect();
        assert!(digests.windows(2).all(|d| d[0] == d[1]), "{digests:?}");
    }

    #[test]
    fn canonical_json_has_neither_space_nor_style() {
        let cases = [
            (r#"{ "b" : [ ] , "a" : { } }"#, r#"{"b":[],"a":{}}"#),
            (r#"[1, "\u0041", null, [2, {"x": 3}]]"#, r#"[1,"A",null,[2,{"x":3}]]"#),
            ("not json", "not json"),
        ];
        for (text, expected) in cases {
            assert_eq!(digest::canonical(text), expected);
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in r#"([\[\]{},:]|"messages"|"conversations"|"exchanges"|"contents"|"chosen"|"prompt"|"completion"|"role"|"user"|"content"|"tool_calls"|"x\\n"|null|1| ){0,40}"#) {
            show(&text);
        }
    }
}
