//! Tables as CSV (RFC 4180).
//!
//! Invariant: no text becomes a formula where a spreadsheet opens it: text that
//! begins like one gets an apostrophe before it.

use std::fmt::Write as _;

use super::table::{Cell, Table};

/// A table as CSV, with a head line.
#[must_use]
pub fn text(table: &Table) -> String {
    let mut out = String::new();
    line(&mut out, table.heads.iter().map(|head| inert(head)));
    for row in &table.rows {
        line(&mut out, row.iter().map(field));
    }
    out
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if field.contains(['"', ',', '\n', '\r']) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\"{}\"", field.replace('"', "\"\""));
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => inert(text),
        Cell::Place(..) => inert(&cell.shown()),
        other => other.plain(),
    }
}

fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_one_field_and_no_formula() {
        let mut table = Table::of(&["id", "share"]);
        table.rows.push(vec!["=HYPERLINK(\"http://x\",1)".into(), Cell::Share(0.5)]);
        table.rows.push(vec!["a,\n\"b\"".into(), Cell::None]);
        let expected =
            "id,share\r\n\"'=HYPERLINK(\"\"http://x\"\",1)\",0.5000\r\n\"a,\n\"\"b\"\"\",\r\n";
        assert_eq!(text(&table), expected);
    }
}
