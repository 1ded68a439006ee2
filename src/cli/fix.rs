//! `check --fix`: safe fixes as edits of a file, written so that nothing is lost.
//!
//! Invariant: only fixes marked safe are applied, no two that touch; the file is
//! replaced as a whole, by a rename, or not at all, and keeps its permissions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::whole_file::WholeFile;
use crate::engine::packed::Kind;
use crate::finding::{Edit, Finding, Fix, Safety};

/// An edit at bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// First byte that goes.
    pub start: u64,
    /// One past the last byte that goes.
    pub end: u64,
    /// What comes.
    pub text: String,
}

/// The safe fixes of one file that can be applied together.
#[derive(Debug, Default)]
pub struct Plan {
    edits: Vec<FileEdit>,
    /// Bytes that are spoken for, as start → end.
    taken: BTreeMap<u64, u64>,
    /// Fixes in it.
    pub fixes: usize,
}

impl Plan {
    /// Adds the safe fixes of findings whose spans start at byte `base` of the
    /// file. Fixes that meet an earlier one wait for the next round.
    pub fn add(&mut self, findings: &[Finding], base: u64) {
        for fix in findings.iter().filter_map(safe) {
            let edits: Vec<FileEdit> = fix.edits.iter().map(|e| in_file(e, base)).collect();
            if edits.iter().all(|e| self.is_free(e)) {
                self.fixes += 1;
                self.taken.extend(edits.iter().map(|e| (e.start, e.end)));
                self.edits.extend(edits);
            }
        }
    }

    /// The edits, in the order of the file.
    #[must_use]
    pub fn edits(mut self) -> Vec<FileEdit> {
        self.edits.sort_by_key(|e| (e.start, e.end));
        self.edits
    }

    /// Touching counts as sharing: two insertions at one place have no order.
    fn is_free(&self, edit: &FileEdit) -> bool {
        let before = self.taken.range(..=edit.end).next_back();
        before.is_none_or(|(_, &end)| end < edit.start)
    }
}

/// True when its best fix is a safe one.
#[must_use]
pub fn is_fixable(finding: &Finding) -> bool {
    safe(finding).is_some()
}

fn safe(finding: &Finding) -> Option<&Fix> {
    finding.fixes.first().filter(|f| f.safety == Safety::Safe && !f.edits.is_empty())
}

fn in_file(edit: &Edit, base: u64) -> FileEdit {
    let (start, end) = (base + edit.span.start as u64, base + edit.span.end as u64);
    FileEdit { start, end, text: edit.text.clone() }
}

/// Writes the file with the edits applied, all or nothing.
///
/// # Errors
/// The file cannot be read, or its folder cannot be written.
pub fn rewrite(path: &Path, edits: &[FileEdit]) -> io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let path = path.canonicalize()?;
    if Kind::of_file(&path).is_packed() {
        let why = "is compressed, and fixes are written in place: unpack it first";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    let mut source = File::open(&path)?;
    let mut target = WholeFile::over(&path)?;
    copy(&mut source, &mut target, edits)?;
    target.commit()
}

/// Copies `source` with the edits applied; they are in order and do not overlap.
///
/// # Errors
/// Reading or writing failed, or an edit lies beyond the end.
pub fn copy(
    source: &mut (impl Read + Seek),
    target: &mut impl Write,
    edits: &[FileEdit],
) -> io::Result<()> {
    let mut at = 0;
    for edit in edits {
        io::copy(&mut source.by_ref().take(edit.start.saturating_sub(at)), target)?;
        target.write_all(edit.text.as_bytes())?;
        at = source.seek(io::SeekFrom::Start(edit.end))?;
    }
    io::copy(source, target)?;
    target.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::text::Span;

    fn found(start: usize, end: usize, text: &str) -> Finding {
        let span = Span::new(start, end);
        Finding::new("X", Severity::Error, span, "").with_fix(Fix::safe("fix", span, text))
    }

    #[test]
    fn fixes_that_meet_wait_for_the_next_pass() {
        let suggested = Fix::suggested("s", Span::new(9, 10), "s");
        let only_suggested =
            Finding::new("Y", Severity::Error, Span::new(9, 10), "").with_fix(suggested);
        let findings = [found(0, 2, "a"), found(1, 3, "b"), found(5, 6, ""), only_suggested];
        let mut plan = Plan::default();
        plan.add(&findings, 100);
        assert_eq!(plan.fixes, 2);
        let edits = plan.edits();
        assert_eq!(
            edits.iter().map(|e| (e.start, e.end)).collect::<Vec<_>>(),
            [(100, 102), (105, 106)]
        );
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, "0123456789").unwrap();
        let edit = |start, end, text: &str| FileEdit { start, end, text: text.into() };
        let edits = [edit(1, 3, "x"), edit(4, 4, "+"), edit(8, 9, "H")];
        rewrite(&path, &edits).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0x3+4567H9");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }
}
