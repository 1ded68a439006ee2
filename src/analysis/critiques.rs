//! What critics found in a file, at the words they quote.
//!
//! Invariants: only what nobody has decided about is shown; a finding whose words are
//! gone is not shown, and one without words only while the critique is the last of its
//! file.

use crate::assessment::evidence;
use crate::finding::{Finding, Severity};
use crate::review::critique::{self, Critiques, Said};
use crate::text::Span;
use crate::transcript::Transcript;

/// The code of these findings.
pub const CODE: &str = "critique";

/// The findings about a file (its path counted from the project's folder, with `/`)
/// that nobody has decided about, in the order of the critiques.
#[must_use]
pub fn open(known: &Critiques, file: &str) -> Vec<critique::Finding> {
    let last = known.all.iter().rposition(|one| one.file == file);
    let of_file = known.all.iter().enumerate().filter(|(_, one)| one.file == file);
    let findings = of_file.flat_map(|(index, one)| {
        let is_last = Some(index) == last;
        one.findings.iter().filter(move |f| is_last || !f.said.quote.trim().is_empty())
    });
    findings.filter(|finding| known.decision(&finding.id).is_none()).cloned().collect()
}

/// The words of a plain text that a finding is about: the first line where it quotes
/// none.
#[must_use]
pub fn in_text(text: &str, said: &Said) -> Option<Span> {
    match said.quote.trim() {
        "" => Some(Span::new(0, text.find(['\r', '\n']).unwrap_or(text.len()))),
        quote => evidence::find(text, quote),
    }
}

/// The bytes of a record that a finding about its transcript is about: its id where it
/// quotes nothing, so that the words beside stay bare.
#[must_use]
pub fn in_record(record: &str, transcript: &Transcript, said: &Said) -> Option<Span> {
    let whole = || transcript.id_source.unwrap_or(Span::empty(0));
    match said.quote.trim() {
        "" => Some(whole()),
        quote => transcript.messages.iter().find_map(|message| {
            let words = evidence::find(&message.text, quote)?;
            Some(message.source_of(record, words))
        }),
    }
}

/// The finding as it is shown.
#[must_use]
pub fn shown(finding: &critique::Finding, span: Span) -> Finding {
    let said = &finding.said;
    let mut message = format!("{}: {}", kind(&said.kind), said.says.trim());
    if !said.voices.is_empty() {
        message += &format!(" ({})", said.voices.join(", "));
    }
    if !said.question.trim().is_empty() {
        message += &format!("\nWould ask: {}", said.question.trim());
    }
    message +=
        &format!("\nA critic said this ({}): make something of it, or dismiss it.", finding.id);
    Finding {
        transcript: finding.transcript.as_deref().map(Into::into),
        ..Finding::new(CODE, Severity::Hint, span, message)
    }
}

/// What kind of finding it is, in words.
fn kind(kind: &str) -> String {
    match kind {
        "passes-but-bad" => "Would pass and still be bad".to_owned(),
        "fails-but-fine" => "Would fail and be fine".to_owned(),
        "serves-badly" => "Serves somebody badly".to_owned(),
        "unclear" => "Unclear".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::critique::{Critique, Decision, Line};
    use crate::text::json;
    use crate::transcript::read;

    fn said(quote: &str) -> Said {
        Said {
            kind: "passes-but-bad".into(),
            says: "It flatters.".into(),
            voices: vec!["A therapist".into()],
            quote: quote.into(),
            question: "Is it free of flattery?".into(),
        }
    }

    fn critique(id: &str, file: &str, quotes: &[&str]) -> Line {
        let finding = |(index, quote): (usize, &&str)| critique::Finding {
            id: format!("{id}.{}", index + 1),
            transcript: None,
            said: said(quote),
        };
        Line::Critique(Critique {
            id: id.into(),
            at: "2026-11-24T10:00:00Z".into(),
            file: file.into(),
            asked: id.into(),
            judge: "j".into(),
            model: "m".into(),
            experts: Vec::new(),
            users: Vec::new(),
            findings: quotes.iter().enumerate().map(finding).collect(),
            synthesis: String::new(),
        })
    }

    #[test]
    fn what_is_undecided_is_open_and_what_quotes_nothing_only_while_it_is_the_last_word() {
        let decision = Line::Decision(Decision {
            id: "d".into(),
            at: "1".into(),
            by: "A".into(),
            finding: "b.2".into(),
            accepted: false,
            made: None,
            note: None,
        });
        let lines = [
            critique("a", "r.yaml", &["x", ""]),
            critique("o", "other.yaml", &["x"]),
            critique("b", "r.yaml", &["", "y", "z"]),
            decision,
        ];
        let text: String = lines.iter().map(|line| line.text() + "\n").collect();
        let open = open(&Critiques::read(&text), "r.yaml");
        let ids: Vec<&str> = open.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids, ["a.1", "b.1", "b.3"]);
    }

    #[test]
    fn it_stands_on_the_words_it_quotes() {
        assert_eq!(in_text("a\nsome\n  words\n", &said("some words")), Some(Span::new(2, 14)));
        assert_eq!(in_text("name: x\r\nb", &said(" ")), Some(Span::new(0, 7)));
        assert_eq!(in_text("a", &said("gone")), None);
        let record = r#"{"id":"t","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"so \u0022brave\u0022 of you"}]}"#;
        let transcript = read::read(record, &json::parse(record, 9)).transcript.unwrap();
        let place = in_record(record, &transcript, &said("“brave” of")).unwrap();
        assert_eq!(place.of(record), r"\u0022brave\u0022 of");
        assert_eq!(in_record(record, &transcript, &said("")).unwrap().of(record), "\"t\"");
        assert_eq!(in_record(record, &transcript, &said("gone")), None);
    }

    #[test]
    fn the_message_says_who_and_what_and_what_to_do() {
        let finding = critique::Finding { id: "c.1".into(), transcript: None, said: said("x") };
        expect_test::expect![[r#"
            Would pass and still be bad: It flatters. (A therapist)
            Would ask: Is it free of flattery?
            A critic said this (c.1): make something of it, or dismiss it."#]]
        .assert_eq(&shown(&finding, Span::empty(0)).message);
    }
}
