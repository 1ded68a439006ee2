//! The transcripts of a file, ready to be assessed.

use std::collections::BTreeMap;
use std::path::{Path, absolute};
use std::sync::Arc;

use crate::analysis::context::{Context, Memo};
use crate::analysis::record::checked;
use crate::assessment::{self, Outcome, family};
use crate::cli::scan::{Source, scan};
use crate::cli::settings::shown_path;
use crate::engine::disk::DiskError;
use crate::engine::workspace::Project;
use crate::report::prompt_version;
use crate::review::batch;
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
    pub checks: Arc<BTreeMap<String, Outcome>>,
    /// The model that wrote it, where the record says so.
    pub generator: Option<Arc<str>>,
    /// The version of the prompts that made it, where the record says so.
    pub prompts: Option<Arc<str>>,
}

/// Transcripts, and bytes of records, handed on at once: bounds the memory of a large file.
const SHARE: usize = 1000;
const SHARE_BYTES: usize = 4 << 20;

/// Hands on the transcripts of a file, some at a time and in order; answers with
/// the lines of records that are none.
pub fn each_share(
    source: &Source,
    context: &Context,
    project: &Project,
    mut each: impl FnMut(Vec<Entry>),
) -> Result<Vec<usize>, DiskError> {
    let limits = &project.settings().limits;
    let file: Arc<str> = source.shown().into();
    let (mut share, mut unusable, mut bytes) = (Vec::new(), Vec::new(), 0);
    let is_document = source.layout() == Layout::Document;
    let look = |record: &str, memo: &mut Memo| entry(record, &file, context, memo);
    let mut hand_on = |share: &mut Vec<Entry>| {
        name_batches(source, project.root.as_deref(), share);
        each(std::mem::take(share));
    };
    scan(source, limits, &mut Vec::new(), look, |seen| {
        let line = seen.start.line;
        bytes += seen.text.bytes();
        match seen.analysis.ok().flatten() {
            Some(entry) => share.push(Entry { line, ..entry }),
            None => unusable.push(line),
        }
        // The batch of a document depends on how many records it has.
        if (share.len() >= SHARE || bytes >= SHARE_BYTES) && !is_document {
            bytes = 0;
            hand_on(&mut share);
        }
    })?;
    hand_on(&mut share);
    Ok(unusable)
}

fn entry(record: &str, file: &Arc<str>, context: &Context, memo: &mut Memo) -> Option<Entry> {
    let json = json::parse(record, context.depth_limit);
    // A record that is broken somewhere is not what its author meant.
    if json.syntax_problem().is_some() {
        return None;
    }
    let rubric = context.rubric.as_deref()?;
    let transcript = read(record, &json).transcript.ok()?;
    let (results, tokens) = checked(record, &json, &transcript, context, memo);
    Some(Entry {
        file: Arc::clone(file),
        line: 0,
        batch: transcript.batch.clone().unwrap_or_default(),
        tokens,
        digest: digest::of(record, &transcript),
        checks: Arc::new(assessment::checked::outcomes(rubric, &transcript, &results)),
        generator: family::recorded(record),
        prompts: prompt_version(record),
        transcript: Arc::new(transcript),
    })
}

/// A record's own batch, else its file; of single-record files, their folder. A
/// path counts from the project's folder: reviews name batches, wherever the
/// command is typed.
fn name_batches(source: &Source, root: Option<&Path>, entries: &mut [Entry]) {
    let single = source.layout() == Layout::Document && entries.len() == 1;
    let path = source.path();
    let inside = |root: &Path| batch::of_file(&absolute(root).ok()?, &absolute(path).ok()?, single);
    let outside = || shown_path(if single { path.parent().unwrap_or(path) } else { path });
    let batch = root.and_then(inside).unwrap_or_else(outside);
    for entry in entries.iter_mut().filter(|e| e.batch.is_empty()) {
        entry.batch.clone_from(&batch);
    }
}
