//! Findings about tokens: a record over the limit (C001), one its chat template
//! refuses (T008), a message whose text the template leaves out (T009).
//!
//! Invariant: C001 needs nothing but a limit; T008 and T009 speak of a template
//! only where the user has chosen one. At most one C001 or T008 a record, at most
//! sixteen T009. Absent on purpose: counting errors; they are the caller's to
//! report once, not a finding in every record.

use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::thousands::grouped;
use crate::tokens::template::Dropped;
use crate::tokens::{
    Precision, RecordCount, RecordCounter, RecordCounts, RecordError, RenderInput, Template,
    TemplateError,
};
use crate::transcript::Transcript;

/// What the findings of a record depend on, besides the record.
#[derive(Clone, Copy, Debug)]
pub struct TokenRules<'c> {
    /// What counts.
    pub counter: &'c RecordCounter,
    /// `[tokens] limit`
    pub limit: usize,
    /// Whether `[tokens] chat_template` is set.
    pub template_is_set: bool,
}

/// The token findings of one record, by place. `counts` are the record's.
#[must_use]
pub fn findings(
    rules: TokenRules<'_>,
    record: &str,
    transcript: &Transcript,
    counts: &RecordCounts,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &counts.record {
        Ok(count) if count.tokens > rules.limit => {
            findings.push(over_limit(rules, record, transcript, *count));
        }
        Ok(_) => {}
        Err(RecordError::Template(error)) if rules.template_is_set => {
            findings.push(refused(rules.counter.template().name(), transcript, error));
        }
        Err(_) => {}
    }
    if let Template::Jinja(template) = rules.counter.template()
        && rules.template_is_set
        && counts.record.is_ok()
    {
        let input = RenderInput::from_transcript(record, transcript);
        let dropped = template.dropped(&input).unwrap_or_default();
        let role = |d: &Dropped| input.messages.get(d.index).map_or("", |m| m.role());
        let name = template_name(rules);
        findings.extend(dropped.iter().map(|d| left_out(name, transcript, *d, role(d))));
    }
    findings.sort_by_key(|f| (f.span.start, f.code.clone()));
    findings
}

fn template_name(rules: TokenRules<'_>) -> &str {
    rules.counter.template().name()
}

fn over_limit(
    rules: TokenRules<'_>,
    record: &str,
    transcript: &Transcript,
    count: RecordCount,
) -> Finding {
    let input = RenderInput::from_transcript(record, transcript);
    let index = rules.counter.crossing(&input, rules.limit);
    let exchange = index.and_then(|i| transcript.exchange_of(i));
    let (about, because) = match count.precision {
        Precision::Exact => ("", String::new()),
        Precision::Estimate(why) => ("about ", format!("; {why}")),
    };
    let advice = match exchange {
        Some(n) if n > 1 => format!("slice it before exchange {n}, shorten it"),
        _ => "shorten it".to_owned(),
    };
    let message = format!(
        "{about}{} tokens, {} over the limit of {} ({}, {} template{because}), which is passed here: \
         {advice}, or raise `limit` under `[tokens]`",
        grouped(count.tokens),
        grouped(count.tokens - rules.limit),
        grouped(rules.limit),
        rules.counter.counter().label(),
        template_name(rules),
    );
    let span = place(transcript, index.unwrap_or(0));
    Finding::new("C001", Severity::Warning, span, message).in_exchange(exchange)
}

fn refused(template: &str, transcript: &Transcript, error: &TemplateError) -> Finding {
    let message = match error {
        TemplateError::Raised(words) => format!(
            "the {template} template refuses this transcript: \"{words}\"; change its messages, \
             or `chat_template` under `[tokens]`"
        ),
        other => format!("{other}; check `chat_template` under `[tokens]` ({template})"),
    };
    Finding::new("T008", Severity::Error, place(transcript, 0), message)
        .in_exchange(transcript.exchange_of(0))
}

fn left_out(template: &str, transcript: &Transcript, dropped: Dropped, role: &str) -> Finding {
    let (severity, message) = if dropped.only_reasoning {
        let message = format!("the {template} template leaves out this message's reasoning");
        (Severity::Info, format!("{message}: the model is trained without it"))
    } else {
        let message = format!("the {template} template leaves out this `{role}` message's text");
        (Severity::Warning, format!("{message}: rename its role, or use another `chat_template`"))
    };
    Finding::new("T009", severity, place(transcript, dropped.index), message)
        .in_exchange(transcript.exchange_of(dropped.index))
}

/// The words of a message; the start of the record when there is none.
fn place(transcript: &Transcript, index: usize) -> Span {
    transcript.messages.get(index).map_or(Span::new(0, 0), |m| m.text_source())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::text::json;
    use crate::tokens::{Counter, Encoding};
    use crate::transcript;

    fn check(template: &str, is_set: bool, limit: usize, record: &str, expected: Expect) {
        let template = Arc::new(Template::built_in(template).unwrap());
        let counter = Counter::OpenAi(Encoding::O200kBase);
        let counter = &RecordCounter::new(counter, template, Arc::default());
        let transcript = transcript::read(record, &json::parse(record, 128)).transcript.unwrap();
        let counts = counter.counts(record, &transcript);
        let rules = TokenRules { counter, limit, template_is_set: is_set };
        let mut shown = format!("{:?}\n", counts.messages);
        for f in findings(rules, record, &transcript, &counts) {
            let (severity, words) = (f.severity.name(), f.span.of(record));
            let exchange = f.exchange.map_or("-".to_owned(), |n| n.to_string());
            shown
                .push_str(&format!("{severity}[{}] {exchange} `{words}`: {}\n", f.code, f.message));
        }
        expected.assert_eq(&shown);
    }

    const TALK: &str = r#"{"messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello world"}, {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "hello world"}, {"role": "assistant", "content": "hello"}]}"#;

    #[test]
    fn over_the_limit_where_it_is_passed() {
        check(
            "openai",
            false,
            100,
            TALK,
            expect![[r#"
            [Some(3), Some(2), Some(1), Some(2), Some(1)]
        "#]],
        );
        check(
            "openai",
            false,
            30,
            TALK,
            expect![[r#"
            [Some(3), Some(2), Some(1), Some(2), Some(1)]
            warning[C001] 2 `hello`: 32 tokens, 2 over the limit of 30 (o200k_base, openai template), which is passed here: slice it before exchange 2, shorten it, or raise `limit` under `[tokens]`
        "#]],
        );
        check(
            "chatml",
            false,
            4,
            TALK,
            expect![[r#"
            [Some(3), Some(2), Some(1), Some(2), Some(1)]
            warning[C001] - `Be brief.`: 34 tokens, 30 over the limit of 4 (o200k_base, chatml template), which is passed here: shorten it, or raise `limit` under `[tokens]`
        "#]],
        );
        let image = r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}, {"type": "image_url"}]}]}"#;
        check(
            "openai",
            false,
            2,
            image,
            expect![[r#"
                [Some(1)]
                warning[C001] - `hello`: about 8 tokens, 6 over the limit of 2 (o200k_base, openai template; images are not counted), which is passed here: shorten it, or raise `limit` under `[tokens]`
            "#]],
        );
    }

    #[test]
    fn a_chosen_template_that_refuses_or_leaves_out() {
        check(
            "gemma",
            false,
            100,
            TALK,
            expect![[r#"
            [Some(3), Some(2), Some(1), Some(2), Some(1)]
        "#]],
        );
        check(
            "gemma",
            true,
            100,
            TALK,
            expect![[r#"
            [Some(3), Some(2), Some(1), Some(2), Some(1)]
            error[T008] - `Be brief.`: the gemma template refuses this transcript: "System role not supported"; change its messages, or `chat_template` under `[tokens]`
        "#]],
        );
        let talk = r#"{"messages": [{"role": "narrator", "content": "Once"}, {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "<think>hm</think>\nhello"}, {"role": "user", "content": " hi "},
            {"role": "assistant", "content": "<think>hm</think>hello"}, {"role": "user", "content": ""}]}"#;
        check(
            "qwen3",
            true,
            1000,
            talk,
            expect![[r#"
                [Some(1), Some(1), Some(8), Some(2), Some(8), Some(0)]
                warning[T009] - `Once`: the qwen3 template leaves out this `narrator` message's text: rename its role, or use another `chat_template`
                info[T009] 1 `<think>hm</think>\nhello`: the qwen3 template leaves out this message's reasoning: the model is trained without it
                info[T009] 2 `<think>hm</think>hello`: the qwen3 template leaves out this message's reasoning: the model is trained without it
            "#]],
        );
        check(
            "qwen3",
            false,
            1000,
            talk,
            expect![[r#"
            [Some(1), Some(1), Some(8), Some(2), Some(8), Some(0)]
        "#]],
        );
    }
}
