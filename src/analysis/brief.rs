//! What `check` keeps of a record: its findings, and what the rules about files
//! ask. Texts are decoded only where a finding, a count or a check needs them.
//!
//! Invariant: the findings are those of [`analyse`], byte for byte. Absent on
//! purpose: what an editor shows beside the text (outline, words, digests).

use super::context::{Context, Families, Memo};
use super::diagnostics::structure::{self, FileRecord};
use super::record::{Prospect, RecordAnalysis, analyse};
use super::sayings::Said;
use crate::doctor::settled;
use crate::finding::Finding;
use crate::text::Span;
use crate::text::json;
use crate::transcript::Shape;
use crate::transcript::likeness::{Likeness, likeness};

/// What is looked for in records.
#[derive(Clone, Debug)]
pub struct Looking<'c> {
    context: &'c Context,
    /// The same without the structure rules, when there is anything else to look for.
    rest: Option<Context>,
}

/// One record in brief.
#[derive(Debug, Default)]
pub struct Brief {
    /// What is wrong with it, by place.
    pub findings: Vec<Finding>,
    /// It holds a conversation.
    pub is_transcript: bool,
    /// What the trainer makes of it, where there is a target.
    pub prospect: Option<Prospect>,
    /// What the rules about files ask of it.
    pub traits: Traits,
}

/// What rules about files ask of a record.
#[derive(Debug, Default)]
pub struct Traits {
    shape: Option<Shape>,
    /// The id as written, and where.
    name: Option<(Box<str>, Span)>,
    likeness: Option<Likeness>,
}

impl<'c> Looking<'c> {
    /// Looks for what `context` wants.
    #[must_use]
    pub fn new(context: &'c Context) -> Self {
        let families = Families { structure: false, ..context.families };
        let wanted = context.target.is_some()
            || families.tokens
            || families.checks && context.rubric.is_some();
        let rest = wanted.then(|| Context { families, measures: false, ..context.clone() });
        Self { context, rest }
    }

    /// Looks at one record.
    #[must_use]
    pub fn at(&self, record: &str, memo: &mut Memo) -> Brief {
        let mut brief =
            if self.context.families.structure { self.structure(record) } else { Brief::default() };
        let Some(rest) = &self.rest else { return brief };
        let RecordAnalysis { mut findings, outline, prospect, .. } = analyse(record, rest, memo);
        brief.is_transcript = outline.is_some();
        brief.prospect = prospect;
        if let Some(target) = rest.target.as_deref() {
            brief.findings = settled(std::mem::take(&mut brief.findings), findings, target);
        } else if !findings.is_empty() {
            brief.findings.append(&mut findings);
            let key = |f: &Finding| (f.span, f.severity);
            brief.findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code)));
        }
        brief
    }

    fn structure(&self, record: &str) -> Brief {
        let json = json::parse(record, self.context.depth_limit);
        let mut examined = structure::examine(record, &json, None);
        examined.name_transcript(record, &json);
        let key = |f: &Finding| (f.span, f.severity);
        examined.findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code)));
        let draft = examined.draft.as_ref();
        let written = examined.name.as_written().zip(examined.name.source);
        let traits = Traits {
            shape: draft.map_or_else(|(shape, _)| *shape, |draft| Some(draft.shape)),
            name: written.filter(|_| draft.is_ok()).map(|(id, source)| (id.into(), source)),
            likeness: draft.ok().and_then(|draft| likeness(record, draft, &examined.gists)),
        };
        let (is_transcript, findings) = (draft.is_ok(), examined.findings);
        Brief { findings, is_transcript, prospect: None, traits }
    }
}

impl Traits {
    /// The id, where the record has one.
    #[must_use]
    pub fn written_id(&self) -> Option<&str> {
        self.name.as_ref().map(|(id, _)| &**id)
    }

    /// What tells it from most others; `None` when it has no message.
    pub(crate) const fn likeness(&self) -> Option<Likeness> {
        self.likeness
    }

    /// The record for the rules about files, at its place; `said` is what it says,
    /// where another record may say the same.
    #[must_use]
    pub fn at(&self, span: Span, line: usize, said: Option<Said>) -> FileRecord<'_> {
        let name = self.name.as_ref();
        FileRecord {
            span,
            line,
            shape: self.shape,
            content: said.map(|s| s.content),
            normalised: said.map(|s| s.normalised),
            id: name.map(|(id, _)| &**id),
            id_source: name.map(|(_, source)| source.shifted(span.start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::file::{self, FileLook, RecordLook};
    use crate::analysis::sayings::settled;
    use crate::transcript::facts::FileFacts;
    use crate::transcript::records::Layout;

    /// Records in every shape, most of them with something to find.
    const RECORDS: [&str; 22] = [
        r#"{"id": "a", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi\nthere"}, {"role": "assistant", "content": "ho \u00e9"}]}"#,
        r#"{"id": "a", "messages": [{"role": "system", "content": " "}, {"content": "a", "role": "User"}, {"role": "user", "content": ""}, {"role": "assistant", "content": "\n"}]}"#,
        r#"{"id": 1, "messages": [{"role": "user", "content": [{"type": "text", "text": " "}, {"type": "image_url"}]}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]}, {"role": "tool", "tool_call_id": "d", "content": ""}]}"#,
        r#"{"conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "{\"name\": \"f\"}"}, {"from": "function_call", "value": "no"}, {"from": "gpt", "value": "b"}], "system": ""}"#,
        r#"{"conversations": [{"from": "human", "value": "a"}, {"role": "assistant", "content": "b"}]}"#,
        r#"{"messages": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "r"}]}, {"role": "assistant", "content": [{"type": "tool_use", "id": "x", "name": "f", "input": {}}]}]}"#,
        r#"{"exchanges": [{"exchange_number": 1, "user": "a", "assistant": "b"}, {"exchange_number": 3, "user": null, "assistant": " "}, {"user": "c"}], "target_exchanges": 2}"#,
        r#"{"turns": [{"user": "a", "assistant": "b"}, {"role": "user", "content": "c"}, 3]}"#,
        r#"[["a", "b"], ["c"], [null, "d"]]"#,
        r#"{"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "content": "b"}, {"parts": "c"}], "systemInstruction": {"parts": [{"text": "s"}]}}"#,
        r#"{"prompt": "a", "completion": "b"}"#,
        r#"{"prompt": [{"role": "user", "content": "a"}], "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": [{"role": "assistant", "content": ""}]}"#,
        r#"{"input": {"messages": [{"role": "user", "content": "a"}]}, "preferred_output": [{"role": "assistant", "content": "b"}], "non_preferred_output": []}"#,
        r#"{"messages": [{"role": "user", "content": "a", "weight": 1}, {"role": "assistant", "contnt": "b", "weight": 0}, {"role": "assistant", "content": "c", "train": false, "function_call": {"name": "f", "arguments": {}}}], "functions": [{"name": "f"}]}"#,
        r#"{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "system", "content": "s"}], "conversations": [{"from": "human"}]}"#,
        r#"{"messages": []}"#,
        r#"{"mesages": [{"role": "user"}], "a": 1, "a": 2}"#,
        r#"{"messages": [{"role": "user", "content": "\ud800"},], }"#,
        r#"{"instruction": "a", "output": "b"}"#,
        "3",
    ];

    /// A record, with a few bytes changed or none.
    fn record() -> impl Strategy<Value = String> {
        let change = (
            any::<prop::sample::Index>(),
            prop::sample::select(vec!["", "\"", "{", "]", ",", " ", "é", "\\", "user", "1"]),
        );
        (prop::sample::select(RECORDS.to_vec()), prop::collection::vec(change, 0..3)).prop_map(
            |(record, changes)| {
                let mut record = record.to_owned();
                for (place, with) in changes {
                    let at = record.floor_char_boundary(place.index(record.len().max(1)));
                    let end = record.ceil_char_boundary((at + 1).min(record.len()));
                    record.replace_range(at..end, with);
                }
                record
            },
        )
    }

    proptest! {
        #[test]
        fn findings_are_those_of_the_full_look(record in record()) {
            let context = Context::default();
            let (mut memo, mut other) = (Memo::default(), Memo::default());
            let full = analyse(&record, &context, &mut memo);
            let brief = Looking::new(&context).at(&record, &mut other);
            prop_assert_eq!(&brief.findings, &full.findings);
            prop_assert_eq!(brief.is_transcript, full.outline.is_some());
            let traits = brief.traits.at(Span::new(0, record.len()), 1, None);
            prop_assert_eq!(traits.shape, full.shape);
            let outline = full.outline.as_ref();
            prop_assert_eq!(traits.id_source, outline.and_then(|o| o.id_source));
            let id = outline.filter(|o| o.id_source.is_some()).map(|o| &*o.id);
            prop_assert_eq!(traits.id, id);
            let said = outline.filter(|o| !o.messages.is_empty());
            let hashes = Said::of(&record, context.depth_limit).filter(|_| said.is_some());
            prop_assert_eq!(hashes.map(|s| (s.content, Some(s.normalised))), said.map(|o| (o.content, o.normalised)));
            prop_assert_eq!(brief.traits.likeness().is_some(), said.is_some());
        }

        #[test]
        fn structure_alone_finds_the_same_structure(record in record()) {
            let families = Families { structure: true, tokens: false, checks: false };
            let context = Context { families, measures: false, ..Context::default() };
            let full = analyse(&record, &context, &mut Memo::default());
            let brief = Looking::new(&context).at(&record, &mut Memo::default());
            prop_assert_eq!(brief.findings, full.findings);
        }

        #[test]
        fn rules_about_files_say_the_same_of_records_in_brief(records in prop::collection::vec(record(), 0..8)) {
            let context = Context::default();
            let mut memo = Memo::default();
            let spans: Vec<Span> = records.iter().scan(0, |at, r| {
                let span = Span::new(*at, *at + r.len());
                *at = span.end + 1;
                Some(span)
            }).collect();
            let full: Vec<_> = records.iter().map(|r| analyse(r, &context, &mut memo)).collect();
            let facts = FileFacts { records: records.len(), ..FileFacts::default() };
            let look = |(i, analysis)| RecordLook { span: spans[i], line: i + 1, analysis };
            let records_of = full.iter().enumerate().map(look).collect();
            let expected = file::findings(&FileLook { layout: Layout::Lines, facts: &facts, text: None, records: records_of });
            let looking = Looking::new(&context);
            let briefs: Vec<_> = records.iter().map(|r| looking.at(r, &mut memo)).collect();
            let traits: Vec<&Traits> = briefs.iter().map(|b| &b.traits).collect();
            let mut said = settled(&traits);
            for reading in said.unsettled() {
                let found = Said::of(&records[reading.first], context.depth_limit);
                said.settle(&reading, found);
            }
            let known = traits.iter().enumerate().map(|(i, t)| t.at(spans[i], i + 1, said.of(i))).collect::<Vec<_>>();
            prop_assert_eq!(file::findings_of(Layout::Lines, &facts, None, &known), expected);
        }
    }
}
