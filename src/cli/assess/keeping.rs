//! A run's results, kept in the project for `diff` and `rubric history`.
//!
//! Invariant: a run that cannot be kept is said once, and ends as it would have.

use std::path::PathBuf;

use serde_json::Value;

use super::checkpoint::line_of;
use super::job::Asking;
use crate::cli::output::Output;
use crate::cli::style::plain;
use crate::engine::runs::{self, Run, Writer};
use crate::engine::store::owner;
use crate::engine::workspace::{Project, data_dir, plain as plain_error};
use crate::rubric::history::Version;

/// The results of one project's run so far.
#[derive(Default)]
pub struct Keeping {
    writer: Option<Writer>,
    rubric: String,
    /// What the rubric says, and the project it is of.
    version: Option<(PathBuf, Version)>,
}

impl Keeping {
    /// Begins; outside a project, or untrusted, nothing is kept.
    pub fn begin(project: &Project, asking: &Asking, untrusted: bool, out: &mut Output) -> Self {
        let rubric = asking.rubric_digest();
        let (Some(root), Some(data), false) = (&project.root, data_dir(), untrusted) else {
            return Self::default();
        };
        let begun = owner::id(&data).and_then(|owner| {
            let judges = asking.judges.iter().map(|judge| judge.name.clone()).collect();
            let run = Run { owner, judges, rubric_digest: rubric.clone(), ..Run::default() };
            Writer::begin(root, run)
        });
        let writer = begun.map_err(|e| complain(&e, out)).ok();
        let version = Some((root.clone(), Version::of(&asking.rubric)));
        Self { writer, rubric, version }
    }

    /// Keeps a result.
    pub fn add(&mut self, result: &Value, transcript: &str, out: &mut Output) {
        let Some(writer) = &mut self.writer else { return };
        let line = line_of(result, &self.rubric, transcript);
        if let Err(e) = writer.add(result, &line) {
            complain(&e, out);
            if let Some(writer) = self.writer.take() {
                writer.abandon();
            }
        }
    }

    /// Ends the run, `whole` or not: of one that was stopped nothing is kept.
    pub fn finish(self, whole: bool, out: &mut Output) {
        match self.writer {
            Some(writer) if whole => {
                let kept = writer.finish().and_then(|_| match &self.version {
                    Some((root, version)) => runs::keep_version(root, version),
                    None => Ok(()),
                });
                if let Err(e) = kept {
                    complain(&e, out);
                }
            }
            Some(writer) => writer.abandon(),
            None => {}
        }
    }
}

fn complain(error: &std::io::Error, out: &mut Output) {
    out.warning(&plain(&format!("this run is not kept for `diff`: {}", plain_error(error))));
}
