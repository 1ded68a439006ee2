//! `diff`: what passed in one run and failed in another, and why; without runs,
//! which ones are kept.
//!
//! Invariant: nobody is asked. It exits with 1 when something that passed fails,
//! with 3 when something that was scored is not.

use std::path::Path;

use serde_json::{Value, json};

use super::args::{Diff as Args, GateFormat};
use super::report::{columns, counted};
use super::settings::shown_path;
use super::style::{Style, plain, wrap};
use super::{Ending, Failure, Session};
use crate::assessment::compare::{Change, Comparison, Flip, RunResults, Sum, compare};
use crate::assessment::output::rounded;
use crate::engine::runs::{self, Run};
use crate::engine::store::owner;
use crate::engine::workspace::{data_dir, plain as plain_error};
use crate::text::nearest::nearest;

/// Does what was typed.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    match args.runs.as_slice() {
        [] => list(args, session),
        [before, after] => {
            let before = results(before, args, session)?;
            let after = results(after, args, session)?;
            let found = compare(&before, &after);
            match args.format {
                GateFormat::Json => session.out.line(&format!("{:#}", found.to_json())),
                GateFormat::Text => {
                    let style = Style::new(session.out.color);
                    session.out.write(&text(&found, style, columns()));
                }
            }
            Ok(match found.count(Change::Broken) {
                _ if found.unscored > 0 => Ending::Incomplete,
                0 => Ending::Good,
                _ => Ending::Findings,
            })
        }
        [_, ..] => Err(Failure::new("name two runs: `rubricator diff previous last`")),
    }
}

/// The kept runs of the project, earliest first.
fn known(args: &Args, session: &mut Session) -> Result<(std::path::PathBuf, Vec<Run>), Failure> {
    let root = session.workspace.project_of(&args.project).root.clone().ok_or_else(|| {
        Failure::new("there is no project here, so no runs are kept: name two files")
    })?;
    let data = data_dir().ok_or_else(|| Failure::new("your home folder is unknown"))?;
    let listed = owner::id(&data).and_then(|owner| runs::list(&root, &owner));
    let listed = listed.map_err(|e| Failure::new(format!("the runs: {}", plain_error(&e))))?;
    Ok((root, listed))
}

fn list(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let (root, all) = known(args, session)?;
    let kept: Vec<&Run> = all.iter().filter(|run| runs::is_kept(&root, run)).collect();
    if args.format == GateFormat::Json {
        let row = |run: &&Run| {
            json!({"id": run.id, "at": run.at, "rubric_digest": run.rubric_digest,
                "judges": run.judges, "transcripts": run.transcripts, "passed": run.passed,
                "pass_rate": rounded(run.pass_rate())})
        };
        let rows: Vec<Value> = kept.iter().map(row).collect();
        session.out.line(&format!("{:#}", Value::Array(rows)));
        return Ok(Ending::Good);
    }
    let style = Style::new(session.out.color);
    for run in &kept {
        let at = run.at.get(..16).unwrap_or(&run.at).replace('T', " ");
        let rate = percent(run.pass_rate());
        let rubric = run.rubric_digest.get(..8).unwrap_or("");
        let all = counted(run.transcripts, "transcript");
        let judges = run.judges.join(", ");
        let rest = format!("{at}  {all}, {rate} passed  rubric {rubric}  {judges}");
        session.out.line(&format!("{}  {}", style.bold(&plain(&run.id)), plain(&rest)));
    }
    if kept.is_empty() {
        session.out.note("no run is kept here yet: `rubricator assess` keeps them");
    }
    Ok(Ending::Good)
}

/// What a run came to: of a file, or of a kept run.
fn results(name: &str, args: &Args, session: &mut Session) -> Result<RunResults, Failure> {
    let path = Path::new(name);
    let text = if path.is_file() {
        let read = std::fs::read_to_string(path);
        read.map_err(|e| Failure::new(format!("{} {}", shown_path(path), plain_error(&e))))?
    } else {
        let (root, all) = known(args, session)?;
        let run = find(name, &all)?;
        let read = runs::read(&root, run);
        let read = read.map_err(|e| Failure::new(format!("run {} {}", run.id, plain_error(&e))))?;
        let gone = || Failure::new(format!("the results of run {} are not kept any more", run.id));
        read.ok_or_else(gone)?
    };
    let found = RunResults::read(&text);
    for line in &found.unreadable {
        session.out.warning(&plain(&format!("{name}:{line}: left out: this is no result")));
    }
    if found.is_empty() {
        return Err(Failure::new(format!("{name} holds no results")));
    }
    Ok(found)
}

fn find<'a>(name: &str, all: &'a [Run]) -> Result<&'a Run, Failure> {
    let back = match name {
        "last" => Some(1),
        "previous" => Some(2),
        _ => None,
    };
    if let Some(back) = back {
        let place = all.len().checked_sub(back);
        let known = counted(all.len(), "run");
        return place.map(|place| &all[place]).ok_or_else(|| {
            Failure::new(format!(
                "there is no {name} run: {known} kept (`rubricator assess` keeps them)"
            ))
        });
    }
    let hits: Vec<&Run> = all.iter().filter(|run| run.id.starts_with(name)).collect();
    match hits.as_slice() {
        [one] => Ok(one),
        [] => {
            let meant = nearest(name, all.iter().map(|run| run.id.as_str()));
            let advice = meant.map_or_else(
                || "`rubricator diff` lists the runs there are".to_owned(),
                |id| format!("did you mean `{id}`?"),
            );
            Err(Failure::new(format!("`{name}` is neither a file nor a run: {advice}")))
        }
        _ => {
            let ids: Vec<&str> = hits.iter().map(|run| run.id.as_str()).collect();
            Err(Failure::new(format!("`{name}` may be {}", ids.join(" or "))))
        }
    }
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.0} %", rate * 100.0))
}

fn text(found: &Comparison, style: Style, columns: usize) -> String {
    let mut text: String = found.flips.iter().map(|flip| flip_text(flip, style, columns)).collect();
    for (id, was, is) in &found.standings {
        text += &plain(&format!("{id}: {was}, now {is}"));
        text.push('\n');
    }
    let mut lines = vec![format!(
        "{} pass → fail, {} fail → pass in {} of both runs",
        found.count(Change::Broken),
        found.count(Change::Mended),
        counted(found.shared, "transcript"),
    )];
    let rate =
        |sum: &Sum| format!("{} ({} of {})", percent(sum.pass_rate()), sum.passed, sum.counted);
    lines.push(format!("passed: {}, then {}", rate(&found.before), rate(&found.after)));
    if found.before.rubric.is_some() && found.before.rubric != found.after.rubric {
        lines.push("the rubric changed in between".into());
    }
    let mut more = |what: &str, ids: &[String]| {
        if !ids.is_empty() {
            let shown = ids.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            let rest = ids.len().saturating_sub(5);
            let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            lines.push(plain(&format!("{what}: {shown}{rest}")).into_owned());
        }
    };
    more("only in the first", &found.only_before);
    more("only in the second", &found.only_after);
    more("criteria only in the first", &found.dropped);
    more("criteria only in the second", &found.added);
    if found.unscored > 0 {
        lines.push(format!("{} scored before and not now", counted(found.unscored, "answer")));
    }
    format!("{text}{}\n", lines.join("\n"))
}

fn flip_text(flip: &Flip, style: Style, columns: usize) -> String {
    let change = match flip.change {
        Change::Broken => style.bad(flip.change.words()),
        Change::Mended => style.good(flip.change.words()),
    };
    let name = style.bold(&plain(&format!("{} {}", flip.transcript, flip.criterion)));
    let edited = if flip.edited { ", edited in between" } else { "" };
    let place = style.dim(&plain(&format!("{}{edited}", flip.place)));
    let mut text = format!("{change}  {name}  {place}\n");
    for voice in &flip.voices {
        let judges = plain(&voice.judges.join(", ")).into_owned();
        for (when, said) in [("before", &voice.before), ("now", &voice.after)] {
            let said = said
                .as_ref()
                .map_or_else(|| "not asked".to_owned(), |(answer, why)| format!("{answer}. {why}"));
            let said = plain(&format!("{judges}, {when}: {said}")).into_owned();
            for line in wrap(&said, columns.saturating_sub(4).max(20)) {
                text += &format!("    {line}\n");
            }
        }
    }
    text
}
