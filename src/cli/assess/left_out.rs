//! What of a file was not assessed, and why.

use super::Run;
use crate::cli::Ending;
use crate::cli::scan::Source;
use crate::cli::style::plain;
use crate::engine::disk::DiskError;

impl Run<'_> {
    /// Says which records of a file are no transcripts, or why it could not be read.
    pub(super) fn left_out(&mut self, source: &Source, read: Result<Vec<usize>, DiskError>) {
        match read {
            Ok(unusable) => {
                for line in &unusable {
                    let place = plain(&source.shown()).into_owned();
                    let why = "not assessed: no transcript here (`rubricator check` says why)";
                    self.session.out.warning(&format!("{place}:{line}: {why}"));
                    self.ending = self.ending.max(Ending::Findings);
                }
            }
            Err(error) => {
                self.session.out.error(&plain(&error.to_string()));
                self.ending = Ending::Failed;
            }
        }
    }
}
