//! Findings of many files, printed in the asked format as they come.
//!
//! Invariant: nothing is kept but counts and rule ids, so a run over any number
//! of files prints in bounded memory; what was begun is ended, whatever happens.

mod github;
pub mod json;
mod junit;
mod sarif;
mod text;

use std::collections::BTreeSet;

use super::args::CheckFormat;
use super::output::Output;
use super::place::Placed;
use super::style::Style;
use crate::finding::Severity;
pub use crate::text::thousands::grouped;

/// A report under way.
pub struct Report {
    format: CheckFormat,
    /// Columns for text.
    width: usize,
    items: usize,
    codes: BTreeSet<String>,
    counts: [usize; 4],
    files: usize,
    fixable: usize,
}

/// How a run ended, for the last line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Transcripts read.
    pub transcripts: usize,
    /// Fixes applied.
    pub fixed: usize,
}

impl Report {
    /// Starts a report; `aside` sends it to standard error, when standard output
    /// is taken by a mended text.
    #[must_use]
    pub fn begin(format: CheckFormat, out: &mut Output, aside: bool) -> Self {
        out.divert(aside);
        match format {
            CheckFormat::Json => out.write("["),
            CheckFormat::Sarif => out.write(sarif::BEGIN),
            CheckFormat::Junit => out.write(junit::BEGIN),
            CheckFormat::Text | CheckFormat::Jsonl | CheckFormat::Github => {}
        }
        let (items, codes, counts) = (0, BTreeSet::new(), [0; 4]);
        Self { format, width: columns(), items, codes, counts, files: 0, fixable: 0 }
    }

    /// Prints the findings of one file, in order.
    pub fn file(&mut self, out: &mut Output, file: &str, findings: &[Placed]) {
        self.files += 1;
        for placed in findings {
            self.counts[placed.finding.severity as usize] += 1;
            self.fixable += usize::from(super::fix::is_fixable(&placed.finding));
        }
        match self.format {
            CheckFormat::Junit => out.write(&junit::suite(file, findings)),
            _ => findings.iter().for_each(|placed| self.one(out, file, placed)),
        }
    }

    fn one(&mut self, out: &mut Output, file: &str, placed: &Placed) {
        let separator = if self.items == 0 { "\n" } else { ",\n" };
        self.items += 1;
        match self.format {
            CheckFormat::Text => {
                out.write(&text::finding(file, placed, Style::new(out.color), self.width));
            }
            CheckFormat::Json => {
                out.write(&format!("{separator}  {}", json::finding(file, placed)))
            }
            CheckFormat::Jsonl => out.line(&json::finding(file, placed)),
            CheckFormat::Github => out.line(&github::finding(file, placed)),
            CheckFormat::Sarif => {
                self.codes.insert(placed.finding.code.to_string());
                out.write(&format!("{separator}{}", sarif::result(file, placed)));
            }
            CheckFormat::Junit => {}
        }
    }

    /// Ends the report.
    pub fn end(self, out: &mut Output, totals: Totals) {
        match self.format {
            CheckFormat::Text => {
                if !out.quiet && self.files > 0 {
                    out.line(&self.summary(totals, Style::new(out.color)));
                }
            }
            CheckFormat::Json => out.write(if self.items == 0 { "]\n" } else { "\n]\n" }),
            CheckFormat::Sarif => out.write(&sarif::end(&self.codes)),
            CheckFormat::Junit => out.write(junit::END),
            CheckFormat::Jsonl | CheckFormat::Github => {}
        }
    }

    fn summary(&self, totals: Totals, style: Style) -> String {
        let mut read = counted(self.files, "file");
        if totals.transcripts > 0 {
            read = format!("{} in {read}", counted(totals.transcripts, "transcript"));
        }
        let mut parts: Vec<String> = Vec::new();
        for (severity, words) in [
            (Severity::Error, ("error", "errors")),
            (Severity::Warning, ("warning", "warnings")),
            (Severity::Info, ("remark", "remarks")),
            (Severity::Hint, ("hint", "hints")),
        ] {
            let n = self.counts[severity as usize];
            if n > 0 {
                let word = if n == 1 { words.0 } else { words.1 };
                parts.push(style.severity(severity, &format!("{} {word}", grouped(n))));
            }
        }
        let found = if parts.is_empty() { style.good("no findings") } else { parts.join(", ") };
        let mut line = format!("{found} {}", style.dim(&format!("({read})")));
        if totals.fixed > 0 {
            line += &format!("; {} applied", counted(totals.fixed, "fix"));
        } else if self.fixable > 0 {
            line += &format!("; {} can be mended with --fix", grouped(self.fixable));
        }
        line
    }
}

/// One finding as text.
#[must_use]
pub fn finding_text(file: &str, placed: &Placed, style: Style) -> String {
    text::finding(file, placed, style, columns())
}

/// `1 file`, `2 files`, `3 fixes`.
#[must_use]
pub fn counted(n: usize, word: &str) -> String {
    let ending = match n {
        1 => "",
        _ if word.ends_with('x') => "es",
        _ => "s",
    };
    format!("{} {word}{ending}", grouped(n))
}

/// Columns to print in: what the terminal says, 80 where none does.
#[must_use]
pub fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok());
    told.unwrap_or(80).clamp(40, 160)
}
