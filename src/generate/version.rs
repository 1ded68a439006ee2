//! Which prompts a transcript was made with.
//!
//! Invariant: a version follows from the texts alone, whatever their files are called
//! or where they lie; line ends do not count.

use sha2::{Digest as _, Sha256};

/// A text that transcripts are made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingredient {
    /// What it is, as records name it: `user_sim`.
    pub name: &'static str,
    /// How a snapshot's name ends: `md` or `yaml`.
    pub ending: &'static str,
    /// The text.
    pub text: String,
}

impl Ingredient {
    /// Its version: 12 hex digits of its text's SHA-256.
    #[must_use]
    pub fn version(&self) -> String {
        short(&[&self.text.replace("\r\n", "\n")])
    }

    /// The name of its snapshot: `user_sim-3f2a9c1b7d04.md`.
    #[must_use]
    pub fn snapshot(&self) -> String {
        format!("{}-{}.{}", self.name, self.version(), self.ending)
    }
}

/// The version of all of them together.
#[must_use]
pub fn of_all(ingredients: &[Ingredient]) -> String {
    let versions: Vec<String> = ingredients.iter().map(Ingredient::version).collect();
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    short(&versions)
}

/// 12 hex digits over texts, each with its length in front.
#[must_use]
pub fn short(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(text: &str) -> Ingredient {
        Ingredient { name: "user_sim", ending: "md", text: text.to_owned() }
    }

    #[test]
    fn a_version_is_of_the_words() {
        assert_eq!(prompt("a\r\nb").version(), prompt("a\nb").version());
        assert_ne!(prompt("a\nb").version(), prompt("a b").version());
        assert_eq!(prompt("a").snapshot(), format!("user_sim-{}.md", prompt("a").version()));
        assert_ne!(of_all(&[prompt("a"), prompt("b")]), of_all(&[prompt("b"), prompt("a")]));
        assert_ne!(short(&["ab", "c"]), short(&["a", "bc"]));
    }
}
