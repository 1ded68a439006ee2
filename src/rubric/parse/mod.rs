//! YAML → [`Rubric`], for any text: whatever is wrong becomes a finding and is
//! left out, or gets a safe value.
//!
//! Invariants: never fails and never loops; every finding here is about the
//! *form* of the file. What the rubric as a whole lacks (weights, unknown ids,
//! examples) is said by `analysis::diagnostics::rubric`, from [`Parsed`].

mod check;
mod criterion;
mod fields;
mod root;

pub(super) use root::is_rule;

use super::Rubric;
use crate::finding::{Finding, Place, Related, Severity};
use crate::text::Span;
use crate::text::yaml::{self, ProblemKind, Yaml};

/// What a rubric file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The rubric; `None` when the file is none at all.
    pub rubric: Option<Rubric>,
    /// What is wrong with the form of the file, by place.
    pub findings: Vec<Finding>,
    /// Every place that names a criterion or category, by place.
    pub references: Vec<Reference>,
    /// Where the parts of `rubric.criteria` are written, index for index.
    pub criteria: Vec<WrittenCriterion>,
    /// Where the parts of `rubric.categories` are written, index for index.
    pub categories: Vec<WrittenCategory>,
    /// The tree it was read from.
    pub yaml: Yaml,
}

/// A place that names a criterion or a category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The id.
    pub id: String,
    /// Where, with quotes if there are any.
    pub span: Span,
    /// As what.
    pub role: ReferenceRole,
}

/// What a [`Reference`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceRole {
    /// Defines a criterion.
    Criterion,
    /// Defines a category.
    Category,
    /// Names a criterion in the list of the category with this index.
    Member(usize),
    /// Names a criterion in `safety_gates`.
    Gate,
    /// Names a criterion in `na_invalid`.
    NaInvalid,
    /// Names the category of the criterion with this key span.
    CategoryOf(Span),
}

/// Where a criterion is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenCriterion {
    /// From its key to the end of its value.
    pub block: Span,
    /// Its value: the mapping.
    pub body: Span,
    /// Its question.
    pub question: Option<Span>,
    /// The value of `na_valid`.
    pub na_valid: Option<Span>,
    /// The value of `fix`.
    pub fix: Option<Span>,
    /// The value of `subjectivity`.
    pub subjectivity: Option<Span>,
    /// The value of `calibration_examples`.
    pub examples: Option<Span>,
    /// The names under `statistics`.
    pub statistics: Vec<Span>,
    /// NA validity is said somewhere: on the criterion or by `na_invalid`.
    pub na_declared: bool,
}

/// Where a category is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenCategory {
    /// From its key to the end of its value.
    pub block: Span,
    /// The value of its weight, when it is a usable number.
    pub weight: Option<Span>,
}

/// Reads a rubric.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let yaml = yaml::parse(text);
    let mut reader = fields::Reader {
        text,
        yaml: &yaml,
        findings: yaml.problems.iter().map(problem_finding).collect(),
        references: Vec::new(),
    };
    let read = root::read(&mut reader);
    let (mut findings, mut references) = (reader.findings, reader.references);
    findings.sort_by_key(|finding| finding.span);
    references.sort_by_key(|reference| reference.span);
    let mut parsed = Parsed { findings, references, ..Parsed::default() };
    if let Some(read) = read {
        parsed.rubric = Some(read.rubric);
        parsed.criteria = read.criteria;
        parsed.categories = read.categories;
    }
    parsed.yaml = yaml;
    parsed
}

impl Parsed {
    /// True when part of the file could not be read: absence proves nothing then.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        !self.yaml.masked.is_empty()
            || self.yaml.problems.iter().any(|p| !matches!(p.kind, ProblemKind::DuplicateKey(_)))
    }

    /// True when the form of the file has an error, so that scores made with it
    /// could miss a criterion or a gate.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

fn problem_finding(problem: &yaml::Problem) -> Finding {
    let (code, severity) = match problem.kind {
        ProblemKind::Syntax => ("yaml-syntax", Severity::Error),
        ProblemKind::DuplicateKey(_) => ("duplicate-key", Severity::Error),
        ProblemKind::Alias => ("yaml-alias", Severity::Error),
        ProblemKind::Depth => ("yaml-depth", Severity::Error),
        ProblemKind::Documents => ("yaml-documents", Severity::Warning),
        ProblemKind::Size => ("yaml-size", Severity::Error),
    };
    let mut finding = Finding::new(code, severity, problem.span, problem.message.clone());
    if let ProblemKind::DuplicateKey(first) = problem.kind {
        let message = "the first one, which counts".to_owned();
        finding.related.push(Related { place: Place::Rubric(first), message });
    }
    finding
}

#[cfg(test)]
mod tests;
