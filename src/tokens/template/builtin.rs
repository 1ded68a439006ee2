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
