//! `gate`: may more transcripts like those of a batch be made?
//!
//! Invariant: it asks nobody. What judges have not answered is incomplete, and
//! what people have not read is named.

use std::collections::HashMap;

use serde_json::Value;

use super::args::{Gate as Args, GateFormat};
use super::known::{self, Shelf};
use super::report::{counted, grouped};
use super::style::{Style, plain};
use super::{Ending, Failure, Session};
use crate::assessment::{Scorecard, Standing, trust};
use crate::review::batch;
use crate::review::gate::{Decision, Gate, Member};
use crate::review::next::is_perfect;
use crate::transcript::TranscriptDigest;

/// Judges should agree on this share of the answers before scaling (WR17).
const AGREEMENT: f64 = 0.8;

/// What the gate needs of a transcript.
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Its batch.
    pub batch: String,
    /// Its digest.
    pub digest: TranscriptDigest,
    standing: Standing,
    perfect: bool,
    /// Criteria that two judges or more answered, and of them those with a split.
    compared: usize,
    split: usize,
    judges: usize,
}

impl Kept {
    /// Keeps what the gate needs.
    #[must_use]
    pub fn of(id: &str, batch: &str, digest: TranscriptDigest, card: &Scorecard) -> Self {
        let answered = |id: &str| {
            let answers = |j: &&crate::assessment::JudgeScorecard| {
                j.said.outcomes.get(id).is_some_and(|o| o.answer().is_some())
            };
            card.judges.iter().filter(answers).count() > 1
        };
        Self {
            id: id.to_owned(),
            batch: batch.to_owned(),
            digest,
            standing: card.standing,
            perfect: is_perfect(card),
            compared: card.answers.iter().filter(|(id, _)| answered(id)).count(),
            split: card.splits.len(),
            judges: card.judges.len(),
        }
    }
}

/// Prints the gate of every batch.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let shelves = known::read(&args.paths, session, |entry, card, _| {
        Kept::of(&entry.transcript.id, &entry.batch, entry.digest, &card)
    })?;
    let mut gates = Vec::new();
    for shelf in &shelves {
        for (batch, members) in batches(shelf) {
            let gate = gate(shelf, &batch, &members);
            let remarks = remarks(shelf, &members);
            gates.push((gate, remarks));
        }
    }
    let style = Style::new(session.out.color);
    match args.format {
        GateFormat::Json => {
            let all: Vec<Value> = gates.iter().map(|(gate, _)| gate.to_json()).collect();
            session.out.line(&format!("{:#}", Value::Array(all)));
        }
        GateFormat::Text => {
            for (gate, remarks) in &gates {
                session.out.write(&text(gate, remarks, style));
            }
        }
    }
    Ok(ending(&gates))
}

fn ending(gates: &[(Gate, Vec<String>)]) -> Ending {
    let ending = |gate: &Gate| match (gate.incomplete, gate.decision) {
        (0, Decision::Scale) => Ending::Good,
        (0, _) => Ending::Findings,
        _ => Ending::Incomplete,
    };
    gates.iter().map(|(gate, _)| ending(gate)).max().unwrap_or(Ending::Findings)
}

/// The batches of a project, in the order of their first transcripts.
pub fn batches(shelf: &Shelf<Kept>) -> Vec<(String, Vec<&Kept>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut batches: Vec<(String, Vec<&Kept>)> = Vec::new();
    for kept in &shelf.kept {
        let place = *places.entry(&kept.batch).or_insert(batches.len());
        if place == batches.len() {
            batches.push((kept.batch.clone(), Vec::new()));
        }
        batches[place].1.push(kept);
    }
    batches
}

/// The digest of a batch.
#[must_use]
pub fn batch_digest(members: &[&Kept]) -> String {
    batch::digest(members.iter().map(|m| m.digest))
}

fn gate(shelf: &Shelf<Kept>, batch: &str, members: &[&Kept]) -> Gate {
    let digests: Vec<String> = members.iter().map(|m| m.digest.to_string()).collect();
    let member = |(kept, digest): (&&'_ Kept, &String)| {
        let review = shelf.reviews.review(shelf.bound(&kept.id, digest));
        (kept.standing, review)
    };
    let read: Vec<_> = members.iter().zip(&digests).map(member).collect();
    let listed: Vec<Member<'_>> = members
        .iter()
        .zip(read)
        .map(|(kept, (standing, review))| Member { id: &kept.id, standing, review })
        .collect();
    let digest = batch_digest(members);
    let declared = shelf.reviews.satisfaction(batch, &digest, &shelf.rubric_digest);
    Gate::of(batch, &listed, declared)
}

/// What is worth knowing before a decision, beside the decision.
fn remarks(shelf: &Shelf<Kept>, members: &[&Kept]) -> Vec<String> {
    let mut remarks = Vec::new();
    let all = members.len();
    let perfect = members.iter().filter(|m| m.perfect).count();
    if perfect > 0 {
        remarks.push(format!(
            "{perfect} of {all} have a perfect score: read them; is the rubric strict enough?"
        ));
    }
    if members.iter().any(|m| m.judges == 1) && shelf.project.settings().judges.len() < 2 {
        remarks.push("one judge only: a second one would show where it is wrong".into());
    }
    let compared: usize = members.iter().map(|m| m.compared).sum();
    let split: usize = members.iter().map(|m| m.split).sum();
    let agreed = |n: usize| 1.0 - split as f64 / n as f64;
    if compared > 0 && agreed(compared) < AGREEMENT {
        let percent = agreed(compared) * 100.0;
        remarks.push(format!(
            "the judges agree on {percent:.0} % of the answers, under 80 %: add calibration examples where they split"
        ));
    }
    let bare = shelf.rubric.criteria.iter().filter(|c| c.is_question() && c.examples.is_empty());
    let bare: Vec<&str> = bare.map(|c| c.id.as_str()).collect();
    if !bare.is_empty() {
        remarks.push(format!("no calibration examples in {}", bare.join(", ")));
    }
    remarks
}

fn text(gate: &Gate, remarks: &[String], style: Style) -> String {
    let decision = match gate.decision {
        Decision::Scale => style.good(gate.decision.name()),
        Decision::Iterate => style.bold(gate.decision.name()),
        Decision::Revise => style.bad(gate.decision.name()),
    };
    let counts = [
        (gate.passed, "passed"),
        (gate.failed, "failed"),
        (gate.gated, "gated"),
        (gate.incomplete, "incomplete"),
        (gate.too_short, "too-short"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| format!("{} {name}", grouped(*n)))
        .collect();
    let rate = trust::wilson(gate.passed, gate.transcripts - gate.too_short).map_or_else(
        String::new,
        |rate| {
            let [value, low, high] = [rate.value, rate.low, rate.high].map(|x| x * 100.0);
            format!(", {value:.0} % passed ({low:.0} to {high:.0} % at 95 % confidence)")
        },
    );
    let mut text = format!("{decision:<8} {}\n", style.bold(&plain(&gate.batch)));
    let all = counted(gate.transcripts, "transcript");
    text += &format!("    {all}: {}{rate}; {} reviewed\n", counts.join(", "), gate.reviewed);
    for missing in &gate.missing {
        text += &format!("    missing: {}\n", plain(missing));
    }
    for remark in remarks {
        text += &format!("    {}\n", style.dim(&plain(remark)));
    }
    text
}
