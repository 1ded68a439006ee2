//! Renders a Jinja chat template as `transformers` does, within limits.
//!
//! Invariant: the output is what Jinja2 in `transformers` produces (blocks
//! trimmed, Python's `tojson` and printing, `{% generation %}` printing what is in
//! it between [`OPENS`] and [`CLOSES`], which are empty unless given, `iterable`
//! false for none, line ends normalised), or a typed error. Time and
//! memory are bounded by fuel, output size and recursion limits, because a
//! template may come with a stranger's repository.
//!
//! `strftime_now` answers with one pinned date: a count must not change from day
//! to day. Absent on purpose: `include`, `import`, files, the clock.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use regex::Regex;

use super::{TemplateError, guard, python};
use crate::tokens::counter::panic_text;

const NAME: &str = "chat template";
/// The variable printed where a `generation` block opens.
pub(super) const OPENS: &str = "__opens";
/// The variable printed where a `generation` block closes.
pub(super) const CLOSES: &str = "__closes";
/// Bytes a template's source may have; the largest published ones have 20 KB.
const SOURCE_LIMIT: usize = 1 << 18;
/// Steps a rendering may take, besides one for each byte it is given.
const FUEL: u64 = 1_000_000;
/// Bytes a rendering may write, besides eight for each byte it is given.
const OUTPUT_LIMIT: usize = 1 << 22;

pub(super) static GENERATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}").ok());

/// A compiled template.
pub(super) struct Engine {
    environment: Environment<'static>,
}

impl Engine {
    pub(super) fn new(source: &str) -> Result<Self, TemplateError> {
        if source.len() > SOURCE_LIMIT {
            return Err(TemplateError::Syntax(format!(
                "the template has {} bytes; at most {SOURCE_LIMIT} are allowed",
                source.len()
            )));
        }
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|e| TemplateError::Syntax(e.to_string()))?);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_formatter(|out, _, value| Ok(out.write_str(&python::print(value)?)?));
        environment
            .add_filter("tojson", |value: &Value, kwargs: Kwargs| python::to_json(value, kwargs));
        environment.add_filter("string", |value: &Value| python::print(value));
        environment.add_test("iterable", |value: &Value| {
            matches!(
                value.kind(),
                ValueKind::String | ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
            )
        });
        environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, "raised").with_source(Raised(message)))
        });
        environment.add_function("strftime_now", |format: &str| pinned_date(format));
        environment.add_filter(guard::KEEP, guard::keep);
        environment.remove_global("debug");
        let source = guard::checked(&normalised(source))?;
        let added = catch_unwind(AssertUnwindSafe(|| {
            let added = environment.add_template_owned(NAME, source);
            added.map(|()| environment)
        }));
        let added = added.map_err(|panic| TemplateError::Syntax(panic_text(panic.as_ref())))?;
        Ok(Self { environment: added.map_err(|e| TemplateError::Syntax(one_line(&e)))? })
    }

    /// Renders `context`; `size` is the bytes it holds.
    pub(super) fn render(&self, context: Value, size: usize) -> Result<String, TemplateError> {
        // The engine is a clone and the context is ours: nothing half done outlives a panic.
        let rendered = catch_unwind(AssertUnwindSafe(|| self.bounded(context, size)));
        rendered.unwrap_or_else(|panic| Err(TemplateError::Failed(panic_text(panic.as_ref()))))
    }

    fn bounded(&self, context: Value, size: usize) -> Result<String, TemplateError> {
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(FUEL + size as u64));
        let template = environment.get_template(NAME);
        let template = template.map_err(|e| TemplateError::Syntax(one_line(&e)))?;
        let mut out = Bounded { bytes: Vec::new(), left: OUTPUT_LIMIT + 8 * size };
        template.render_captured_to(context, &mut out).map_err(|e| failure(&e))?;
        String::from_utf8(out.bytes).map_err(|e| TemplateError::Failed(e.to_string()))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// What `raise_exception` was called with.
#[derive(Debug)]
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

/// A writer that refuses to grow without bound.
struct Bounded {
    bytes: Vec<u8>,
    left: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Line ends as Jinja2 reads them, and `generation` blocks (they mark what is
/// trained, and print what is in them) as blocks the engine knows. Its own white
/// space controls stay on the outer sides.
fn normalised(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    match GENERATION.as_ref() {
        Some(tag) => tag
            .replace_all(&source, |found: &regex::Captures<'_>| {
                let (word, mark) =
                    if found.get(2).is_some() { ("endif", CLOSES) } else { ("if true", OPENS) };
                let (left, right) = (&found[1], &found[3]);
                format!("{{%{left} {word} -%}}{{{{- {mark} -}}}}{{%- {word} {right}%}}")
            })
            .into_owned(),
        None => source,
    }
}

fn failure(error: &Error) -> TemplateError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(Raised(message)) = inner.downcast_ref() {
            return TemplateError::Raised(message.clone());
        }
        source = inner.source();
    }
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::TooMuch("it takes too many steps"),
        ErrorKind::WriteFailure => TemplateError::TooMuch("it writes too much"),
        _ => TemplateError::Failed(one_line(error)),
    }
}

fn one_line(error: &Error) -> String {
    error.to_string().replace('\n', " ")
}

/// 26 July 2024, the date Llama 3.1's own template falls back to.
fn pinned_date(format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str("26"),
            Some('m') => out.push_str("07"),
            Some('b') => out.push_str("Jul"),
            Some('B') => out.push_str("July"),
            Some('Y') => out.push_str("2024"),
            Some('y') => out.push_str("24"),
            Some('a') => out.push_str("Fri"),
            Some('A') => out.push_str("Friday"),
            Some('j') => out.push_str("208"),
            Some('F') => out.push_str("2024-07-26"),
            Some('H' | 'M' | 'S') => out.push_str("00"),
            Some('I') => out.push_str("12"),
            Some('p') => out.push_str("AM"),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, TemplateError> {
        let value: serde_json::Value = serde_json::json!({
            "text": "a<b>&'\"é\n", "none": null, "yes": true, "big": 1e22, "small": 0.00001,
            "one": 1.0, "list": ["it's", 2, null], "map": {"b": 1, "a": [true]},
        });
        let context = super::super::jinja(&value, &|text| Value::from(text));
        Engine::new(source)?.render(context, 100)
    }

    #[test]
    fn behaves_as_jinja2_in_transformers() {
        let cases = [
            ("{{ text | tojson }}", r#""a<b>&'\"é\n""#),
            ("{{ text | tojson(ensure_ascii=true) }}", r#""a<b>&'\"\u00e9\n""#),
            ("{{ map | tojson }}", r#"{"b": 1, "a": [true]}"#),
            ("{{ map | tojson(sort_keys=true, separators=(',', ':')) }}", r#"{"a":[true],"b":1}"#),
            ("{{ map | tojson(indent=2) }}", "{\n  \"b\": 1,\n  \"a\": [\n    true\n  ]\n}"),
            ("{{ [] | tojson(indent=2) }}{{ [one, big, none] | tojson }}", "[][1.0, 1e+22, null]"),
            (
                "{{ yes }} {{ none }} {{ big }} {{ small }} {{ one }} {{ missing }}",
                "True None 1e+22 1e-05 1.0 ",
            ),
            ("{{ list }} {{ map }}", "[\"it's\", 2, None] {'b': 1, 'a': [True]}"),
            ("{{ yes | string + big | string }}", "True1e+22"),
            (
                "{{ none is iterable }} {{ text is iterable }} {{ 1 is iterable }}",
                "False True False",
            ),
            (
                "{% for x in [1, 2, 3] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
                "1",
            ),
            ("a\r\n{%- generation -%}\r\n b{% endgeneration %}\r\nc\r", "abc"),
            ("{{ strftime_now('%d %b %Y, %A %%') }}", "26 Jul 2024, Friday %"),
            ("  {% if true %}\n x\n  {% endif %}\n", " x\n"),
        ];
        for (source, expected) in cases {
            assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn says_what_went_wrong() {
        let raised = TemplateError::Raised("no system".into());
        assert_eq!(render("{{ raise_exception('no system') }}"), Err(raised.clone()));
        let in_macro = "{% macro m() %}{{ raise_exception('no system') }}{% endmacro %}{{ m() }}";
        assert_eq!(render(in_macro), Err(raised));
        let syntax = render("{% if %}");
        assert!(
            matches!(&syntax, Err(TemplateError::Syntax(why)) if why.contains(":1)")),
            "{syntax:?}"
        );
        let failed = render("line one\n{{ 'a' + none }}");
        assert!(
            matches!(&failed, Err(TemplateError::Failed(why)) if why.contains(":2)")),
            "{failed:?}"
        );
        let included = render("{% include '/etc/hostname' %}");
        assert!(matches!(included, Err(TemplateError::Failed(_))), "{included:?}");
    }

    /// A template from a stranger's repository ends, whatever it does.
    #[test]
    fn hostile_templates_are_stopped() {
        let sources = [
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% set ns = namespace(x='ab') %}{% for a in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
            "{% set ns = namespace(x=[]) %}{% for a in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
            "{% set ns = namespace(x=[]) %}{% for a in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}",
            "{% for a in range(99999) %}{{ 'x' * 100000 }}{% endfor %}",
            "{% set ns = namespace(x={}) %}{% for a in range(99999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}",
            "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns ~ '' }}",
            "{% set ns = namespace(x=[1]) %}{% for a in range(99999) %}{% set ns.x = ns.x | map('upper') %}{% endfor %}{% for b in range(99) %}{% for a in range(99999) %}{% endfor %}{% endfor %}",
            "{{ '%0999999999d' | format(1) }}",
        ];
        for source in sources {
            let got = render(source);
            assert!(
                matches!(got, Err(TemplateError::TooMuch(_) | TemplateError::Failed(_))),
                "{source}: {:.60}",
                format!("{got:?}")
            );
        }
        let nested = "(".repeat(1_900);
        assert!(matches!(render(&format!("{{{{ {nested}")), Err(TemplateError::Syntax(_))));
        let chain = ["{{ ''", &"|e".repeat(900), " }}"].concat();
        assert_eq!(render(&chain), Ok(String::new()));
        assert!(matches!(render(&" ".repeat(SOURCE_LIMIT + 1)), Err(TemplateError::Syntax(_))));
    }
}
