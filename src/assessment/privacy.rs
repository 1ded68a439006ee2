//! Secrets and personal data in what would be sent to a judge: keys, private key
//! blocks, e-mail addresses, phone and payment card numbers.
//!
//! Invariant: a place is exact in the decoded text, and a transcript is searched
//! in exactly the messages that judges are shown. What documents and examples use
//! on purpose (example domains, test cards, 555 numbers, placeholders) is not found.
//!
//! Deliberately absent: names, addresses, anything a pattern cannot know. And the
//! decision what to do about it, which is the engine's.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::text::Span;
use crate::transcript::{Role, Transcript};

#[cfg(test)]
mod labelled_tests;
mod numbers;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A `-----BEGIN … PRIVATE KEY-----` block with a body.
    PrivateKey,
    /// An API key or access token.
    ApiKey,
    /// A payment card number that passes its check digit.
    Card,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

/// One place in a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensitive {
    /// What it looks like.
    pub kind: Kind,
    /// The message, by index.
    pub message: usize,
    /// The exchange, from 1.
    pub exchange: u32,
    /// Bytes of the message's decoded text; empty for a tool call's arguments.
    pub range: Range<usize>,
}

impl Kind {
    /// With its article, for sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "a private key",
            Self::ApiKey => "an API key",
            Self::Card => "a payment card number",
            Self::Email => "an e-mail address",
            Self::Phone => "a phone number",
        }
    }
}

impl Sensitive {
    /// The bytes of the record it was read from, through escapes; the message's
    /// text for a tool call's arguments.
    #[must_use]
    pub fn source(&self, record: &str, transcript: &Transcript) -> Span {
        let message = &transcript.messages[self.message];
        message.source_of(record, Span::new(self.range.start, self.range.end))
    }
}

/// What looks sensitive in what a model would be shown: every message but system ones,
/// also a last one of the user's that nobody has replied to (a text to be criticised is
/// nothing else). Such a one counts for the exchange it would open.
#[must_use]
pub fn in_transcript(transcript: &Transcript) -> Vec<Sensitive> {
    let mut found = Vec::new();
    let mut exchange = 1;
    let shown = transcript.messages.iter().enumerate().filter(|(_, m)| m.role != Role::System);
    for (index, message) in shown {
        let last = transcript.exchanges.last().map_or(0, |last| last.number);
        let is_after = transcript
            .exchanges
            .last()
            .is_some_and(|last| last.user.first().is_some_and(|&user| user < index));
        exchange = match transcript.exchange_of(index) {
            Some(number) => number,
            None if is_after => last + 1,
            None => exchange,
        };
        let at = |(kind, range)| Sensitive { kind, message: index, exchange, range };
        found.extend(in_text(&message.text).into_iter().map(at));
        for call in &message.tool_calls {
            let inside = in_text(&call.arguments).into_iter();
            found.extend(inside.map(|(kind, _)| at((kind, 0..0))));
        }
    }
    found
}

/// The kinds found, each once, as a sentence part: "an API key and a phone number".
#[must_use]
pub fn kinds(found: &[Sensitive]) -> String {
    let mut kinds: Vec<Kind> = found.iter().map(|one| one.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let names: Vec<&str> = kinds.into_iter().map(Kind::name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// What looks sensitive in a text, in order, without overlaps.
#[must_use]
pub fn in_text(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut all = Vec::new();
    if text.contains("PRIVATE KEY") {
        all.extend(private_keys(text));
    }
    all.extend(api_keys(text));
    if text.contains('@') {
        all.extend(emails(text));
    }
    // Most texts hold few digits; the patterns for numbers are the slow ones.
    if text.bytes().filter(u8::is_ascii_digit).count() >= 10 {
        all.extend(numbers::cards(text));
        all.extend(numbers::phones(text));
    }
    // What is found first, and is worse, hides what lies in it.
    all.sort_by_key(|(kind, range): &(Kind, Range<usize>)| (range.start, *kind));
    let mut end = 0;
    all.retain(|(_, range)| {
        let free = range.start >= end;
        end = if free { range.end } else { end };
        free
    });
    all
}

/// The patterns are fixed; one that did not compile would find nothing, and a test
/// would say so.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

fn matches<'t>(
    pattern: &'static LazyLock<Option<Regex>>,
    text: &'t str,
) -> impl Iterator<Item = Range<usize>> + use<'t> {
    pattern.as_ref().into_iter().flat_map(move |p| p.find_iter(text).map(|m| m.range()))
}

fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

fn after(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

/// A block with a body: the marker alone is what people write about.
fn private_keys(text: &str) -> Vec<(Kind, Range<usize>)> {
    static BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(
            r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|[A-Za-z0-9+/=:,.-])*?(?:-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----|$)",
        )
    });
    let body = |range: &Range<usize>| {
        let inside = &text[range.clone()];
        inside.bytes().filter(u8::is_ascii_alphanumeric).count() >= 100
    };
    matches(&BLOCK, text).filter(body).map(|range| (Kind::PrivateKey, range)).collect()
}

/// How the keys of common services begin, and the lengths they have.
const PREFIXES: &[(&str, usize, usize)] = &[
    ("sk-", 24, 256),
    ("sk_live_", 24, 256),
    ("rk_live_", 24, 256),
    ("AIza", 39, 39),
    ("gsk_", 40, 80),
    ("hf_", 30, 60),
    ("xai-", 40, 120),
    ("pplx-", 40, 80),
    ("ghp_", 40, 40),
    ("gho_", 40, 40),
    ("ghu_", 40, 40),
    ("ghs_", 40, 40),
    ("github_pat_", 60, 120),
    ("glpat-", 26, 80),
    ("xoxb-", 30, 120),
    ("xoxp-", 30, 120),
    ("AKIA", 20, 20),
    ("ASIA", 20, 20),
    ("npm_", 40, 40),
    ("pypi-", 60, 300),
    ("SG.", 60, 80),
    ("ya29.", 40, 2048),
    ("dop_v1_", 71, 71),
    ("eyJ", 60, 8192),
];

/// Words with a known beginning, and long random values beside a name for them.
fn api_keys(text: &str) -> Vec<(Kind, Range<usize>)> {
    static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(
            r#"(?i)(?:\b|_)(?:bearer\s+|(?:api|access|account|auth|secret|client|private)[_ -]?(?:access[_ -]?)?(?:key|token|secret)["']?\s*(?::|=|\bis\b)\s*["']?|passw(?:or)?d["']?\s*[:=]\s*["']?)([A-Za-z0-9+/_.~-]{20,}={0,2})"#,
        )
    });
    let known = words(text).filter(|range| is_known_key(&text[range.clone()]));
    let mut found: Vec<Range<usize>> = known.collect();
    if let Some(named) = NAMED.as_ref() {
        let values = named.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.range());
        found.extend(values.filter(|range| {
            let value = &text[range.clone()];
            is_random(value, 3.5) && value.len() <= 4096
        }));
    }
    found.into_iter().map(|range| (Kind::ApiKey, range)).collect()
}

/// Runs of the characters that keys are made of.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(inside)?;
        let end = bytes[start..].iter().position(|b| !inside(b)).map_or(bytes.len(), |n| start + n);
        at = end;
        // A full stop after a key ends the sentence.
        let kept = text[start..end].trim_end_matches(['.', '-']).len();
        Some(start..start + kept)
    })
}

fn is_known_key(word: &str) -> bool {
    if word.len() < 20 {
        return false;
    }
    PREFIXES.iter().any(|&(prefix, shortest, longest)| {
        let fits = word.len() >= shortest && word.len() <= longest;
        let Some(rest) = word.strip_prefix(prefix).filter(|_| fits) else { return false };
        let shaped = match prefix {
            "AKIA" | "ASIA" => rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
            // A JSON web token has three parts.
            "eyJ" => word.split('.').filter(|part| part.len() >= 10).count() == 3,
            "SG." => rest.contains('.'),
            _ => true,
        };
        shaped && is_random(rest, 3.0)
    })
}

/// Random enough to be generated: letters and digits, and as many bits a character.
fn is_random(value: &str, bits: f64) -> bool {
    const PLACEHOLDERS: &[&str] =
        &["example", "your", "xxxx", "placeholder", "dummy", "redacted", "changeme", "12345678901"];
    let lower = value.to_ascii_lowercase();
    value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !PLACEHOLDERS.iter().any(|word| lower.contains(word))
        && entropy(value) >= bits
}

/// Shannon entropy in bits a character.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    value.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let total = value.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

/// Addresses that could receive mail.
fn emails(text: &str) -> Vec<(Kind, Range<usize>)> {
    static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(
            r"[A-Za-z0-9][A-Za-z0-9._%+-]{1,63}@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.)+[A-Za-z]{2,24}",
        )
    });
    let fits = |range: &Range<usize>| {
        let inside = &text[range.clone()];
        let Some((local, domain)) = inside.rsplit_once('@') else { return false };
        let next = after(text, range.end);
        let code =
            matches!(next, Some('(' | '_' | '@')) || next.is_some_and(|c| c.is_ascii_digit());
        let scp =
            local == "git" || (next == Some(':') && domain.ends_with(".com") && local.len() < 4);
        !code && !scp && !is_reserved(domain)
    };
    matches(&ADDRESS, text).filter(fits).map(|range| (Kind::Email, range)).collect()
}

/// RFC 2606 and 6761: domains kept for examples; and file names such as `x@2x.png`.
fn is_reserved(domain: &str) -> bool {
    const TOP: &[&str] = &[
        "example",
        "test",
        "invalid",
        "localhost",
        "local",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "css",
        "js",
        "ts",
        "py",
        "rs",
        "md",
        "json",
        "html",
        "txt",
        "pdf",
    ];
    let domain = domain.to_ascii_lowercase();
    let top = domain.rsplit('.').next().unwrap_or_default();
    let mut labels = domain.rsplit('.');
    let second = labels.nth(1).unwrap_or_default();
    TOP.contains(&top)
        || second == "example"
        || matches!(domain.as_str(), "email.com" | "domain.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json;
    use crate::transcript::read;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let found = in_text(text);
        let lines: Vec<String> =
            found.into_iter().map(|(kind, range)| format!("{kind:?} {}", &text[range])).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_message_without_a_reply_is_searched_too() {
        let places = |messages: &str| {
            let record = format!(r#"{{"messages":[{messages}]}}"#);
            let transcript = read::read(&record, &json::parse(&record, 9)).transcript.unwrap();
            let found = in_transcript(&transcript);
            found.iter().map(|one| (one.message, one.exchange)).collect::<Vec<_>>()
        };
        let says = |role: &str| format!(r#"{{"role":"{role}","content":"ada@sample-mail.net"}}"#);
        let [system, user, assistant] = ["system", "user", "assistant"].map(says);
        assert_eq!(places(&user), [(0, 1)]);
        let all = places(&format!("{system},{assistant},{user},{assistant},{user}"));
        assert_eq!(all, [(1, 1), (2, 1), (3, 1), (4, 2)]);
    }

    fn nothing_in(texts: &[&str]) {
        for text in texts {
            assert_eq!(in_text(text), [], "{text}");
        }
    }

    /// A key that is in no scanner's way: made up here, in two halves.
    fn made_up(prefix: &str, length: usize) -> String {
        let letters = b"q7Zt2mXv9Lk4Rw8Bn3Hc6Jd5Ys1Pf0Ga";
        let rest = (0..length).map(|i| char::from(letters[(i * 7 + i / 32) % letters.len()]));
        prefix.chars().chain(rest).collect()
    }

    #[test]
    fn keys_of_known_services_are_found() {
        for (prefix, length) in [
            ("sk-ant-api03-", 40),
            ("sk-proj-", 40),
            ("sk-", 45),
            ("AIza", 35),
            ("ghp_", 36),
            ("hf_", 34),
            ("gsk_", 48),
            ("xai-", 60),
            ("xoxb-", 40),
            ("glpat-", 20),
            ("npm_", 36),
        ] {
            let key = made_up(prefix, length);
            let text = format!("Use `{key}`, please. Or {key}.");
            let found = in_text(&text);
            assert_eq!(found.len(), 2, "{key}: {found:?}");
            assert!(
                found
                    .iter()
                    .all(|(kind, range)| *kind == Kind::ApiKey && text[range.clone()] == key)
            );
        }
        let aws = "AKIAQ7ZT2MXV9LK4RW8B";
        assert_eq!(in_text(aws), [(Kind::ApiKey, 0..aws.len())]);
        let named = format!("api_key = \"{}\"", made_up("", 32));
        assert_eq!(in_text(&named), [(Kind::ApiKey, 11..43)]);
        let header = format!("Authorization: Bearer {}", made_up("", 40));
        assert_eq!(in_text(&header), [(Kind::ApiKey, 22..62)]);
        let token = [made_up("eyJ", 20), made_up("eyJ", 40), made_up("", 43)].join(".");
        assert_eq!(in_text(&token), [(Kind::ApiKey, 0..token.len())]);
    }

    #[test]
    fn what_people_write_about_keys_is_none() {
        nothing_in(&[
            "set OPENAI_API_KEY to your key",
            "sk-your-api-key-goes-here-1234567",
            "sk-short1",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx1",
            "AKIAIOSFODNN7EXAMPLE",
            "api_key: <YOUR_KEY_HERE>",
            "the api key is in the password manager",
            "password: correct-horse-battery-staple",
            "task-oriented-dialogue-systems-2024-and-later",
            "eyJ is how a token begins",
            "commit 3f2a9c1d7e5b8f604c2d1e9a7b6f5c4d3e2f1a0b",
            "token = self.tokenizer.encode_batch_2",
            "550e8400-e29b-41d4-a716-446655440000",
            "bearer of good news, 20 of them, at least",
            "-----BEGIN PRIVATE KEY----- is the first line of such a file",
        ]);
    }

    #[test]
    fn a_private_key_block_is_one_finding() {
        let body = made_up("MII", 64);
        let block = format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n-----END RSA PRIVATE KEY-----"
        );
        let text = format!("mine:\n{block}\nkeep it");
        assert_eq!(in_text(&text), [(Kind::PrivateKey, 6..6 + block.len())]);
        let cut = format!("-----BEGIN PRIVATE KEY-----\n{body}\n{body}");
        assert_eq!(in_text(&cut), [(Kind::PrivateKey, 0..cut.len())]);
    }

    #[test]
    fn addresses_that_receive_mail_are_found() {
        check(
            "Write to mara.lindt@postfach-nord.de, or (j_doe+x@mail.uni.ac.uk).",
            expect![[r#"
                Email mara.lindt@postfach-nord.de
                Email j_doe+x@mail.uni.ac.uk"#]],
        );
        nothing_in(&[
            "you@example.com",
            "a.b@mail.example.org",
            "x@y",
            "@handle and @other.one",
            "logo@2x.png",
            "git@github.com:a/b.git",
            "q@k.transpose(-2, -1)",
            "weights@w.t",
            "root@localhost",
            "me@host.test",
            "user@company",
            "name@domain.com",
        ]);
    }

    #[test]
    fn card_numbers_pass_their_check_digit() {
        check(
            "4539 1488 0343 6467, 5425-2334-3010-9903; 374245455400126 and 4539148803436467.",
            expect![[r#"
                Card 4539 1488 0343 6467
                Card 5425-2334-3010-9903
                Card 374245455400126
                Card 4539148803436467"#]],
        );
        nothing_in(&[
            "4539 1488 0343 6468",
            "4111 1111 1111 1111",
            "4242424242424242",
            "0000 0000 0000 0000",
            "1700000000000 ms",
            "0.4539148803436467",
            "x4539148803436467",
            "45391488034364671234",
            "id-4539148803436467",
            "4539148803436467-2",
            "ISBN 9783161484100",
            "4539 14880343 6467",
            "20240115 20240116 20240117",
            "4444 4444 4444 4448",
        ]);
    }

    #[test]
    fn phone_numbers_are_found_where_they_are_written_as_such() {
        check(
            "Call +49 30 901820-44, +33612345678 or (212) 867-5309, 1-646-867-5309.",
            expect![[r#"
                Phone +49 30 901820-44
                Phone +33612345678
                Phone (212) 867-5309
                Phone 1-646-867-5309"#]],
        );
        nothing_in(&[
            "call 988",
            "1-800-273-8255",
            "(555) 123-4567",
            "212-555-0134",
            "+1 555 010 0199",
            "+1 (800) 662-4357",
            "2024-01-15",
            "10.0.0.1",
            "192.168.100.200",
            "3.14159265358979",
            "1+1000000000",
            "+12 points",
            "x+4930123456789",
            "pages 200-300",
            "100-200-3000",
            "5 x 200.300.4000.1",
            "12,345,678,901",
            "0800 1110 111",
        ]);
    }

    #[test]
    fn places_are_exact_through_escapes_and_only_in_what_is_sent() {
        let record = r#"{"messages":[{"role":"system","content":"ops@corp-nord.de"},{"role":"user","content":"\u00e9 \"mara\u002elindt@postfach-nord.de\"\n"},{"role":"assistant","content":"ok","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"to\":\"kai@postfach-nord.de\"}"}}]}]}"#;
        let parsed = json::parse(record, json::DEPTH_LIMIT);
        let transcript = read(record, &parsed).transcript.unwrap();
        let found = in_transcript(&transcript);
        assert_eq!(found.len(), 2, "{found:?}");
        let source = found[0].source(record, &transcript);
        assert_eq!(source.of(record), r"mara\u002elindt@postfach-nord.de");
        assert_eq!((found[1].message, found[1].exchange), (2, 1));
        assert_eq!(kinds(&found), "an e-mail address");
    }
}
