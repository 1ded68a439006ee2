//! What a person can say of the transcript, and of the findings, under the cursor.
//!
//! Invariant: every action names the text and the answer it is about, so that what
//! is pressed later, or about a text that has changed, is refused and not guessed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tower_lsp_server::gen_lsp_types::{CodeAction, CodeActionKind, Command};

use crate::review::Review;
use crate::rubric::{ExampleLabel, Verdict};
use crate::text::Span;
use crate::transcript::TranscriptDigest;

use super::super::judged::Judged;
use super::super::reviews::batch_of;
use super::super::shelf::{Record, Shelf};
use super::super::snapshot::Snapshot;
use super::execute_command;

/// The kind of these actions.
pub const KIND: CodeActionKind = CodeActionKind::new("source.rubricator.review");

/// What can be said at a place. `thorough`: also that criteria which nobody failed
/// should have failed.
pub fn actions(snapshot: &Snapshot, shelf: &Shelf, place: Span, thorough: bool) -> Vec<CodeAction> {
    let Some(reviews) = &snapshot.reviews else { return Vec::new() };
    let Some(record) = shelf.meeting(place).find(|record| record.digest().is_some()) else {
        return Vec::new();
    };
    let (Some(outline), Some(now)) = (record.outline(), record.digest()) else {
        return Vec::new();
    };
    let digest = now.to_string();
    let target = json!({"uri": snapshot.uri.0, "transcript": &*outline.id, "digest": digest});
    let review = reviews.reviewed().of(&outline.id, &digest);
    let mut actions = Vec::new();
    if let Some(judged) = record.judged {
        let here = findings_at(&record, judged, place);
        for criterion in here.keys() {
            actions.extend(on_finding(&target, judged, criterion, now));
        }
        for (criterion, exchange) in here {
            actions.extend(examples(&target, criterion, exchange));
        }
    }
    if !matches!(review, Review::Accepted(_)) {
        actions.push(action("Accept this transcript".into(), &target, json!({"say": "accept"})));
    }
    if !matches!(review, Review::Rejected(_)) {
        actions.push(action("Reject this transcript".into(), &target, json!({"say": "reject"})));
    }
    actions.push(action(
        "Note a missing criterion".into(),
        &target,
        json!({"say": "missing", "ask": "note"}),
    ));
    if let Some(batch) = batch_of(&snapshot.live, &snapshot.uri, shelf, outline) {
        let title = format!("Declare batch {batch} satisfactory");
        actions.push(action(title, &target, json!({"say": "satisfactory", "batch": batch})));
    }
    if let Some(judged) = record.judged.filter(|_| thorough) {
        actions.extend(misses(&target, judged, now));
    }
    actions
}

/// The criteria of the judged findings that meet the place, and the exchange of each.
fn findings_at<'a>(
    record: &Record<'_>,
    judged: &'a Judged,
    place: Span,
) -> BTreeMap<&'a str, Option<u32>> {
    let by = record.span().start;
    let here = judged.findings.iter().filter(|f| f.judged && f.span.shifted(by).meets(place));
    here.map(|finding| (&*finding.code, finding.exchange)).collect()
}

/// The reply as an example of the criterion, under each label.
fn examples(target: &Value, criterion: &str, exchange: Option<u32>) -> Vec<CodeAction> {
    let one = |label: ExampleLabel| {
        let name = label.name();
        let more =
            json!({"say": "example", "criterion": criterion, "exchange": exchange, "label": name});
        action(format!("Use as calibration example ({name}): {criterion}"), target, more)
    };
    ExampleLabel::ALL.into_iter().map(one).collect()
}

/// Right or wrong, and a note. Of a verdict on an earlier text nothing is right or wrong.
fn on_finding(
    target: &Value,
    judged: &Judged,
    criterion: &str,
    now: TranscriptDigest,
) -> Vec<CodeAction> {
    let mut actions = Vec::new();
    let said = said(judged, criterion);
    for verdict in said.iter().copied().filter(|_| judged.is_current(now, criterion)) {
        let judges = judges_of(judged, criterion, verdict);
        let name = verdict.name();
        let more = json!({"say": "right", "criterion": criterion, "answer": name});
        actions.push(action(
            format!("Judge is right: {criterion} is {name} ({judges})"),
            target,
            more,
        ));
        for (instead, error) in opposite(verdict) {
            let name = instead.name();
            let more = json!({"say": "wrong", "criterion": criterion, "answer": name});
            let title = format!("Judge is wrong{error}: {criterion} is {name} ({judges})");
            actions.push(action(title, target, more));
        }
    }
    let more = json!({"say": "note", "ask": "note", "criterion": criterion});
    actions.push(action(format!("Note on {criterion}"), target, more));
    actions
}

/// Criteria that every judge let pass, each said to be a miss.
fn misses(target: &Value, judged: &Judged, now: TranscriptDigest) -> Vec<CodeAction> {
    let ids: BTreeSet<&String> = judged.outcomes.iter().flat_map(|j| j.outcomes.keys()).collect();
    let passed = ids
        .into_iter()
        .filter(|id| said(judged, id) == [Verdict::Yes] && judged.is_current(now, id));
    let miss = |criterion: &String| {
        let judges = judges_of(judged, criterion, Verdict::Yes);
        let title = format!("Judge is wrong (false negative): {criterion} is NO ({judges})");
        action(title, target, json!({"say": "wrong", "criterion": criterion, "answer": "NO"}))
    };
    passed.map(miss).collect()
}

/// What the answer may be instead, and what the error is then called: NO is what
/// judges are there to find.
fn opposite(verdict: Verdict) -> Vec<(Verdict, &'static str)> {
    match verdict {
        Verdict::No => vec![(Verdict::Yes, " (false positive)")],
        Verdict::Yes => vec![(Verdict::No, " (false negative)")],
        Verdict::Na => vec![(Verdict::Yes, ""), (Verdict::No, "")],
    }
}

/// The different verdicts on a criterion.
fn said(judged: &Judged, criterion: &str) -> Vec<Verdict> {
    let verdict =
        |j: &crate::assessment::JudgeOutcomes| Some(j.outcomes.get(criterion)?.answer()?.verdict);
    let mut said: Vec<Verdict> = judged.outcomes.iter().filter_map(verdict).collect();
    said.sort_by_key(|verdict| verdict.name());
    said.dedup();
    said
}

fn judges_of(judged: &Judged, criterion: &str, verdict: Verdict) -> String {
    let says = |j: &&crate::assessment::JudgeOutcomes| {
        j.outcomes.get(criterion).and_then(|o| o.answer()).is_some_and(|a| a.verdict == verdict)
    };
    let names: Vec<&str> = judged.outcomes.iter().filter(says).map(|j| j.judge.as_str()).collect();
    names.join(", ")
}

fn action(title: String, target: &Value, more: Value) -> CodeAction {
    let mut argument = target.clone();
    if let (Some(argument), Value::Object(more)) = (argument.as_object_mut(), more) {
        argument.extend(more);
    }
    CodeAction {
        kind: Some(KIND),
        command: Some(Command {
            title: title.clone(),
            tooltip: None,
            command: execute_command::Command::Review.name().to_owned(),
            arguments: Some(vec![argument]),
        }),
        title,
        ..CodeAction::default()
    }
}
