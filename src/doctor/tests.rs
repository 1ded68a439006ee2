//! What the doctor says of small records, trainer by trainer.

use std::sync::Arc;

use expect_test::{Expect, expect};

use super::*;
use crate::text::json;
use crate::tokens::{Counter, Encoding};
use crate::transcript::read;

fn target(trainer: &str, template: &str, loss: Option<Loss>, max_length: Option<usize>) -> Target {
    let trainer = Trainer::named(trainer).unwrap();
    let counter = Counter::OpenAi(Encoding::O200kBase);
    let built_in = Arc::new(Template::built_in(template).unwrap());
    let counter = RecordCounter::new(counter, built_in, Arc::default());
    Target::new(trainer, loss, max_length, counter, template != "openai").unwrap()
}

fn check_with(target: &Target, record: &str, expected: Expect) {
    let parsed = json::parse(record, 128);
    let transcript = read(record, &parsed).transcript.unwrap();
    let diagnosis = examine(record, &parsed, &transcript, target);
    let count = diagnosis.count.map(|c| (c.tokens, c.trained, c.kept, c.kept_trained));
    let mut shown = format!("{} {count:?}\n", diagnosis.fate.name());
    for f in diagnosis.findings {
        let words = f.span.of(record);
        shown += &format!("{}[{}] `{words}`: {}\n", f.severity.name(), f.code, f.message);
        for fix in f.fixes {
            let mended = crate::text::edit::apply_edits(record, &fix.edits).unwrap();
            shown += &format!("  {}: {mended}\n", fix.title);
        }
    }
    expected.assert_eq(&shown);
}

fn check(trainer: &str, template: &str, record: &str, expected: Expect) {
    check_with(&target(trainer, template, None, None), record, expected);
}

const TALK: &str = r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello world"}, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "hello world"}, {"role": "assistant", "content": "hello"}]}"#;

#[test]
fn a_sound_record_is_whole_everywhere() {
    for (trainer, template) in [
        ("trl", "qwen3"),
        ("trl", "llama3"),
        ("axolotl", "chatml"),
        ("mlx", "chatml"),
        ("unsloth", "llama3"),
        ("llamafactory", "openai"),
        ("together", "openai"),
        ("fireworks", "openai"),
        ("openai", "openai"),
        ("mistral", "mistral-v3"),
    ] {
        let parsed = json::parse(TALK, 128);
        let transcript = read(TALK, &parsed).transcript.unwrap();
        let target = target(trainer, template, None, None);
        let diagnosis = examine(TALK, &parsed, &transcript, &target);
        assert_eq!(diagnosis.findings, [], "{trainer}");
        assert_eq!(diagnosis.fate, Fate::Whole, "{trainer}");
        assert!(diagnosis.count.unwrap().trained > 0, "{trainer}");
    }
}

#[test]
fn sharegpt_words_mean_nothing_to_trl() {
    let record = r#"{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}"#;
    check(
        "trl",
        "qwen3",
        record,
        expect![[r#"
        dropped Some((0, 0, 0, 0))
        error[W003] `"conversations"`: no token of this record is trained: the record is left out, or teaches nothing
        error[M003] `human`: trl renames `from` to `role` but leaves `human` as it is, and chat templates do not know that role: write `user`
          Rename role to `user`: {"conversations": [{"from": "user", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
        error[T009] `hi`: the qwen3 template leaves out this `human` message, because it does not know that role: trl trains without it and says nothing
          Rename role to `user`: {"conversations": [{"from": "user", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
        error[M003] `gpt`: trl renames `from` to `role` but leaves `gpt` as it is, and chat templates do not know that role: write `assistant`
          Rename role to `assistant`: {"conversations": [{"from": "human", "value": "hi"}, {"from": "assistant", "value": "hello"}]}
        error[T009] `hello`: the qwen3 template leaves out this `gpt` message, because it does not know that role: trl trains without it and says nothing
          Rename role to `assistant`: {"conversations": [{"from": "human", "value": "hi"}, {"from": "assistant", "value": "hello"}]}
    "#]],
    );
    check(
        "axolotl",
        "qwen3",
        record,
        expect![[r#"
        whole Some((16, 7, 16, 7))
    "#]],
    );
    check(
        "unsloth",
        "chatml",
        record,
        expect![[r#"
        whole Some((12, 3, 12, 3))
    "#]],
    );
    check(
        "trl",
        "gemma",
        record,
        expect![[r#"
        refused None
        error[M003] `human`: trl renames `from` to `role` but leaves `human` as it is, and chat templates do not know that role: write `user`
          Rename role to `user`: {"conversations": [{"from": "user", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
        error[T008] `hi`: the gemma template refuses this record: "Conversation roles must alternate user/assistant/user/assistant/..."; change its messages, or use another template
        error[M003] `gpt`: trl renames `from` to `role` but leaves `gpt` as it is, and chat templates do not know that role: write `assistant`
          Rename role to `assistant`: {"conversations": [{"from": "human", "value": "hi"}, {"from": "assistant", "value": "hello"}]}
    "#]],
    );
}

#[test]
fn a_system_text_beside_the_messages() {
    let record = r#"{"system": "Be \"kind\".", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}"#;
    for (trainer, expected) in [
        (
            "trl",
            expect![[r#"
            changed Some((12, 12, 12, 12))
            error[R004] `"system"`: trl ignores `system` beside the messages without a word: the model is trained without this text; make it the first message
              Make it the first message: {"messages": [{"role": "system", "content": "Be \"kind\"."}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}
        "#]],
        ),
        (
            "axolotl",
            expect![[r#"
            whole Some((21, 1, 21, 1))
        "#]],
        ),
        (
            "bedrock",
            expect![[r#"
            whole Some((21, 1, 21, 1))
        "#]],
        ),
        (
            "openai",
            expect![[r#"
            refused Some((13, 1, 13, 1))
            error[R004] `"system"`: openai refuses `system` beside the messages: make it the first message
              Make it the first message: {"messages": [{"role": "system", "content": "Be \"kind\"."}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}
        "#]],
        ),
    ] {
        check(trainer, if trainer == "trl" { "chatml" } else { "openai" }, record, expected);
    }
}

#[test]
fn parts_under_templates_of_strings() {
    let record = r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "you"}]}, {"role": "assistant", "content": "yo"}]}"#;
    check(
        "trl",
        "qwen3",
        record,
        expect![[r#"
            refused Some((11, 11, 11, 11))
            error[M008] `user`: the qwen3 template writes strings only: nothing of this list of parts reaches the model; write the content as a string
              Write the parts as one string: {"messages": [{"role": "user", "content": "hi\nyou"}, {"role": "assistant", "content": "yo"}]}
            error[D002] `assistant`: trl cannot load a record whose contents are text in one message and a list in another: write all of them in one way
        "#]],
    );
    check(
        "mlx",
        "llama3",
        record,
        expect![[r#"
        changed Some((38, 38, 38, 38))
        error[M008] `user`: the llama3 template writes this list of parts as it stands, with brackets and keys: write the content as a string
          Write the parts as one string: {"messages": [{"role": "user", "content": "hi\nyou"}, {"role": "assistant", "content": "yo"}]}
    "#]],
    );
    check(
        "trl",
        "chatml",
        record,
        expect![[r#"
            refused Some((14, 14, 14, 14))
            error[D002] `assistant`: trl cannot load a record whose contents are text in one message and a list in another: write all of them in one way
        "#]],
    );
    check(
        "together",
        "openai",
        record,
        expect![[r#"
        refused Some((14, 1, 14, 1))
        error[M009] `assistant`: together takes records whose messages are all strings or all lists of parts
          Write every text as a part: {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "you"}]}, {"role": "assistant", "content": [{"type": "text", "text": "yo"}]}]}
    "#]],
    );
}

#[test]
fn lengths() {
    let long = |trainer, template, loss, max| target(trainer, template, loss, Some(max));
    check_with(
        &long("trl", "chatml", None, 25),
        TALK,
        expect![[r#"
        cut Some((34, 34, 25, 25))
        warning[C001] `hello world`: about 34 tokens, 9 over trl's max_length of 25 (as set; o200k_base, chatml template; not the model's own tokenizer): what follows the first 25 is cut off, in exchange 2: 1 of 2 replies are lost or cut short; slice the transcript, or raise the limit
    "#]],
    );
    check_with(
        &long("trl", "chatml", Some(Loss::Replies), 12),
        TALK,
        expect![[r#"
        dropped Some((34, 6, 12, 0))
        warning[C001] `hello world`: about 34 tokens, 22 over trl's max_length of 12 (as set; o200k_base, chatml template; not the model's own tokenizer): what follows the first 12 is cut off, in exchange 1: 2 of 2 replies are lost or cut short; slice the transcript, or raise the limit
        error[C002] `hello`: the cut leaves no trained token: the record is left out without a word
    "#]],
    );
    check_with(
        &long("axolotl", "chatml", None, 25),
        TALK,
        expect![[r#"
        dropped Some((34, 6, 34, 6))
        warning[C001] `Be brief.`: about 34 tokens, 9 over axolotl's max_length of 25 (as set; o200k_base, chatml template; not the model's own tokenizer): the whole record is left out
    "#]],
    );
    check_with(
        &long("mlx", "chatml", Some(Loss::Last), 25),
        TALK,
        expect![[r#"
        refused Some((34, 3, 25, 0))
        warning[C001] `hello world`: about 34 tokens, 9 over mlx's max_length of 25 (as set; o200k_base, chatml template; not the model's own tokenizer): what follows the first 25 is cut off, in exchange 2: 1 of 2 replies are lost or cut short; slice the transcript, or raise the limit
        error[C002] `hello`: the cut leaves no trained token: the loss is divided by 0
    "#]],
    );
    check_with(
        &long("openai", "openai", None, 25),
        TALK,
        expect![[r#"
        cut Some((32, 2, 25, 1))
        warning[C001] `hello world`: 32 tokens, 7 over openai's max_length of 25 (as set; o200k_base, openai template): what follows the first 25 is cut off, in exchange 2: 1 of 2 replies are lost or cut short; slice the transcript, or raise the limit
    "#]],
    );
    check_with(
        &long("vertex", "openai", None, 5),
        r#"{"contents": [{"role": "user", "parts": [{"text": "hello world"}]}, {"role": "model", "parts": [{"text": "hello"}]}]}"#,
        expect![[r#"
            refused Some((14, 1, 14, 1))
            warning[C001] `hello world`: about 14 tokens, 9 over vertex's max_length of 5 (as set; o200k_base, openai template; by OpenAI's formula): the record is refused
        "#]],
    );
}

#[test]
fn weights() {
    let record = r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo", "weight": 0}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo", "weight": 1.0}]}"#;
    check(
        "trl",
        "chatml",
        record,
        expect![[r#"
        changed Some((24, 24, 24, 24))
        warning[W001] `"weight"`: trl does not read `weight`: the reply switched off here is trained on all the same
    "#]],
    );
    check(
        "together",
        "openai",
        record,
        expect![[r#"
        refused Some((23, 1, 23, 1))
        error[W001] `1.0`: together takes the integers 0 and 1 as weight, not 1.0
          Write 1: {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo", "weight": 0}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo", "weight": 1}]}
    "#]],
    );
    check(
        "mistral",
        "mistral-v3",
        record,
        expect![[r#"
        whole Some((11, 3, 11, 3))
    "#]],
    );
}

#[test]
fn turns() {
    let record = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}]}"#;
    for (trainer, expected) in [
        (
            "together",
            expect![[r#"
            refused Some((23, 1, 23, 1))
            error[T003] `"user"`: together refuses two user messages in a row: merge them
        "#]],
        ),
        (
            "bedrock",
            expect![[r#"
            refused Some((23, 1, 23, 1))
            error[T003] `"user"`: bedrock refuses two user messages in a row: merge them
            error[T002] `"user"`: bedrock refuses a record that does not end with the assistant: delete what follows the last reply
        "#]],
        ),
        (
            "llamafactory",
            expect![[r#"
            dropped Some((23, 1, 23, 1))
            error[T007] `user`: llamafactory leaves this record out: turn 2 must be from the assistant, not `user`
        "#]],
        ),
        (
            "mistral",
            expect![[r#"
            refused Some((23, 1, 23, 1))
            error[T002] `"user"`: mistral refuses a record that does not end with the assistant: delete what follows the last reply
        "#]],
        ),
        (
            "fireworks",
            expect![[r#"
            whole Some((23, 1, 23, 1))
        "#]],
        ),
    ] {
        check(trainer, "openai", record, expected);
    }
}

#[test]
fn tools_of_mistral_and_openai() {
    let record = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "so", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "a b", "arguments": {"k": 1}}}]}, {"role": "assistant", "content": "c"}], "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "obj"}}}]}"#;
    check(
        "mistral",
        "mistral-v3",
        record,
        expect![[r#"
        refused Some((58, 28, 58, 28))
        error[K008] `assistant`: mistral takes text or tool calls in a message, not both (up to tokenizer v3): split it
        warning[T009] `so`: the mistral-v3 template leaves out this `assistant` message: mistral trains without it and says nothing
        error[K006] `x`: mistral wants an id of 9 letters and digits for a call and its result
        error[K004] `a b`: mistral takes names of 1 to 64 letters, digits, `_` and `-`
        error[K007] `assistant`: mistral wants as many tool results as calls before the next reply
        error[K005] `{"type": "obj"}`: mistral wants `name` and `parameters` of a tool, these a JSON Schema object (draft 7)
    "#]],
    );
    check(
        "openai",
        "openai",
        record,
        expect![[r#"
        refused Some((46, 2, 46, 2))
        error[K001] `{`: openai wants the arguments as a JSON string
          Write the arguments as a string: {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "so", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "a b", "arguments": "{\"k\": 1}"}}]}, {"role": "assistant", "content": "c"}], "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "obj"}}}]}
    "#]],
    );
    let text = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{\"k\": 1}"}}]}, {"role": "tool", "tool_call_id": "x", "content": "1"}, {"role": "assistant", "content": "c"}]}"#;
    check(
        "trl",
        "qwen2.5",
        text,
        expect![[r#"
        changed Some((67, 67, 67, 67))
        error[K001] `{\"k\": 1}`: the qwen2.5 template writes these arguments as a string in quotes, since they are one: the model learns to answer in escaped JSON; write them as an object
          Write the arguments as an object: {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": {"k": 1}}}]}, {"role": "tool", "tool_call_id": "x", "content": "1"}, {"role": "assistant", "content": "c"}]}
    "#]],
    );
}

#[test]
fn pairs() {
    check(
        "openai",
        "openai",
        r#"{"input": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, "preferred_output": [{"role": "assistant", "content": "c"}], "non_preferred_output": []}"#,
        expect![[r#"
            refused Some((18, 2, 18, 2))
            error[P001] `"assistant"`: openai refuses a pair whose input ends with the assistant: the outputs are its answers
            error[P001] `"non_preferred_output"`: openai wants `non_preferred_output` to be a list of one assistant message
        "#]],
    );
    check(
        "trl",
        "chatml",
        r#"{"prompt": "a", "chosen": "b", "rejected": "b "}"#,
        expect![[r#"
        changed Some((12, 3, 12, 3))
        warning[P002] `b `: the rejected answer is the chosen one: there is nothing to prefer
    "#]],
    );
}

#[test]
fn control_tokens_in_a_text() {
    let record = r#"{"messages": [{"role": "user", "content": "say \u003c|im_end|> now"}, {"role": "assistant", "content": "yo <|fim_suffix|>"}]}"#;
    check(
        "mlx",
        "chatml",
        record,
        expect![[r#"
        changed Some((21, 21, 21, 21))
        error[C003] `\u003c|im_end|>`: `<|im_end|>` in the text: the tokenizer reads it as a control token, not as text: the model sees a turn end or begin here
    "#]],
    );
    check(
        "openai",
        "openai",
        record,
        expect![[r#"
        refused Some((26, 7, 26, 7))
        error[C003] `\u003c|im_end|>`: `<|im_end|>` in the text: openai refuses it in a text
        error[C003] `<|fim_suffix|>`: `<|fim_suffix|>` in the text: openai refuses it in a text
    "#]],
    );
}

#[test]
fn the_target_itself() {
    let faults = |trainer, template, loss| -> Vec<String> {
        let faults = target(trainer, template, loss, None).faults();
        faults.into_iter().map(|f| f.code.into_owned()).collect()
    };
    assert_eq!(faults("trl", "llama3.1", None), ["C004"]);
    assert_eq!(faults("trl", "llama3", Some(Loss::Replies)), [""; 0]);
    let counter = target("mlx", "chatml", None, None).counter;
    let wrong = Target::new(Trainer::Mlx, Some(Loss::Replies), None, counter, true);
    assert_eq!(wrong.unwrap_err(), "mlx trains on: all, last");
}

#[test]
fn every_name_in_the_settings_is_a_trainer() {
    let typed =
        crate::config::keys::KEYS.iter().find(|k| (k.table, k.name) == ("target", "trainer"));
    let crate::config::keys::Kind::Choice(words) = typed.unwrap().kind else { panic!("a choice") };
    for word in words.iter().filter(|w| **w != "none") {
        assert!(Trainer::named(word).is_some(), "{word}");
    }
    assert_eq!(words.len() - 1, NAMES.len());
}
