//! The built-in chat templates, written from each model family's documented
//! format; the sources stand beside this file.
//!
//! Invariant: every name in [`BUILT_IN`] compiles and renders.

use super::Specials;

/// Names of the built-in templates, besides `openai`.
pub const BUILT_IN: [&str; 1] = ["chatml"];

/// The source and special tokens of a built-in template.
pub(super) fn source(name: &str) -> Option<(&'static str, Specials)> {
    let specials = |bos: &str, eos: &str| Specials {
        bos: Some(bos.to_owned()).filter(|t| !t.is_empty()),
        eos: Some(eos.to_owned()),
    };
    Some(match name {
        "chatml" => (include_str!("chatml.jinja"), specials("", "<|im_end|>")),
        _ => return None,
    })
}
