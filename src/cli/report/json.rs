//! A finding as one JSON object: the fields of the output contract, in its order.

use serde::Serialize;

use super::super::place::Placed;

#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    byte_start: u64,
    byte_end: u64,
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    transcript: Option<&'a str>,
    exchange: Option<u32>,
}

/// The finding on one line.
pub fn finding(file: &str, placed: &Placed) -> String {
    let finding = &placed.finding;
    let row = Row {
        file,
        line: placed.from.0,
        column: placed.from.1,
        end_line: placed.to.0,
        end_column: placed.to.1,
        byte_start: placed.bytes.start,
        byte_end: placed.bytes.end,
        code: &finding.code,
        severity: finding.severity.name(),
        message: &finding.message,
        transcript: finding.transcript.as_deref(),
        exchange: finding.exchange,
    };
    // Text and numbers alone always serialise.
    serde_json::to_string(&row).unwrap_or_default()
}
