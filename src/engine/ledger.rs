//! What was paid: one row a call, in the user's own data folder (SPEC 10).
//!
//! Invariant: recording never waits for the disk; several processes write one
//! ledger and lose no row. A row tells who was asked, for what project and
//! purpose, the tokens and the money; never a text, never a key. A cost nobody
//! knows is NULL, which is not zero.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::config::Provider;

use super::provider::Usage;
use super::spend::{Amount, Line, Spend};
use file::{check, create, load, said};

/// Its name in the user's data folder.
pub const FILE: &str = "ledger.db";
const INSERT: &str = "INSERT INTO calls VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
/// Rows in one commit at most.
const GROUP: usize = 512;
mod file;
#[cfg(test)]
mod tests;

/// What a call was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Judging transcripts.
    #[default]
    Assess,
    /// Trying a judge on planted flaws.
    Selftest,
    /// Drafting and proving rewrites.
    Fixup,
    /// Having experts criticise a rubric, prompts or a batch.
    Critique,
    /// Writing transcripts.
    Generate,
}

impl Purpose {
    /// The spelling in the ledger and in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assess => "assess",
            Self::Selftest => "selftest",
            Self::Fixup => "fixup",
            Self::Critique => "critique",
            Self::Generate => "generate",
        }
    }
}

/// One call that was, or may have been, paid for.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Seconds since 1970.
    pub at: i64,
    /// The project's folder.
    pub project: Option<PathBuf>,
    /// The judge's name.
    pub judge: String,
    /// Its API.
    pub provider: Provider,
    /// Its model.
    pub model: String,
    /// What for.
    pub purpose: Purpose,
    /// What came back: `answer`, `truncated`, …
    pub reply: &'static str,
    /// It went as part of a batch.
    pub batch: bool,
    /// Tokens as the server counts them; `None` where it did not say.
    pub usage: Option<Usage>,
    /// USD; `None` where nobody knows.
    pub usd: Option<f64>,
}

/// An open ledger. It is made when its first row is written.
#[derive(Debug)]
pub struct Ledger {
    writer: mpsc::Sender<Message>,
    // Held only to add up or copy a few lines; never while the disk is touched.
    known: Arc<Mutex<Known>>,
}

/// What was spent as far as this process knows.
#[derive(Debug, Default)]
struct Known {
    lines: HashMap<(Option<ProjectId>, String, String), [Amount; 3]>,
    /// When today ends, in seconds since 1970.
    until: i64,
}

type ProjectId = [u8; 16];

#[derive(Debug)]
enum Message {
    Entry(Box<Entry>),
    /// Everything before it is on disk, or why not.
    Flush(oneshot::Sender<Result<(), String>>),
    Reload,
}

impl Ledger {
    /// The ledger at this path. What others wrote is read in the background.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let (writer, queue) = mpsc::channel();
        let known = Arc::<Mutex<Known>>::default();
        let (path, shared) = (path.to_owned(), Arc::clone(&known));
        std::thread::Builder::new().name("ledger-writer".into()).spawn(move || {
            Writer { path, known: shared, db: None, unwritten: Vec::new() }.run(&queue)
        })?;
        Ok(Self { writer, known })
    }

    /// Records a call; it is on its way to the disk when this returns.
    pub fn record(&self, entry: Entry) {
        // When the writer is gone there is nobody to tell; a flush tells the user.
        let _ = self.writer.send(Message::Entry(Box::new(entry)));
    }

    /// Waits until everything recorded so far is on disk.
    ///
    /// # Errors
    /// A sentence that says what is in the way.
    pub async fn flush(&self) -> Result<(), String> {
        let (done, heard) = oneshot::channel();
        let _ = self.writer.send(Message::Flush(done));
        heard.await.unwrap_or_else(|_| Err("the ledger has stopped".into()))
    }

    /// What was spent, as far as it is known here and now. Never waits.
    #[must_use]
    pub fn spend(&self, project: Option<&Path>, now: i64) -> Spend {
        let known = known(&self.known);
        if now >= known.until && known.until != 0 {
            let _ = self.writer.send(Message::Reload);
        }
        let today_is_over = now >= known.until;
        let lines = known.lines.iter().map(|((project, judge, purpose), amounts)| {
            let [today, month, all] = *amounts;
            let today = if today_is_over { Amount::default() } else { today };
            (*project, line(judge, purpose, [today, month, all]))
        });
        spend(lines, project)
    }

    /// What was spent according to the file, without making one.
    ///
    /// # Errors
    /// A sentence that says why it cannot be read.
    pub fn read(path: &Path, project: Option<&Path>, now: i64) -> Result<Spend, String> {
        if !path.exists() {
            return Ok(Spend::default());
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|e| said(path, &e))?;
        let loaded = check(&db).and_then(|()| load(&db, now)).map_err(|e| said(path, &e))?;
        let lines = loaded
            .lines
            .iter()
            .map(|((project, judge, purpose), amounts)| (*project, line(judge, purpose, *amounts)));
        Ok(spend(lines, project))
    }
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

fn known(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn line(judge: &str, purpose: &str, [today, month, all]: [Amount; 3]) -> Line {
    Line { judge: judge.into(), purpose: purpose.into(), today, month, all }
}

/// Lines of one project, and of all of them together.
fn spend(lines: impl Iterator<Item = (Option<ProjectId>, Line)>, project: Option<&Path>) -> Spend {
    let id = project.map(project_id);
    let mut spend = Spend::default();
    for (of, line) in lines {
        if of.is_some() && of == id {
            spend.project.push(line.clone());
        }
        match spend
            .total
            .iter_mut()
            .find(|l| (&l.judge, &l.purpose) == (&line.judge, &line.purpose))
        {
            Some(known) => known.add(&line),
            None => spend.total.push(line),
        }
    }
    for lines in [&mut spend.project, &mut spend.total] {
        lines.sort_by(|a, b| (&a.judge, &a.purpose).cmp(&(&b.judge, &b.purpose)));
    }
    spend
}

/// Projects are told apart by a digest of their folder's path.
fn project_id(path: &Path) -> ProjectId {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let digest: [u8; 32] = Sha256::digest(path.as_os_str().as_encoded_bytes()).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

/// The one thread that touches the file.
struct Writer {
    path: PathBuf,
    known: Arc<Mutex<Known>>,
    db: Option<Connection>,
    /// Rows that the disk refused; tried again with the next.
    unwritten: Vec<(Option<ProjectId>, Entry)>,
}

impl Writer {
    fn run(mut self, queue: &mpsc::Receiver<Message>) {
        self.reload();
        while let Ok(first) = queue.recv() {
            let mut flushes = Vec::new();
            let mut reload = false;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Entry(entry) => self.note(*entry),
                    Message::Flush(done) => flushes.push(done),
                    Message::Reload => reload = true,
                }
                next = if self.unwritten.len() < GROUP { queue.try_recv().ok() } else { None };
            }
            let written = self.write();
            let never_read = known(&self.known).until == 0 && self.db.is_some();
            if reload || never_read {
                self.reload();
            }
            for done in flushes {
                // Whoever asked may have gone away.
                let _ = done.send(written.clone());
            }
        }
    }

    fn note(&mut self, entry: Entry) {
        let project = entry.project.as_deref().map(project_id);
        let key = (project, entry.judge.clone(), entry.purpose.name().to_owned());
        let amount = Amount::of(entry.usage.as_ref(), entry.usd);
        for period in known(&self.known).lines.entry(key).or_default() {
            period.add(&amount);
        }
        self.unwritten.push((project, entry));
    }

    fn write(&mut self) -> Result<(), String> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let written = self.insert().map_err(|e| said(&self.path, &e));
        match &written {
            Ok(()) => self.unwritten.clear(),
            // A broken connection is made anew for the next rows.
            Err(_) => self.db = None,
        }
        written
    }

    fn insert(&mut self) -> rusqlite::Result<()> {
        let db = match self.db.take() {
            Some(db) => db,
            None => create(&self.path)?,
        };
        let db = self.db.insert(db);
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = change.prepare_cached(INSERT)?;
            for (project, entry) in &self.unwritten {
                let place = entry.project.as_ref().map(|path| path.to_string_lossy());
                let tokens = |of: fn(&Usage) -> u64| entry.usage.as_ref().map(of).map(whole);
                insert.execute(params![
                    entry.at,
                    project.as_ref().map(<[u8; 16]>::as_slice),
                    place,
                    entry.judge,
                    entry.provider.name(),
                    entry.model,
                    entry.purpose.name(),
                    entry.reply,
                    entry.batch,
                    tokens(|u| u.input),
                    tokens(|u| u.cached_input),
                    tokens(|u| u.written_input),
                    tokens(|u| u.written_long_input),
                    tokens(|u| u.output),
                    tokens(|u| u.thinking),
                    entry.usd,
                ])?;
            }
        }
        change.commit()
    }

    /// Reads what is in the file, others' rows included.
    fn reload(&mut self) {
        if self.db.is_none() && self.path.exists() {
            self.db = create(&self.path).ok();
        }
        let loaded = self.db.as_ref().and_then(|db| load(db, now()).ok());
        if let Some(loaded) = loaded.filter(|_| self.unwritten.is_empty()) {
            *known(&self.known) = loaded;
        }
    }
}

fn whole(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
