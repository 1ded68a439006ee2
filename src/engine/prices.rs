//! Which price a judge's model has, and what a call costs by it.
//!
//! Invariant: a price is known or it is not; "not known" is never nothing. Only
//! what stays on this machine, and recordings, are free unasked. A repository
//! has no say: the list comes with the program, and the user's own goes before it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::config::price_list::{Price, PriceList, Rates};
use crate::config::{Judge, Origin, Provider};
use crate::finding::{Finding, Severity};
use crate::text::Span;

use super::provider::Usage;
use super::trust;
use super::workspace::{Problem, config_dir, read_text};

const MILLION: f64 = 1e6;

static BUILT_IN: LazyLock<PriceList> =
    LazyLock::new(|| PriceList::parse(include_str!("prices.toml")));

/// All prices in force.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    own: Option<Arc<PriceList>>,
    file: Option<PathBuf>,
}

/// What a judge's calls cost.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// Nothing: the text stays on this machine.
    Free,
    /// So much for a million tokens.
    Priced(Price),
    /// Nobody knows.
    Unknown,
}

/// Where a judge's price is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It stays on this machine, or is a recording: nothing is paid.
    Here,
    /// The user's own list.
    Own,
    /// The list that comes with the program, of the day [`Prices::as_of`] says.
    BuiltIn,
    /// Nowhere.
    Nowhere,
}

/// The user's own price list, whether it exists or not.
#[must_use]
pub fn own_file() -> Option<PathBuf> {
    config_dir().map(|dir| dir.join("prices.toml"))
}

impl Prices {
    /// The prices that come with the program, and before them the user's own file
    /// where there is one.
    #[must_use]
    pub fn read(file: Option<&Path>) -> Self {
        let Some(file) = file.filter(|path| path.exists()) else { return Self::default() };
        let list = match read_text(file) {
            Ok(text) => PriceList::parse(&text),
            Err(why) => {
                let message = format!("this price list {why}");
                let finding = Finding::new(
                    crate::config::layer::SYNTAX,
                    Severity::Error,
                    Span::default(),
                    message,
                );
                PriceList { findings: vec![finding], ..PriceList::default() }
            }
        };
        Self { own: Some(Arc::new(list)), file: Some(file.to_owned()) }
    }

    /// What is wrong with the user's own list.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let findings = self.own.iter().flat_map(|list| &list.findings);
        let problem = |finding: &Finding| Problem {
            path: self.file.clone(),
            origin: Origin::UserFile,
            finding: finding.clone(),
        };
        findings.map(problem).collect()
    }

    /// The day the prices that come with the program were looked up.
    #[must_use]
    pub fn as_of() -> &'static str {
        BUILT_IN.as_of.as_deref().unwrap_or("an unknown day")
    }

    /// What this judge's calls cost. A user's list with a mistake in it prices
    /// nothing: the mistake may stand where a higher price was meant.
    #[must_use]
    pub fn rate(&self, judge: &Judge) -> Rate {
        self.found(judge).0
    }

    /// The same, and where it is from.
    #[must_use]
    pub fn found(&self, judge: &Judge) -> (Rate, Source) {
        if judge.provider == Provider::Recorded {
            return (Rate::Free, Source::Here);
        }
        let here = trust::stays_here(judge);
        let host = trust::host(judge);
        let find = |list: &PriceList, provider: Option<Provider>| {
            list.find(provider?, host.as_deref(), &judge.model).cloned()
        };
        let vendor = vendor(judge.provider, host.as_deref());
        let broken = self.own.as_ref().is_some_and(|list| !list.findings.is_empty());
        let own = self
            .own
            .as_deref()
            .and_then(|list| find(list, Some(judge.provider)).or_else(|| find(list, vendor)));
        match own {
            // A price without a host is for servers elsewhere.
            Some(price) if !broken && (price.host.is_some() || !here) => {
                (Rate::Priced(price), Source::Own)
            }
            _ if here => (Rate::Free, Source::Here),
            _ if broken => (Rate::Unknown, Source::Nowhere),
            _ => match find(&BUILT_IN, vendor) {
                Some(price) => (Rate::Priced(price), Source::BuiltIn),
                None => (Rate::Unknown, Source::Nowhere),
            },
        }
    }
}

/// Whose public prices hold at this host: elsewhere a gateway may charge others.
fn vendor(provider: Provider, host: Option<&str>) -> Option<Provider> {
    let at_home = match host? {
        "api.anthropic.com" => Provider::Anthropic,
        "api.openai.com" => Provider::OpenAi,
        "generativelanguage.googleapis.com" => Provider::Gemini,
        _ => return None,
    };
    let speaks = match provider {
        Provider::OpenAiCompatible => true,
        Provider::ClaudeCli => at_home == Provider::Anthropic,
        other => other == at_home,
    };
    speaks.then_some(at_home)
}

impl Rate {
    /// USD for a call that took this; `None` where nobody knows. What the provider
    /// says itself goes before any list.
    #[must_use]
    pub fn cost(&self, usage: &Usage, batch: bool) -> Option<f64> {
        match (self, usage.billed) {
            (Self::Free, _) => Some(0.0),
            (_, Some(billed)) => Some(billed as f64 / 1e9),
            (Self::Priced(price), None) => Some(cost(price, usage, batch)),
            (Self::Unknown, None) => None,
        }
    }
}

/// USD for a call that took this. Above its threshold a long prompt changes the
/// rates of the whole request, and a batch costs its share of everything.
#[must_use]
pub fn cost(price: &Price, usage: &Usage, batch: bool) -> f64 {
    let apart = usage.cached_input + usage.written_input + usage.written_long_input;
    let prompt = usage.input.max(apart);
    let rates = rates(price, prompt);
    let thinking = usage.thinking.min(usage.output);
    let tokens = [
        (prompt - apart, rates.input),
        (usage.cached_input, rates.cached),
        (usage.written_input, rates.written),
        (usage.written_long_input, rates.written_long),
        (usage.output - thinking, rates.output),
        (thinking, rates.thinking),
    ];
    let full: f64 = tokens.iter().map(|(tokens, usd)| *tokens as f64 * usd).sum::<f64>() / MILLION;
    if batch { full * price.batch } else { full }
}

/// The rates for a prompt of this many tokens.
pub(super) fn rates(price: &Price, prompt: u64) -> &Rates {
    match &price.long {
        Some((over, long)) if prompt > *over => long,
        _ => &price.rates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trust::tests::judge;

    fn asks(provider: Provider, model: &str) -> Judge {
        Judge { provider, model: model.into(), ..judge(None) }
    }

    fn usd(provider: Provider, model: &str, usage: Usage, batch: bool) -> Option<f64> {
        Prices::default().rate(&asks(provider, model)).cost(&usage, batch)
    }

    const M: u64 = 1_000_000;

    #[test]
    fn the_list_that_comes_along_is_sound_and_names_no_model_twice() {
        assert_eq!(BUILT_IN.findings, []);
        assert_eq!(Prices::as_of().len(), 10);
        let mut names: Vec<_> = BUILT_IN
            .prices
            .iter()
            .flat_map(|price| price.models.iter().map(|name| (price.provider as u8, name)))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for price in &BUILT_IN.prices {
            let Rates { input, cached, written, written_long, output, thinking } = price.rates;
            assert!(0.0 < cached && cached <= input, "{:?}", price.models);
            assert!(input <= written && written <= written_long && written_long < output);
            assert!(thinking >= output && price.batch == 0.5 && price.max_output.is_some());
        }
    }

    /// A million of each kind in turn, then all of it as a batch.
    #[test]
    fn every_kind_of_token_has_its_price() {
        use Provider::{Anthropic, ClaudeCli, Gemini, OpenAi};
        let cases: &[(Provider, &str, [f64; 6])] = &[
            (Anthropic, "claude-opus-5-5", [4.0, 0.20, 5.0, 8.0, 20.0, 20.0]),
            (Anthropic, "claude-sonnet-5", [2.0, 0.20, 2.5, 4.0, 10.0, 10.0]),
            (Anthropic, "claude-haiku-4-5-20251001", [1.0, 0.10, 1.25, 2.0, 5.0, 5.0]),
            (ClaudeCli, "claude-opus-4-8", [5.0, 0.50, 6.25, 10.0, 25.0, 25.0]),
            (OpenAi, "gpt-5.4-mini", [0.75, 0.075, 0.75, 0.75, 4.5, 4.5]),
            (Gemini, "models/gemini-3.8-flash", [0.75, 0.075, 0.75, 0.75, 3.75, 3.75]),
            (Gemini, "gemini-4-argon", [2.0, 0.10, 2.0, 2.0, 10.0, 10.0]),
        ];
        // Long prompts have their own test, so these stay short of every threshold.
        let n = M / 10;
        for (provider, model, expected) in cases {
            let kinds = [
                Usage { input: n, ..Usage::default() },
                Usage { input: n, cached_input: n, ..Usage::default() },
                Usage { input: n, written_input: n, ..Usage::default() },
                Usage { input: n, written_long_input: n, ..Usage::default() },
                Usage { output: n, ..Usage::default() },
                Usage { output: n, thinking: n, ..Usage::default() },
            ];
            for (usage, usd_of_a_million) in kinds.iter().zip(expected) {
                for (batch, share) in [(false, 1.0), (true, 0.5)] {
                    let cost = usd(*provider, model, *usage, batch).unwrap();
                    let wanted = usd_of_a_million / 10.0 * share;
                    assert!(
                        (cost - wanted).abs() < 1e-9,
                        "{model} {usage:?}: {cost}, not {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_kinds_of_one_call_add_up() {
        let usage = Usage {
            input: 90_000,
            cached_input: 40_000,
            written_input: 20_000,
            written_long_input: 10_000,
            output: 3_000,
            thinking: 1_000,
            billed: None,
        };
        let cost = usd(Provider::Anthropic, "claude-opus-5-5", usage, false).unwrap();
        let by_hand =
            (20_000.0 * 4.0 + 40_000.0 * 0.2 + 20_000.0 * 5.0 + 10_000.0 * 8.0 + 3_000.0 * 20.0)
                / 1e6;
        assert!((cost - by_hand).abs() < 1e-12, "{cost} {by_hand}");
    }

    #[test]
    fn what_a_provider_says_itself_goes_before_the_list() {
        let usage = Usage { input: M, output: M, billed: Some(2_500_000), ..Usage::default() };
        for model in ["claude-haiku-5-5", "claude-unheard-of"] {
            assert_eq!(usd(Provider::ClaudeCli, model, usage, false), Some(0.0025), "{model}");
        }
        assert_eq!(Rate::Free.cost(&usage, false), Some(0.0));
    }

    #[test]
    fn a_long_prompt_changes_the_whole_request() {
        use Provider::{Anthropic, Gemini, OpenAi};
        // (model, threshold, [input, cached, output] above it, per million)
        let cases: &[(Provider, &str, u64, [f64; 3])] = &[
            (Anthropic, "claude-haiku-5-5", 100_000, [0.50, 0.05, 2.50]),
            (OpenAi, "gpt-6-luna", 272_000, [0.20, 0.02, 0.75]),
            (OpenAi, "gpt-6.2-astra", 272_000, [16.0, 0.80, 60.0]),
            (OpenAi, "gpt-6.1-terra", 272_000, [2.0, 0.10, 7.5]),
            (Gemini, "gemini-3.1-pro-preview", 200_000, [4.0, 0.40, 18.0]),
        ];
        for &(provider, model, over, [input, cached, output]) in cases {
            let usage =
                Usage { input: over + 1, cached_input: 1_000, output: 2_000, ..Usage::default() };
            let cost = usd(provider, model, usage, false).unwrap();
            let fresh = (over + 1 - 1_000) as f64;
            let wanted = (fresh * input + 1_000.0 * cached + 2_000.0 * output) / 1e6;
            assert!((cost - wanted).abs() < 1e-9, "{model}: {cost}, not {wanted}");
            let below = Usage { input: over, ..usage };
            assert!(usd(provider, model, below, false).unwrap() < cost * 0.8, "{model}");
        }
    }

    #[test]
    fn an_unknown_price_is_not_nothing() {
        let usage = Usage { input: 1, output: 1, ..Usage::default() };
        assert_eq!(usd(Provider::OpenAi, "gpt-9", usage, false), None);
        let lab = Judge { model: "gpt-6-luna".into(), ..judge(Some("https://lab.example/v1")) };
        assert_eq!(Prices::default().rate(&lab), Rate::Unknown);
        let gateway = Judge {
            base_url: Some("https://gateway.example".into()),
            ..asks(Provider::Anthropic, "claude-opus-5-5")
        };
        assert_eq!(Prices::default().rate(&gateway), Rate::Unknown);
        let vendor = Judge { base_url: Some("https://api.openai.com/v1".into()), ..lab };
        assert!(matches!(Prices::default().rate(&vendor), Rate::Priced(_)));
        assert_eq!(Prices::default().rate(&judge(Some("http://localhost:1/v1"))), Rate::Free);
        assert_eq!(Prices::default().rate(&asks(Provider::Recorded, "")), Rate::Free);
    }

    #[test]
    fn the_users_own_list_goes_first_and_a_mistake_in_it_prices_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("prices.toml");
        let entry = |provider: &str, more: &str| {
            format!("[[price]]\nprovider = '{provider}'\ninput = 3\noutput = 7\n{more}\n")
        };
        let text = entry("openai", "models = ['gpt-6*']")
            + &entry("openai-compatible", "models = ['*']\nhost = 'localhost:4000'")
            + &entry("openai-compatible", "models = ['m']");
        std::fs::write(&file, &text).unwrap();
        let prices = Prices::read(Some(&file));
        let input = |prices: &Prices, judge: &Judge| match prices.rate(judge) {
            Rate::Priced(price) => Some(price.rates.input),
            Rate::Free => Some(0.0),
            Rate::Unknown => None,
        };
        let luna = asks(Provider::OpenAi, "gpt-6-luna");
        let opus = asks(Provider::Anthropic, "claude-opus-5-5");
        assert_eq!(input(&prices, &luna), Some(3.0));
        assert_eq!(input(&prices, &opus), Some(4.0));
        assert_eq!(input(&prices, &judge(Some("http://localhost:4000/v1"))), Some(3.0));
        assert_eq!(input(&prices, &judge(Some("http://localhost:4001/v1"))), Some(0.0));
        assert_eq!(input(&prices, &judge(Some("https://lab.example/v1"))), Some(3.0));
        assert!(prices.problems().is_empty());

        std::fs::write(&file, text + "outptu = 3\n").unwrap();
        let broken = Prices::read(Some(&file));
        assert_eq!(broken.problems().len(), 1);
        assert_eq!((input(&broken, &luna), input(&broken, &opus)), (None, None));
        assert_eq!(input(&broken, &judge(Some("http://localhost:1/v1"))), Some(0.0));
        assert!(Prices::read(Some(&dir.path().join("none"))).problems().is_empty());
    }
}
