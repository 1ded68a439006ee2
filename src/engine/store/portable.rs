//! Paid answers as a file to share: one JSON line an answer, without an owner.
//!
//! Invariant: a line holds an answer and what it is the answer to, as digests; no
//! transcript text but what a judge quoted, and nothing that looks like a key. An
//! answer that is there is never replaced by one from a file.

use std::io::{BufRead, Write};
use std::path::Path;

use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::entry::{checksum, decoded, encoded};
use super::{folder, schema};
use crate::assessment::{Answer, Evidence};
use crate::config::keys::PROVIDERS;
use crate::config::secret::masked;
use crate::rubric::Verdict;

/// A line longer than this is no answer.
const LONGEST: u64 = 1 << 20;

/// One answer in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    criterion: String,
    provider: Option<String>,
    model: String,
    transcript: Option<String>,
    at: i64,
    verdict: String,
    reasoning: String,
    evidence: Vec<Evidence>,
    sum: String,
}

/// What came of merging one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Answers that are new.
    pub added: usize,
    /// Answers that were there already, the same.
    pub same: usize,
    /// Answers to a question that has another answer here, which stays.
    pub other: usize,
    /// Lines that are no answers, and why.
    pub refused: Vec<(usize, &'static str)>,
}

/// Writes every answer; how many there were.
///
/// # Errors
/// A sentence: the store is somebody else's or broken, or the file cannot be written.
pub fn export(path: &Path, owner: &str, out: &mut dyn Write) -> Result<usize, String> {
    folder::prepare(path).map_err(|e| e.to_string())?;
    let db = schema::connect(path, owner).map_err(|e| e.to_string())?;
    let mut written = 0;
    let mut all = || -> rusqlite::Result<Result<(), std::io::Error>> {
        let mut query = db.prepare(
            "SELECT key, value, sum, criterion, provider, model, transcript, at
             FROM answers ORDER BY key",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let Some(line) = line(row)? else { continue };
            let mut text = serde_json::to_vec(&line).unwrap_or_default();
            text.push(b'\n');
            if let Err(e) = out.write_all(&text) {
                return Ok(Err(e));
            }
            written += 1;
        }
        Ok(out.flush())
    };
    match all() {
        Ok(Ok(())) => Ok(written),
        Ok(Err(e)) => Err(format!("the file cannot be written: {e}")),
        Err(e) => Err(schema::sorted(path, &e).to_string()),
    }
}

/// An entry that is broken is left out.
fn line(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Line>> {
    let key: Vec<u8> = row.get("key")?;
    let (value, sum): (String, Vec<u8>) = (row.get("value")?, row.get("sum")?);
    let Ok(key) = <[u8; 32]>::try_from(key) else { return Ok(None) };
    let Some(answer) = decoded(&value).filter(|_| checksum(&key, &value).as_slice() == sum) else {
        return Ok(None);
    };
    let answer = without_keys(answer);
    let sum = checksum(&key, &encoded(&answer));
    let transcript: Option<Vec<u8>> = row.get("transcript")?;
    Ok(Some(Line {
        key: hex(&key),
        criterion: row.get("criterion")?,
        provider: row.get("provider")?,
        model: row.get("model")?,
        transcript: transcript.as_deref().map(hex),
        at: row.get("at")?,
        verdict: answer.verdict.name().to_owned(),
        reasoning: answer.reasoning,
        evidence: answer.evidence,
        sum: hex(&sum),
    }))
}

/// What looks like a key may be somebody's, and the file is for others.
fn without_keys(answer: Answer) -> Answer {
    let clean = |e: Evidence| Evidence { quote: masked(&e.quote).into_owned(), ..e };
    Answer {
        reasoning: masked(&answer.reasoning).into_owned(),
        evidence: answer.evidence.into_iter().map(clean).collect(),
        ..answer
    }
}

/// Takes up the answers of a file, all of them or, on an error, none.
///
/// # Errors
/// A sentence: the store is somebody else's or broken, or the file cannot be read.
pub fn merge(path: &Path, owner: &str, file: &mut dyn BufRead) -> Result<Merged, String> {
    folder::prepare(path).map_err(|e| e.to_string())?;
    let mut db = schema::connect(path, owner).map_err(|e| e.to_string())?;
    let failed = |e: rusqlite::Error| schema::sorted(path, &e).to_string();
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let mut merged = Merged::default();
    let mut number = 0;
    while let Some(text) = next_line(file)? {
        number += 1;
        if number == 1 && text.starts_with("SQLite format 3") {
            return Err("it is a store itself: ask its owner for `rubricator store export`".into());
        }
        if text.trim().is_empty() {
            continue;
        }
        match Row::read(&text) {
            Ok(row) => *row.keep(&change, &mut merged).map_err(failed)? += 1,
            Err(why) => merged.refused.push((number, why)),
        }
    }
    change.commit().map_err(failed)?;
    Ok(merged)
}

/// The next line, cut off where it gets too long to be one.
fn next_line(file: &mut dyn BufRead) -> Result<Option<String>, String> {
    let mut bytes = Vec::new();
    let read = std::io::Read::take(&mut *file, LONGEST).read_until(b'\n', &mut bytes);
    match read {
        Ok(0) => Ok(None),
        Ok(_) if bytes.len() as u64 == LONGEST => Err("it has a line of over 1 MB".into()),
        Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) => Err(crate::engine::workspace::plain(&e)),
    }
}

/// A line that was checked.
struct Row {
    key: [u8; 32],
    transcript: Option<[u8; 32]>,
    value: String,
    line: Line,
}

impl Row {
    fn read(text: &str) -> Result<Self, &'static str> {
        let line: Line = serde_json::from_str(text).map_err(|_| "it is no exported answer")?;
        let key = unhex(&line.key).ok_or("its key is no SHA-256")?;
        let transcript =
            line.transcript.as_deref().map(|t| unhex(t).ok_or("its transcript is no SHA-256"));
        let transcript = transcript.transpose()?;
        if !is_id(&line.criterion) {
            return Err("its criterion is no id");
        }
        if line.provider.as_deref().is_some_and(|p| !PROVIDERS.contains(&p) || p == "recorded") {
            return Err("its provider is none");
        }
        if line.model.is_empty() || line.model.len() > 200 || line.model.contains(char::is_control)
        {
            return Err("its model is none");
        }
        let verdict =
            Verdict::from_name(&line.verdict).ok_or("its verdict is not YES, NO or NA")?;
        let (reasoning, evidence) = (line.reasoning.clone(), line.evidence.clone());
        let value = encoded(&Answer { verdict, reasoning, evidence });
        if hex(&checksum(&key, &value)) != line.sum {
            return Err("its checksum does not fit: it was changed or cut");
        }
        Ok(Self { key, transcript, value, line })
    }

    /// Adds it, unless there is an answer already; the counter it belongs to.
    fn keep<'m>(
        &self,
        db: &rusqlite::Connection,
        merged: &'m mut Merged,
    ) -> rusqlite::Result<&'m mut usize> {
        let key = self.key.as_slice();
        let known: Option<(String, Vec<u8>)> = db
            .prepare_cached("SELECT value, sum FROM answers WHERE key = ?1")?
            .query_row(params![key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        // A broken entry is a miss, and may be replaced.
        let known = known.filter(|(value, sum)| checksum(&self.key, value).as_slice() == sum);
        match known {
            Some((value, _)) if value == self.value => return Ok(&mut merged.same),
            Some(_) => return Ok(&mut merged.other),
            None => {}
        }
        let sum = checksum(&self.key, &self.value);
        let Line { model, criterion, provider, at, .. } = &self.line;
        let transcript = self.transcript.as_ref().map(<[u8; 32]>::as_slice);
        db.prepare_cached(
            "INSERT OR REPLACE INTO answers
             (key, value, sum, model, criterion, at, provider, transcript)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            key,
            self.value,
            sum.as_slice(),
            model,
            criterion,
            at,
            provider,
            transcript
        ])?;
        Ok(&mut merged.added)
    }
}

/// SPEC 4: `[A-Za-z][A-Za-z0-9_-]{0,63}`.
fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes written as 64 hex digits.
#[must_use]
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}
