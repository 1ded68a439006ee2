//! The batches under way, in the user's own data folder.
//!
//! Invariant: a batch is written down before it is made, under a label of our own
//! until the provider has named it, and struck out only once its answers are on
//! disk; so whoever runs next fetches it. What is written holds keys of answers
//! and ids of criteria: no text, no API key.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::engine::store::purge::About;

/// Its name in the user's data folder.
const FILE: &str = "batches.db";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS calls (place TEXT NOT NULL, project TEXT NOT NULL, \
    batch TEXT NOT NULL, mark TEXT NOT NULL, asked TEXT NOT NULL, \
    at INTEGER NOT NULL DEFAULT (unixepoch()), PRIMARY KEY (place, batch, mark))";
const BUSY: Duration = Duration::from_secs(20);

/// The list of batches.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    // Held for one statement; never across an await.
    db: Arc<Mutex<Connection>>,
}

/// What a label begins with in place of a name, which holds no such sign.
const LABEL: char = '?';

/// A batch under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    /// What it is written down as: the provider's name, or our label.
    pub(super) row: String,
    /// What the provider calls it, or seems to.
    pub(super) name: String,
    /// When it was written down, in seconds since 1970.
    pub(super) at: i64,
    /// How long ago that was.
    pub(super) age: i64,
    /// How many calls it has there, the purged included.
    pub(super) size: usize,
    /// Its calls by their marks.
    pub(super) calls: Vec<(String, Asked)>,
}

/// What a call asks, as far as its answers need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The criteria: id, and the answer's key in hex.
    pub(super) criteria: Vec<(String, String)>,
    /// Exchanges of the transcript.
    pub(super) exchanges: usize,
    /// The model.
    pub(super) model: String,
    /// The transcript's digest in hex, and its id: its answers can be removed.
    pub(super) transcript: String,
    pub(super) id: String,
}

/// Whose batches: one provider's address, and one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) place: String,
    pub(super) project: Option<PathBuf>,
}

impl Batch {
    /// One that is about to be made.
    pub(super) fn unnamed(label: &str, calls: Vec<(String, Asked)>) -> Self {
        let (row, name) = (format!("{LABEL}{label}"), String::new());
        Self { row, name, at: 0, age: 0, size: calls.len(), calls }
    }

    /// The provider's name for it is written down.
    pub(super) fn is_named(&self) -> bool {
        self.label().is_none()
    }

    /// Our label, as long as nothing better is known.
    pub(super) fn label(&self) -> Option<&str> {
        self.row.strip_prefix(LABEL)
    }
}

impl Whose {
    fn project(&self) -> String {
        self.project.as_deref().map_or_else(String::new, |path| path.to_string_lossy().into_owned())
    }
}

impl Pending {
    /// Opens the list; without a folder it lasts as long as the process.
    pub(super) fn open(data_dir: Option<&Path>) -> Result<Self, String> {
        let open = || -> rusqlite::Result<Connection> {
            let db = match data_dir {
                Some(dir) => Connection::open(dir.join(FILE))?,
                None => Connection::open_in_memory()?,
            };
            db.busy_timeout(BUSY)?;
            db.execute_batch(TABLE)?;
            Ok(db)
        };
        if let Some(dir) = data_dir {
            std::fs::create_dir_all(dir).map_err(|e| said(&e))?;
        }
        open().map(|db| Self { db: Arc::new(Mutex::new(db)) }).map_err(|e| said(&e))
    }

    /// Writes a batch down.
    pub(super) fn add(
        &self,
        whose: &Whose,
        row: &str,
        calls: &[(String, Asked)],
    ) -> Result<(), String> {
        self.added(whose, row, calls).map_err(|e| said(&e))
    }

    fn added(&self, whose: &Whose, row: &str, calls: &[(String, Asked)]) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (mark, asked) in calls {
            // Texts and numbers alone: this cannot fail.
            let asked = serde_json::to_string(asked).unwrap_or_default();
            change.execute(
                "INSERT OR REPLACE INTO calls (place, project, batch, mark, asked) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![whose.place, whose.project(), row, mark, asked],
            )?;
        }
        change.commit()
    }

    /// The batches of this place and project, the oldest first.
    pub(super) fn under_way(&self, whose: &Whose) -> Result<Vec<Batch>, String> {
        let db = self.db();
        let read = || -> rusqlite::Result<Vec<Batch>> {
            let mut query = db.prepare(
                "SELECT batch, mark, asked, at, unixepoch() - at FROM calls \
                 WHERE place = ?1 AND project = ?2 ORDER BY at, batch, mark",
            )?;
            let mut rows = query.query(params![whose.place, whose.project()])?;
            let mut batches: Vec<Batch> = Vec::new();
            while let Some(row) = rows.next()? {
                let (name, mark): (String, String) = (row.get(0)?, row.get(1)?);
                let (asked, at, age): (String, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
                if batches.last().is_none_or(|batch| batch.row != name) {
                    let (row, calls) = (name.clone(), Vec::new());
                    batches.push(Batch { row, name, at, age, size: 0, calls });
                }
                let Some(batch) = batches.last_mut() else { continue };
                batch.size += 1;
                // What was purged says nothing any more.
                batch.calls.extend(serde_json::from_str(&asked).ok().map(|asked| (mark, asked)));
            }
            Ok(batches)
        };
        read().map_err(|e| said(&e))
    }

    /// A batch has a name now.
    pub(super) fn rename(&self, whose: &Whose, row: &str, name: &str) -> Result<(), String> {
        let update = "UPDATE calls SET batch = ?3 WHERE place = ?1 AND batch = ?2";
        let done = self.db().execute(update, params![whose.place, row, name]);
        done.map(drop).map_err(|e| said(&e))
    }

    /// The names of all batches at this place, whichever project's.
    pub(super) fn names(&self, whose: &Whose) -> Result<HashSet<String>, String> {
        let db = self.db();
        let read = || -> rusqlite::Result<HashSet<String>> {
            let mut query = db.prepare("SELECT DISTINCT batch FROM calls WHERE place = ?1")?;
            query.query_map([&whose.place], |row| row.get(0))?.collect()
        };
        read().map_err(|e| said(&e))
    }

    /// The marks of a batch's calls that were not purged.
    pub(super) fn marks(&self, whose: &Whose, row: &str) -> Result<HashSet<String>, String> {
        let db = self.db();
        let read = || -> rusqlite::Result<HashSet<String>> {
            let select = "SELECT mark FROM calls WHERE place = ?1 AND batch = ?2 AND asked <> ''";
            let mut query = db.prepare(select)?;
            query.query_map([whose.place.as_str(), row], |row| row.get(0))?.collect()
        };
        read().map_err(|e| said(&e))
    }

    /// Strikes a batch out.
    pub(super) fn strike(&self, whose: &Whose, name: &str) -> Result<(), String> {
        let delete = "DELETE FROM calls WHERE place = ?1 AND batch = ?2";
        self.db().execute(delete, params![whose.place, name]).map(drop).map_err(|e| said(&e))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes transcripts out of a project's batches under way: what these calls asked is
/// overwritten, and what comes back for them is paid and thrown away. How many calls.
///
/// # Errors
/// A sentence that says why the list cannot be used.
pub fn purge(data_dir: &Path, project: Option<&Path>, about: &[About]) -> Result<usize, String> {
    if !data_dir.join(FILE).exists() {
        return Ok(0);
    }
    let whose = Whose { place: String::new(), project: project.map(Into::into) };
    let pending = Pending::open(Some(data_dir))?;
    pending.purged(&whose.project(), about).map_err(|e| said(&e))
}

impl Pending {
    fn purged(&self, project: &str, about: &[About]) -> rusqlite::Result<usize> {
        let mut db = self.db();
        db.pragma_update(None, "secure_delete", true)?;
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut calls = 0;
        for one in about {
            let (field, value) = match one {
                About::Text(digest) => ("$.transcript", digest.to_string()),
                About::Id(id) => ("$.id", id.clone()),
            };
            // The mark follows from the text, so it goes too.
            calls += change.execute(
                "UPDATE calls SET asked = '', mark = 'purged-' || rowid WHERE project = ?1 \
                 AND asked <> '' AND json_extract(asked, ?2) = ?3",
                params![project, field, value],
            )?;
        }
        change.commit()?;
        db.execute_batch("VACUUM")?;
        Ok(calls)
    }
}

fn said(error: &dyn std::error::Error) -> String {
    format!("the list of batches ({FILE} in your data folder): {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: &str) -> Asked {
        let criteria = vec![("A".into(), key.into())];
        let (transcript, id) = ("00".repeat(32), "t".into());
        Asked { criteria, exchanges: 2, model: "m".into(), transcript, id }
    }

    #[test]
    fn a_batch_is_there_until_it_is_struck_out_for_its_own_project() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("user");
        let whose =
            |project: Option<&str>| Whose { place: "x".into(), project: project.map(Into::into) };
        let (mine, other) = (whose(Some("/a")), whose(None));
        let calls = vec![("m1".to_owned(), asked("00")), ("m2".to_owned(), asked("01"))];
        Pending::open(Some(&data)).unwrap().add(&mine, "b1", &calls).unwrap();
        let again = Pending::open(Some(&data)).unwrap();
        assert_eq!(again.under_way(&other).unwrap(), []);
        let found = again.under_way(&mine).unwrap();
        assert_eq!((found.len(), &found[0].name, &found[0].calls), (1, &"b1".to_owned(), &calls));
        again.strike(&mine, "b1").unwrap();
        assert_eq!(again.under_way(&mine).unwrap(), []);
    }

    #[test]
    fn a_batch_keeps_its_label_until_it_has_a_name() {
        let pending = Pending::open(None).unwrap();
        let whose = Whose { place: "x".into(), project: None };
        let batch = Batch::unnamed("abc", vec![("m1".to_owned(), asked("00"))]);
        pending.add(&whose, &batch.row, &batch.calls).unwrap();
        let found = pending.under_way(&whose).unwrap().remove(0);
        assert_eq!((found.label(), found.is_named()), (Some("abc"), false));
        pending.rename(&whose, &found.row, "b1").unwrap();
        let found = pending.under_way(&whose).unwrap().remove(0);
        assert_eq!(
            (found.name.as_str(), found.is_named(), &found.calls),
            ("b1", true, &batch.calls)
        );
        assert!(pending.names(&whose).unwrap().contains("b1"));
    }
}
