//! A record in its file, and one edit of it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::context::Context;
use crate::cli::Failure;
use crate::cli::fix::{FileEdit, rewrite};
use crate::cli::scan::{Source, scan};
use crate::cli::settings::shown_path;
use crate::config::Limits;
use crate::engine::workspace::plain;
use crate::finding::Edit;
use crate::fixup::FixupRecord;
use crate::text::{edit, json};
use crate::transcript::{Transcript, TranscriptDigest, digest, read};

/// A record in its file.
pub struct Place {
    path: PathBuf,
    /// Bytes of the file before it.
    byte: u64,
    /// Its text.
    pub record: Arc<str>,
    /// What it says.
    pub transcript: Arc<Transcript>,
    /// The digest of that.
    pub digest: TranscriptDigest,
}

impl Place {
    /// The record that starts in this line of the file, as it is now.
    pub fn find(
        path: &Path,
        line: usize,
        context: &Context,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let source = Source::Disk(path.to_owned());
        let mut found = None;
        scan(
            &source,
            limits,
            &mut Vec::new(),
            |_, _| (),
            |seen| {
                if seen.start.line == line && found.is_none() {
                    found = Some((seen.start.byte, seen.text.get().to_owned()));
                }
            },
        )
        .map_err(|e| Failure::new(e.to_string()))?;
        let gone =
            || Failure::new(format!("{}:{line} holds no transcript any more", shown_path(path)));
        let (byte, text) = found.ok_or_else(gone)?;
        let parsed = json::parse(&text, context.depth_limit);
        let transcript = read(&text, &parsed).transcript.map_err(|_| gone())?;
        Ok(Self {
            path: path.to_owned(),
            byte,
            digest: digest::of(&text, &transcript),
            record: text.into(),
            transcript: Arc::new(transcript),
        })
    }

    /// Applies edits of the record, if the file still holds this record there.
    pub fn apply(&self, edits: &[Edit]) -> Result<(), Failure> {
        let failed =
            |e: std::io::Error| Failure::new(format!("{} {}", shown_path(&self.path), plain(&e)));
        let mut there = vec![0; self.record.len()];
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(self.byte)).map_err(failed)?;
        let same = file.read_exact(&mut there).is_ok() && there == self.record.as_bytes();
        if !same || edit::apply_edits(&self.record, edits).is_err() {
            let path = shown_path(&self.path);
            return Err(Failure::new(format!(
                "{path} has changed meanwhile, so nothing was written: run it again"
            )));
        }
        let in_file = |edit: &Edit| {
            let (start, end) = (edit.span.start as u64, edit.span.end as u64);
            FileEdit { start: self.byte + start, end: self.byte + end, text: edit.text.clone() }
        };
        let mut edits: Vec<FileEdit> = edits.iter().map(in_file).collect();
        edits.sort_by_key(|edit| (edit.start, edit.end));
        rewrite(&self.path, &edits).map_err(failed)
    }

    /// The edit that takes a fixup of a reply back; `None` when the reply is another one now.
    pub fn back(&self, fixup: &FixupRecord) -> Option<Edit> {
        let exchange = self.transcript.exchanges.iter().find(|e| e.number == fixup.exchange)?;
        let mut replies = self.transcript.reply_messages(exchange);
        let message = replies.find(|i| self.transcript.messages[*i].text == fixup.after)?;
        let part = self.transcript.messages[message].parts.first()?;
        edit::rewrite(&self.record, part.source, &fixup.before)
    }
}
