//! A model's own tokenizer, from the bytes of its `tokenizer.json`.
//!
//! Invariant: counts equal the reference library's with special tokens not
//! added and neither truncation nor padding, whatever the file asks for: a
//! count that stops at the file's own maximum would hide what is too long.
//!
//! It reads no files: the caller has the bytes. It is slow (about 3 MB/s), so
//! callers count through the [`Memo`](super::memo::Memo), piece by piece.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;
use tokenizers::Tokenizer;
use xxhash_rust::xxh3::xxh3_64;

use super::counter::{CountError, panic_text};
use super::template::markers::Markers;

/// White-space runs longer than this make the engine's regular expressions give
/// up without saying so; such a text is refused rather than counted wrong.
const LONGEST_BLANK_RUN: usize = 100_000;

/// A loaded `tokenizer.json`.
pub struct HfTokenizer {
    engine: Tokenizer,
    id: u64,
    markers: Markers,
}

impl HfTokenizer {
    /// Loads a `tokenizer.json`. Takes about 50 ms for each megabyte.
    ///
    /// # Errors
    /// [`CountError::BadTokenizer`] says what is wrong with the file.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CountError> {
        let json: Value = serde_json::from_slice(bytes).map_err(|e| {
            CountError::BadTokenizer(format!("it is not JSON ({e}); download it again"))
        })?;
        check_kind(&json)?;
        let loaded = catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(bytes)));
        let mut engine = loaded
            .map_err(|panic| CountError::BadTokenizer(panic_text(panic.as_ref())))?
            .map_err(|e| CountError::BadTokenizer(e.to_string()))?;
        engine.with_padding(None);
        engine.with_truncation(None).map_err(|e| CountError::BadTokenizer(e.to_string()))?;
        let markers = if splits_cleanly(&json) { clean_markers(&engine) } else { Vec::new() };
        Ok(Self { engine, id: xxh3_64(bytes), markers: Markers::of(&markers) })
    }

    /// The added tokens a text may be cut at without changing its count: each is
    /// one token wherever it stands, and what is left and right of it is encoded
    /// by itself. Empty when this tokenizer gives no such promise.
    #[must_use]
    pub const fn markers(&self) -> &Markers {
        &self.markers
    }

    pub(super) fn count(&self, text: &str) -> Result<usize, String> {
        if longest_blank_run(text) > LONGEST_BLANK_RUN {
            return Err(format!(
                "it has more than {LONGEST_BLANK_RUN} white-space characters in a row"
            ));
        }
        let encoded = catch_unwind(AssertUnwindSafe(|| self.engine.encode_fast(text, false)));
        match encoded {
            Ok(Ok(encoding)) => Ok(encoding.len()),
            Ok(Err(e)) => Err(e.to_string()),
            Err(panic) => Err(panic_text(panic.as_ref())),
        }
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }
}

impl std::fmt::Debug for HfTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HfTokenizer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Names the file that was probably meant when this is another one.
fn check_kind(json: &Value) -> Result<(), CountError> {
    if json.get("model").is_some_and(Value::is_object) {
        return Ok(());
    }
    let why = if json.get("tokenizer_class").is_some() || json.get("chat_template").is_some() {
        "this is a tokenizer_config.json; name the tokenizer.json beside it"
    } else if json.get("architectures").is_some() {
        "this is a model's config.json; name the tokenizer.json beside it"
    } else {
        "it has no `model` object; name the tokenizer.json of a Hugging Face model"
    };
    Err(CountError::BadTokenizer(why.to_owned()))
}

/// True unless something in the file looks at where in the whole text a piece
/// stands (`Metaspace` with `prepend_scheme: first` does).
fn splits_cleanly(json: &Value) -> bool {
    let mut open = vec![json.get("pre_tokenizer"), json.get("normalizer")];
    while let Some(next) = open.pop() {
        match next {
            Some(Value::Object(map)) => {
                if map.get("prepend_scheme").and_then(Value::as_str) == Some("first") {
                    return false;
                }
                open.extend(map.values().map(Some));
            }
            Some(Value::Array(items)) => open.extend(items.iter().map(Some)),
            _ => {}
        }
    }
    true
}

/// Added tokens that match their exact text alone: nothing around them is
/// swallowed or required. One that contains, or is contained in, another is left
/// out, since which of the two matches then depends on what stands around them.
fn clean_markers(engine: &Tokenizer) -> Vec<String> {
    let added: Vec<_> = engine.get_added_tokens_decoder().into_values().collect();
    let plain = |t: &&tokenizers::AddedToken| {
        !t.lstrip && !t.rstrip && !t.single_word && !t.normalized && t.content.len() > 1
    };
    let overlaps = |t: &str| added.iter().any(|o| o.content != t && overlap(&o.content, t));
    let clean = added.iter().filter(plain).filter(|t| !overlaps(&t.content));
    let mut clean: Vec<String> = clean.map(|t| t.content.clone()).collect();
    clean.sort_unstable();
    clean
}

/// True when matches of `a` and `b` can share characters: one holds the other,
/// or one ends as the other starts.
fn overlap(a: &str, b: &str) -> bool {
    let joins = |x: &str, y: &str| y.char_indices().skip(1).any(|(i, _)| x.ends_with(&y[..i]));
    a.contains(b) || b.contains(a) || joins(a, b) || joins(b, a)
}

fn longest_blank_run(text: &str) -> usize {
    if text.len() <= LONGEST_BLANK_RUN {
        return 0;
    }
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c.is_whitespace() { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
