//! What stands between the quotes of a JSON string, and what it means: decoding,
//! re-encoding in the same style, and the map between the two offsets.
//!
//! Invariant: for every decoded offset on a character boundary,
//! `decoded_at(source_at(o)) == o`; source offsets inside an escape sequence
//! belong to the start of the character it decodes to.
//!
//! Decoding never fails: a lone surrogate becomes U+FFFD, an unknown escape
//! keeps its letter, a raw control character stays (the scanner reports all three).

use std::borrow::Cow;

use super::span::Span;

/// How a string literal is written, so an edit can be written the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Everything outside ASCII is written as `\uXXXX` (Python's `ensure_ascii`).
    pub ascii: bool,
    /// `/` is written as `\/`.
    pub slash: bool,
    /// Hex digits of `\uXXXX` are upper case.
    pub upper: bool,
    /// `<`, `>` and `&` are written as `\u003c` … (HTML-safe writers).
    pub html: bool,
}

impl Style {
    /// Reads the style off source text: a literal, or better the whole record,
    /// since one message alone often has nothing that tells.
    /// Text that never leaves ASCII and has no `\u` escape above it counts as raw,
    /// and so does what is written both ways.
    #[must_use]
    pub fn of(source: &str) -> Self {
        let mut style = Self::default();
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'\\', source.get(at..).unwrap_or("").as_bytes()) {
            let escape = at + found;
            at = escape + 2;
            match source.as_bytes().get(escape + 1) {
                Some(b'u') => at = escape + style.note_unicode(source, escape),
                Some(b'/') => style.slash = true,
                _ => at = source.ceil_char_boundary(at),
            }
        }
        style.ascii &= source.is_ascii();
        style.html &= memchr::memchr3(b'<', b'>', b'&', source.as_bytes()).is_none();
        style.slash &= !has_bare_slash(source);
        style
    }

    /// Learns from the `\u` escape at `escape`; returns its length.
    fn note_unicode(&mut self, source: &str, escape: usize) -> usize {
        let Some(code) = hex4(source, escape + 2) else { return 2 };
        let (ch, len) = unicode_escape_at(source, escape);
        // Many writers of raw text escape the line separators, and all who can
        // write a lone surrogate escape it.
        let told = !matches!(ch, '\u{2028}' | '\u{2029}') && (ch as u32 == code || len > 6);
        self.ascii |= told && !ch.is_ascii();
        self.html |= matches!(ch, '<' | '>' | '&');
        self.upper |= source[escape..escape + len].bytes().any(|b| b.is_ascii_uppercase());
        len
    }
}

/// True when a `/` stands without a backslash.
fn has_bare_slash(source: &str) -> bool {
    let bytes = source.as_bytes();
    memchr::memchr_iter(b'/', bytes).any(|at| at == 0 || bytes[at - 1] != b'\\')
}

/// Writes `text` as the inside of a JSON string literal (no quotes).
#[must_use]
pub fn encode(text: &str, style: Style) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if style.slash => out.push_str("\\/"),
            '<' | '>' | '&' if style.html => push_unicode_escape(&mut out, ch, style),
            ch if ch < ' ' || (style.ascii && !ch.is_ascii()) => {
                push_unicode_escape(&mut out, ch, style);
            }
            ch => out.push(ch),
        }
    }
    out
}

fn push_unicode_escape(out: &mut String, ch: char, style: Style) {
    use std::fmt::Write as _;
    let mut units = [0u16; 2];
    for unit in ch.encode_utf16(&mut units) {
        // Writing to a String cannot fail.
        let _ =
            if style.upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
    }
}

/// Decodes the inside of a string literal; borrows when it holds no escape.
#[must_use]
pub fn decode(raw: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut out = String::with_capacity(raw.len());
    out.push_str(&raw[..first]);
    let mut at = first;
    while at < raw.len() {
        let (ch, len) = escape_at(raw, at);
        out.push(ch);
        at += len;
        let next = memchr::memchr(b'\\', &raw.as_bytes()[at..]).map_or(raw.len(), |n| at + n);
        out.push_str(&raw[at..next]);
        at = next;
    }
    Cow::Owned(out)
}

/// Decodes the beginning of a string literal's inside: `enough` bytes or more of
/// it, where it has so many.
#[must_use]
pub(crate) fn decode_start(raw: &str, enough: usize) -> Cow<'_, str> {
    let head = &raw.as_bytes()[..enough.min(raw.len())];
    let Some(mut at) = memchr::memchr(b'\\', head) else {
        return Cow::Borrowed(&raw[..raw.ceil_char_boundary(enough)]);
    };
    let mut out = String::with_capacity(enough + 16);
    out.push_str(&raw[..at]);
    while at < raw.len() && out.len() < enough {
        let (ch, len) = escape_at(raw, at);
        out.push(ch);
        at += len;
        let most = raw.ceil_char_boundary(at.saturating_add(enough));
        let next = memchr::memchr(b'\\', &raw.as_bytes()[at..most]).map_or(most, |n| at + n);
        out.push_str(&raw[at..next]);
        at = next;
    }
    Cow::Owned(out)
}

/// The character written at the backslash at `at`, and how many source bytes it takes.
fn escape_at(raw: &str, at: usize) -> (char, usize) {
    let Some(letter) = raw[at + 1..].chars().next() else {
        return ('\\', 1);
    };
    let plain = match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unicode_escape_at(raw, at),
        other => other,
    };
    (plain, 1 + letter.len_utf8())
}

fn unicode_escape_at(raw: &str, at: usize) -> (char, usize) {
    let Some(high) = hex4(raw, at + 2) else {
        return ('u', 2);
    };
    if let Some(ch) = char::from_u32(high) {
        return (ch, 6);
    }
    if (0xd800..0xdc00).contains(&high)
        && raw.get(at + 6..at + 8) == Some("\\u")
        && let Some(low @ 0xdc00..0xe000) = hex4(raw, at + 8)
    {
        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

/// Four hex digits at `at`, if they are there.
pub(crate) fn hex4(raw: &str, at: usize) -> Option<u32> {
    let digits = raw.get(at..at + 4)?;
    let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if all_hex { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// One place where source and decoded text stop running in step: an escape.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Decoded byte offset of the character the escape stands for.
    decoded: usize,
    /// Its length in decoded bytes.
    decoded_len: usize,
    /// Source byte offset of the backslash.
    source: usize,
    /// Length of the escape in source bytes.
    source_len: usize,
}

/// Decoded ↔ source offsets of one string literal. Built on demand, thrown away after.
///
/// Costs one scan of the literal and 32 bytes an escape; look-ups are binary searches.
#[derive(Clone, Debug)]
pub struct EscapeMap<'a> {
    raw: &'a str,
    decoded: Cow<'a, str>,
    steps: Vec<Step>,
}

impl<'a> EscapeMap<'a> {
    /// The map of the literal whose inside is `raw`.
    #[must_use]
    pub fn new(raw: &'a str) -> Self {
        let mut steps = Vec::new();
        let (mut source, mut decoded) = (0, 0);
        while let Some(found) = memchr::memchr(b'\\', &raw.as_bytes()[source..]) {
            decoded += found;
            source += found;
            let (ch, source_len) = escape_at(raw, source);
            steps.push(Step { decoded, decoded_len: ch.len_utf8(), source, source_len });
            decoded += ch.len_utf8();
            source += source_len;
        }
        Self { raw, decoded: decode(raw), steps }
    }

    /// The decoded text.
    #[must_use]
    pub fn decoded(&self) -> &str {
        &self.decoded
    }

    /// Source byte offset (inside the quotes) of decoded byte offset `decoded`.
    #[must_use]
    pub fn source_at(&self, decoded: usize) -> usize {
        let after = self.steps.partition_point(|s| s.decoded < decoded);
        match after.checked_sub(1).map(|i| self.steps[i]) {
            None => decoded.min(self.raw.len()),
            Some(s) if decoded < s.decoded + s.decoded_len => s.source,
            Some(s) => (s.source + s.source_len + (decoded - s.decoded - s.decoded_len))
                .min(self.raw.len()),
        }
    }

    /// Decoded byte offset of source byte offset `source` (inside the quotes).
    #[must_use]
    pub fn decoded_at(&self, source: usize) -> usize {
        let after = self.steps.partition_point(|s| s.source <= source);
        match after.checked_sub(1).map(|i| self.steps[i]) {
            None => source.min(self.decoded.len()),
            Some(s) if source < s.source + s.source_len => s.decoded,
            Some(s) => (s.decoded + s.decoded_len + (source - s.source - s.source_len))
                .min(self.decoded.len()),
        }
    }

    /// Source span of a decoded span: from the start of its first character's
    /// writing to the end of its last one's.
    #[must_use]
    pub fn source_span(&self, decoded: Span) -> Span {
        Span::new(self.source_at(decoded.start), self.source_at(decoded.end))
    }

    /// Decoded byte offset of the `chars`-th Unicode scalar (clamped to the end).
    #[must_use]
    pub fn byte_of_char(&self, chars: usize) -> usize {
        self.decoded.char_indices().nth(chars).map_or(self.decoded.len(), |(at, _)| at)
    }

    /// Unicode scalars before decoded byte `at`.
    #[must_use]
    pub fn char_of_byte(&self, at: usize) -> usize {
        self.decoded[..floor(&self.decoded, at)].chars().count()
    }

    /// Decoded byte offset of UTF-16 unit `units`; the middle of a pair rounds down.
    #[must_use]
    pub fn byte_of_utf16(&self, units: usize) -> usize {
        let mut seen = 0;
        for (at, ch) in self.decoded.char_indices() {
            seen += ch.len_utf16();
            if seen > units {
                return at;
            }
        }
        self.decoded.len()
    }

    /// UTF-16 units before decoded byte `at`.
    #[must_use]
    pub fn utf16_of_byte(&self, at: usize) -> usize {
        self.decoded[..floor(&self.decoded, at)].chars().map(char::len_utf16).sum()
    }
}

/// The largest character boundary of `text` that is at most `at`.
#[must_use]
pub fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::document::{Document, Encoding};

    #[test]
    fn the_style_is_read_off_the_record() {
        let style = |ascii, slash, upper, html| Style { ascii, slash, upper, html };
        for (source, expected) in [
            ("plain", style(false, false, false, false)),
            (r"caf\u00e9", style(true, false, false, false)),
            (r"caf\u00E9", style(true, false, true, false)),
            (r"caf\u00e9 é", style(false, false, false, false)),
            (r"\ud83d\ude00", style(true, false, false, false)),
            (r"\ud83d", style(false, false, false, false)),
            (r"a\u2028b", style(false, false, false, false)),
            (r"a\u001Fb", style(false, false, true, false)),
            (r"a\\u00e9", style(false, false, false, false)),
            (r"a\/b", style(false, true, false, false)),
            (r"a\/b/c", style(false, false, false, false)),
            (r"\u003cb\u003e", style(false, false, false, true)),
            (r"\u003cb>", style(false, false, false, false)),
            ("\\é\\", style(false, false, false, false)),
            (r"\u00", style(false, false, false, false)),
        ] {
            assert_eq!(Style::of(source), expected, "{source}");
        }
    }

    #[test]
    fn decoding_never_fails() {
        for (raw, decoded) in [
            (r"\u0041\n\/\b", "A\n/\u{8}"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\u12", "u12"),
            (r"\u+123", "u+123"),
            (r"\é\", "é\\"),
        ] {
            assert_eq!(decode(raw), decoded, "{raw}");
            assert_eq!(EscapeMap::new(raw).decoded(), decoded, "{raw}");
        }
    }

    #[test]
    fn a_place_inside_an_escape_is_its_start() {
        let map = EscapeMap::new(r"a\ud83d\ude00é\n");
        assert_eq!(map.decoded(), "a😀é\n");
        let decoded: Vec<usize> = (0..=18).map(|at| map.decoded_at(at)).collect();
        let mut expected = vec![0];
        expected.extend([1; 12]);
        expected.extend([5, 6, 7, 7, 8, 8]);
        assert_eq!(decoded, expected);
        assert_eq!((map.byte_of_utf16(2), map.byte_of_utf16(3), map.utf16_of_byte(5)), (1, 5, 3));
        assert_eq!((map.byte_of_char(2), map.char_of_byte(7)), (5, 3));
    }

    fn text() -> impl Strategy<Value = String> {
        let tricky = prop_oneof![
            Just("👩\u{200d}👩\u{200d}👧"),
            Just("e\u{301}"),
            Just("漢字"),
            Just("\u{1f1e9}\u{1f1ea}"),
            Just("\""),
            Just("\\"),
            Just("\n"),
            Just("\r\n"),
            Just("\u{2028}"),
            Just("\0"),
            Just("\u{feff}"),
            Just("\u{10ffff}"),
            Just("/"),
            Just("a"),
            Just(" "),
        ];
        let part = prop_oneof![3 => tricky.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
        prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
    }

    /// Writes each character in one of its ways, as `ways` says.
    fn write(text: &str, ways: &[u8]) -> String {
        let mut raw = String::new();
        for (ch, way) in text.chars().zip(ways.iter().cycle()) {
            let style = Style { ascii: way & 1 != 0, upper: way & 2 != 0, slash: true, html: true };
            match way & 4 {
                0 => raw += &encode(ch.encode_utf8(&mut [0; 4]), style),
                _ => push_unicode_escape(&mut raw, ch, style),
            }
        }
        raw
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_go_there_and_back(
            text in text(), ways in prop::collection::vec(0..8u8, 1..9), before in text(),
        ) {
            let raw = write(&text, &ways);
            let line = format!("{before}\n{{\"content\": \"{raw}\"}}\n");
            let start = line.len() - raw.len() - 3;
            let document = Document::new(&line);
            let map = EscapeMap::new(&raw);
            prop_assert_eq!(map.decoded(), &text);
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            for decoded in ends {
                let source = start + map.source_at(decoded);
                for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                    let position = document.position(source, encoding);
                    let back = document.offset(position, encoding);
                    prop_assert_eq!(back, source);
                    prop_assert_eq!(map.decoded_at(back - start), decoded);
                }
            }
        }

        #[test]
        fn decoding_undoes_encoding(text in text(), ways in prop::collection::vec(0..8u8, 1..9)) {
            let raw = write(&text, &ways);
            prop_assert_eq!(decode(&raw), text.as_str());
            let quoted = format!("\"{raw}\"");
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
