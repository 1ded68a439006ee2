//! Reading typed fields out of the tree, with a finding for whatever does not fit.
//!
//! Invariant: what a syntax error blanked out is unknown, not wrong: nothing is
//! said about it here.

use super::{Reference, ReferenceRole};
use crate::finding::{Finding, Fix, Severity};
use crate::rubric::keys::Key;
use crate::text::Span;
use crate::text::nearest::nearest;
use crate::text::yaml::{Kind, Node, Yaml};

/// The tree being read, and what was found so far.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) yaml: &'a Yaml,
    pub(super) findings: Vec<Finding>,
    pub(super) references: Vec<Reference>,
}

impl<'a> Reader<'a> {
    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.findings.push(Finding::new(code, Severity::Error, span, message));
    }

    pub(super) fn warn(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.findings.push(Finding::new(code, Severity::Warning, span, message));
    }

    /// Reports a name that is none of `known`, with the nearest as a fix.
    pub(super) fn unknown(
        &mut self,
        code: &'static str,
        severity: Severity,
        node: Node<'a>,
        what: &str,
        known: &[&str],
    ) {
        let typed = node.text().unwrap_or("");
        let near = nearest(typed, known.iter().copied());
        let advice = match near {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        let message = format!("unknown {what} `{}`: {advice}", short(typed));
        let mut finding = Finding::new(code, severity, node.span(), message);
        if let Some(name) = near.filter(|_| !node.is_alias()) {
            finding =
                finding.with_fix(Fix::suggested(format!("Change to `{name}`"), node.span(), name));
        }
        self.findings.push(finding);
    }

    /// Reports every key of `node` that is none of `known`; answers with the keys
    /// they probably meant, which are not missing then.
    pub(super) fn unknown_keys(
        &mut self,
        node: Node<'a>,
        what: &str,
        known: &[Key],
    ) -> Vec<&'static str> {
        let names: Vec<&'static str> = known.iter().map(|k| k.name).collect();
        let mut meant = Vec::new();
        for (key, _) in node.written_entries() {
            let name = key.text().unwrap_or("");
            // The usual places for anchors and notes of one's own.
            let own = name.starts_with("x-") || name.starts_with(['.', '_']) || name == "<<";
            if !names.contains(&name) && !own {
                let what = format!("key of {what}");
                self.unknown("unknown-key", Severity::Warning, key, &what, &names);
                meant.extend(nearest(name, names.iter().copied()));
            }
        }
        meant
    }

    pub(super) fn wrong_type(&mut self, node: Node<'a>, what: &str, wanted: &str) {
        if self.yaml.is_masked(node.span()) {
            return;
        }
        let message = format!("{what} must be {wanted}, this is {}", said(node));
        let mut span = first_line(node.span(), self.text);
        if span.is_empty() {
            // Nothing to underline: take the key it belongs to.
            let before = self.text[..span.start].trim_end_matches(' ');
            let line = before.rfind('\n').map_or(0, |n| n + 1);
            let indent = before[line..].len() - before[line..].trim_start().len();
            span = Span::new(line + indent, before.len().max(line + indent));
        }
        self.error("wrong-type", span, message);
    }

    pub(super) fn string(&mut self, node: Node<'a>, what: &str) -> Option<String> {
        let text = node.text().map(|text| text.trim_end().to_owned());
        if text.is_none() {
            self.wrong_type(node, what, "text");
        }
        text
    }

    pub(super) fn number(&mut self, node: Node<'a>, what: &str) -> Option<f64> {
        let number = node.number();
        if number.is_none() {
            self.wrong_type(node, what, "a number");
        }
        number
    }

    /// A number from 0 to 1; anything else is reported and `None`.
    pub(super) fn share(&mut self, node: Node<'a>, what: &str) -> Option<f64> {
        let number = self.number(node, what)?;
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        let message = format!("{what} must be from 0 to 1, this is {}", node.text().unwrap_or(""));
        let mut finding = Finding::new("out-of-range", Severity::Error, node.span(), message);
        if number > 1.0 && number <= 100.0 && !node.is_alias() {
            let part = format!("{}", number / 100.0);
            let title = format!("Change to {part}");
            finding = finding.with_fix(Fix::suggested(title, node.span(), part));
        }
        self.findings.push(finding);
        None
    }

    /// A finite number above or at 0.
    pub(super) fn amount(&mut self, node: Node<'a>, what: &str) -> Option<f64> {
        let number = self.number(node, what)?;
        if number.is_finite() && number >= 0.0 {
            return Some(number);
        }
        let found = node.text().unwrap_or("");
        let message = format!("{what} must be a number from 0 upwards, this is {found}");
        self.error("out-of-range", node.span(), message);
        None
    }

    /// A whole number from `least` upwards.
    pub(super) fn whole(&mut self, node: Node<'a>, what: &str, least: usize) -> Option<usize> {
        let number = self.number(node, what)?;
        let whole = number.fract() == 0.0 && (0.0..=1e12).contains(&number);
        // Whole and far below 2^53: the cast is exact.
        let value = if whole { number as usize } else { 0 };
        if whole && value >= least {
            return Some(value);
        }
        let found = node.text().unwrap_or("");
        let message =
            format!("{what} must be a whole number from {least} upwards, this is {found}");
        self.error("out-of-range", node.span(), message);
        None
    }

    pub(super) fn truth(&mut self, node: Node<'a>, what: &str) -> Option<bool> {
        let truth = node.truth();
        if truth.is_none() {
            self.wrong_type(node, what, "true or false");
        }
        truth
    }

    /// One of a few names, in any case.
    pub(super) fn choice<T: Copy>(
        &mut self,
        node: Node<'a>,
        what: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let Some(text) = node.text() else {
            self.wrong_type(node, what, "a name");
            return None;
        };
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.unknown("unknown-value", Severity::Error, node, what, &names);
        }
        found.map(|(_, value)| *value)
    }

    /// A list of names, or one name alone.
    pub(super) fn names(&mut self, node: Node<'a>, what: &str) -> Vec<Node<'a>> {
        let all: Vec<Node<'a>> = match node.kind() {
            Kind::Sequence => node.items().collect(),
            Kind::Scalar => vec![node],
            Kind::Null => Vec::new(),
            Kind::Mapping => {
                self.wrong_type(node, what, "a list");
                Vec::new()
            }
        };
        let mut names = Vec::new();
        for item in all {
            if item.text().is_some() {
                names.push(item);
            } else {
                self.wrong_type(item, &format!("an item of {what}"), "a name");
            }
        }
        names
    }

    pub(super) fn refer(&mut self, node: Node<'a>, role: ReferenceRole) {
        if let Some(id) = node.text() {
            self.references.push(Reference { id: id.to_owned(), span: node.span(), role });
        }
    }
}

/// A few words of a user's text, for messages.
pub(super) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// The first line under a span: collections would underline half the file.
pub(super) fn first_line(span: Span, text: &str) -> Span {
    let line = span.of(text).lines().next().unwrap_or("").trim_end();
    Span::new(span.start, span.start + line.len())
}

fn said(node: Node<'_>) -> String {
    match node.kind() {
        Kind::Null => "empty".into(),
        Kind::Scalar => format!("`{}`", short(node.text().unwrap_or(""))),
        Kind::Sequence => "a list".into(),
        Kind::Mapping => "a mapping".into(),
    }
}
