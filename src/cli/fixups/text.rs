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
    let criteria = offer.criteria.join(", ");
    let head = style.bold(&plain(head));
    let mut out =
        format!("{mark} {done:<12} {head}  {}  {}\n", plain(&criteria), style.dim(&plain(place)));
    match fixup {
        Ok(fixup) => {
            let draft = fixup.draft();
            out += &diff(&draft.target.before, &draft.after, style);
            let follows = if fixup.is_last() {
                "it is the last reply, so no message has to follow".to_owned()
            } else {
                "the user's next message follows, by its words and by every judge".to_owned()
            };
            let judges = fixup.judges().join(", ");
            let proof = format!(
                "drafted by {}; {follows}; {criteria} and the safety gates hold for {judges}",
                draft.drafter
            );
            out += &format!("    {}\n", style.dim(&plain(&proof)));
        }
        Err(refusal) => out += &format!("    {}\n", plain(&refusal.to_string())),
    }
    out
}

/// The words that go and come, line by line: `[-old-]` and `{+new+}`, in colour
/// where there is any.
fn diff(before: &str, after: &str, style: Style) -> String {
    let (before, after) = (tame(before), tame(after));
    let words = TextDiff::from_words(before.as_str(), after.as_str());
    let mut text = String::new();
    let mut run: Option<(ChangeTag, String)> = None;
    let mut flush = |run: Option<(ChangeTag, String)>| {
        let Some((tag, words)) = run else { return };
        match tag {
            ChangeTag::Equal => text.push_str(&words),
            ChangeTag::Delete => text.push_str(&style.bad(&format!("[-{words}-]"))),
            ChangeTag::Insert => text.push_str(&style.good(&format!("{{+{words}+}}"))),
        }
    };
    for change in words.iter_all_changes() {
        let value = change.value();
        match &mut run {
            Some((tag, words)) if *tag == change.tag() => words.push_str(value),
            _ => flush(run.replace((change.tag(), value.to_owned()))),
        }
    }
    flush(run);
    text.lines().map(|line| format!("    {line}\n")).collect()
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
