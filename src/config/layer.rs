//! One source of settings, read: which keys it sets, and what is wrong with it.
//!
//! Invariant: a [`Layer`] holds only values that are possible and allowed where
//! they were written; everything else became a finding at its span. Spans count
//! from the first byte of the text; sources without a text have empty ones.

use super::keys::{self, Key, TABLES};
use super::secret;
use super::source::{self, Field, Node, Raw};
use super::value::{self, Value};
use super::{Ignore, Origin};
use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::nearest::nearest;

/// The text is not TOML.
pub const SYNTAX: &str = "settings-syntax";
/// A table or key that does not exist.
pub const UNKNOWN: &str = "settings-unknown";
/// A value of the wrong type.
pub const TYPE: &str = "settings-type";
/// A value that cannot be.
pub const VALUE: &str = "settings-value";
/// A key where none may be. The line must not be shown.
pub const SECRET: &str = "settings-secret";
/// A host or command that only the user's own file may name.
pub const HOST: &str = "settings-host";
/// A file that a setting names is missing or unusable.
pub const FILE: &str = "settings-file";
/// A judge that lacks something, or two of one name.
pub const JUDGE: &str = "settings-judge";

/// What one source says.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Which source.
    pub origin: Origin,
    /// The values it sets, judges aside.
    pub values: Vec<Entry>,
    /// Its judges, in order.
    pub judges: Vec<JudgeEntry>,
    /// Its ignored findings; `None` when it does not speak of them.
    pub ignore: Option<Vec<Ignore>>,
    /// What is wrong with it, by place.
    pub findings: Vec<Finding>,
}

/// One value set.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The setting.
    pub key: &'static Key,
    /// Its value.
    pub value: Value,
    /// Where the value is written.
    pub span: Span,
}

/// One `[[judge]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeEntry {
    /// Where it is declared: its name when it has one.
    pub span: Span,
    /// What it sets.
    pub entries: Vec<Entry>,
    /// Something in it was refused, so it must not run.
    pub broken: bool,
}

impl JudgeEntry {
    /// The text value of one key.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|e| e.key.name == name)?;
        if let Value::Text(text) = &entry.value { Some(text) } else { None }
    }
}

/// Reads a settings file.
#[must_use]
pub fn parse(text: &str, origin: Origin) -> Layer {
    // A byte order mark is no TOML, and no fault of the user either.
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (fields, findings) = source::from_toml(&text[bom..]);
    let mut layer = read(&fields, origin);
    layer.findings.extend(findings);
    layer.shift(bom);
    layer
}

/// Reads what an editor sent as settings; `null` anywhere is "not set".
#[must_use]
pub fn from_editor(settings: &serde_json::Value) -> Layer {
    let mut fields = source::from_json(settings);
    // An editor's section also holds the extension's own settings.
    fields.retain(|f| TABLES.contains(&f.name.as_str()));
    read(&fields, Origin::Editor)
}

/// Reads settings given one by one: `table`, `key` and the value as text.
#[must_use]
pub fn from_pairs<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    origin: Origin,
) -> Layer {
    let mut reader = Reader::new(origin);
    for (table, name, text) in pairs {
        let Some(key) = keys::find(table, name) else {
            let field = Field {
                name: name.to_owned(),
                name_span: Span::default(),
                node: source::from_text(keys::Kind::Text, text),
            };
            reader.unknown_key(table, &field);
            continue;
        };
        if table == "judge" {
            let message = "judges cannot be set one value at a time: declare a [[judge]] in a file";
            reader.wrong(UNKNOWN, Span::default(), message);
            continue;
        }
        reader.entry(key, &source::from_text(key.kind, text));
    }
    reader.layer
}

/// The `(table, key)` that an environment variable sets: `RUBRICATOR_TOKENS_LIMIT`
/// is `("tokens", "limit")`. `None` for variables that are no settings.
#[must_use]
pub fn from_variable(name: &str) -> Option<(&'static str, String)> {
    let rest = name.strip_prefix("RUBRICATOR_")?.to_ascii_lowercase();
    let (table, key) = rest.split_once('_')?;
    let table = TABLES.iter().find(|t| **t == table)?;
    Some((table, key.to_owned()))
}

fn read(fields: &[Field], origin: Origin) -> Layer {
    let mut reader = Reader::new(origin);
    for field in fields {
        reader.table(field);
    }
    reader.layer.findings.sort_by_key(|f| f.span);
    reader.layer
}

struct Reader {
    layer: Layer,
}

impl Reader {
    fn new(origin: Origin) -> Self {
        let layer = Layer {
            origin,
            values: Vec::new(),
            judges: Vec::new(),
            ignore: None,
            findings: Vec::new(),
        };
        Self { layer }
    }

    fn wrong(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.layer.findings.push(Finding::new(code, Severity::Error, span, message));
    }

    fn table(&mut self, field: &Field) {
        let name = field.name.as_str();
        if !TABLES.contains(&name) {
            return self.unknown_table(field);
        }
        match &field.node.raw {
            Raw::Null => {}
            Raw::List(items) if name == "judge" => {
                for item in items {
                    self.judge(item);
                }
            }
            _ if name == "judge" => {
                let message = "judges are a list: write [[judge]] in double brackets";
                self.wrong(TYPE, field.name_span, message);
            }
            Raw::Table(fields) => {
                for field in fields {
                    self.field(name, field);
                }
            }
            _ => {
                let what = field.node.what();
                self.wrong(TYPE, field.node.span, format!("`{name}` is a table, this is {what}"));
            }
        }
    }

    fn field(&mut self, table: &str, field: &Field) {
        match keys::find(table, &field.name) {
            Some(key) => self.entry(key, &field.node),
            None => self.unknown_key(table, field),
        }
    }

    fn entry(&mut self, key: &'static Key, node: &Node) {
        if key.kind == keys::Kind::Ignored {
            return self.ignored(node);
        }
        if matches!(node.raw, Raw::Null) {
            return;
        }
        match value::check(key, node, self.layer.origin) {
            Ok(value) => self.layer.values.push(Entry { key, value, span: node.span }),
            Err(finding) => self.layer.findings.push(*finding),
        }
    }

    /// Reads one judge: the same as a table, kept apart.
    fn judge(&mut self, node: &Node) {
        let Raw::Table(fields) = &node.raw else {
            let what = node.what();
            return self.wrong(TYPE, node.span, format!("a judge is a table, this is {what}"));
        };
        let (outer, wrongs) = (std::mem::take(&mut self.layer.values), self.layer.findings.len());
        for field in fields {
            self.field("judge", field);
        }
        let entries = std::mem::replace(&mut self.layer.values, outer);
        let broken = self.layer.findings.len() > wrongs;
        let name = entries.iter().find(|e| e.key.name == "name");
        let span = name.map_or(node.span, |e| e.span);
        self.layer.judges.push(JudgeEntry { span, entries, broken });
    }

    fn ignored(&mut self, node: &Node) {
        let Raw::List(items) = &node.raw else {
            let message = "`findings` must be a list of {code, transcript?, exchange?, reason}";
            return self.wrong(TYPE, node.span, message);
        };
        let read: Vec<Ignore> = items.iter().filter_map(|i| self.ignore(i)).collect();
        self.layer.ignore.get_or_insert_default().extend(read);
    }

    fn ignore(&mut self, node: &Node) -> Option<Ignore> {
        let Raw::Table(fields) = &node.raw else {
            let message = format!(
                "an ignored finding is a table {{code, transcript?, exchange?, reason}}, this is {}",
                node.what()
            );
            self.wrong(TYPE, node.span, message);
            return None;
        };
        let mut ignore =
            Ignore { code: String::new(), transcript: None, exchange: None, reason: String::new() };
        for field in fields {
            match (field.name.as_str(), &field.node.raw) {
                ("code", Raw::Text(text)) => ignore.code.clone_from(text),
                ("reason", Raw::Text(text)) => ignore.reason.clone_from(text),
                ("transcript", Raw::Text(text)) => ignore.transcript = Some(text.clone()),
                ("exchange", Raw::Integer(n)) if *n >= 1 => {
                    ignore.exchange = u32::try_from(*n).ok()
                }
                ("code" | "reason" | "transcript", _) => {
                    self.wrong(TYPE, field.node.span, format!("`{}` must be text", field.name));
                }
                ("exchange", _) => {
                    let message = "`exchange` must be a whole number from 1";
                    self.wrong(TYPE, field.node.span, message);
                }
                _ => self.unknown_name(field, &["code", "transcript", "exchange", "reason"], ""),
            }
        }
        for (name, value) in [("code", &ignore.code), ("reason", &ignore.reason)] {
            if value.is_empty() {
                self.wrong(VALUE, node.span, format!("an ignored finding needs a `{name}`"));
            }
        }
        (!ignore.code.is_empty()).then_some(ignore)
    }

    fn unknown_table(&mut self, field: &Field) {
        if secret::is_key_name(&field.name) && matches!(field.node.raw, Raw::Text(_)) {
            return self.layer.findings.push(value::secret_finding(field.name_span));
        }
        let home = keys::KEYS.iter().find(|k| k.name == field.name).map(|k| k.table);
        match (home, &field.node.raw) {
            (
                Some(table),
                Raw::Text(_) | Raw::Integer(_) | Raw::Number(_) | Raw::Bool(_) | Raw::List(_),
            ) => {
                let message = format!("`{}` stands alone: it belongs under [{table}]", field.name);
                self.wrong(UNKNOWN, field.name_span, message);
            }
            _ => self.unknown_name(field, TABLES, ""),
        }
    }

    fn unknown_key(&mut self, table: &str, field: &Field) {
        let holds_key = match &field.node.raw {
            Raw::Text(text) => secret::is_key_name(&field.name) || secret::looks_like_key(text),
            _ => false,
        };
        if holds_key {
            return self.layer.findings.push(value::secret_finding(field.name_span));
        }
        let known: Vec<&str> = keys::of_table(table).map(|k| k.name).collect();
        let elsewhere = keys::KEYS.iter().find(|k| k.name == field.name).map(|k| k.table);
        let hint = match elsewhere {
            Some(other) if nearest(&field.name, known.iter().copied()).is_none() => {
                format!(" in [{table}]; it belongs under [{other}]")
            }
            _ => format!(" in [{table}]"),
        };
        self.unknown_name(field, &known, &hint);
    }

    fn unknown_name(&mut self, field: &Field, known: &[&str], place: &str) {
        let meant = nearest(&field.name, known.iter().copied());
        let advice = match meant {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None if place.contains(';') => String::new(),
            None => format!("; known are {}", known.join(", ")),
        };
        let name = secret::masked(&field.name);
        let message = format!("unknown key `{name}`{place}{advice}");
        let mut finding = Finding::new(UNKNOWN, Severity::Error, field.name_span, message);
        if let Some(meant) = meant {
            let title = format!("Change to `{meant}`");
            finding = finding.with_fix(Fix::suggested(title, field.name_span, meant));
        }
        self.layer.findings.push(finding);
    }
}

impl Layer {
    fn shift(&mut self, by: usize) {
        self.findings.sort_by_key(|f| f.span);
        if by == 0 {
            return;
        }
        let judged = self.judges.iter_mut().flat_map(|j| &mut j.entries);
        let entries = self.values.iter_mut().chain(judged).map(|e| &mut e.span);
        let found = self.findings.iter_mut().map(|f| &mut f.span);
        entries.chain(found).for_each(|span| *span = span.shifted(by));
        self.judges.iter_mut().for_each(|j| j.span = j.span.shifted(by));
        let fixes = self.findings.iter_mut().flat_map(|f| &mut f.fixes);
        fixes.flat_map(|f| &mut f.edits).for_each(|e| e.span = e.span.shifted(by));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Findings as `place "words" code: message [fix]`.
    fn shown(text: &str, findings: &[Finding]) -> String {
        let mut out = String::new();
        for f in findings {
            let line = text[..f.span.start].matches('\n').count() + 1;
            let words = f.span.of(text).lines().next().unwrap_or("");
            let words = if f.code == SECRET { "…" } else { words };
            out += &format!("{line} `{words}` {}: {}\n", f.code, f.message);
            for fix in &f.fixes {
                out += &format!("  fix: {}\n", fix.title);
            }
        }
        out
    }

    fn check(text: &str, expect: Expect) {
        expect.assert_eq(&shown(text, &parse(text, Origin::ProjectFile).findings));
    }

    #[test]
    fn a_full_file_has_no_findings() {
        check(
            r#"
[project]
transcripts = ["data/raw/**/*.jsonl"]
rubric = "config/rubric.yaml"
[tokens]
tokenizer = "models/llama/tokenizer.json"
chat_template = "llama3"
[assess]
criteria_per_call = 4
max_cost_per_save = 1
[[judge]]
name = "local"
provider = "openai-compatible"
base_url = "http://localhost:11434/v1"
[[judge]]
name = "claude"
provider = "anthropic"
model = "some-model"
api_key_env = "ANTHROPIC_API_KEY"
[ignore]
findings = [{code = "R004", transcript = "a", exchange = 2, reason = "on purpose"}]
"#,
            expect![""],
        );
    }

    #[test]
    fn unknown_names_come_with_the_nearest() {
        check(
            "limit = 3\n[projekt]\n[project]\nrubrik = 'a'\nlimit = 3\ncolour = 1\n[ignore]\nfindings = [{cod = 'x', reason = 'y'}]\n",
            expect![[r#"
                1 `limit` settings-unknown: `limit` stands alone: it belongs under [tokens]
                2 `projekt` settings-unknown: unknown key `projekt`; did you mean `project`?
                  fix: Change to `project`
                4 `rubrik` settings-unknown: unknown key `rubrik` in [project]; did you mean `rubric`?
                  fix: Change to `rubric`
                5 `limit` settings-unknown: unknown key `limit` in [project]; it belongs under [tokens]
                6 `colour` settings-unknown: unknown key `colour` in [project]; known are transcripts, rubric, system_prompt
                8 `{cod = 'x', reason = 'y'}` settings-value: an ignored finding needs a `code`
                8 `cod` settings-unknown: unknown key `cod`; did you mean `code`?
                  fix: Change to `code`
            "#]],
        );
    }

    #[test]
    fn wrong_types_and_impossible_values() {
        check(
            "[tokens]\nlimit = \"16000\"\ntokenizer = \"o200k\"\n[assess]\non_save = 'chnaged'\nmax_per_save = 0\nmax_cost_per_run = nan\nisolate_sensitive = 'yes'\ncriteria_per_call = 'some'\nseed = 99999999999999999999\n[project]\ntranscripts = 'a.jsonl'\nrubric = 2020-01-01\n[slice]\nvalidation = 1.5\n[audit]\nphrases = ['a', 1]\n",
            expect![[r#"
                2 `"16000"` settings-type: `limit` must be a whole number from 1, this is text
                  fix: Change to 16000
                3 `"o200k"` settings-value: `tokenizer` must be "o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "p50k_edit" or "r50k_base" or a path
                  fix: Change to "o200k_base"
                5 `'chnaged'` settings-value: `on_save` must be "changed" or "off"
                  fix: Change to "changed"
                6 `0` settings-value: `max_per_save` must be a whole number from 1
                7 `nan` settings-value: `max_cost_per_run` must be a number from 0
                8 `'yes'` settings-type: `isolate_sensitive` must be true or false, this is text
                9 `'some'` settings-type: `criteria_per_call` must be "all" or a whole number from 1, this is text
                10 `99999999999999999999` settings-type: `seed` must be a whole number from 0, this is a number that is too big
                12 `'a.jsonl'` settings-type: `transcripts` must be a list of globs, this is text
                  fix: Change to ["a.jsonl"]
                13 `2020-01-01` settings-type: `rubric` must be a path, this is a date
                15 `1.5` settings-value: `validation` must be a number from 0 to 1
                17 `1` settings-type: `phrases` must be a list of texts, this is a whole number
            "#]],
        );
    }

    #[test]
    fn a_project_cannot_reach_out() {
        check(
            "[project]\nrubric = '../rubric.yaml'\ntranscripts = ['/etc/*', 'a[']\n[[judge]]\nname = 'a'\nbase_url = 'https://collector.example/v1'\n[[judge]]\nname = 'b'\ncommand = ['sh']\n[[judge]]\nname = 'c'\nbase_url = 'http://127.0.0.1@evil.example'\nfile = 'C:\\x'\n",
            expect![[r#"
                2 `'../rubric.yaml'` settings-value: `rubric` leads out of the project: give a path inside the project folder, relative to it
                3 `'/etc/*'` settings-value: this glob leads out of the project: write it from the project folder
                6 `'https://collector.example/v1'` settings-host: `base_url` is not allowed here: addresses beyond this machine may only be named in your own settings (rubricator/config.toml in your configuration folder), in a [[judge]] of the same name, so that a repository can never send your keys or text to a place of its choice
                9 `['sh']` settings-host: `command` is not allowed here: commands may only be named in your own settings (rubricator/config.toml in your configuration folder), in a [[judge]] of the same name, so that a repository can never send your keys or text to a place of its choice
                12 `'http://127.0.0.1@evil.example'` settings-value: `base_url` is not usable: it must not hold a user name or password
                13 `'C:\x'` settings-value: `file` leads out of the project: give a path inside the project folder, relative to it
            "#]],
        );
    }

    #[test]
    fn a_key_in_a_file_is_refused_and_not_echoed() {
        let text = "api_key = 'sk-live-0123456789abcdef'\n[[judge]]\nname = 'a'\napi_key = 'whatever'\napi_key_env = 'sk-ant-0123456789abcdef'\nmodel = 'AIzaSyA0123456789abc'\n[[judge]]\nname = 'b'\napi_key_env = 'not a name'\nsk-0123456789abcdef = 1\n";
        check(
            text,
            expect![[r#"
            1 `…` settings-secret: this looks like an API key: keys never go into a settings file. Put it into an environment variable, name that with `api_key_env`, and revoke this key if the file was ever shared
            4 `…` settings-secret: this looks like an API key: keys never go into a settings file. Put it into an environment variable, name that with `api_key_env`, and revoke this key if the file was ever shared
            5 `…` settings-secret: this looks like an API key: keys never go into a settings file. Put it into an environment variable, name that with `api_key_env`, and revoke this key if the file was ever shared
            6 `…` settings-secret: this looks like an API key: keys never go into a settings file. Put it into an environment variable, name that with `api_key_env`, and revoke this key if the file was ever shared
            9 `…` settings-secret: `api_key_env` must be the name of an environment variable, such as "OPENAI_API_KEY", never the key itself
            10 `sk-0123456789abcdef` settings-unknown: unknown key `*******************` in [judge]; known are name, provider, model, base_url, api_key_env, command, file, max_concurrency, timeout_s, max_tokens, effort, temperature, family, repeat
        "#]],
        );
        let layer = parse(text, Origin::ProjectFile);
        assert!(layer.judges.iter().all(|j| j.broken));
        assert!(!format!("{:?}", layer.findings).contains("0123456789"));
    }

    #[test]
    fn broken_toml_costs_its_line() {
        check(
            "[tokens\nlimit = 5\n[assess]\nseed = = 4\nseed = 5\n[[judge]\n",
            expect![[r#"
            1 `` settings-syntax: not TOML: unclosed table, expected `]`
            4 `=` settings-syntax: not TOML: extra `=`, expected nothing
            4 `` settings-syntax: not TOML: unexpected key or value, expected newline, `#`
            5 `seed` settings-syntax: not TOML: duplicate key
            6 `` settings-syntax: not TOML: unclosed array table, expected `]`
        "#]],
        );
        let text = "[tokens]\nlimit = \n[assess]\nseed = 5\n";
        assert_eq!(parse(text, Origin::ProjectFile).values.len(), 1);
    }

    #[test]
    fn shapes_that_are_no_tables() {
        check(
            "tokens = 4\nignore = {findings = {code = 'a'}}\n[judge]\nname = 'a'\n",
            expect![[r#"
            1 `4` settings-type: `tokens` is a table, this is a whole number
            2 `{code = 'a'}` settings-type: `findings` must be a list of {code, transcript?, exchange?, reason}
            3 `judge` settings-type: judges are a list: write [[judge]] in double brackets
        "#]],
        );
        check(
            "judge = [1]\n[ignore]\nfindings = [1, {code = 1, exchange = 0}]\n",
            expect![[r#"
            1 `1` settings-type: a judge is a table, this is a whole number
            3 `1` settings-type: an ignored finding is a table {code, transcript?, exchange?, reason}, this is a whole number
            3 `{code = 1, exchange = 0}` settings-value: an ignored finding needs a `code`
            3 `{code = 1, exchange = 0}` settings-value: an ignored finding needs a `reason`
            3 `1` settings-type: `code` must be text
            3 `0` settings-type: `exchange` must be a whole number from 1
        "#]],
        );
    }

    #[test]
    fn spans_survive_a_byte_order_mark() {
        let text = "\u{feff}[tokens]\nlimt = 4\n";
        let layer = parse(text, Origin::ProjectFile);
        assert_eq!(layer.findings[0].span.of(text), "limt");
        assert_eq!(layer.findings[0].fixes[0].edits[0].span.of(text), "limt");
    }

    #[test]
    fn editors_may_send_null_anywhere() {
        let json = serde_json::json!({
            "tokens": {"limit": 9, "tokenizer": null}, "assess": null, "judge": null,
            "trace": {"server": "off"}, "slice": {"sed": 3},
        });
        let layer = from_editor(&json);
        assert_eq!(layer.values.len(), 1);
        assert_eq!(layer.findings.len(), 1, "{:?}", layer.findings);
        assert!(from_editor(&serde_json::Value::Null).values.is_empty());
    }

    #[test]
    fn variables_and_pairs() {
        assert_eq!(from_variable("RUBRICATOR_ASSESS_ON_SAVE"), Some(("assess", "on_save".into())));
        assert_eq!(from_variable("RUBRICATOR_CORPUS"), None);
        assert_eq!(from_variable("RUBRICATOR_DATA_DIR"), None);
        let pairs = [
            ("tokens", "limit", "12"),
            ("assess", "on_save", "off"),
            ("assess", "criteria_per_call", "all"),
            ("project", "transcripts", "a/*.jsonl, b/*.json"),
            ("tokens", "limt", "12"),
            ("judge", "model", "x"),
            ("tokens", "limit", "many"),
        ];
        let layer = from_pairs(pairs, Origin::Environment);
        let values: Vec<String> =
            layer.values.iter().map(|e| format!("{} = {}", e.key.name, e.value)).collect();
        expect![[r#"
            [
                "limit = 12",
                "on_save = \"off\"",
                "criteria_per_call = \"all\"",
                "transcripts = [\"a/*.jsonl\", \"b/*.json\"]",
            ]
        "#]]
        .assert_debug_eq(&values);
        expect![[r#"
            1 `` settings-unknown: unknown key `limt` in [tokens]; did you mean `limit`?
              fix: Change to `limit`
            1 `` settings-unknown: judges cannot be set one value at a time: declare a [[judge]] in a file
            1 `` settings-type: `limit` must be a whole number from 1, this is text
        "#]].assert_eq(&shown("", &layer.findings));
    }
}
