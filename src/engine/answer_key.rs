//! What an answer is kept under: everything that changes it, and nothing else
//! (SPEC 5.8).
//!
//! Invariant: two keys have one digest only if every field is equal. Left out on
//! purpose: the judge's name and base URL, sibling criteria in the call, their
//! order, and the seed.

use sha2::{Digest as _, Sha256};

use crate::config::{Judge, Provider};
use crate::transcript::digest::TranscriptDigest;

/// Changes whenever the meaning of the bytes below changes.
const VERSION: &[u8] = b"rubricator answer 1";

/// The digest of an [`AnswerKey`].
pub type KeyDigest = [u8; 32];

/// Everything that changes an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerKey {
    /// What the transcript says.
    pub transcript: TranscriptDigest,
    /// What the criterion asks.
    pub criterion: [u8; 32],
    /// How it is asked.
    pub template: [u8; 32],
    /// The API.
    pub provider: Provider,
    /// The model.
    pub model: String,
    /// Tokens the reply may have.
    pub max_tokens: Option<u32>,
    /// Reasoning effort.
    pub effort: Option<String>,
    /// The sampling temperature's bits.
    pub temperature: Option<u64>,
    /// Which of several askings, from 0.
    pub sample: u32,
}

impl AnswerKey {
    /// The key of what this judge answers.
    #[must_use]
    pub fn new(
        judge: &Judge,
        transcript: TranscriptDigest,
        criterion: [u8; 32],
        template: [u8; 32],
        sample: u32,
    ) -> Self {
        Self {
            transcript,
            criterion,
            template,
            provider: judge.provider,
            model: judge.model.clone(),
            max_tokens: judge.max_tokens,
            effort: judge.effort.clone(),
            temperature: judge.temperature.map(f64::to_bits),
            sample,
        }
    }

    /// SHA-256 over every field, each with its length in front.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        let Self { transcript, criterion, template, provider, model, .. } = self;
        let Self { max_tokens, effort, temperature, sample, .. } = self;
        let mut hash = Sha256::new();
        hash.update(VERSION);
        let mut field = |bytes: Option<&[u8]>| {
            let len = bytes.map_or(u64::MAX, |b| b.len() as u64);
            hash.update(len.to_le_bytes());
            hash.update(bytes.unwrap_or_default());
        };
        field(Some(&transcript.0));
        field(Some(criterion));
        field(Some(template));
        field(Some(&[tag(*provider)]));
        field(Some(model.as_bytes()));
        field(max_tokens.map(u32::to_le_bytes).as_ref().map(<[u8; 4]>::as_slice));
        field(effort.as_deref().map(str::as_bytes));
        field(temperature.map(u64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
        field(Some(&sample.to_le_bytes()));
        hash.finalize().into()
    }
}

/// Fixed for ever: stored keys hold it.
const fn tag(provider: Provider) -> u8 {
    match provider {
        Provider::Anthropic => 1,
        Provider::OpenAi => 2,
        Provider::Gemini => 3,
        Provider::OpenAiCompatible => 4,
        Provider::ClaudeCli => 5,
        Provider::Recorded => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = AnswerKey> {
        let digest = || prop_oneof![Just([0_u8; 32]), Just([1_u8; 32])];
        let providers = prop_oneof![Just(Provider::OpenAi), Just(Provider::Gemini)];
        let short = || "[ab]{0,2}";
        (
            (digest(), digest(), digest(), providers, short()),
            (
                prop::option::of(0_u32..2),
                prop::option::of(short()),
                prop::option::of(0_u64..2),
                0_u32..2,
            ),
        )
            .prop_map(|((transcript, criterion, template, provider, model), rest)| {
                let (max_tokens, effort, temperature, sample) = rest;
                AnswerKey {
                    transcript: TranscriptDigest(transcript),
                    criterion,
                    template,
                    provider,
                    model,
                    max_tokens,
                    effort,
                    temperature,
                    sample,
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn digests_are_equal_only_if_every_field_is(a in key(), b in key()) {
            prop_assert_eq!(a == b, a.digest() == b.digest());
        }

        #[test]
        fn changing_one_field_changes_the_digest(a in key(), field in 0_usize..9) {
            let mut b = a.clone();
            match field {
                0 => b.transcript.0[31] ^= 1,
                1 => b.criterion[0] ^= 1,
                2 => b.template[0] ^= 1,
                3 => b.provider = Provider::Anthropic,
                4 => b.model.push('c'),
                5 => b.max_tokens = Some(9),
                6 => b.effort = Some("c".into()),
                7 => b.temperature = Some(9),
                _ => b.sample = 9,
            }
            prop_assert_ne!(a.digest(), b.digest());
        }
    }
}
