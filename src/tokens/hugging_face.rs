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
use crate::text::Span;

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

    /// Where each token of `text` stands in it, in bytes, nothing put before or
    /// after it. A token may stand for nothing (an empty span), and tokens of one
    /// character that takes several share its span.
    ///
    /// # Errors
    /// When the engine refuses the text or panics; says why.
    pub fn offsets(&self, text: &str) -> Result<Vec<Span>, String> {
        if longest_blank_run(text) > LONGEST_BLANK_RUN {
            return Err(format!(
                "it has more than {LONGEST_BLANK_RUN} white-space characters in a row"
            ));
        }
        let encoded = catch_unwind(AssertUnwindSafe(|| self.engine.encode(text, false)));
        let encoding = match encoded {
            Ok(encoding) => encoding.map_err(|e| e.to_string())?,
            Err(panic) => return Err(panic_text(panic.as_ref())),
        };
        Ok(encoding.get_offsets().iter().map(|&(start, end)| Span::new(start, end)).collect())
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};

    use proptest::prelude::*;
    use serde_json::json;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    use super::*;
    use crate::tokens::counter::Counter;
    use crate::tokens::record::RecordCounter;
    use crate::tokens::template::Template;
    use crate::tokens::template::input::{RenderInput, RenderMessage};

    /// A byte-level tokenizer with a few merges; `changes` replaces keys of it.
    fn tokenizer_json(changes: Value) -> Vec<u8> {
        let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
        alphabet.sort_unstable();
        let merges = ["h e", "l l", "he ll", "Ġ w", "o r", "Ġw or", "Ċ Ċ"];
        let words = alphabet.iter().map(char::to_string);
        let words = words.chain(merges.iter().map(|m| m.replace(' ', "")));
        let vocabulary: serde_json::Map<String, Value> =
            words.enumerate().map(|(id, word)| (word, id.into())).collect();
        let added = |(id, content): (usize, &str)| {
            json!({"id": 1000 + id, "content": content, "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false, "special": true})
        };
        let added: Vec<Value> =
            ["<|im_start|>", "<|im_end|>", "<s>"].into_iter().enumerate().map(added).collect();
        let mut json = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
            "post_processor": {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [1002], "tokens": ["<s>"]}}},
            "decoder": null,
            "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                "vocab": vocabulary, "merges": merges},
        });
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        serde_json::to_vec(&json).unwrap()
    }

    /// Ours and the reference, of the same files: byte-level, and the two ways of
    /// marking words (before every piece, before the first of the text only).
    static LOADED: LazyLock<Vec<(Arc<HfTokenizer>, Tokenizer)>> = LazyLock::new(|| {
        let words = |scheme| {
            let mut model: Value = serde_json::from_slice(&tokenizer_json(json!({}))).unwrap();
            let mut model = model["model"].take();
            model["unk_token"] = "!".into();
            let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true});
            tokenizer_json(json!({"pre_tokenizer": metaspace, "model": model}))
        };
        let load = |json: Vec<u8>| {
            (
                Arc::new(HfTokenizer::from_json(&json).unwrap()),
                Tokenizer::from_bytes(&json).unwrap(),
            )
        };
        [tokenizer_json(json!({})), words("always"), words("first")].map(load).into()
    });

    #[test]
    fn the_file_does_not_shorten_or_pad_a_count() {
        let json = tokenizer_json(json!({
            "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": null,
                        "pad_id": 0, "pad_type_id": 0, "pad_token": "!"},
        }));
        let tokenizer = HfTokenizer::from_json(&json).unwrap();
        assert_eq!(tokenizer.count("hello world"), Ok(2 + 3));
        assert_eq!(tokenizer.count("<|im_start|>hello"), Ok(1 + 2));
        let spans = tokenizer.offsets("<s>hello wor").unwrap();
        let spans: Vec<_> = spans.iter().map(|s| (s.start, s.end)).collect();
        assert_eq!(spans, [(0, 3), (3, 7), (7, 8), (8, 12)]);
        assert_eq!(tokenizer.count(""), Ok(0));
        assert!(tokenizer.count(&" ".repeat(LONGEST_BLANK_RUN + 1)).is_err());
        assert_eq!(tokenizer.count(&"ab".repeat(LONGEST_BLANK_RUN)), Ok(2 * LONGEST_BLANK_RUN));
    }

    #[test]
    fn a_bad_file_is_named_for_what_it_is() {
        let why = |bytes: &[u8]| HfTokenizer::from_json(bytes).unwrap_err().to_string();
        let cases: [(&[u8], &str); 6] = [
            (b"{\"model\": ", "it is not JSON"),
            (b"\xff\xfe", "it is not JSON"),
            (
                b"{\"tokenizer_class\": \"X\", \"chat_template\": \"\"}",
                "tokenizer_config.json; name the tokenizer.json",
            ),
            (b"{\"architectures\": []}", "config.json; name the tokenizer.json"),
            (b"[1]", "it has no `model` object"),
            (b"{\"model\": {\"type\": \"BPE\"}}", "not a usable tokenizer.json: "),
        ];
        for (bytes, expected) in cases {
            assert!(why(bytes).contains(expected), "{}", why(bytes));
        }
    }

    #[test]
    fn overlapping_markers_are_not_cut_at() {
        assert!(overlap("<|a|>", "|>b") && overlap("<s>", "<s><s>") && !overlap("<s>", "</s>"));
        let first = json!({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}]}});
        assert!(!splits_cleanly(&first) && splits_cleanly(&json!({"pre_tokenizer": null})));
    }

    proptest! {
        /// Cut at markers and summed, or encoded at once: the same, for records
        /// whose texts hold markers themselves.
        #[test]
        fn a_record_counts_as_its_rendered_text(
            texts in prop::collection::vec("([a-z \n]{0,6}|hello world|<\\|im_end\\|>|<s>|\\PC{0,4}){0,5}", 1..5)
        ) {
            let template = Arc::new(Template::built_in("chatml").unwrap());
            let messages = texts.iter().map(|t| RenderMessage::new("user", t.as_str())).collect();
            let input = RenderInput { messages, ..RenderInput::default() };
            let Template::Jinja(chat) = template.as_ref() else { panic!("chatml is a template") };
            let rendered = chat.render(&input, false).unwrap();
            for (own, engine) in LOADED.iter() {
                let counter = Counter::HuggingFace(Arc::clone(own));
                let record = RecordCounter::new(counter, Arc::clone(&template), Arc::default());
                let got = record.record_tokens(&input).unwrap().tokens;
                prop_assert_eq!(got, engine.encode(rendered.text(), false).unwrap().len());
            }
        }
    }
}
