//! `doctor --format json`: one object, its records in rows.

use std::sync::Arc;

use serde_json::json;

use super::Sums;
use crate::cli::place::Placed;
use crate::cli::report::json::finding;
use crate::doctor::{Count, Fate, Target};
use crate::tokens::Precision;

/// One record.
pub struct Row<'a> {
    pub file: &'a str,
    pub line: usize,
    pub id: Option<Arc<str>>,
    pub fate: Fate,
    pub count: Option<Count>,
    pub findings: Vec<Placed>,
}

impl Row<'_> {
    /// The row, behind what separates it from the one before.
    pub fn json(&self, is_first: bool) -> String {
        let count = |of: fn(&Count) -> usize| self.count.as_ref().map(of);
        let precision = self.count.map(|c| match c.precision {
            Precision::Exact => "exact",
            Precision::Estimate(_) => "estimate",
        });
        let head = json!({
            "file": self.file,
            "line": self.line,
            "id": self.id.as_deref(),
            "fate": self.fate.name(),
            "tokens": count(|c| c.tokens),
            "trained": count(|c| c.trained),
            "kept": count(|c| c.kept),
            "kept_trained": count(|c| c.kept_trained),
            "precision": precision,
        });
        let head = head.to_string();
        let findings: Vec<String> = self.findings.iter().map(|p| finding(self.file, p)).collect();
        let separator = if is_first { "\n  " } else { ",\n  " };
        let head = head.trim_end_matches('}');
        format!("{separator}{head},\"findings\":[{}]}}", findings.join(","))
    }
}

/// The start of the object.
pub fn begin(target: &Target) -> String {
    let head = json!({
        "target": target.trainer.name(),
        "loss": target.loss.name(),
        "template": target.counter.template().name(),
        "tokenizer": target.counter.counter().label(),
        "max_length": target.max_length,
    });
    let head = head.to_string();
    format!("{},\"records\":[", head.trim_end_matches('}'))
}

/// What is said of a file as a whole: a row without a line.
pub fn file(name: &str, placed: &[Placed], is_first: bool) -> String {
    if placed.is_empty() {
        return String::new();
    }
    let findings: Vec<String> = placed.iter().map(|p| finding(name, p)).collect();
    let separator = if is_first { "\n  " } else { ",\n  " };
    let name = json!(name);
    format!("{separator}{{\"file\":{name},\"line\":null,\"findings\":[{}]}}", findings.join(","))
}

/// The end of the object.
pub fn end(sums: &Sums) -> String {
    let [whole, changed, cut, dropped, refused] = sums.fates;
    let summary = json!({
        "records": sums.records, "whole": whole, "changed": changed, "cut": cut,
        "dropped": dropped, "refused": refused, "tokens": sums.tokens, "trained": sums.trained,
        "kept": sums.kept, "kept_trained": sums.kept_trained, "uncounted": sums.uncounted,
        "exact": sums.estimate.is_none(), "estimate": sums.estimate,
    });
    format!("\n],\"summary\":{summary}}}")
}
