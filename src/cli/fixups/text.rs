//! A fixup for people: what changes, and what was proven; or why there is none.

use similar::{ChangeTag, TextDiff};

use crate::cli::style::{Style, plain};
use crate::fixup::{EntailedFixup, Offer, Refusal};

/// A fixup, or its refusal.
pub fn shown(
    head: &str,
    place: &str,
    offer: &Offer,
    fixup: &Result<EntailedFixup, Refusal>,
    written: bool,
    style: Style,
) -> String {
    let (mark, done) = match (fixup, written) {
        (Ok(_), true) => (style.good("✓"), "fixed"),
        (Ok(_), false) => (style.good("✓"), "can be fixed"),
        (Err(_), _) => (style.bad("✗"), "not fixed"),
    };
    let criteria = offer.criteria().join(", ");
    let head = style.bold(&plain(head));
    let mut out =
        format!("{mark} {done:<12} {head}  {}  {}\n", plain(&criteria), style.dim(&plain(place)));
    match fixup {
        Ok(fixup) => {
            let several = fixup.drafts().len() > 1;
            for draft in fixup.drafts() {
                if several {
                    out += &style.dim(&format!("    exchange {}:\n", draft.target.exchange));
                }
                out += &diff(&draft.target.before, &draft.after, style);
            }
            out += &format!("    {}\n", style.dim(&plain(&fixup.evidence())));
        }
        Err(refusal) => out += &format!("    {}\n", plain(&refusal.to_string())),
    }
    out
}

/// The words that go and come, line by line: `[-old-]` and `{+new+}`, in colour
/// where there is any. Neighbouring changes are one, whatever space is between.
fn diff(before: &str, after: &str, style: Style) -> String {
    let (before, after) = (tame(before), tame(after));
    let mut shown = Shown { text: String::new(), gone: String::new(), come: String::new(), style };
    let mut gap = String::new();
    for change in TextDiff::from_words(before.as_str(), after.as_str()).iter_all_changes() {
        let words = change.value();
        match change.tag() {
            ChangeTag::Equal if shown.is_changing() && words.chars().all(|c| c == ' ') => {
                gap.push_str(words);
                continue;
            }
            ChangeTag::Equal => shown.flush(),
            ChangeTag::Delete | ChangeTag::Insert if !gap.is_empty() => {
                shown.gone.push_str(&gap);
                shown.come.push_str(&gap);
                gap.clear();
            }
            ChangeTag::Delete | ChangeTag::Insert => {}
        }
        shown.text.push_str(&std::mem::take(&mut gap));
        match change.tag() {
            ChangeTag::Equal => shown.text.push_str(words),
            ChangeTag::Delete => shown.gone.push_str(words),
            ChangeTag::Insert => shown.come.push_str(words),
        }
    }
    shown.flush();
    shown.text.lines().map(|line| format!("    {line}\n")).collect()
}

/// A diff being written.
struct Shown {
    text: String,
    gone: String,
    come: String,
    style: Style,
}

impl Shown {
    fn is_changing(&self) -> bool {
        !self.gone.is_empty() || !self.come.is_empty()
    }

    fn flush(&mut self) {
        let (gone, come) = (std::mem::take(&mut self.gone), std::mem::take(&mut self.come));
        // Space that only stood between changes is none.
        let says = |words: &str, other: &str| {
            !words.is_empty() && (other.is_empty() || !words.trim().is_empty())
        };
        if says(&gone, &come) {
            self.text.push_str(&self.style.bad(&format!("[-{gone}-]")));
        }
        if says(&come, &gone) {
            self.text.push_str(&self.style.good(&format!("{{+{come}+}}")));
        }
    }
}

/// Text of a transcript cannot command the terminal.
fn tame(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_change_are_marked() {
        let text = diff("Try tea, you goose.\nGood.", "Try tea tonight.\nGood.", Style::new(false));
        assert_eq!(text, "    Try [-tea, you goose.-]{+tea tonight.+}\n    Good.\n");
    }
}
