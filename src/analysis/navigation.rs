//! From one place that names a criterion or a category of a rubric to the others.
//!
//! Invariant: pure over what was read of the rubric, so it works while the rest of the
//! file is broken.

use crate::rubric::parse::{Parsed, Reference, ReferenceRole};
use crate::text::Span;

/// A criterion or a category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// It is a category.
    pub is_category: bool,
}

impl Named {
    /// A criterion.
    #[must_use]
    pub fn criterion(id: &str) -> Self {
        Self { id: id.to_owned(), is_category: false }
    }

    /// What byte `at` of a rubric names.
    #[must_use]
    pub fn at(parsed: &Parsed, at: usize) -> Option<Self> {
        let here = parsed.references.iter().filter(|one| one.span.touches(at));
        let nearest = here.min_by_key(|one| one.span.end - one.span.start)?;
        Some(Self { id: nearest.id.clone(), is_category: is_of_category(nearest) })
    }

    /// Where it is defined.
    #[must_use]
    pub fn definition(&self, parsed: &Parsed) -> Option<Span> {
        self.mentions(parsed).find(|(_, defines)| *defines).map(|(span, _)| span)
    }

    /// Every place that names it, in order; true where it is defined.
    pub fn mentions<'a>(&'a self, parsed: &'a Parsed) -> impl Iterator<Item = (Span, bool)> + 'a {
        let is_it = |one: &&Reference| one.id == self.id && is_of_category(one) == self.is_category;
        let defines = |one: &Reference| {
            matches!(one.role, ReferenceRole::Criterion | ReferenceRole::Category)
        };
        parsed.references.iter().filter(is_it).map(move |one| (one.span, defines(one)))
    }
}

fn is_of_category(reference: &Reference) -> bool {
    matches!(reference.role, ReferenceRole::Category | ReferenceRole::CategoryOf(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse::parse;

    #[test]
    fn ids_lead_to_their_definition_and_to_each_other() {
        let text = "\
categories:
  A: {weight: 1.0, criteria: [A, \"B\"]}
safety_gates: [B]
criteria:
  A: {question: Is it kind?}
  B: {question: Is it safe?, category: A}
";
        let parsed = parse(text);
        let at = |needle: &str| text.find(needle).unwrap();
        let b = Named::at(&parsed, at("B]\ncriteria")).unwrap();
        assert_eq!(b, Named::criterion("B"));
        assert_eq!(b.definition(&parsed).unwrap().start, at("B: {"));
        let words: Vec<(&str, bool)> =
            b.mentions(&parsed).map(|(span, defines)| (span.of(text), defines)).collect();
        assert_eq!(words, [("\"B\"", false), ("B", false), ("B", true)]);
        let category = Named::at(&parsed, at("A}\n")).unwrap();
        assert!(category.is_category);
        assert_eq!(category.definition(&parsed).unwrap().start, at("A: {weight"));
        assert_eq!(Named::at(&parsed, at("Is it kind")), None);
    }
}
