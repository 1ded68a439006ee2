//! Truncation: the exchanges from one on are cut off a transcript (SPEC 7.1), and
//! where failures offer that.
//!
//! Invariant: whole messages go, and one key comes that says what went; every other
//! byte of the record stays. A cut is made only where the record, read again, holds
//! exactly the messages that should stay, and enough exchanges of them.
//!
//! Deliberately absent: what remains is good. It is another text, and is assessed as
//! any new one.

use std::fmt;

use serde_json::json;

use crate::assessment::{Scorecard, evidence};
use crate::finding::Edit;
use crate::rubric::{Criterion, FixPolicy, Rubric};
use crate::text::Span;
use crate::text::edit::apply_edits;
use crate::text::json::{self as text_json, Json, Kind, Member, Value};
use crate::transcript::{Message, Transcript, digest, read, shape};

use super::offer::failing;

/// The key of a record that says what was cut off it: a list, a cut an item.
pub const KEY: &str = "rubricator_truncated";

/// Where a transcript may be cut, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first exchange that goes.
    pub before: u32,
    /// The criteria that no exchange before it fails, in rubric order.
    pub criteria: Vec<String>,
}

/// A cut as edits of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// The edits.
    pub edits: Vec<Edit>,
    /// Exchanges that go.
    pub exchanges: usize,
    /// Messages that go.
    pub messages: usize,
}

/// Why a transcript is not cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannotCut {
    /// It has no such exchange.
    NoExchange(u32),
    /// Too few exchanges would stay.
    TooFew {
        /// So many would.
        kept: usize,
        /// So many must.
        wanted: usize,
    },
    /// Its messages are in no list of an object that could say what was cut.
    NoList,
    /// The record says something else under [`KEY`].
    KeyTaken,
    /// Messages that stay and messages that go cannot be told apart.
    Entangled,
}

impl fmt::Display for CannotCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoExchange(number) => write!(f, "it has no exchange {number} to cut before"),
            Self::TooFew { kept, wanted } => {
                let word = if *kept == 1 { "exchange" } else { "exchanges" };
                write!(
                    f,
                    "only {kept} {word} would stay, {wanted} must (`fixup.min_exchanges_kept`)"
                )
            }
            Self::NoList => f.write_str(
                "its messages are in no list of an object, which could say what was cut",
            ),
            Self::KeyTaken => write!(f, "the record says something else under `{KEY}`"),
            Self::Entangled => {
                f.write_str("the messages that stay cannot be told from those that go")
            }
        }
    }
}

impl std::error::Error for CannotCut {}

/// Where failures that are not rewritten can be cut off: those of safety gates and of
/// criteria whose `fix` is `truncate`, before the first words that judges point at. A
/// criterion that fails without any words fails everywhere.
#[must_use]
pub fn cuts(card: &Scorecard, rubric: &Rubric, transcript: &Transcript) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    let may = |c: &&Criterion| c.fix == FixPolicy::Truncate && card.failed_checks.contains(&c.id);
    for criterion in rubric.criteria.iter().filter(may) {
        let Some(before) = first(card, criterion, transcript) else { continue };
        match cuts.iter_mut().find(|cut| cut.before == before) {
            Some(cut) => cut.criteria.push(criterion.id.clone()),
            None => cuts.push(Cut { before, criteria: vec![criterion.id.clone()] }),
        }
    }
    cuts.sort_by_key(|cut| cut.before);
    cuts
}

/// The first exchange that a criterion fails in.
fn first(card: &Scorecard, criterion: &Criterion, transcript: &Transcript) -> Option<u32> {
    let mut first = None;
    for judge in &card.judges {
        let Some(answer) = failing(judge, criterion) else { continue };
        let cited = answer.evidence.iter().filter_map(|one| evidence::locate(transcript, one));
        let here = cited.map(|located| located.exchange).min()?;
        first = Some(first.map_or(here, |first: u32| first.min(here)));
    }
    first
}

/// Cuts a transcript before an exchange, of which `kept` exchanges must stay.
/// `json` is the parse of `record`, `transcript` what was read from it.
///
/// # Errors
/// When it cannot be done without doubt; then nothing is edited.
pub fn truncate(
    record: &str,
    json: &Json,
    transcript: &Transcript,
    cut: &Cut,
    kept: usize,
) -> Result<Truncation, CannotCut> {
    let staying = usize::try_from(cut.before.saturating_sub(1)).unwrap_or(usize::MAX);
    let goes = |e: &&crate::transcript::Exchange| e.number >= cut.before;
    let exchanges = transcript.exchanges.iter().filter(goes).count();
    if exchanges == 0 || cut.before == 0 {
        return Err(CannotCut::NoExchange(cut.before));
    }
    if staying < kept.max(1) {
        return Err(CannotCut::TooFew { kept: staying, wanted: kept.max(1) });
    }
    let last = transcript.exchanges.get(staying - 1).ok_or(CannotCut::Entangled)?;
    let last = last.user.iter().chain(&last.rest).max().ok_or(CannotCut::Entangled)?;
    let (stay, go) = transcript.messages.split_at(last + 1);
    let root = json.root(record).filter(|root| root.kind() == Kind::Object);
    let root = root.ok_or(CannotCut::NoList)?;
    let list = shape::draft(root).ok().and_then(|draft| draft.list).ok_or(CannotCut::NoList)?;
    let entry = Entry {
        cut,
        exchanges,
        messages: go.len(),
        text: digest::of(record, transcript).to_string(),
    };
    let edits = vec![removal(list, stay, go)?, entry.insertion(record, root)?];
    let truncation = Truncation { edits, exchanges, messages: go.len() };
    if leaves(record, &truncation.edits, stay, staying) {
        Ok(truncation)
    } else {
        Err(CannotCut::Entangled)
    }
}

/// The items of the list that hold what goes, with the comma before the first.
fn removal(list: Value<'_>, stay: &[Message], go: &[Message]) -> Result<Edit, CannotCut> {
    let holds = |item: Value<'_>, all: &[Message]| all.iter().any(|m| item.span().covers(m.source));
    let mut before: Option<usize> = None;
    let (mut start, mut end) = (None, 0);
    for item in list.items() {
        let going = start.is_some() || holds(item, go);
        if going && holds(item, stay) {
            return Err(CannotCut::Entangled);
        }
        if going {
            start = start.or(before);
            start.ok_or(CannotCut::Entangled)?;
        }
        before = Some(item.span().end);
        end = item.span().end;
    }
    let span = start.map(|start| Span::new(start, end)).ok_or(CannotCut::Entangled)?;
    Ok(Edit { span, text: String::new() })
}

/// What the record says of a cut.
struct Entry<'a> {
    cut: &'a Cut,
    exchanges: usize,
    messages: usize,
    /// The digest of the text before, in hex.
    text: String,
}

impl Entry<'_> {
    /// The edit that lets the record say it, spaced as the record is.
    fn insertion(&self, record: &str, root: Value<'_>) -> Result<Edit, CannotCut> {
        let members: Vec<Member<'_>> = root.members().collect();
        let last = members.last().ok_or(CannotCut::NoList)?;
        let colon = &record[last.key.quoted.end..last.value.span().start];
        let said = self.written(colon.ends_with(' '));
        let Some(list) = root.get(KEY) else {
            let comma = match members.as_slice() {
                [.., before, last] => &record[before.span().end..last.key.quoted.start],
                _ if colon.ends_with(' ') => ", ",
                _ => ",",
            };
            let text = format!("{comma}\"{KEY}\"{colon}[{said}]");
            return Ok(Edit { span: Span::empty(last.span().end), text });
        };
        match (list.kind(), list.items().last()) {
            (Kind::Array, Some(item)) => {
                let comma = if colon.ends_with(' ') { ", " } else { "," };
                Ok(Edit { span: Span::empty(item.span().end), text: format!("{comma}{said}") })
            }
            (Kind::Array, None) => {
                Ok(Edit { span: Span::empty(list.span().start + 1), text: said })
            }
            _ => Err(CannotCut::KeyTaken),
        }
    }

    fn written(&self, spaced: bool) -> String {
        let (comma, colon) = if spaced { (", ", ": ") } else { (",", ":") };
        let fields = [
            ("before_exchange", json!(self.cut.before)),
            ("exchanges", json!(self.exchanges)),
            ("messages", json!(self.messages)),
            ("criteria", json!(self.cut.criteria)),
            ("transcript_digest", json!(self.text)),
        ];
        let fields = fields.map(|(key, value)| format!("\"{key}\"{colon}{value}"));
        format!("{{{}}}", fields.join(comma))
    }
}

/// True when the record, edited, says exactly what should stay.
fn leaves(record: &str, edits: &[Edit], stay: &[Message], exchanges: usize) -> bool {
    let Ok(after) = apply_edits(record, edits) else { return false };
    let json = text_json::parse(&after, text_json::DEPTH_LIMIT);
    let Ok(left) = read(&after, &json).transcript else { return false };
    let same = |(a, b): (&Message, &Message)| a.role == b.role && a.key == b.key;
    json.syntax_problem().is_none()
        && left.messages.len() == stay.len()
        && left.messages.iter().zip(stay).all(same)
        && left.exchanges.len() == exchanges
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::assessment::sample::{criterion, rubric, said, transcript};
    use crate::assessment::{Evidence, Outcome, scorecard};
    use crate::config::Aggregation;
    use expect_test::{Expect, expect};

    fn cut(before: u32) -> Cut {
        Cut { before, criteria: vec!["SAFE".into()] }
    }

    fn check(record: &str, before: u32, kept: usize, expected: Expect) {
        let json = text_json::parse(record, text_json::DEPTH_LIMIT);
        let transcript = read(record, &json).transcript.unwrap();
        let digest = digest::of(record, &transcript).to_string();
        expected.assert_eq(&match truncate(record, &json, &transcript, &cut(before), kept) {
            Ok(cut) => apply_edits(record, &cut.edits).unwrap().replace(&digest, "…"),
            Err(why) => why.to_string(),
        });
    }

    #[test]
    fn whole_messages_go_and_the_record_says_so() {
        check(
            r#"{"id": "a", "messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "caf\u00e9"}, {"role": "user", "content": "2"}, {"role": "assistant", "content": "b"} ], "mood": [1, 2.50]}"#,
            2,
            1,
            expect![[
                r#"{"id": "a", "messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "caf\u00e9"} ], "mood": [1, 2.50], "rubricator_truncated": [{"before_exchange": 2, "exchanges": 1, "messages": 2, "criteria": ["SAFE"], "transcript_digest": "…"}]}"#
            ]],
        );
        check(
            r#"{"conversations":[{"from":"human","value":"1"},{"from":"gpt","value":"a"},{"from":"human","value":"2"},{"from":"gpt","value":"b"},{"from":"human","value":"and?"}]}"#,
            2,
            1,
            expect![[
                r#"{"conversations":[{"from":"human","value":"1"},{"from":"gpt","value":"a"}],"rubricator_truncated":[{"before_exchange":2,"exchanges":1,"messages":3,"criteria":["SAFE"],"transcript_digest":"…"}]}"#
            ]],
        );
        check(
            "{\n  \"exchanges\": [\n    {\"user\": \"1\", \"assistant\": \"a\"},\n    {\"user\": \"2\", \"assistant\": \"b\"}\n  ],\n  \"rubricator_truncated\": [{\"before_exchange\": 3}]\n}",
            2,
            1,
            expect![[r#"
                {
                  "exchanges": [
                    {"user": "1", "assistant": "a"}
                  ],
                  "rubricator_truncated": [{"before_exchange": 3}, {"before_exchange": 2, "exchanges": 1, "messages": 2, "criteria": ["SAFE"], "transcript_digest": "…"}]
                }"#]],
        );
        check(
            r#"{"messages": [["1", "a"], ["2", "b"], ["3", "c"]]}"#,
            3,
            2,
            expect![[
                r#"{"messages": [["1", "a"], ["2", "b"]], "rubricator_truncated": [{"before_exchange": 3, "exchanges": 1, "messages": 2, "criteria": ["SAFE"], "transcript_digest": "…"}]}"#
            ]],
        );
    }

    #[test]
    fn what_cannot_be_cut_says_why() {
        let two = r#"{"messages": [["1", "a"], ["2", "b"]]}"#;
        check(two, 3, 1, expect!["it has no exchange 3 to cut before"]);
        check(two, 0, 0, expect!["it has no exchange 0 to cut before"]);
        check(
            two,
            1,
            0,
            expect!["only 0 exchanges would stay, 1 must (`fixup.min_exchanges_kept`)"],
        );
        check(
            two,
            2,
            10,
            expect!["only 1 exchange would stay, 10 must (`fixup.min_exchanges_kept`)"],
        );
        check(
            r#"[["1", "a"], ["2", "b"]]"#,
            2,
            1,
            expect!["its messages are in no list of an object, which could say what was cut"],
        );
        check(
            r#"{"messages": [["1", "a"], ["2", "b"]], "rubricator_truncated": true}"#,
            2,
            1,
            expect!["the record says something else under `rubricator_truncated`"],
        );
        check(
            r#"{"prompt": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "2"}], "chosen": "b", "rejected": "c"}"#,
            2,
            1,
            expect!["its messages are in no list of an object, which could say what was cut"],
        );
    }

    #[test]
    fn cuts_are_offered_before_the_first_words_that_fail() {
        let mut cautious = criterion("T");
        cautious.fix = FixPolicy::Truncate;
        let mut gate = criterion("G").gate();
        gate.fix = FixPolicy::Truncate;
        let rubric = rubric(vec![criterion("A"), cautious, gate]);
        let judge = |answers: &str, cited: &[(&str, u32)]| {
            let mut judge = said("j", answers);
            for (id, exchange) in cited {
                if let Some(Outcome::Answered(answer)) = judge.outcomes.get_mut(*id) {
                    let quote = "Answer".to_owned();
                    answer.evidence.push(Evidence { exchange: *exchange, quote });
                }
            }
            judge
        };
        let transcript = transcript(4);
        let cuts = |judges: &[crate::assessment::JudgeOutcomes]| {
            let (checks, way) = (BTreeMap::new(), Aggregation::Strictest);
            let card = scorecard(&rubric, &transcript, &checks, judges, way);
            let cuts = cuts(&card, &rubric, &transcript).into_iter();
            cuts.map(|c| format!("{} {}", c.before, c.criteria.join(" "))).collect::<Vec<_>>()
        };
        let one = judge("A=NO T=NO G=NO", &[("A", 1), ("T", 4), ("T", 3), ("G", 4)]);
        assert_eq!(cuts(std::slice::from_ref(&one)), ["3 T", "4 G"]);
        let two = judge("A=YES T=YES G=NO", &[("G", 3)]);
        assert_eq!(cuts(&[one.clone(), two]), ["3 T G"]);
        let nowhere = judge("A=YES T=YES G=NO", &[]);
        assert_eq!(cuts(&[one, nowhere]), ["3 T"]);
    }
}
