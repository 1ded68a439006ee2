//! A text as a YAML scalar that reads back as that text.
//!
//! Invariant: whatever the text, reading the scalar where it was written for gives
//! the text again; what YAML would read as something else, or fold, is quoted.

/// `text` for one line: without quotes where that is safe (never inside brackets).
#[must_use]
pub fn inline(text: &str, bare: bool) -> String {
    if bare && is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// `text` behind `key: ` in a block mapping whose keys are indented by `indent`: lines
/// as lines where that is safe.
#[must_use]
pub fn block(text: &str, indent: &str) -> String {
    if !text.contains('\n') || !is_literal(text) {
        return inline(text, true);
    }
    let mut written = String::from("|-");
    for line in text.split('\n') {
        written.push('\n');
        if !line.is_empty() {
            written.push_str(indent);
            written.push_str("  ");
            written.push_str(line);
        }
    }
    written
}

/// Words that say a truth value, a number or nothing.
const WORDS: [&str; 14] = [
    "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity", "none",
    "na",
];

fn is_plain(text: &str) -> bool {
    let known = |word: &&str| text.eq_ignore_ascii_case(word);
    let begins = text.chars().next().is_some_and(char::is_alphabetic);
    let ends = text.chars().next_back().is_some_and(|c| !c.is_whitespace() && c != ':');
    begins
        && ends
        && !WORDS.iter().any(known)
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(|c| c != '\t' && is_printable(c))
}

/// Lines that a literal block keeps as they are.
fn is_literal(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace();
    !text.starts_with(blank)
        && !text.ends_with(blank)
        && text.split('\n').all(|line| {
            let only_blanks = !line.is_empty() && line.chars().all(blank);
            !only_blanks && line.chars().all(|c| c == '\t' || is_printable(c))
        })
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ch if is_printable(ch) => out.push(ch),
            ch => out.push_str(&match u32::from(ch) {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            }),
        }
    }
    out.push('"');
    out
}

/// True for what YAML lets stand for itself and every reader keeps.
const fn is_printable(ch: char) -> bool {
    matches!(ch, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    fn text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "a", "Yes", "no", "12", ": ", ":", " #", "#", "-", "- ", "\n", "\n\n", " ", "  ", "\t",
            "\"", "'", "\\", "|", ">", "{", "}", "[", "]", ",", "&", "*", "!", "%", "@", "`", "?",
            "é", "😀", "\u{0}", "\r", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}", "---", "...",
            "~",
        ]);
        let chosen = prop::collection::vec(pieces, 0..8).prop_map(|all| all.concat());
        prop_oneof![chosen, any::<String>()]
    }

    proptest! {
        #[test]
        fn a_scalar_reads_back_as_the_text(text in text()) {
            let written = [
                format!("k: {}\nl: 1\n", inline(&text, true)),
                format!("{{k: {}, l: 1}}\n", inline(&text, false)),
                format!("k: {}\nl: 1\n", block(&text, "")),
                format!("k: {}\r\nl: 1\r\n", block(&text, "").replace('\n', "\r\n")),
            ];
            for yaml in written {
                let read = parse(&yaml);
                prop_assert!(read.problems.is_empty(), "{:?} {:?}", yaml, read.problems);
                let root = read.root().unwrap();
                let found = root.get("k").unwrap();
                prop_assert_eq!(found.text(), Some(text.as_str()), "{:?}", yaml);
                prop_assert!(found.truth().is_none() || found.style() == Some(super::super::Style::Quoted));
                prop_assert_eq!(root.get("l").and_then(|l| l.number()), Some(1.0));
            }
        }
    }

    #[test]
    fn plain_words_stay_plain_and_lines_stay_lines() {
        assert_eq!(inline("It is kind.", true), "It is kind.");
        assert_eq!(inline("It is kind.", false), "\"It is kind.\"");
        assert_eq!(inline("Note: x", true), "\"Note: x\"");
        assert_eq!(block("One\n\ntwo: #3", "  "), "|-\n    One\n\n    two: #3");
        assert_eq!(block("One\n ", ""), "\"One\\n \"");
    }
}
