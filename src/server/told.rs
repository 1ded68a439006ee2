//! Findings as the client is told them: JSON that is made once, with holes for the
//! places, which move with their record.
//!
//! Invariant: for a record that starts at `start`, [`Told::write`] writes what
//! converting each finding at its present place would; it looks at no text.

use serde::Serialize;
use serde_json::json;
use tower_lsp_server::gen_lsp_types::{DiagnosticSeverity, Uri};

use crate::finding::{Finding, Severity};
use crate::text::document::Position;

use super::convert;
use super::relative::{Place, Range};

/// Some findings, ready to be written wherever their record stands.
#[derive(Debug, Default)]
pub struct Told {
    json: Vec<u8>,
    holes: Vec<(usize, Range)>,
    count: usize,
}

/// Where a related remark points.
#[derive(Debug)]
pub enum Location {
    /// Into the same document.
    Here(Range),
    /// Into another document.
    There(Uri, (Position, Position)),
}

impl Told {
    /// How many findings.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Adds a finding at `range` of the document `uri`, with its related remarks.
    pub fn push(
        &mut self,
        uri: &Uri,
        finding: &Finding,
        range: Range,
        related: &[(Location, &str)],
    ) {
        if self.count > 0 {
            self.put(",");
        }
        self.count += 1;
        self.put("{\"range\":");
        self.hole(range);
        self.put(",\"severity\":");
        self.value(&severity(finding.severity));
        self.put(",\"code\":");
        self.value(&finding.code);
        self.put(",\"source\":");
        self.value(&convert::SOURCE);
        self.put(",\"message\":");
        self.value(&finding.message);
        if !related.is_empty() {
            self.put(",\"relatedInformation\":[");
            for (index, (location, message)) in related.iter().enumerate() {
                self.put(if index == 0 { "" } else { "," });
                self.remark(uri, location, message);
            }
            self.put("]");
        }
        self.put(",\"data\":");
        self.value(&json!({"judged": finding.judged, "finding": convert::finding_id(finding)}));
        self.put("}");
    }

    fn remark(&mut self, uri: &Uri, location: &Location, message: &str) {
        self.put("{\"location\":{\"uri\":");
        match location {
            Location::Here(range) => {
                self.value(uri);
                self.put(",\"range\":");
                self.hole(*range);
            }
            Location::There(uri, range) => {
                self.value(uri);
                self.put(",\"range\":");
                self.value(&convert::range(*range));
            }
        }
        self.put("},\"message\":");
        self.value(&message);
        self.put("}");
    }

    /// Writes the findings of a record that starts at `start`, with commas between.
    pub fn write(&self, start: Position, out: &mut Vec<u8>) {
        let mut from = 0;
        for (at, range) in &self.holes {
            out.extend_from_slice(&self.json[from..*at]);
            write_range(*range, start, out);
            from = *at;
        }
        out.extend_from_slice(&self.json[from..]);
    }

    fn hole(&mut self, range: Range) {
        self.holes.push((self.json.len(), range));
    }

    fn put(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn value(&mut self, value: &impl Serialize) {
        // Strings and plain values always have a JSON form.
        let _ = serde_json::to_writer(&mut self.json, value);
    }
}

fn write_range(range: Range, start: Position, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"start\":");
    write_place(range.start, start, out);
    out.extend_from_slice(b",\"end\":");
    write_place(range.end, start, out);
    out.push(b'}');
}

fn write_place(place: Place, start: Position, out: &mut Vec<u8>) {
    let Position { line, character } = place.from(start);
    out.extend_from_slice(b"{\"line\":");
    write_number(line, out);
    out.extend_from_slice(b",\"character\":");
    write_number(character, out);
    out.push(b'}');
}

fn write_number(mut number: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

const fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Info => DiagnosticSeverity::Information,
        Severity::Hint => DiagnosticSeverity::Hint,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tower_lsp_server::gen_lsp_types::Diagnostic;

    use super::*;
    use crate::text::Span;

    #[test]
    fn a_finding_is_told_where_its_record_stands() {
        let uri = Uri("file:///a \"b\".jsonl".into());
        let place =
            |line, character| Place::between(Position::new(line, character), Position::default());
        let range = Range { start: place(0, 3), end: place(1, 4) };
        let mut finding = Finding::new("M003", Severity::Warning, Span::new(3, 9), "say \"hi\"");
        finding.transcript = Some("t".into());
        let other = Uri("file:///r.yaml".into());
        let ends = (Position::new(1, 2), Position::new(1, 3));
        let related = [(Location::Here(range), "here"), (Location::There(other, ends), "there")];
        let mut told = Told::default();
        told.push(&uri, &finding, range, &related);
        told.push(&uri, &finding, range, &[]);
        let mut out = b"[".to_vec();
        told.write(Position::new(4_294_967_200, 10), &mut out);
        out.push(b']');
        let value: Value = serde_json::from_slice(&out).unwrap();
        let at = json!({"start": {"line": 4_294_967_200_u32, "character": 13},
            "end": {"line": 4_294_967_201_u32, "character": 4}});
        assert_eq!(value[0]["range"], at);
        assert_eq!(value[0]["relatedInformation"][0]["location"], json!({"uri": uri, "range": at}));
        assert_eq!(value[0]["data"], json!({"judged": false, "finding": "M003@3..9@t"}));
        let typed: Vec<Diagnostic> = serde_json::from_value(value).unwrap();
        let there = &typed[0].related_information.as_ref().unwrap()[1];
        assert_eq!((there.location.range.end.character, &*there.message), (3, "there"));
        assert_eq!(typed[1].severity, Some(DiagnosticSeverity::Warning));
        assert_eq!(typed[1].related_information, None);
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 7, 10, 99, 100, 1_234_567_890, u32::MAX] {
            let mut out = Vec::new();
            write_number(number, &mut out);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }
}
