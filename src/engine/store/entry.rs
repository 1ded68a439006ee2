//! One answer as text, and the sum that binds it to its key.
//!
//! Invariant: what is written holds no key of this process; what is read back is
//! an answer whole, or nothing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::assessment::{Answer, Evidence};
use crate::engine::answer_key::KeyDigest;
use crate::engine::secret;
use crate::rubric::Verdict;

/// How an answer is written.
#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    verdict: Cow<'a, str>,
    reasoning: Cow<'a, str>,
    evidence: Cow<'a, [Evidence]>,
}

/// The answer as text.
pub(super) fn encoded(answer: &Answer) -> String {
    let entry = Entry {
        verdict: answer.verdict.name().into(),
        reasoning: secret::without_keys(&answer.reasoning),
        evidence: answer.evidence.as_slice().into(),
    };
    // Strings and integers alone: this cannot fail, and an empty value is a miss.
    let text = serde_json::to_string(&entry).unwrap_or_default();
    secret::without_keys(&text).into_owned()
}

/// The answer that this text holds.
pub(super) fn decoded(value: &str) -> Option<Answer> {
    let entry: Entry<'_> = serde_json::from_str(value).ok()?;
    let verdict = Verdict::from_name(&entry.verdict)?;
    let (reasoning, evidence) = (entry.reasoning.into_owned(), entry.evidence.into_owned());
    Some(Answer { verdict, reasoning, evidence })
}

/// Binds a value to its key, so a moved or cut entry is seen.
pub(super) fn checksum(key: &KeyDigest, value: &str) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(key);
    hash.update(value);
    let full: [u8; 32] = hash.finalize().into();
    let mut short = [0; 8];
    short.copy_from_slice(&full[..8]);
    short
}
