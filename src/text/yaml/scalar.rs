//! What a plain scalar says, by the YAML 1.2 core schema and its lax neighbours.

/// True for nothing, `~` and `null`.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// `true` and `false`, and YAML 1.1's `yes`, `no`, `on`, `off`, in any usual case.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Integers (decimal, `0x`, `0o`), decimals, `.inf` and `.nan`.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    match digits {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            // Rubrics have no hexadecimal above 2^32: the cast is exact.
            return u32::from_str_radix(rest, radix).ok().map(|n| sign * f64::from(n));
        }
    }
    // Rust also reads "inf", "nan" and "infinity", which are words in YAML.
    let first = digits.trim_start_matches('.').bytes().next()?;
    let numeric = first.is_ascii_digit()
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if numeric { digits.parse::<f64>().ok().map(|n| sign * n) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_yaml_does() {
        for (text, said) in [
            ("0.80", Some(0.8)),
            ("-1", Some(-1.0)),
            ("+2.5e3", Some(2500.0)),
            (".5", Some(0.5)),
            ("0x10", Some(16.0)),
            ("-.inf", Some(f64::NEG_INFINITY)),
            ("inf", None),
            ("nan", None),
            ("1.2.3", None),
            ("80%", None),
            ("", None),
            ("-", None),
            ("..5", None),
        ] {
            assert_eq!(number(text), said, "{text}");
        }
        assert!(number(".NaN").is_some_and(f64::is_nan));
        assert_eq!(truth("Yes"), Some(true));
        assert_eq!(truth("maybe"), None);
    }
}
