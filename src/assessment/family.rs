//! Model families: whether a judge is asked about text of its own kind.
//!
//! Models rate text of their own family higher than others do (Panickssery et
//! al., 2024, "LLM Evaluators Recognize and Favor Their Own Generations"), so a
//! judge of the family that wrote the transcripts is worth a warning.
//!
//! Invariant: nothing is guessed. A family is what the settings say, or what a
//! model's published name begins with; without either there is no warning.

use std::sync::Arc;

use serde_json::Value;

use crate::config::{Judge, Provider};

/// Keys under which records name the model that wrote them; in the record, or in
/// its `metadata`.
const KEYS: [&str; 6] =
    ["model", "generator", "assistant_model", "generator_model", "model_name", "generated_by"];
/// What may hold them.
const HOLDERS: [&str; 3] = ["metadata", "meta", "generation"];

/// Families by how their models' names begin, once a vendor's prefix is gone.
const FAMILIES: [(&str, &[&str]); 14] = [
    ("claude", &["claude"]),
    ("gpt", &["gpt", "chatgpt", "o1", "o3", "o4", "codex", "davinci"]),
    ("gemini", &["gemini", "gemma", "palm"]),
    ("llama", &["llama", "meta-llama", "codellama"]),
    ("qwen", &["qwen", "qwq"]),
    ("mistral", &["mistral", "mixtral", "ministral", "magistral", "codestral", "devstral"]),
    ("deepseek", &["deepseek"]),
    ("phi", &["phi"]),
    ("grok", &["grok"]),
    ("command", &["command", "c4ai", "aya"]),
    ("kimi", &["kimi", "moonshot"]),
    ("glm", &["glm", "chatglm"]),
    ("olmo", &["olmo", "tulu"]),
    ("granite", &["granite"]),
];

/// The model that a record says wrote it; `None` for a text that is no record.
#[must_use]
pub fn recorded(record: &str) -> Option<Arc<str>> {
    // Most records name none: that is seen without reading them.
    if !KEYS.iter().any(|key| record.contains(key)) {
        return None;
    }
    let record: Value = serde_json::from_str(record.trim_start_matches('\u{feff}')).ok()?;
    generator(&record).map(Arc::from)
}

/// The model that a record says wrote it.
fn generator(record: &Value) -> Option<&str> {
    let places = std::iter::once(record).chain(HOLDERS.iter().filter_map(|key| record.get(key)));
    let mut values = places.flat_map(|place| KEYS.iter().filter_map(|key| place.get(key)));
    values.find_map(|value| {
        let name = value.as_str().or_else(|| value.get("name")?.as_str())?;
        (!name.trim().is_empty()).then_some(name)
    })
}

/// The family of a model by its name: `anthropic/claude-…` → `claude`.
#[must_use]
pub fn of_model(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit(['/', ':']).find(|part| starts(part).is_some());
    starts(last.unwrap_or(&name))
}

fn starts(name: &str) -> Option<&'static str> {
    let begins = |prefix: &&str| {
        let rest = name.trim_start().strip_prefix(*prefix);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    FAMILIES.iter().find(|(_, prefixes)| prefixes.iter().any(begins)).map(|(f, _)| *f)
}

/// A judge's family: the one in its settings, else its model's, else its API's.
#[must_use]
pub fn of_judge(judge: &Judge) -> Option<String> {
    if let Some(family) = &judge.family {
        let said = family.trim().to_ascii_lowercase();
        return Some(of_model(&said).map_or(said, str::to_owned));
    }
    let by_provider = match judge.provider {
        Provider::Anthropic | Provider::ClaudeCli => Some("claude"),
        Provider::OpenAi => Some("gpt"),
        Provider::Gemini => Some("gemini"),
        Provider::OpenAiCompatible | Provider::Recorded => None,
    };
    of_model(&judge.model).or(by_provider).map(str::to_owned)
}

/// Whether a judge would judge text of its own family.
#[must_use]
pub fn is_own(judge: &Judge, generator: &str) -> bool {
    let wrote = generator.trim().to_ascii_lowercase();
    let wrote = of_model(&wrote).map_or(wrote, str::to_owned);
    of_judge(judge).is_some_and(|family| family == wrote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_model_s_name_tells_its_family_or_nothing() {
        for (name, family) in [
            ("claude-sonnet-5-5", Some("claude")),
            ("anthropic/Claude-3-opus", Some("claude")),
            ("openrouter/openai/gpt-oss-120b:free", Some("gpt")),
            ("o3-mini", Some("gpt")),
            ("models/gemini-3.6-flash", Some("gemini")),
            ("qwen3:14b", Some("qwen")),
            ("meta-llama/Llama-3.3-70B", Some("llama")),
            ("hf.co/bartowski/Mistral-7B", Some("mistral")),
            ("our-own-model", None),
            ("philosopher", None),
            ("", None),
        ] {
            assert_eq!(of_model(name), family, "{name}");
        }
    }

    #[test]
    fn a_record_names_its_model_in_several_places() {
        for (record, found) in [
            (json!({"model": "gpt-6"}), Some("gpt-6")),
            (json!({"metadata": {"generator": "claude-x"}}), Some("claude-x")),
            (json!({"generation": {"model": {"name": "qwen3"}}}), Some("qwen3")),
            (json!({"model": " ", "meta": {"assistant_model": "m"}}), Some("m")),
            (json!({"model": 3, "metadata": "x"}), None),
            (json!([["a", "b"]]), None),
        ] {
            assert_eq!(generator(&record), found, "{record}");
        }
    }

    #[test]
    fn a_judge_is_of_the_family_it_says_or_its_model_or_its_api() {
        let judge = |settings: &str| {
            let text = format!("[[judge]]\nname = 'j'\n{settings}\n");
            let layer = crate::config::parse(&text, crate::config::Origin::UserFile);
            crate::config::resolve(&[layer]).settings.judges.remove(0)
        };
        let gpt = judge("provider = 'openai'\nmodel = 'ft:something'");
        assert!(is_own(&gpt, "gpt-6.1-sol") && !is_own(&gpt, "claude-x"));
        let local =
            "provider = 'openai-compatible'\nbase_url = 'http://[::1]/v1'\nmodel = 'qwen3:14b'";
        assert!(is_own(&judge(local), "Qwen/Qwen3-8B") && !is_own(&judge(local), "ours"));
        let named = judge(&format!("{local}\nfamily = 'Ours'"));
        assert!(is_own(&named, "ours") && !is_own(&named, "qwen3"));
        assert_eq!(of_judge(&judge("provider = 'recorded'\nfile = 'f'")), None);
    }
}
