//! The values that both files are written with: choices with weights, numbers, bounds.
//!
//! Invariant: what does not fit is said at its words, and left out.

use super::{Described, ROUNDING, Reader};
use crate::finding::{Finding, Severity};
use crate::generate::recipe::{Bounds, Choice};
use crate::text::Span;
use crate::text::nearest::nearest;
use crate::text::yaml::{Kind, Node};

impl Reader {
    /// A list of names, `name: weight`, `name: description`, or names with `weight`,
    /// `description` and what else there is.
    pub(super) fn choices<'a>(
        &mut self,
        node: Node<'a>,
        what: &str,
        more: &[&str],
    ) -> Vec<Described<'a>> {
        let mut found: Vec<Described<'a>> = Vec::new();
        let mut weighed = 0;
        match node.kind() {
            Kind::Sequence => {
                for item in node.items() {
                    let name = item.get("name").unwrap_or(item);
                    let Some(name) = name.text() else {
                        self.wrong(item, what, "names, each alone or under `name`");
                        continue;
                    };
                    let (name, item) =
                        (name.to_owned(), (item.kind() == Kind::Mapping).then_some(item));
                    self.choice(name, item, more, &mut weighed, &mut found);
                }
            }
            Kind::Mapping => {
                for (key, value) in node.entries() {
                    let name = key.text().unwrap_or("").to_owned();
                    self.choice(name, Some(value), more, &mut weighed, &mut found);
                }
            }
            Kind::Scalar | Kind::Null => self.wrong(node, what, "a list, or names with weights"),
        }
        self.sum(node, what, &found, weighed);
        found
    }

    pub(super) fn choice<'a>(
        &mut self,
        name: String,
        value: Option<Node<'a>>,
        more: &[&str],
        weighed: &mut usize,
        found: &mut Vec<Described<'a>>,
    ) {
        if name.is_empty() || found.iter().any(|(choice, _)| choice.name == name) {
            return;
        }
        let mut choice = Choice::new(&name, "");
        let Some(node) = value else {
            found.push((choice, None));
            return;
        };
        let weight = match node.kind() {
            Kind::Mapping => {
                let known = ["name", "weight", "description"];
                for (key, _) in node.written_entries() {
                    let typed = key.text().unwrap_or("");
                    if !known.contains(&typed) && !more.contains(&typed) && typed != "<<" {
                        let names = known.iter().chain(more).copied();
                        self.unknown(key, &format!("`{name}`"), names);
                    }
                }
                let description = node.get("description").and_then(Node::text);
                choice.description = description.map(|text| text.trim().to_owned());
                node.get("weight")
            }
            Kind::Scalar if node.number().is_some() => Some(node),
            Kind::Scalar => {
                choice.description = node.text().map(|text| text.trim().to_owned());
                None
            }
            Kind::Sequence | Kind::Null => None,
        };
        if let Some(weight) = weight.and_then(|w| self.number(w, "a weight", 0.0, f64::MAX)) {
            choice.weight = weight;
            *weighed += 1;
        }
        found.push((choice, Some(node)));
    }

    /// Weights that are all given and do not make 1 are probably a slip.
    pub(super) fn sum(
        &mut self,
        node: Node<'_>,
        what: &str,
        found: &[Described<'_>],
        weighed: usize,
    ) {
        let sum: f64 = found.iter().map(|(choice, _)| choice.weight).sum();
        let message = if found.is_empty() {
            return;
        } else if sum <= 0.0 {
            format!("nothing in {what} weighs anything, so nothing of it can be picked")
        } else if weighed == found.len() && (sum - 1.0).abs() > ROUNDING {
            format!(
                "the weights of {what} make {:.3}, not 1: they are taken as shares of that",
                sum
            )
        } else if weighed > 0 && weighed < found.len() {
            let lacks = found.len() - weighed;
            format!("{lacks} of {what} have no weight and count as 1: weigh all or none")
        } else {
            return;
        };
        // The first line is enough to see which.
        let at = node.entries().first().map_or(node, |(key, _)| *key);
        self.warn("weights", at.span(), message);
    }

    pub(super) fn texts(&mut self, node: Node<'_>) -> Vec<String> {
        let texts: Vec<String> =
            node.items().filter_map(|item| Some(item.text()?.trim().to_owned())).collect();
        match (node.text(), texts.is_empty()) {
            (Some(text), _) => vec![text.trim().to_owned()],
            (None, true) => {
                self.wrong(node, "guidance", "a list of texts");
                texts
            }
            (None, false) => texts,
        }
    }

    /// `15` or `[12, 20]`.
    pub(super) fn bounds(&mut self, node: Node<'_>, what: &str) -> Option<Bounds> {
        let whole = |node: Node<'_>| {
            node.number().filter(|n| n.fract() == 0.0 && (1.0..=100_000.0).contains(n))
        };
        let numbers: Vec<Option<f64>> = match node.kind() {
            Kind::Sequence => node.items().map(whole).collect(),
            _ => vec![whole(node); 2],
        };
        match numbers.as_slice() {
            [Some(min), Some(max)] if min <= max => {
                Some(Bounds { min: *min as usize, max: *max as usize })
            }
            _ => {
                self.wrong(node, what, "a whole number from 1, or two: [least, most]");
                None
            }
        }
    }

    pub(super) fn number(
        &mut self,
        node: Node<'_>,
        what: &str,
        least: f64,
        most: f64,
    ) -> Option<f64> {
        let number = node.number().filter(|n| (least..=most).contains(n));
        if number.is_none() {
            let wanted = match most {
                1.0 => "from 0 to 1".to_owned(),
                f64::MAX => "a number from 0".to_owned(),
                _ if least == f64::MIN_POSITIVE => format!("a number over 0, up to {most}"),
                _ => format!("a number from {least} to {most}"),
            };
            self.wrong(node, what, &wanted);
        }
        number
    }

    pub(super) fn is(&mut self, node: Node<'_>, what: &str, kind: Kind) -> bool {
        if node.kind() != kind {
            self.wrong(node, what, "names with what belongs to them");
        }
        node.kind() == kind
    }

    pub(super) fn unknown<'n>(
        &mut self,
        key: Node<'_>,
        what: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        let typed = key.text().unwrap_or("");
        let advice = match nearest(typed, known.clone()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
        };
        let short: String = typed.chars().take(40).collect();
        self.warn("unknown-key", key.span(), format!("unknown key of {what} `{short}`: {advice}"));
    }

    pub(super) fn wrong(&mut self, node: Node<'_>, what: &str, wanted: &str) {
        self.error("wrong-type", node.span(), format!("{what} must be {wanted}"));
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: String) {
        self.findings.push(Finding::new(code, Severity::Error, span, message));
    }

    pub(super) fn warn(&mut self, code: &'static str, span: Span, message: String) {
        self.findings.push(Finding::new(code, Severity::Warning, span, message));
    }
}
