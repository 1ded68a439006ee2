//! Findings as SARIF 2.1.0, written as they come: results first, the rules they
//! used last (members of an object have no order).

use std::collections::BTreeSet;

use serde_json::json;

use super::super::place::Placed;
use crate::finding::Severity;

/// What comes before the results.
pub const BEGIN: &str = concat!(
    "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",",
    "\"runs\":[{\"columnKind\":\"unicodeCodePoints\",\"results\":["
);

/// One result.
pub fn result(file: &str, placed: &Placed) -> String {
    let finding = &placed.finding;
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Hint => "note",
    };
    let region = json!({
        "startLine": placed.from.0,
        "startColumn": placed.from.1,
        "endLine": placed.to.0,
        "endColumn": placed.to.1,
        "byteOffset": placed.bytes.start,
        "byteLength": placed.bytes.end - placed.bytes.start,
    });
    let mut result = json!({
        "ruleId": finding.code,
        "level": level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(file)},
            "region": region,
        }}],
    });
    if let Some(transcript) = finding.transcript.as_deref() {
        result["properties"] = json!({"transcript": transcript, "exchange": finding.exchange});
    }
    result.to_string()
}

/// What comes after the results.
pub fn end(codes: &BTreeSet<String>) -> String {
    let rules: Vec<_> = codes.iter().map(|code| json!({"id": code})).collect();
    let driver = json!({
        "name": "rubricator",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    format!("\n],\"tool\":{{\"driver\":{driver}}}}}]}}\n")
}

/// A file name as a URI reference.
fn uri(file: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&b);
    let absolute = if file.starts_with('/') { "file://" } else { "" };
    file.bytes().fold(absolute.to_owned(), |mut out, b| {
        if keep(b) {
            out.push(b as char)
        } else {
            out.push_str(&format!("%{b:02X}"))
        }
        out
    })
}
