//! Places, all the way: a decoded offset in a message → the source range in its
//! record → the client's position in the file, and back, in UTF-8 and UTF-16.

use proptest::prelude::*;
use rubricator::text::Span;
use rubricator::text::document::{Document, Encoding};
use rubricator::text::escape::EscapeMap;
use rubricator::text::json;
use rubricator::transcript::{self, Message};

/// What a message may be made of: each decodes to the same text however it is written.
fn piece() -> impl Strategy<Value = (&'static str, bool)> {
    let texts = prop::sample::select(vec![
        "a",
        " ",
        "\u{e9}",
        "e\u{301}",
        "漢字",
        "한",
        "ไทย",
        "😀",
        "👩‍👩‍👧",
        "🇫🇷",
        "\"",
        "\\",
        "/",
        "\n",
        "\t",
        "\r\n",
        "\u{2028}",
        "\u{85}",
        "\u{feff}",
        "\u{0}",
        "\u{1f}",
        "\u{ffff}",
        "𝒳",
    ]);
    (texts, any::<bool>())
}

/// The text as a JSON string; the pieces marked for it wholly in `\u` escapes.
fn written(pieces: &[(&str, bool)]) -> (String, String) {
    let (mut decoded, mut source) = (String::new(), String::new());
    for (text, escaped) in pieces {
        decoded.push_str(text);
        if *escaped {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            source.extend(units);
        } else {
            let quoted = serde_json::to_string(text).unwrap();
            source.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
    (decoded, source)
}

/// Every place of a message: there, and back.
fn round_trip(file: &Document, start: usize, record: &str, message: &Message) {
    for at in 0..=message.text.len() {
        if !message.text.is_char_boundary(at) {
            continue;
        }
        let source = message.source_of(record, Span::empty(at));
        let literal = message.parts[0].source;
        let map = EscapeMap::new(literal.of(record));
        assert_eq!(map.decoded_at(source.start - literal.start), at, "{record} at {at}");
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let position = file.position(start + source.start, encoding);
            assert_eq!(file.offset(position, encoding), start + source.start);
        }
        // The character behind the place is the one that is written there.
        let Some(char) = message.text[at..].chars().next() else { continue };
        let one = Span::new(at, at + char.len_utf8());
        let there = message.source_of(record, one);
        let literal = format!("\"{}\"", there.of(record));
        assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), char.to_string());
    }
}

proptest! {
    #[test]
    fn every_place_is_found_again(
        before in prop::collection::vec(piece(), 0..4),
        user in prop::collection::vec(piece(), 0..12),
        reply in prop::collection::vec(piece(), 0..12),
        crlf in any::<bool>(),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let (filler, user_source) = (written(&before).1, written(&user).1);
        let (decoded, reply_source) = written(&reply);
        let first = format!("{{\"id\":\"{filler}\"}}{end}");
        let record = format!(
            "{{\"messages\":[{{\"role\":\"user\",\"content\":\"{user_source}\"}},\
             {{\"content\":\"{reply_source}\",\"role\":\"assistant\"}}]}}"
        );
        let file = Document::new(&format!("{first}{record}{end}"));
        let json = json::parse(&record, json::DEPTH_LIMIT);
        let transcript = transcript::read(&record, &json).transcript.unwrap();
        prop_assert_eq!(&transcript.messages[1].text, &decoded);
        for message in &transcript.messages {
            round_trip(&file, first.len(), &record, message);
        }
    }
}
