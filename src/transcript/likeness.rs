//! Which records of a file may say the same, told without reading all they say.
//!
//! Invariant: two records with equal [`digest::normalised`] hashes have equal
//! samples; two with equal `raw` hashes say the same to the byte. So only records
//! whose samples meet, and whose raw hashes differ, have to be read (rule D001).

use std::borrow::Cow;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::message::{Gist, message};
use super::role::is_call_name;
use super::shape::{Draft, Slot};
use super::{Role, digest};
use crate::text::escape;
use crate::text::json::Value;

/// Messages looked at from the front, and as many from the end.
const MESSAGES: usize = 4;
/// Normalised bytes of each.
const BYTES: usize = 24;

/// What tells a record from most others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likeness {
    /// A hash of how the first and last messages begin.
    pub sample: u64,
    /// A hash of the source text of all messages.
    pub raw: u128,
}

/// The likeness of a record; `None` when it has no message. `gists` are the draft's.
pub(crate) fn likeness(record: &str, draft: &Draft<'_>, gists: &[Gist]) -> Option<Likeness> {
    draft.slots.first()?;
    let raw = source(record, draft);
    let raw = xxh3_128_with_seed(raw.as_bytes(), draft.shape as u64);
    let spoken = draft.slots.iter().zip(gists).filter(|(_, gist)| gist.role != Role::System);
    let count = spoken.clone().count();
    let mut sample = Vec::with_capacity(MESSAGES * 2 * (BYTES + 12));
    for (index, (slot, gist)) in spoken.enumerate() {
        if index < MESSAGES || index + MESSAGES >= count {
            sample.extend_from_slice(gist.role.name().as_bytes());
            sample.push(1);
            start(slot, &mut sample);
        }
    }
    sample.extend_from_slice(&count.to_le_bytes());
    Some(Likeness { sample: xxh3_64(&sample), raw })
}

/// The list of messages where all of them are in it, else the whole record.
fn source<'a>(record: &'a str, draft: &Draft<'a>) -> &'a str {
    let list = draft.list.filter(|list| {
        draft.slots.last().is_some_and(|last| list.span().covers(last.source.span()))
    });
    list.map_or(record, Value::raw)
}

/// How the text of a message begins, normalised.
fn start(slot: &Slot<'_>, sample: &mut Vec<u8>) {
    let is_call = |value: Value<'_>| value.str().is_some_and(|name| is_call_name(&name));
    let literal = slot.content.and_then(Value::literal);
    let Some(literal) = literal.filter(|_| slot.plain || !slot.role_value.is_some_and(is_call))
    else {
        digest::push_normalised(sample, &message(slot).text, BYTES);
        return;
    };
    let from = sample.len();
    let mut enough = BYTES * 2;
    loop {
        let text: Cow<'_, str> = escape::decode_start(literal.raw, enough);
        digest::push_normalised(sample, &text, BYTES);
        if sample.len() - from >= BYTES || enough >= literal.raw.len() {
            return;
        }
        sample.truncate(from);
        enough *= 4;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::json::{self, DEPTH_LIMIT};
    use crate::transcript::message::gist;
    use crate::transcript::shape::draft;
    use crate::transcript::{Transcript, read};

    fn of(record: &str) -> Option<(Likeness, Transcript)> {
        let json = json::parse(record, DEPTH_LIMIT);
        let draft = draft(json.root(record)?).ok()?;
        let gists: Vec<Gist> = draft.slots.iter().map(gist).collect();
        Some((likeness(record, &draft, &gists)?, read(record, &json).transcript.ok()?))
    }

    fn samples(records: &[&str]) -> Vec<u64> {
        records.iter().map(|r| of(r).expect("a conversation").0.sample).collect()
    }

    #[test]
    fn what_is_normalised_away_is_not_in_the_sample() {
        let same = [
            r#"{"messages": [{"role": "user", "content": "Hello,\n\nyou: é"}, {"role": "assistant", "content": "b"}]}"#,
            r#"{"messages":[{"content":"hello you \u00C9 !","role":"user"},{"role":"assistant","content":"B."}]}"#,
            r#"{"exchanges": [{"user": " HELLO you é", "assistant": "b"}]}"#,
            r#"[["hello you, É", "b"]]"#,
            r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "hello"}, {"type": "text", "text": "you é"}]}, {"role": "assistant", "content": "b"}]}"#,
        ];
        let samples = samples(&same);
        assert!(samples.iter().all(|s| *s == samples[0]), "{samples:x?}");
    }

    #[test]
    fn other_words_others_roles_and_other_lengths_are_in_it() {
        let messages = |inner: &str| format!(r#"{{"messages": [{inner}]}}"#);
        let records = [
            messages(r#"{"role": "user", "content": "a"}"#),
            messages(r#"{"role": "user", "content": "b"}"#),
            messages(r#"{"role": "assistant", "content": "a"}"#),
            messages(r#"{"role": "user", "content": "a"}, {"role": "user", "content": ""}"#),
        ];
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let samples = samples(&records);
        let distinct: std::collections::HashSet<_> = samples.iter().collect();
        assert_eq!(distinct.len(), samples.len());
    }

    /// A text, written in two ways that normalise to the same.
    fn written_twice() -> impl Strategy<Value = (String, String)> {
        let piece = prop::sample::select(vec![
            ("a", "A"),
            (" ", "\\n"),
            (" ", " -- "),
            ("é", "\\u00c9"),
            ("😀", "\\ud83d\\ude00"),
            ("x1", "X1"),
            ("\\\"", "?"),
            ("日", "\\u65e5"),
        ]);
        prop::collection::vec(piece, 0..90).prop_map(|pieces| pieces.into_iter().unzip())
    }

    proptest! {
        #[test]
        fn equal_hashes_have_equal_samples((left, right) in written_twice(), parts in any::<bool>()) {
            let plain = format!(r#"{{"messages": [{{"role": "user", "content": "{left}"}}]}}"#);
            let content = if parts { format!(r#"[{{"type": "text", "text": "{right}"}}]"#) } else { format!("\"{right}\"") };
            let other = format!(r#"{{"messages": [{{"role": "user", "content": {content}}}]}}"#);
            let (left, right) = (of(&plain).expect("read"), of(&other).expect("read"));
            prop_assert_eq!(digest::normalised(&left.1), digest::normalised(&right.1));
            prop_assert_eq!(left.0.sample, right.0.sample);
        }
    }
}
