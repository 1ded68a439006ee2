//! What looks like an API key, so that it is refused and never shown again.
//!
//! Invariant: text for which [`looks_like_key`] holds is never put into a
//! message; [`masked`] takes such words out of text that is shown.

use std::borrow::Cow;

/// How the keys of the known providers and hosts begin.
const BEGINNINGS: &[&str] =
    &["sk-", "sk_", "AIza", "gsk_", "hf_", "xai-", "pplx-", "ghp_", "github_pat_", "eyJ"];

/// Below this, a word with such a beginning is taken for a name.
const SHORTEST: usize = 16;

/// True when the text is, or carries, what looks like a key.
#[must_use]
pub fn looks_like_key(text: &str) -> bool {
    words(text).any(is_key)
}

/// True when a setting of this name would hold a key rather than name one.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let plain = plain.to_lowercase();
    let ends = ["apikey", "token", "secret", "password", "authorization", "bearer"];
    plain == "key" || ends.iter().any(|end| plain.ends_with(end))
}

/// The text with everything that looks like a key replaced by stars, as long as before.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    if !looks_like_key(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    for word in words(text).filter(|w| is_key(w)) {
        let Some((before, after)) = rest.split_once(word) else { continue };
        out.push_str(before);
        out.extend(word.chars().map(|_| '*'));
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
}

fn is_key(word: &str) -> bool {
    word.len() >= SHORTEST
        && BEGINNINGS.iter().any(|b| word.starts_with(b))
        && word.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_key_from_a_name() {
        for text in
            ["sk-ant-api03-abcdefgh1234", "Bearer sk-proj-0123456789abc", "AIzaSyA0123456789abcdef"]
        {
            assert!(looks_like_key(text), "{text}");
            assert!(!masked(text).contains("0123"), "{text}");
        }
        for text in
            ["ANTHROPIC_API_KEY", "gpt-4o-mini-2024-07-18", "sk-short", "sky-high-model-9000"]
        {
            assert!(!looks_like_key(text), "{text}");
            assert_eq!(masked(text), text);
        }
        assert_eq!(masked("a = \"sk-0123456789abcd\" # x"), "a = \"*****************\" # x");
    }

    #[test]
    fn knows_the_names_of_keys() {
        for name in ["api_key", "apiKey", "openai-api-key", "token", "auth_token", "Authorization"]
        {
            assert!(is_key_name(name), "{name}");
        }
        for name in ["api_key_env", "max_tokens", "tokenizer", "keys", "monkey"] {
            assert!(!is_key_name(name), "{name}");
        }
    }
}
