//! Many sources, one answer: layers merge by precedence into [`Settings`], and
//! every value remembers where it came from.
//!
//! Invariant: the strongest source that sets a value wins, value by value.
//! Judges merge by name, value by value; the strongest source that declares any
//! judge decides which judges there are.

use super::keys::KEYS;
use super::layer::{Entry, JUDGE, JudgeEntry, Layer};
use super::value::Value;
use super::{
    Aggregation, Assess, Audit, Generate, Judge, OnSave, Origin, Provider, SensitiveText, Settings,
    SystemPrompt,
};
use crate::finding::{Finding, Severity};
use crate::text::Span;

/// The settings with their origins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The settings.
    pub settings: Settings,
    /// Every value, in the order of the documentation.
    pub values: Vec<Shown>,
    /// What is wrong: the layers' own findings, and what only the whole shows.
    pub findings: Vec<(Origin, Finding)>,
}

/// One value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `tokens.limit`, or `judge.NAME.model`.
    pub key: String,
    /// In TOML notation; empty when it is not set.
    pub value: String,
    /// The source that decided it.
    pub origin: Origin,
    /// Where it is written in that source; empty for what has no text.
    pub span: Span,
}

impl Resolved {
    /// The setting `table.name`, or `judge.NAME.name`.
    #[must_use]
    pub fn shown(&self, key: &str) -> Option<&Shown> {
        self.values.iter().find(|v| v.key == key)
    }

    /// The origin of `table.name`.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        self.shown(key).map_or(Origin::Default, |v| v.origin)
    }
}

/// Merges layers, given in any order.
#[must_use]
pub fn resolve(layers: &[Layer]) -> Resolved {
    let mut layers: Vec<&Layer> = layers.iter().collect();
    layers.sort_by_key(|l| l.origin);
    let mut resolved = Resolved::default();
    for layer in &layers {
        resolved.findings.extend(layer.findings.iter().map(|f| (layer.origin, f.clone())));
        for entry in &layer.values {
            apply(&mut resolved.settings, entry);
        }
        if let Some(ignore) = &layer.ignore {
            resolved.settings.ignore.clone_from(ignore);
        }
    }
    resolved.values = values(&layers);
    judges(&layers, &mut resolved);
    resolved
}

/// Every key with its deciding layer.
fn values(layers: &[&Layer]) -> Vec<Shown> {
    let plain = KEYS.iter().filter(|k| k.table != "judge" && k.table != "ignore");
    let shown = plain.map(|key| {
        let set = layers.iter().rev().find_map(|layer| {
            let entry = layer.values.iter().rev().find(|e| std::ptr::eq(e.key, key))?;
            Some((entry.value.to_string(), layer.origin, entry.span))
        });
        let default = (key.default.to_owned(), Origin::Default, Span::default());
        let (value, origin, span) = set.unwrap_or(default);
        Shown { key: format!("{}.{}", key.table, key.name), value, origin, span }
    });
    let mut shown: Vec<Shown> = shown.collect();
    let ignoring = layers.iter().rev().find_map(|l| Some((l.ignore.as_ref()?.len(), l.origin)));
    let (count, origin) = ignoring.unwrap_or((0, Origin::Default));
    let value = if count == 0 { "[]".into() } else { format!("[{count} entries]") };
    let span = Span::default();
    shown.push(Shown { key: "ignore.findings".into(), value, origin, span });
    shown
}

fn apply(settings: &mut Settings, entry: &Entry) {
    let value = &entry.value;
    match (entry.key.table, entry.key.name) {
        ("project", "transcripts") => put_texts(&mut settings.project.transcripts, value),
        ("project", "rubric") => put_path(&mut settings.project.rubric, value),
        ("project", "system_prompt") => put_path(&mut settings.project.system_prompt, value),
        ("tokens", "tokenizer") => put_text(&mut settings.tokens.tokenizer, value),
        ("tokens", "chat_template") => settings.tokens.chat_template = text(value),
        ("tokens", "limit") => put_integer(&mut settings.tokens.limit, value),
        ("fixup", "min_exchanges_kept") => {
            put_integer(&mut settings.fixup.min_exchanges_kept, value);
        }
        ("fixup", "drafter") => settings.fixup.drafter = text(value),
        ("target", "transcripts") => settings.target.transcripts = integer(value),
        ("target", "trainer") => settings.target.trainer = text(value).filter(|t| t != "none"),
        ("target", "loss") => settings.target.loss = text(value),
        ("target", "max_length") => settings.target.max_length = integer(value),
        ("generate", name) => apply_generate(&mut settings.generate, name, value),
        ("slice", "validation") => settings.slice.validation = number(value).unwrap_or_default(),
        ("slice", "seed") => put_integer(&mut settings.slice.seed, value),
        ("slice", "system_prompt") => {
            let project = text(value).as_deref() == Some("project");
            settings.slice.system_prompt =
                if project { SystemPrompt::Project } else { SystemPrompt::Record };
        }
        ("audit", name) => apply_audit(&mut settings.audit, name, value),
        ("limits", "record_mb") => put_integer(&mut settings.limits.record_mb, value),
        ("limits", "depth") => put_integer(&mut settings.limits.depth, value),
        ("limits", "findings_per_file") => {
            put_integer(&mut settings.limits.findings_per_file, value);
        }
        ("assess", name) => apply_assess(&mut settings.assess, name, value),
        _ => {}
    }
}

fn apply_generate(generate: &mut Generate, name: &str, value: &Value) {
    match name {
        "user_model" => generate.user_model = text(value),
        "assistant_model" => generate.assistant_model = text(value),
        "count" => put_integer(&mut generate.count, value),
        "exchanges" => generate.exchanges = integer(value),
        "seed" => put_integer(&mut generate.seed, value),
        _ => {}
    }
}

fn apply_audit(audit: &mut Audit, name: &str, value: &Value) {
    let share = match name {
        "phrase_share" => &mut audit.phrase_share,
        "overused_share" => &mut audit.overused_share,
        "overused_times" => &mut audit.overused_times,
        "opener_share" => &mut audit.opener_share,
        "mean_ratio" => &mut audit.mean_ratio,
        "over_ratio_share" => &mut audit.over_ratio_share,
        "late_praise" => &mut audit.late_praise,
        "similarity" => &mut audit.similarity,
        "headers" => return put_integer(&mut audit.headers, value),
        "phrases" => return put_texts(&mut audit.phrases, value),
        "praise" => return put_texts(&mut audit.praise, value),
        _ => return,
    };
    *share = number(value).unwrap_or(*share);
}

fn apply_assess(assess: &mut Assess, name: &str, value: &Value) {
    match name {
        "on_save" => {
            let off = text(value).as_deref() == Some("off");
            assess.on_save = if off { OnSave::Off } else { OnSave::Changed };
        }
        "aggregation" => {
            let majority = text(value).as_deref() == Some("majority");
            assess.aggregation =
                if majority { Aggregation::Majority } else { Aggregation::Strictest };
        }
        "sensitive_text" => {
            assess.sensitive_text = match text(value).as_deref() {
                Some("send") => SensitiveText::Send,
                Some("block") => SensitiveText::Block,
                _ => SensitiveText::Ask,
            };
        }
        "max_per_save" => put_integer(&mut assess.max_per_save, value),
        "debounce_ms" => put_integer(&mut assess.debounce_ms, value),
        "seed" => put_integer(&mut assess.seed, value),
        "borderline" => assess.borderline = number(value).unwrap_or_default(),
        "max_attempts" => put_integer(&mut assess.max_attempts, value),
        "max_wait_s" => put_integer(&mut assess.max_wait_s, value),
        "deadline_s" => put_integer(&mut assess.deadline_s, value),
        "max_cost_per_save" => assess.max_cost_per_save = number(value).unwrap_or_default(),
        "max_cost_per_run" => assess.max_cost_per_run = number(value).unwrap_or_default(),
        "isolate_sensitive" => assess.isolate_sensitive = *value == Value::Bool(true),
        "criteria_per_call" => assess.criteria_per_call = integer(value),
        _ => {}
    }
}

fn text(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text.clone()) } else { None }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    if let Value::Texts(texts) = value { Some(texts.clone()) } else { None }
}

fn number(value: &Value) -> Option<f64> {
    if let Value::Number(number) = value { Some(*number) } else { None }
}

fn integer<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    if let Value::Integer(number) = value { T::try_from(*number).ok() } else { None }
}

fn put_text(place: &mut String, value: &Value) {
    if let Value::Text(text) = value {
        place.clone_from(text);
    }
}

fn put_path(place: &mut std::path::PathBuf, value: &Value) {
    if let Value::Text(text) = value {
        *place = text.into();
    }
}

fn put_texts(place: &mut Vec<String>, value: &Value) {
    if let Value::Texts(texts) = value {
        place.clone_from(texts);
    }
}

fn put_integer<T: TryFrom<i64>>(place: &mut T, value: &Value) {
    if let Some(number) = integer(value) {
        *place = number;
    }
}

/// Which judges there are, and what each is.
fn judges(layers: &[&Layer], resolved: &mut Resolved) {
    let Some(deciding) = layers.iter().rev().find(|l| !l.judges.is_empty()) else { return };
    let mut seen: Vec<&str> = Vec::new();
    for entry in &deciding.judges {
        let mut wrong = |message: String| {
            let finding = Finding::new(JUDGE, Severity::Error, entry.span, message);
            resolved.findings.push((deciding.origin, finding));
        };
        let Some(name) = entry.text("name") else {
            if !entry.broken {
                wrong("a judge needs a `name`".into());
            }
            continue;
        };
        if seen.contains(&name) {
            wrong(format!("two judges are named `{name}`: give each its own name"));
            continue;
        }
        seen.push(name);
        let parts = parts(layers, name);
        if parts.iter().any(|(_, part)| part.broken) {
            continue;
        }
        match judge(name, &parts) {
            Ok(judge) => {
                show_judge(&parts, name, &mut resolved.values);
                resolved.settings.judges.push(judge);
            }
            Err(message) => wrong(message),
        }
    }
}

type Part<'a> = (Origin, &'a JudgeEntry);

/// What every layer says of the judge, weakest first.
fn parts<'a>(layers: &[&'a Layer], name: &str) -> Vec<Part<'a>> {
    let part = |layer: &&'a Layer| {
        let entry = layer.judges.iter().find(|j| j.text("name") == Some(name))?;
        Some((layer.origin, entry))
    };
    layers.iter().filter_map(part).collect()
}

fn judge(name: &str, parts: &[Part<'_>]) -> Result<Judge, String> {
    let set = |key: &str| {
        parts.iter().rev().find_map(|(origin, part)| {
            let entry = part.entries.iter().find(|e| e.key.name == key)?;
            Some((*origin, &entry.value))
        })
    };
    let words = |key: &str| set(key).and_then(|(_, v)| text(v));
    let provider = words("provider")
        .and_then(|p| provider(&p))
        .ok_or_else(|| format!("judge `{name}` needs a `provider`"))?;
    let declared = parts.last().map_or(Origin::Default, |(origin, _)| *origin);
    let judge = Judge {
        name: name.to_owned(),
        provider,
        model: words("model").unwrap_or_default(),
        base_url: words("base_url"),
        api_key_env: words("api_key_env"),
        command: set("command").and_then(|(_, v)| texts(v)),
        file: words("file").map(Into::into),
        max_concurrency: set("max_concurrency").and_then(|(_, v)| integer(v)).unwrap_or(8),
        timeout_s: set("timeout_s").and_then(|(_, v)| integer(v)).unwrap_or(120),
        max_tokens: set("max_tokens").and_then(|(_, v)| integer(v)),
        effort: words("effort"),
        temperature: set("temperature").and_then(|(_, v)| number(v)),
        family: words("family"),
        repeat: set("repeat").and_then(|(_, v)| integer(v)).unwrap_or(1),
        origin: set("base_url").map_or(declared, |(origin, _)| origin),
    };
    complete(judge)
}

/// What each provider cannot do without.
fn complete(judge: Judge) -> Result<Judge, String> {
    let name = &judge.name;
    match judge.provider {
        Provider::Recorded if judge.file.is_none() => {
            Err(format!("judge `{name}` replays a recording: name it with `file`"))
        }
        Provider::OpenAiCompatible if judge.base_url.is_none() => Err(format!(
            "judge `{name}` needs the server's `base_url`, such as \"http://localhost:11434/v1\""
        )),
        Provider::Recorded => Ok(judge),
        Provider::ClaudeCli if judge.base_url.is_some() => {
            Err(format!("judge `{name}` runs a program, which takes no `base_url`: remove it"))
        }
        _ if judge.model.is_empty() => Err(format!("judge `{name}` needs a `model`")),
        _ => Ok(judge),
    }
}

pub(super) fn provider(name: &str) -> Option<Provider> {
    Some(match name {
        "anthropic" => Provider::Anthropic,
        "openai" => Provider::OpenAi,
        "gemini" => Provider::Gemini,
        "openai-compatible" => Provider::OpenAiCompatible,
        "claude-cli" => Provider::ClaudeCli,
        "recorded" => Provider::Recorded,
        _ => return None,
    })
}

fn show_judge(parts: &[Part<'_>], name: &str, values: &mut Vec<Shown>) {
    for key in KEYS.iter().filter(|k| k.table == "judge" && k.name != "name") {
        let set = parts.iter().rev().find_map(|(origin, part)| {
            let entry = part.entries.iter().find(|e| std::ptr::eq(e.key, key))?;
            Some((entry.value.to_string(), *origin, entry.span))
        });
        let default = (key.default.to_owned(), Origin::Default, Span::default());
        let (value, origin, span) = set.unwrap_or(default);
        if !value.is_empty() {
            values.push(Shown { key: format!("judge.{name}.{}", key.name), value, origin, span });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer::{from_pairs, parse};
    use super::*;

    #[test]
    fn documented_defaults_are_the_typed_ones() {
        let mut text = String::new();
        for table in ["project", "tokens", "assess", "limits"] {
            text += &format!("[{table}]\n");
            for key in KEYS.iter().filter(|k| k.table == table && !k.default.is_empty()) {
                text += &format!("{} = {}\n", key.name, key.default);
            }
        }
        let layer = parse(&text, Origin::ProjectFile);
        assert_eq!(layer.findings, []);
        assert_eq!(resolve(&[layer]).settings, Settings::default());
    }

    #[test]
    fn the_strongest_source_wins_value_by_value() {
        let user = parse("[tokens]\nlimit = 1\ntokenizer = 'cl100k_base'\n", Origin::UserFile);
        let project =
            parse("[tokens]\nlimit = 2\n[assess]\nseed = 5\non_save='off'", Origin::ProjectFile);
        let line = from_pairs([("tokens", "limit", "3")], Origin::CommandLine);
        let got = resolve(&[line, project, user]);
        assert_eq!(got.settings.tokens.limit, 3);
        assert_eq!(got.settings.tokens.tokenizer, "cl100k_base");
        assert_eq!(got.settings.assess.on_save, OnSave::Off);
        assert_eq!(got.origin("tokens.limit"), Origin::CommandLine);
        assert_eq!(got.origin("tokens.tokenizer"), Origin::UserFile);
        assert_eq!(got.origin("assess.seed"), Origin::ProjectFile);
        assert_eq!(got.origin("assess.debounce_ms"), Origin::Default);
    }

    #[test]
    fn judges_complete_each_other_by_name() {
        let user = parse(
            "[[judge]]\nname = 'corp'\nprovider = 'openai-compatible'\nbase_url = 'https://llm.example/v1'\n[[judge]]\nname = 'mine'\nprovider = 'anthropic'\nmodel = 'x'\n",
            Origin::UserFile,
        );
        let project = parse("[[judge]]\nname = 'corp'\nmodel = 'big'\n", Origin::ProjectFile);
        let alone = resolve(std::slice::from_ref(&user));
        let names: Vec<&str> = alone.findings.iter().map(|(_, f)| f.message.as_str()).collect();
        assert_eq!(names, ["judge `corp` needs a `model`"]);
        let both = resolve(&[user, project]);
        assert_eq!(both.findings, []);
        let judges = &both.settings.judges;
        assert_eq!(judges.len(), 1, "the project decides which judges there are");
        assert_eq!((judges[0].model.as_str(), judges[0].origin), ("big", Origin::UserFile));
    }

    #[test]
    fn a_command_comes_from_the_users_own_file() {
        let text = "[[judge]]\nname = 'cli'\nprovider = 'claude-cli'\nmodel = 'm'\n";
        let own = parse(&format!("{text}command = ['my-claude', '-x']\n"), Origin::UserFile);
        let both = resolve(&[own, parse(text, Origin::ProjectFile)]);
        assert_eq!(both.settings.judges[0].command, Some(vec!["my-claude".into(), "-x".into()]));
    }

    #[test]
    fn a_refused_judge_does_not_run() {
        let project = parse(
            "[[judge]]\nname = 'a'\nprovider = 'anthropic'\nmodel = 'm'\nbase_url = 'https://evil.example'\n",
            Origin::ProjectFile,
        );
        let got = resolve(&[project]);
        assert!(got.settings.judges.is_empty());
        assert_eq!(got.findings.len(), 1);
    }
}
