//! Numbers that are somebody's: payment cards and phones.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Kind, after, before, matches, pattern};

/// Card numbers: a known issuer's beginning and length, grouped as cards are, and
/// the check digit fits.
pub(super) fn cards(text: &str) -> Vec<(Kind, Range<usize>)> {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(
            r"\b(?:\d{4} \d{4} \d{4} \d{1,7}|\d{4}-\d{4}-\d{4}-\d{1,7}|\d{4} \d{6} \d{4,5}|\d{4}-\d{6}-\d{4,5}|\d{13,19})\b",
        )
    });
    let fits = |range: &Range<usize>| {
        let apart =
            |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '/' | '#' | '=' | '.' | '-'));
        let next = after(text, range.end);
        let goes_on = next.is_some_and(|c| matches!(c, '_' | '/' | '-'))
            || next == Some('.') && after(text, range.end + 1).is_some_and(|c| c.is_ascii_digit());
        let digits: Vec<u8> =
            text[range.clone()].bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
        before(text, range.start).is_none_or(apart) && !goes_on && is_card(&digits)
    };
    matches(&NUMBER, text).filter(fits).map(|range| (Kind::Card, range)).collect()
}

fn is_card(digits: &[u8]) -> bool {
    /// Numbers that payment providers publish for tests.
    const TESTS: &[&str] = &[
        "4111111111111111",
        "4242424242424242",
        "4012888888881881",
        "4000056655665556",
        "5555555555554444",
        "5105105105105100",
        "5200828282828210",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "30569309025904",
        "38520000023237",
        "3530111333300000",
        "3566002020360505",
    ];
    let number = |n: usize| digits[..n].iter().fold(0_u32, |all, d| all * 10 + u32::from(*d));
    let issued = match digits.len() {
        13 | 19 => digits[0] == 4,
        14 => matches!(number(2), 36 | 38) || matches!(number(3), 300..=305),
        15 => matches!(number(2), 34 | 37),
        16 => {
            digits[0] == 4
                || matches!(number(2), 51..=55 | 62 | 65)
                || matches!(number(4), 2221..=2720 | 3528..=3589 | 6011 | 6440..=6499)
        }
        _ => false,
    };
    let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
    // Issued numbers are mixed; what people type to fill a field is not.
    let varied = (0..10).filter(|d| digits.contains(d)).count() >= 4;
    issued && varied && luhn(digits) && !TESTS.contains(&text.as_str())
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(*d);
            match i % 2 {
                0 => d,
                _ if d > 4 => d * 2 - 9,
                _ => d * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Phone numbers: written with `+` and a country, or as North Americans write them.
pub(super) fn phones(text: &str) -> Vec<(Kind, Range<usize>)> {
    static ABROAD: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(r"\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,5}\)?){2,6}"));
    static AMERICAN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"(?:\b1[ .-])?(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[.-])[2-9]\d{2}[.-]\d{4}\b")
    });
    let digits = |range: &Range<usize>| -> String {
        text[range.clone()].chars().filter(char::is_ascii_digit).collect()
    };
    let alone = |range: &Range<usize>| {
        let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '+' | '=' | '.' | '-');
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '=');
        let next = after(text, range.end);
        let decimal =
            next == Some('.') && after(text, range.end + 1).is_some_and(|c| c.is_ascii_digit());
        !before(text, range.start).is_some_and(joins) && !next.is_some_and(goes_on) && !decimal
    };
    let abroad = matches(&ABROAD, text).filter(|range| {
        let digits = digits(range);
        (10..=15).contains(&digits.len()) && !digits.strip_prefix('1').is_some_and(is_public)
    });
    let american = matches(&AMERICAN, text).filter(|range| {
        let digits = digits(range);
        !is_public(digits.strip_prefix('1').filter(|d| d.len() == 10).unwrap_or(&digits))
    });
    abroad.chain(american).filter(alone).map(|range| (Kind::Phone, range)).collect()
}

/// North American numbers that are nobody's: 555 is for fiction, 8xx for services.
fn is_public(ten: &str) -> bool {
    let service = ["800", "833", "844", "855", "866", "877", "888", "900"];
    service.iter().any(|area| ten.starts_with(area))
        || ten.get(3..6) == Some("555")
        || ten.starts_with("555")
}
