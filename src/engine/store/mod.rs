//! Paid answers on disk: SQLite in WAL mode, full sync, grouped commits.
//!
//! Invariant: only answers are stored, never a failure to answer; an answer that
//! was acknowledged survives a kill; an entry that cannot be read, or that its
//! checksum does not fit, is a miss. Several processes may use one store.
//!
//! Deliberately absent: what an answer is good for. The key decides
//! ([`super::answer_key`]).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::assessment::{Answer, Evidence};
use crate::rubric::Verdict;

use super::answer_key::KeyDigest;

pub mod owner;

/// `PRAGMA application_id`: what `file` and we recognise a store by.
const APPLICATION: i32 = 0x5275_6272;
const SCHEMA: i32 = 1;
const TABLES: [&str; 2] = [
    "CREATE TABLE meta (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL)",
    "CREATE TABLE answers (key BLOB NOT NULL UNIQUE, value TEXT NOT NULL, sum BLOB NOT NULL, \
     model TEXT NOT NULL, criterion TEXT NOT NULL, at INTEGER NOT NULL DEFAULT (unixepoch()))",
];
/// Rows in one commit at most.
const GROUP: usize = 512;
const BUSY: Duration = Duration::from_secs(20);

/// An open store.
#[derive(Debug)]
pub struct Store {
    // One reader at a time: a lookup takes microseconds. Never held across an await.
    reader: Mutex<Connection>,
    writer: mpsc::Sender<Write>,
}

/// One answer to keep.
#[derive(Clone, Debug)]
pub struct Row {
    /// The digest of its [`super::answer_key::AnswerKey`].
    pub key: KeyDigest,
    /// The answer.
    pub answer: Answer,
    /// The model that gave it, for people who look into the store.
    pub model: String,
    /// The criterion's id, for people who look into the store.
    pub criterion: String,
}

#[derive(Debug)]
struct Write {
    rows: Vec<Row>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Why a store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It belongs to somebody else.
    Foreign(PathBuf),
    /// A later version wrote it.
    Newer(PathBuf),
    /// It is no store of ours, or broken.
    Broken(PathBuf, String),
    /// The disk, or SQLite, said no.
    Failed(PathBuf, String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, what) = match self {
            Self::Foreign(path) => (path, "belongs to somebody else and is not read".to_owned()),
            Self::Newer(path) => (path, "was written by a later version: update rubricator".into()),
            Self::Broken(path, why) => (path, format!("is no store of answers ({why})")),
            Self::Failed(path, why) => (path, format!("cannot be used ({why})")),
        };
        write!(f, "the store {} {what}", path.display())?;
        match self {
            Self::Foreign(_) | Self::Broken(..) => {
                f.write_str(". Delete it to start a new one; only paid answers are lost")
            }
            Self::Newer(_) | Self::Failed(..) => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {}

/// How an answer is written.
#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    verdict: &'a str,
    reasoning: std::borrow::Cow<'a, str>,
    evidence: Vec<Evidence>,
}

impl Store {
    /// Opens the store at `path`, making it when it is not there.
    ///
    /// # Errors
    /// When it is somebody else's, of a later version, broken, or cannot be written.
    pub fn open(path: &Path, owner: &str) -> Result<Self, StoreError> {
        prepare_folder(path)?;
        let writer = connect(path, owner)?;
        let reader = connect(path, owner)?;
        let (sender, queue) = mpsc::channel();
        let place = path.to_owned();
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_all(writer, &queue, &place))
            .map_err(|e| StoreError::Failed(path.to_owned(), e.to_string()))?;
        Ok(Self { reader: Mutex::new(reader), writer: sender })
    }

    /// The answer under this key; anything unreadable is a miss.
    #[must_use]
    pub fn get(&self, key: &KeyDigest) -> Option<Answer> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut query =
            reader.prepare_cached("SELECT value, sum FROM answers WHERE key = ?1").ok()?;
        let row = query.query_row(params![key.as_slice()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
        let (value, sum) = row.optional().ok()??;
        (checksum(key, &value).as_slice() == sum).then(|| decoded(&value))?
    }

    /// Keeps these answers. The receiver hears once they are on disk.
    #[must_use]
    pub fn put(&self, rows: Vec<Row>) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, heard) = oneshot::channel();
        // When the writer is gone the receiver hears that nobody will answer.
        let _ = self.writer.send(Write { rows, done });
        heard
    }
}

/// Makes the folder. One inside a project gets its own ignore file, and may not
/// be a link: a repository could point it anywhere.
fn prepare_folder(path: &Path) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| StoreError::Failed(path.to_owned(), e.to_string());
    let Some(folder) = path.parent() else { return Ok(()) };
    let in_project = folder.file_name().is_some_and(|name| name == ".rubricator");
    let linked = |place: &Path| place.symlink_metadata().is_ok_and(|m| m.is_symlink());
    if in_project && (linked(path) || linked(folder)) {
        return Err(StoreError::Failed(path.to_owned(), "it is a symbolic link".into()));
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    let ignore = folder.join(".gitignore");
    if in_project && !ignore.exists() {
        std::fs::write(ignore, "*\n").map_err(failed)?;
    }
    Ok(())
}

fn connect(path: &Path, owner: &str) -> Result<Connection, StoreError> {
    let failed = |e: rusqlite::Error| sorted(path, &e);
    let mut db = Connection::open(path).map_err(failed)?;
    db.busy_timeout(BUSY).map_err(failed)?;
    let version: i32 = pragma(&db, "user_version").map_err(failed)?;
    if version == 0 {
        create(&mut db, owner).map_err(failed)?;
    }
    let (version, application): (i32, i32) = (
        pragma(&db, "user_version").map_err(failed)?,
        pragma(&db, "application_id").map_err(failed)?,
    );
    if application != APPLICATION {
        let why = "another program made it".into();
        return Err(StoreError::Broken(path.to_owned(), why));
    }
    if version != SCHEMA {
        return Err(StoreError::Newer(path.to_owned()));
    }
    // A view or trigger in a store that a repository ships could do anything.
    let others: i64 = db
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE sql IS NOT NULL AND sql NOT IN (?1, ?2)",
            TABLES,
            |r| r.get(0),
        )
        .map_err(failed)?;
    if others != 0 {
        return Err(StoreError::Broken(path.to_owned(), "it has tables that are not ours".into()));
    }
    let theirs: String = db
        .query_row("SELECT value FROM meta WHERE name = 'owner'", [], |r| r.get(0))
        .map_err(failed)?;
    if theirs != owner {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    // These hold for the connection; WAL also for the file, and only from here on:
    // a store that is not ours is not changed.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(failed)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    Ok(db)
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, name, |row| row.get(0))
}

/// Makes the tables; of several processes, one.
fn create(db: &mut Connection, owner: &str) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0))?;
    if tables == 0 {
        change.execute_batch(&TABLES.join(";"))?;
        change.execute("INSERT INTO meta VALUES ('owner', ?1)", params![owner])?;
        change.pragma_update(None, "application_id", APPLICATION)?;
        change.pragma_update(None, "user_version", SCHEMA)?;
    }
    change.commit()
}

fn sorted(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => StoreError::Broken(path, error.to_string()),
        _ => StoreError::Failed(path, error.to_string()),
    }
}

/// The writer: what is queued when it is free goes into one commit.
fn write_all(mut db: Connection, queue: &mpsc::Receiver<Write>, path: &Path) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        let mut rows = group[0].rows.len();
        while rows < GROUP {
            let Ok(next) = queue.try_recv() else { break };
            rows += next.rows.len();
            group.push(next);
        }
        let written = write(&mut db, &group).map_err(|e| sorted(path, &e));
        for one in group {
            // Whoever asked may have gone away: the answer is kept all the same.
            let _ = one.done.send(written.clone());
        }
    }
}

fn write(db: &mut Connection, group: &[Write]) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = change.prepare_cached(
            "INSERT INTO answers (key, value, sum, model, criterion) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (key) DO UPDATE SET
                 value = excluded.value, sum = excluded.sum, at = excluded.at",
        )?;
        for row in group.iter().flat_map(|one| &one.rows) {
            let value = encoded(&row.answer);
            let sum = checksum(&row.key, &value);
            let key = row.key.as_slice();
            insert.execute(params![key, value, sum.as_slice(), row.model, row.criterion])?;
        }
    }
    change.commit()
}

fn encoded(answer: &Answer) -> String {
    let entry = Entry {
        verdict: answer.verdict.name(),
        reasoning: answer.reasoning.as_str().into(),
        evidence: answer.evidence.clone(),
    };
    // Strings and integers alone: this cannot fail, and an empty value is a miss.
    serde_json::to_string(&entry).unwrap_or_default()
}

fn decoded(value: &str) -> Option<Answer> {
    let entry: Entry<'_> = serde_json::from_str(value).ok()?;
    let verdict = Verdict::from_name(entry.verdict)?;
    Some(Answer { verdict, reasoning: entry.reasoning.into_owned(), evidence: entry.evidence })
}

/// Binds a value to its key, so a moved or cut entry is seen.
fn checksum(key: &KeyDigest, value: &str) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(key);
    hash.update(value);
    let full: [u8; 32] = hash.finalize().into();
    let mut short = [0; 8];
    short.copy_from_slice(&full[..8]);
    short
}

#[cfg(test)]
mod tests;
