//! The smallest edits that make a JSON string say something else.
//!
//! Invariant: after the [`Edit`] the literal decodes to exactly the wanted text,
//! every byte outside the differing characters is untouched, no escape sequence
//! is split, and what is new is written as the rest of the record is written.

use std::fmt;

use super::escape::{EscapeMap, Style, encode};
use super::span::Span;
use crate::finding::Edit;

/// The edit that makes the string literal between the quotes at `inner` of
/// `record` say `new`; `None` when it says so already.
#[must_use]
pub fn rewrite(record: &str, inner: Span, new: &str) -> Option<Edit> {
    let map = EscapeMap::new(inner.of(record));
    let all = Span::new(0, map.decoded().len());
    minimal(record, inner, &map, all, new)
}

/// The edit that makes the characters at `decoded` of that literal's text say
/// `new`; `None` when they say so already. A range that leaves the text or
/// splits a character is cut back to whole characters.
#[must_use]
pub fn replace(record: &str, inner: Span, decoded: Span, new: &str) -> Option<Edit> {
    let map = EscapeMap::new(inner.of(record));
    let start = map.decoded().floor_char_boundary(decoded.start);
    let end = map.decoded().floor_char_boundary(decoded.end).max(start);
    minimal(record, inner, &map, Span::new(start, end), new)
}

fn minimal(
    record: &str,
    inner: Span,
    map: &EscapeMap<'_>,
    decoded: Span,
    new: &str,
) -> Option<Edit> {
    let old = decoded.of(map.decoded());
    let head = common_head(old, new);
    let tail = common_tail(&old[head..], &new[head..]);
    let gone = Span::new(decoded.start + head, decoded.end - tail);
    let come = &new[head..new.len() - tail];
    if gone.is_empty() && come.is_empty() {
        return None;
    }
    let span = map.source_span(gone).shifted(inner.start);
    let text = if come.is_empty() { String::new() } else { encode(come, Style::of(record)) };
    Some(Edit { span, text })
}

/// Bytes of the longest common prefix, in whole characters.
fn common_head(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    // Both sides end inside the same character, or at its start.
    a.floor_char_boundary(same).min(b.floor_char_boundary(same))
}

/// Bytes of the longest common suffix, in whole characters.
fn common_tail(a: &str, b: &str) -> usize {
    let pairs = a.chars().rev().zip(b.chars().rev());
    pairs.take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum()
}

/// Why edits cannot be applied together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The edit that wants bytes another one has, or that are not in the text.
    pub span: Span,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { start, end } = self.span;
        write!(f, "the edit of bytes {start}..{end} overlaps another or leaves the text")
    }
}

impl std::error::Error for Overlap {}

/// Applies `edits`, all in coordinates of `text`, in any order. Insertions at
/// the same place keep their order.
///
/// # Errors
/// [`Overlap`] when two edits want the same bytes, or one is not in the text.
pub fn apply_edits(text: &str, edits: &[Edit]) -> Result<String, Overlap> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Edit { span, text: new } in sorted {
        let kept = text.get(at..span.start).ok_or(Overlap { span: *span })?;
        text.get(span.start..span.end).ok_or(Overlap { span: *span })?;
        out.push_str(kept);
        out.push_str(new);
        at = span.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::text::escape::decode;

    fn check(record: &str, new: &str, expect: Expect) {
        let inner = Span::new(1, record.len() - 1);
        let edit = rewrite(record, inner, new);
        let shown = edit.as_ref().map(|e| format!("{:?} -> {:?}", e.span.of(record), e.text));
        let edits: Vec<Edit> = edit.into_iter().collect();
        let after = apply_edits(record, &edits).unwrap();
        assert_eq!(decode(&after[1..after.len() - 1]), new);
        expect.assert_eq(&format!("{}: {after}", shown.as_deref().unwrap_or("nothing")));
    }

    #[test]
    fn only_what_differs_goes() {
        check(r#""a good day""#, "a bad day", expect![[r#""goo" -> "ba": "a bad day""#]]);
        check(r#""abc""#, "abc", expect![[r#"nothing: "abc""#]]);
        check(r#""aa""#, "aaa", expect![[r#""" -> "a": "aaa""#]]);
        check(r#""""#, "new\n\"x\"", expect![[r#""" -> "new\\n\\\"x\\\"": "new\n\"x\"""#]]);
        check(r#""x""#, "", expect![[r#""x" -> "": """#]]);
    }

    #[test]
    fn escapes_stay_whole() {
        check(r#""one\ntwo""#, "one\ttwo", expect![[r#""\\n" -> "\\t": "one\ttwo""#]]);
        check(r#""\u00e9\u00e8""#, "éa", expect![[r#""\\u00e8" -> "a": "\u00e9a""#]]);
        check(r#""😀""#, "😁", expect![[r#""😀" -> "😁": "😁""#]]);
        check(
            r#""\ud83d\ude00!""#,
            "😁!",
            expect![[r#""\\ud83d\\ude00" -> "\\ud83d\\ude01": "\ud83d\ude01!""#]],
        );
        check(r#""say \"hi\"""#, "say \"ho\"", expect![[r#""i" -> "o": "say \"ho\"""#]]);
    }

    #[test]
    fn what_is_new_is_written_like_the_rest() {
        check(
            r#""caf\u00e9 au lait""#,
            "café à la crème",
            expect![[r#""au lait" -> "\\u00e0 la cr\\u00e8me": "caf\u00e9 \u00e0 la cr\u00e8me""#]],
        );
        check(
            r#""café au lait""#,
            "café à la crème",
            expect![[r#""au lait" -> "à la crème": "café à la crème""#]],
        );
        check(
            r#""a\/b\u003Cc""#,
            "a/b<c/d<é\u{1}",
            expect![[r#""" -> "\\/d\\u003Cé\\u0001": "a\/b\u003Cc\/d\u003Cé\u0001""#]],
        );
    }

    #[test]
    fn edits_that_overlap_are_refused() {
        let edit = |start, end, text: &str| Edit { span: Span::new(start, end), text: text.into() };
        for (edits, result) in [
            (vec![edit(3, 4, "D"), edit(0, 1, "A")], Some("AbcDé")),
            (vec![edit(1, 1, "x"), edit(1, 1, "y"), edit(1, 2, "z")], Some("axyzcdé")),
            (vec![edit(0, 2, ""), edit(1, 3, "")], None),
            (vec![edit(4, 5, "")], None),
            (vec![edit(6, 9, "")], None),
        ] {
            assert_eq!(apply_edits("abcdé", &edits).ok().as_deref(), result, "{edits:?}");
        }
    }

    fn word() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop_oneof![
                Just("a"),
                Just("é"),
                Just("😀"),
                Just("👩\u{200d}💻"),
                Just("\""),
                Just("\\"),
                Just("\n"),
                Just("/"),
                Just("\u{2028}"),
                Just("<"),
                Just("e\u{301}"),
                Just("漢"),
            ],
            0..12,
        )
        .prop_map(|parts| parts.concat())
    }

    fn style() -> impl Strategy<Value = Style> {
        any::<[bool; 4]>().prop_map(|[ascii, slash, upper, html]| Style {
            ascii,
            slash,
            upper,
            html,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_edit_says_the_new_text_and_keeps_the_rest(
            old in word(), new in word(), style in style(), ends in any::<[prop::sample::Index; 2]>(),
        ) {
            let record = format!("\"{}\"", encode(&old, style));
            let inner = Span::new(1, record.len() - 1);
            let mut at = ends.map(|i| old.floor_char_boundary(i.index(old.len() + 1)));
            at.sort_unstable();
            let edit = replace(&record, inner, Span::new(at[0], at[1]), &new);
            let want = format!("{}{new}{}", &old[..at[0]], &old[at[1]..]);
            prop_assert_eq!(edit.is_none(), want == old);
            if let Some(edit) = edit {
                prop_assert!(inner.covers(edit.span));
                let after = apply_edits(&record, &[edit]).unwrap();
                prop_assert_eq!(decode(&after[1..after.len() - 1]), want);
            }
        }
    }
}
