//! Slices of the transcripts that passed, from files into files.
//!
//! Invariant: only transcripts that passed and that nobody rejected are cut; the
//! split is decided before anything is cut; where the same words would stand on
//! both sides, nothing is written at all.
//!
//! What grows with the data: a line of facts for each transcript, and 40 bytes for
//! each slice. The texts are read and never kept.

pub mod cut;
mod output;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::audit::Watch;
use super::rules;
use super::scan::{Source, scan};
use super::workspace::{Project, plain, read_text};
use crate::assessment::Standing;
use crate::config::SystemPrompt;
use crate::slice::{Leak, Sides, Split, System};
use crate::tokens::RecordCounter;
use crate::transcript::TranscriptDigest;
use cut::{Cut, Cutter};
use output::Output;
pub use output::row;

/// Which transcripts are cut, and why the others are not.
#[derive(Debug, Default)]
pub struct Choice {
    /// The ids of those to cut, by what they say.
    chosen: HashMap<TranscriptDigest, Vec<String>>,
    /// Transcripts of each other standing.
    pub not_passed: Vec<(Standing, usize)>,
    /// Transcripts that passed and that a person rejected.
    pub rejected: usize,
}

impl Choice {
    /// Takes in a transcript; `is_rejected` is asked of one that passed.
    pub fn note(
        &mut self,
        id: &str,
        digest: TranscriptDigest,
        standing: Standing,
        is_rejected: impl FnOnce() -> bool,
    ) {
        if standing != Standing::Passed {
            match self.not_passed.iter_mut().find(|(known, _)| *known == standing) {
                Some((_, count)) => *count += 1,
                None => self.not_passed.push((standing, 1)),
            }
        } else if is_rejected() {
            self.rejected += 1;
        } else {
            self.chosen.entry(digest).or_default().push(id.to_owned());
        }
    }

    /// True when judges have not answered everything about some of them.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.not_passed.iter().any(|(standing, _)| *standing == Standing::Incomplete)
    }

    /// True when this transcript is to be cut.
    fn has(&self, digest: TranscriptDigest, id: &str) -> bool {
        self.chosen.get(&digest).is_some_and(|ids| ids.iter().any(|known| known == id))
    }
}

/// What became of the transcripts.
#[derive(Debug, Default)]
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

/// What was made.
#[derive(Debug, Default)]
pub struct Sliced {
    /// Numbers.
    pub sums: Sums,
    /// The transcripts cut, as people find them; leaks name them by index.
    pub names: Vec<String>,
    /// The files written; none where that was not wanted, or where something leaks.
    pub written: Option<Vec<PathBuf>>,
}

/// How a project's transcripts are cut.
///
/// # Errors
/// A sentence for people, when the system prompt cannot be read or tokens not counted.
pub fn cutter<'a>(
    project: &Project,
    choice: &'a Choice,
    split: Split,
    prompt: Option<&'a str>,
    writes: bool,
) -> Result<Cutter<'a>, String> {
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

/// Cuts what was chosen of these files, and writes it into `folder`; `None` when it
/// was stopped. `named` names a file; `each` sees every transcript that was cut, with
/// its file and line.
///
/// # Errors
/// A sentence for people, when something cannot be read or written.
pub fn slice(
    cutter: &Cutter<'_>,
    project: &Project,
    sources: &[Source],
    folder: Option<&Path>,
    watch: &Watch<'_>,
    named: impl Fn(&Source) -> String,
    mut each: impl FnMut(&Cut, &str, usize),
) -> Result<Option<Sliced>, String> {
    let cannot = |e: std::io::Error| {
        let folder = folder.unwrap_or(Path::new(".")).display();
        format!("{folder} {}", plain(&e))
    };
    let limits = &project.settings().limits;
    let mut output = folder.map(Output::into).transpose().map_err(cannot)?;
    let (mut sliced, mut sides, mut trouble) = (Sliced::default(), Sides::default(), None);
    let all = sources.iter().map(Source::size).sum::<u64>().max(1);
    let mut bytes = 0;
    for source in sources {
        let file = named(source);
        let look = |record: &str, _: &mut _| {
            if (watch.stop)() { None } else { cutter.cut(record) }
        };
        let scanned = scan(source, limits, &mut Vec::new(), look, |seen| {
            bytes += seen.text.bytes() as u64;
            (watch.tell)(bytes as f64 / all as f64);
            let (Some(cut), line) = (seen.analysis.ok().flatten(), seen.start.line) else { return };
            sliced.names.push(format!("{} ({file}:{line})", cut.id));
            let place = sliced.names.len() - 1;
            for piece in &cut.pieces {
                let leak = sides.note(piece.digest, place, cut.side, piece.point);
                sliced.sums.leaks.extend(leak);
            }
            if let Some(output) = &mut output {
                let written = output.write(&cut, |piece| row(&cut, piece, &file, line));
                trouble = trouble.take().or(written.err());
            }
            each(&cut, &file, line);
            sliced.sums.add(cut);
        });
        scanned.map_err(|e| e.to_string())?;
        if (watch.stop)() {
            return Ok(None);
        }
    }
    if let Some(trouble) = trouble {
        return Err(cannot(trouble));
    }
    if sliced.sums.leaks.is_empty() {
        sliced.written = output.map(Output::commit).transpose().map_err(cannot)?;
    }
    Ok(Some(sliced))
}

/// The project's system prompt; none where there is no such file and nobody named one.
///
/// # Errors
/// A sentence for people, when it cannot be read.
pub fn system_prompt(project: &Project) -> Result<Option<String>, String> {
    let named = &project.settings().project.system_prompt;
    let Some(path) = project.place(named, "project.system_prompt") else { return Ok(None) };
    let is_named = project.is_set("project.system_prompt");
    if !is_named && !path.exists() {
        return Ok(None);
    }
    let text =
        read_text(&path).map_err(|why| format!("the system prompt {} {why}", path.display()))?;
    let text = text.trim_start_matches('\u{feff}').trim().to_owned();
    Ok((!text.is_empty()).then_some(text))
}

fn counter(project: &Project) -> Result<RecordCounter, String> {
    rules::load(project).counter.ok_or_else(|| {
        "tokens cannot be counted, so no slice can be kept under the limit: mend [tokens]".into()
    })
}
