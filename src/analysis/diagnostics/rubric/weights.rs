//! Weights: they sum to 1.0 over the weighted categories, and something is in each.

use super::{File, warning};
use crate::finding::{Edit, Finding, Fix, Safety, Severity};
use crate::rubric::parse::ReferenceRole;

/// How far the sum may be off: thirds written with three digits are fine.
const TOLERANCE: f64 = 0.001_000_1;

pub(super) fn check(file: &File<'_>, findings: &mut Vec<Finding>) {
    if file.parsed.is_damaged() {
        return;
    }
    if file.rubric.categories.is_empty() {
        let scored = file.rubric.criteria.iter().any(|c| !c.gate);
        if let Some(key) = file.root_key("criteria").filter(|_| scored) {
            let message = "no `categories`, so there is no score: add at least one with a weight \
                           and list these criteria in it";
            findings.push(warning("missing-categories", key, message));
        }
        return;
    }
    check_sum(file, findings);
    check_use(file, findings);
}

fn check_sum(file: &File<'_>, findings: &mut Vec<Finding>) {
    let categories = &file.rubric.categories;
    // A weight that could not be read has its own finding; the sum would repeat it.
    let readable = file.parsed.categories.iter().all(|c| c.weight.is_some());
    let sum: f64 = categories.iter().map(|c| c.weight).sum();
    if !readable || (sum - 1.0).abs() <= TOLERANCE {
        return;
    }
    let span = file.root_key("categories").unwrap_or(categories[0].source);
    if sum == 0.0 {
        let message =
            "no category has a weight, so there is no score: give weights that sum to 1.0";
        findings.push(warning("weights-sum", span, message));
        return;
    }
    let shown = format!("{sum:.4}");
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    let message = format!("the weights sum to {shown}: make them sum to 1.0");
    findings.push(warning("weights-sum", span, message).with_fix(rebalance(file, sum)));
}

/// Every weight in proportion, so that the written numbers sum to exactly 1.
fn rebalance(file: &File<'_>, sum: f64) -> Fix {
    let weights: Vec<f64> = file.rubric.categories.iter().map(|c| c.weight).collect();
    let vanishes = |w: &f64| *w > 0.0 && (w / sum * 100.0).round() < 1.0;
    let digits = if weights.iter().any(vanishes) { 4 } else { 2 };
    let unit = 10_f64.powi(digits);
    let mut parts: Vec<f64> = weights.iter().map(|w| (w / sum * unit).round()).collect();
    let largest = (0..parts.len()).max_by(|&a, &b| parts[a].total_cmp(&parts[b])).unwrap_or(0);
    let left = unit - parts.iter().sum::<f64>();
    parts[largest] += left;
    let mut edits = Vec::new();
    for (part, written) in parts.iter().zip(&file.parsed.categories) {
        let Some(span) = written.weight else { continue };
        let number = format!("{:.*}", if digits == 4 { 4 } else { 2 }, part / unit);
        let same =
            span.of(file.text).parse::<f64>().is_ok_and(|old| (old - part / unit).abs() < 1e-9);
        if !same {
            edits.push(Edit { span, text: number });
        }
    }
    Fix { title: "Rebalance weights to 1.0".into(), edits, safety: Safety::Suggested }
}

/// Weight without criteria, and criteria without weight.
fn check_use(file: &File<'_>, findings: &mut Vec<Finding>) {
    for (index, category) in file.rubric.categories.iter().enumerate() {
        let id = &category.id;
        let mut members = file.rubric.criteria.iter().filter(|c| c.category == Some(index));
        let listed = file.references(|role| role == ReferenceRole::Member(index)).next().is_some();
        if category.weight > 0.0 && members.next().is_none() && !listed {
            let message =
                format!("category `{id}` has a weight and no criteria: list some, or remove it");
            findings.push(warning("empty-category", category.source, message));
        } else if category.weight == 0.0 && file.parsed.categories[index].weight.is_some() {
            let mut all = file.rubric.criteria.iter().filter(|c| c.category == Some(index));
            if let Some(criterion) = all.find(|c| !c.gate) {
                let message = format!(
                    "category `{id}` weighs 0, so `{}` counts for nothing: give the category a \
                     weight, or make the criterion a safety gate",
                    criterion.id
                );
                let code = "weightless-criterion";
                findings.push(Finding::new(code, Severity::Info, category.source, message));
            }
        }
    }
}
