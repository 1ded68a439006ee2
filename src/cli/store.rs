//! `store`: paid answers as a file to share, and removing those about a transcript.
//!
//! Invariant: an answer that is there is never replaced; what could not be removed
//! is said, and so is where else text of a transcript may lie.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::args::Store;
use super::report::counted;
use super::scan::{Source, scan};
use super::settings::shown_path;
use super::style::plain;
use super::{Ending, Failure, Session};
use crate::analysis::context::Memo;
use crate::engine::batch;
use crate::engine::runs;
use crate::engine::store::portable::{self, unhex};
use crate::engine::store::purge::{self, About, Purged};
use crate::engine::store::{owner, place};
use crate::engine::workspace::{data_dir, plain as plain_error, transcripts_in};
use crate::text::json;
use crate::transcript::{TranscriptDigest, digest, read};

/// Does it.
pub fn run(args: &Store, session: &mut Session) -> Result<Ending, Failure> {
    match args {
        Store::Export { file, project } => export(file, project, session),
        Store::Merge { files, project } => merge(files, project, session),
        Store::Purge { places, transcripts, unknown, project } => {
            let asked = Asked { places, transcripts, unknown: *unknown };
            purge(&asked, project, session)
        }
    }
}

/// A project's store and whose it has to be.
struct Opening {
    path: PathBuf,
    owner: String,
}

impl Opening {
    fn of(project: Option<&Path>) -> Result<Self, Failure> {
        let data = data_dir().ok_or_else(|| {
            Failure::new("your home folder is unknown, so there is no store to work on")
        })?;
        let owner = owner::id(&data)
            .map_err(|e| Failure::new(format!("the owner id: {}", plain_error(&e))))?;
        Ok(Self { path: place(&data, project), owner })
    }
}

fn export(file: &Path, project: &Path, session: &mut Session) -> Result<Ending, Failure> {
    let store = Opening::of(session.workspace.project_of(project).root.as_deref())?;
    if !store.path.exists() {
        let path = shown_path(&store.path);
        return Err(Failure::new(format!("there are no answers yet: {path} does not exist")));
    }
    let count = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let count =
            portable::export(&store.path, &store.owner, &mut bytes).map_err(Failure::new)?;
        session.out.write(&String::from_utf8_lossy(&bytes));
        count
    } else {
        let named = shown_path(file);
        let made = File::options().write(true).create_new(true).open(file);
        let made = made.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::new(format!("{named} exists: name another file, or delete it"))
            }
            _ => Failure::new(format!("{named} cannot be made: {e}")),
        })?;
        let mut out = BufWriter::new(made);
        let count = portable::export(&store.path, &store.owner, &mut out)
            .and_then(|count| out.flush().map(|()| count).map_err(|e| e.to_string()));
        count.map_err(|why| Failure::new(format!("{named}: {why}")))?
    };
    session.out.note(&format!(
        "exported {}: verdicts, reasoning and quotes, no key, no owner",
        counted(count, "answer")
    ));
    Ok(Ending::Good)
}

fn merge(files: &[PathBuf], project: &Path, session: &mut Session) -> Result<Ending, Failure> {
    let store = Opening::of(session.workspace.project_of(project).root.as_deref())?;
    let mut ending = Ending::Good;
    for file in files {
        let named = plain(&shown_path(file)).into_owned();
        let failed = |why: String| Failure::new(format!("{named}: {why}"));
        let opened = File::open(file).map_err(|e| failed(plain_error(&e)))?;
        let merged = portable::merge(&store.path, &store.owner, &mut BufReader::new(opened))
            .map_err(failed)?;
        for (line, why) in &merged.refused {
            session.out.warning(&format!("{named}:{line}: not taken up: {why}"));
            ending = ending.max(Ending::Findings);
        }
        session.out.line(&format!(
            "{named}: {} added, {} known, {} answered otherwise here (yours stay), {} refused",
            counted(merged.added, "answer"),
            merged.same,
            merged.other,
            merged.refused.len()
        ));
    }
    Ok(ending)
}

/// What is to be purged.
struct Asked<'a> {
    places: &'a [String],
    transcripts: &'a [String],
    unknown: bool,
}

fn purge(asked: &Asked<'_>, project: &Path, session: &mut Session) -> Result<Ending, Failure> {
    if asked.places.is_empty() && asked.transcripts.is_empty() && !asked.unknown {
        return Err(Failure::new("say which transcript: FILE:LINE, or --transcript ID"));
    }
    let root = session.workspace.project_of(project).root.clone();
    let mut about = Vec::new();
    for name in asked.transcripts {
        about.extend(by_name(name, root.as_deref(), session));
    }
    let mut stores: Vec<(Option<PathBuf>, Vec<About>)> = vec![(root, about)];
    for text in asked.places {
        let (path, line) = file_and_line(text)?;
        let root = session.workspace.project_of(&path).root.clone();
        let found = at_line(&path, line, session)?;
        match stores.iter_mut().find(|(known, _)| *known == root) {
            Some((_, about)) => about.extend(found),
            None => stores.push((root, found)),
        }
    }
    for (root, about) in stores.into_iter().filter(|(_, about)| asked.unknown || !about.is_empty())
    {
        forget_runs(root.as_deref(), &about, session)?;
        let store = Opening::of(root.as_deref())?;
        let shown = plain(&shown_path(&store.path)).into_owned();
        let data = data_dir().unwrap_or_default();
        let out = batch::purge(&data, root.as_deref(), &about).map_err(Failure::new)?;
        if out > 0 {
            session.out.line(&format!(
                "{} in a batch under way forgotten: the provider has the text until it deletes the \
                 batch, and the reply will be thrown away",
                counted(out, "call")
            ));
        }
        if !store.path.exists() {
            session.out.line(&format!("{shown} does not exist: nothing was stored"));
            continue;
        }
        let purged = purge::purge(&store.path, &store.owner, &about, asked.unknown)
            .map_err(|e| Failure::new(e.to_string()))?;
        say(&shown, purged, session);
    }
    session.out.note(
        "There is no log on disk. Checkpoints, recordings and exports that you had written are \
         yours to delete, as is the transcript itself.",
    );
    Ok(Ending::Good)
}

/// Takes the transcripts out of the runs that are kept for `diff`.
fn forget_runs(root: Option<&Path>, about: &[About], session: &mut Session) -> Result<(), Failure> {
    let Some(root) = root else { return Ok(()) };
    let is_about = |result: &serde_json::Value| {
        about.iter().any(|about| match about {
            About::Id(id) => result["id"] == id.as_str(),
            About::Text(digest) => result["transcript_digest"] == digest.to_string(),
        })
    };
    let removed = runs::forget(root, &is_about)
        .map_err(|e| Failure::new(format!("the kept runs: {}", plain_error(&e))))?;
    if removed > 0 {
        session.out.line(&format!("removed {} from kept runs", counted(removed, "result")));
    }
    Ok(())
}

fn say(store: &str, purged: Purged, session: &mut Session) {
    session.out.line(&format!("removed {} from {store}", counted(purged.removed, "answer")));
    if purged.unknown > 0 {
        session.out.warning(&format!(
            "{} from an older version do not say which transcript they are about: `rubricator store \
             purge --unknown` removes them too (they would be paid again)",
            counted(purged.unknown, "answer")
        ));
    }
    if purged.in_use {
        session.out.warning(
            "another rubricator has the store open, so removed bytes may still lie in its log: \
             close it and run this again",
        );
    }
}

/// Every text that has, or had, this id; or the text with this digest.
fn by_name(name: &str, root: Option<&Path>, session: &mut Session) -> Vec<About> {
    if let Some(bytes) = unhex(name) {
        return vec![About::Text(TranscriptDigest(bytes))];
    }
    let mut about = vec![About::Id(name.to_owned())];
    let Some(root) = root else { return about };
    for path in transcripts_in(&mut session.workspace, root) {
        // A file that cannot be read holds no text that could be looked up.
        let texts = texts(&path, session, |_, id| id == name).unwrap_or_default();
        about.extend(texts.into_iter().map(About::Text));
    }
    about
}

fn at_line(path: &Path, line: usize, session: &mut Session) -> Result<Vec<About>, Failure> {
    let found = texts(path, session, |start, _| start == line)?;
    if found.is_empty() {
        let path = shown_path(path);
        return Err(Failure::new(format!("{path}:{line}: no transcript starts on this line")));
    }
    Ok(found.into_iter().map(About::Text).collect())
}

/// The digests of the transcripts of a file that are wanted, by line and id.
fn texts(
    path: &Path,
    session: &mut Session,
    wanted: impl Fn(usize, &str) -> bool,
) -> Result<Vec<TranscriptDigest>, Failure> {
    let limits = session.workspace.project_of(path).settings().limits.clone();
    let source = Source::Disk(path.to_owned());
    let mut found = Vec::new();
    let look = |text: &str, _: &mut Memo| {
        let json = json::parse(text, limits.depth);
        let transcript = read(text, &json).transcript.ok()?;
        Some((digest::of(text, &transcript), transcript.id))
    };
    scan(&source, &limits, &mut Vec::new(), look, |seen| {
        let Some((digest, id)) = seen.analysis.ok().flatten() else { return };
        if wanted(seen.start.line, &id) {
            found.push(digest);
        }
    })
    .map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    Ok(found)
}

fn file_and_line(text: &str) -> Result<(PathBuf, usize), Failure> {
    let split = text.rsplit_once(':');
    let line = split.and_then(|(path, line)| Some((path.into(), line.parse().ok()?)));
    line.filter(|(_, line)| *line > 0)
        .ok_or_else(|| Failure::new("give the transcript as FILE:LINE, as in data/raw/a.jsonl:3"))
}
