//! Findings as JUnit XML: a suite a file, a failed case a finding.

use super::super::place::Placed;
use super::super::style::is_unsafe;
use crate::finding::Severity;

/// What comes before the suites.
pub const BEGIN: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rubricator\">\n";
/// What comes after them.
pub const END: &str = "</testsuites>\n";

/// One file. Errors and warnings fail; the rest is shown as passed with its words.
pub fn suite(file: &str, findings: &[Placed]) -> String {
    let fails = |p: &&Placed| p.finding.severity <= Severity::Warning;
    let failures = findings.iter().filter(fails).count();
    let tests = findings.len().max(1);
    let name = xml(file);
    let mut out =
        format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">\n");
    if findings.is_empty() {
        out += &format!("    <testcase classname=\"{name}\" name=\"no findings\"/>\n");
    }
    for placed in findings {
        out += &case(&name, placed, fails(&placed));
    }
    out + "  </testsuite>\n"
}

fn case(name: &str, placed: &Placed, fails: bool) -> String {
    let finding = &placed.finding;
    let (line, column) = placed.from;
    let code = xml(&finding.code);
    let message = xml(&finding.message);
    let severity = finding.severity.name();
    let body = if fails {
        format!(
            "<failure type=\"{severity}\" message=\"{message}\">{name}:{line}:{column}</failure>"
        )
    } else {
        format!("<system-out>{name}:{line}:{column}: {severity}: {message}</system-out>")
    };
    format!(
        "    <testcase classname=\"{name}\" name=\"{code} at {line}:{column}\" line=\"{line}\">{body}</testcase>\n"
    )
}

/// Text for XML: escaped, and without the characters XML 1.0 cannot hold.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", c as u32)),
            c if c > '~' && is_unsafe(c) => out.push_str(&format!("&#x{:x};", c as u32)),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::place::{Start, place};
    use super::*;
    use crate::finding::Finding;
    use crate::text::Span;

    #[test]
    fn text_is_escaped() {
        let made = Finding::new("X1", Severity::Error, Span::new(0, 1), "a <b> & \u{1b}\"c\"");
        let placed = place("ab", Start::of_file(0), vec![made]);
        let suite = suite("a&b.jsonl", &placed);
        assert!(suite.contains("message=\"a &lt;b&gt; &amp; \u{fffd}&quot;c&quot;\""), "{suite}");
        assert!(suite.contains("name=\"a&amp;b.jsonl\" tests=\"1\" failures=\"1\""), "{suite}");
    }
}
