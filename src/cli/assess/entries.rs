//! The transcripts of a file, ready to be assessed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::analysis::context::{Context, Memo};
use crate::analysis::record::check_results;
use crate::assessment::{Outcome, checked};
use crate::cli::scan::{Seen, Source, scan};
use crate::cli::settings::shown_path;
use crate::config::Limits;
use crate::engine::disk::DiskError;
use crate::text::json;
use crate::transcript::records::Layout;
use crate::transcript::{Transcript, TranscriptDigest, digest, read};

/// One transcript to assess.
#[derive(Debug)]
pub struct Entry {
    /// The file, as printed.
    pub file: Arc<str>,
    /// Its line, from 1.
    pub line: usize,
    /// The batch it belongs to.
    pub batch: String,
    /// Tokens as rendered.
    pub tokens: Option<usize>,
    /// The transcript.
    pub transcript: Arc<Transcript>,
    /// Its digest.
    pub digest: TranscriptDigest,
    /// The outcomes of the computed criteria.
    pub checks: BTreeMap<String, Outcome>,
}

/// The transcripts of a file, and the lines that hold none.
pub struct Entries {
    /// The transcripts, in order.
    pub entries: Vec<Entry>,
    /// Lines of records that are no transcripts.
    pub unusable: Vec<usize>,
}

/// Reads the transcripts of a file.
pub fn read_file(
    source: &Source,
    context: &Context,
    limits: &Limits,
) -> Result<Entries, DiskError> {
    let file: Arc<str> = source.shown().into();
    let mut found = Entries { entries: Vec::new(), unusable: Vec::new() };
    let mut memo = Memo::default();
    scan(source, context, limits, &mut Vec::new(), |seen| {
        let line = seen.start.line;
        match entry(seen, &file, context, &mut memo) {
            Some(entry) => found.entries.push(entry),
            None => found.unusable.push(line),
        }
    })?;
    name_batches(source, &mut found.entries);
    Ok(found)
}

fn entry(seen: Seen, file: &Arc<str>, context: &Context, memo: &mut Memo) -> Option<Entry> {
    let outline = seen.analysis.ok()?.outline?;
    let json = json::parse(&seen.text, context.depth_limit);
    // A record that is broken somewhere is not what its author meant.
    if json.syntax_problem().is_some() {
        return None;
    }
    let transcript = read(&seen.text, &json).transcript.ok()?;
    let results = check_results(&seen.text, &transcript, context, memo);
    let rubric = context.rubric.as_deref()?;
    Some(Entry {
        file: Arc::clone(file),
        line: seen.start.line,
        batch: outline.batch.unwrap_or_default(),
        tokens: outline.tokens,
        digest: digest::of(&seen.text, &transcript),
        checks: checked::outcomes(rubric, &transcript, &results),
        transcript: Arc::new(transcript),
    })
}

/// A record's own batch, else its file; of single-record files, their folder.
fn name_batches(source: &Source, entries: &mut [Entry]) {
    let single = source.layout() == Layout::Document && entries.len() == 1;
    let folder = source.path().parent().unwrap_or(Path::new("."));
    let batch = if single { shown_path(folder) } else { source.shown() };
    for entry in entries.iter_mut().filter(|e| e.batch.is_empty()) {
        entry.batch.clone_from(&batch);
    }
}
