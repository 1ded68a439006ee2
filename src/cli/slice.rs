//! `slice`: what passed, cut into training examples.
//!
//! Invariant: only transcripts that passed and that nobody rejected are cut; the
//! split is decided before anything is cut; where the same words would stand on
//! both sides, nothing is written at all.
//!
//! What grows with the data: a line of facts for each transcript, and 40 bytes for
//! each slice. The texts are read twice and never kept.

mod cut;
mod output;
mod text;

use std::collections::HashMap;

use super::args::{GateFormat, Slice as Args};
use super::known::{self, Shelf};
use super::scan::{Source, scan};
use super::settings::shown_path;
use super::style::plain;
use super::{Ending, Failure, Session, targets};
use crate::assessment::Standing;
use crate::config::SystemPrompt;
use crate::engine::rules;
use crate::engine::workspace::{Project, plain as plain_error, read_text};
use crate::review::Review;
use crate::slice::{Leak, Sides, Split, System};
use crate::tokens::RecordCounter;
use crate::transcript::TranscriptDigest;
pub use cut::Cut;
use cut::{Cutter, Piece};
use output::Output;

/// What is known of a transcript before it is cut.
pub struct Kept {
    /// Its id.
    pub id: String,
    /// What it says.
    pub digest: TranscriptDigest,
    /// How it stands.
    pub standing: Standing,
}

/// Which transcripts are cut, and why the others are not.
#[derive(Default)]
pub struct Choice {
    /// The ids of those to cut, by what they say.
    chosen: HashMap<TranscriptDigest, Vec<String>>,
    /// Transcripts of each other standing.
    pub not_passed: Vec<(Standing, usize)>,
    /// Transcripts that passed and that a person rejected.
    pub rejected: usize,
}

/// What became of the transcripts.
#[derive(Default)]
pub struct Sums {
    /// Transcripts cut, and slices, on the side of training and of validation.
    pub sides: [(usize, usize); 2],
    /// Transcripts with fewer exchanges than the shortest slice.
    pub short: usize,
    /// Slices over the limit, dropped.
    pub over: usize,
    /// Slices that could not be counted, dropped, and why the first was not.
    pub uncounted: (usize, Option<String>),
    /// The smallest, the largest, and the sum of the tokens of the slices.
    pub tokens: Option<(usize, usize, usize)>,
    /// Words on both sides.
    pub leaks: Vec<Leak<usize>>,
}

/// Cuts.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "`slice` reads twice, so it cannot read standard input: name a file",
        ));
    }
    if args.validation.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Failure::new("--validation is a share from 0 to 1, such as 0.1"));
    }
    let shelves = known::read(&args.paths, session, |entry, card, _| Kept {
        id: entry.transcript.id.clone(),
        digest: entry.digest,
        standing: card.standing,
    })?;
    if shelves.len() > 1 && args.out.is_some() {
        return Err(Failure::new("--out is for one project: these transcripts are in several"));
    }
    let sources = targets::transcripts(&args.paths, session)?;
    let mut groups = super::assess::grouped_by_project(sources, session);
    let mut ending = Ending::Good;
    let mut rows = Vec::new();
    for shelf in &shelves {
        let at = groups.iter().position(|(project, _)| project.root == shelf.project.root);
        let sources = at.map(|at| groups.swap_remove(at).1).unwrap_or_default();
        ending = ending.max(project(args, shelf, &sources, &mut rows, session)?);
    }
    if args.format == GateFormat::Json {
        session.out.line(&format!("[{}]", rows.join(",\n ")));
    }
    Ok(ending)
}

/// Cuts the transcripts of one project.
fn project(
    args: &Args,
    shelf: &Shelf<Kept>,
    sources: &[Source],
    rows: &mut Vec<String>,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let project = &shelf.project;
    let settings = project.settings();
    let choice = choose(shelf);
    let prompt = system_prompt(project)?;
    let folder = args.out.clone().unwrap_or_else(|| shelf.root.join("data/processed"));
    let split = Split {
        seed: args.seed.unwrap_or(settings.slice.seed),
        validation: args.validation.unwrap_or(settings.slice.validation),
    };
    let cutter = cutter(project, &choice, prompt.as_deref(), split, !args.dry_run)?;
    let cannot =
        |e: std::io::Error| Failure::new(format!("{} {}", shown_path(&folder), plain_error(&e)));
    let output = if args.dry_run { None } else { Some(Output::into(&folder).map_err(cannot)?) };
    let mut work = Work::new(args, output);
    for source in sources {
        let file = source.shown();
        let look = |record: &str, _: &mut _| cutter.cut(record);
        let scanned = scan(source, &settings.limits, &mut Vec::new(), look, |seen| {
            if let Some(cut) = seen.analysis.ok().flatten() {
                work.take(cut, &file, seen.start.line, rows, session);
            }
        });
        scanned.map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    }
    let Work { output, sums, trouble, names, .. } = work;
    if let Some(trouble) = trouble {
        return Err(cannot(trouble));
    }
    if !sums.leaks.is_empty() {
        session.out.error(&text::leaks(&sums.leaks, &names));
        return Ok(Ending::Findings);
    }
    let written = output.map(Output::commit).transpose().map_err(cannot)?;
    session.out.note(&text::summary(&choice, &sums, &cutter, written.as_deref()));
    Ok(ending(&choice, &sums))
}

/// Hands out how each transcript of a project would be cut now, with its place.
///
/// # Errors
/// When tokens cannot be counted, or a file cannot be read.
pub fn planned(
    shelf: &Shelf<Kept>,
    sources: &[Source],
    mut each: impl FnMut(Cut, &str, usize),
) -> Result<(), Failure> {
    let project = &shelf.project;
    let settings = project.settings();
    let choice = choose(shelf);
    let prompt = system_prompt(project)?;
    let split = Split { seed: settings.slice.seed, validation: settings.slice.validation };
    let cutter = cutter(project, &choice, prompt.as_deref(), split, false)?;
    for source in sources {
        let file = source.shown();
        let look = |record: &str, _: &mut _| cutter.cut(record);
        let scanned = scan(source, &settings.limits, &mut Vec::new(), look, |seen| {
            if let Some(cut) = seen.analysis.ok().flatten() {
                each(cut, &file, seen.start.line);
            }
        });
        scanned.map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    }
    Ok(())
}

/// What cuts the transcripts of a project.
fn cutter<'a>(
    project: &Project,
    choice: &'a Choice,
    prompt: Option<&'a str>,
    split: Split,
    writes: bool,
) -> Result<Cutter<'a>, Failure> {
    let settings = project.settings();
    Ok(Cutter {
        choice,
        counter: counter(project)?,
        limit: settings.tokens.limit.min(settings.target.max_length.unwrap_or(usize::MAX)),
        split,
        system: match (settings.slice.system_prompt, prompt) {
            (SystemPrompt::Project, Some(text)) => System::Project(text),
            (_, text) => System::Record(text),
        },
        writes,
        depth: settings.limits.depth,
    })
}

/// The cutting of a project under way.
struct Work<'a> {
    args: &'a Args,
    output: Option<Output>,
    /// What keeps the output from being written.
    trouble: Option<std::io::Error>,
    sums: Sums,
    sides: Sides<usize>,
    /// The transcripts cut, as people find them.
    names: Vec<String>,
}

impl<'a> Work<'a> {
    fn new(args: &'a Args, output: Option<Output>) -> Self {
        Self {
            args,
            output,
            trouble: None,
            sums: Sums::default(),
            sides: Sides::default(),
            names: Vec::new(),
        }
    }

    /// Takes in a transcript that was cut.
    fn take(
        &mut self,
        cut: Cut,
        file: &str,
        line: usize,
        rows: &mut Vec<String>,
        session: &mut Session,
    ) {
        self.names.push(format!("{} ({file}:{line})", cut.id));
        let place = self.names.len() - 1;
        for piece in &cut.pieces {
            let leak = self.sides.note(piece.digest, place, cut.side, piece.point);
            self.sums.leaks.extend(leak);
        }
        let manifest = |piece: &Piece| output::row(&cut, piece, file, line);
        if let Some(output) = &mut self.output {
            let written = output.write(&cut, manifest);
            self.trouble = self.trouble.take().or(written.err());
        } else if self.args.format == GateFormat::Text {
            session.out.line(&text::map(&cut, session.out.color));
        }
        if self.args.format == GateFormat::Json {
            rows.extend(cut.pieces.iter().map(manifest));
        }
        self.sums.add(cut);
    }
}

fn ending(choice: &Choice, sums: &Sums) -> Ending {
    let incomplete = choice.not_passed.iter().any(|(s, _)| *s == Standing::Incomplete);
    let none = sums.sides.iter().all(|(_, slices)| *slices == 0);
    match (incomplete, none || sums.uncounted.0 > 0) {
        (true, _) => Ending::Incomplete,
        (false, true) => Ending::Findings,
        (false, false) => Ending::Good,
    }
}

fn choose(shelf: &Shelf<Kept>) -> Choice {
    let mut choice = Choice::default();
    for one in &shelf.kept {
        if one.standing != Standing::Passed {
            match choice.not_passed.iter_mut().find(|(standing, _)| *standing == one.standing) {
                Some((_, count)) => *count += 1,
                None => choice.not_passed.push((one.standing, 1)),
            }
            continue;
        }
        let digest = one.digest.to_string();
        match shelf.reviews.review(shelf.bound(&one.id, &digest)) {
            Review::Rejected(_) => choice.rejected += 1,
            _ => choice.chosen.entry(one.digest).or_default().push(one.id.clone()),
        }
    }
    choice
}

/// The project's system prompt; none where there is no such file and nobody named one.
fn system_prompt(project: &Project) -> Result<Option<String>, Failure> {
    let named = &project.settings().project.system_prompt;
    let Some(path) = project.place(named, "project.system_prompt") else { return Ok(None) };
    let is_named = project.is_set("project.system_prompt");
    if !is_named && !path.exists() {
        return Ok(None);
    }
    let text = read_text(&path)
        .map_err(|why| Failure::new(format!("the system prompt {} {why}", shown_path(&path))))?;
    let text = text.trim_start_matches('\u{feff}').trim().to_owned();
    Ok((!text.is_empty()).then_some(text))
}

fn counter(project: &Project) -> Result<RecordCounter, Failure> {
    rules::load(project).counter.ok_or_else(|| {
        Failure::new(
            "tokens cannot be counted, so no slice can be kept under the limit: mend [tokens]",
        )
    })
}

impl Sums {
    fn add(&mut self, cut: Cut) {
        self.over += cut.over.len();
        self.uncounted.0 += cut.uncounted.len();
        if self.uncounted.1.is_none() {
            self.uncounted.1 = cut.uncounted.into_iter().next().map(|(_, why)| why);
        }
        if cut.is_short {
            self.short += 1;
            return;
        }
        let side = &mut self.sides[cut.side as usize];
        side.0 += 1;
        side.1 += cut.pieces.len();
        for piece in &cut.pieces {
            let tokens = piece.tokens;
            self.tokens = Some(match self.tokens {
                None => (tokens, tokens, tokens),
                Some((low, high, sum)) => (low.min(tokens), high.max(tokens), sum + tokens),
            });
        }
    }
}

impl Choice {
    /// True when this transcript is to be cut.
    fn has(&self, digest: TranscriptDigest, id: &str) -> bool {
        self.chosen.get(&digest).is_some_and(|ids| ids.iter().any(|known| known == id))
    }
}
