//! What each model takes: the one table of per-model rules.
//!
//! Invariant: a parameter that a model rejects is never sent. A model that the
//! table does not know, because it is newer, is sent the least: neither
//! temperature nor effort nor a word about thinking.
//!
//! The rules are the vendors' own, as of November 2026. Deliberately absent: prices.

use crate::config::{Judge, Provider};

/// What one model takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    temperature: Temperature,
    /// The values of `effort` it takes, `none` apart.
    efforts: &'static [&'static str],
    /// What `effort = "none"` becomes.
    off: Off,
    /// Tokens a prompt's beginning must have before it is cached.
    pub(super) cached_from: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Temperature {
    Never,
    Always,
    /// Only while the model does not reason, and whether that is its default.
    Unreasoning {
        default: bool,
    },
}

/// How a model is told not to think.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Off {
    /// It cannot be.
    Never,
    /// By saying nothing: it thinks only when asked to.
    Unsaid,
    /// `thinking: {type: "disabled"}`
    Disabled,
    /// `thinking: {type: "between_tools"}`
    BetweenTools,
    /// `reasoning: {effort: "none"}`
    Effort,
    /// `thinkingBudget: 0`
    Budget,
}

const LOW_TO_HIGH: &[&str] = &["low", "medium", "high"];
const MINIMAL_TO_HIGH: &[&str] = &["minimal", "low", "medium", "high"];
const LOW_TO_XHIGH: &[&str] = &["low", "medium", "high", "xhigh"];
const LOW_TO_MAX: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// A model nobody knows.
const UNKNOWN: Rules =
    Rules { temperature: Temperature::Never, efforts: &[], off: Off::Never, cached_from: 512 };

const fn claude(efforts: &'static [&'static str], off: Off, cached_from: usize) -> Rules {
    // API version 2026-10-21 takes no temperature from any model.
    Rules { temperature: Temperature::Never, efforts, off, cached_from }
}

const fn gpt(temperature: Temperature, efforts: &'static [&'static str], off: Off) -> Rules {
    Rules { temperature, efforts, off, cached_from: 1024 }
}

const fn gemini(temperature: Temperature, efforts: &'static [&'static str], off: Off) -> Rules {
    Rules { temperature, efforts, off, cached_from: 4096 }
}

/// Model name → rules. A name stands for itself and its dated versions; with a
/// star, for everything that begins so. The first that fits counts.
const CLAUDE: &[(&str, Rules)] = &[
    ("claude-fable-5*", claude(LOW_TO_MAX, Off::Never, 512)),
    ("claude-mythos-5*", claude(LOW_TO_MAX, Off::Never, 512)),
    ("claude-opus-5-5", claude(LOW_TO_MAX, Off::Never, 512)),
    ("claude-sonnet-5-5", claude(LOW_TO_MAX, Off::BetweenTools, 512)),
    ("claude-haiku-5-5", claude(LOW_TO_MAX, Off::Disabled, 512)),
    ("claude-opus-5", claude(LOW_TO_MAX, Off::Disabled, 512)),
    ("claude-sonnet-5", claude(LOW_TO_MAX, Off::Disabled, 1024)),
    ("claude-opus-4-8", claude(LOW_TO_MAX, Off::Unsaid, 1024)),
    ("claude-opus-4-7", claude(LOW_TO_MAX, Off::Unsaid, 2048)),
    ("claude-opus-4-6", claude(LOW_TO_HIGH, Off::Unsaid, 4096)),
    ("claude-sonnet-4-6", claude(LOW_TO_HIGH, Off::Unsaid, 1024)),
    ("claude-opus-4-5", claude(LOW_TO_HIGH, Off::Unsaid, 4096)),
    ("claude-sonnet-4-5", claude(&[], Off::Unsaid, 1024)),
    ("claude-haiku-4-5", claude(&[], Off::Unsaid, 4096)),
];

const NEVER: Temperature = Temperature::Never;
const WHEN_OFF: Temperature = Temperature::Unreasoning { default: false };
const OFF_BY_DEFAULT: Temperature = Temperature::Unreasoning { default: true };

const GPT: &[(&str, Rules)] = &[
    ("gpt-4o*", gpt(Temperature::Always, &[], Off::Unsaid)),
    ("gpt-4.1*", gpt(Temperature::Always, &[], Off::Unsaid)),
    ("gpt-5", gpt(NEVER, MINIMAL_TO_HIGH, Off::Never)),
    ("gpt-5-mini", gpt(NEVER, MINIMAL_TO_HIGH, Off::Never)),
    ("gpt-5-nano", gpt(NEVER, LOW_TO_HIGH, Off::Never)),
    ("gpt-5.1", gpt(OFF_BY_DEFAULT, LOW_TO_HIGH, Off::Effort)),
    ("gpt-5.2", gpt(OFF_BY_DEFAULT, LOW_TO_HIGH, Off::Effort)),
    ("gpt-5.4*", gpt(OFF_BY_DEFAULT, LOW_TO_XHIGH, Off::Effort)),
    ("gpt-5.5", gpt(WHEN_OFF, LOW_TO_XHIGH, Off::Effort)),
    ("gpt-5.6*", gpt(WHEN_OFF, LOW_TO_XHIGH, Off::Effort)),
    ("gpt-6-sol", gpt(WHEN_OFF, LOW_TO_MAX, Off::Effort)),
    ("gpt-6-luna", gpt(WHEN_OFF, LOW_TO_MAX, Off::Effort)),
    ("gpt-6.1-terra", gpt(WHEN_OFF, LOW_TO_MAX, Off::Effort)),
    ("gpt-6-astra", gpt(NEVER, LOW_TO_MAX, Off::Never)),
    ("gpt-6.1-sol", gpt(NEVER, LOW_TO_MAX, Off::Never)),
    ("gpt-6.2-*", gpt(NEVER, LOW_TO_MAX, Off::Never)),
];

const GEMINI: &[(&str, Rules)] = &[
    ("gemini-2.5-flash*", gemini(Temperature::Always, &[], Off::Budget)),
    ("gemini-2.5-pro*", gemini(Temperature::Always, &[], Off::Never)),
    ("gemini-3.1-pro*", gemini(Temperature::Always, LOW_TO_HIGH, Off::Never)),
    ("gemini-3.1-flash-lite*", gemini(Temperature::Always, MINIMAL_TO_HIGH, Off::Never)),
    ("gemini-3.5-flash", gemini(Temperature::Always, MINIMAL_TO_HIGH, Off::Never)),
    ("gemini-3.5-flash-lite", gemini(NEVER, MINIMAL_TO_HIGH, Off::Never)),
    ("gemini-3.6-flash", gemini(NEVER, MINIMAL_TO_HIGH, Off::Never)),
    ("gemini-3.7-flash", gemini(NEVER, LOW_TO_HIGH, Off::Never)),
    ("gemini-3.8-flash", gemini(NEVER, LOW_TO_HIGH, Off::Never)),
    ("gemini-4-argon", gemini(NEVER, LOW_TO_HIGH, Off::Never)),
];

/// The program knows its models itself: an effort goes to it as it is.
const PROGRAM: Rules = claude(LOW_TO_MAX, Off::Never, 512);

/// The rules of a provider's model.
pub(super) fn rules(provider: Provider, model: &str) -> Rules {
    let table = match provider {
        Provider::Anthropic => CLAUDE,
        Provider::OpenAi => GPT,
        Provider::Gemini => GEMINI,
        Provider::ClaudeCli => return PROGRAM,
        Provider::OpenAiCompatible | Provider::Recorded => return UNKNOWN,
    };
    let found = table.iter().find(|(name, _)| names(name, model));
    found.map_or(UNKNOWN, |(_, rules)| *rules)
}

fn names(pattern: &str, model: &str) -> bool {
    let rest = |name| model.strip_prefix(name);
    match pattern.strip_suffix('*') {
        Some(beginning) => rest(beginning).is_some(),
        None => rest(pattern).is_some_and(|rest| rest.is_empty() || is_date(rest)),
    }
}

/// `-20251001` or `-2025-10-01`
fn is_date(rest: &str) -> bool {
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    digits == 8 && rest.starts_with('-') && rest.bytes().all(|b| b == b'-' || b.is_ascii_digit())
}

/// What is sent about reasoning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reasoning<'a> {
    /// Nothing.
    Unsaid,
    /// This effort.
    Effort(&'a str),
    /// None, said this way.
    Off(Off),
}

impl Rules {
    /// What is sent of the judge's `effort`.
    pub(super) fn reasoning<'a>(&self, judge: &'a Judge) -> Reasoning<'a> {
        match judge.effort.as_deref() {
            Some("none") if matches!(self.off, Off::Never | Off::Unsaid) => Reasoning::Unsaid,
            Some("none") => Reasoning::Off(self.off),
            Some(effort) if self.efforts.contains(&effort) => Reasoning::Effort(effort),
            Some(_) | None => Reasoning::Unsaid,
        }
    }

    /// The temperature that is sent.
    pub(super) fn temperature(&self, judge: &Judge) -> Option<f64> {
        let takes = match self.temperature {
            Temperature::Never => false,
            Temperature::Always => true,
            Temperature::Unreasoning { default } => match self.reasoning(judge) {
                Reasoning::Off(_) => true,
                Reasoning::Effort(_) => false,
                Reasoning::Unsaid => default,
            },
        };
        judge.temperature.filter(|_| takes)
    }
}

/// Which of its settings a judge's model does not take, in a sentence.
pub(super) fn unsent(judge: &Judge) -> Option<String> {
    if matches!(judge.provider, Provider::OpenAiCompatible | Provider::Recorded) {
        return None;
    }
    let rules = rules(judge.provider, &judge.model);
    let unthought = judge.effort.as_deref() == Some("none") && rules.off == Off::Unsaid;
    let effort = judge.effort.as_ref().filter(|_| rules.reasoning(judge) == Reasoning::Unsaid);
    let effort = effort.filter(|_| !unthought).map(|effort| format!("effort = \"{effort}\""));
    let temperature = judge.temperature.filter(|_| rules.temperature(judge).is_none());
    let temperature = temperature.map(|number| format!("temperature = {number}"));
    let dropped: Vec<String> = effort.into_iter().chain(temperature).collect();
    let verb = if dropped.len() == 1 { "is" } else { "are" };
    (!dropped.is_empty()).then(|| {
        let (name, model, dropped) = (&judge.name, &judge.model, dropped.join(" and "));
        format!("judge {name}: {dropped} {verb} not sent, as {model} is not known to take it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trust::tests::judge;
    use expect_test::{Expect, expect};

    fn tuned(provider: Provider, model: &str, effort: Option<&str>, temperature: bool) -> Judge {
        let temperature = temperature.then_some(0.5);
        let (model, effort) = (model.into(), effort.map(str::to_owned));
        Judge { provider, model, effort, temperature, ..judge(None) }
    }

    #[test]
    fn a_model_is_found_by_its_name_and_date_and_newer_ones_are_not() {
        let known = |provider, model| rules(provider, model) != UNKNOWN;
        for model in ["claude-haiku-4-5-20251001", "claude-opus-5", "claude-fable-5-9"] {
            assert!(known(Provider::Anthropic, model), "{model}");
        }
        for model in ["claude-opus-5-9", "claude-opus-6", "claude-opus-4-5x", "claude-opus-4-5-1"] {
            assert!(!known(Provider::Anthropic, model), "{model}");
        }
        assert!(known(Provider::OpenAi, "gpt-4o-2024-08-06"));
        assert!(known(Provider::OpenAi, "gpt-5.4-nano") && !known(Provider::OpenAi, "gpt-5.9"));
        assert!(!known(Provider::Gemini, "gemini-5") && !known(Provider::OpenAi, "gpt-6.1-new"));
    }

    fn check(provider: Provider, models: &[&str], expected: Expect) {
        let mut out = String::new();
        for model in models {
            let rules = rules(provider, model);
            for effort in [None, Some("none"), Some("minimal"), Some("high"), Some("max")] {
                let judge = tuned(provider, model, effort, true);
                let said = match rules.reasoning(&judge) {
                    Reasoning::Unsaid => "-".to_owned(),
                    Reasoning::Effort(effort) => effort.to_owned(),
                    Reasoning::Off(off) => format!("{off:?}"),
                };
                let warm = if rules.temperature(&judge).is_some() { "+t" } else { "" };
                out += &format!("{}={said}{warm} ", effort.unwrap_or("unset"));
            }
            out += model;
            out.push('\n');
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn what_a_model_rejects_is_not_sent() {
        check(
            Provider::Anthropic,
            &[
                "claude-opus-5-5",
                "claude-sonnet-5-5",
                "claude-haiku-5-5",
                "claude-haiku-4-5",
                "claude-x",
            ],
            expect![[r#"
                unset=- none=- minimal=- high=high max=max claude-opus-5-5
                unset=- none=BetweenTools minimal=- high=high max=max claude-sonnet-5-5
                unset=- none=Disabled minimal=- high=high max=max claude-haiku-5-5
                unset=- none=- minimal=- high=- max=- claude-haiku-4-5
                unset=- none=- minimal=- high=- max=- claude-x
            "#]],
        );
        check(
            Provider::OpenAi,
            &["gpt-4.1-mini", "gpt-5-mini", "gpt-5.4-mini", "gpt-6-luna", "gpt-6.2-sol", "gpt-7"],
            expect![[r#"
                unset=-+t none=-+t minimal=-+t high=-+t max=-+t gpt-4.1-mini
                unset=- none=- minimal=minimal high=high max=- gpt-5-mini
                unset=-+t none=Effort+t minimal=-+t high=high max=-+t gpt-5.4-mini
                unset=- none=Effort+t minimal=- high=high max=max gpt-6-luna
                unset=- none=- minimal=- high=high max=max gpt-6.2-sol
                unset=- none=- minimal=- high=- max=- gpt-7
            "#]],
        );
        check(
            Provider::Gemini,
            &[
                "gemini-2.5-flash",
                "gemini-3.5-flash",
                "gemini-3.8-flash",
                "gemini-4-argon",
                "gemini-9",
            ],
            expect![[r#"
                unset=-+t none=Budget+t minimal=-+t high=-+t max=-+t gemini-2.5-flash
                unset=-+t none=-+t minimal=minimal+t high=high+t max=-+t gemini-3.5-flash
                unset=- none=- minimal=- high=high max=- gemini-3.8-flash
                unset=- none=- minimal=- high=high max=- gemini-4-argon
                unset=- none=- minimal=- high=- max=- gemini-9
            "#]],
        );
    }

    #[test]
    fn what_is_not_sent_is_said() {
        let said = |provider, model, effort, warm| unsent(&tuned(provider, model, effort, warm));
        expect![[r#"Some("judge local: effort = \"none\" and temperature = 0.5 are not sent, as claude-opus-5-5 is not known to take it")"#]]
            .assert_eq(&format!("{:?}", said(Provider::Anthropic, "claude-opus-5-5", Some("none"), true)));
        assert_eq!(said(Provider::Anthropic, "claude-opus-4-8", Some("none"), false), None);
        assert_eq!(said(Provider::OpenAi, "gpt-6-luna", Some("none"), true), None);
        assert_eq!(said(Provider::OpenAiCompatible, "anything", Some("none"), true), None);
        assert!(said(Provider::OpenAi, "gpt-7", None, true).is_some());
    }
}
