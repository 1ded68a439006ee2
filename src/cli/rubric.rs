//! `rubric history`: how the criteria changed from run to run of `assess`, and what
//! that did to the pass rate.
//!
//! Invariant: nobody is asked and nothing is written. Only runs that this user made
//! count; a change that was not kept is said to be unknown, never guessed.

use serde_json::{Value, json};

use super::args::{GateFormat, History as Args, Rubric as Action};
use super::report::counted;
use super::style::{Style, plain};
use super::{Ending, Failure, Session, assess};
use crate::assessment::output::rounded;
use crate::engine::rules;
use crate::engine::runs::{self, Run};
use crate::engine::store::owner;
use crate::engine::workspace::{data_dir, plain as plain_error};
use crate::rubric::history::{Change, Version};

/// The runs with one and the same rubric.
struct Stretch {
    first: Run,
    last: Run,
    /// What changed since the stretch before; `None` where that was not kept.
    changes: Option<Vec<Change>>,
}

/// Does what was typed.
pub fn run(action: &Action, session: &mut Session) -> Result<Ending, Failure> {
    let Action::History(args) = action;
    history(args, session)
}

fn history(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let project = session.workspace.project_of(&args.path);
    let root = project
        .root
        .clone()
        .ok_or_else(|| Failure::new("there is no project here: `rubricator init` makes one"))?;
    let data = data_dir().ok_or_else(|| Failure::new("your home folder is unknown"))?;
    let failed = |e: std::io::Error| Failure::new(format!("the runs: {}", plain_error(&e)));
    let all = owner::id(&data).and_then(|owner| runs::list(&root, &owner)).map_err(failed)?;
    let versions = runs::versions(&root).map_err(failed)?;
    let stretches = stretches(all, &versions);
    let rules = rules::load(&project);
    let now = assess::usable_rubric(&project, &rules).ok().map(|rubric| Version::of(&rubric));
    let pending = now.and_then(|now| since(&now, &stretches, &versions));
    match args.format {
        GateFormat::Json => {
            let rows: Vec<Value> = rows(&stretches).collect();
            session.out.line(&format!("{:#}", Value::Array(rows)));
        }
        GateFormat::Text => {
            let style = Style::new(session.out.color);
            let mut before = None;
            for stretch in &stretches {
                session.out.write(&text(stretch, before, style));
                before = stretch.last.pass_rate().or(before);
            }
            if stretches.is_empty() {
                session.out.note("no run is kept here yet: `rubricator assess` keeps them");
            }
            if let Some(changes) = pending.filter(|changes| !changes.is_empty()) {
                session.out.line(&style.bold("not assessed with yet"));
                session.out.write(&listed(Some(&changes)));
            }
        }
    }
    Ok(Ending::Good)
}

/// What the rubric in force changed since the last run.
fn since(now: &Version, stretches: &[Stretch], versions: &[Version]) -> Option<Vec<Change>> {
    let last = version(versions, &stretches.last()?.last.rubric_digest)?;
    Some(now.changes_since(last))
}

fn version<'a>(versions: &'a [Version], digest: &str) -> Option<&'a Version> {
    versions.iter().find(|version| version.rubric_digest == digest)
}

fn stretches(all: Vec<Run>, versions: &[Version]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for run in all {
        match stretches.last_mut() {
            Some(open) if open.last.rubric_digest == run.rubric_digest => open.last = run,
            before => {
                let changes = match before {
                    None => Some(Vec::new()),
                    Some(before) => version(versions, &run.rubric_digest)
                        .zip(version(versions, &before.last.rubric_digest))
                        .map(|(now, before)| now.changes_since(before)),
                };
                stretches.push(Stretch { first: run.clone(), last: run, changes });
            }
        }
    }
    stretches
}

fn rows(stretches: &[Stretch]) -> impl Iterator<Item = Value> {
    let mut before: Option<f64> = None;
    stretches.iter().map(move |stretch| {
        let Stretch { first, last, changes } = stretch;
        let rate = last.pass_rate();
        let change = rate.zip(before).map(|(now, before)| now - before);
        before = rate.or(before);
        let changes: Option<Vec<Value>> =
            changes.as_ref().map(|all| all.iter().map(Change::to_json).collect());
        json!({
            "at": first.at, "run": last.id, "rubric_digest": last.rubric_digest,
            "transcripts": last.transcripts, "passed": last.passed,
            "pass_rate": rounded(rate), "change": rounded(change), "changes": changes,
        })
    })
}

fn text(stretch: &Stretch, before: Option<f64>, style: Style) -> String {
    let Stretch { first, last, changes } = stretch;
    let at = first.at.get(..16).unwrap_or(&first.at).replace('T', " ");
    let rate = last.pass_rate();
    let percent = rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.0} %", 100.0 * rate));
    let change = rate.zip(before).map_or_else(String::new, |(now, before)| {
        let points = 100.0 * (now - before);
        let words = format!("  {points:+.0} points");
        match points {
            points if points >= 0.5 => style.good(&words),
            points if points <= -0.5 => style.bad(&words),
            _ => words,
        }
    });
    let of = counted(last.transcripts, "transcript");
    let run = style.dim(&plain(&last.id));
    let head = plain(&at).into_owned();
    let head = style.bold(&head);
    format!(
        "{head}  {percent} passed ({} of {of}){change}  {run}\n{}",
        last.passed,
        listed(changes.as_deref())
    )
}

fn listed(changes: Option<&[Change]>) -> String {
    match changes {
        None => "    the rubric changed; how was not kept\n".to_owned(),
        Some(changes) => {
            let line = |change: &Change| {
                let words = change.words().replace('\n', " ");
                format!("    {}\n", plain(&words))
            };
            changes.iter().map(line).collect()
        }
    }
}
