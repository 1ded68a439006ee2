//! `report`: where the data set stands, as `report.html`, `generation_stats.md` and
//! a folder of CSV files.
//!
//! Invariant: nobody is asked; every file is there whole or not at all, and the page
//! takes its place last. What is kept of a transcript does not grow with its text.

mod links;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Report as Args;
use super::known::{self, Shelf};
use super::report::counted;
use super::scan::Source;
use super::settings::shown_path;
use super::style::plain;
use super::whole_file::WholeFile;
use super::{Ending, Failure, Session, audit, gate, slice, status, targets};
use crate::assessment::Scorecard;
use crate::engine::workspace::plain as plain_error;
use crate::engine::{journal, rules};
use crate::report::{Batch, Column, Cost, Cut, Limit, Report, Reviewed, Row};
use crate::report::{csv, figures, markdown, page};
use crate::review::Review;
use crate::rubric::Rubric;
use crate::transcript::{Transcript, words};

/// The page.
pub const PAGE: &str = "report.html";
/// The text.
pub const TEXT: &str = "generation_stats.md";
/// The folder of the CSV files.
const TABLES: &str = "report";

/// What is kept of a transcript.
struct Kept {
    gate: gate::Kept,
    row: Row,
}

/// Writes the reports of the projects that the paths name.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "`report` reads more than once, so it cannot read standard input: name a file",
        ));
    }
    let mut ratios: HashMap<Arc<str>, Vec<Vec<f32>>> = HashMap::new();
    let shelves = known::counting(&args.paths, session, |entry, card, rubric| {
        add_ratios(ratios.entry(Arc::clone(&entry.file)).or_default(), &entry.transcript);
        let gate = gate::Kept::of(&entry.transcript.id, &entry.batch, entry.digest, &card);
        Kept { gate, row: row(&entry, &card, rubric) }
    })?;
    if shelves.len() > 1 && args.out.is_some() {
        return Err(Failure::new("--out is for one project: these transcripts are in several"));
    }
    if shelves.is_empty() {
        return Err(Failure::new("there are no transcripts to report on"));
    }
    let sources = targets::transcripts(&args.paths, session)?;
    let mut groups = super::assess::grouped_by_project(sources, session);
    for shelf in shelves {
        let at = groups.iter().position(|(project, _)| project.root == shelf.project.root);
        let sources = at.map(|at| groups.swap_remove(at).1).unwrap_or_default();
        let folder = args.out.clone().unwrap_or_else(|| shelf.root.clone());
        let report = gather(shelf, &sources, &ratios, &folder, session)?;
        let written = write(&report, &folder).map_err(|e| {
            Failure::new(format!("{} was not written: {}", shown_path(&folder), plain_error(&e)))
        })?;
        let all = counted(report.rows.len(), "transcript");
        let names: Vec<String> = written.iter().map(|path| shown_path(path)).collect();
        session.out.note(&plain(&format!("reported on {all} in {}", names.join(", "))));
    }
    Ok(Ending::Good)
}

fn row(entry: &super::assess::entries::Entry, card: &Scorecard, rubric: &Rubric) -> Row {
    let invalid_na = |id: &str| rubric.criterion(id).is_some_and(|c| !c.na_valid);
    let scored = card.judges.iter().filter(|judge| judge.score.is_some()).count();
    Row {
        id: entry.transcript.id.clone(),
        file: Arc::clone(&entry.file),
        line: entry.line,
        batch: entry.batch.as_str().into(),
        prompts: entry.prompts.clone(),
        standing: card.standing,
        score: card.score,
        spread: card.spread.filter(|_| scored > 1),
        disagreement: card.disagreement(),
        tokens: entry.tokens,
        exchanges: card.exchanges,
        reviewed: Reviewed::No,
        answers: Row::letters(card, &columns(rubric), &invalid_na),
        cut: None,
    }
}

fn columns(rubric: &Rubric) -> Vec<Column> {
    let column = |c: &crate::rubric::Criterion| Column {
        id: c.id.clone(),
        name: c.name.clone(),
        gate: c.gate,
        judged: c.is_question(),
    };
    rubric.criteria.iter().map(column).collect()
}

/// Adds the words ratio of each reply to those of its exchange.
fn add_ratios(ratios: &mut Vec<Vec<f32>>, transcript: &Transcript) {
    for exchange in &transcript.exchanges {
        if transcript.reply_messages(exchange).next().is_none() {
            continue;
        }
        let at = exchange.number.saturating_sub(1) as usize;
        if ratios.len() <= at {
            ratios.resize_with(at + 1, Vec::new);
        }
        let count = |text: &str| words::count(text);
        let (reply, user) = (transcript.reply(exchange), transcript.user_text(exchange));
        ratios[at].push(words::ratio(count(&reply), count(&user)) as f32);
    }
}

/// Everything that a report says of one project.
fn gather(
    shelf: Shelf<Kept>,
    sources: &[Source],
    ratios: &HashMap<Arc<str>, Vec<Vec<f32>>>,
    folder: &Path,
    session: &mut Session,
) -> Result<Report, Failure> {
    let (shelf, kept) = shelf.with::<gate::Kept>(Vec::new());
    let (gates, mut rows): (Vec<gate::Kept>, Vec<Row>) =
        kept.into_iter().map(|one| (one.gate, one.row)).unzip();
    for (kept, row) in gates.iter().zip(&mut rows) {
        let digest = kept.digest.to_string();
        row.reviewed = match shelf.reviews.review(shelf.bound(&kept.id, &digest)) {
            Review::None => Reviewed::No,
            Review::Stale(_) => Reviewed::Stale,
            Review::Accepted(_) => Reviewed::Accepted,
            Review::Rejected(_) => Reviewed::Rejected,
        };
    }
    let (shelf, _) = shelf.with(gates);
    let census = gate::census(&shelf)?;
    let batch = |(gate, warnings): (crate::review::gate::Gate, Vec<_>)| Batch {
        gate,
        warnings: warnings.iter().map(crate::review::warnings::Warning::words).collect(),
    };
    let batches = census.gates.into_iter().map(batch).collect();
    let unsliced = cut(shelf.with(Vec::new()), sources, &mut rows)?;
    let (project, rubric, unsliced) = unsliced;
    let settings = project.settings();
    let (phrases, flags) = audit::summary(settings, sources)
        .map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    let mut all = Vec::new();
    for source in sources {
        merge(&mut all, ratios.get(&*source.shown()));
    }
    let links = links::Links::new(folder);
    rows.iter_mut().for_each(|row| row.file = links.from(&row.file));
    let judges = settings.judges.iter().map(|judge| judge.name.clone()).collect();
    let counter = rules::load(&project).counter;
    Ok(Report {
        title: title(&rubric, project.root.as_deref()),
        at: journal::now(),
        threshold: rubric.pass_threshold,
        criteria: columns(&rubric),
        judges: judges_of(judges, &rubric),
        rows,
        ratios: all,
        batches,
        tokens: Limit {
            most: settings.tokens.limit.min(settings.target.max_length.unwrap_or(usize::MAX)),
            counter: counter.map_or_else(String::new, |c| c.counter().label().to_owned()),
        },
        phrases,
        phrase_share: settings.audit.phrase_share,
        flags,
        unsliced,
        costs: costs(&project, session),
    })
}

fn title(rubric: &Rubric, root: Option<&Path>) -> String {
    let folder = || root?.file_name().map(|name| name.to_string_lossy().into_owned());
    match rubric.name.trim() {
        "" => folder().unwrap_or_else(|| "Transcripts".into()),
        name => name.to_owned(),
    }
}

/// Who answers: the judges, or nobody but the computer.
fn judges_of(judges: Vec<String>, rubric: &Rubric) -> Vec<String> {
    let questions = rubric.criteria.iter().any(crate::rubric::Criterion::is_question);
    if questions && !judges.is_empty() {
        judges
    } else {
        vec![crate::assessment::agree::CHECKS.into()]
    }
}

fn merge(all: &mut Vec<Vec<f32>>, of_file: Option<&Vec<Vec<f32>>>) {
    for (at, ratios) in of_file.into_iter().flatten().enumerate() {
        if all.len() <= at {
            all.resize_with(at + 1, Vec::new);
        }
        all[at].extend_from_slice(ratios);
    }
}

type Cutting = (Arc<crate::engine::workspace::Project>, Arc<Rubric>, Option<String>);

/// Lays over the rows how each would be cut; answers with why none was, if so.
fn cut(
    (shelf, gates): (Shelf<slice::Kept>, Vec<gate::Kept>),
    sources: &[Source],
    rows: &mut [Row],
) -> Result<Cutting, Failure> {
    let kept = gates.into_iter().map(|one| slice::Kept {
        standing: one.standing,
        digest: one.digest,
        id: one.id,
    });
    let (shelf, _) = shelf.with(kept.collect());
    let place = |row: &Row| (Arc::clone(&row.file), row.line);
    let mut places: HashMap<(Arc<str>, usize), usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        places.entry(place(row)).or_insert(at);
    }
    let planned = slice::planned(&shelf, sources, |cut, file, line| {
        let number = |point: &usize| u32::try_from(*point).unwrap_or(u32::MAX);
        let dropped = cut.over.iter().map(|(p, _)| p).chain(cut.uncounted.iter().map(|(p, _)| p));
        let cut = Cut {
            validation: cut.side == crate::slice::Side::Validation,
            points: cut.pieces.iter().map(|piece| number(&piece.point)).collect(),
            dropped: dropped.map(number).collect(),
        };
        if let Some(at) = places.get(&(file.into(), line)) {
            rows[*at].cut = Some(cut);
        }
    });
    // A report without slices is still a report.
    let why = planned.err().map(|failure| failure.message);
    Ok((Arc::clone(&shelf.project), Arc::clone(&shelf.rubric), why))
}

fn costs(project: &crate::engine::workspace::Project, session: &mut Session) -> Vec<Cost> {
    let spend = status::spend(project, session);
    let cost = |line: &crate::engine::spend::Line| Cost {
        judge: line.judge.clone(),
        purpose: line.purpose.clone(),
        calls: line.all.calls,
        unpriced: line.all.unpriced,
        tokens: (line.all.input, line.all.output),
        usd: line.all.usd,
    };
    spend.project.iter().map(cost).collect()
}

/// Writes all files; answers with those that people open.
fn write(report: &Report, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let tables = folder.join(TABLES);
    std::fs::create_dir_all(&tables)?;
    let figures = figures(report);
    let mut files = Vec::new();
    for figure in &figures {
        let path = tables.join(format!("{}.csv", figure.name));
        files.push(begun(&path, &csv::text(&figure.table))?);
    }
    let named = [
        (folder.join(TEXT), markdown::text(report, &figures, TABLES)),
        (folder.join(PAGE), page::text(report, &figures, TABLES)),
    ];
    for (path, text) in &named {
        files.push(begun(path, text)?);
    }
    files.into_iter().try_for_each(WholeFile::commit)?;
    Ok(named.into_iter().rev().map(|(path, _)| path).collect())
}

fn begun(path: &Path, text: &str) -> io::Result<WholeFile> {
    let mut file = WholeFile::over(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}
