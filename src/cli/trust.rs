//! `trust`: lets a project's judges use the user's keys and hosts.

use super::args::Trust;
use super::output::Output;
use super::{Ending, Failure};
use crate::engine::{trusted_projects, workspace};

/// Remembers the project.
pub fn run(args: &Trust, out: &mut Output) -> Result<Ending, Failure> {
    let dir = args.dir.display();
    let root = workspace::root_of(&args.dir).ok_or_else(|| {
        Failure::new(format!(
            "{dir} is in no project: there is no {} here or above (`rubricator init` makes one)",
            workspace::SETTINGS_FILE
        ))
    })?;
    let data = workspace::data_dir().ok_or_else(|| {
        Failure::new("your home folder is unknown, so trust cannot be remembered")
    })?;
    let new = trusted_projects::trust(&data, &root).map_err(|e| {
        Failure::new(format!("trust cannot be remembered: {}", workspace::plain(&e)))
    })?;
    let root = root.display();
    out.line(&if new { format!("trusted {root}") } else { format!("{root} was trusted already") });
    Ok(Ending::Good)
}
