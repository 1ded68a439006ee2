//! `judges`: who is asked, whether they may be, what is known of them, and with
//! `--selftest` how they do on conversations of which the right answers are known.
//!
//! Invariant: without `--selftest` nothing is sent anywhere; typing it is the
//! consent. A key is looked for and never shown.

mod marks;
mod paying;
mod selftest;

use std::path::Path;

use serde_json::{Value, json};

use super::args::{DataFormat, Judges};
use super::assess::entries::Entry;
use super::known;
use super::report::counted;
use super::style::{Style, plain};
use super::{Ending, Failure, Session};
use crate::assessment::{Mark, Scorecard, family};
use crate::config::{Judge, Provider};
use crate::engine::history::History;
use crate::engine::keyring::{self, Whereabouts};
use crate::engine::prices::{Prices, Rate, Source};
use crate::engine::workspace::{self, Project, data_dir};
use crate::engine::{Engine, EngineOptions, Trust, trust, trusted_projects};
use crate::rubric::{Criterion, Rubric};
use marks::Marked;
use selftest::Trial;

/// A judge and what is known of it.
struct Row {
    judge: Judge,
    /// Why a save in an editor would not ask it.
    refused: Option<String>,
    key: Whereabouts,
    price: (Rate, Source),
    record: Record,
    trial: Option<Trial>,
}

/// What a judge has said about the project's transcripts so far.
#[derive(Default)]
struct Record {
    history: History,
    /// Answers that another judge has given too.
    compared: usize,
    /// Of those, the same ones.
    agreed: usize,
    /// Transcripts that name the model that wrote them.
    signed: usize,
    /// Of those, the ones of the judge's own family.
    own: usize,
    /// What people's marks say of it.
    marked: Vec<Marked>,
    /// How many independent judges it and the others are worth together.
    worth: Option<f64>,
}

/// Lists the judges; tries them where that is asked for.
pub fn run(args: &Judges, session: &mut Session) -> Result<Ending, Failure> {
    let project = session.workspace.project_of(&args.path);
    if session.report_settings(&project) {
        return Err(Failure::new("the settings have errors"));
    }
    let wanted = |judge: &&Judge| args.judge.is_empty() || args.judge.contains(&judge.name);
    let judges: Vec<Judge> = project.settings().judges.iter().filter(wanted).cloned().collect();
    if let Some(name) = args.judge.iter().find(|name| !judges.iter().any(|j| j.name == **name)) {
        return Err(Failure::new(format!("there is no judge `{name}`")));
    }
    let engine = Engine::new(EngineOptions::of_user());
    let records = records(args, &project, &judges, &engine, session);
    let mut trials = if args.selftest {
        selftest::run(&project, &judges, session)?.into_iter().map(Some).collect()
    } else {
        Vec::new()
    };
    trials.resize_with(judges.len(), || None);
    let trust = remembered(&project, session.untrusted);
    let options = EngineOptions::of_user();
    let prices = Prices::read(options.price_file.as_deref());
    session.report_problems(&prices.problems());
    let rows = judges.into_iter().zip(records).zip(trials).map(|((judge, record), trial)| Row {
        refused: trust::allowed(&judge, trust).err().map(|refusal| refusal.to_string()),
        key: keyring::whereabouts(&options, &judge),
        price: prices.found(&judge),
        judge,
        record,
        trial,
    });
    let rows: Vec<Row> = rows.collect();
    print(&rows, args.format, session);
    Ok(rows
        .iter()
        .filter_map(|row| row.trial.as_ref())
        .map(Trial::ending)
        .max()
        .unwrap_or(Ending::Good))
}

/// What an editor that says nothing about trust goes by.
fn remembered(project: &Project, untrusted: bool) -> Trust {
    let trusted = data_dir().zip(project.root.as_ref());
    match trusted {
        _ if untrusted => Trust::Denied,
        Some((data, root)) if trusted_projects::is_trusted(&data, root) => Trust::Given,
        _ => Trust::Unsaid,
    }
}

/// What is known of each judge from the project's transcripts and the store. A
/// project without a rubric or transcripts tells nothing, and that is no error.
fn records(
    args: &Judges,
    project: &Project,
    judges: &[Judge],
    engine: &Engine,
    session: &mut Session,
) -> Vec<Record> {
    let mut records: Vec<Record> = judges.iter().map(|_| Record::default()).collect();
    let folder = project.root.as_deref().unwrap_or(&args.path);
    if !has_rubric(project) || workspace::transcripts_in(&mut session.workspace, folder).is_empty()
    {
        return records;
    }
    let read = known::read(&[folder.to_owned()], session, |entry, card, _| (entry, card));
    let names: Vec<&str> = judges.iter().map(|judge| judge.name.as_str()).collect();
    for mut shelf in read.unwrap_or_default() {
        let kept = std::mem::take(&mut shelf.kept);
        let (entries, cards): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        let id = |entry: &Entry| (entry.transcript.id.clone(), entry.digest.to_string());
        let texts: Vec<(String, String)> = entries.iter().map(id).collect();
        let asking = known::asking(&shelf.project, &shelf.rubric, session.untrusted);
        let mut job = asking.job(&entries);
        job.judges = judges.to_vec();
        for (record, history) in records.iter_mut().zip(engine.history(&job)) {
            record.history = history;
        }
        for (judge, record) in judges.iter().zip(&mut records) {
            for generator in entries.iter().filter_map(|entry| entry.generator.as_deref()) {
                record.signed += 1;
                record.own += usize::from(family::is_own(judge, generator));
            }
            cards.iter().for_each(|card| compare(&judge.name, card, &shelf.rubric, record));
            record.marked.extend(marks::marked(&judge.name, &shelf, &texts, &cards));
            record.worth = marks::worth(&names, &cards);
        }
    }
    records
}

fn has_rubric(project: &Project) -> bool {
    project.rubric_path().as_deref().is_some_and(Path::is_file)
}

/// Counts where a judge and each other judge of a card gave an answer.
fn compare(name: &str, card: &Scorecard, rubric: &Rubric, record: &mut Record) {
    let Some(own) = card.judges.iter().find(|j| j.said.judge == name) else { return };
    for other in card.judges.iter().filter(|j| j.said.judge != name) {
        for ((id, mine), (_, theirs)) in own.answers.iter().zip(&other.answers) {
            // A computed check is the same in everybody's answers.
            let judged = rubric.criterion(id).is_some_and(Criterion::is_question);
            if judged && *mine != Mark::Unscored && *theirs != Mark::Unscored {
                record.compared += 1;
                record.agreed += usize::from(mine == theirs);
            }
        }
    }
}

fn print(rows: &[Row], format: DataFormat, session: &mut Session) {
    let out = &mut session.out;
    match format {
        DataFormat::Json => {
            let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
            out.line(&serde_json::to_string_pretty(&rows).unwrap_or_default());
        }
        DataFormat::Jsonl => rows.iter().for_each(|row| out.line(&row.to_json().to_string())),
        DataFormat::Text if rows.is_empty() => {
            out.line("no judge is configured: add a [[judge]] to rubricator.toml");
        }
        DataFormat::Text => {
            let style = Style::new(out.color);
            rows.iter().for_each(|row| out.write(&row.to_text(style)));
            if let Some(worth) = rows.iter().find_map(|row| row.record.worth) {
                let judges = counted(rows.len(), "judge");
                out.line(&format!(
                    "{judges}, worth {worth:.1} independent ones by how their answers go together"
                ));
            }
        }
    }
}

/// A share of a count that may be nothing.
fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

impl Row {
    fn to_json(&self) -> Value {
        let Self { judge, record, .. } = self;
        let rounded = |number| crate::assessment::output::rounded(number);
        json!({
            "judge": judge.name,
            "provider": judge.provider.name(),
            "model": judge.model,
            "host": trust::host(judge),
            "trusted": self.refused.is_none(),
            "refused": self.refused,
            "key": paying::key_json(&self.key),
            "price": paying::price_json(&self.price),
            "max_concurrency": judge.max_concurrency,
            "repeat": judge.repeat,
            "family": family::of_judge(judge),
            "own_transcripts": record.own,
            "signed_transcripts": record.signed,
            "answered": record.history.answered,
            "repeated": record.history.repeated,
            "flipped": record.history.flipped,
            "flip_rate": rounded(share(record.history.flipped, record.history.repeated)),
            "agreement": rounded(share(record.agreed, record.compared)),
            "trust": record.marked.iter().map(Marked::to_json).collect::<Vec<_>>(),
            "effective_judges": rounded(record.worth),
            "selftest": self.trial.as_ref().map(Trial::to_json),
        })
    }

    fn to_text(&self, style: Style) -> String {
        let judge = &self.judge;
        let what = format!("{} {}", judge.provider.name(), judge.model);
        let mut out = format!("{}  {}\n", style.bold(&plain(&judge.name)), plain(what.trim()));
        for (name, value) in self.facts() {
            out.push_str(&format!("  {name:<12} {}\n", plain(&value)));
        }
        if let Some(trial) = &self.trial {
            out.push_str(&trial.to_text(style));
        }
        out
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let Self { judge, record, .. } = self;
        let recorded = judge.provider == Provider::Recorded;
        let file = || judge.file.as_deref().map_or_else(String::new, |f| f.display().to_string());
        let host = match trust::host(judge) {
            Some(host) => host,
            None if recorded => format!("none: it replays {}", file()),
            None => "unknown".into(),
        };
        let trusted = match &self.refused {
            None => "yes".to_owned(),
            Some(why) => format!("no: {why} (on the command line, typing `assess` is the consent)"),
        };
        let mut facts = vec![("host", host), ("trusted", trusted)];
        if !recorded {
            let repeat = match judge.repeat {
                0 | 1 => "each question once".to_owned(),
                n => format!("gates and borderline transcripts {n} times"),
            };
            facts.push(("key", paying::key_text(&self.key)));
            facts.push(("price", paying::price_text(judge, &self.price)));
            facts.push((
                "asks",
                format!("{} at once, {repeat}", counted(judge.max_concurrency, "call")),
            ));
        }
        facts.extend(self.family().map(|family| ("family", family)));
        facts.extend(standing(record).map(|standing| ("so far", standing)));
        facts.extend(record.marked.iter().map(|marked| ("trust", marked.to_text())));
        facts
    }

    fn family(&self) -> Option<String> {
        let family = family::of_judge(&self.judge)?;
        let Record { own, signed, .. } = self.record;
        Some(match (own, signed) {
            (0, _) => family,
            (own, signed) => format!(
                "{family}, which wrote {own} of the {signed} transcripts that name their model: \
                 models are lenient with their own, so ask a judge of another family too"
            ),
        })
    }
}

/// What the answers so far say of a judge.
fn standing(record: &Record) -> Option<String> {
    let Record { history, compared, agreed, .. } = record;
    let percent = |part, of| share(part, of).map(|share| format!("{:.0} %", 100.0 * share));
    let mut parts = Vec::new();
    if history.answered > 0 {
        parts.push(format!("{} stored", counted(history.answered, "answer")));
    }
    if let Some(rate) = percent(*agreed, *compared) {
        parts.push(format!("agrees with the others on {rate} of {}", counted(*compared, "answer")));
    }
    if let Some(rate) = percent(history.flipped, history.repeated) {
        let asked = counted(history.repeated, "question");
        parts.push(format!("flips on {rate} of {asked} asked repeatedly"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
