//! Applied fixups as preference pairs, in the shape TRL trains on: `prompt` (the
//! messages up to the reply), `chosen` (the rewrite), `rejected` (what it replaced).
//!
//! Invariant: a pair is made only of a fixup that was not taken back and of a
//! transcript that still holds what came of it; messages keep their tool calls,
//! content parts and every key of their own.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::FixupRecord;
use crate::transcript::{Message, Role, Shape, Transcript};

/// The fixups that hold, earliest first: each once, none that was taken back.
#[must_use]
pub fn applied(all: &[FixupRecord]) -> Vec<&FixupRecord> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut records: Vec<_> = all.iter().filter(|r| seen.insert(&r.id)).collect();
    // A merge shuffles lines; times are all UTC and of one form.
    records.sort_by(|a, b| a.at.cmp(&b.at));
    let mut undone: HashSet<&str> = HashSet::new();
    for record in records.iter().rev() {
        // A taking back may itself have been taken back, later.
        if !undone.contains(record.id.as_str()) {
            undone.extend(record.reverts.as_deref());
        }
    }
    records.retain(|r| r.reverts.is_none() && !undone.contains(r.id.as_str()));
    records
}

/// What came of each fixup, and which texts led to which.
#[derive(Debug)]
pub struct Lineage<'a> {
    applied: Vec<&'a FixupRecord>,
    /// From the digest after a change to the digests before it.
    before: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Lineage<'a> {
    /// Of the records of a fixups file.
    #[must_use]
    pub fn of(all: &'a [FixupRecord]) -> Self {
        let mut before: HashMap<&str, Vec<&str>> = HashMap::new();
        for record in all {
            before.entry(&record.after_digest).or_default().push(&record.before_digest);
        }
        Self { applied: applied(all), before }
    }

    /// Fixups that hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.applied.len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty()
    }

    /// The fixups that hold, earliest first.
    #[must_use]
    pub fn applied(&self) -> &[&'a FixupRecord] {
        &self.applied
    }

    /// True when a reply of this transcript was rewritten and stayed so.
    #[must_use]
    pub fn touches(&self, id: &str, digest: &str) -> bool {
        if self.applied.is_empty() {
            return false;
        }
        let earlier = self.earlier(digest);
        let here =
            |f: &&FixupRecord| f.transcript == id || earlier.contains(f.after_digest.as_str());
        self.applied.iter().any(here)
    }

    /// The pairs of a transcript as it is now, each with the id of its fixup.
    #[must_use]
    pub fn pairs(
        &self,
        record: &str,
        transcript: &Transcript,
        digest: &str,
    ) -> Vec<(&'a str, Value)> {
        let earlier = self.earlier(digest);
        let here = |f: &&&FixupRecord| {
            f.transcript == transcript.id || earlier.contains(f.after_digest.as_str())
        };
        let made = |fixup: &&'a FixupRecord| {
            let now = self.now(fixup);
            let exchange = transcript.exchanges.iter().find(|e| e.number == fixup.exchange)?;
            let mut replies = transcript.reply_messages(exchange);
            let reply = replies.find(|i| transcript.messages[*i].text == now)?;
            Some((fixup.id.as_str(), pair(fixup, record, transcript, reply)))
        };
        self.applied.iter().filter(here).filter_map(made).collect()
    }

    /// The digests that led to this one, itself included.
    fn earlier<'d>(&'d self, digest: &'d str) -> HashSet<&'d str> {
        let mut known = HashSet::from([digest]);
        let mut open = vec![digest];
        while let Some(one) = open.pop() {
            let before = self.before.get(one).into_iter().flatten();
            open.extend(before.filter(|d| known.insert(d)));
        }
        known
    }

    /// What the reply says after every later fixup of it.
    fn now(&self, fixup: &'a FixupRecord) -> &'a str {
        let mut text = fixup.after.as_str();
        let mut rest = self.applied.iter().skip_while(|f| f.id != fixup.id).skip(1);
        let same =
            |f: &&&FixupRecord| f.exchange == fixup.exchange && f.transcript == fixup.transcript;
        for later in rest.by_ref().filter(same) {
            if later.before == text {
                text = &later.after;
            }
        }
        text
    }
}

fn pair(fixup: &FixupRecord, record: &str, transcript: &Transcript, reply: usize) -> Value {
    let message = |i: usize| message(record, transcript.shape, &transcript.messages[i]);
    let said = |text: &str| {
        let mut reply = message(reply);
        say(&mut reply, text);
        reply
    };
    let mut pair = Map::new();
    pair.insert("id".into(), fixup.id.clone().into());
    pair.insert("prompt".into(), (0..reply).map(message).collect());
    pair.insert("chosen".into(), json!([said(&fixup.after)]));
    pair.insert("rejected".into(), json!([said(&fixup.before)]));
    if let Some(tools) = tools(record) {
        pair.insert("tools".into(), tools);
    }
    Value::Object(pair)
}

/// The tools a record offers its assistant.
fn tools(record: &str) -> Option<Value> {
    let mut record: Value = serde_json::from_str(record).ok()?;
    Some(record.get_mut("tools")?.take()).filter(|tools| !tools.is_null())
}

/// A message as `{role, content}` and whatever else it carries.
fn message(record: &str, shape: Shape, message: &Message) -> Value {
    let own = matches!(
        shape,
        Shape::Messages | Shape::Preference | Shape::OpenAiPreference | Shape::PromptCompletion
    );
    let raw = serde_json::from_str(message.source.of(record)).ok().filter(|_| own);
    match raw {
        Some(Value::Object(mut raw)) if raw.contains_key("role") => {
            // Names that a chat template does not know would be left out of the prompt.
            if matches!(message.role, Role::User | Role::Assistant | Role::Tool) {
                raw.insert("role".into(), message.role.name().into());
            }
            Value::Object(raw)
        }
        _ => built(record, message),
    }
}

/// The same from a shape with other keys.
fn built(record: &str, message: &Message) -> Value {
    let mut made = Map::new();
    made.insert("role".into(), message.role.name().into());
    let others: Vec<Value> = message
        .other_parts
        .iter()
        .filter_map(|part| serde_json::from_str(part.of(record)).ok())
        .collect();
    let content = if others.is_empty() {
        message.text.clone().into()
    } else {
        let mut parts = vec![json!({"type": "text", "text": message.text})];
        parts.extend(others);
        Value::Array(parts)
    };
    made.insert("content".into(), content);
    let call = |call: &crate::transcript::ToolCall| {
        let mut made = Map::new();
        if let Some(id) = &call.id {
            made.insert("id".into(), id.clone().into());
        }
        made.insert("type".into(), "function".into());
        made.insert("function".into(), json!({"name": call.name, "arguments": call.arguments}));
        Value::Object(made)
    };
    if !message.tool_calls.is_empty() {
        made.insert("tool_calls".into(), message.tool_calls.iter().map(call).collect());
    }
    if let Some(id) = &message.tool_call_id {
        made.insert("tool_call_id".into(), id.clone().into());
    }
    Value::Object(made)
}

/// Puts a text where a message has its text; other parts stay.
fn say(message: &mut Value, text: &str) {
    if let Some(parts) = message.get_mut("content").and_then(Value::as_array_mut) {
        let is_text = |part: &&mut Value| part.is_string() || part.get("text").is_some();
        match parts.iter_mut().find(is_text) {
            Some(Value::Object(part)) => part.insert("text".into(), text.into()),
            Some(part) => Some(std::mem::replace(part, text.into())),
            None => None,
        };
    } else {
        message["content"] = text.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json as scanner;
    use crate::transcript::{digest, read};
    use expect_test::{Expect, expect};

    fn fixup(id: &str, exchange: u32, before: &str, after: &str) -> FixupRecord {
        FixupRecord {
            id: id.into(),
            at: "2026-11-24T10:00:00Z".into(),
            transcript: "t".into(),
            before_digest: format!("{id}-before"),
            after_digest: format!("{id}-after"),
            exchange,
            before: before.into(),
            after: after.into(),
            criteria: vec!["A".into()],
            drafter: "one".into(),
            judges: Vec::new(),
            together: None,
            reverts: None,
        }
    }

    fn undo(id: &str, fixup: &FixupRecord) -> FixupRecord {
        fixup.reverted(id.into(), &format!("2026-11-24T11:00:0{}Z", &id[1..]))
    }

    fn check(record: &str, all: &[FixupRecord], expected: Expect) {
        let transcript = read(record, &scanner::parse(record, 64)).transcript.unwrap();
        let digest = digest::of(record, &transcript).to_string();
        let pairs = Lineage::of(all).pairs(record, &transcript, &digest);
        let lines: String = pairs.iter().map(|(_, pair)| format!("{pair}\n")).collect();
        expected.assert_eq(&lines);
    }

    #[test]
    fn calls_parts_and_keys_are_kept() {
        let record = r#"{"id":"t","tools":[{"type":"function"}],"messages":[
            {"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"x"}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c1","content":"4"},{"role":"assistant","content":"Four.","mood":1},{"role":"user","content":"So?"}]}"#;
        check(
            record,
            &[fixup("f1", 1, "Four, silly.", "Four.")],
            expect![[r#"
                {"id":"f1","prompt":[{"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"x"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"4"}],"chosen":[{"role":"assistant","content":"Four.","mood":1}],"rejected":[{"role":"assistant","content":"Four, silly.","mood":1}],"tools":[{"type":"function"}]}
            "#]],
        );
    }

    #[test]
    fn other_shapes_become_messages() {
        check(
            r#"{"id":"t","conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hey"}]}"#,
            &[fixup("f1", 1, "Yo", "Hey")],
            expect![[r#"
                {"id":"f1","prompt":[{"role":"user","content":"Hi"}],"chosen":[{"role":"assistant","content":"Hey"}],"rejected":[{"role":"assistant","content":"Yo"}]}
            "#]],
        );
        check(
            r#"{"id":"t","messages":[{"role":"human","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":"Hey"}]}]}"#,
            &[fixup("f1", 1, "Yo", "Hey")],
            expect![[r#"
                {"id":"f1","prompt":[{"role":"user","content":"Hi"}],"chosen":[{"role":"assistant","content":[{"type":"text","text":"Hey"}]}],"rejected":[{"role":"assistant","content":[{"type":"text","text":"Yo"}]}]}
            "#]],
        );
    }

    #[test]
    fn what_was_taken_back_or_edited_since_makes_no_pair() {
        let record =
            r#"{"id":"t","turns":[{"user":"Hi","assistant":"C"},{"user":"So","assistant":"D"}]}"#;
        let first = fixup("f1", 1, "A", "B");
        let (second, other) = (fixup("f2", 1, "B", "C"), fixup("f3", 2, "X", "Y"));
        let taken_back = undo("f4", &other);
        // Two fixups of one reply are two pairs; a line that a merge doubled is one.
        let all = [first.clone(), second.clone(), second, other.clone(), taken_back.clone()];
        check(
            record,
            &all,
            expect![[r#"
                {"id":"f1","prompt":[{"role":"user","content":"Hi"}],"chosen":[{"role":"assistant","content":"B"}],"rejected":[{"role":"assistant","content":"A"}]}
                {"id":"f2","prompt":[{"role":"user","content":"Hi"}],"chosen":[{"role":"assistant","content":"C"}],"rejected":[{"role":"assistant","content":"B"}]}
            "#]],
        );
        check(record, &[first], expect![[""]]);
        let ids = |all: &[FixupRecord]| {
            applied(all).iter().map(|f| f.id.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ids(&[other.clone(), taken_back.clone()]), "");
        assert_eq!(ids(&[other, taken_back.clone(), undo("f5", &taken_back)]), "f3");
    }

    #[test]
    fn a_derived_id_is_followed_through_later_fixups() {
        let record = r#"{"turns":[{"user":"Hi","assistant":"B"},{"user":"So","assistant":"D"}]}"#;
        let transcript = read(record, &scanner::parse(record, 64)).transcript.unwrap();
        let now = digest::of(record, &transcript).to_string();
        let first = FixupRecord { transcript: "t-0".into(), ..fixup("f1", 1, "A", "B") };
        let second = FixupRecord {
            transcript: "t-1".into(),
            before_digest: first.after_digest.clone(),
            after_digest: now,
            ..fixup("f2", 2, "C", "D")
        };
        let all = [first, second];
        let digest = all[1].after_digest.clone();
        let lineage = Lineage::of(&all);
        let ids: Vec<_> = lineage.pairs(record, &transcript, &digest).iter().map(|p| p.0).collect();
        assert_eq!(ids, ["f1", "f2"]);
    }
}
