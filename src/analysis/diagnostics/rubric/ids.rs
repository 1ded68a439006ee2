//! Ids: every list names criteria that exist, once, and every criterion counts somewhere.

use std::collections::BTreeMap;

use super::{File, insert, warning};
use crate::finding::{Finding, Fix, Place, Related, Severity};
use crate::rubric::parse::{Reference, ReferenceRole};
use crate::text::nearest::nearest;

pub(super) fn check(file: &File<'_>, findings: &mut Vec<Finding>) {
    if !file.parsed.is_damaged() {
        check_known(file, findings);
        check_orphans(file, findings);
    }
    check_twice(file, findings);
}

fn check_known(file: &File<'_>, findings: &mut Vec<Finding>) {
    let criteria: Vec<&str> = file.defined().into_keys().collect();
    let categories: Vec<&str> = file.rubric.categories.iter().map(|c| c.id.as_str()).collect();
    for reference in &file.parsed.references {
        let (code, known, what) = match reference.role {
            ReferenceRole::Member(_) => ("unknown-id", &criteria, "is no criterion"),
            ReferenceRole::Gate => {
                ("unknown-gate", &criteria, "is no criterion, so this gate protects nothing")
            }
            ReferenceRole::NaInvalid => ("unknown-na", &criteria, "is no criterion"),
            ReferenceRole::CategoryOf(_) => ("unknown-category", &categories, "is no category"),
            ReferenceRole::Criterion | ReferenceRole::Category => continue,
        };
        if !known.contains(&reference.id.as_str()) {
            findings.push(unknown(file, reference, code, known, what));
        }
    }
}

fn unknown(
    file: &File<'_>,
    reference: &Reference,
    code: &'static str,
    known: &[&str],
    what: &str,
) -> Finding {
    let id = &reference.id;
    let near = nearest(id, known.iter().copied());
    let advice = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it, or remove it here".into(),
    };
    let message = format!("`{id}` {what}: {advice}");
    let mut finding = Finding::new(code, Severity::Error, reference.span, message);
    if let Some(near) = near {
        let title = format!("Change to `{near}`");
        finding = finding.with_fix(Fix::suggested(title, reference.span, near));
    }
    if !matches!(reference.role, ReferenceRole::CategoryOf(_)) {
        let span = insert::item_with_separator(file.text, reference.span);
        finding = finding.with_fix(Fix::suggested(format!("Remove `{id}`"), span, ""));
    }
    finding
}

/// The same id twice in a list, or a criterion in two categories.
fn check_twice(file: &File<'_>, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(u8, &str), &Reference> = BTreeMap::new();
    for reference in &file.parsed.references {
        let list = match reference.role {
            ReferenceRole::Member(_) => 0,
            ReferenceRole::Gate => 1,
            ReferenceRole::NaInvalid => 2,
            _ => continue,
        };
        let first = *seen.entry((list, &reference.id)).or_insert(reference);
        if first.span == reference.span {
            continue;
        }
        let id = &reference.id;
        let message = match reference.role {
            ReferenceRole::Member(index) if first.role != reference.role => {
                let category = &file.rubric.categories[index].id;
                format!(
                    "`{id}` is in another category already, which counts: remove it from \
                     `{category}` or there"
                )
            }
            _ => format!("`{id}` is in this list already: remove it here"),
        };
        let span = insert::item_with_separator(file.text, reference.span);
        let mut finding = warning("duplicate-member", reference.span, message)
            .with_fix(Fix::suggested(format!("Remove `{id}`"), span, ""));
        let message = "the first one, which counts".to_owned();
        finding.related.push(Related { place: Place::Rubric(first.span), message });
        findings.push(finding);
    }
    check_disagreement(file, &seen, findings);
}

/// `category` on the criterion says something else than the lists of categories.
fn check_disagreement(
    file: &File<'_>,
    listed: &BTreeMap<(u8, &str), &Reference>,
    findings: &mut Vec<Finding>,
) {
    for (criterion, _) in file.criteria() {
        let own = file.references(|r| r == ReferenceRole::CategoryOf(criterion.source)).next();
        let list = listed.get(&(0, criterion.id.as_str()));
        let (Some(own), Some(list)) = (own, list) else { continue };
        let ReferenceRole::Member(index) = list.role else { continue };
        let category = &file.rubric.categories[index].id;
        if *category == own.id {
            continue;
        }
        let message = format!(
            "`{}` is listed in category `{category}`, which counts: change this, or remove it there",
            criterion.id
        );
        let title = format!("Change to `{category}`");
        let mut finding = warning("duplicate-member", own.span, message).with_fix(Fix::suggested(
            title,
            own.span,
            category.clone(),
        ));
        let message = format!("listed in `{category}` here");
        finding.related.push(Related { place: Place::Rubric(list.span), message });
        findings.push(finding);
    }
}

/// Criteria that no category counts. Gates count without one.
fn check_orphans(file: &File<'_>, findings: &mut Vec<Finding>) {
    if file.rubric.categories.is_empty() {
        return;
    }
    for (criterion, _) in file.criteria() {
        let own = |r: ReferenceRole| r == ReferenceRole::CategoryOf(criterion.source);
        // A category of its own that does not exist is reported as such.
        if criterion.category.is_some() || criterion.gate || file.references(own).next().is_some() {
            continue;
        }
        let message = format!(
            "`{}` is in no category, so it counts for nothing: list it in one, or make it a \
             safety gate",
            criterion.id
        );
        findings.push(warning("orphan-criterion", criterion.source, message));
    }
}
