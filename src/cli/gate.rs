//! `gate`: may more transcripts like those of a batch be made?
//!
//! Invariant: it asks nobody. What judges have not answered is incomplete, and
//! what people have not read is named.

use std::path::PathBuf;

use serde_json::Value;

use super::args::{Gate as Args, GateFormat};
use super::known::{self, Shelf};
use super::report::{counted, grouped};
use super::style::{Style, plain};
use super::{Ending, Failure, Session, fixups};
use crate::assessment::{Scorecard, Standing, trust};
use crate::fixup::preference::Lineage;
use crate::fixup::record;
use crate::review::census::{Beside, Census, Facts, by_batch, to_json};
use crate::review::gate::{Decision, Gate};
use crate::review::warnings::{self, Sample, Warning};
use crate::review::{batch, goals};
use crate::transcript::TranscriptDigest;

/// What the gate needs of a transcript.
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Its batch.
    pub batch: String,
    /// Its digest.
    pub digest: TranscriptDigest,
    /// How it stands.
    pub standing: Standing,
    sample: Sample,
}

impl Kept {
    /// Keeps what the gate needs.
    #[must_use]
    pub fn of(id: &str, batch: &str, digest: TranscriptDigest, card: &Scorecard) -> Self {
        Self {
            id: id.to_owned(),
            batch: batch.to_owned(),
            digest,
            standing: card.standing,
            sample: Sample::of(card),
        }
    }
}

/// Prints the gate of every batch.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let mut gates = Vec::new();
    let mut stability = Vec::new();
    for shelf in &shelves(&args.paths, session)? {
        let found = census(shelf)?.gates;
        let all: Vec<Gate> = found.iter().map(|(gate, _)| gate.clone()).collect();
        stability.push(warnings::stable(&goals::rates(&all)));
        gates.extend(found);
    }
    let style = Style::new(session.out.color);
    match args.format {
        GateFormat::Json => {
            let all: Vec<Value> =
                gates.iter().map(|(gate, warnings)| to_json(gate, warnings)).collect();
            session.out.line(&format!("{:#}", Value::Array(all)));
        }
        GateFormat::Text => {
            for (gate, warnings) in &gates {
                session.out.write(&text(gate, warnings, style));
            }
            for stable in &stability {
                let line = match stable {
                    Ok(()) => "the last three batches passed at 70 % or more".to_owned(),
                    Err(why) => format!("no stable pass rate yet: {why}"),
                };
                session.out.note(&plain(&line));
            }
        }
    }
    Ok(ending(&gates))
}

/// What is known of the transcripts that the paths name.
pub fn shelves(paths: &[PathBuf], session: &mut Session) -> Result<Vec<Shelf<Kept>>, Failure> {
    known::read(paths, session, |entry, card, _| {
        Kept::of(&entry.transcript.id, &entry.batch, entry.digest, &card)
    })
}

/// The gates of a project's batches, with warnings.
pub fn census(shelf: &Shelf<Kept>) -> Result<Census, Failure> {
    let fixups = record::read(&fixups::logged(&shelf.root)?);
    let facts = shelf.kept.iter().map(|kept| Facts {
        id: &kept.id,
        batch: &kept.batch,
        digest: kept.digest,
        standing: kept.standing,
        sample: kept.sample,
    });
    let beside = Beside {
        log: &shelf.reviews,
        rubric: &shelf.rubric,
        rubric_digest: &shelf.rubric_digest,
        lineage: &Lineage::of(&fixups),
    };
    Ok(Census::of(facts, beside))
}

fn ending(gates: &[(Gate, Vec<Warning>)]) -> Ending {
    let ending = |gate: &Gate| match (gate.incomplete, gate.decision) {
        (0, Decision::Scale) => Ending::Good,
        (0, _) => Ending::Findings,
        _ => Ending::Incomplete,
    };
    gates.iter().map(|(gate, _)| ending(gate)).max().unwrap_or(Ending::Findings)
}

/// The batches of a project, in the order of their first transcripts.
pub fn batches(shelf: &Shelf<Kept>) -> Vec<(&str, Vec<&Kept>)> {
    by_batch(&shelf.kept, |kept| &kept.batch)
}

/// The digest of a batch.
#[must_use]
pub fn batch_digest(members: &[&Kept]) -> String {
    batch::digest(members.iter().map(|m| m.digest))
}

/// A gate in words.
#[must_use]
pub fn text(gate: &Gate, warnings: &[Warning], style: Style) -> String {
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
    for warning in warnings {
        text += &format!("    {}\n", style.dim(&plain(&warning.words())));
    }
    text
}
