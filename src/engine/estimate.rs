//! How many tokens a call will take, before it is sent.
//!
//! Invariant: these are estimates and are called so. The prompt is counted
//! exactly in `o200k_base` and scaled to the model's own tokenizer; what a call
//! takes *at most* adds a margin to that and the longest reply it may give, so
//! a cap that is held against it is held.

use crate::config::price_list::Price;
use crate::config::{Judge, Provider};
use crate::prompt::Prompt;
use crate::tokens::{Counter, Encoding, Memo};

use super::prices::{Rate, rates};
use super::provider::Usage;

/// What a judge writes about one criterion: the prompt asks for two to four
/// sentences and at most four short quotes.
const ANSWER: u64 = 160;
/// What a reply to a paid call may have when `max_tokens` does not say: without
/// some bound, no call would fit under a cap.
const REPLY: u64 = 16_000;
/// Over the scaled count: tokenizers differ, providers add words of their own.
const MARGIN: f64 = 1.25;
const OVERHEAD: u64 = 500;

/// Counts prompts, each text once.
#[derive(Debug, Default)]
pub(super) struct Estimator {
    memo: Memo,
}

/// The tokens of a call, in the model's own tokens as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallTokens {
    /// Instructions, criteria, calibration examples and the reply's schema.
    pub instructions: u64,
    /// The conversation and the measured facts about it.
    pub transcript: u64,
    /// The expected reply, thinking included.
    pub reply: u64,
    /// The longest reply it may give.
    pub reply_limit: u64,
}

impl Estimator {
    /// What asking this takes.
    pub(super) fn tokens(
        &self,
        prompt: &Prompt,
        criteria: usize,
        judge: &Judge,
        rate: &Rate,
    ) -> CallTokens {
        let (scale, longest) = match rate {
            Rate::Priced(price) => (price.tokens, price.max_output),
            Rate::Free | Rate::Unknown => (1.0, None),
        };
        let scaled = |tokens: u64| (tokens as f64 * scale).ceil() as u64;
        let limit = judge.max_tokens.map_or(REPLY.min(longest.unwrap_or(REPLY)), u64::from);
        let answers = criteria as u64 * ANSWER + thinking(judge.effort.as_deref());
        let schema = prompt.schema.to_string();
        let instructions: u64 =
            prompt.instructions().chain([&*schema]).map(|t| self.count(t)).sum();
        CallTokens {
            instructions: scaled(instructions),
            transcript: scaled(self.count(prompt.conversation())),
            reply: scaled(answers).min(limit),
            reply_limit: limit,
        }
    }

    fn count(&self, text: &str) -> u64 {
        let counted = self.memo.count(&Counter::OpenAi(Encoding::O200kBase), text);
        // A text the counter refuses has no more tokens than bytes.
        counted.unwrap_or(text.len()) as u64
    }
}

/// The judge with its replies bounded, where they cost something.
pub(super) fn bounded(mut judge: Judge, rate: &Rate) -> Judge {
    if let (None, Rate::Priced(price)) = (judge.max_tokens, rate) {
        let limit = REPLY.min(price.max_output.unwrap_or(REPLY));
        judge.max_tokens = u32::try_from(limit).ok();
    }
    judge
}

/// What a model thinks before it writes, by its effort.
fn thinking(effort: Option<&str>) -> u64 {
    match effort {
        Some("none" | "minimal") => 0,
        Some("low") => 500,
        None | Some("medium") => 1_000,
        Some("high") => 4_000,
        Some(_) => 8_000,
    }
}

impl CallTokens {
    /// The prompt.
    #[must_use]
    pub const fn prompt(&self) -> u64 {
        self.instructions + self.transcript
    }

    /// Adds another call.
    pub fn add(&mut self, other: Self) {
        self.instructions += other.instructions;
        self.transcript += other.transcript;
        self.reply += other.reply;
        self.reply_limit += other.reply_limit;
    }

    /// USD as it will likely come out, nothing read from a cache; `None` where no
    /// price is known.
    #[must_use]
    pub fn likely(&self, rate: &Rate) -> Option<f64> {
        let usage = Usage { input: self.prompt(), output: self.reply, ..Usage::default() };
        rate.cost(&usage, false)
    }

    /// USD a call to this judge cannot exceed. A program that asks anew by itself
    /// is stopped after the call that reaches the most of one, so it makes one more.
    #[must_use]
    pub fn at_most(&self, rate: &Rate, judge: &Judge) -> Option<f64> {
        let calls = if judge.provider == Provider::ClaudeCli { 2.0 } else { 1.0 };
        self.once(rate).map(|usd| usd * calls)
    }

    /// USD one request cannot exceed.
    pub(super) fn once(&self, rate: &Rate) -> Option<f64> {
        match rate {
            Rate::Free => Some(0.0),
            Rate::Priced(price) => Some(self.most(price)),
            Rate::Unknown => None,
        }
    }

    fn most(&self, price: &Price) -> f64 {
        let input = (self.prompt() as f64 * MARGIN).ceil() as u64 + OVERHEAD;
        let rates = rates(price, input);
        // As if all of it were of the dearest kind: written to a cache, thought.
        let kinds = [rates.input, rates.cached, rates.written, rates.written_long];
        let dearest = kinds.into_iter().fold(0.0, f64::max);
        let reply = rates.output.max(rates.thinking);
        (input as f64 * dearest + self.reply_limit as f64 * reply) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::price_list::PriceList;
    use crate::engine::trust::tests::judge;
    use crate::prompt::Part;
    use proptest::prelude::*;

    fn rate(more: &str) -> Rate {
        let text = format!(
            "[[price]]\nprovider = 'openai'\nmodels = ['m']\ninput = 2\nwritten = 2.5\noutput = 10\n{more}\n"
        );
        let mut list = PriceList::parse(&text);
        assert_eq!(list.findings, []);
        Rate::Priced(list.prices.remove(0))
    }

    fn prompt(user: &str) -> Prompt {
        let schema = serde_json::json!({"type": "object"});
        let part = |text: &str| vec![Part { text: text.into(), reused: false }];
        Prompt { system: part("You judge."), user: part(user), schema }
    }

    #[test]
    fn a_prompt_is_counted_and_scaled() {
        let estimator = Estimator::default();
        let low = Judge { effort: Some("low".into()), ..judge(None) };
        let plain = estimator.tokens(&prompt("one two three"), 2, &low, &rate(""));
        let scaled = estimator.tokens(
            &prompt("one two three"),
            2,
            &low,
            &rate("tokens = 2\nmax_output = 1000"),
        );
        assert_eq!((plain.transcript, plain.reply, plain.reply_limit), (3, 820, 16_000));
        assert_eq!((scaled.transcript, scaled.reply, scaled.reply_limit), (6, 1_000, 1_000));
        assert_eq!(scaled.instructions, 2 * plain.instructions);
        let short = Judge { max_tokens: Some(50), ..low };
        assert_eq!(estimator.tokens(&prompt("a"), 2, &short, &Rate::Free).reply_limit, 50);
    }

    proptest! {
        /// Whatever is cached, written or thought: up to a quarter over the counted
        /// prompt, no call costs more than its most.
        #[test]
        fn a_call_never_costs_more_than_its_most(
            prompt in 0u64..400_000,
            share in 0.0f64..1.25,
            parts in (0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0),
            output in 0u64..5_000,
            thinking in 0u64..5_000,
        ) {
            let rate = rate("written_long = 4\nthinking = 12\nlong = {over = 200000, input = 4, output = 15}");
            let tokens = CallTokens { transcript: prompt, reply_limit: 5_000, ..CallTokens::default() };
            let input = (prompt as f64 * share) as u64;
            let cached_input = (input as f64 * parts.0) as u64;
            let written_input = ((input - cached_input) as f64 * parts.1) as u64;
            let rest = input - cached_input - written_input;
            let written_long_input = (rest as f64 * parts.2) as u64;
            let usage = Usage { input, cached_input, written_input, written_long_input, output, thinking, billed: None };
            prop_assert!(rate.cost(&usage, false) <= tokens.once(&rate));
        }
    }
}
