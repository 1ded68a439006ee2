//! `assess`: every judge's answers to every criterion, scored, strictest first.
//!
//! Invariant: what is answered is not asked again; nothing is sent before the
//! cost of it is known to be within the cap; results print in the order of the
//! transcripts, and reach the checkpoint as soon as they are there.

mod cap;
pub(super) mod checkpoint;
mod consent;
mod dry_run;
pub(super) mod entries;
pub(super) mod job;
mod judges;
mod keeping;
mod left_out;
mod resume;
mod text;
mod totals;

pub use dry_run::usd;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::args::{Assess, DataFormat};
use super::check::context;
use super::interrupt;
use super::report::columns;
use super::scan::Source;
use super::settings::shown_path;
use super::style::{Style, plain};
use super::{Ending, Failure, Session, targets};
use crate::analysis::context::{Context, Families};
use crate::assessment::{JudgeOutcomes, Scorecard, scorecard};
use crate::engine::prices::{self, Prices};
use crate::engine::rules::{self, Rules};
use crate::engine::workspace::{Project, plain as plain_error};
use crate::engine::{
    Engine, EngineOptions, Plan, RecordingWriter, RunSummary, Spending, Stopped, Trust,
};
use crate::rubric::Rubric;
use checkpoint::{Checkpoint, Place};
use entries::Entry;
use job::Asking;
use keeping::Keeping;

/// Transcripts assessed in one go: bounds the memory of a large run.
const CHUNK: usize = 1000;

/// A run under way.
struct Run<'a> {
    args: &'a Assess,
    session: &'a mut Session,
    began: Instant,
    engine: Engine,
    checkpoint: Option<Checkpoint>,
    recording: Option<RecordingWriter>,
    keeping: Keeping,
    printed: usize,
    standings: HashMap<String, usize>,
    planned: Plan,
    /// The cap on a run's cost, for a plan.
    cap: f64,
    summary: RunSummary,
    ending: Ending,
    /// Ctrl-C, from the first call on.
    interrupt: Option<CancellationToken>,
}

/// Assesses what the arguments name.
pub fn run(args: &Assess, session: &mut Session) -> Result<Ending, Failure> {
    let sources = targets::transcripts(&args.paths, session)?;
    let by_project = grouped_by_project(sources, session);
    let engine = Engine::new(EngineOptions { batch: args.batch, ..EngineOptions::of_user() });
    let unwritable = |path: &PathBuf, e: std::io::Error| {
        Failure::new(format!("{} {}", shown_path(path), plain_error(&e)))
    };
    let checkpoint = match &args.checkpoint {
        Some(path) => resume::open(path, args.dry_run, &mut session.out)?,
        None => None,
    };
    let create = |path: &PathBuf| RecordingWriter::create(path).map_err(|e| unwritable(path, e));
    let recording = args.record.as_ref().filter(|_| !args.dry_run).map(create).transpose()?;
    let mut run = Run {
        args,
        session,
        began: Instant::now(),
        engine,
        checkpoint,
        recording,
        keeping: Keeping::default(),
        printed: 0,
        standings: HashMap::new(),
        planned: Plan::default(),
        cap: 0.0,
        summary: RunSummary { cost: Some(0.0), ..RunSummary::default() },
        ending: Ending::Good,
        interrupt: None,
    };
    if args.format == DataFormat::Json && !args.dry_run {
        run.session.out.write("[");
    }
    let result =
        by_project.into_iter().try_for_each(|(project, sources)| run.project(&project, sources));
    run.close();
    result.map(|()| run.ending)
}

pub(super) type Group = (Arc<Project>, Vec<Source>);

/// The files of each project, in order.
pub(super) fn grouped_by_project(sources: Vec<Source>, session: &mut Session) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for source in sources {
        let project = session.workspace.project_of(source.path());
        match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &project)) {
            Some((_, group)) => group.push(source),
            None => groups.push((project, vec![source])),
        }
    }
    groups
}

impl Run<'_> {
    fn project(&mut self, project: &Project, sources: Vec<Source>) -> Result<(), Failure> {
        let rules = rules::load(project);
        let prices = Prices::read(prices::own_file().as_deref());
        let settings_failed = self.session.report_settings(project)
            | self.session.report_problems(&prices.problems());
        if self.session.report_problems(&rules.problems) || settings_failed {
            return Err(Failure::new("the settings have errors, so nothing was assessed"));
        }
        let asking = self.asking(project, &rules)?;
        let families = Families { structure: false, tokens: false, checks: true };
        let context = context(&rules, project, families, true);
        if !self.args.dry_run {
            let untrusted = self.session.untrusted;
            self.keeping = Keeping::begin(project, &asking, untrusted, &mut self.session.out);
        }
        let assessed = self.sources(&asking, &context, project, sources);
        let whole = assessed.is_ok() && !self.summary.cancelled;
        std::mem::take(&mut self.keeping).finish(whole, &mut self.session.out);
        assessed
    }

    fn sources(
        &mut self,
        asking: &Asking,
        context: &Context,
        project: &Project,
        sources: Vec<Source>,
    ) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        for source in sources {
            let mut failed = Ok(());
            let read = entries::each_share(&source, context, project, |share| {
                let wanted =
                    |entry: &Entry| self.args.shard.is_none_or(|shard| shard.has(entry.digest));
                waiting.extend(share.into_iter().filter(wanted));
                // One batch after the other would take a day each.
                while waiting.len() >= CHUNK && !self.args.batch && failed.is_ok() {
                    let rest = waiting.split_off(CHUNK);
                    failed = self.chunk(asking, std::mem::replace(&mut waiting, rest));
                }
            });
            failed?;
            self.left_out(&source, read);
        }
        self.chunk(asking, waiting)
    }

    fn asking(&self, project: &Project, rules: &Rules) -> Result<Asking, Failure> {
        let trust = if self.session.untrusted { Trust::Denied } else { Trust::Given };
        Ok(Asking {
            rubric: usable_rubric(project, rules)?,
            judges: self.judges(project.settings())?,
            settings: project.settings().assess.clone(),
            trust,
            project_dir: project.root.clone(),
            began: self.began,
            spending: Spending::of_run(&project.settings().assess),
            stopped: Stopped::default(),
        })
    }

    /// Assesses some transcripts, or says what that would take.
    fn chunk(&mut self, asking: &Asking, entries: Vec<Entry>) -> Result<(), Failure> {
        if self.summary.cancelled {
            return Ok(());
        }
        let out = &mut self.session.out;
        let done = resume::done(self.checkpoint.as_ref(), asking, &entries, out);
        let open = entries.iter().zip(&done).filter(|(_, done)| done.is_none()).map(|(e, _)| e);
        let job = asking.job(open);
        let plan = consent::plan(&self.engine, &job, self.args.send_sensitive);
        if self.args.dry_run {
            self.planned.add(plan);
            self.cap = self.cap.max(asking.settings.max_cost_per_run);
            return Ok(());
        }
        let plan = consent::settle(&self.engine, &job, plan, &entries, &mut self.session.out);
        self.within_cap(&plan, asking)?;
        let said = self.ask(asking, job, &entries)?;
        for (entry, done) in entries.iter().zip(done) {
            match done {
                Some(place) => self.print_done(place, entry)?,
                None => {
                    let judges = said.get(&entry.digest).map_or(&[][..], Vec::as_slice);
                    let card = score(asking, entry, judges);
                    self.print(&card, entry, &asking.rubric);
                }
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        asking: &Asking,
        job: crate::engine::AssessJob,
        entries: &[Entry],
    ) -> Result<HashMap<crate::transcript::TranscriptDigest, Vec<JudgeOutcomes>>, Failure> {
        if job.transcripts.is_empty() {
            return Ok(HashMap::new());
        }
        let cannot_start = |e| Failure::new(format!("cannot start: {e}"));
        let interrupt = match &self.interrupt {
            Some(interrupt) => interrupt,
            None => self.interrupt.insert(interrupt::token().map_err(cannot_start)?),
        };
        let (checkpoint, recording) = (&mut self.checkpoint, &mut self.recording);
        let mut trouble = None;
        let ran = job::run(
            &self.engine,
            job,
            interrupt,
            &mut self.session.out,
            |transcript, judges, _| {
                for entry in entries.iter().filter(|e| e.digest == transcript) {
                    let card = score(asking, entry, judges);
                    let kept = resume::keep(checkpoint, recording, asking, entry, &card);
                    trouble = trouble.take().or(kept.err());
                }
            },
        );
        let (summary, said) = ran.map_err(cannot_start)?;
        totals::add_summary(&mut self.summary, &summary);
        if summary.cancelled {
            self.ending = self.ending.max(Ending::Incomplete);
        }
        match trouble {
            Some(e) => {
                Err(Failure::new(format!("a result could not be kept: {}", plain_error(&e))))
            }
            None => Ok(said),
        }
    }

    fn print(&mut self, card: &Scorecard, entry: &Entry, rubric: &Rubric) {
        *self.standings.entry(card.standing.name().to_owned()).or_default() += 1;
        self.note_ending(card.pass(), card.unscored.is_empty());
        let result = result(card, entry);
        self.keeping.add(&result, &entry.digest.to_string(), &mut self.session.out);
        match self.args.format {
            DataFormat::Text => {
                let style = Style::new(self.session.out.color);
                let text = text::scorecard(card, entry, rubric, style, columns());
                self.session.out.write(&text);
            }
            _ => self.print_json(&result),
        }
    }

    /// Prints what an earlier run left in the checkpoint.
    fn print_done(&mut self, place: Place, entry: &Entry) -> Result<(), Failure> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let changed = |e| Failure::new(format!("the checkpoint changed meanwhile: {e}"));
        let result = &checkpoint.result(place).map_err(changed)?;
        self.keeping.add(result, &entry.digest.to_string(), &mut self.session.out);
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or("");
        *self.standings.entry(text("standing").to_owned()).or_default() += 1;
        let complete = result.get("unscored").and_then(Value::as_array).is_none_or(Vec::is_empty);
        self.note_ending(text("standing") == "passed", complete);
        match self.args.format {
            DataFormat::Text => {
                let line =
                    format!("  {:<10} {}  from the checkpoint", text("standing"), text("id"));
                self.session.out.line(&plain(&line));
            }
            _ => self.print_json(result),
        }
        Ok(())
    }

    fn print_json(&mut self, result: &Value) {
        let out = &mut self.session.out;
        if self.args.format == DataFormat::Json {
            out.write(if self.printed == 0 { "\n  " } else { ",\n  " });
            out.write(&result.to_string());
        } else {
            out.line(&result.to_string());
        }
        self.printed += 1;
    }

    fn note_ending(&mut self, passed: bool, complete: bool) {
        let ending = match (passed, complete) {
            (_, false) => Ending::Incomplete,
            (false, true) => Ending::Findings,
            (true, true) => Ending::Good,
        };
        self.ending = self.ending.max(ending);
    }

    /// The end of the output, and the totals.
    fn close(&mut self) {
        let style = Style::new(self.session.out.color);
        if self.args.dry_run {
            return match self.args.format {
                DataFormat::Text => {
                    let text = dry_run::text(&self.planned, self.cap, style);
                    self.session.out.write(&text);
                }
                _ => self.session.out.line(&dry_run::json(&self.planned, self.cap).to_string()),
            };
        }
        match self.args.format {
            DataFormat::Json if self.printed == 0 => self.session.out.line("]"),
            DataFormat::Json => self.session.out.line("\n]"),
            DataFormat::Jsonl => {}
            DataFormat::Text if self.standings.is_empty() => {}
            DataFormat::Text => {
                let text = totals::line(&self.standings, &self.summary, style);
                self.session.out.line(&text);
                self.session.out.write(&totals::flips(&self.summary, style));
            }
        }
        if self.summary.cancelled {
            self.session.out.warning(
                "stopped before the end; what was answered is kept: run the same command again to \
                 ask the rest",
            );
        }
    }
}

/// A rubric that scores can be made with.
pub(super) fn usable_rubric(project: &Project, rules: &Rules) -> Result<Arc<Rubric>, Failure> {
    let Some(file) = &rules.rubric else {
        let wanted = project.rubric_path().map_or_else(
            || "these files are in no project (`rubricator init` makes one)".to_owned(),
            |path| format!("{} does not exist", shown_path(&path)),
        );
        return Err(Failure::new(format!("there is no rubric to assess with: {wanted}")));
    };
    match &file.parsed.rubric {
        Some(rubric) if !file.parsed.has_errors() => Ok(Arc::new(rubric.clone())),
        _ => {
            let path = shown_path(&file.path);
            Err(Failure::new(format!(
                "{path} has errors, so scores made with it would be wrong: `rubricator check {path}` shows them"
            )))
        }
    }
}

/// The scorecard of what these judges said.
pub(super) fn score(asking: &Asking, entry: &Entry, judges: &[JudgeOutcomes]) -> Scorecard {
    let aggregation = asking.settings.aggregation;
    scorecard(&asking.rubric, &entry.transcript, &entry.checks, judges, aggregation)
}

/// A result as `assess --format json` prints it.
pub(super) fn result(card: &Scorecard, entry: &Entry) -> Value {
    let about = crate::assessment::output::About {
        file: &entry.file,
        line: entry.line,
        batch: Some(&entry.batch),
        tokens: entry.tokens,
    };
    card.to_json(&entry.transcript, about)
}
