//! Colour, width, and text that cannot command a terminal.

use std::borrow::Cow;

use crate::finding::Severity;

/// The colours of results; all empty when colour is off.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    on: bool,
}

impl Style {
    /// With colour, or without.
    #[must_use]
    pub const fn new(on: bool) -> Self {
        Self { on }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// For what matters.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For what is good.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what is bad.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// In the colour of a severity.
    #[must_use]
    pub fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Info => "1;34",
            Severity::Hint => "1;36",
        };
        self.paint(code, text)
    }
}

/// The text with everything a terminal would obey made visible instead:
/// escapes and other control characters, and marks that reorder text.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_unsafe(c) { visible(c) } else { c }).collect())
}

/// True for what a terminal would obey.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The text with everything beyond ASCII that a terminal would obey, and DEL, as
/// JSON escapes it: in JSON it means the same.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c >= '\u{7f}' && is_unsafe(c);
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if obeyed(c) {
            // None of them lies beyond the first plane.
            out.push_str(&format!("\\u{:04x}", c as u32));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{7f}' => '\u{2421}',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        _ => '\u{fffd}',
    }
}

/// Columns a terminal gives the character: 0, 1 or 2.
#[must_use]
pub fn width(c: char) -> usize {
    match c as u32 {
        0x300..=0x36f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0x1f3fb..=0x1f3ff => {
            0
        }
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 => 2,
        0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6 => 2,
        0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns a terminal gives the text.
#[must_use]
pub fn width_of(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// The text broken into lines of at most `columns`, at spaces; words too long are cut.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        for piece in pieces(word, columns.max(1)) {
            let wide = width_of(&piece);
            let gap = usize::from(used > 0);
            if used + gap + wide > columns && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            let line = lines.last_mut();
            if let Some(line) = line {
                if used > 0 {
                    line.push(' ');
                    used += 1;
                }
                line.push_str(&piece);
                used += wide;
            }
        }
    }
    lines
}

fn pieces(word: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        if used + width(c) > columns && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        used += width(c);
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_obey_nothing() {
        assert_eq!(plain("a\u{1b}[31mb\u{7}\u{202e}c\u{9b}d"), "a␛[31mb␇\u{fffd}c\u{fffd}d");
        assert_eq!(plain("naïve 漢字 👩‍🚀"), "naïve 漢字 👩‍🚀");
    }

    #[test]
    fn json_means_the_same_escaped() {
        let text = "a\u{7f}b\u{9b}31m\u{202e}c\u{2028}\u{feff} 漢字 👩‍🚀\n\t\u{1b}";
        let json = serde_json::to_string(text).unwrap();
        let safe = escaped(&json);
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        assert!(safe.contains("a\\u007fb\\u009b31m\\u202ec\\u2028\\ufeff 漢字 👩‍🚀"), "{safe}");
        assert!(!safe.contains(is_unsafe));
    }

    #[test]
    fn lines_fit() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("漢字漢字", 4), ["漢字", "漢字"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
