//! A key: a value that cannot be printed.
//!
//! Invariant: the type has neither `Debug` nor `Display` nor serialisation, so a
//! key reaches an HTTP header and nothing else. Text that comes back from a
//! server passes [`Secret::redact`] before anyone sees it.

use std::hash::{Hash as _, Hasher as _};

/// An API key.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key; blank is none.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        (!key.is_empty()).then(|| Self(key.to_owned()))
    }

    /// The key as it is, for a header or a variable that takes it so.
    #[must_use]
    pub(super) fn plain(&self) -> String {
        self.0.clone()
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
        text.replace(&self.0, "[key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_out_of_what_a_server_says() {
        let key = Secret::new(" sk-1234 \n").unwrap();
        assert_eq!(key.redact("wrong key sk-1234!"), "wrong key [key]!");
        assert_eq!(key.bearer(), "Bearer sk-1234");
        assert!(Secret::new("  ").is_none());
    }
}
