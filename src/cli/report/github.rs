//! A finding as a GitHub Actions annotation (workflow commands).

use super::super::place::Placed;
use super::super::style::plain;
use crate::finding::Severity;

/// The finding as one workflow command.
pub fn finding(file: &str, placed: &Placed) -> String {
    let finding = &placed.finding;
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Hint => "notice",
    };
    let mut place = format!("file={},line={}", property(file), placed.from.0);
    place += &format!(",endLine={}", placed.to.0);
    // GitHub refuses columns on annotations over several lines.
    if placed.from.0 == placed.to.0 {
        place += &format!(",col={},endColumn={}", placed.from.1, placed.to.1);
    }
    format!("::{command} {place},title={}::{}", property(&finding.code), data(&finding.message))
}

fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    // Logs are shown by terminals too.
    plain(&text).into_owned()
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::super::place::{Start, place};
    use super::*;
    use crate::finding::Finding;
    use crate::text::Span;

    #[test]
    fn text_cannot_start_another_command() {
        let made = Finding::new("X1", Severity::Hint, Span::new(0, 1), "50%\n::error::boo");
        let placed = place("ab", Start::of_file(0), vec![made]).remove(0);
        assert_eq!(
            finding("a,b:c", &placed),
            "::notice file=a%2Cb%3Ac,line=1,endLine=1,col=1,endColumn=2,title=X1::50%25%0A::error::boo"
        );
    }
}
