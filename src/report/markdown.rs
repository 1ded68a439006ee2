//! The report as Markdown: `generation_stats.md`, for repositories and reviews.
//!
//! Invariant: text from anywhere stays text: it cannot begin a link, a tag, a
//! table cell or emphasis.

use std::fmt::Write as _;

use super::overview::facts;
use super::{Cell, Figure, Report, Table};

/// Rows of a table that are written; the CSV file has all.
const ROWS: usize = 40;

/// The report as Markdown; the CSV files are in `folder`.
#[must_use]
pub fn text(report: &Report, figures: &[Figure], folder: &str) -> String {
    let mut out = format!("# {}: where it stands\n\n", inert(&report.title));
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "Made {} by Rubricator. A transcript passes at {} or more.\n",
        report.at, report.threshold
    );
    for fact in facts(report) {
        let _ = writeln!(out, "- **{}** {}: {}", fact.value, fact.name, inert(&fact.note));
    }
    for figure in figures {
        let _ = writeln!(out, "\n## {}\n\n{}\n", figure.title, inert(&figure.says));
        table(&mut out, &narrow(figure));
        let _ = writeln!(out, "\n[{name}.csv]({folder}/{name}.csv)", name = figure.name);
    }
    out
}

/// Of all transcripts, those to look at: what did not pass.
fn narrow(figure: &Figure) -> Table {
    let mut table = figure.table.clone();
    if figure.name == "transcripts" {
        table.heads.truncate(10);
        table.rows.retain(|row| row.get(3) != Some(&Cell::from("passed")));
        table.rows.iter_mut().for_each(|row| row.truncate(10));
    }
    table
}

fn table(out: &mut String, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    let heads: Vec<String> = table.heads.iter().map(|head| inert(head)).collect();
    let _ = writeln!(out, "| {} |", heads.join(" | "));
    let number = |at: usize| table.rows.iter().any(|row| row[at].is_number());
    let rules: Vec<&str> =
        (0..heads.len()).map(|at| if number(at) { "---:" } else { "---" }).collect();
    let _ = writeln!(out, "| {} |", rules.join(" | "));
    for row in table.rows.iter().take(ROWS) {
        let cells: Vec<String> = row.iter().map(|cell| inert(&cell.shown())).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if table.rows.len() > ROWS {
        let _ = writeln!(out, "\n{} more rows are in the CSV file.", table.rows.len() - ROWS);
    }
}

fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_whitespace() || c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_no_markup() {
        let hostile = "<img src=x>|[a](javascript:1)\n# b";
        assert_eq!(inert(hostile), "\\<img src=x\\>\\|\\[a\\](javascript:1) \\# b");
    }
}
