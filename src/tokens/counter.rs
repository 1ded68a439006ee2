//! How many tokens a text is: one narrow seam over the two engines.
//!
//! Invariant: [`Counter::count`] never panics and is linear in the text. What
//! looks like a special token (`<|endoftext|>`) is ordinary text to an OpenAI
//! encoding; to a Hugging Face tokenizer it is what its own file says.
//!
//! Nothing is loaded before the first count: an encoding's vocabulary is
//! unpacked once, by whichever thread counts first. Absent on purpose: token
//! ids, and any other vocabulary built in (their licences are their own).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::hugging_face::HfTokenizer;

/// A tokenizer.
#[derive(Clone, Debug)]
pub enum Counter {
    /// One of OpenAI's published encodings.
    OpenAi(Encoding),
    /// A model's own `tokenizer.json`.
    HuggingFace(Arc<HfTokenizer>),
}

/// OpenAI's published encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// gpt-4, gpt-3.5-turbo.
    Cl100kBase,
    /// gpt-4o, gpt-4.1, gpt-5, the o series.
    O200kBase,
    /// gpt-oss: `o200k_base` with more special tokens; the same for ordinary text.
    O200kHarmony,
    /// Codex and text-davinci-003.
    P50kBase,
    /// The edit models.
    P50kEdit,
    /// GPT-3; also called `gpt2`.
    R50kBase,
}

/// Why a text could not be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountError {
    /// No encoding has this name.
    UnknownEncoding(String),
    /// The `tokenizer.json` is not one; says what is wrong with it.
    BadTokenizer(String),
    /// The engine failed on this text; says which and how.
    Engine {
        /// The tokenizer.
        counter: String,
        /// What it said.
        reason: String,
    },
}

impl Counter {
    /// The encoding of that name (`o200k_base`, …).
    ///
    /// # Errors
    /// [`CountError::UnknownEncoding`] for any other name; a path to a
    /// `tokenizer.json` is read by the caller and given to [`HfTokenizer::from_json`].
    pub fn from_encoding_name(name: &str) -> Result<Self, CountError> {
        let known = Encoding::from_name(name);
        known.map(Self::OpenAi).ok_or_else(|| CountError::UnknownEncoding(name.to_owned()))
    }

    /// Tokens of `text`, without anything put before or after it.
    ///
    /// # Errors
    /// [`CountError::Engine`] when the engine refuses the text or panics.
    pub fn count(&self, text: &str) -> Result<usize, CountError> {
        match self {
            Self::OpenAi(encoding) => {
                // The engine keeps only caches between calls, so a panic leaves nothing half done.
                let counted = catch_unwind(AssertUnwindSafe(|| encoding.count(text)));
                counted.unwrap_or_else(|panic| Err(self.failure(panic_text(panic.as_ref()))))
            }
            Self::HuggingFace(tokenizer) => tokenizer.count(text).map_err(|e| self.failure(e)),
        }
    }

    /// What to call it in messages.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::OpenAi(encoding) => encoding.name(),
            Self::HuggingFace(_) => "tokenizer.json",
        }
    }

    /// Tells counters apart in memos: equal only if every text has the same count.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::OpenAi(encoding) => xxh3_64(encoding.name().as_bytes()),
            Self::HuggingFace(tokenizer) => tokenizer.id(),
        }
    }

    fn failure(&self, reason: String) -> CountError {
        CountError::Engine { counter: self.label().to_owned(), reason }
    }
}

impl Encoding {
    /// Every encoding, the usual ones first.
    pub const ALL: [Self; 6] = [
        Self::O200kBase,
        Self::Cl100kBase,
        Self::O200kHarmony,
        Self::P50kBase,
        Self::P50kEdit,
        Self::R50kBase,
    ];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cl100kBase => "cl100k_base",
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::P50kBase => "p50k_base",
            Self::P50kEdit => "p50k_edit",
            Self::R50kBase => "r50k_base",
        }
    }

    /// The encoding of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "gpt2" { "r50k_base" } else { name };
        Self::ALL.into_iter().find(|e| e.name() == name)
    }

    /// Tokens its tool definitions start with (the published table: the gpt-4o
    /// family needs 7 where older models need 10).
    pub(super) const fn tool_start(self) -> usize {
        match self {
            Self::O200kBase | Self::O200kHarmony => 7,
            _ => 10,
        }
    }

    fn count(self, text: &str) -> Result<usize, CountError> {
        let engine = tiktoken::get_encoding(self.name());
        let engine = engine.ok_or_else(|| CountError::UnknownEncoding(self.name().to_owned()))?;
        Ok(engine.count(text))
    }
}

impl fmt::Display for CountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownEncoding(name) => {
                let names: Vec<&str> = Encoding::ALL.iter().map(|e| e.name()).collect();
                write!(
                    f,
                    "no encoding is called `{name}`: use one of {}, or the path of a tokenizer.json",
                    names.join(", ")
                )
            }
            Self::BadTokenizer(why) => write!(f, "not a usable tokenizer.json: {why}"),
            Self::Engine { counter, reason } => {
                write!(f, "{counter} could not count this text: {reason}")
            }
        }
    }
}

impl std::error::Error for CountError {}

/// What a caught panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it failed without a reason".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tiktoken_rs::CoreBPE;

    use super::*;

    fn oracle(encoding: Encoding) -> &'static CoreBPE {
        match encoding {
            Encoding::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
            Encoding::O200kBase => tiktoken_rs::o200k_base_singleton(),
            Encoding::O200kHarmony => tiktoken_rs::o200k_harmony_singleton(),
            Encoding::P50kBase => tiktoken_rs::p50k_base_singleton(),
            Encoding::P50kEdit => tiktoken_rs::p50k_edit_singleton(),
            Encoding::R50kBase => tiktoken_rs::r50k_base_singleton(),
        }
    }

    /// What conversations are made of, and what they should not be made of.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-zA-Z]{1,12}",
            2 => "[ \t\n\r\u{a0}\u{3000}]{1,9}",
            2 => "[0-9]{1,7}",
            2 => "[\u{4e00}-\u{9fff}\u{3040}-\u{30ff}\u{ac00}-\u{d7a3}]{1,8}",
            1 => "[\u{1f300}-\u{1faff}\u{200d}\u{fe0f}]{1,4}",
            2 => "['’](s|t|re|ve|m|ll|d|S|LL|x)",
            1 => "[!-/:-@\\[-`{-~]{1,6}",
            1 => prop::sample::select(vec![
                "<|endoftext|>", "<|im_start|>", "<|fim_suffix|>", "<|endofprompt|>", "<|start|>",
            ]).prop_map(str::to_owned),
            2 => any::<String>(),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn equals_the_reference(text in text()) {
            for encoding in Encoding::ALL {
                let expected = oracle(encoding).encode_ordinary(&text).len();
                prop_assert_eq!(Counter::OpenAi(encoding).count(&text), Ok(expected), "{}", encoding.name());
            }
        }
    }

    #[test]
    fn special_tokens_in_text_are_text() {
        let count = |name, text| Counter::from_encoding_name(name).unwrap().count(text);
        for name in ["cl100k_base", "o200k_base", "o200k_harmony", "p50k_base", "r50k_base", "gpt2"]
        {
            assert_eq!(count(name, ""), Ok(0));
            assert!(count(name, "<|endoftext|>").unwrap() > 1, "{name}");
        }
        assert_eq!(
            Counter::from_encoding_name("o200k").unwrap_err().to_string(),
            "no encoding is called `o200k`: use one of o200k_base, cl100k_base, o200k_harmony, \
             p50k_base, p50k_edit, r50k_base, or the path of a tokenizer.json"
        );
    }

    /// Hundreds of kilobytes of one thing: the inputs that made other counters
    /// quadratic or overflow their stack. Their counts equal the sum of a cut
    /// where cutting cannot matter, and twice the text is about twice the tokens.
    #[test]
    fn monotonous_text_is_counted_in_linear_time() {
        let mut state = 1_u32;
        let mut letter = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from(state >> 24).unwrap_or(0) % 26)
        };
        let random: String = (0..100_000).map(|_| letter()).collect();
        let inputs = ["a", " ", "\n", " \t", "=", "日", "日本語のテキスト", "7", "👍🏽", &random];
        for unit in inputs {
            let text = unit.repeat((200_000 / unit.len()).max(1));
            for encoding in [Encoding::Cl100kBase, Encoding::O200kBase] {
                let counter = Counter::OpenAi(encoding);
                let once = counter.count(&text).unwrap();
                assert!(once > 0 && once <= text.len());
                let both = counter.count(&format!("{text}x y{text}")).unwrap();
                assert!(both.abs_diff(2 * once) < 16, "{unit:.8}: {once} and {both}");
            }
        }
    }
}
