//! The built-in chat templates, written from each model family's documented
//! format; the sources stand beside this file.
//!
//! Invariant: every name in [`BUILT_IN`] compiles. What each renders is pinned by
//! the tests below.
//!
//! A model's own template, from its `tokenizer_config.json`, is always the better
//! choice; these serve where only the family is known.

use super::Specials;

/// Names of the built-in templates, besides `openai`.
pub const BUILT_IN: [&str; 13] = [
    "chatml",
    "qwen2.5",
    "qwen3",
    "llama3",
    "llama3.1",
    "gemma",
    "gemma3",
    "mistral-v1",
    "mistral-v3",
    "mistral-v3-tekken",
    "mistral-v7",
    "mistral-v7-tekken",
    "phi3",
];

/// A built-in template: its name, the tables its source is made of, its special tokens.
pub(super) struct BuiltIn {
    pub name: &'static str,
    pub source: String,
    pub specials: Specials,
}

/// The built-in template of that name. Case and punctuation do not matter, and
/// relatives that render alike share one: Llama 3.2 and 3.3, Gemma 2.
pub(super) fn find(name: &str) -> Option<BuiltIn> {
    let wanted = match plain(name).as_str() {
        "llama32" | "llama33" => "llama31".to_owned(),
        "gemma1" | "gemma2" => "gemma".to_owned(),
        other => other.to_owned(),
    };
    let name = BUILT_IN.into_iter().find(|b| plain(b) == wanted)?;
    let (source, bos, eos) = match name {
        "chatml" => (include_str!("chatml.jinja").to_owned(), "", "<|im_end|>"),
        "qwen2.5" => (qwen(include_str!("qwen2.5.jinja")), "", "<|im_end|>"),
        "qwen3" => (qwen(include_str!("qwen3.jinja")), "", "<|im_end|>"),
        "llama3" => (include_str!("llama3.jinja").to_owned(), "<|begin_of_text|>", "<|eot_id|>"),
        "llama3.1" => {
            (include_str!("llama3.1.jinja").to_owned(), "<|begin_of_text|>", "<|eot_id|>")
        }
        "gemma" => (include_str!("gemma.jinja").to_owned(), "<bos>", "<eos>"),
        "gemma3" => (include_str!("gemma3.jinja").to_owned(), "<bos>", "<eos>"),
        "phi3" => (include_str!("phi3.jinja").to_owned(), "<s>", "<|endoftext|>"),
        _ => (mistral(name), "<s>", "</s>"),
    };
    let specials =
        Specials { bos: Some(bos.to_owned()).filter(|t| !t.is_empty()), eos: Some(eos.to_owned()) };
    Some(BuiltIn { name, source, specials })
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn qwen(body: &str) -> String {
    [include_str!("qwen_tools.jinja"), body].concat()
}

/// The Mistral versions are one template with different settings.
fn mistral(name: &str) -> String {
    let version_1 = name == "mistral-v1";
    let system_in = match name {
        "mistral-v1" => "first",
        "mistral-v3" | "mistral-v3-tekken" => "last",
        _ => "own",
    };
    let settings = [
        ("system_in", format!("'{system_in}'")),
        ("before_inst", if version_1 { "' '" } else { "''" }.to_owned()),
        ("gap", if name.ends_with("tekken") { "''" } else { "' '" }.to_owned()),
        ("after_text", if version_1 { "' '" } else { "''" }.to_owned()),
        ("has_tools", (!version_1).to_string()),
    ];
    let set = |(key, value): &(&str, String)| format!("{{%- set {key} = {value} -%}}\n");
    let settings: String = settings.iter().map(set).collect();
    [&settings, include_str!("mistral.jinja")].concat()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::super::Template;
    use super::BUILT_IN;
    use crate::tokens::template::input::{RenderInput, RenderMessage};

    fn render(name: &str, messages: &Value, tools: &Value) -> String {
        let Some(Template::Jinja(template)) = Template::built_in(name) else {
            return format!("no template {name}");
        };
        let made = messages.as_array().unwrap().iter().map(|m| m.as_object().unwrap().clone());
        let messages = made.map(RenderMessage::from_fields).collect();
        let input = RenderInput { messages, tools: tools.clone(), ..RenderInput::default() };
        match template.render(&input, false) {
            Ok(rendered) => rendered.text().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn check(name: &str, expected: Expect) {
        let messages = json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": " Hi "},
            {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello"},
            {"role": "user", "content": "Bye"},
            {"role": "assistant", "content": "Ciao"},
        ]);
        expected.assert_eq(&render(name, &messages, &Value::Null));
    }

    #[test]
    fn every_name_has_a_template() {
        for name in BUILT_IN.into_iter().chain(["openai", "Qwen-2_5", "llama-3.3", "gemma2"]) {
            assert!(Template::built_in(name).is_some(), "{name}");
        }
        assert!(Template::built_in("qwen9").is_none());
    }

    #[test]
    fn families() {
        check(
            "chatml",
            expect![[r#"
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
             Hi <|im_end|>
            <|im_start|>assistant
            <think>
            hm
            </think>

            Hello<|im_end|>
            <|im_start|>user
            Bye<|im_end|>
            <|im_start|>assistant
            Ciao<|im_end|>
        "#]],
        );
        check(
            "qwen3",
            expect![[r#"
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
             Hi <|im_end|>
            <|im_start|>assistant
            Hello<|im_end|>
            <|im_start|>user
            Bye<|im_end|>
            <|im_start|>assistant
            <think>

            </think>

            Ciao<|im_end|>
        "#]],
        );
        check(
            "llama3",
            expect![[r#"
            <|begin_of_text|><|start_header_id|>system<|end_header_id|>

            Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>

            Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            <think>
            hm
            </think>

            Hello<|eot_id|><|start_header_id|>user<|end_header_id|>

            Bye<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            Ciao<|eot_id|>"#]],
        );
        check(
            "llama3.1",
            expect![[r#"
            <|begin_of_text|><|start_header_id|>system<|end_header_id|>

            Cutting Knowledge Date: December 2023
            Today Date: 26 Jul 2024

            Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>

            Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            <think>
            hm
            </think>

            Hello<|eot_id|><|start_header_id|>user<|end_header_id|>

            Bye<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            Ciao<|eot_id|>"#]],
        );
        check("gemma", expect!["the chat template refuses it: System role not supported"]);
        check(
            "gemma3",
            expect![[r#"
            <bos><start_of_turn>user
            Be brief.

            Hi<end_of_turn>
            <start_of_turn>model
            <think>
            hm
            </think>

            Hello<end_of_turn>
            <start_of_turn>user
            Bye<end_of_turn>
            <start_of_turn>model
            Ciao<end_of_turn>
        "#]],
        );
        check(
            "phi3",
            expect![[r#"
            <|system|>
            Be brief.<|end|>
            <|user|>
             Hi <|end|>
            <|assistant|>
            <think>
            hm
            </think>

            Hello<|end|>
            <|user|>
            Bye<|end|>
            <|assistant|>
            Ciao<|end|>
            <|endoftext|>"#]],
        );
        check(
            "mistral-v1",
            expect![[r#"
            <s> [INST] Be brief.

             Hi  [/INST] <think>
            hm
            </think>

            Hello</s> [INST] Bye [/INST] Ciao</s>"#]],
        );
        check(
            "mistral-v3",
            expect![[r#"
            <s>[INST]  Hi [/INST] <think>
            hm
            </think>

            Hello</s>[INST] Be brief.

            Bye[/INST] Ciao</s>"#]],
        );
        check(
            "mistral-v3-tekken",
            expect![[r#"
            <s>[INST] Hi [/INST]<think>
            hm
            </think>

            Hello</s>[INST]Be brief.

            Bye[/INST]Ciao</s>"#]],
        );
        check(
            "mistral-v7",
            expect![[r#"
            <s>[SYSTEM_PROMPT] Be brief.[/SYSTEM_PROMPT][INST]  Hi [/INST] <think>
            hm
            </think>

            Hello</s>[INST] Bye[/INST] Ciao</s>"#]],
        );
        check(
            "mistral-v7-tekken",
            expect![[r#"
            <s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST] Hi [/INST]<think>
            hm
            </think>

            Hello</s>[INST]Bye[/INST]Ciao</s>"#]],
        );
    }

    #[test]
    fn qwen_adds_its_own_system_text_and_mistral_its_tools() {
        let ask = json!([{"role": "user", "content": "Hi"}]);
        expect![[r#"
            <|im_start|>system
            You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>
            <|im_start|>user
            Hi<|im_end|>
        "#]]
        .assert_eq(&render("qwen2.5", &ask, &Value::Null));
        let tools = json!([{"type": "function", "function": {"name": "now", "parameters": {}}}]);
        let call = json!([
            {"role": "user", "content": "When?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "abcdefghi", "type": "function", "function": {"name": "now", "arguments": "{\"zone\": \"é\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "abcdefghi", "content": "noon"},
            {"role": "assistant", "content": "At noon."},
        ]);
        expect![[r#"<s>[AVAILABLE_TOOLS] [{"type": "function", "function": {"name": "now", "parameters": {}}}][/AVAILABLE_TOOLS][INST] When?[/INST][TOOL_CALLS] [{"name": "now", "arguments": {"zone": "é"}, "id": "abcdefghi"}]</s>[TOOL_RESULTS] {"content": noon, "call_id": "abcdefghi"}[/TOOL_RESULTS] At noon.</s>"#]].assert_eq(&render("mistral-v3", &call, &tools));
        expect![[r#"
            <|im_start|>system
            # Tools

            You may call one or more functions to assist with the user query.

            You are provided with function signatures within <tools></tools> XML tags:
            <tools>
            {"type": "function", "function": {"name": "now", "parameters": {}}}
            </tools>

            For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
            <tool_call>
            {"name": <function-name>, "arguments": <args-json-object>}
            </tool_call><|im_end|>
            <|im_start|>user
            When?<|im_end|>
            <|im_start|>assistant
            <tool_call>
            {"name": "now", "arguments": {"zone": "é"}}
            </tool_call><|im_end|>
            <|im_start|>user
            <tool_response>
            noon
            </tool_response><|im_end|>
            <|im_start|>assistant
            <think>

            </think>

            At noon.<|im_end|>
        "#]].assert_eq(&render("qwen3", &call, &tools));
    }
}
