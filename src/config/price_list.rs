//! A price list: what a million tokens cost, per provider and model, as TOML
//! with a date. The one that comes with the program and the user's own
//! `prices.toml` have the same form.
//!
//! Invariant: a [`Price`] made here is complete: an entry with anything wrong in
//! it is a finding at its words and prices nothing. A model that no entry names
//! has no price, which is not a price of nothing.
//!
//! Deliberately absent: where lists come from, and what a call costs.

use super::Provider;
use super::keys::PROVIDERS;
use super::layer::{TYPE, UNKNOWN, VALUE};
use super::resolve::provider as provider_named;
use super::source::{self, Field, Node, Raw};
use crate::finding::{Finding, Fix, Severity};
use crate::text::Span;
use crate::text::nearest::nearest;

/// USD for a million tokens of each kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Fresh prompt tokens.
    pub input: f64,
    /// Prompt tokens read from the provider's cache.
    pub cached: f64,
    /// Prompt tokens written to the cache for a short time.
    pub written: f64,
    /// Prompt tokens written to the cache for an hour or more.
    pub written_long: f64,
    /// Reply tokens.
    pub output: f64,
    /// Thinking tokens, which are part of the reply.
    pub thinking: f64,
}

/// The price of one or more models.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// The API.
    pub provider: Provider,
    /// The host it holds at; `None`: the list's reader decides.
    pub host: Option<String>,
    /// Names of models. One also stands for its dated snapshots; a `*` at its end
    /// for every name that begins so.
    pub models: Vec<String>,
    /// The standard price.
    pub rates: Rates,
    /// Above so many prompt tokens the whole request has other rates.
    pub long: Option<(u64, Rates)>,
    /// The share of the price that a batch costs.
    pub batch: f64,
    /// Tokens of this model per token of `o200k_base`, for estimates.
    pub tokens: f64,
    /// The most tokens a reply can have.
    pub max_output: Option<u64>,
}

/// A list as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceList {
    /// The day the prices were looked up, as `2026-11-22`.
    pub as_of: Option<String>,
    /// The entries, in file order.
    pub prices: Vec<Price>,
    /// What is wrong, by place.
    pub findings: Vec<Finding>,
}

const TOP: &[&str] = &["as_of", "price"];
const KEYS: &[&str] = &[
    "provider",
    "host",
    "models",
    "input",
    "cached",
    "written",
    "written_long",
    "output",
    "thinking",
    "long",
    "batch",
    "tokens",
    "max_output",
];
const LONG: &[&str] = &["over", "input", "cached", "written", "written_long", "output", "thinking"];

impl PriceList {
    /// Reads a list.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (fields, findings) = source::from_toml(text);
        let mut reader = Reader { list: Self { findings, ..Self::default() } };
        for field in &fields {
            reader.top(field);
        }
        reader.list.findings.sort_by_key(|f| f.span);
        reader.list
    }

    /// The entry for a model: one for this host before one for any, of several the
    /// longest name, of equals the last.
    #[must_use]
    pub fn find(&self, provider: Provider, host: Option<&str>, model: &str) -> Option<&Price> {
        let fits = |price: &&Price| {
            price.provider == provider
                && price.host.as_deref().is_none_or(|h| host.is_some_and(|host| is_host(h, host)))
        };
        let ranked = self.prices.iter().filter(fits).filter_map(|price| {
            let longest = price.models.iter().filter(|name| names(name, model)).map(String::len);
            longest.max().map(|length| ((price.host.is_some(), length), price))
        });
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, price)| price)
    }
}

/// A host as written in a list, with or without its port.
fn is_host(written: &str, host: &str) -> bool {
    let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    written.eq_ignore_ascii_case(host) || written.eq_ignore_ascii_case(without_port)
}

/// Whether a name of a list means this model.
fn names(name: &str, model: &str) -> bool {
    let model = model.strip_prefix("models/").unwrap_or(model);
    match (name.strip_suffix('*'), model.strip_prefix(name)) {
        (Some(start), _) => model.starts_with(start),
        (None, Some(rest)) => rest.is_empty() || is_snapshot(rest),
        (None, None) => false,
    }
}

/// `-20251001`, `@20251001`, `-2026-10-01`, `-001`: the same model on a day, and
/// nothing that could be another model.
fn is_snapshot(rest: &str) -> bool {
    let Some(date) = rest.strip_prefix(['-', '@']) else { return false };
    let digits = date.bytes().filter(u8::is_ascii_digit).count();
    let plain = date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let shape = (digits, date.len());
    plain && matches!(shape, (3, 3) | (8, 8 | 10))
}

struct Reader {
    list: PriceList,
}

impl Reader {
    fn wrong(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.list.findings.push(Finding::new(code, Severity::Error, span, message));
    }

    fn top(&mut self, field: &Field) {
        match (field.name.as_str(), &field.node.raw) {
            ("as_of", Raw::Text(day)) if is_day(day) => self.list.as_of = Some(day.clone()),
            ("as_of", _) => {
                let message = "`as_of` must be a day in quotes, as in \"2026-11-22\"";
                self.wrong(VALUE, field.node.span, message);
            }
            ("price", Raw::List(items)) => items.iter().for_each(|item| self.entry(item)),
            ("price", _) => {
                let message = "prices are a list: write [[price]] in double brackets";
                self.wrong(TYPE, field.name_span, message);
            }
            _ => self.unknown(field, TOP),
        }
    }

    /// One entry; anything wrong in it leaves it out.
    fn entry(&mut self, node: &Node) {
        let Raw::Table(fields) = &node.raw else {
            let message = format!("a price is a table, this is {}", node.what());
            return self.wrong(TYPE, node.span, message);
        };
        let before = self.list.findings.len();
        for field in fields.iter().filter(|f| !KEYS.contains(&f.name.as_str())) {
            self.unknown(field, KEYS);
        }
        let fields = Fields { all: fields, span: node.span };
        let provider = self.provider(&fields);
        let models = self.models(&fields);
        let host = self.host(&fields);
        let rates = self.rates(&fields);
        let long = rates.and_then(|rates| self.long(&fields, rates));
        let batch = self.number(&fields, "batch", 0.0, 1.0).unwrap_or(1.0);
        let tokens = self.number(&fields, "tokens", 0.1, 10.0).unwrap_or(1.0);
        let max_output = self.whole(&fields, "max_output");
        if let (Some(provider), Some(rates), true) =
            (provider, rates, self.list.findings.len() == before)
        {
            let price = Price { provider, host, models, rates, long, batch, tokens, max_output };
            self.list.prices.push(price);
        }
    }

    fn provider(&mut self, fields: &Fields<'_>) -> Option<Provider> {
        let Some(node) = fields.get("provider") else {
            self.wrong(VALUE, fields.span, "a price needs a `provider`");
            return None;
        };
        let text = if let Raw::Text(text) = &node.raw { text.as_str() } else { "" };
        let found = provider_named(text).filter(|p| *p != Provider::Recorded);
        if found.is_none() {
            let known = PROVIDERS.iter().copied().filter(|name| *name != "recorded");
            let meant = nearest(text, known.clone());
            let known: Vec<&str> = known.collect();
            let advice = meant.map_or_else(
                || format!("it is one of {}", known.join(", ")),
                |meant| format!("did you mean \"{meant}\"?"),
            );
            let mut finding = Finding::new(
                VALUE,
                Severity::Error,
                node.span,
                format!("no such provider: {advice}"),
            );
            if let Some(meant) = meant {
                let title = format!("Change to \"{meant}\"");
                finding =
                    finding.with_fix(Fix::suggested(title, node.span, format!("\"{meant}\"")));
            }
            self.list.findings.push(finding);
        }
        found
    }

    fn models(&mut self, fields: &Fields<'_>) -> Vec<String> {
        let Some(node) = fields.get("models") else {
            self.wrong(VALUE, fields.span, "a price needs `models`: a list of their names");
            return Vec::new();
        };
        let items = if let Raw::List(items) = &node.raw { items.as_slice() } else { &[] };
        let name = |item: &Node| match &item.raw {
            Raw::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        };
        let models: Option<Vec<String>> = items.iter().map(name).collect();
        match models.filter(|models| !models.is_empty()) {
            Some(models) => models,
            None => {
                let message = "`models` must be a list of names, as in [\"gpt-6-luna\"]";
                self.wrong(TYPE, node.span, message);
                Vec::new()
            }
        }
    }

    fn host(&mut self, fields: &Fields<'_>) -> Option<String> {
        let node = fields.get("host")?;
        match &node.raw {
            Raw::Text(host) if !host.is_empty() && !host.contains('/') => Some(host.clone()),
            _ => {
                let message =
                    "`host` must be a host name, as in \"gateway.example\" or \"localhost:4000\"";
                self.wrong(VALUE, node.span, message);
                None
            }
        }
    }

    /// The standard rates. What is not said is never cheaper than the input or,
    /// for thinking, than the output.
    fn rates(&mut self, fields: &Fields<'_>) -> Option<Rates> {
        let usd = |reader: &mut Self, name| reader.number(fields, name, 0.0, 1e6);
        let (input, output) = (usd(self, "input"), usd(self, "output"));
        for (name, value) in [("input", input), ("output", output)] {
            if value.is_none() && fields.get(name).is_none() {
                let message = format!("a price needs `{name}`: USD for a million tokens");
                self.wrong(VALUE, fields.span, message);
            }
        }
        let (input, output) = (input?, output?);
        let written = usd(self, "written").unwrap_or(input);
        Some(Rates {
            input,
            cached: usd(self, "cached").unwrap_or(input),
            written,
            written_long: usd(self, "written_long").unwrap_or(written),
            output,
            thinking: usd(self, "thinking").unwrap_or(output),
        })
    }

    /// Rates above a threshold: what is not said rises as the input, or the output, does.
    fn long(&mut self, fields: &Fields<'_>, base: Rates) -> Option<(u64, Rates)> {
        let node = fields.get("long")?;
        let Raw::Table(inner) = &node.raw else {
            let message = "`long` must be a table, as in {over = 200000, input = 4, output = 18}";
            self.wrong(TYPE, node.span, message);
            return None;
        };
        for field in inner.iter().filter(|f| !LONG.contains(&f.name.as_str())) {
            self.unknown(field, LONG);
        }
        let long = Fields { all: inner, span: node.span };
        let usd = |reader: &mut Self, name| reader.number(&long, name, 0.0, 1e6);
        let (over, input, output) =
            (self.whole(&long, "over"), usd(self, "input"), usd(self, "output"));
        let (Some(over), Some(input), Some(output)) = (over, input, output) else {
            let message = "`long` needs `over` (prompt tokens), `input` and `output`";
            self.wrong(VALUE, node.span, message);
            return None;
        };
        let rise = |by: f64, from: f64, value: f64| if from > 0.0 { value * by / from } else { by };
        let risen = |value| rise(input, base.input, value);
        let rates = Rates {
            input,
            cached: usd(self, "cached").unwrap_or_else(|| risen(base.cached)),
            written: usd(self, "written").unwrap_or_else(|| risen(base.written)),
            written_long: usd(self, "written_long").unwrap_or_else(|| risen(base.written_long)),
            output,
            thinking: usd(self, "thinking")
                .unwrap_or_else(|| rise(output, base.output, base.thinking)),
        };
        Some((over, rates))
    }

    fn number(&mut self, fields: &Fields<'_>, name: &str, low: f64, high: f64) -> Option<f64> {
        let node = fields.get(name)?;
        let value = match node.raw {
            Raw::Integer(n) => n as f64,
            Raw::Number(n) => n,
            _ => f64::NAN,
        };
        if (low..=high).contains(&value) {
            return Some(value);
        }
        let bounds =
            if high >= 1e6 { format!("from {low}") } else { format!("from {low} to {high}") };
        self.wrong(VALUE, node.span, format!("`{name}` must be a number {bounds}"));
        None
    }

    fn whole(&mut self, fields: &Fields<'_>, name: &str) -> Option<u64> {
        let node = fields.get(name)?;
        match node.raw {
            Raw::Integer(n) if n > 0 => u64::try_from(n).ok(),
            _ => {
                self.wrong(VALUE, node.span, format!("`{name}` must be a whole number from 1"));
                None
            }
        }
    }

    fn unknown(&mut self, field: &Field, known: &[&str]) {
        let meant = nearest(&field.name, known.iter().copied());
        let advice = meant.map_or_else(
            || format!("known are {}", known.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        );
        let message = format!("unknown key `{}` in a price list; {advice}", field.name);
        let mut finding = Finding::new(UNKNOWN, Severity::Error, field.name_span, message);
        if let Some(meant) = meant {
            let title = format!("Change to `{meant}`");
            finding = finding.with_fix(Fix::suggested(title, field.name_span, meant));
        }
        self.list.findings.push(finding);
    }
}

/// The fields of a table, and where it stands.
struct Fields<'a> {
    all: &'a [Field],
    span: Span,
}

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&Node> {
        self.all.iter().find(|f| f.name == name).map(|f| &f.node)
    }
}

fn is_day(text: &str) -> bool {
    let shape =
        |(i, b): (usize, u8)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let mut out = String::new();
        let list = PriceList::parse(text);
        for f in &list.findings {
            let line = text[..f.span.start].matches('\n').count() + 1;
            let words = f.span.of(text).lines().next().unwrap_or("");
            out += &format!("{line} `{words}` {}: {}\n", f.code, f.message);
        }
        out += &format!("{} priced\n", list.prices.len());
        expected.assert_eq(&out);
    }

    #[test]
    fn mistakes_stand_at_their_words_and_price_nothing() {
        check(
            "as_of = 2026-11-22\n[[prices]]\n[[price]]\nprovider = 'openia'\nmodels = ['a']\ninput = 1\noutput = 2\n\
             [[price]]\nprovider = 'openai'\nmodel = ['a']\ninput = -1\noutput = 'x'\n\
             [[price]]\nprovider = 'gemini'\nmodels = ['a']\ninput = 1\noutput = 2\nlong = {over = 1, input = 1, outptu = 3}\n",
            expect![[r#"
                1 `2026-11-22` settings-value: `as_of` must be a day in quotes, as in "2026-11-22"
                2 `prices` settings-unknown: unknown key `prices` in a price list; did you mean `price`?
                4 `'openia'` settings-value: no such provider: did you mean "openai"?
                8 `[[price]]` settings-value: a price needs `models`: a list of their names
                10 `model` settings-unknown: unknown key `model` in a price list; did you mean `models`?
                11 `-1` settings-value: `input` must be a number from 0
                12 `'x'` settings-value: `output` must be a number from 0
                18 `{over = 1, input = 1, outptu = 3}` settings-value: `long` needs `over` (prompt tokens), `input` and `output`
                18 `outptu` settings-unknown: unknown key `outptu` in a price list; did you mean `output`?
                0 priced
            "#]],
        );
    }

    #[test]
    fn what_is_not_said_is_never_cheaper() {
        let text = "[[price]]\nprovider = 'openai'\nmodels = ['m']\ninput = 2\noutput = 8\nlong = {over = 10, input = 4, output = 12}\n\
                    [[price]]\nprovider = 'openai'\nmodels = ['n']\ninput = 2\ncached = 0.5\nwritten = 3\noutput = 8\nlong = {over = 10, input = 4, output = 12}\n";
        let list = PriceList::parse(text);
        let rates = |n: usize| (list.prices[n].rates, list.prices[n].long.map(|(_, rates)| rates));
        let flat = |input, output| Rates {
            input,
            cached: input,
            written: input,
            written_long: input,
            output,
            thinking: output,
        };
        assert_eq!(rates(0), (flat(2.0, 8.0), Some(flat(4.0, 12.0))));
        let partly = |by, output| Rates {
            cached: 0.5 * by,
            written: 3.0 * by,
            written_long: 3.0 * by,
            ..flat(2.0 * by, output)
        };
        assert_eq!(rates(1), (partly(1.0, 8.0), Some(partly(2.0, 12.0))));
    }

    #[test]
    fn the_longest_name_wins_and_a_snapshot_is_its_model() {
        let entry = |host: &str, models: &str, input: u32| {
            format!(
                "[[price]]\nprovider = 'openai'\n{host}models = {models}\ninput = {input}\noutput = 1\n"
            )
        };
        let text = entry("", "['big', 'big-5']", 1)
            + &entry("", "['big-5-mini']", 2)
            + &entry("", "['my-*']", 3)
            + &entry("", "['my-own']", 4)
            + &entry("", "['my-own']", 5)
            + &entry("host = 'gate.example'\n", "['*']", 6);
        let list = PriceList::parse(&text);
        let price = |host: Option<&str>, model: &str| {
            list.find(Provider::OpenAi, host, model).map(|p| p.rates.input)
        };
        for (model, input) in [
            ("big", Some(1.0)),
            ("big-5", Some(1.0)),
            ("big-5-20261001", Some(1.0)),
            ("models/big-5-2026-10-01", Some(1.0)),
            ("big-5@20261001", Some(1.0)),
            ("big-001", Some(1.0)),
            ("big-5-mini", Some(2.0)),
            ("big-6", None),
            ("big-5-5", None),
            ("big-5-mini-pro", None),
            ("big-51", None),
            ("my-thing", Some(3.0)),
            ("my-own", Some(5.0)),
            ("", None),
        ] {
            assert_eq!(price(None, model), input, "{model}");
        }
        assert_eq!(price(Some("gate.example:8443"), "big-5"), Some(6.0));
        assert_eq!(price(Some("GATE.example"), "other"), Some(6.0));
        assert_eq!(price(Some("elsewhere.example"), "other"), None);
        assert!(list.find(Provider::Gemini, None, "big").is_none());
    }
}
