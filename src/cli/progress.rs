//! How far a project is, for `status`: the gate of each batch, and what is open of
//! the conditions of being done.
//!
//! Invariant: where something keeps that from being told, `status` says so and
//! shows the rest.

use serde_json::{Value, json};

use super::audit;
use super::check::{context, transcripts};
use super::gate;
use super::scan::Source;
use super::style::{Style, plain};
use super::{Failure, Session};
use crate::analysis::context::Families;
use crate::engine::rules;
use crate::engine::workspace::{Project, transcripts_in};
use crate::review::census::{Census, to_json};
use crate::review::gate::Gate;
use crate::review::goals::{self, Goal, Progress};

/// How far it is.
pub struct Found {
    census: Census,
    goals: Vec<Goal>,
}

/// How far a project is; `None` where it has no transcripts or is no project.
pub fn of(project: &Project, session: &mut Session) -> Option<Result<Found, Failure>> {
    let root = project.root.clone()?;
    let files = transcripts_in(&mut session.workspace, &root);
    if files.is_empty() {
        return None;
    }
    Some(found(project, &root, &files, session))
}

fn found(
    project: &Project,
    root: &std::path::Path,
    files: &[std::path::PathBuf],
    session: &mut Session,
) -> Result<Found, Failure> {
    let shelves = gate::shelves(&[root.to_owned()], session)?;
    let mut census = Census::default();
    // A project inside this one has a gate of its own.
    for shelf in shelves.iter().filter(|shelf| shelf.root == root) {
        census = gate::census(shelf)?;
    }
    let settings = project.settings();
    let families = Families { structure: true, tokens: false, checks: false };
    let context = context(&rules::load(project), project, families, false);
    let sources: Vec<Source> = files.iter().cloned().map(Source::Disk).collect();
    // A file that cannot be read is no file without errors.
    let has_errors =
        |source: &&Source| transcripts::errors(source, &context, settings).unwrap_or(1) > 0;
    let broken: Vec<String> = sources.iter().filter(has_errors).map(Source::shown).collect();
    let gates: Vec<Gate> = census.gates.iter().map(|(gate, _)| gate.clone()).collect();
    let goals = goals::of(Progress {
        gates: &gates,
        usable: census.usable,
        target: settings.target.transcripts,
        files: files.len(),
        broken: &broken,
        flags: audit::flagged(settings, &sources).ok(),
    });
    Ok(Found { census, goals })
}

/// Prints it.
pub fn print(found: &Option<Result<Found, Failure>>, session: &mut Session) {
    let style = Style::new(session.out.color);
    match found {
        None => {}
        Some(Err(why)) => {
            session.out.line(&format!("{:<12} unknown: {}", "batches", plain(&why.message)));
        }
        Some(Ok(found)) => {
            session.out.line("");
            for (gate, warnings) in &found.census.gates {
                session.out.write(&gate::text(gate, warnings, style));
            }
            session.out.line("");
            session.out.line("done when");
            for goal in &found.goals {
                let state =
                    if goal.is_met { style.good("✓ met ") } else { style.bold("· open") };
                session.out.line(&format!("    {state} {}", plain(&goal.says)));
            }
        }
    }
}

/// Adds it to what `status --format json` prints.
pub fn add(found: &Option<Result<Found, Failure>>, value: &mut Value) {
    let Some(Ok(found)) = found else {
        let why = found.as_ref().and_then(|f| f.as_ref().err()).map(|why| why.message.clone());
        value["batches"] = Value::Null;
        value["done_when"] = Value::Null;
        value["batches_unknown"] = json!(why);
        return;
    };
    let gates = &found.census.gates;
    value["batches"] = gates.iter().map(|(gate, warnings)| to_json(gate, warnings)).collect();
    value["done_when"] = found.goals.iter().map(Goal::to_json).collect();
    value["done"] = found.goals.iter().all(|goal| goal.is_met).into();
}
