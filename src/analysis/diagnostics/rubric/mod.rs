//! What is wrong with a rubric as a whole, once its form is read.
//!
//! Invariants: fixes are the fewest bytes and keep comments and form; where part
//! of the file could not be read, nothing is said to be missing. Deliberately
//! absent: the form of the file (`rubric::parse`).

mod examples;
mod ids;
mod insert;
pub mod overused;
mod questions;
mod weights;

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity};
use crate::rubric::Parsed;
use crate::rubric::parse::{Reference, ReferenceRole, WrittenCriterion};
use crate::rubric::{Criterion, Rubric};
use crate::text::Span;

/// Everything to say about the rubric file `text`, form and content, by place.
#[must_use]
pub fn findings(text: &str, parsed: &Parsed) -> Vec<Finding> {
    let mut findings = parsed.findings.clone();
    if let Some(rubric) = &parsed.rubric {
        let file = File { text, parsed, rubric };
        weights::check(&file, &mut findings);
        ids::check(&file, &mut findings);
        questions::check(&file, &mut findings);
        examples::check(&file, &mut findings);
    }
    findings.sort_by_key(|finding| finding.span);
    findings
}

/// A rubric and where it is written.
struct File<'a> {
    text: &'a str,
    parsed: &'a Parsed,
    rubric: &'a Rubric,
}

impl<'a> File<'a> {
    /// The criteria with the places of their parts; those in damaged places are left out.
    fn criteria(&self) -> impl Iterator<Item = (&'a Criterion, &'a WrittenCriterion)> {
        let parsed = self.parsed;
        let pairs = self.rubric.criteria.iter().zip(&parsed.criteria);
        pairs.filter(|(_, written)| !parsed.yaml.is_masked(written.block))
    }

    /// The references in one role, in order.
    fn references(
        &self,
        wanted: impl Fn(ReferenceRole) -> bool,
    ) -> impl Iterator<Item = &'a Reference> {
        self.parsed.references.iter().filter(move |r| wanted(r.role))
    }

    /// Ids of all criteria, those that could not be kept included, with their keys.
    fn defined(&self) -> BTreeMap<&'a str, Span> {
        let definitions = self.references(|role| role == ReferenceRole::Criterion);
        definitions.map(|r| (r.id.as_str(), r.span)).collect()
    }

    /// A key of the root.
    fn root_key(&self, name: &str) -> Option<Span> {
        let root = self.parsed.yaml.root()?;
        let mut entries = root.written_entries();
        entries.find(|(key, _)| key.text() == Some(name)).map(|(key, _)| key.span())
    }
}

fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Finding {
    Finding::new(code, Severity::Warning, span, message)
}

#[cfg(test)]
mod tests;
