//! The files that `slice` writes: training, validation, manifest.
//!
//! Invariant: each is there whole or not at all, and none takes its place before
//! all are written.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::cut::{Cut, Piece};
use crate::engine::whole_file::WholeFile;
use crate::slice::Side;

const TRAINING: &str = "training_data.jsonl";
const VALIDATION: &str = "validation_data.jsonl";
const MANIFEST: &str = "slices.jsonl";

/// The files on their way.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    sides: [WholeFile; 2],
    manifest: WholeFile,
}

impl Output {
    /// Begins the files of a folder.
    pub fn into(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let over = |name: &str| WholeFile::over(&folder.join(name));
        let sides = [over(TRAINING)?, over(VALIDATION)?];
        Ok(Self { folder: folder.to_owned(), sides, manifest: over(MANIFEST)? })
    }

    /// Writes the slices of a transcript and their lines of the manifest.
    pub fn write(&mut self, cut: &Cut, row: impl Fn(&Piece) -> String) -> io::Result<()> {
        let side = match cut.side {
            Side::Training => &mut self.sides[0],
            Side::Validation => &mut self.sides[1],
        };
        for piece in &cut.pieces {
            writeln!(side, "{}", piece.example)?;
            writeln!(self.manifest, "{}", row(piece))?;
        }
        Ok(())
    }

    /// Puts all of them in their places; answers with where they are.
    pub fn commit(self) -> io::Result<Vec<PathBuf>> {
        let [training, validation] = self.sides;
        training.commit()?;
        validation.commit()?;
        self.manifest.commit()?;
        Ok([TRAINING, VALIDATION, MANIFEST].map(|name| self.folder.join(name)).to_vec())
    }
}

/// A line of the manifest.
#[must_use]
pub fn row(cut: &Cut, piece: &Piece, file: &str, line: usize) -> String {
    json!({
        "id": cut.id, "file": file, "line": line, "slice_point": piece.point,
        "tokens": piece.tokens, "split": cut.side.name(),
    })
    .to_string()
}
