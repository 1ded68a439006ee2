//! `trust`: lets a project's judges use the user's keys and hosts, or no longer.

use std::path::{Path, PathBuf};

use super::args::Trust;
use super::output::Output;
use super::style::plain;
use super::{Ending, Failure};
use crate::engine::{trusted_projects, workspace};

/// Remembers the project, forgets it, or prints all that are remembered.
pub fn run(args: &Trust, out: &mut Output) -> Result<Ending, Failure> {
    let data = workspace::data_dir().ok_or_else(|| {
        Failure::new("your home folder is unknown, so trust cannot be remembered")
    })?;
    if args.list {
        for root in trusted_projects::all(&data) {
            let gone = if root.is_dir() { "" } else { "  (no such folder)" };
            out.line(&format!("{}{gone}", plain(&root.display().to_string())));
        }
        return Ok(Ending::Good);
    }
    if args.revoke { revoke(args, &data, out) } else { give(args, &data, out) }
}

fn give(args: &Trust, data: &Path, out: &mut Output) -> Result<Ending, Failure> {
    let root = root(args)?;
    let new = trusted_projects::trust(data, &root).map_err(|e| failed(&e))?;
    let root = plain(&root.display().to_string()).into_owned();
    out.line(&if new { format!("trusted {root}") } else { format!("{root} was trusted already") });
    Ok(Ending::Good)
}

fn revoke(args: &Trust, data: &Path, out: &mut Output) -> Result<Ending, Failure> {
    // A folder whose settings file, or which itself, is gone can still be revoked.
    let root = root(args).unwrap_or_else(|_| args.dir.clone());
    let was = trusted_projects::revoke(data, &root).map_err(|e| failed(&e))?;
    let root = plain(&root.display().to_string()).into_owned();
    out.line(&if was {
        format!("{root} is no longer trusted")
    } else {
        format!("{root} was not trusted")
    });
    Ok(Ending::Good)
}

fn root(args: &Trust) -> Result<PathBuf, Failure> {
    workspace::root_of(&args.dir).ok_or_else(|| {
        Failure::new(format!(
            "{} is in no project: there is no {} here or above (`rubricator init` makes one)",
            args.dir.display(),
            workspace::SETTINGS_FILE
        ))
    })
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(format!("trust cannot be remembered: {}", workspace::plain(error)))
}
