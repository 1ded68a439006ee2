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

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::oneshot;

use crate::assessment::Answer;
use crate::config::Provider;
use crate::transcript::TranscriptDigest;

use super::answer_key::KeyDigest;
pub(super) use folder::prepare;

use entry::{checksum, decoded, encoded};
use schema::{connect, sorted};

mod entry;
mod folder;
pub mod owner;
pub mod portable;
pub mod purge;
mod schema;

/// Rows in one commit at most.
const GROUP: usize = 512;

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
    /// The API it came from, for people who look into the store.
    pub provider: Provider,
    /// The model that gave it, for people who look into the store.
    pub model: String,
    /// The criterion's id, for people who look into the store.
    pub criterion: String,
    /// What the transcript said, so that its answers can be found to be removed.
    pub transcript: TranscriptDigest,
    /// The transcript's id, for the same reason.
    pub id: String,
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

impl Store {
    /// Opens the store at `path`, making it when it is not there.
    ///
    /// # Errors
    /// When it is somebody else's, of a later version, broken, or cannot be written.
    pub fn open(path: &Path, owner: &str) -> Result<Self, StoreError> {
        folder::prepare(path)?;
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

/// Where the store of a project is; of files outside any project, in the user's
/// data folder.
#[must_use]
pub fn place(data_dir: &Path, project: Option<&Path>) -> PathBuf {
    project.map_or_else(|| data_dir.join("store.db"), |p| p.join(".rubricator/store.db"))
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
            "INSERT INTO answers (key, value, sum, model, criterion, provider, transcript, id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (key) DO UPDATE SET
                 value = excluded.value, sum = excluded.sum, at = excluded.at,
                 provider = excluded.provider, transcript = excluded.transcript, id = excluded.id",
        )?;
        for row in group.iter().flat_map(|one| &one.rows) {
            let value = encoded(&row.answer);
            let sum = checksum(&row.key, &value);
            let key = row.key.as_slice();
            let (provider, transcript) = (row.provider.name(), row.transcript.0.as_slice());
            let Row { model, criterion, id, .. } = row;
            let sum = sum.as_slice();
            insert.execute(params![key, value, sum, model, criterion, provider, transcript, id])?;
        }
    }
    change.commit()
}

#[cfg(test)]
mod tests;
