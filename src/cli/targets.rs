//! The transcript files that paths on the command line name.
//!
//! Invariant: a file named explicitly is always one of them; a folder stands for
//! the transcripts that its projects' settings name in it.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::scan::Source;
use super::settings::shown_path;
use super::{Failure, Session};
use crate::engine::workspace::{plain, transcripts_in};

/// The transcript files of the paths; the working directory where none is given.
pub fn transcripts(paths: &[PathBuf], session: &mut Session) -> Result<Vec<Source>, Failure> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(standard_input("stdin.jsonl".into())?);
        } else if path.is_dir() {
            let found = transcripts_in(&mut session.workspace, path);
            if found.is_empty() {
                let path = shown_path(path);
                session.out.warning(&format!("{path} has no transcripts that the settings name"));
            }
            sources.extend(found.into_iter().map(Source::Disk));
        } else if path.exists() {
            sources.push(Source::Disk(path.clone()));
        } else {
            return Err(Failure::new(format!("{} does not exist", shown_path(path))));
        }
    }
    Ok(sources)
}

/// Standard input, read to its end, under this name.
pub fn standard_input(name: PathBuf) -> Result<Source, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::new(format!("standard input {}", plain(&e))))?;
    Ok(Source::Bytes(name, Arc::from(bytes)))
}
