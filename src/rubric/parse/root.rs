//! The root of a rubric: name, threshold, categories, the lists of ids.

use super::criterion;
use super::fields::{Reader, short};
use super::{ReferenceRole, WrittenCategory, WrittenCriterion};
use crate::finding::{Finding, Severity};
use crate::rubric::{Category, Criterion, FixPolicy, Rubric, keys};
use crate::text::Span;
use crate::text::yaml::{Kind, Node};

/// The part of [`super::Parsed`] that is there only when the file is a rubric.
pub(super) struct Read {
    pub(super) rubric: Rubric,
    pub(super) criteria: Vec<WrittenCriterion>,
    pub(super) categories: Vec<WrittenCategory>,
}

/// Scores from which a transcript passes, where the rubric does not say.
const PASS_THRESHOLD: f64 = 0.80;

/// Exchanges a transcript needs, where the rubric does not say.
const MIN_EXCHANGES: usize = 3;

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Read> {
    let root = reader.yaml.root();
    let kind = root.map_or(Kind::Null, Node::kind);
    let (Some(root), Kind::Mapping) = (root, kind) else {
        let form = "a rubric is a mapping with `name`, `categories` and `criteria`";
        let what = match kind {
            Kind::Null => "this file is empty",
            Kind::Sequence => "this file is a list",
            _ => "this file is a single value",
        };
        if reader.findings.is_empty() || kind != Kind::Null {
            let line = reader.text.lines().next().map_or(0, |l| l.trim_end().len());
            let span = Span::new(0, line);
            reader.error("rubric-shape", span, format!("{what}: {form}"));
        }
        return None;
    };
    let meant = reader.unknown_keys(root, "a rubric", keys::ROOT);
    let mut read = Read {
        rubric: Rubric {
            name: "rubric".into(),
            pass_threshold: PASS_THRESHOLD,
            min_exchanges: MIN_EXCHANGES,
            categories: Vec::new(),
            criteria: Vec::new(),
        },
        criteria: Vec::new(),
        categories: Vec::new(),
    };
    read_settings(reader, root, &mut read.rubric);
    let mut members = Vec::new();
    if let Some(node) = root.get("categories") {
        read_categories(reader, node, &mut read, &mut members);
    }
    match root.get("criteria") {
        Some(node) => read_criteria(reader, node, &mut read),
        None if reader.yaml.masked.is_empty() && !meant.contains(&"criteria") => {
            let span = Span::new(root.span().start, root.span().start);
            let line =
                super::fields::first_line(Span::new(span.start, root.span().end), reader.text);
            reader.error(
                "missing-criteria",
                line,
                "this rubric has no `criteria`: add at least one",
            );
        }
        None => {}
    }
    assign_members(&mut read.rubric, &members);
    read_lists(reader, root, &mut read);
    Some(read)
}

fn read_settings<'a>(reader: &mut Reader<'a>, root: Node<'a>, rubric: &mut Rubric) {
    if let Some(name) = root.get("name").and_then(|node| reader.string(node, "`name`")) {
        rubric.name = name;
    }
    let threshold = root.get("pass_threshold");
    if let Some(share) = threshold.and_then(|node| reader.share(node, "`pass_threshold`")) {
        rubric.pass_threshold = share;
    }
    let least = root.get("min_exchanges");
    if let Some(count) = least.and_then(|node| reader.whole(node, "`min_exchanges`", 0)) {
        rubric.min_exchanges = count;
    }
}

/// Entries of a mapping, or of a list of mappings with an id: (id node, body, whole span).
fn named<'a>(
    reader: &mut Reader<'a>,
    node: Node<'a>,
    what: &str,
    id_keys: &[&str],
) -> Vec<(Node<'a>, Node<'a>, Span)> {
    let whole = |from: Node<'_>, to: Node<'_>| {
        let start = from.span().start;
        // A merged-in value stands elsewhere.
        Span::new(start, to.span().end.max(from.span().end).max(start))
    };
    match node.kind() {
        Kind::Mapping => {
            node.entries().into_iter().map(|(key, value)| (key, value, whole(key, value))).collect()
        }
        Kind::Sequence => {
            let mut found: Vec<(Node<'a>, Node<'a>, Span)> = Vec::new();
            for item in node.items() {
                let Some(id) = id_keys.iter().find_map(|key| item.get(key)) else {
                    let wanted = format!("a mapping with `{}`", id_keys[0]);
                    reader.wrong_type(item, &format!("an item of {what}"), &wanted);
                    continue;
                };
                if found.iter().any(|(other, ..)| other.text() == id.text()) {
                    let message = format!(
                        "`{}` is already defined: remove or rename one of the two",
                        short(id.text().unwrap_or(""))
                    );
                    reader.error("duplicate-id", id.span(), message);
                    continue;
                }
                found.push((id, item, item.span()));
            }
            found
        }
        Kind::Null => Vec::new(),
        Kind::Scalar => {
            reader.wrong_type(node, what, "a mapping by id");
            Vec::new()
        }
    }
}

fn read_categories<'a>(
    reader: &mut Reader<'a>,
    node: Node<'a>,
    read: &mut Read,
    members: &mut Vec<(String, usize)>,
) {
    for (key, body, block) in named(reader, node, "`categories`", &["id", "name"]) {
        let Some(id) = key.text() else {
            reader.wrong_type(key, "the id of a category", "a name");
            continue;
        };
        let index = read.rubric.categories.len();
        reader.refer(key, ReferenceRole::Category);
        let mut category = Category { id: id.to_owned(), weight: 0.0, source: key.span() };
        let mut written = WrittenCategory { block, weight: None };
        let mut meant = Vec::new();
        // `comprehension: 0.15` is short for a weight alone.
        let weight = match body.kind() {
            Kind::Mapping => {
                let mut known = keys::CATEGORY.to_vec();
                if node.kind() == Kind::Sequence {
                    known.push(keys::Key { name: "id", about: "" });
                }
                meant = reader.unknown_keys(body, "a category", &known);
                body.get("weight")
            }
            Kind::Scalar => Some(body),
            _ => None,
        };
        match weight {
            Some(weight) => {
                if let Some(number) = reader.share(weight, "`weight`") {
                    category.weight = number;
                    written.weight = Some(weight.span()).filter(|_| !weight.is_alias());
                }
            }
            None if !reader.yaml.is_masked(block) && !meant.contains(&"weight") => {
                let message =
                    format!("category `{id}` has no `weight`: give it one, 0 if it only gates");
                reader.error("missing-weight", key.span(), message);
            }
            None => {}
        }
        if let Some(list) = body.get("criteria") {
            for member in reader.names(list, "`criteria`") {
                reader.refer(member, ReferenceRole::Member(index));
                members.push((member.text().unwrap_or("").to_owned(), index));
            }
        }
        read.rubric.categories.push(category);
        read.categories.push(written);
    }
}

fn read_criteria<'a>(reader: &mut Reader<'a>, node: Node<'a>, read: &mut Read) {
    if node.kind() == Kind::Null {
        reader.wrong_type(node, "`criteria`", "a mapping by id");
    }
    relabel_duplicates(reader, node);
    let list = node.kind() == Kind::Sequence;
    for (key, body, block) in named(reader, node, "`criteria`", &["id"]) {
        let Some(id) = key.text() else {
            reader.wrong_type(key, "the id of a criterion", "a name");
            continue;
        };
        reader.refer(key, ReferenceRole::Criterion);
        check_id(reader, key, id);
        let entry = criterion::Entry { id, key, body, block, list };
        if let Some((mut criterion, written, category)) = criterion::read(reader, &entry) {
            let named = |c: &Category| Some(c.id.as_str()) == category.as_deref();
            criterion.category = read.rubric.categories.iter().position(named);
            read.rubric.criteria.push(criterion);
            read.criteria.push(written);
        }
    }
}

/// A key that is twice under `criteria` is a criterion that is there twice.
fn relabel_duplicates<'a>(reader: &mut Reader<'a>, node: Node<'a>) {
    let keys: Vec<Span> = node.written_entries().map(|(key, _)| key.span()).collect();
    for finding in &mut reader.findings {
        if finding.code == "duplicate-key" && keys.contains(&finding.span) {
            finding.code = "duplicate-id".into();
        }
    }
}

/// Ids match `[A-Za-z][A-Za-z0-9_-]{0,63}` and look like no structure rule.
fn check_id<'a>(reader: &mut Reader<'a>, key: Node<'a>, id: &str) {
    let bytes = id.as_bytes();
    let formed = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.len() <= 64
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !formed {
        let message = format!(
            "`{}` cannot be an id: start with a letter, then letters, digits, `_` and `-`, at most 64",
            short(id)
        );
        reader.error("bad-id", key.span(), message);
        return;
    }
    if is_rule(id) {
        let message = format!("`{id}` looks like a structure rule: choose another id, as `{id}x`");
        reader.error("bad-id", key.span(), message);
    }
}

/// True for an id that looks like a structure rule.
pub(in crate::rubric) fn is_rule(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.len() == 4
        && b"FJRMTKWPCSD".contains(&bytes[0])
        && bytes[1..].iter().all(u8::is_ascii_digit)
}

/// Membership by the lists of categories; the first list wins.
fn assign_members(rubric: &mut Rubric, members: &[(String, usize)]) {
    for criterion in &mut rubric.criteria {
        let listed = members.iter().find(|(id, _)| *id == criterion.id);
        criterion.category = listed.map(|(_, index)| *index).or(criterion.category);
    }
}

/// `safety_gates` and `na_invalid`.
fn read_lists<'a>(reader: &mut Reader<'a>, root: Node<'a>, read: &mut Read) {
    if let Some(list) = root.get("safety_gates") {
        for gate in reader.names(list, "`safety_gates`") {
            reader.refer(gate, ReferenceRole::Gate);
            let id = gate.text().unwrap_or("");
            each(&mut read.rubric.criteria, id, |criterion| criterion.gate = true);
        }
    }
    let na_invalid = root.get("na_invalid");
    let mut invalid = Vec::new();
    if let Some(list) = na_invalid {
        for item in reader.names(list, "`na_invalid`") {
            reader.refer(item, ReferenceRole::NaInvalid);
            invalid.push(item.text().unwrap_or(""));
        }
    }
    let both = read.rubric.criteria.iter_mut().zip(&mut read.criteria);
    for (criterion, written) in both {
        let listed = invalid.contains(&criterion.id.as_str());
        if listed {
            note_conflict(reader, criterion, written);
            criterion.na_valid = false;
        } else if written.na_valid.is_none() {
            // A computed check says NA only where it does not apply.
            criterion.na_valid = na_invalid.is_some() || !criterion.is_question();
        }
        written.na_declared = written.na_valid.is_some() || na_invalid.is_some();
        if criterion.gate && criterion.fix == FixPolicy::Rewrite {
            criterion.fix = FixPolicy::Truncate;
        }
    }
}

fn note_conflict(reader: &mut Reader<'_>, criterion: &Criterion, written: &WrittenCriterion) {
    if let (true, Some(span)) = (criterion.na_valid, written.na_valid) {
        let message = format!(
            "NA is valid here and invalid by `na_invalid`: remove one of the two (read as invalid for `{}`)",
            criterion.id
        );
        reader.findings.push(Finding::new("na-conflict", Severity::Warning, span, message));
    }
}

fn each(criteria: &mut [Criterion], id: &str, change: impl Fn(&mut Criterion)) {
    criteria.iter_mut().filter(|c| c.id == id).for_each(change);
}
