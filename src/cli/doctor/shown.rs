//! `doctor --show N`: one record as the trainer sees it.

use serde_json::json;

use super::super::args::{Doctor, GateFormat};
use super::super::scan::{Source, scan};
use super::super::style::{Style, plain};
use super::super::{Ending, Failure, Session};
use super::target;
use crate::doctor::show::runs;
use crate::doctor::{self, Count, Target, View};
use crate::text::json;
use crate::tokens::Precision;
use crate::transcript::read;

/// Prints record `number` of the first file that has so many.
pub fn run(
    args: &Doctor,
    number: usize,
    sources: &[Source],
    session: &mut Session,
) -> Result<Ending, Failure> {
    let mut before = 0;
    for source in sources {
        let Some(target) = target(source, session)? else { return Ok(Ending::Failed) };
        let project = session.workspace.project_of(source.path());
        let limits = &project.settings().limits;
        let mut found = None;
        let scanned = scan(
            source,
            limits,
            &mut Vec::new(),
            |_, _| (),
            |seen| {
                before += 1;
                if before == number {
                    found = Some((seen.start.line, view(seen.text.get(), &target, limits.depth)));
                }
            },
        );
        scanned.map_err(|e| Failure::new(e.to_string()))?;
        let Some((line, view)) = found else { continue };
        let place = format!("{}:{line}", source.shown());
        let view = view.map_err(|why| Failure::new(format!("{place}: {why}")))?;
        print(args, &place, &view, &target, session);
        return Ok(Ending::Good);
    }
    Err(Failure::new(format!("there is no record {number}: there are {before}")))
}

fn view(record: &str, target: &Target, depth: usize) -> Result<View, String> {
    let json = json::parse(record, depth);
    if json.syntax_problem().is_some() {
        return Err("the record is broken JSON: `rubricator check` says where".to_owned());
    }
    let transcript = read(record, &json).transcript;
    let transcript = transcript.map_err(|_| "the record is no conversation".to_owned())?;
    doctor::view(record, &json, &transcript, target)
}

fn print(args: &Doctor, place: &str, view: &View, target: &Target, session: &mut Session) {
    let out = &mut session.out;
    if args.format == GateFormat::Json {
        let runs: Vec<_> = runs(view)
            .into_iter()
            .map(|r| json!({"text": r.text, "trained": r.trained, "kept": r.kept}))
            .collect();
        let count = view.count.map(|c| {
            json!({"tokens": c.tokens, "trained": c.trained, "kept": c.kept,
                   "kept_trained": c.kept_trained, "exact": c.precision == Precision::Exact})
        });
        out.line(&json!({"place": place, "runs": runs, "count": count}).to_string());
        return;
    }
    let style = Style::new(out.color);
    let head = format!("{place} as {} sees it", target.trainer.name());
    out.line(&style.bold(&plain(&head)));
    if view.text.is_empty() {
        out.line("there is no text of it, only a formula of counting: name a chat template");
    } else if !out.color {
        out.line("(⟦trained⟧, the rest is read only, ✂ what follows is cut off)");
    }
    out.line("");
    out.line(&text(view, style, out.color));
    out.line("");
    if let Some(count) = view.count {
        out.line(&style.dim(&counts(count, target)));
    }
}

fn text(view: &View, style: Style, color: bool) -> String {
    let mut text = String::new();
    let mut was_kept = true;
    for run in runs(view) {
        // Line breaks are the template's own; other control characters are made visible.
        let lines: Vec<_> = run.text.split('\n').map(plain).collect();
        let shown = lines.join("\n");
        if was_kept && !run.kept {
            text.push('✂');
        }
        was_kept = run.kept;
        text += &match (color, run.kept, run.trained) {
            (true, false, _) => painted(&shown, |line| style.bad(line)),
            (true, true, true) => painted(&shown, |line| style.good(line)),
            (true, true, false) => painted(&shown, |line| style.dim(line)),
            (false, true, true) => format!("⟦{shown}⟧"),
            (false, ..) => shown,
        };
    }
    text
}

/// Paints line by line, so that a pager keeps the colour.
fn painted(text: &str, paint: impl Fn(&str) -> String) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { paint(line) };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The counts in words, exact or estimated.
fn counts(count: Count, target: &Target) -> String {
    let label = match count.precision {
        Precision::Exact => "exact".to_owned(),
        Precision::Estimate(why) => format!("estimated: {why}"),
    };
    format!(
        "{} tokens ({label}; {}, {} template): {} are kept, {} of them trained on ({})",
        count.tokens,
        plain(target.counter.counter().label()),
        plain(target.counter.template().name()),
        count.kept,
        count.kept_trained,
        target.loss.name(),
    )
}
