//! A key: a value that cannot be printed, and the last look for it at everything
//! that is.
//!
//! Invariant: the type has neither `Debug` nor `Display` nor serialisation, so a
//! key reaches an HTTP header and nothing else. Every key that was ever made in
//! this process is taken out of answers, messages, panics and the log by
//! [`without_keys`] and [`for_log`], whoever repeats it.
//!
//! Deliberately absent: wiping keys from memory. The HTTP client copies them.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::assessment::{Outcome, Unscored};
use crate::config::secret::masked;

use std::hash::{Hash as _, Hasher as _};

/// An API key.
#[derive(Clone)]
pub struct Secret(Arc<str>);

/// What stands in place of a key.
const MARK: &str = "[key]";
/// The keys of this process. Held only to add one or to look through them.
static LOADED: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

impl Secret {
    /// Wraps a key; blank is none.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        if key.is_empty() {
            return None;
        }
        let key: Arc<str> = key.into();
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_placeholder(&key) && !loaded.contains(&key) {
            loaded.push(Arc::clone(&key));
            // A key that holds another one goes first.
            loaded.sort_by_key(|key| std::cmp::Reverse(key.len()));
        }
        Some(Self(key))
    }

    /// The key as it is, for a header or a variable that takes it so.
    #[must_use]
    pub(super) fn plain(&self) -> String {
        self.0.to_string()
    }

    /// The key as a `Bearer` header value.
    #[must_use]
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Tells keys apart within this process.
    #[must_use]
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// The text with every copy of the key taken out.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        text.replace(&*self.0, MARK)
    }
}

/// Local servers want a key and take any: `ollama`, `none`. Such a word is no
/// secret, and taking it out of every text would garble them.
fn is_placeholder(key: &str) -> bool {
    key.len() < 6 || key.len() < 12 && key.bytes().all(|b| b.is_ascii_lowercase())
}

/// The text without any key that was loaded in this process.
#[must_use]
pub fn without_keys(text: &str) -> Cow<'_, str> {
    let loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut clean = Cow::Borrowed(text);
    for key in
        loaded.iter().filter(|key| memchr::memmem::find(text.as_bytes(), key.as_bytes()).is_some())
    {
        clean = Cow::Owned(clean.replace(&**key, MARK));
    }
    clean
}

/// The same, and without whatever else looks like a key: for text that no result
/// depends on.
#[must_use]
pub fn for_log(text: &str) -> Cow<'_, str> {
    match without_keys(text) {
        Cow::Borrowed(text) => masked(text),
        Cow::Owned(text) => Cow::Owned(masked(&text).into_owned()),
    }
}

/// The outcome without any loaded key in its words: a judge may repeat what it
/// was called with.
#[must_use]
pub fn clean(outcome: Outcome) -> Outcome {
    let clean = |text: String| without_keys(&text).into_owned();
    match outcome {
        Outcome::Answered(mut answer) => {
            answer.reasoning = clean(answer.reasoning);
            for evidence in &mut answer.evidence {
                evidence.quote = clean(std::mem::take(&mut evidence.quote));
            }
            Outcome::Answered(answer)
        }
        Outcome::Unscored(why) => Outcome::Unscored(Unscored { detail: clean(why.detail), ..why }),
    }
}

/// A log that no key passes. Each write is looked at whole: the log writes an
/// event at a time.
pub struct Redacting<W>(pub W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(for_log(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{Answer, Evidence, UnscoredReason};
    use crate::rubric::Verdict;

    #[test]
    fn a_key_is_taken_out_of_what_a_server_says() {
        let key = Secret::new(" sk-1234 \n").unwrap();
        assert_eq!(key.redact("wrong key sk-1234!"), "wrong key [key]!");
        assert_eq!(key.bearer(), "Bearer sk-1234");
        assert!(Secret::new("  ").is_none());
    }

    #[test]
    fn every_loaded_key_is_taken_out_and_the_longer_one_first() {
        let _short = Secret::new("Zq7-zebra").unwrap();
        let _long = Secret::new("Zq7-zebra-crossing").unwrap();
        assert_eq!(without_keys("a Zq7-zebra-crossing, a Zq7-zebra"), "a [key], a [key]");
        assert!(matches!(without_keys("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_placeholder_is_no_secret() {
        let _placeholder = Secret::new("ollama").unwrap();
        assert_eq!(without_keys("ollama at localhost"), "ollama at localhost");
    }

    #[test]
    fn the_log_also_loses_what_looks_like_a_key() {
        let _key = Secret::new("Zq8-quagga").unwrap();
        let mut log = Vec::new();
        let line = "sent Zq8-quagga and sk-ant-0123456789abcdef\n";
        Redacting(&mut log).write_all(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(log).unwrap(), "sent [key] and ***********************\n");
    }

    #[test]
    fn answers_lose_the_key_wherever_it_stands() {
        let _key = Secret::new("Zq9-okapi-9").unwrap();
        let evidence = vec![Evidence { exchange: 1, quote: "Zq9-okapi-9".into() }];
        let answer = Answer { verdict: Verdict::No, reasoning: "say Zq9-okapi-9".into(), evidence };
        let Outcome::Answered(answer) = clean(Outcome::Answered(answer)) else { panic!() };
        assert_eq!(
            (answer.reasoning.as_str(), answer.evidence[0].quote.as_str()),
            ("say [key]", "[key]")
        );
        let why = Unscored::new(UnscoredReason::Refused, "no Zq9-okapi-9");
        assert_eq!(clean(why.into()).unscored().unwrap().detail, "no [key]");
    }
}
