//! What keeps a hostile template from exhausting the stack, which no fuel limit
//! sees: the engine walks and frees expressions and values recursively.
//!
//! Invariant: an expression has at most 2,000 characters outside its strings and
//! an `if` at most 1,000 `elif`s, so compiled templates are shallow; and what a
//! namespace keeps (the only value that outlives a loop's turn) nests at most 32
//! levels and holds no namespace, so values are shallow and never cyclic.
//!
//! The second half is a filter, [`KEEP`], that [`checked`] puts around the value
//! of every `{% set name.attribute = … %}`. Published templates are far from these
//! bounds (their longest expression has 174 such characters).

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::TemplateError;

/// The filter's name; templates have no reason to use it themselves.
pub(super) const KEEP: &str = "__kept";

const TAG_LIMIT: usize = 2_000;
const ELIF_LIMIT: usize = 1_000;
const KEPT_DEPTH: usize = 32;

/// `source` with kept values guarded.
///
/// # Errors
/// [`TemplateError::Syntax`] when a tag or an `if` is beyond the bounds.
pub(super) fn checked(source: &str) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(source.len() + 64);
    let mut rest = source;
    let mut elifs = 0;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = match rest.as_bytes().get(1) {
            Some(b'#') => rest.find("#}").map_or(rest.len(), |end| end + 2),
            Some(b'{' | b'%') => tag_length(rest)?,
            _ => 1,
        };
        let tag = &rest[..length];
        rest = &rest[length..];
        elifs += usize::from(first_word(tag) == "elif");
        if elifs > ELIF_LIMIT {
            return Err(TemplateError::Syntax(format!("it has more than {ELIF_LIMIT} `elif`")));
        }
        out.push_str(&guarded(tag));
        if first_word(tag) == "raw" {
            let end = rest.find("endraw").unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The filter: `value`, if a namespace may keep it.
pub(super) fn keep(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    // A lazy sequence could be a chain of any length; a list is what it says.
    let value = match value.kind() {
        ValueKind::Iterable => Value::from(value.try_iter()?.collect::<Vec<Value>>()),
        _ => value,
    };
    let mut open = vec![(value.clone(), 0)];
    let mut seen = 0_u64;
    while let Some((next, depth)) = open.pop() {
        let refused = |why: &str| Error::new(ErrorKind::InvalidOperation, why.to_owned());
        seen += 1;
        if seen.is_multiple_of(64) {
            state.consume_fuel(16)?;
        }
        if depth > KEPT_DEPTH {
            return Err(refused("a namespace cannot keep a value of more than 32 levels"));
        }
        match next.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                open.extend(next.try_iter()?.map(|v| (v, depth + 1)));
            }
            ValueKind::Map => {
                if next.as_object().is_some_and(|o| o.type_name().ends_with("::Namespace")) {
                    return Err(refused("a namespace cannot keep a namespace"));
                }
                for key in next.try_iter()? {
                    open.push((next.get_item(&key)?, depth + 1));
                }
            }
            ValueKind::Plain => return Err(refused("a namespace cannot keep this")),
            _ => {}
        }
    }
    Ok(value)
}

/// The bytes of the tag `rest` starts with; all of it when the tag is not closed.
fn tag_length(rest: &str) -> Result<usize, TemplateError> {
    let bytes = rest.as_bytes();
    let block = bytes[1] == b'%';
    let (mut at, mut braces, mut code) = (2, 0_usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = string_end(bytes, at, quote),
            b'%' if block && bytes.get(at + 1) == Some(&b'}') => return Ok(at + 2),
            b'}' if !block && braces == 0 && bytes.get(at + 1) == Some(&b'}') => return Ok(at + 2),
            byte => {
                match byte {
                    b'{' => braces += 1,
                    b'}' => braces = braces.saturating_sub(1),
                    _ => {}
                }
                at += 1;
                code += usize::from(!byte.is_ascii_whitespace());
            }
        }
        if code > TAG_LIMIT {
            let why = "an expression has more than 2,000 characters outside its strings";
            return Err(TemplateError::Syntax(why.to_owned()));
        }
    }
    Ok(bytes.len())
}

/// Just after the string that opens at `at`.
fn string_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The tag, with the value it gives to a namespace guarded.
fn guarded(tag: &str) -> Cow<'_, str> {
    kept(tag).map_or(Cow::Borrowed(tag), |(before, value, after)| {
        Cow::Owned(format!("{before}({value}) | {KEEP}{after}"))
    })
}

/// What stands before, in and after the value of `{% set name.attribute = value %}`.
fn kept(tag: &str) -> Option<(&str, &str, &str)> {
    if first_word(tag) != "set" || !tag.starts_with("{%") {
        return None;
    }
    let equals = tag.find('=')?;
    let targets = &tag[..equals];
    let plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.,()".contains(c);
    let names = targets.trim_start_matches(['{', '%', '-', '+']);
    if !names.contains('.') || !names.chars().all(plain) {
        return None;
    }
    let end = tag.strip_suffix("%}")?;
    let end = end.strip_suffix(['-', '+']).unwrap_or(end).len();
    (equals < end).then(|| (&tag[..=equals], &tag[equals + 1..end], &tag[end..]))
}

/// The first word of a block tag.
fn first_word(tag: &str) -> &str {
    let Some(inner) = tag.strip_prefix("{%") else { return "" };
    let inner = inner.trim_start_matches(['-', '+']).trim_start();
    inner.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kept_values_are_wrapped() {
        let cases = [
            (
                "{%- set ns.x = a if b else 'c %} d' -%}",
                "{%- set ns.x =( a if b else 'c %} d' ) | __kept-%}",
            ),
            ("{%set a.b,c.d=1,2%}", "{%set a.b,c.d=(1,2) | __kept%}"),
            ("{% set x = [1] %}{{ {'a': {}} }}", "{% set x = [1] %}{{ {'a': {}} }}"),
            (
                "{% set x | default(a.b='c') %}{% endset %}",
                "{% set x | default(a.b='c') %}{% endset %}",
            ),
            ("{# {% set a.b = 1 %} #}", "{# {% set a.b = 1 %} #}"),
            ("{% raw %}{% set a.b = 1 %}{% endraw %}{", "{% raw %}{% set a.b = 1 %}{% endraw %}{"),
            ("{{ 'it\\'s }}' }} {% if", "{{ 'it\\'s }}' }} {% if"),
        ];
        for (source, expected) in cases {
            assert_eq!(checked(source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn deep_code_is_refused() {
        let many = |unit: &str| unit.repeat(10_000);
        for source in [
            format!("{{{{ a{} }}}}", many(".b")),
            format!("{{{{ a{} }}}}", many("|e")),
            format!("{{% if a %}}{}{{% endif %}}", many("{% elif b %}")),
            format!("{{% set {} %}}", many("(")),
        ] {
            assert!(matches!(checked(&source), Err(TemplateError::Syntax(_))), "{source:.40}");
        }
        assert!(checked(&format!("{{{{ '{}' }}}}", many("long text "))).is_ok());
    }
}
