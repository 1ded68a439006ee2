//! The tables of a store, version by version, and the way from one to the next.
//!
//! Invariant: a store is of exactly one version; tables and version change in one
//! transaction, so whoever is killed in between leaves the old one whole. A store
//! that is somebody else's, of a later version or not ours is not changed.
//!
//! A new version is one more entry of [`VERSIONS`]: what all its tables are, and
//! the statements that lead there from the version before.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::StoreError;
use super::folder::beside;

/// `PRAGMA application_id`: what `file` and we recognise a store by.
pub(super) const APPLICATION: i32 = 0x5275_6272;
const BUSY: Duration = Duration::from_secs(20);

/// One version of the tables.
pub(super) struct Version {
    /// Every table, as SQLite keeps its statement.
    pub(super) tables: &'static [&'static str],
    /// From the version before to this one.
    step: &'static str,
}

const META: &str = "CREATE TABLE meta (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL)";
/// Every version there was, from 1.
pub(super) const VERSIONS: [Version; 2] = [
    Version {
        tables: &[
            META,
            "CREATE TABLE answers (key BLOB NOT NULL UNIQUE, value TEXT NOT NULL, sum BLOB NOT NULL, \
             model TEXT NOT NULL, criterion TEXT NOT NULL, at INTEGER NOT NULL DEFAULT (unixepoch()))",
        ],
        step: "",
    },
    // Which transcript an answer is about, so that it can be removed, and which API
    // it came from. Older answers do not say: NULL.
    Version {
        tables: &[META, ANSWERS],
        step: "ALTER TABLE answers RENAME TO answers_1;
               CREATE TABLE answers (key BLOB NOT NULL UNIQUE, value TEXT NOT NULL, sum BLOB NOT NULL, \
               model TEXT NOT NULL, criterion TEXT NOT NULL, at INTEGER NOT NULL DEFAULT (unixepoch()), \
               provider TEXT, transcript BLOB, id TEXT);
               INSERT INTO answers (key, value, sum, model, criterion, at)
                   SELECT key, value, sum, model, criterion, at FROM answers_1;
               DROP TABLE answers_1;",
    },
];
const ANSWERS: &str = "CREATE TABLE answers (key BLOB NOT NULL UNIQUE, value TEXT NOT NULL, sum BLOB NOT NULL, \
     model TEXT NOT NULL, criterion TEXT NOT NULL, at INTEGER NOT NULL DEFAULT (unixepoch()), \
     provider TEXT, transcript BLOB, id TEXT)";

/// The version written today.
const NEWEST: i32 = VERSIONS.len() as i32;

/// Opens a store that is ours, making it or bringing it up to date where needed.
pub(super) fn connect(path: &Path, owner: &str) -> Result<Connection, StoreError> {
    let failed = |e: rusqlite::Error| sorted(path, &e);
    if !path.exists() {
        create(path, owner)?;
    }
    let flags = OpenFlags::default().difference(OpenFlags::SQLITE_OPEN_CREATE);
    let mut db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(BUSY).map_err(failed)?;
    db.pragma_update(None, "trusted_schema", false).map_err(failed)?;
    // One view of it: another process may be bringing it up to date.
    let view = db.unchecked_transaction().map_err(failed)?;
    let version = checked(&view, path, owner)?;
    drop(view);
    if version < VERSIONS.len() {
        migrate(&mut db).map_err(failed)?;
    }
    // These hold for the connection, and only from here on.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(failed)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    // What is removed or replaced is overwritten.
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).map_err(failed)?;
    Ok(db)
}

/// The version of a store, if it is ours to use.
fn checked(db: &Connection, path: &Path, owner: &str) -> Result<usize, StoreError> {
    let failed = |e: rusqlite::Error| sorted(path, &e);
    let broken = |why: &str| StoreError::Broken(path.to_owned(), why.to_owned());
    if pragma(db, "application_id").map_err(failed)? != APPLICATION {
        return Err(broken("another program made it"));
    }
    let version = usize::try_from(pragma(db, "user_version").map_err(failed)?).unwrap_or(0);
    if version > VERSIONS.len() {
        return Err(StoreError::Newer(path.to_owned()));
    }
    let Some(tables) = version.checked_sub(1).map(|i| VERSIONS[i].tables) else {
        return Err(broken("it has no version"));
    };
    // A view or trigger in a store that a repository ships could do anything.
    let theirs = statements(db).map_err(failed)?;
    if theirs.len() != tables.len() || !theirs.iter().all(|sql| tables.contains(&sql.as_str())) {
        return Err(broken("it has tables that are not ours"));
    }
    let named: String = db
        .query_row("SELECT value FROM meta WHERE name = 'owner'", [], |row| row.get(0))
        .map_err(failed)?;
    if named == owner { Ok(version) } else { Err(StoreError::Foreign(path.to_owned())) }
}

fn statements(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")?;
    query.query_map([], |row| row.get(0))?.collect()
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, name, |row| row.get(0))
}

/// Every step from the version that is there to ours; of several processes, one
/// takes them.
pub(super) fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    steps(&change)?;
    change.commit()
}

/// The steps alone, for whoever commits.
pub(super) fn steps(db: &Connection) -> rusqlite::Result<()> {
    let from = usize::try_from(pragma(db, "user_version")?).unwrap_or(0);
    for version in VERSIONS.iter().skip(from) {
        db.execute_batch(version.step)?;
    }
    db.pragma_update(None, "user_version", NEWEST)
}

/// Makes a store beside and links it: it appears whole, the first one stays, and
/// no journal ever lies beside a store.
fn create(path: &Path, owner: &str) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| sorted(path, &e);
    let lost = |e: std::io::Error| StoreError::Failed(path.to_owned(), e.to_string());
    let name: String = Connection::open_in_memory()
        .and_then(|db| db.query_row("SELECT hex(randomblob(8))", [], |row| row.get(0)))
        .map_err(failed)?;
    let new = beside(path, &format!(".{name}"));
    let made = write_new(&new, owner).map_err(failed);
    let linked = made.and_then(|()| match std::fs::hard_link(&new, path) {
        Err(_) if path.exists() => Ok(()),
        // Some file systems know no hard links.
        Err(_) => std::fs::rename(&new, path).map_err(lost),
        Ok(()) => Ok(()),
    });
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => linked.and(Err(lost(e))),
        _ => linked,
    }
}

fn write_new(path: &Path, owner: &str) -> rusqlite::Result<()> {
    let mut db = Connection::open(path)?;
    // Its log goes when it is closed; from here on there is never a rollback journal.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let change = db.transaction()?;
    let newest = &VERSIONS[VERSIONS.len() - 1];
    change.execute_batch(&newest.tables.join(";"))?;
    change.execute("INSERT INTO meta VALUES ('owner', ?1)", params![owner])?;
    change.pragma_update(None, "application_id", APPLICATION)?;
    change.pragma_update(None, "user_version", NEWEST)?;
    change.commit()?;
    db.close().map_err(|(_, error)| error)
}

/// What kind of trouble an error of SQLite's is.
pub(super) fn sorted(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => StoreError::Broken(path, error.to_string()),
        _ => StoreError::Failed(path, error.to_string()),
    }
}
