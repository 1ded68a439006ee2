//! Text into HTML.
//!
//! Invariant: nothing that goes through here can open a tag, close an attribute,
//! turn the direction of what stands around it, or end a script.

/// Text for between tags and within quoted attributes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if is_hidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text without what is not seen or turns the direction of its surroundings.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// JSON for within a `<script>` element of data.
#[must_use]
pub fn data(value: &serde_json::Value) -> String {
    let text = value.to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A path for an `href`, whole: what is no plain path character is percent-encoded,
/// so no path is taken for another scheme or for a query.
#[must_use]
pub fn path(path: &str) -> String {
    let mut out = String::new();
    if path.split('/').next().is_some_and(|first| first.contains(':')) {
        out.push_str("./");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// At most so many characters, with an ellipsis where more were there.
#[must_use]
pub fn short(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    if line.chars().count() <= most {
        return line;
    }
    let mut short: String = line.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The end of a path matters most: `…/raw/week-2.jsonl`.
#[must_use]
pub fn short_path(path: &str, most: usize) -> String {
    let count = path.chars().count();
    if count <= most {
        return short(path, most);
    }
    let end: String = path.chars().skip(count - most + 1).collect();
    format!("…{}", short(&end, most))
}

/// Control characters, and those that reorder text.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escaped("<b a='\"&\u{202e}x\u{7}"), "&lt;b a=&#39;&quot;&amp;\u{fffd}x\u{fffd}");
        let hostile = json!(["</script><!--<script>", "\u{2028}&lt;"]);
        let text = data(&hostile);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), hostile);
        assert_eq!(
            path("javascript:alert(1)/a b?#.jsonl"),
            "./javascript%3Aalert%281%29/a%20b%3F%23.jsonl"
        );
        assert_eq!(path("data/raw/é.jsonl"), "data/raw/%C3%A9.jsonl");
        assert_eq!(
            (short("a\nbcd", 4), short_path("data/raw/x.jsonl", 8)),
            ("a b…".into(), "…x.jsonl".into())
        );
    }
}
