//! The run itself: a bar, what came of each transcript, and Ctrl-C.

use std::collections::BTreeSet;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use super::summary;
use crate::assessment::UnscoredReason;
use crate::cli::args::{GateFormat, Generate as Args};
use crate::cli::report::counted;
use crate::cli::settings::shown_path;
use crate::cli::style::plain;
use crate::cli::{Ending, Failure, Session, interrupt};
use crate::engine::generate::{GenerateJob, GenerateUpdate};
use crate::engine::{Engine, EngineOptions};

/// What came of the run.
#[derive(Default)]
struct Came {
    rows: Vec<Value>,
    written: usize,
    failed: usize,
    is_cancelled: bool,
    whys: BTreeSet<String>,
}

/// Makes what the job says, and tells of it.
pub(super) fn run(
    job: &GenerateJob,
    args: &Args,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let cannot_start = |e: std::io::Error| Failure::new(format!("cannot start: {e}"));
    let engine = Engine::new(EngineOptions::of_user());
    if args.send_sensitive {
        engine.consent([job.setup.about.digest]);
    }
    let interrupt = interrupt::token().map_err(cannot_start)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(cannot_start)?;
    let bar = bar(session.out.watched, job);
    session.out.divert(args.assess);
    let mut came = Came::default();
    let ended = runtime.block_on(async {
        let (sender, mut updates) = unbounded_channel();
        let making = async {
            let ended = engine.generate(job, &interrupt, &sender).await;
            drop(sender);
            ended
        };
        let telling = async {
            while let Some(update) = updates.recv().await {
                tell(update, job, args, &bar, &mut came, session);
            }
        };
        tokio::join!(making, telling).0
    });
    bar.finish_and_clear();
    if args.format == GateFormat::Json && !args.assess {
        session.out.line(&format!("{:#}", Value::Array(std::mem::take(&mut came.rows))));
    }
    close(&came, job, session);
    session.out.divert(false);
    ended.map_err(Failure::new)?;
    Ok(if came.written == job.indices.len() { Ending::Good } else { Ending::Incomplete })
}

fn tell(
    update: GenerateUpdate,
    job: &GenerateJob,
    args: &Args,
    bar: &ProgressBar,
    came: &mut Came,
    session: &mut Session,
) {
    let is_text = args.format == GateFormat::Text;
    match update {
        GenerateUpdate::Exchange { .. } => bar.inc(1),
        GenerateUpdate::Notice(notice) => bar.suspend(|| session.out.warning(&plain(&notice))),
        GenerateUpdate::Written { index, id } => {
            came.written += 1;
            let persona = job.persona(index);
            let file = shown_path(&job.out.path);
            came.rows.push(json!({"id": id, "file": file, "index": index,
                "exchanges": persona.exchanges, "persona": persona.id, "failed": null}));
            if is_text {
                let line = format!("{id}  {}", summary(&persona));
                bar.suspend(|| session.out.line(&plain(&line)));
                session.out.flush();
            }
        }
        GenerateUpdate::Failed { index, why } => {
            came.failed += 1;
            if why.reason == UnscoredReason::Cancelled {
                came.is_cancelled = true;
                return;
            }
            let persona = job.persona(index);
            came.rows.push(json!({"id": null, "index": index, "persona": persona.id,
                "exchanges": persona.exchanges, "failed": why.detail}));
            // What stops one mostly stops all: said once.
            if came.whys.insert(why.detail.clone()) {
                let said = format!("transcript {index} is not finished: {}", why.detail);
                bar.suspend(|| session.out.error(&plain(&said)));
            }
        }
    }
}

fn close(came: &Came, job: &GenerateJob, session: &mut Session) {
    let file = shown_path(&job.out.path);
    let written = counted(came.written, "transcript");
    let missing = job.indices.len() - came.written;
    let rest = match (missing, came.is_cancelled) {
        (0, _) => String::new(),
        (n, true) => format!("; stopped: {n} not finished, the same command goes on"),
        (n, false) => format!("; {n} not finished, the same command tries again"),
    };
    session.out.note(&plain(&format!("{written} written to {file}{rest}")));
}

/// Counts exchanges; drawn only where somebody watches.
fn bar(watched: bool, job: &GenerateJob) -> ProgressBar {
    let total: usize = job.indices.iter().map(|&index| job.persona(index).exchanges).sum();
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total as u64), target);
    let style = "{bar:24} {pos}/{len} exchanges, {elapsed}";
    // The template is fixed; a wrong one would show the usual bar.
    bar.with_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
