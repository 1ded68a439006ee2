//! Taking a transcript's answers out of a store, so that their bytes are gone.
//!
//! Invariant: what is reported as removed is overwritten, in the store and in its
//! write-ahead log; what could not be overwritten yet is said.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::{StoreError, folder, schema};
use crate::transcript::TranscriptDigest;

/// Which answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Those to exactly this text.
    Text(TranscriptDigest),
    /// Those to every text that had this id.
    Id(String),
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Answers removed.
    pub removed: usize,
    /// Answers of an older version that do not say what they are about.
    pub unknown: usize,
    /// Another process has the store open: its log may hold old bytes until it ends.
    pub in_use: bool,
}

/// Removes the answers about these, and with `unknown` also those that do not say
/// what they are about.
///
/// # Errors
/// When the store is somebody else's or cannot be written.
pub fn purge(
    path: &Path,
    owner: &str,
    about: &[About],
    unknown: bool,
) -> Result<Purged, StoreError> {
    folder::prepare(path)?;
    let mut db = schema::connect(path, owner)?;
    let failed = |e: rusqlite::Error| schema::sorted(path, &e);
    let (removed, unknown) = remove(&mut db, about, unknown).map_err(failed)?;
    // Even when nothing was removed: an earlier purge may have found the store in use.
    let in_use = overwrite(&db).map_err(failed)?;
    Ok(Purged { removed, unknown, in_use })
}

fn remove(db: &mut Connection, about: &[About], unknown: bool) -> rusqlite::Result<(usize, usize)> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut removed = 0;
    for one in about {
        removed += match one {
            About::Text(digest) => change
                .execute("DELETE FROM answers WHERE transcript = ?1", params![digest.0.as_slice()]),
            About::Id(id) => change.execute("DELETE FROM answers WHERE id = ?1", params![id]),
        }?;
    }
    if unknown {
        removed += change.execute("DELETE FROM answers WHERE transcript IS NULL", [])?;
    }
    let query = "SELECT count(*) FROM answers WHERE transcript IS NULL";
    let left: i64 = change.query_row(query, [], |row| row.get(0))?;
    change.commit()?;
    Ok((removed, usize::try_from(left).unwrap_or_default()))
}

/// Writes the store anew and empties its log; true when somebody kept us from it.
fn overwrite(db: &Connection) -> rusqlite::Result<bool> {
    let emptied = || -> rusqlite::Result<bool> {
        let query = "PRAGMA wal_checkpoint(TRUNCATE)";
        db.query_row(query, [], |row| row.get::<_, i64>(0)).map(|busy| busy == 0)
    };
    let first = emptied()?;
    db.execute_batch("VACUUM")?;
    Ok(!(emptied()? && first))
}
