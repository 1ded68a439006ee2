//! Chat templates: how a list of messages becomes the text a model is trained on.
//!
//! Invariant: rendering depends on the template, the input and nothing else (no
//! clock, no environment), and ends within bounds.
//!
//! What is exact: `openai` follows the published formula; a template read from a
//! model's own files, with that model's `tokenizer.json`, is what its trainer
//! encodes. A built-in template with an OpenAI encoding is exact as defined (the
//! rendered text, control markers one token each), and an estimate of the model.

mod builtin;
mod engine;
mod guard;
pub mod input;
pub mod markers;
mod python;
mod spans;

use std::fmt;

use minijinja::Value;
use serde_json::Value as Json;

pub use builtin::BUILT_IN;
use engine::Engine;
use input::{RenderInput, RenderMessage};
use markers::{Markers, Piece};
pub use spans::{Located, located};

use super::record::Precision;
use crate::text::Span;

/// Dropped messages reported for one record; the rest is more of the same.
const DROPPED_LIMIT: usize = 16;

/// How records are rendered.
#[derive(Debug)]
pub enum Template {
    /// OpenAI's published formula; there is no text.
    OpenAi,
    /// A Jinja template, built in or from a model's files.
    Jinja(Box<ChatTemplate>),
}

/// A compiled Jinja chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    name: String,
    engine: Engine,
    specials: Specials,
    markers: Markers,
    has_generation: bool,
    has_date: bool,
}

/// Special tokens a template may print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Specials {
    /// `bos_token`
    pub bos: Option<String>,
    /// `eos_token`
    pub eos: Option<String>,
}

/// A rendered record.
#[derive(Clone, Debug)]
pub struct Rendered {
    text: String,
    fuse: Option<char>,
    has_media: bool,
    generated: Vec<Span>,
}

/// A message that the template renders without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The message.
    pub index: usize,
    /// True when only its reasoning is missing, which some templates mean to do.
    pub only_reasoning: bool,
}

/// Why a template does not render a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// The template refuses this record; its own words.
    Raised(String),
    /// The template cannot be read.
    Syntax(String),
    /// The template failed on this record.
    Failed(String),
    /// The template goes beyond what it may use.
    TooMuch(&'static str),
}

impl Template {
    /// `openai` or one of [`BUILT_IN`].
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        if name == "openai" {
            return Some(Self::OpenAi);
        }
        let found = builtin::find(name)?;
        Self::from_source(found.name, &found.source, found.specials).ok()
    }

    /// The Jinja source of one of [`BUILT_IN`], with its special tokens.
    #[must_use]
    pub fn built_in_source(name: &str) -> Option<(String, Specials)> {
        builtin::find(name).map(|found| (found.source, found.specials))
    }

    /// A template from the text of a `chat_template.jinja`.
    ///
    /// # Errors
    /// [`TemplateError::Syntax`] says where it cannot be read.
    pub fn from_source(
        name: &str,
        source: &str,
        specials: Specials,
    ) -> Result<Self, TemplateError> {
        let engine = Engine::new(source)?;
        let printed = [&specials.bos, &specials.eos].into_iter().flatten().map(String::as_str);
        let markers = Markers::in_source(source, printed);
        let name = name.to_owned();
        let has_generation = engine::GENERATION.as_ref().is_some_and(|tag| tag.is_match(source));
        let has_date = ["strftime_now", "date_string"].iter().any(|word| source.contains(word));
        let template = ChatTemplate { name, engine, specials, markers, has_generation, has_date };
        Ok(Self::Jinja(Box::new(template)))
    }

    /// The template inside a model's `tokenizer_config.json`, with its special
    /// tokens; `None` when the file has no `chat_template`.
    ///
    /// # Errors
    /// [`TemplateError::Syntax`] when the file or the template cannot be read.
    pub fn from_tokenizer_config(name: &str, json: &[u8]) -> Result<Option<Self>, TemplateError> {
        let config: Json =
            serde_json::from_slice(json).map_err(|e| TemplateError::Syntax(e.to_string()))?;
        let source = match config.get("chat_template") {
            Some(Json::String(source)) => Some(source),
            Some(Json::Array(named)) => {
                let default = named.iter().find(|t| t["name"] == "default").or(named.first());
                match default.and_then(|t| t.get("template")) {
                    Some(Json::String(source)) => Some(source),
                    _ => None,
                }
            }
            _ => None,
        };
        source.map(|s| Self::from_source(name, s, Specials::from_config(&config))).transpose()
    }

    /// What to call it in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::OpenAi => "openai",
            Self::Jinja(template) => &template.name,
        }
    }
}

impl Specials {
    /// The special tokens a `tokenizer_config.json` names.
    #[must_use]
    pub fn from_config(config: &Json) -> Self {
        let token = |key: &str| match config.get(key)? {
            Json::String(token) => Some(token.clone()),
            other => other.get("content")?.as_str().map(str::to_owned),
        };
        Self { bos: token("bos_token"), eos: token("eos_token") }
    }
}

impl ChatTemplate {
    /// Renders a record. With `defuse`, look-alikes of control markers in texts
    /// stay text when the result is [split](Self::pieces).
    ///
    /// # Errors
    /// What the template raised, or why it could not be rendered.
    pub fn render(&self, input: &RenderInput<'_>, defuse: bool) -> Result<Rendered, TemplateError> {
        let texts: Vec<&str> = texts(input);
        let fuse = if defuse { self.markers.fuse(texts.iter().copied()) } else { None };
        let text = self.engine.render(self.context(input, fuse, None), size(&texts))?;
        let has_media = input.messages.iter().any(has_media);
        Ok(Rendered { text, fuse, has_media, generated: Vec::new() })
    }

    /// Renders a record and notes what the template says the assistant writes: its
    /// `generation` blocks, as `return_assistant_tokens_mask` reads them.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_marked(&self, input: &RenderInput<'_>) -> Result<Rendered, TemplateError> {
        let texts: Vec<&str> = texts(input);
        let marks = if self.has_generation { spans::marks(&texts) } else { None };
        let text = self.engine.render(self.context(input, None, marks), size(&texts))?;
        let has_media = input.messages.iter().any(has_media);
        let (text, generated) = match marks {
            Some(marks) => spans::taken_out(&text, marks),
            None => (text, Vec::new()),
        };
        Ok(Rendered { text, fuse: None, has_media, generated })
    }

    /// Whether it says what the assistant writes, so that a trainer can train on that alone.
    #[must_use]
    pub const fn has_generation(&self) -> bool {
        self.has_generation
    }

    /// Whether it writes the day's date into every record.
    #[must_use]
    pub const fn has_date(&self) -> bool {
        self.has_date
    }

    /// Special tokens it may print.
    #[must_use]
    pub const fn specials(&self) -> &Specials {
        &self.specials
    }

    /// The tokens of its own that control a conversation.
    #[must_use]
    pub const fn markers(&self) -> &Markers {
        &self.markers
    }

    /// The rendered text, cut at control markers.
    #[must_use]
    pub fn pieces<'r>(&self, rendered: &'r Rendered) -> Vec<Piece<'r>> {
        self.markers.split(&rendered.text, rendered.fuse)
    }

    /// Messages whose text is missing from the rendered record (at most 16).
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn dropped(&self, input: &RenderInput<'_>) -> Result<Vec<Dropped>, TemplateError> {
        let rendered = self.render(input, false)?.text;
        let located = located(&rendered, &input.messages).into_iter().enumerate();
        let lost = |(index, place): (usize, Located)| {
            let is_lost = place.has_text && (place.said.is_none() || place.lost_reasoning);
            is_lost.then_some(Dropped { index, only_reasoning: place.said.is_some() })
        };
        Ok(located.filter_map(lost).take(DROPPED_LIMIT).collect())
    }

    fn context(
        &self,
        input: &RenderInput<'_>,
        fuse: Option<char>,
        marks: Option<spans::Marks>,
    ) -> Value {
        let safe = |text: &str| match fuse {
            Some(fuse) => Value::from(self.markers.defuse(text, fuse)),
            None => Value::from(text),
        };
        let message = |m: &RenderMessage<'_>| -> Value {
            let field = |(key, value): (&String, &Json)| match &m.text {
                Some(text) if key == "content" => (key.clone(), safe(text)),
                _ => (key.clone(), jinja(value, &safe)),
            };
            // `transformers` takes out what is null before a template sees it.
            let fields = m.fields.iter().filter(|(_, value)| !value.is_null()).map(field);
            Value::from_pairs(fields.chain(reasoning(&m.fields, &safe)))
        };
        let messages: Value = input.messages.iter().map(message).collect();
        let mut all = vec![
            ("messages".to_owned(), messages),
            ("tools".to_owned(), jinja(&input.tools, &safe)),
            ("documents".to_owned(), Value::from(())),
            ("add_generation_prompt".to_owned(), Value::from(input.add_generation_prompt)),
        ];
        let special = |name: &str, token: &Option<String>| {
            token.as_ref().map(|t| (name.to_owned(), Value::from(t.as_str())))
        };
        all.extend(special("bos_token", &self.specials.bos));
        all.extend(special("eos_token", &self.specials.eos));
        all.extend(input.arguments.iter().map(|(k, v)| (k.clone(), jinja(v, &safe))));
        let marks = marks.map(|m| [(engine::OPENS, m.opens), (engine::CLOSES, m.closes)]);
        let mark = |(name, mark): (&str, char)| (name.to_owned(), Value::from(String::from(mark)));
        all.extend(marks.into_iter().flatten().map(mark));
        Value::from_pairs(all)
    }
}

impl Rendered {
    /// The text, look-alikes defused where that was asked for.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the template says the assistant writes, in order; empty unless
    /// [rendered for it](ChatTemplate::render_marked).
    #[must_use]
    pub fn generated(&self) -> &[Span] {
        &self.generated
    }

    /// Whether counting the text counts the whole record.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        if self.has_media {
            Precision::Estimate("images are not counted")
        } else {
            Precision::Exact
        }
    }
}

fn size(texts: &[&str]) -> usize {
    texts.iter().map(|t| t.len() + 64).sum()
}

/// The names a message's reasoning is passed under, the usual one first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// The first two names, where a message has its reasoning under another one:
/// `transformers` fills them in, and templates read the one or the other.
fn reasoning(
    fields: &serde_json::Map<String, Json>,
    text: &dyn Fn(&str) -> Value,
) -> Vec<(String, Value)> {
    let given = REASONING.iter().find_map(|name| fields.get(*name).filter(|v| !v.is_null()));
    let Some(given) = given else { return Vec::new() };
    let missing = |name: &&&str| !fields.contains_key(**name);
    let names = REASONING[..2].iter().filter(missing);
    names.map(|name| ((*name).to_owned(), jinja(given, text))).collect()
}

/// Every text a template is given.
fn texts<'i>(input: &'i RenderInput<'_>) -> Vec<&'i str> {
    let mut texts: Vec<&str> = Vec::new();
    let mut open: Vec<&Json> = vec![&input.tools];
    open.extend(input.arguments.values());
    for message in &input.messages {
        texts.extend(message.text.as_deref());
        open.extend(message.fields.values());
    }
    while let Some(value) = open.pop() {
        match value {
            Json::String(text) => texts.push(text),
            Json::Array(items) => open.extend(items),
            Json::Object(map) => open.extend(map.values()),
            _ => {}
        }
    }
    texts
}

fn has_media(message: &RenderMessage<'_>) -> bool {
    let Some(Json::Array(parts)) = message.fields.get("content") else { return false };
    parts.iter().any(|p| p.is_object() && p.get("text").is_none())
}

/// JSON as the template engine's values. Depth is bounded by the JSON parsers
/// that made the value.
fn jinja(value: &Json, text: &dyn Fn(&str) -> Value) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(b) => Value::from(*b),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => Value::from(n),
            (None, Some(n)) => Value::from(n),
            (None, None) => Value::from(n.as_f64()),
        },
        Json::String(s) => text(s),
        Json::Array(items) => items.iter().map(|v| jinja(v, text)).collect(),
        Json::Object(map) => {
            Value::from_pairs(map.iter().map(|(k, v)| (k.clone(), jinja(v, text))))
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised(words) => write!(f, "the chat template refuses it: {words}"),
            Self::Syntax(why) => write!(f, "the chat template cannot be read: {why}"),
            Self::Failed(why) => write!(f, "the chat template failed: {why}"),
            Self::TooMuch(why) => write!(f, "the chat template was stopped: {why}"),
        }
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chat(source: &str) -> Box<ChatTemplate> {
        let specials = Specials { bos: Some("<s>".into()), eos: None };
        match Template::from_source("test", source, specials) {
            Ok(Template::Jinja(template)) => template,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_models_own_files() {
        let read = |config: Json| {
            let bytes = serde_json::to_vec(&config).unwrap();
            let template = Template::from_tokenizer_config("own", &bytes)?;
            let Some(Template::Jinja(template)) = template else { return Ok(None) };
            Ok(Some(template.render(&RenderInput::default(), false)?.text().to_owned()))
        };
        let source = "{{ bos_token }}|{{ eos_token }}";
        let one =
            json!({"chat_template": source, "bos_token": "<s>", "eos_token": {"content": "</s>"}});
        assert_eq!(read(one), Ok(Some("<s>|</s>".to_owned())));
        let named = json!({"chat_template": [
            {"name": "tool_use", "template": "x"}, {"name": "default", "template": source}], "bos_token": null});
        assert_eq!(read(named), Ok(Some("|".to_owned())));
        assert_eq!(read(json!({"model": 1})), Ok(None));
        assert!(matches!(read(json!({"chat_template": "{{"})), Err(TemplateError::Syntax(_))));
        assert!(Template::from_tokenizer_config("own", b"{").is_err());
    }

    #[test]
    fn reasoning_goes_by_every_name() {
        let template =
            chat("{% for m in messages %}{{ m.thinking }}/{{ m.reasoning_content }};{% endfor %}");
        let message =
            |fields: Json| RenderMessage::from_fields(fields.as_object().unwrap().clone());
        let messages = vec![
            message(json!({"role": "a", "reasoning": "r"})),
            message(json!({"role": "a", "thinking": "t", "reasoning": "r"})),
            message(json!({"role": "a", "reasoning_content": "c"})),
            message(json!({"role": "a"})),
        ];
        let input = RenderInput { messages, ..RenderInput::default() };
        let rendered = template.render(&input, false).unwrap();
        assert_eq!(rendered.text(), "r/r;t/t;c/c;/;");
    }

    #[test]
    fn messages_that_leave_no_trace() {
        let template = chat(
            "{% for m in messages if m.role != 'x' %}{{ m.content.split('</think>')[-1] | trim }}\n{% endfor %}\
             {{ messages[0].content }}",
        );
        let said = [
            ("x", "first"),
            ("x", "second"),
            ("a", "<think>hm</think> yes "),
            ("a", " no "),
            ("x", ""),
        ];
        let messages = said.iter().map(|(role, text)| RenderMessage::new(role, *text)).collect();
        let dropped =
            template.dropped(&RenderInput { messages, ..RenderInput::default() }).unwrap();
        let dropped: Vec<_> = dropped.iter().map(|d| (d.index, d.only_reasoning)).collect();
        assert_eq!(dropped, [(1, false), (2, true)]);
    }
}
